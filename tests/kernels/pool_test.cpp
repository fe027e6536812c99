#include "eos/kernels/pool.hpp"

#include <cmath>
#include <functional>

#include "eos/core/error.hpp"
#include "kernel_test.hpp"

namespace eos::kernels {
namespace {

using test::bits;
using test::normals;
using test::OnCuda;

std::size_t inputs(const PoolShape& s) { return static_cast<std::size_t>(s.images * s.height * s.width * s.channels); }
std::size_t outputs(const PoolShape& s) {
  return static_cast<std::size_t>(s.images * s.out_height() * s.out_width() * s.channels);
}

struct Result {
  std::vector<float> largest, mean, of_largest, of_mean;
  std::vector<std::int32_t> winners;
};

struct Values {
  std::vector<float> x, dy;
  explicit Values(const PoolShape& s) : x(normals(inputs(s), 1)), dy(normals(outputs(s), 2)) {
    for (float& value : x) value = std::round(2 * value) / 2;  // with ties
  }
};

Result run(const Context& context, const PoolShape& s, const Values& v, ActivationSpec activation) {
  const Buffer<float> x(context, v.x), dy(context, v.dy);
  Buffer<float> largest(context, outputs(s)), mean(context, outputs(s)), of_largest(context, inputs(s)),
      of_mean(context, inputs(s));
  Buffer<std::int32_t> winners(context, outputs(s));
  max_pool_forward(context, s, x.data(), largest.data(), winners.data());
  max_pool_backward(context, s, dy.data(), winners.data(), x.data(), activation, of_largest.data());
  average_pool_forward(context, s, x.data(), mean.data());
  average_pool_backward(context, s, dy.data(), x.data(), activation, of_mean.data());
  return {largest.get(), mean.get(), of_largest.get(), of_mean.get(), winners.get()};
}

Result run_reference(const PoolShape& s, const Values& v, ActivationSpec activation) {
  Result r{std::vector<float>(outputs(s)), std::vector<float>(outputs(s)), std::vector<float>(inputs(s)),
           std::vector<float>(inputs(s)), std::vector<std::int32_t>(outputs(s))};
  reference::max_pool_forward(s, v.x.data(), r.largest.data(), r.winners.data());
  reference::max_pool_backward(s, v.dy.data(), r.winners.data(), v.x.data(), activation, r.of_largest.data());
  reference::average_pool_forward(s, v.x.data(), r.mean.data());
  reference::average_pool_backward(s, v.dy.data(), v.x.data(), activation, r.of_mean.data());
  return r;
}

const std::vector<PoolShape>& shapes() {
  static const std::vector<PoolShape> all = {
      {3, 8, 8, 16, 2, 2, 2, 0},     {2, 7, 7, 5, 2, 2, 2, 0}, {2, 9, 6, 12, 3, 3, 2, 1},
      {2, 9, 6, 3, 3, 3, 1, 2},      {1, 5, 5, 1, 5, 5, 1, 0}, {0, 4, 4, 2, 2, 2, 2, 0},
      {2, 10, 11, 7, 4, 2, 3, 1},    {2, 3, 3, 8, 1, 1, 2, 0}, PoolShape::global(3, 6, 5, 20),
      PoolShape::global(1, 1, 1, 4),
  };
  return all;
}

void expect_matches_reference(const Context& context) {
  for (const PoolShape& s : shapes()) {
    for (const ActivationSpec activation : {ActivationSpec(Activation::identity), ActivationSpec(Activation::relu),
                                            ActivationSpec(Activation::leaky_relu, 0.25f)}) {
      SCOPED_TRACE(::testing::Message() << s.images << " images of " << s.height << " x " << s.width << " x "
                                        << s.channels << " kernel " << s.kernel_h << " x " << s.kernel_w << " stride "
                                        << s.stride << " padding " << s.padding);
      const Values values(s);
      const Result got = run(context, s, values, activation), exact = run_reference(s, values, activation);
      EXPECT_EQ(got.largest, exact.largest);
      EXPECT_EQ(got.winners, exact.winners);
      // Sums of at most 30 terms below 5.
      for (std::size_t i = 0; i < got.mean.size(); ++i) ASSERT_NEAR(got.mean[i], exact.mean[i], 1e-5);
      for (std::size_t i = 0; i < got.of_mean.size(); ++i) ASSERT_NEAR(got.of_mean[i], exact.of_mean[i], 1e-5);
      for (std::size_t i = 0; i < got.of_largest.size(); ++i) ASSERT_NEAR(got.of_largest[i], exact.of_largest[i], 1e-5);
    }
  }
}

TEST(Pool, matches_the_plain_reference) { expect_matches_reference(Context::cpu()); }

// PyTorch 2.15 in double: max_pool2d(3, 2, 1), avg_pool2d(3, 2, 1) and adaptive_avg_pool2d(1) of a 5 x 5 image
// (11 i + 4) mod 19 / 19 - 1/2, loss = sum of (3 i + 2) mod 17 / 17 - 1/2 times y.
TEST(Pool, values_and_gradients_are_those_of_pytorch) {
  const std::vector<double> max_y = {0.2894736842, 0.4473684211, 0.4473684211, 0.3947368421, 0.3421052632,
                                     0.3421052632, 0.3947368421, 0.4473684211, 0.1315789474};
  const std::vector<double> max_dx = {0,
                                      -0.3823529412,
                                      0,
                                      -0.2352941176,
                                      0,
                                      0,
                                      0,
                                      0,
                                      -0.1764705882,
                                      0,
                                      0,
                                      0,
                                      0,
                                      0,
                                      0,
                                      -0.1764705882,
                                      0,
                                      0,
                                      0.02941176471,
                                      0,
                                      0,
                                      0,
                                      -0.1470588235,
                                      0,
                                      0};
  const std::vector<double> mean_y = {-0.02339181287,  0.09941520468, 0.08187134503, -0.02923976608,
                                      -0.008771929825, 0.01754385965, 0.05847953216, 0,
                                      -0.05847953216};
  const std::vector<double> mean_dx = {-0.04248366013,
                                       -0.06535947712,
                                       -0.02287581699,
                                       -0.02614379085,
                                       -0.003267973856,
                                       -0.02614379085,
                                       -0.01307189542,
                                       0.01307189542,
                                       -0.04575163399,
                                       -0.05882352941,
                                       0.01633986928,
                                       0.0522875817,
                                       0.03594771242,
                                       -0.01960784314,
                                       -0.05555555556,
                                       -0.01960784314,
                                       0,
                                       0.01960784314,
                                       -0.03267973856,
                                       -0.0522875817,
                                       -0.03594771242,
                                       -0.0522875817,
                                       -0.01633986928,
                                       -0.01307189542,
                                       0.003267973856};
  const std::vector<double> whole_y = {-0.02210526316};
  const std::vector<double> whole_dx = {-0.01529411765, -0.01529411765, -0.01529411765, -0.01529411765, -0.01529411765,
                                        -0.01529411765, -0.01529411765, -0.01529411765, -0.01529411765, -0.01529411765,
                                        -0.01529411765, -0.01529411765, -0.01529411765, -0.01529411765, -0.01529411765,
                                        -0.01529411765, -0.01529411765, -0.01529411765, -0.01529411765, -0.01529411765,
                                        -0.01529411765, -0.01529411765, -0.01529411765, -0.01529411765, -0.01529411765};
  std::vector<double> x, dy;
  for (int i = 0; i < 25; ++i) x.push_back((11 * i + 4) % 19 / 19.0 - 0.5);
  for (int i = 0; i < 9; ++i) dy.push_back((3 * i + 2) % 17 / 17.0 - 0.5);
  const auto expect_all = [](const std::vector<double>& got, const std::vector<double>& expected) {
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-9);  // ten digits were printed
  };
  const PoolShape windows{1, 5, 5, 1, 3, 3, 2, 1}, whole = PoolShape::global(1, 5, 5, 1);
  std::vector<double> y(9), dx(25), one(1);
  std::vector<std::int32_t> winners(9);
  reference::max_pool_forward(windows, x.data(), y.data(), winners.data());
  reference::max_pool_backward(windows, dy.data(), winners.data(), x.data(), Activation::identity, dx.data());
  expect_all(y, max_y);
  expect_all(dx, max_dx);
  reference::average_pool_forward(windows, x.data(), y.data());
  reference::average_pool_backward(windows, dy.data(), x.data(), Activation::identity, dx.data());
  expect_all(y, mean_y);
  expect_all(dx, mean_dx);
  reference::average_pool_forward(whole, x.data(), one.data());
  reference::average_pool_backward(whole, dy.data(), x.data(), Activation::identity, dx.data());
  expect_all(one, whole_y);
  expect_all(dx, whole_dx);
}

TEST(Pool, gradients_of_the_reference_are_central_differences) {
  const PoolShape s{2, 5, 6, 3, 3, 2, 2, 1};
  const std::vector<float> x_single = normals(inputs(s), 3), c_single = normals(outputs(s), 4);
  std::vector<double> x(x_single.begin(), x_single.end()), c(c_single.begin(), c_single.end()), dx(x.size());
  std::vector<double> y(c.size());
  std::vector<std::int32_t> winners(c.size());
  const auto expect_slopes = [&](const std::function<void()>& forward) {
    const auto loss = [&] {
      forward();
      double sum = 0;
      for (std::size_t i = 0; i < y.size(); ++i) sum += c[i] * y[i];
      return sum;
    };
    constexpr double k_step = 1e-6;  // both are linear between ties
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double kept = x[i];
      x[i] = kept + k_step;
      const double above = loss();
      x[i] = kept - k_step;
      const double below = loss();
      x[i] = kept;
      ASSERT_NEAR((above - below) / (2 * k_step), dx[i], 1e-6);
    }
  };
  const auto largest = [&] { reference::max_pool_forward(s, x.data(), y.data(), winners.data()); };
  largest();
  reference::max_pool_backward(s, c.data(), winners.data(), x.data(), Activation::identity, dx.data());
  expect_slopes(largest);
  reference::average_pool_backward(s, c.data(), x.data(), Activation::identity, dx.data());
  expect_slopes([&] { reference::average_pool_forward(s, x.data(), y.data()); });
}

TEST(Pool, results_do_not_depend_on_threads) {
  const PoolShape s{64, 16, 16, 32, 3, 3, 2, 1};
  const Values values(s);
  const Result one = run(Context::cpu(1), s, values, Activation::relu);
  const Result two = run(Context::cpu(2), s, values, Activation::relu);
  EXPECT_EQ(bits(one.largest), bits(two.largest));
  EXPECT_EQ(one.winners, two.winners);
  EXPECT_EQ(bits(one.mean), bits(two.mean));
  EXPECT_EQ(bits(one.of_largest), bits(two.of_largest));
  EXPECT_EQ(bits(one.of_mean), bits(two.of_mean));
}

TEST(Pool, nan_is_the_largest_value) {
  const PoolShape s{1, 2, 2, 1, 2, 2, 2, 0};
  const std::vector<float> x = {1, std::nanf(""), 3, 2};
  float y = 0;
  std::int32_t winner = 0;
  max_pool_forward(Context::cpu(), s, x.data(), &y, &winner);
  EXPECT_TRUE(std::isnan(y));
  EXPECT_EQ(winner, 1);
}

TEST(Pool, says_which_shape_is_impossible) {
  for (const PoolShape& s :
       {PoolShape{1, 2, 2, 1, 3, 3, 1, 0}, PoolShape{1, 4, 4, 1, 2, 2, 0, 0}, PoolShape{1, 4, 4, 1, 2, 2, 2, 2}}) {
    EXPECT_THROW(average_pool_forward(Context::cpu(), s, nullptr, nullptr), core::Error);
  }
}

class PoolOnCuda : public OnCuda {};

TEST_F(PoolOnCuda, matches_the_plain_reference) { expect_matches_reference(Context::cuda()); }

}  // namespace
}  // namespace eos::kernels
