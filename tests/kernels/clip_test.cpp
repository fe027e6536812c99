#include "eos/kernels/clip.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "eos/core/error.hpp"
#include "kernel_test.hpp"

namespace eos::kernels {
namespace {

using test::bits;
using test::normals;
using test::OnCuda;

constexpr std::int64_t k_sizes[] = {1, 255, 256, 257, 4096, 4097, 140001};  // the last is split over threads

struct Clipped {
  std::vector<float> gradient;
  std::vector<ClipResult> results;
};

Clipped clip(const Context& context, ClipShape shape, double limit, const std::vector<float>& gradient) {
  Buffer<float> g(context, gradient);
  Buffer<ClipResult> results(context, static_cast<std::size_t>(shape.replicas));
  clip_gradient(context, shape, limit, g.data(), results.data());
  return {g.get(), results.get()};
}

/// The norm agrees to the rounding of sums in double; the factor to a unit in the last place where that rounding
/// crosses a boundary.
void expect_clip_matches_reference(const Context& context) {
  for (const std::int64_t size : k_sizes) {
    for (const double limit : {0.5, 1e6}) {
      const ClipShape shape{3, size, size + 5};
      const std::vector<float> gradient = normals(static_cast<std::size_t>(3 * shape.stride), 1);
      const Clipped got = clip(context, shape, limit, gradient);
      std::vector<float> expected = gradient;
      ClipResult results[3];
      reference::clip_gradient(shape, limit, expected.data(), results);
      for (int r = 0; r < 3; ++r) {
        EXPECT_NEAR(got.results[r].norm, results[r].norm, 1e-12 * results[r].norm) << size;
        EXPECT_FLOAT_EQ(got.results[r].factor, results[r].factor);
      }
      for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_FLOAT_EQ(got.gradient[i], expected[i]) << size;
    }
  }
}

TEST(ClipGradient, matches_the_reference_and_leaves_gaps_alone) { expect_clip_matches_reference(Context::cpu()); }
TEST_F(OnCuda, clip_gradient_matches_the_reference) { expect_clip_matches_reference(Context::cuda()); }

TEST(ClipGradient, has_the_same_bits_for_one_and_two_threads) {
  const std::vector<float> gradient = normals(300001, 2);
  const ClipShape shape{1, 300001};
  const Clipped one = clip(Context::cpu(1), shape, 1, gradient), two = clip(Context::cpu(2), shape, 1, gradient);
  EXPECT_EQ(one.results[0].norm, two.results[0].norm);
  EXPECT_EQ(bits(one.gradient), bits(two.gradient));
}
TEST_F(OnCuda, clip_gradient_has_the_bits_of_the_cpu) {
  const std::vector<float> gradient = normals(300001, 2);
  const ClipShape shape{1, 300001};
  const Clipped cpu = clip(Context::cpu(), shape, 1, gradient), cuda = clip(Context::cuda(), shape, 1, gradient);
  EXPECT_EQ(cpu.results[0].norm, cuda.results[0].norm);
  EXPECT_EQ(bits(cpu.gradient), bits(cuda.gradient));
}

TEST(ClipGradient, has_the_numbers_of_clip_grad_norm) {
  // torch.nn.utils.clip_grad_norm_ of PyTorch 2.15 with max_norm = 2.5, single precision.
  const Clipped longer = clip(Context::cpu(), {1, 3}, 2.5, {3.0f, -4.0f, 12.0f});
  EXPECT_DOUBLE_EQ(longer.results[0].norm, 13.0);
  EXPECT_THAT(longer.gradient,
              ::testing::Pointwise(::testing::FloatEq(), std::vector<float>{0.576923013f, -0.769230723f, 2.30769205f}));
  const std::vector<float> within{0.300000012f, -0.400000006f, 1.20000005f};
  const Clipped shorter = clip(Context::cpu(), {1, 3}, 2.5, within);
  EXPECT_NEAR(shorter.results[0].norm, 1.3000000715255737, 1e-7);  // torch sums in single precision
  EXPECT_EQ(bits(shorter.gradient), bits(within));
}

TEST(ClipGradient, of_something_that_is_no_number_is_none) {
  const float infinity = std::numeric_limits<float>::infinity(), nan = std::nanf("");
  const Clipped unbounded = clip(Context::cpu(), {1, 2}, 1, {infinity, 1.0f});
  EXPECT_EQ(unbounded.results[0].factor, 0);
  EXPECT_TRUE(std::isnan(unbounded.gradient[0]));
  EXPECT_EQ(unbounded.gradient[1], 0);
  EXPECT_TRUE(std::isnan(clip(Context::cpu(), {1, 2}, 1, {nan, 1.0f}).gradient[1]));
}

TEST(ClipGradient, refuses_a_limit_that_is_not_positive) {
  float g = 1;
  ClipResult result;
  for (const double limit : {0.0, -1.0, std::nan("")})
    EXPECT_THROW(clip_gradient(Context::cpu(), {1, 1}, limit, &g, &result), core::Error);
}

}  // namespace
}  // namespace eos::kernels
