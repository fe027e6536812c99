#include "eos/kernels/outer_update.hpp"

#include <algorithm>
#include <cmath>

#include "eos/core/error.hpp"
#include "kernel_test.hpp"

namespace eos::kernels {
namespace {

using test::bits;
using test::normals;
using test::OnCuda;

/// W [in][out] followed by b [out], as layers are stored, with the inputs and errors of one sample.
struct Layer {
  int in, out;
  std::vector<float> x, dz, weights;

  Layer(int inputs, int outputs, float share_of_zeros)
      : in(inputs), out(outputs), x(normals(inputs, 1)), dz(normals(outputs, 2)) {
    weights = normals((static_cast<std::size_t>(in) + 1) * out, 3);
    for (std::size_t i = 0; i < x.size(); ++i)
      if (core::uniform(7, test::at(4, i)) < share_of_zeros) x[i] = 0;
    for (std::size_t i = 0; i < weights.size(); i += 97) weights[i] = 0;
  }
  std::size_t bias() const { return static_cast<std::size_t>(in) * out; }
};

struct Result {
  std::vector<float> weights;
  UpdateCounts counts;
};

Result run(const Context& context, const Layer& layer, OuterUpdate update) {
  const Buffer<float> x(context, layer.x), dz(context, layer.dz);
  Buffer<float> w(context, layer.weights);
  Buffer<UpdateCounts> counts(context, 1);
  outer_update(context, {1, 1, layer.in, layer.out}, update, x.data(), dz.data(), w.data(), w.data() + layer.bias(),
               counts.data());
  return {w.get(), counts.get()[0]};
}

Result run_reference(const Layer& layer, OuterUpdate update) {
  Result result{layer.weights, {}};
  float* w = result.weights.data();
  reference::outer_update({1, 1, layer.in, layer.out}, update, layer.x.data(), layer.dz.data(), w, w + layer.bias(),
                          &result.counts);
  return result;
}

/// The same step in several passes over a stored gradient.
Result run_passes(const Layer& layer, OuterUpdate update) {
  const Context context = Context::cpu();
  Result result{layer.weights, {}};
  const auto size = static_cast<std::int64_t>(layer.weights.size());
  std::vector<float> gradient(layer.weights.size() + 1), delta(layer.weights.size() + 1);  // never null
  dense_backward_weights(context, {1, 1, layer.in, layer.out}, layer.x.data(), layer.dz.data(), gradient.data(),
                         gradient.data() + layer.bias());
  const std::int64_t offsets[] = {0, size};
  SgdParameters p;
  p.learning_rate = update.learning_rate;
  if (update.all) {
    sgd_update_dense(context, {1, offsets}, p, gradient.data(), result.weights.data(), nullptr, &result.counts);
    return result;
  }
  sgd_delta(context, size, p, gradient.data(), result.weights.data(), nullptr, delta.data());
  MaskedUpdate masked;
  masked.mask = Mask::threshold;
  masked.threshold = update.threshold;
  masked_update(context, {1, offsets}, delta.data(), masked, result.weights.data(), &result.counts);
  return result;
}

void expect_same(const Result& got, const Result& expected) {
  EXPECT_EQ(bits(got.weights), bits(expected.weights));
  EXPECT_EQ(got.counts.writes, expected.counts.writes);
  EXPECT_NEAR(got.counts.path, expected.counts.path, 1e-5 * expected.counts.path);
  EXPECT_NEAR(got.counts.squared, expected.counts.squared, 1e-5 * expected.counts.squared);
}

const OuterUpdate k_updates[] = {{0.1f, true, 0}, {1e-7f, true, 0}, {0.1f, false, 0.07f}, {0.1f, false, 0}};
const std::pair<int, int> k_sizes[] = {{1, 1}, {784, 100}, {100, 10}, {7, 13}, {33, 5000}, {1000, 256}, {0, 9}, {5, 0}};

void expect_matches(const Context& context) {
  for (const auto& [in, out] : k_sizes) {
    for (const float zeros : {0.0f, 0.8f, 1.0f}) {
      for (const OuterUpdate& update : k_updates) {
        SCOPED_TRACE(::testing::Message() << in << " x " << out << " zeros " << zeros << " rate "
                                          << update.learning_rate << " threshold " << update.threshold);
        const Layer layer(in, out, zeros);
        const Result got = run(context, layer, update);
        expect_same(got, run_reference(layer, update));
        expect_same(got, run_passes(layer, update));
      }
    }
  }
}

TEST(OuterUpdate, writes_and_counts_what_separate_passes_do) { expect_matches(Context::cpu()); }
TEST_F(OnCuda, outer_update_writes_and_counts_what_separate_passes_do) { expect_matches(Context::cuda()); }

TEST(OuterUpdate, has_the_same_bits_for_any_threads) {
  const Layer layer(3000, 257, 0.2f);
  const Result one = run(Context::cpu(1), layer, k_updates[0]), three = run(Context::cpu(3), layer, k_updates[0]);
  EXPECT_EQ(bits(one.weights), bits(three.weights));
  EXPECT_EQ(one.counts.path, three.counts.path);
  EXPECT_EQ(one.counts.squared, three.counts.squared);
}

TEST(OuterUpdate, counts_replicas_apart) {
  // Two replicas of 1 x 1: changes of -0.5 and 0, with the bias.
  const std::vector<float> x{1, 0}, dz{1, 0};
  std::vector<float> w{2, 2}, b{4, 4};
  std::vector<UpdateCounts> counts(2);
  outer_update(Context::cpu(), {2, 1, 1, 1}, {0.5f, true, 0}, x.data(), dz.data(), w.data(), b.data(), counts.data());
  EXPECT_EQ(w, (std::vector<float>{1.5f, 2}));
  EXPECT_EQ(b, (std::vector<float>{3.5f, 4}));
  EXPECT_EQ(counts[0].writes, 2);
  EXPECT_EQ(counts[0].path, 1.0);
  EXPECT_EQ(counts[0].squared, 0.5);
  EXPECT_EQ(counts[1].writes, 0);
}

void expect_without_biases(const Context& context) {
  const Layer layer(20, 9, 0.5f);
  const Result with = run(context, layer, k_updates[0]);
  const Buffer<float> x(context, layer.x), dz(context, layer.dz);
  Buffer<float> w(context, layer.weights);
  Buffer<UpdateCounts> counts(context, 1);
  outer_update(context, {1, 1, 20, 9}, k_updates[0], x.data(), dz.data(), w.data(), nullptr, counts.data());
  std::vector<float> expected = with.weights;
  std::copy(layer.weights.begin() + 180, layer.weights.end(), expected.begin() + 180);
  EXPECT_EQ(bits(w.get()), bits(expected));
  EXPECT_EQ(counts.get()[0].writes, with.counts.writes - 9);
}

TEST(OuterUpdate, leaves_out_biases_that_a_layer_does_not_have) { expect_without_biases(Context::cpu()); }
TEST_F(OnCuda, outer_update_leaves_out_biases_that_a_layer_does_not_have) { expect_without_biases(Context::cuda()); }

TEST(OuterUpdate, takes_one_sample) {
  float value = 0;
  UpdateCounts counts;
  EXPECT_THROW(outer_update(Context::cpu(), {1, 2, 1, 1}, {}, &value, &value, &value, &value, &counts), core::Error);
}

}  // namespace
}  // namespace eos::kernels
