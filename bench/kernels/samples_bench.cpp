// Sample movement and the loss: gather from a byte data set, compaction, softmax cross-entropy.
#include "bench_support.hpp"
#include "eos/kernels/gather.hpp"
#include "eos/kernels/softmax_xent.hpp"

namespace eos::bench {

namespace {

using namespace eos::kernels;

/// rows of 784 bytes at random places of 60000 (47 MB, larger than the caches)
void gather(benchmark::State& state) {
  const int rows = static_cast<int>(state.range(0)), columns = 784, samples = 60000;
  const std::vector<std::uint8_t> source(static_cast<std::size_t>(samples) * columns, 7);
  std::vector<std::int32_t> index(static_cast<std::size_t>(rows));
  std::vector<float> out(static_cast<std::size_t>(rows) * columns);
  const Context context = Context::cpu();
  std::uint32_t call = 0;
  measure(state, 0, 5.0 * rows * columns, 1, [&] {
    ++call;
    for (int i = 0; i < rows; ++i) {
      const core::Words words = core::draw(1, {0, call, core::Purpose::test, static_cast<std::uint32_t>(i)});
      index[i] = static_cast<std::int32_t>(core::uniform_int(words.v[0], samples));
    }
    gather_rows(context, source.data(), columns, index.data(), rows, 1 / 255.0f, out.data());
  });
}
BENCHMARK(gather)->ArgName("rows")->Arg(128)->Arg(4096)->UseManualTime();

using Compact = int (*)(const Context&, const std::uint8_t*, int, std::int32_t*);
void compact(benchmark::State& state, Compact function) {
  const int rows = static_cast<int>(state.range(0));
  std::vector<std::uint8_t> keep(static_cast<std::size_t>(rows));
  for (int i = 0; i < rows; ++i)
    keep[i] = core::draw(1, {0, 0, core::Purpose::test, static_cast<std::uint32_t>(i)}).v[0] % 3 == 0;
  std::vector<std::int32_t> index(keep.size());
  const Context context = Context::cpu();
  measure(state, 0, 5.0 * rows, 1, [&] { function(context, keep.data(), rows, index.data()); });
}
void compaction(benchmark::State& state) { compact(state, compact_flags); }
void compaction_thrust(benchmark::State& state) { compact(state, compact_flags_thrust); }
BENCHMARK(compaction)->ArgName("rows")->Arg(128)->Arg(60000)->UseManualTime();
BENCHMARK(compaction_thrust)->ArgName("rows")->Arg(128)->Arg(60000)->UseManualTime();

void softmax(benchmark::State& state) {
  const int rows = static_cast<int>(state.range(0)), classes = static_cast<int>(state.range(1));
  const std::vector<float> logits = normals(static_cast<std::size_t>(rows) * classes, 1);
  std::vector<float> dz(logits.size()), loss(static_cast<std::size_t>(rows)), p(loss.size()), residual(loss.size());
  std::vector<std::int32_t> labels(loss.size(), 1);
  std::vector<std::uint8_t> correct(loss.size());
  const Context context = Context::cpu();
  measure(state, 0, 8.0 * rows * classes, 1, [&] {
    softmax_xent(context, {1, rows, classes}, logits.data(), labels.data(), nullptr, 1.0f / static_cast<float>(rows),
                 {loss.data(), p.data(), residual.data(), correct.data(), dz.data()});
  });
}
BENCHMARK(softmax)->ArgNames({"rows", "classes"})->Args({128, 10})->Args({2048, 256})->UseManualTime();

}  // namespace
}  // namespace eos::bench
