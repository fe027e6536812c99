// What the CUDA half of each kernel card offers to the dispatching half. Defined in the .cu files, or in the
// *_nocuda.cpp files of a build without CUDA, where every call throws Error E302.
#pragma once

#include "eos/kernels/activation.hpp"
#include "eos/kernels/activation_layer.hpp"
#include "eos/kernels/attention.hpp"
#include "eos/kernels/augment.hpp"
#include "eos/kernels/batch_norm.hpp"
#include "eos/kernels/cache.hpp"
#include "eos/kernels/clip.hpp"
#include "eos/kernels/columns.hpp"
#include "eos/kernels/context.hpp"
#include "eos/kernels/conv2d.hpp"
#include "eos/kernels/dense.hpp"
#include "eos/kernels/dropout.hpp"
#include "eos/kernels/elementwise.hpp"
#include "eos/kernels/embedding.hpp"
#include "eos/kernels/gather.hpp"
#include "eos/kernels/gelu.hpp"
#include "eos/kernels/layer_norm.hpp"
#include "eos/kernels/mask.hpp"
#include "eos/kernels/mask_columns.hpp"
#include "eos/kernels/muon.hpp"
#include "eos/kernels/outer_update.hpp"
#include "eos/kernels/perceptron.hpp"
#include "eos/kernels/pool.hpp"
#include "eos/kernels/row_norms.hpp"
#include "eos/kernels/select.hpp"
#include "eos/kernels/softmax_xent.hpp"
#include "eos/kernels/squared_error.hpp"
#include "eos/kernels/token_scores.hpp"
#include "eos/kernels/tokens.hpp"
#include "eos/kernels/update.hpp"

namespace eos::kernels::cuda {

void synchronise(Context::Cuda& state);
void* allocate(Context::Cuda& state, std::size_t bytes);
void release(Context::Cuda& state, void* memory) noexcept;
void copy_in(Context::Cuda& state, void* to, const void* from_host, std::size_t bytes);
void copy_out(Context::Cuda& state, void* to_host, const void* from, std::size_t bytes);
void fill_zero(Context::Cuda& state, void* memory, std::size_t bytes);
void copy(Context::Cuda& state, void* to, const void* from, std::size_t bytes);

void dense_forward(const Context& context, DenseShape shape, const float* x, const float* w, const float* b,
                   ActivationSpec activation, float* y);
void dense_backward_weights(const Context& context, DenseShape shape, const float* x, const float* dz, float* dw,
                            float* db);
void dense_backward_inputs(const Context& context, DenseShape shape, const float* dz, const float* w, const float* x,
                           ActivationSpec activation_of_x, float* dx);

void conv2d_forward(const Context& context, ConvShape shape, const float* x, const float* w, const float* b,
                    ActivationSpec activation, float* y, std::uint8_t* winners);
void conv2d_backward_weights(const Context& context, ConvShape shape, const float* x, const float* dz,
                             const std::uint8_t* winners, float* dw, float* db);
void conv2d_backward_inputs(const Context& context, ConvShape shape, const float* dz, const std::uint8_t* winners,
                            const float* w, const float* x, ActivationSpec activation_of_x, float* dx);

void max_pool_forward(const Context& context, PoolShape shape, const float* x, float* y, std::int32_t* winners);
void max_pool_backward(const Context& context, PoolShape shape, const float* dy, const std::int32_t* winners,
                       const float* x, ActivationSpec activation_of_x, float* dx);
void average_pool_forward(const Context& context, PoolShape shape, const float* x, float* y);
void average_pool_backward(const Context& context, PoolShape shape, const float* dy, const float* x,
                           ActivationSpec activation_of_x, float* dx);

void attention_forward(const Context& context, AttentionShape shape, const float* qkv, float* out, float* lse);
void attention_backward(const Context& context, AttentionShape shape, const float* qkv, const float* out,
                        const float* lse, const float* dout, float* dqkv);

void embedding_forward(const Context& context, EmbeddingShape shape, const float* tokens, const float* table,
                       float* out);
void embedding_backward(const Context& context, EmbeddingShape shape, const float* tokens, const float* dout,
                        float* dtable);

void add_positions(const Context& context, TokensShape shape, const float* in, const float* table, float* out);
void add_positions_backward(const Context& context, TokensShape shape, const float* dout, float* dtable);
void prepend_token(const Context& context, TokensShape shape, const float* in, const float* token, float* out);
void prepend_token_backward(const Context& context, TokensShape shape, const float* dout, float* dtoken, float* din);
void select_first_token(const Context& context, TokensShape shape, const float* in, float* out);
void select_first_token_backward(const Context& context, TokensShape shape, const float* dout, float* din);

void softmax_xent(const Context& context, SoftmaxShape shape, const float* logits, const std::int32_t* labels,
                  const float* weight, float scale, SoftmaxOutputs out, float smoothing);
void token_scores(const Context& context, TokenShape shape, TokenValues values, TokenScores scores);

void activation_forward(const Context& context, std::int64_t size, ActivationSpec spec, const float* z, float* y);
void activation_backward(const Context& context, std::int64_t size, ActivationSpec spec, const float* kept,
                         const float* dy, float* dz);
void gelu_forward(const Context& context, std::int64_t size, const float* z, float* y);
void gelu_backward(const Context& context, std::int64_t size, const float* z, const float* dy, float* dz);
void gelu_forward_with_slopes(const Context& context, std::int64_t size, float* z, float* y);
void gelu_tanh_forward(const Context& context, std::int64_t size, const float* z, float* y);
void gelu_tanh_backward(const Context& context, std::int64_t size, const float* z, const float* dy, float* dz);
void add(const Context& context, std::int64_t size, const float* a, const float* b, float* y);
void multiply(const Context& context, std::int64_t size, const float* a, const float* b, float* y);
void dropout(const Context& context, DropoutShape shape, DropoutLayer layer, const DropoutDraw* draws,
             const std::int32_t* samples, const float* x, float* y);

void layer_norm_forward(const Context& context, LayerNormShape shape, float epsilon, const float* x, const float* gains,
                        const float* biases, float* y, float* saved);
void layer_norm_backward(const Context& context, LayerNormShape shape, const float* x, const float* gains,
                         const float* saved, const float* dy, NormGradients gradients);
void batch_norm_train(const Context& context, BatchNormShape shape, const BatchNormSpec& spec, const float* x,
                      const float* gains, const float* biases, float* y, float* saved, float* running);
void batch_norm_evaluate(const Context& context, BatchNormShape shape, const BatchNormSpec& spec, const float* x,
                         const float* gains, const float* biases, const float* running, float* y, float* saved);
void batch_norm_backward(const Context& context, BatchNormShape shape, const BatchNormSpec& spec,
                         StatisticsOf statistics, const float* x, const float* gains, const float* biases,
                         const float* saved, const float* dy, NormGradients gradients);

void squared_error(const Context& context, SquaredErrorShape shape, SquaredErrorTargets targets,
                   ActivationSpec activation_of_y, const float* y, const std::int32_t* labels, const float* weight,
                   float scale, SquaredErrorOutputs out);

void select_threshold(const Context& context, const float* values, Segments segments, const std::int64_t* k,
                      Selection* selection);
void select_threshold_thrust(const Context& context, const float* values, Segments segments, const std::int64_t* k,
                             Selection* selection);

void sgd_delta(const Context& context, std::int64_t size, SgdParameters p, const float* gradient, const float* weights,
               float* velocity, float* delta);
void adamw_delta(const Context& context, std::int64_t size, AdamParameters p, const float* gradient,
                 const float* weights, float* first_moment, float* second_moment, float* delta);
void sgd_update_dense(const Context& context, Segments segments, SgdParameters p, const float* gradient, float* weights,
                      float* velocity, UpdateCounts* counts);
void masked_update(const Context& context, Segments segments, const float* delta, MaskedUpdate update, float* weights,
                   UpdateCounts* counts);
void clip_gradient(const Context& context, ClipShape shape, double limit, float* gradient, ClipResult* results);
void muon_direction(const Context& context, MuonShape shape, MuonParameters p, const float* gradient, float* velocity,
                    float* x);
void muon_polynomial(const Context& context, int replicas, int side, const float* gram, float* square);
void muon_finish(const Context& context, MuonShape shape, MuonParameters p, const float* x, const float* weights,
                 float* delta);
void accumulate(const Context& context, std::int64_t size, const float* delta, float* accumulator);
void cache_step(const Context& context, Segments segments, CacheStep step, float* weights, float* persistent,
                float* previous, CacheCounts* counts);
UpdateCounts count_changes_thrust(const Context& context, std::int64_t size, const float* before, const float* after);

void apply_masks(const Context& context, RowShape shape, const std::uint8_t* masks, const std::int32_t* mask_of_row,
                 const float* in, float* out);
void add_masked(const Context& context, RowShape shape, const std::uint8_t* mask, float scale, const float* in,
                float* out);
void keep_ranked(const Context& context, RowShape shape, const float* keys, Ranking ranking, float* values);
void column_magnitudes(const Context& context, RowShape shape, const float* values, float* sums);

void outer_update(const Context& context, DenseShape shape, OuterUpdate update, const float* x, const float* dz,
                  float* w, float* b, UpdateCounts* counts);

void keep_ranked_columns(const Context& context, RowShape shape, const float* keys, Ranking ranking, float* values);

void gather_rows(const Context& context, const std::uint8_t* source, int columns, const std::int32_t* index, int rows,
                 InputTransform transform, float* out);
void gather_images(const Context& context, const std::uint8_t* source, ImageShape shape, const std::int32_t* index,
                   int rows, ImageTransform transform, Augmentation augmentation, float* out);
void compact_rows(const Context& context, const float* in, int columns, const std::int32_t* index, int rows,
                  float* out);
void scatter_rows(const Context& context, const float* in, int columns, const std::int32_t* index, int kept, int rows,
                  float* out);
void row_norms(const Context& context, int rows, int columns, const float* values, float* norms);
void scale_rows(const Context& context, int rows, int columns, const float* factors, float* values);
int compact_flags(const Context& context, const std::uint8_t* keep, int rows, std::int32_t* index);
int compact_flags_thrust(const Context& context, const std::uint8_t* keep, int rows, std::int32_t* index);

std::vector<PerceptronCounts> train_perceptrons(const Context& context, std::span<const PerceptronRun> runs);

void gather_columns(const Context& context, std::int64_t rows, int width, const std::int32_t* columns, int count,
                    const float* in, float* out);
void gather_columns(const Context& context, std::int64_t rows, int width, const std::int32_t* columns, int count,
                    const std::uint8_t* in, std::uint8_t* out);
void scatter_columns(const Context& context, std::int64_t rows, int width, const std::int32_t* columns, int count,
                     const float* in, float* out);

}  // namespace eos::kernels::cuda
