// Turn gradients into updates and write them to the weights under a mask, counting every write.
//
// optimiser_delta:  SGD    v = momentum v + (g + decay w),  delta = -eta v   (v = g + decay w when momentum is 0)
//                   Nesterov  delta = -eta ((g + decay w) + momentum v) with that new v (Sutskever, Martens, Dahl &
//                   Hinton, ICML 2013, in the variables of torch.optim.SGD)
//                   AdamW  Loshchilov & Hutter, ICLR 2019, algorithm 2, bias-corrected; delta = -eta (m^/(sqrt(v^)+eps)
//                   + decay w)
// masked_update:    c = accumulate ? (acc += delta) : delta;  if selected: w' = w + c, acc = 0.
//                   counts per segment: writes = #{w' != w} (M_0), path = sum |w' - w| (M_1), squared = sum (w' - w)^2
//                   (M_2) (Mask::selection never writes a change of zero, also where the k-th largest change is zero.)
// Shapes: all arrays [R][parameters]; segments (layers of replicas) tile the whole array.
// Guarantees: weights, velocities, moments, accumulators and `writes` have the same bits on every backend. path and
// squared are summed in float within fixed blocks of 4096 entries and in double across them: independent of threads(),
// relative error below 1e-5. No allocation after the first calls on the CPU. Thread-safe. Bytes per parameter:
// sgd_update_dense 12 (20 with momentum); masked_update 12, 8 more with an accumulator, 8 less where nothing is
// selected in arrays beyond the caches; sgd_delta 12 (20), adamw_delta 28.
#pragma once

#include <cstdint>

#include "eos/kernels/select.hpp"

namespace eos::kernels {

struct SgdParameters {
  float learning_rate = 0, momentum = 0, weight_decay = 0;
  bool nesterov = false;
};
struct AdamParameters {
  float learning_rate = 0, beta1 = 0.9f, beta2 = 0.999f, epsilon = 1e-8f, weight_decay = 0;
  std::int64_t step = 1;  ///< counts from 1, for the bias correction
};

/// `velocity` may be null when momentum is 0. `weights` is read for the decay.
void sgd_delta(const Context& context, std::int64_t size, SgdParameters p, const float* gradient, const float* weights,
               float* velocity, float* delta);
void adamw_delta(const Context& context, std::int64_t size, AdamParameters p, const float* gradient,
                 const float* weights, float* first_moment, float* second_moment, float* delta);

enum class Mask { all, selection, threshold, random };

struct UpdateCounts {
  std::int64_t writes = 0;
  double path = 0;
  double squared = 0;
};

struct MaskedUpdate {
  Mask mask = Mask::all;
  const Selection* selection = nullptr;  ///< Mask::selection, [segments] in the context's memory, made from |c|
  float threshold = 0;                   ///< Mask::threshold: write where |c| > threshold
  float probability = 1;                 ///< Mask::random: writes where the Philox uniform of the entry < probability
  std::uint64_t seed = 0;
  std::uint32_t run = 0, step = 0;
  /// Mask::random: parameters per replica, 0: one replica. Entry i of the array is parameter j = i % stride of replica
  /// r = i / stride and uses word j % 4 of the draw at (run + r, step, weight_mask, j / 4).
  std::int64_t replica_stride = 0;
  float* accumulator = nullptr;  ///< null: what is not written is discarded. Mask::selection: acc must already hold c
};

/// counts [segments] in the context's memory, overwritten. With an accumulator and Mask::selection call
/// accumulate() first, select on the accumulator, and pass delta = nullptr. throws Error E901 without delta and
/// accumulator, or for Mask::selection without a selection. Example: tests/kernels/update_test.cpp.
void masked_update(const Context& context, Segments segments, const float* delta, MaskedUpdate update, float* weights,
                   UpdateCounts* counts);
/// Plain or momentum SGD that writes every weight: sgd_delta and masked_update(Mask::all) in one pass, with the same
/// bits. `velocity` may be null when momentum is 0. counts [segments] as in masked_update.
void sgd_update_dense(const Context& context, Segments segments, SgdParameters p, const float* gradient, float* weights,
                      float* velocity, UpdateCounts* counts);
/// acc += delta.
void accumulate(const Context& context, std::int64_t size, const float* delta, float* accumulator);

/// The counts of a change from `before` to `after` by a Thrust reduction over both: the readable version, for tests.
UpdateCounts count_changes_thrust(const Context& context, std::int64_t size, const float* before, const float* after);

namespace reference {
void sgd_delta(std::int64_t size, SgdParameters p, const float* gradient, const float* weights, float* velocity,
               float* delta);
void adamw_delta(std::int64_t size, AdamParameters p, const float* gradient, const float* weights, float* first_moment,
                 float* second_moment, float* delta);
void masked_update(Segments segments, const float* delta, MaskedUpdate update, float* weights, UpdateCounts* counts);
}  // namespace reference

}  // namespace eos::kernels
