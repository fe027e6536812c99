#include "../../kernels/src/simd_exp.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace eos::kernels {
namespace {

TEST(SimdExp, is_within_two_units_in_the_last_place) {
  for (double x = -87.3; x <= 0.5; x += 0.00011) {
    const auto argument = static_cast<float>(x);
    const float got = simd::exp_of_nonpositive(simd::broadcast(argument))[3];
    const double exact = std::exp(static_cast<double>(argument));
    ASSERT_LE(std::fabs(got - exact), 2 * std::ldexp(1.0, std::ilogb(exact) - 23)) << "x = " << argument;
  }
}

TEST(SimdExp, is_one_at_zero_vanishes_far_out_and_lets_nan_through) {
  const simd::Floats got = simd::exp_of_nonpositive(simd::Floats{0, -0.0f, -87.7f, -88, -1e10f, -INFINITY, NAN, -NAN});
  for (const int lane : {0, 1}) EXPECT_EQ(got[lane], 1.0f);
  for (const int lane : {2, 3, 4, 5}) EXPECT_EQ(got[lane], 0.0f);
  for (const int lane : {6, 7}) EXPECT_TRUE(std::isnan(got[lane]));
}

}  // namespace
}  // namespace eos::kernels
