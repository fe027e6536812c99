// Weight updates: bytes per second of each variant. The bytes are those that must move when nothing is skipped.
#include "bench_support.hpp"
#include "eos/kernels/update.hpp"

namespace eos::bench {

namespace {

using namespace eos::kernels;

struct Problem {
  std::int64_t offsets[2];
  std::vector<float> g, w, v, m, delta, acc;
  UpdateCounts counts;
  Context context = Context::cpu();
  explicit Problem(const benchmark::State& state) : offsets{0, state.range(0)} {
    const auto n = static_cast<std::size_t>(state.range(0));
    g = normals(n, 1), w = normals(n, 2), v = normals(n, 3), m = normals(n, 4), delta = normals(n, 5);
    for (float& value : v) value *= value;
    acc.resize(n);
  }
  Segments segments() const { return {1, offsets}; }
  double bytes(double per_parameter) const { return per_parameter * static_cast<double>(w.size()); }
};

void update_sgd(benchmark::State& state) {
  Problem p(state);
  measure(state, 0, p.bytes(12), 1, [&] {
    sgd_update_dense(p.context, p.segments(), {1e-6f, 0, 0}, p.g.data(), p.w.data(), nullptr, &p.counts);
  });
}
void update_momentum(benchmark::State& state) {
  Problem p(state);
  measure(state, 0, p.bytes(20), 1, [&] {
    sgd_update_dense(p.context, p.segments(), {1e-6f, 0.9f, 0}, p.g.data(), p.w.data(), p.m.data(), &p.counts);
  });
}
void delta_momentum(benchmark::State& state) {
  Problem p(state);
  measure(state, 0, p.bytes(20), 1, [&] {
    sgd_delta(p.context, p.offsets[1], {1e-6f, 0.9f, 0}, p.g.data(), p.w.data(), p.m.data(), p.delta.data());
  });
}
void delta_adamw(benchmark::State& state) {
  Problem p(state);
  AdamParameters adam{1e-6f};
  measure(state, 0, p.bytes(28), 1, [&] {
    adamw_delta(p.context, p.offsets[1], adam, p.g.data(), p.w.data(), p.m.data(), p.v.data(), p.delta.data());
  });
}

void masked(benchmark::State& state, MaskedUpdate update, bool accumulate) {
  Problem p(state);
  // Selections are made once: the benchmark is of the update alone. Threshold 2.3263 leaves 2 % of normals.
  std::int64_t k = p.offsets[1] / 50;
  Selection selection;
  select_threshold(p.context, p.delta.data(), p.segments(), &k, &selection);
  update.selection = &selection;
  update.threshold = 2.3263f;
  for (float& d : p.acc) d = 0;
  measure(state, 0, p.bytes(accumulate ? 20 : 12), 1, [&] {
    update.accumulator = accumulate ? p.acc.data() : nullptr;
    masked_update(p.context, p.segments(), p.delta.data(), update, p.w.data(), &p.counts);
  });
}
MaskedUpdate with(Mask mask) {
  MaskedUpdate update;
  update.mask = mask;
  update.probability = 0.02f;
  return update;
}
void masked_all(benchmark::State& state) { masked(state, with(Mask::all), false); }
void masked_threshold(benchmark::State& state) { masked(state, with(Mask::threshold), false); }
void masked_threshold_accumulate(benchmark::State& state) { masked(state, with(Mask::threshold), true); }
void masked_selection(benchmark::State& state) { masked(state, with(Mask::selection), false); }
void masked_random(benchmark::State& state) { masked(state, with(Mask::random), false); }

#define EOS_UPDATE_BENCHMARK(name) BENCHMARK(name)->ArgName("n")->Arg(269322)->Arg(1 << 24)->UseManualTime()
EOS_UPDATE_BENCHMARK(update_sgd);
EOS_UPDATE_BENCHMARK(update_momentum);
EOS_UPDATE_BENCHMARK(delta_momentum);
EOS_UPDATE_BENCHMARK(delta_adamw);
EOS_UPDATE_BENCHMARK(masked_all);
EOS_UPDATE_BENCHMARK(masked_threshold);
EOS_UPDATE_BENCHMARK(masked_threshold_accumulate);
EOS_UPDATE_BENCHMARK(masked_selection);
EOS_UPDATE_BENCHMARK(masked_random);

}  // namespace
}  // namespace eos::bench
