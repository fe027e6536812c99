// Optimisers, clipping and augmented gathers: bytes per second against a copy of as many, Muon against the product.
#include <cstring>

#include "bench_support.hpp"
#include "eos/kernels/augment.hpp"
#include "eos/kernels/clip.hpp"
#include "eos/kernels/muon.hpp"
#include "eos/kernels/update.hpp"

namespace eos::bench {

namespace {

using namespace eos::kernels;

struct Problem {
  std::int64_t offsets[2];
  std::vector<float> g, w, v, m, delta;
  UpdateCounts counts;
  Context context = Context::cpu();
  explicit Problem(std::int64_t size) : offsets{0, size} {
    const auto n = static_cast<std::size_t>(size);
    g = normals(n, 1), w = normals(n, 2), v = normals(n, 3), m = normals(n, 4), delta = normals(n, 5);
    for (float& value : v) value *= value;
  }
  Segments segments() const { return {1, offsets}; }
  double bytes(double per_parameter) const { return per_parameter * static_cast<double>(w.size()); }
};

/// The roof of everything here: 4 bytes read and 4 written a parameter.
void copy(benchmark::State& state) {
  Problem p(state.range(0));
  measure(state, 0, p.bytes(8), 1, [&] {
    std::memcpy(p.delta.data(), p.g.data(), p.g.size() * sizeof(float));
    benchmark::DoNotOptimize(p.delta.data());
  });
}
void nesterov(benchmark::State& state) {
  Problem p(state.range(0));
  measure(state, 0, p.bytes(20), 1, [&] {
    sgd_update_dense(p.context, p.segments(), {1e-6f, 0.9f, 0, true}, p.g.data(), p.w.data(), p.m.data(), &p.counts);
  });
}
void adamw(benchmark::State& state) {
  Problem p(state.range(0));
  measure(state, 0, p.bytes(28), 1, [&] {
    adamw_delta(p.context, p.offsets[1], {1e-6f}, p.g.data(), p.w.data(), p.m.data(), p.v.data(), p.delta.data());
  });
}
/// Gradients within the limit are only read; longer ones are read twice and written.
void clip_within(benchmark::State& state) {
  Problem p(state.range(0));
  ClipResult result;
  measure(state, 0, p.bytes(4), 1, [&] { clip_gradient(p.context, {1, p.offsets[1], 0}, 1e9, p.g.data(), &result); });
}
void clip_beyond(benchmark::State& state) {
  Problem p(state.range(0));
  ClipResult result;
  double limit = 100;
  measure(state, 0, p.bytes(12), 1, [&] {
    limit *= 1 - 1e-6;  // below the length that the last call left
    clip_gradient(p.context, {1, p.offsets[1], 0}, limit, p.g.data(), &result);
  });
}
void muon(benchmark::State& state) {
  const MuonShape shape{1, static_cast<int>(state.range(0)), static_cast<int>(state.range(1)), 0};
  Problem p(shape.size());
  std::vector<float> workspace(static_cast<std::size_t>(muon_workspace(shape)));
  measure(state, 2.0 * static_cast<double>(muon_macs(shape, 5)), 0, 1, [&] {
    muon_delta(p.context, shape, {1e-6f, 0.95f, 0, true, 5}, p.g.data(), p.w.data(), p.m.data(), p.delta.data(),
               workspace.data());
  });
}

void gather(benchmark::State& state, Augmentation augmentation) {
  const ImageShape shape{static_cast<int>(state.range(0)), static_cast<int>(state.range(0)),
                         static_cast<int>(state.range(1))};
  constexpr int k_samples = 20000, k_rows = 256;
  std::vector<std::uint8_t> source(static_cast<std::size_t>(k_samples * shape.size()), 77);
  std::vector<std::int32_t> index;
  std::vector<std::uint32_t> view;
  for (int i = 0; i < k_rows; ++i) index.push_back(i * 7919 % k_samples), view.push_back(static_cast<std::uint32_t>(i));
  std::vector<float> scale(3, 0.01f), shift(3, 0.5f), out(static_cast<std::size_t>(k_rows * shape.size()));
  augmentation.view = view.data();
  const double bytes = 5.0 * static_cast<double>(out.size());
  measure(state, 0, bytes, 1, [&] {
    gather_images(Context::cpu(), source.data(), shape, index.data(), k_rows, {scale.data(), shift.data(), {}},
                  augmentation, out.data());
  });
}
void gather_plain(benchmark::State& state) { gather(state, {}); }
void gather_augmented(benchmark::State& state) {
  Augmentation a;
  a.flip = 0.5f, a.translate = 4, a.cutout = 8;
  gather(state, a);
}

#define EOS_SIZES(name) BENCHMARK(name)->ArgName("n")->Arg(269322)->Arg(1 << 24)->UseManualTime()
EOS_SIZES(copy);
EOS_SIZES(nesterov);
EOS_SIZES(adamw);
EOS_SIZES(clip_within);
EOS_SIZES(clip_beyond);
BENCHMARK(muon)->ArgNames({"rows", "columns"})->Args({256, 256})->Args({128, 512})->Args({512, 128})->UseManualTime();
BENCHMARK(gather_plain)->ArgNames({"side", "channels"})->Args({28, 1})->Args({32, 3})->UseManualTime();
BENCHMARK(gather_augmented)->ArgNames({"side", "channels"})->Args({28, 1})->Args({32, 3})->UseManualTime();

}  // namespace
}  // namespace eos::bench
