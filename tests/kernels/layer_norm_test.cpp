#include "eos/kernels/layer_norm.hpp"

#include <cmath>

#include "kernel_test.hpp"

namespace eos::kernels {
namespace {

using test::bits;
using test::normals;
using test::OnCuda;

constexpr float k_epsilon = 1e-5f;

struct Layer {
  LayerNormShape shape;
  std::vector<float> x, gains, biases, dy;
};

Layer make_layer(LayerNormShape shape) {
  const auto size = static_cast<std::size_t>(shape.replicas * shape.rows * shape.width);
  const auto parameters = static_cast<std::size_t>(shape.replicas * shape.parameter_stride());
  Layer layer{shape, normals(size, 1), normals(parameters, 2), normals(parameters, 3), normals(size, 4)};
  for (std::size_t i = 0; i < size; ++i) layer.x[i] = 3 + 2 * layer.x[i];
  return layer;
}

struct Result {
  std::vector<float> y, saved, dx, dgains, dbiases;
};

Result run(const Context& context, const Layer& layer) {
  const Buffer<float> x(context, layer.x), gains(context, layer.gains), biases(context, layer.biases),
      dy(context, layer.dy);
  Buffer<float> y(context, layer.x.size()), dx(context, layer.x.size());
  Buffer<float> saved(context, static_cast<std::size_t>(2 * layer.shape.replicas * layer.shape.rows));
  Buffer<float> dgains(context, layer.gains.size()), dbiases(context, layer.gains.size());
  layer_norm_forward(context, layer.shape, k_epsilon, x.data(), gains.data(), biases.data(), y.data(), saved.data());
  layer_norm_backward(context, layer.shape, x.data(), gains.data(), saved.data(), dy.data(),
                      {dx.data(), dgains.data(), dbiases.data()});
  return {y.get(), saved.get(), dx.get(), dgains.get(), dbiases.get()};
}

Result run_reference(const Layer& layer) {
  Result out{std::vector<float>(layer.x.size()),
             std::vector<float>(static_cast<std::size_t>(2 * layer.shape.replicas * layer.shape.rows)),
             std::vector<float>(layer.x.size()), std::vector<float>(layer.gains.size()),
             std::vector<float>(layer.gains.size())};
  reference::layer_norm_forward(layer.shape, k_epsilon, layer.x.data(), layer.gains.data(), layer.biases.data(),
                                out.y.data(), out.saved.data());
  reference::layer_norm_backward<float>(layer.shape, layer.x.data(), layer.gains.data(), out.saved.data(),
                                        layer.dy.data(), {out.dx.data(), out.dgains.data(), out.dbiases.data()});
  return out;
}

void expect_near(const std::vector<float>& got, const std::vector<float>& exact, double tolerance, const char* what) {
  ASSERT_EQ(got.size(), exact.size());
  for (std::size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], exact[i], tolerance) << what << " " << i;
}

/// Values are of order 1 (x up to 12): a mean over a row errs by 12 * 2^-23, gradients of parameters sum up to 300
/// rows.
void expect_matches_reference(const Context& context) {
  for (const LayerNormShape& shape :
       {LayerNormShape{1, 1, 1}, LayerNormShape{1, 3, 10}, LayerNormShape{2, 65, 16}, LayerNormShape{1, 300, 128},
        LayerNormShape{3, 130, 77, 500}, LayerNormShape{1, 0, 8}, LayerNormShape{1, 5, 1000}}) {
    SCOPED_TRACE(::testing::Message() << shape.replicas << " x " << shape.rows << " x " << shape.width);
    const Layer layer = make_layer(shape);
    const Result got = run(context, layer), exact = run_reference(layer);
    const double deviations = shape.width == 1 ? 316 : 1;  // 1 / sqrt(epsilon) where the variance is 0
    expect_near(got.y, exact.y, 2e-5 * deviations, "y");
    expect_near(got.dx, exact.dx, 2e-5 * deviations, "dx");
    expect_near(got.dgains, exact.dgains, 3e-4 * deviations, "dgains");
    expect_near(got.dbiases, exact.dbiases, 1e-4, "dbiases");
  }
}

TEST(LayerNorm, matches_the_reference) { expect_matches_reference(Context::cpu()); }
TEST_F(OnCuda, layer_norm_matches_the_reference) { expect_matches_reference(Context::cuda()); }

TEST(LayerNorm, gives_the_numbers_of_pytorch) {
  // torch 2.15, float64: F.layer_norm(x, (4,), g, b, 1e-5), backward of (y * e).sum()
  const Layer layer{{1, 2, 4},
                    {0.5f, -1, 2, 0.25f, 3, 1, -2, 0},
                    {1, 0.5f, -2, 1.5f},
                    {0.1f, -0.2f, 0.3f, 0},
                    {1, -0.5f, 0.25f, 2, -1, 0.5f, 0, 0.75f}};
  const Result got = run(Context::cpu(), layer);
  expect_near(got.y,
              {0.1586207803f, -0.8741389737f, -2.631039016f, -0.2637935115f, 1.486748357f, -0.06132516429f,
               3.073496714f, -0.4160245071f},
              1e-6, "y");
  expect_near(got.dx,
              {0.1877475493f, -1.269913056f, -0.9339061795f, 2.016071687f, -0.2933515782f, 0.1493419379f,
               -0.3653538915f, 0.5093635317f},
              1e-6, "dx");
  expect_near(got.dgains, {-1.328127577f, 0.8128138095f, 0.366379877f, -0.5597369355f}, 1e-6, "dgains");
  expect_near(got.dbiases, {0, 0, 0.25f, 2.75f}, 1e-6, "dbiases");
}

/// sum of y * dy in double.
double objective(LayerNormShape shape, const std::vector<double>& x, const std::vector<double>& gains,
                 const std::vector<double>& biases, const std::vector<double>& dy) {
  std::vector<double> y(x.size());
  reference::layer_norm_forward<double>(shape, k_epsilon, x.data(), gains.data(), biases.data(), y.data(), nullptr);
  double sum = 0;
  for (std::size_t i = 0; i < y.size(); ++i) sum += y[i] * dy[i];
  return sum;
}

TEST(LayerNorm, gradient_of_the_reference_equals_central_differences) {
  const LayerNormShape shape{2, 3, 5};
  const Layer layer = make_layer(shape);
  std::vector<double> x(layer.x.begin(), layer.x.end()), gains(layer.gains.begin(), layer.gains.end()),
      biases(layer.biases.begin(), layer.biases.end()), dy(layer.dy.begin(), layer.dy.end());
  std::vector<double> y(x.size()), saved(12), dx(x.size()), dgains(gains.size()), dbiases(gains.size());
  reference::layer_norm_forward(shape, k_epsilon, x.data(), gains.data(), biases.data(), y.data(), saved.data());
  reference::layer_norm_backward<double>(shape, x.data(), gains.data(), saved.data(), dy.data(),
                                         {dx.data(), dgains.data(), dbiases.data()});
  const auto check = [&](std::vector<double>& values, const std::vector<double>& gradient, const char* what) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double step = 1e-5, before = values[i];
      values[i] = before + step;
      const double up = objective(shape, x, gains, biases, dy);
      values[i] = before - step;
      const double down = objective(shape, x, gains, biases, dy);
      values[i] = before;
      const double quotient = (up - down) / (2 * step);
      EXPECT_NEAR(gradient[i], quotient, 1e-6 * std::max(std::fabs(quotient), 0.01)) << what << " " << i;
    }
  };
  check(x, dx, "x");
  check(gains, dgains, "gains");
  check(biases, dbiases, "biases");
}

TEST(LayerNorm, has_the_same_bits_for_any_threads_and_alone_or_in_a_batch) {
  const Layer layer = make_layer({2, 333, 100});
  const Result one = run(Context::cpu(1), layer), two = run(Context::cpu(2), layer);
  EXPECT_EQ(bits(one.y), bits(two.y));
  EXPECT_EQ(bits(one.dx), bits(two.dx));
  EXPECT_EQ(bits(one.dgains), bits(two.dgains));
  EXPECT_EQ(bits(one.dbiases), bits(two.dbiases));
  for (const std::size_t row : {0, 77, 332}) {
    const auto from = [&](const std::vector<float>& all) {
      const auto begin = all.begin() + static_cast<std::ptrdiff_t>(row * 100);
      return std::vector<float>(begin, begin + 100);
    };
    const Result alone = run(Context::cpu(), {{1, 1, 100}, from(layer.x), layer.gains, layer.biases, from(layer.dy)});
    EXPECT_EQ(bits(alone.y), bits(from(one.y)));
    EXPECT_EQ(bits(alone.dx), bits(from(one.dx)));
  }
}

void expect_works_in_place(const Context& context) {
  const Layer layer = make_layer({1, 70, 48});
  const Result apart = run(context, layer);
  const Buffer<float> x(context, layer.x), gains(context, layer.gains), biases(context, layer.biases),
      saved(context, apart.saved);
  Buffer<float> y(context, layer.x), dy(context, layer.dy), dgains(context, 48), dbiases(context, 48);
  layer_norm_forward(context, layer.shape, k_epsilon, y.data(), gains.data(), biases.data(), y.data(), nullptr);
  EXPECT_EQ(bits(y.get()), bits(apart.y));
  layer_norm_backward(context, layer.shape, x.data(), gains.data(), saved.data(), dy.data(),
                      {dy.data(), dgains.data(), dbiases.data()});
  EXPECT_EQ(bits(dy.get()), bits(apart.dx));
  EXPECT_EQ(bits(dgains.get()), bits(apart.dgains));
}

TEST(LayerNorm, works_in_place) { expect_works_in_place(Context::cpu()); }
TEST_F(OnCuda, layer_norm_works_in_place) { expect_works_in_place(Context::cuda()); }

TEST(LayerNorm, lets_nan_through_its_row_alone) {
  Layer layer = make_layer({1, 3, 20});
  layer.x[25] = NAN;
  const Result got = run(Context::cpu(), layer);
  for (std::size_t i = 0; i < 60; ++i) EXPECT_EQ(std::isnan(got.y[i]), i / 20 == 1) << i;
}

}  // namespace
}  // namespace eos::kernels
