#include "eos/kernels/activation_layer.hpp"

#include <cmath>

#include "eos/kernels/dense.hpp"
#include "kernel_test.hpp"

namespace eos::kernels {
namespace {

using test::bits;
using test::normals;
using test::OnCuda;

constexpr Activation k_all[] = {Activation::identity, Activation::relu, Activation::leaky_relu,
                                Activation::logistic, Activation::tanh, Activation::gelu};

std::vector<float> forward(const Context& context, ActivationSpec spec, const std::vector<float>& sums) {
  Buffer<float> values(context, sums);  // in place
  activation_forward(context, static_cast<std::int64_t>(sums.size()), spec, values.data(), values.data());
  return values.get();
}

std::vector<float> backward(const Context& context, ActivationSpec spec, const std::vector<float>& kept,
                            const std::vector<float>& dy) {
  const Buffer<float> k(context, kept);
  Buffer<float> values(context, dy);
  activation_backward(context, static_cast<std::int64_t>(dy.size()), spec, k.data(), values.data(), values.data());
  return values.get();
}

/// What backward needs: the output, or for gelu the sum.
const std::vector<float>& kept(Activation kind, const std::vector<float>& sums, const std::vector<float>& outputs) {
  return kind == Activation::gelu ? sums : outputs;
}

// Outputs are within 3.5 units in the last place (activation_test.cpp); slopes of order 1 are made of one or two
// products more.
void expect_matches_reference(const Context& context) {
  const std::vector<float> sums = normals(3001, 1), dy = normals(3001, 2);
  const std::vector<double> z(sums.begin(), sums.end()), error(dy.begin(), dy.end());
  std::vector<double> y(z.size()), dz(z.size());
  for (const Activation kind : k_all) {
    const ActivationSpec spec(kind, 0.25f);
    reference::activation_forward(3001, spec, z.data(), y.data());
    reference::activation_backward(3001, spec, kind == Activation::gelu ? z.data() : y.data(), error.data(), dz.data());
    const std::vector<float> got = forward(context, spec, sums),
                             slope = backward(context, spec, kept(kind, sums, got), dy);
    for (std::size_t i = 0; i < z.size(); ++i) {
      ASSERT_NEAR(got[i], y[i], 4 * 1.2e-7 * std::fabs(y[i])) << static_cast<int>(kind) << " at " << z[i];
      ASSERT_NEAR(slope[i], dz[i], 6e-7 * std::fabs(error[i])) << static_cast<int>(kind) << " at " << z[i];
    }
  }
}

TEST(ActivationLayer, matches_the_reference) { expect_matches_reference(Context::cpu()); }
TEST_F(OnCuda, activation_layer_matches_the_reference) { expect_matches_reference(Context::cuda()); }

TEST(ActivationLayer, gradient_of_the_reference_equals_central_differences) {
  for (const Activation kind : k_all) {
    for (const double z : {-3.0, -1.0, -0.3, 0.2, 0.7, 2.5}) {
      const double h = 1e-5, dy = 1.7;
      const double points[] = {z - h, z, z + h};
      double y[3], dz = 0;
      reference::activation_forward(3, {kind, 0.25f}, points, y);
      reference::activation_backward(1, {kind, 0.25f}, kind == Activation::gelu ? &z : &y[1], &dy, &dz);
      EXPECT_NEAR(dz, dy * (y[2] - y[0]) / (2 * h), 1e-8) << static_cast<int>(kind) << " at " << z;
    }
  }
}

TEST(ActivationLayer, has_the_bits_of_the_activation_that_a_dense_layer_fuses) {
  const std::vector<float> sums = normals(500, 1), one{1}, zero{0};
  for (const Activation kind : k_all) {
    if (kind == Activation::gelu) continue;
    std::vector<float> fused(500);
    dense_forward(Context::cpu(), {1, 500, 1, 1}, sums.data(), one.data(), zero.data(), kind, fused.data());
    EXPECT_EQ(bits(forward(Context::cpu(), kind, sums)), bits(fused)) << static_cast<int>(kind);
  }
}

TEST(ActivationLayer, has_the_same_bits_anywhere_in_a_batch_and_for_any_threads) {
  const std::vector<float> sums = normals(200001, 1), dy = normals(200001, 2);
  for (const Activation kind : k_all) {
    const std::vector<float> y = forward(Context::cpu(1), kind, sums), &k = kept(kind, sums, y),
                             dz = backward(Context::cpu(1), kind, k, dy);
    EXPECT_EQ(bits(y), bits(forward(Context::cpu(3), kind, sums)));
    EXPECT_EQ(bits(dz), bits(backward(Context::cpu(3), kind, k, dy)));
    for (const std::size_t i : {0, 700, 200000}) {
      EXPECT_EQ(bits(forward(Context::cpu(), kind, {sums[i]})), bits(std::vector<float>{y[i]}));
      EXPECT_EQ(bits(backward(Context::cpu(), kind, {k[i]}, {dy[i]})), bits(std::vector<float>{dz[i]}));
    }
  }
}

TEST_F(OnCuda, activation_layer_has_the_bits_of_the_cpu) {
  const std::vector<float> sums = normals(20001, 1), dy = normals(20001, 2);
  for (const Activation kind : k_all) {
    const std::vector<float> y = forward(Context::cpu(), kind, sums), &k = kept(kind, sums, y);
    EXPECT_EQ(bits(y), bits(forward(Context::cuda(), kind, sums)));
    EXPECT_EQ(bits(backward(Context::cpu(), kind, k, dy)), bits(backward(Context::cuda(), kind, k, dy)));
  }
}

}  // namespace
}  // namespace eos::kernels
