#include "eos/kernels/activation.hpp"

#include <cmath>

#include "eos/kernels/dense.hpp"
#include "kernel_test.hpp"

namespace eos::kernels {
namespace {

using test::bits;
using test::normals;
using test::OnCuda;

constexpr Activation k_all[] = {Activation::identity, Activation::relu, Activation::leaky_relu, Activation::logistic,
                                Activation::tanh};

/// act(z) through a layer of one input and the weight 1: one row a value.
std::vector<float> activate(const Context& context, ActivationSpec spec, const std::vector<float>& sums) {
  const Buffer<float> x(context, sums), w(context, std::vector<float>{1.0f}), b(context, std::vector<float>{0.0f});
  Buffer<float> y(context, sums.size());
  dense_forward(context, {1, static_cast<int>(sums.size()), 1, 1}, x.data(), w.data(), b.data(), spec, y.data());
  return y.get();
}

/// act'(z) from outputs, through a layer that passes a gradient of 1.
std::vector<float> slopes(const Context& context, ActivationSpec spec, const std::vector<float>& outputs) {
  const Buffer<float> x(context, outputs), w(context, std::vector<float>{1.0f}),
      dz(context, std::vector<float>(outputs.size(), 1.0f));
  Buffer<float> dx(context, outputs.size());
  dense_backward_inputs(context, {1, static_cast<int>(outputs.size()), 1, 1}, dz.data(), w.data(), x.data(), spec,
                        dx.data());
  return dx.get();
}

std::vector<float> grid(float from, float to, int steps) {
  std::vector<float> values;
  for (int i = 0; i <= steps; ++i)
    values.push_back(from + (to - from) * static_cast<float>(i) / static_cast<float>(steps));
  return values;
}

double last_place(double value) { return std::ldexp(1.0, std::max(std::ilogb(value), -126) - 23); }

void expect_within(const std::vector<float>& got, const std::vector<float>& sums, double (*exact)(double),
                   double places) {
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double value = exact(sums[i]);
    ASSERT_LE(std::fabs(got[i] - value), places * last_place(value)) << "z = " << sums[i];
  }
}

// The exponential is within 2 units in the last place; a sum and a quotient add a rounding each.
void expect_accurate(const Context& context) {
  const std::vector<float> sums = grid(-87.0f, 87.0f, 87 * 128);
  expect_within(
      activate(context, Activation::logistic, sums), sums, [](double z) { return 1 / (1 + std::exp(-z)); }, 3.5);
  expect_within(
      activate(context, Activation::tanh, sums), sums, [](double z) { return std::tanh(z); }, 3.5);
  const std::vector<float> small = grid(-1.0f, 1.0f, 20001);
  expect_within(
      activate(context, Activation::tanh, small), small, [](double z) { return std::tanh(z); }, 3.5);
}

TEST(Activation, is_within_a_few_units_in_the_last_place) { expect_accurate(Context::cpu()); }
TEST_F(OnCuda, activation_is_within_a_few_units_in_the_last_place) { expect_accurate(Context::cuda()); }

TEST(Activation, leaky_relu_has_the_slope_it_is_given) {
  const ActivationSpec spec(Activation::leaky_relu, 0.25f);
  EXPECT_EQ(activate(Context::cpu(), spec, {-8, -0.5f, 0, 0.5f, 8}), (std::vector<float>{-2, -0.125f, 0, 0.5f, 8}));
  EXPECT_EQ(slopes(Context::cpu(), spec, {-2, -0.125f, 0, 0.5f, 8}), (std::vector<float>{0.25f, 0.25f, 0.25f, 1, 1}));
}

TEST(Activation, slope_from_the_output_is_the_derivative) {
  // The difference quotient over 2h errs by h^2 |f'''| / 6 < 3.4e-5 and, with outputs rounded to 2^-24, by 2^-24 / h <
  // 6e-6.
  const float h = 0.01f;
  for (const Activation kind : k_all) {
    for (const float z : {-3.0f, -1.0f, -0.3f, 0.2f, 0.7f, 2.5f}) {
      const std::vector<float> y = activate(Context::cpu(), kind, {z - h, z, z + h});
      const double quotient = (static_cast<double>(y[2]) - y[0]) / (static_cast<double>(z + h) - (z - h));
      const float derivative = slopes(Context::cpu(), kind, {y[1]})[0];
      EXPECT_NEAR(derivative, quotient, 4e-5) << static_cast<int>(kind) << " at " << z;
    }
  }
}

TEST(Activation, saturates_without_overflow) {
  const std::vector<float> far{-INFINITY, -1e30f, 1e30f, INFINITY};
  EXPECT_EQ(activate(Context::cpu(), Activation::logistic, far), (std::vector<float>{0, 0, 1, 1}));
  EXPECT_EQ(activate(Context::cpu(), Activation::tanh, far), (std::vector<float>{-1, -1, 1, 1}));
  EXPECT_EQ(slopes(Context::cpu(), Activation::logistic, {0, 1}), (std::vector<float>{0, 0}));
  EXPECT_EQ(slopes(Context::cpu(), Activation::tanh, {-1, 1}), (std::vector<float>{0, 0}));
}

TEST(Activation, lets_nan_through_so_that_divergence_is_seen) {
  for (const Activation kind : k_all) EXPECT_TRUE(std::isnan(activate(Context::cpu(), kind, {NAN})[0]));
}

TEST(Activation, has_the_same_bits_anywhere_in_a_batch_and_for_any_threads) {
  std::vector<float> sums = normals(200001, 1);
  for (float& z : sums) z *= 3;
  for (const Activation kind : k_all) {
    const std::vector<float> one = activate(Context::cpu(1), kind, sums);
    EXPECT_EQ(bits(one), bits(activate(Context::cpu(3), kind, sums)));
    EXPECT_EQ(bits(slopes(Context::cpu(1), kind, one)), bits(slopes(Context::cpu(3), kind, one)));
    for (const std::size_t i : {0, 13, 200000}) {
      EXPECT_EQ(bits(activate(Context::cpu(1), kind, {sums[i]})), bits(std::vector<float>{one[i]}));
    }
  }
}

TEST_F(OnCuda, activation_of_the_same_sum_has_the_bits_of_the_cpu) {
  std::vector<float> sums = normals(20001, 1);
  for (float& z : sums) z *= 3;
  for (const Activation kind : k_all) {
    const std::vector<float> here = activate(Context::cpu(), kind, sums);
    EXPECT_EQ(bits(here), bits(activate(Context::cuda(), kind, sums)));
    EXPECT_EQ(bits(slopes(Context::cpu(), kind, here)), bits(slopes(Context::cuda(), kind, here)));
  }
}

}  // namespace
}  // namespace eos::kernels
