#include "eos/kernels/batch_norm.hpp"

#include <cmath>

#include "eos/core/error.hpp"
#include "kernel_test.hpp"

namespace eos::kernels {
namespace {

using test::bits;
using test::normals;
using test::OnCuda;

struct Layer {
  BatchNormShape shape;
  std::vector<float> x, gains, biases, running, dy;
};

Layer make_layer(BatchNormShape shape) {
  const auto size = static_cast<std::size_t>(shape.replicas * shape.rows * shape.channels);
  const auto parameters = static_cast<std::size_t>(shape.replicas * shape.parameter_stride());
  Layer layer{shape,
              normals(size, 1),
              normals(parameters, 2),
              normals(parameters, 3),
              normals(static_cast<std::size_t>(shape.replicas * shape.running_stride()), 4),
              normals(size, 5)};
  for (float& value : layer.x) value = 3 + 2 * value;
  for (float& value : layer.running) value = 0.5f + std::fabs(value);
  return layer;
}

BatchNormSpec spec_of(Activation activation) {
  BatchNormSpec spec;
  spec.activation = activation;
  return spec;
}

struct Result {
  std::vector<float> y, saved, running, dx, dgains, dbiases;
};

enum class Pass { train, evaluate };

Result run(const Context& context, const Layer& layer, const BatchNormSpec& spec, Pass pass) {
  const Buffer<float> x(context, layer.x), gains(context, layer.gains), biases(context, layer.biases),
      dy(context, layer.dy);
  Buffer<float> running(context, layer.running), y(context, layer.x.size()), dx(context, layer.x.size());
  Buffer<float> saved(context, static_cast<std::size_t>(2 * layer.shape.replicas * layer.shape.channels));
  Buffer<float> dgains(context, layer.gains.size()), dbiases(context, layer.gains.size());
  if (pass == Pass::train) {
    batch_norm_train(context, layer.shape, spec, x.data(), gains.data(), biases.data(), y.data(), saved.data(),
                     running.data());
  } else {
    batch_norm_evaluate(context, layer.shape, spec, x.data(), gains.data(), biases.data(), running.data(), y.data(),
                        saved.data());
  }
  batch_norm_backward(context, layer.shape, spec, pass == Pass::train ? StatisticsOf::batch : StatisticsOf::fixed,
                      x.data(), gains.data(), biases.data(), saved.data(), dy.data(),
                      {dx.data(), dgains.data(), dbiases.data()});
  return {y.get(), saved.get(), running.get(), dx.get(), dgains.get(), dbiases.get()};
}

template <class Real>
struct Arrays {
  std::vector<Real> x, gains, biases, running, dy;
  explicit Arrays(const Layer& l)
      : x(l.x.begin(), l.x.end()),
        gains(l.gains.begin(), l.gains.end()),
        biases(l.biases.begin(), l.biases.end()),
        running(l.running.begin(), l.running.end()),
        dy(l.dy.begin(), l.dy.end()) {}
};

/// Forward and backward of the reference in double.
struct Exact {
  std::vector<double> y, saved, running, dx, dgains, dbiases;
  Exact(BatchNormShape shape, const Arrays<double>& in, const BatchNormSpec& spec, Pass pass)
      : y(in.x.size()),
        saved(static_cast<std::size_t>(2 * shape.replicas * shape.channels)),
        running(in.running),
        dx(in.x.size()),
        dgains(in.gains.size()),
        dbiases(in.gains.size()) {
    if (pass == Pass::train) {
      reference::batch_norm_train(shape, spec, in.x.data(), in.gains.data(), in.biases.data(), y.data(), saved.data(),
                                  running.data());
    } else {
      reference::batch_norm_evaluate(shape, spec, in.x.data(), in.gains.data(), in.biases.data(), running.data(),
                                     y.data(), saved.data());
    }
    reference::batch_norm_backward<double>(shape, spec, pass == Pass::train ? StatisticsOf::batch : StatisticsOf::fixed,
                                           in.x.data(), in.gains.data(), in.biases.data(), saved.data(), in.dy.data(),
                                           {dx.data(), dgains.data(), dbiases.data()});
  }
};

template <class Numbers>
void expect_near(const std::vector<float>& got, const Numbers& exact, double tolerance, const char* what) {
  ASSERT_EQ(got.size(), exact.size());
  for (std::size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], exact[i], tolerance) << what << " " << i;
}

const std::vector<BatchNormShape> k_shapes{{1, 2, 1},   {1, 5, 3}, {2, 700, 8}, {1, 3000, 20}, {3, 90, 33, 100, 200},
                                           {1, 40, 256}};

/// Values are of order 1 and rounded once or twice; gradients of parameters are sums of up to 3000 of them, each
/// rounded to 2^-24.
void expect_matches_reference(const Context& context) {
  for (const BatchNormShape& shape : k_shapes) {
    for (const Activation activation : {Activation::identity, Activation::relu}) {
      for (const Pass pass : {Pass::train, Pass::evaluate}) {
        SCOPED_TRACE(::testing::Message() << shape.replicas << " x " << shape.rows << " x " << shape.channels);
        const Layer layer = make_layer(shape);
        const BatchNormSpec spec = spec_of(activation);
        const Result got = run(context, layer, spec, pass);
        const Exact exact(shape, Arrays<double>(layer), spec, pass);
        expect_near(got.y, exact.y, 1e-5, "y");
        expect_near(got.saved, exact.saved, 1e-5, "saved");
        expect_near(got.running, exact.running, 1e-5, "running");
        expect_near(got.dx, exact.dx, 2e-5, "dx");
        expect_near(got.dgains, exact.dgains, 5e-4, "dgains");
        expect_near(got.dbiases, exact.dbiases, 1e-4, "dbiases");
      }
    }
  }
}

TEST(BatchNorm, matches_the_reference) { expect_matches_reference(Context::cpu()); }
TEST_F(OnCuda, batch_norm_matches_the_reference) { expect_matches_reference(Context::cuda()); }

/// torch 2.15, float64: relu(BatchNorm1d(2)(x)) with these values, momentum 0.1, backward of (y * e).sum()
const Layer& torch_layer() {
  static const Layer k_layer{{1, 4, 2},
                             {0.5f, -1, 2, 0.25f, 3, 1, -2, 0},
                             {1.5f, -0.5f},
                             {0.25f, 0.1f},
                             {0.2f, -0.1f, 2, 0.5f},
                             {1, -0.5f, 0.25f, 2, -1, 0.5f, 3, 0.75f}};
  return k_layer;
}

TEST(BatchNorm, gives_the_numbers_of_pytorch_in_training) {
  const Result got = run(Context::cpu(), torch_layer(), spec_of(Activation::relu), Pass::train);
  expect_near(got.y, std::vector<double>{0, 0.8426411919, 1.146025208, 0, 1.942492059, 0, 0, 0.143684776}, 1e-6, "y");
  expect_near(got.dx,
              std::vector<double>{0.1105230425, 0.2174268995, 0.4648977236, 0.07469702619, -0.4271805282, 0.198746027,
                                  -0.1482402379, -0.4908699526},
              1e-6, "dx");
  expect_near(got.dgains, std::vector<double>{-0.9789905045, 0.6771140279}, 1e-6, "dgains");
  expect_near(got.dbiases, std::vector<double>{-0.75, 0.25}, 1e-6, "dbiases");
  expect_near(got.running, std::vector<double>{0.2675, -0.08375, 2.272916667, 0.5182291667}, 1e-6, "running");
}

TEST(BatchNorm, gives_the_numbers_of_pytorch_in_evaluation_and_leaves_the_statistics) {
  const Result got = run(Context::cpu(), torch_layer(), spec_of(Activation::relu), Pass::evaluate);
  expect_near(got.y, std::vector<double>{0.568197256, 0.7363897392, 2.159183536, 0, 3.219841056, 0, 0, 0.02929002898},
              1e-6, "y");
  EXPECT_EQ(bits(got.running), bits(torch_layer().running));
}

TEST(BatchNorm, without_running_statistics_only_the_output_is_written) {
  const Layer layer = make_layer({1, 50, 7});
  const BatchNormSpec spec;
  const Result with = run(Context::cpu(), layer, spec, Pass::train);
  std::vector<float> y(layer.x.size());
  batch_norm_train(Context::cpu(), layer.shape, spec, layer.x.data(), layer.gains.data(), layer.biases.data(), y.data(),
                   nullptr, nullptr);
  EXPECT_EQ(bits(y), bits(with.y));
}

TEST(BatchNorm, gradient_of_the_reference_equals_central_differences) {
  const BatchNormShape shape{2, 6, 3};
  const Layer layer = make_layer(shape);
  for (const Activation activation : {Activation::identity, Activation::relu}) {
    for (const Pass pass : {Pass::train, Pass::evaluate}) {
      Arrays<double> in(layer);
      const BatchNormSpec spec = spec_of(activation);
      const Exact exact(shape, in, spec, pass);
      const auto objective = [&] {
        const Exact moved(shape, in, spec, pass);
        double sum = 0;
        for (std::size_t i = 0; i < in.dy.size(); ++i) sum += moved.y[i] * in.dy[i];
        return sum;
      };
      const auto check = [&](std::vector<double>& values, const std::vector<double>& gradient, const char* what) {
        for (std::size_t i = 0; i < values.size(); ++i) {
          const double step = 1e-5, before = values[i];
          values[i] = before + step;
          const double up = objective();
          values[i] = before - step;
          const double quotient = (up - objective()) / (2 * step);
          values[i] = before;
          EXPECT_NEAR(gradient[i], quotient, 1e-6 * std::max(std::fabs(quotient), 0.01)) << what << " " << i;
        }
      };
      check(in.x, exact.dx, "x");
      check(in.gains, exact.dgains, "gains");
      check(in.biases, exact.dbiases, "biases");
    }
  }
}

TEST(BatchNorm, has_the_same_bits_for_one_and_two_threads) {
  const Layer layer = make_layer({2, 5000, 24});
  for (const Pass pass : {Pass::train, Pass::evaluate}) {
    const Result one = run(Context::cpu(1), layer, spec_of(Activation::relu), pass),
                 two = run(Context::cpu(2), layer, spec_of(Activation::relu), pass);
    EXPECT_EQ(bits(one.y), bits(two.y));
    EXPECT_EQ(bits(one.dx), bits(two.dx));
    EXPECT_EQ(bits(one.dgains), bits(two.dgains));
    EXPECT_EQ(bits(one.running), bits(two.running));
  }
}

TEST(BatchNorm, evaluation_has_the_same_bits_alone_and_in_a_batch) {
  const Layer layer = make_layer({1, 900, 24});
  const Result all = run(Context::cpu(), layer, spec_of(Activation::relu), Pass::evaluate);
  for (const int row : {0, 500, 899}) {
    Layer alone = layer;
    alone.shape.rows = 1;
    alone.x.assign(layer.x.begin() + row * 24, layer.x.begin() + (row + 1) * 24);
    alone.dy.assign(layer.dy.begin() + row * 24, layer.dy.begin() + (row + 1) * 24);
    const Result got = run(Context::cpu(), alone, spec_of(Activation::relu), Pass::evaluate);
    EXPECT_EQ(bits(got.y), bits(std::vector<float>(all.y.begin() + row * 24, all.y.begin() + (row + 1) * 24)));
    EXPECT_EQ(bits(got.dx), bits(std::vector<float>(all.dx.begin() + row * 24, all.dx.begin() + (row + 1) * 24)));
  }
}

TEST_F(OnCuda, batch_norm_evaluation_has_the_bits_of_the_cpu) {
  const Layer layer = make_layer({2, 900, 24});
  const BatchNormSpec spec = spec_of(Activation::relu);
  const Result here = run(Context::cpu(), layer, spec, Pass::evaluate),
               there = run(Context::cuda(), layer, spec, Pass::evaluate);
  EXPECT_EQ(bits(here.y), bits(there.y));
  EXPECT_EQ(bits(here.dx), bits(there.dx));
}

TEST(BatchNorm, writes_dx_over_dy) {
  const Layer layer = make_layer({1, 800, 11});
  const BatchNormSpec spec = spec_of(Activation::relu);
  const Result apart = run(Context::cpu(), layer, spec, Pass::train);
  std::vector<float> dy = layer.dy;
  batch_norm_backward(Context::cpu(), layer.shape, spec, StatisticsOf::batch, layer.x.data(), layer.gains.data(),
                      layer.biases.data(), apart.saved.data(), dy.data(), {dy.data(), nullptr, nullptr});
  EXPECT_EQ(bits(dy), bits(apart.dx));
}

TEST(BatchNorm, keeps_its_digits_far_from_zero) {
  // Mean 100, deviation 0.1: sums of 2000 squares in double leave at most 2000 * 2^-53 * 1e6 = 2e-7 of the variance.
  Layer layer = make_layer({1, 2000, 2});
  for (float& value : layer.x) value = 100 + 0.1f * (value - 3) / 2;
  const BatchNormSpec spec;
  const Result got = run(Context::cpu(), layer, spec, Pass::train);
  const Exact exact(layer.shape, Arrays<double>(layer), spec, Pass::train);
  // The saved mean is rounded to 4e-6, 4e-5 deviations, and gains are up to 3.
  expect_near(got.y, exact.y, 2e-4, "y");
  for (int c = 2; c < 4; ++c) EXPECT_NEAR(got.saved[c] / exact.saved[c], 1, 1e-6);
}

TEST(BatchNorm, refuses_what_it_cannot_do) {
  const Layer layer = make_layer({1, 1, 2});
  std::vector<float> y(2), saved(4), running(4);
  const auto train = [&](const BatchNormSpec& spec) {
    batch_norm_train(Context::cpu(), layer.shape, spec, layer.x.data(), layer.gains.data(), layer.biases.data(),
                     y.data(), saved.data(), running.data());
  };
  EXPECT_THROW(train({}), core::Error);  // one row has no variance
  EXPECT_THROW(batch_norm_evaluate(Context::cpu(), layer.shape, spec_of(Activation::tanh), layer.x.data(),
                                   layer.gains.data(), layer.biases.data(), running.data(), y.data(), nullptr),
               core::Error);
}

}  // namespace
}  // namespace eos::kernels
