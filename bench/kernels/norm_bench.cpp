// Passes over activations: normalisation, activation functions, dropout and sums, with GB/s beside the copy bandwidth.
#include "bench_support.hpp"
#include "eos/kernels/activation_layer.hpp"
#include "eos/kernels/batch_norm.hpp"
#include "eos/kernels/dropout.hpp"
#include "eos/kernels/elementwise.hpp"
#include "eos/kernels/layer_norm.hpp"

namespace eos::bench {

namespace {

using namespace eos::kernels;

struct Arrays {
  Arrays(std::int64_t rows, int columns)
      : x(normals(static_cast<std::size_t>(rows * columns), 1)),
        dy(normals(x.size(), 2)),
        y(x.size()),
        gains(static_cast<std::size_t>(columns), 1.0f),
        biases(gains.size(), 0.0f),
        dgains(gains.size()),
        dbiases(gains.size()),
        running(2 * gains.size(), 1.0f),
        saved(2 * std::max(gains.size(), static_cast<std::size_t>(rows))) {}
  std::vector<float> x, dy, y, gains, biases, dgains, dbiases, running, saved;
};

void layer_norm(benchmark::State& state) {
  const std::int64_t rows = state.range(0);
  const int width = static_cast<int>(state.range(1));
  const LayerNormShape shape{1, rows, width};
  const Context context = Context::cpu();
  Arrays a(rows, width);
  const bool forward = state.range(2) == 0;
  layer_norm_forward(context, shape, 1e-5f, a.x.data(), a.gains.data(), a.biases.data(), a.y.data(), a.saved.data());
  measure(state, 0, (forward ? 8.0 : 12.0) * static_cast<double>(rows) * width, 1, [&] {
    if (forward) {
      layer_norm_forward(context, shape, 1e-5f, a.x.data(), a.gains.data(), a.biases.data(), a.y.data(),
                         a.saved.data());
    } else {
      layer_norm_backward(context, shape, a.x.data(), a.gains.data(), a.saved.data(), a.dy.data(),
                          {a.y.data(), a.dgains.data(), a.dbiases.data()});
    }
  });
}
BENCHMARK(layer_norm)
    ->ArgNames({"rows", "width", "backward"})
    ->Args({2048, 128, 0})
    ->Args({2048, 128, 1})
    ->UseManualTime();

enum { train, evaluate, backward };

void batch_norm(benchmark::State& state) {
  const std::int64_t rows = state.range(0);
  const int channels = static_cast<int>(state.range(1)), pass = static_cast<int>(state.range(2));
  const BatchNormShape shape{1, rows, channels};
  BatchNormSpec spec;
  spec.activation = Activation::relu;
  const Context context = Context::cpu();
  Arrays a(rows, channels);
  const double bytes[] = {12, 8, 20};
  batch_norm_train(context, shape, spec, a.x.data(), a.gains.data(), a.biases.data(), a.y.data(), a.saved.data(),
                   a.running.data());
  measure(state, 0, bytes[pass] * static_cast<double>(rows) * channels, 1, [&] {
    if (pass == train) {
      batch_norm_train(context, shape, spec, a.x.data(), a.gains.data(), a.biases.data(), a.y.data(), a.saved.data(),
                       a.running.data());
    } else if (pass == evaluate) {
      batch_norm_evaluate(context, shape, spec, a.x.data(), a.gains.data(), a.biases.data(), a.running.data(),
                          a.y.data(), nullptr);
    } else {
      batch_norm_backward(context, shape, spec, StatisticsOf::batch, a.x.data(), a.gains.data(), a.biases.data(),
                          a.saved.data(), a.dy.data(), {a.y.data(), a.dgains.data(), a.dbiases.data()});
    }
  });
}
BENCHMARK(batch_norm)
    ->ArgNames({"rows", "channels", "pass"})
    ->ArgsProduct({{4096, 131072}, {32}, {train, evaluate, backward}})
    ->UseManualTime();

void activation(benchmark::State& state) {
  const std::int64_t size = 1 << 17;
  const auto kind = static_cast<Activation>(state.range(0));
  const Context context = Context::cpu();
  Arrays a(size, 1);
  const bool forward = state.range(1) == 0;
  measure(state, 0, (forward ? 8.0 : 12.0) * static_cast<double>(size), 1, [&] {
    if (forward) {
      activation_forward(context, size, kind, a.x.data(), a.y.data());
    } else {
      activation_backward(context, size, kind, a.x.data(), a.dy.data(), a.y.data());
    }
  });
}
BENCHMARK(activation)
    ->ArgNames({"kind", "backward"})
    ->ArgsProduct({{static_cast<int>(Activation::relu), static_cast<int>(Activation::logistic),
                    static_cast<int>(Activation::gelu)},
                   {0, 1}})
    ->UseManualTime();

void sum(benchmark::State& state) {
  const std::int64_t size = 1 << 17;
  const Context context = Context::cpu();
  Arrays a(size, 1);
  measure(state, 0, 12.0 * static_cast<double>(size), 1,
          [&] { add(context, size, a.x.data(), a.dy.data(), a.y.data()); });
}
BENCHMARK(sum)->UseManualTime();

void dropout_pass(benchmark::State& state) {
  const int rows = 16, width = 128 * 128;
  const Context context = Context::cpu();
  Arrays a(rows, width);
  const std::vector<std::int32_t> samples(rows, 5);
  const DropoutDraw draw{1, 2, 3};
  measure(state, 0, 8.0 * rows * width, 1, [&] {
    dropout(context, {1, rows, width}, {0.1f, 0}, &draw, samples.data(), a.x.data(), a.y.data());
  });
}
BENCHMARK(dropout_pass)->UseManualTime();

}  // namespace
}  // namespace eos::bench
