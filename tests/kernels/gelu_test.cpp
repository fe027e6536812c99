#include "eos/kernels/gelu.hpp"

#include <cmath>

#include "kernel_test.hpp"

namespace eos::kernels {
namespace {

using test::bits;
using test::normals;
using test::OnCuda;

using Forward = void (*)(const Context&, std::int64_t, const float*, float*);
using Backward = void (*)(const Context&, std::int64_t, const float*, const float*, float*);

std::vector<float> apply(const Context& context, Forward function, const std::vector<float>& sums) {
  const Buffer<float> z(context, sums);
  Buffer<float> y(context, sums.size());
  function(context, static_cast<std::int64_t>(sums.size()), z.data(), y.data());
  return y.get();
}

std::vector<float> apply(const Context& context, Backward function, const std::vector<float>& sums,
                         const std::vector<float>& errors) {
  const Buffer<float> z(context, sums), dy(context, errors);
  Buffer<float> dz(context, sums.size());
  function(context, static_cast<std::int64_t>(sums.size()), z.data(), dy.data(), dz.data());
  return dz.get();
}

std::vector<float> slopes(const Context& context, Backward function, const std::vector<float>& sums) {
  return apply(context, function, sums, std::vector<float>(sums.size(), 1.0f));
}

std::vector<float> grid() {
  std::vector<float> values;
  for (double z = -14; z < 14; z += 0.00037) values.push_back(static_cast<float>(z));
  return values;
}

double last_place(double value) { return std::ldexp(1.0, std::max(std::ilogb(value), -126) - 23); }

/// Units in the last place: 2 of the exponential, 2.5 of the quotient (two polynomials and itself), 1 of two products.
/// Below 1e-38 e^(-z^2/2) is no normal number and counts as 0.
void expect_exact_form(const Context& context) {
  const std::vector<float> z = grid(), y = apply(context, gelu_forward, z), slope = slopes(context, gelu_backward, z);
  for (std::size_t i = 0; i < z.size(); ++i) {
    const double exact = reference::gelu(z[i]);
    ASSERT_LE(std::fabs(y[i] - exact), 6 * last_place(exact) + 1e-38) << "z = " << z[i];
    ASSERT_NEAR(slope[i], reference::gelu_slope(z[i]), 4e-7) << "z = " << z[i];
  }
}

/// The doubled argument of tanh has three roundings and rounded constants: together 4 * 2^-24 of its size, which the
/// exponential turns into a relative error, up to 8 units in the last place for every unit of the argument.
void expect_tanh_form(const Context& context) {
  const std::vector<float> z = grid(), y = apply(context, gelu_tanh_forward, z),
                           slope = slopes(context, gelu_tanh_backward, z);
  for (std::size_t i = 0; i < z.size(); ++i) {
    const double exact = reference::gelu_tanh(z[i]);
    const double argument = std::fabs(0.7978845608 * (z[i] + 0.044715 * std::pow(z[i], 3.0)));
    ASSERT_LE(std::fabs(y[i] - exact), (6 + 8 * argument) * last_place(exact) + 2e-37) << "z = " << z[i];
    ASSERT_NEAR(slope[i], reference::gelu_tanh_slope(z[i]), 4e-7) << "z = " << z[i];
  }
}

TEST(Gelu, is_within_a_few_units_in_the_last_place) { expect_exact_form(Context::cpu()); }
TEST_F(OnCuda, gelu_is_within_a_few_units_in_the_last_place) { expect_exact_form(Context::cuda()); }
TEST(Gelu, tanh_form_is_within_its_bounds) { expect_tanh_form(Context::cpu()); }
TEST_F(OnCuda, gelu_tanh_form_is_within_its_bounds) { expect_tanh_form(Context::cuda()); }

TEST(Gelu, gives_the_numbers_of_pytorch) {
  // torch 2.15, float64: F.gelu(z, approximate='none' and 'tanh') and its gradient
  const std::vector<float> z{-3, -0.75f, -0.1f, 0, 0.5f, 2};
  const double exact[] = {-0.004049694095, -0.1699705143, -0.04601721627, 0, 0.3457312306, 1.954499736};
  const double exact_slope[] = {-0.0119456472, 0.0007742782608, 0.420476908, 0.5, 0.8674951247, 1.085231801};
  const double approximate[] = {-0.003637392082, -0.1700394448, -0.04601724895, 0, 0.3457140098, 1.954597694};
  const double approximate_slope[] = {-0.01158416663, 0.001061743863, 0.4204782107, 0.5, 0.8673699035, 1.086099257};
  const Context context = Context::cpu();
  for (std::size_t i = 0; i < z.size(); ++i) {
    EXPECT_NEAR(apply(context, gelu_forward, z)[i], exact[i], 2e-7);
    EXPECT_NEAR(slopes(context, gelu_backward, z)[i], exact_slope[i], 2e-7);
    EXPECT_NEAR(apply(context, gelu_tanh_forward, z)[i], approximate[i], 2e-7);
    EXPECT_NEAR(slopes(context, gelu_tanh_backward, z)[i], approximate_slope[i], 2e-7);
    EXPECT_NEAR(reference::gelu(z[i]), exact[i], 1e-9);
    EXPECT_NEAR(reference::gelu_tanh(z[i]), approximate[i], 1e-9);
  }
}

void expect_both_at_once(const Context& context) {
  const std::vector<float> z = grid();
  const auto size = static_cast<std::int64_t>(z.size());
  Buffer<float> kept(context, z), y(context, z.size());
  gelu_forward_with_slopes(context, size, kept.data(), y.data());
  EXPECT_EQ(bits(y.get()), bits(apply(context, gelu_forward, z)));
  EXPECT_EQ(kept.get(), slopes(context, gelu_backward, z));
}
TEST(Gelu, gives_values_and_slopes_at_once_with_the_same_bits) {
  expect_both_at_once(Context::cpu(1));
  expect_both_at_once(Context::cpu(2));
}
TEST_F(OnCuda, gelu_gives_values_and_slopes_at_once_with_the_same_bits) { expect_both_at_once(Context::cuda()); }

TEST(Gelu, slope_of_the_reference_equals_central_differences) {
  for (double z = -6; z < 6; z += 0.0937) {
    const double h = 1e-5;
    EXPECT_NEAR(reference::gelu_slope(z), (reference::gelu(z + h) - reference::gelu(z - h)) / (2 * h), 1e-9) << z;
    EXPECT_NEAR(reference::gelu_tanh_slope(z), (reference::gelu_tanh(z + h) - reference::gelu_tanh(z - h)) / (2 * h),
                1e-9)
        << z;
  }
}

TEST(Gelu, has_limits_without_overflow_and_lets_nan_through) {
  const std::vector<float> far{-INFINITY, -1e30f, -20, 20, 1e30f, INFINITY};
  for (const Forward function : {gelu_forward, gelu_tanh_forward})
    EXPECT_EQ(apply(Context::cpu(), function, far), (std::vector<float>{0, 0, 0, 20, 1e30f, INFINITY}));
  for (const Backward function : {gelu_backward, gelu_tanh_backward})
    EXPECT_EQ(slopes(Context::cpu(), function, far), (std::vector<float>{0, 0, 0, 1, 1, 1}));
  EXPECT_TRUE(std::isnan(apply(Context::cpu(), gelu_forward, {NAN})[0]));
  EXPECT_TRUE(std::isnan(slopes(Context::cpu(), gelu_backward, {NAN})[0]));
  EXPECT_TRUE(std::isnan(apply(Context::cpu(), gelu_tanh_forward, {NAN})[0]));
  EXPECT_TRUE(std::isnan(slopes(Context::cpu(), gelu_tanh_backward, {NAN})[0]));
}

TEST(Gelu, has_the_same_bits_anywhere_in_a_batch_for_any_threads_and_in_place) {
  std::vector<float> z = normals(200003, 1);
  const std::vector<float> dy = normals(z.size(), 2);
  const std::vector<float> y = apply(Context::cpu(1), gelu_forward, z),
                           dz = apply(Context::cpu(1), gelu_backward, z, dy);
  EXPECT_EQ(bits(y), bits(apply(Context::cpu(3), gelu_forward, z)));
  EXPECT_EQ(bits(dz), bits(apply(Context::cpu(3), gelu_backward, z, dy)));
  for (const std::size_t i : {0, 513, 200002}) {
    EXPECT_EQ(bits(apply(Context::cpu(), gelu_forward, {z[i]})), bits(std::vector<float>{y[i]}));
    EXPECT_EQ(bits(apply(Context::cpu(), gelu_backward, {z[i]}, {dy[i]})), bits(std::vector<float>{dz[i]}));
  }
  std::vector<float> error = dy;
  gelu_backward(Context::cpu(), 200003, z.data(), error.data(), error.data());
  EXPECT_EQ(bits(error), bits(dz));
  gelu_forward(Context::cpu(), 200003, z.data(), z.data());
  EXPECT_EQ(bits(z), bits(y));
}

TEST_F(OnCuda, gelu_has_the_bits_of_the_cpu) {
  const std::vector<float> z = grid(), dy = normals(z.size(), 2);
  for (const Forward function : {gelu_forward, gelu_tanh_forward})
    EXPECT_EQ(bits(apply(Context::cpu(), function, z)), bits(apply(Context::cuda(), function, z)));
  for (const Backward function : {gelu_backward, gelu_tanh_backward})
    EXPECT_EQ(bits(apply(Context::cpu(), function, z, dy)), bits(apply(Context::cuda(), function, z, dy)));
}

}  // namespace
}  // namespace eos::kernels
