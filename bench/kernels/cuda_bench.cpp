// The kernels on a CUDA device, at the sizes of a sweep: 64 replicas of a million parameters. Registered only where
// there is a device; times are of the host, from the first launch to the end of the last kernel.

#include "bench_support.hpp"
#include "eos/kernels/dense.hpp"
#include "eos/kernels/select.hpp"
#include "eos/kernels/update.hpp"

namespace eos::bench {

namespace {

using namespace eos::kernels;

constexpr std::int64_t k_parameters = 1 << 20;

struct Sweep {
  Context context = Context::cuda();
  int replicas;
  std::vector<std::int64_t> offsets{0}, k;
  Buffer<float> values, weights;
  Buffer<Selection> selection;
  Buffer<UpdateCounts> counts;

  explicit Sweep(int r)
      : replicas(r),
        values(context, normals(static_cast<std::size_t>(r * k_parameters), 1)),
        weights(context, static_cast<std::size_t>(r * k_parameters)),
        selection(context, static_cast<std::size_t>(r)),
        counts(context, static_cast<std::size_t>(r)) {
    for (int i = 0; i < r; ++i) {
      offsets.push_back(offsets.back() + k_parameters);
      k.push_back(k_parameters / 100);
    }
  }
  Segments segments() const { return {replicas, offsets.data()}; }
  double bytes(double per_parameter) const { return per_parameter * static_cast<double>(offsets.back()); }
  void select() { select_threshold(context, values.data(), segments(), k.data(), selection.data()); }
};

void report_bandwidth(benchmark::State& state, double bytes) {
  state.counters["GB/s"] = bytes / (state.counters["min_us"] * 1e-6) * 1e-9;
}

void cuda_select(benchmark::State& state) {
  Sweep sweep(static_cast<int>(state.range(0)));
  measure(state, 0, 0, 1, [&] {
    sweep.select();
    sweep.context.synchronise();
  });
  report_bandwidth(state, sweep.bytes(8));
}

void cuda_select_and_update(benchmark::State& state) {
  Sweep sweep(static_cast<int>(state.range(0)));
  MaskedUpdate update;
  update.mask = Mask::selection;
  update.selection = sweep.selection.data();
  measure(state, 0, 0, 1, [&] {
    sweep.select();
    masked_update(sweep.context, sweep.segments(), sweep.values.data(), update, sweep.weights.data(),
                  sweep.counts.data());
    sweep.context.synchronise();
  });
  report_bandwidth(state, sweep.bytes(20));
}

void cuda_sgd_update(benchmark::State& state) {
  Sweep sweep(static_cast<int>(state.range(0)));
  measure(state, 0, 0, 1, [&] {
    sgd_update_dense(sweep.context, sweep.segments(), {1e-6f, 0, 0}, sweep.values.data(), sweep.weights.data(), nullptr,
                     sweep.counts.data());
    sweep.context.synchronise();
  });
  report_bandwidth(state, sweep.bytes(12));
}

/// The first layer of the MLP, 128 samples a replica.
void cuda_forward(benchmark::State& state) {
  const Context context = Context::cuda();
  const DenseShape shape{static_cast<int>(state.range(0)), 128, 784, 256};
  const std::size_t r = static_cast<std::size_t>(shape.replicas);
  const Buffer<float> x(context, r * 128 * 784), w(context, r * 784 * 256), b(context, r * 256);
  Buffer<float> y(context, r * 128 * 256);
  measure(state, 0, 0, 1, [&] {
    dense_forward(context, shape, x.data(), w.data(), b.data(), Activation::relu, y.data());
    context.synchronise();
  });
  const double flops = 2.0 * static_cast<double>(r) * 128 * 784 * 256;
  state.counters["GFLOP/s"] = flops / (state.counters["min_us"] * 1e-6) * 1e-9;
}

const bool k_registered = [] {
  if (!cuda_available()) return false;
  const std::pair<const char*, void (*)(benchmark::State&)> all[] = {{"cuda_select", cuda_select},
                                                                     {"cuda_select_and_update", cuda_select_and_update},
                                                                     {"cuda_sgd_update", cuda_sgd_update},
                                                                     {"cuda_forward", cuda_forward}};
  for (const auto& [name, function] : all) {
    benchmark::RegisterBenchmark(name, function)->ArgName("replicas")->Arg(1)->Arg(64)->UseManualTime();
  }
  return true;
}();

}  // namespace
}  // namespace eos::bench
