// What storing the result of one run costs: journal, stacking, chunk file; and how fast chunks are merged.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <filesystem>

#include "eos/io/hdf5.hpp"
#include "eos/io/merge.hpp"
#include "eos/io/run_journal.hpp"
#include "eos/io/run_stack.hpp"

namespace {

namespace fs = std::filesystem;
using eos::core::Dataset;

/// A folder of its own, in memory: the speed of eos, not of a disk.
struct Folder {
  fs::path path = fs::path("/dev/shm") / ("eos-bench-" + std::to_string(::getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
  std::string operator/(const std::string& name) const { return (path / name).string(); }
};

/// Like the result of a small network: 60 variables, of which 40 are curves over the epochs.
Dataset run(std::int64_t index, std::size_t epochs) {
  Dataset d;
  d.attributes = {{"kind", std::string("run")},
                  {"title", std::string("bench")},
                  {"status", std::string("complete")},
                  {"run_coordinates", std::string("run_id seed")}};
  std::vector<double> grid;
  for (std::size_t e = 0; e < epochs; ++e) grid.push_back(static_cast<double>(e));
  d.add_dim("epoch", grid, "1", "stream positions offered per training sample");
  for (int v = 0; v < 40; ++v)
    d.add("curve" + std::to_string(v), {"epoch"}, std::vector<double>(epochs, 0.1 * v + static_cast<double>(index)),
          "J", "a curve along the run with a name of usual length");
  for (int v = 0; v < 14; ++v)
    d.add("scalar" + std::to_string(v), {}, std::vector<double>{1.5 * v}, "1", "a scalar with a name of usual length");
  d.add("run_id", {}, std::vector<std::string>{"0123456789abcdef"}, "1", "hash of the run");
  d.add("run_status", {}, std::vector<std::string>{"complete"}, "1", "how it ended");
  d.add("overrides", {}, std::vector<std::string>{"optimiser.learning_rate=0.1\nselection.tau=0.5\n"}, "1",
        "overrides");
  d.add("seed", {}, std::vector<std::int64_t>{index % 5}, "1", "seed");
  d.add("design_index", {}, std::vector<std::int64_t>{index / 5}, "1", "point");
  d.add("plan_index", {}, std::vector<std::int64_t>{index}, "1", "place in the plan");
  d.groups["provenance"].attributes = {{"device", std::string("cpu")}, {"data_origin", std::string("generated")}};
  return d;
}

std::vector<Dataset> runs(std::int64_t from, std::int64_t count, std::size_t epochs) {
  std::vector<Dataset> all;
  for (std::int64_t i = 0; i < count; ++i) all.push_back(run(from + i, epochs));
  return all;
}

constexpr std::size_t k_small = 25;  ///< epochs: 8 kB of curves

void journal_append(benchmark::State& state) {
  const Folder folder;
  auto journal = eos::io::RunJournal::claim(folder / "journal", "bench");
  const Dataset one = run(0, k_small);
  std::int64_t index = 0;
  for (auto _ : state) journal->append(index++, one);
}
BENCHMARK(journal_append)->Unit(benchmark::kMicrosecond)->Iterations(2000)->Repetitions(5);

void journal_read(benchmark::State& state) {
  const Folder folder;
  auto journal = eos::io::RunJournal::claim(folder / "journal", "bench");
  for (int i = 0; i < 500; ++i) journal->append(i, run(i, k_small));
  for (auto _ : state) benchmark::DoNotOptimize(journal->read());
  state.counters["us_per_run"] =
      benchmark::Counter(500e-6, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(journal_read)->Unit(benchmark::kMillisecond);

void stack(benchmark::State& state) {
  const auto count = state.range(0);
  const std::vector<Dataset> all = runs(0, count, k_small);
  for (auto _ : state) benchmark::DoNotOptimize(eos::io::stack_runs(all));
  state.counters["us_per_run"] = benchmark::Counter(
      1e-6 * static_cast<double>(count), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(stack)->Arg(50)->Arg(500)->Unit(benchmark::kMillisecond);

void chunk_file(benchmark::State& state) {
  const Folder folder;
  const auto count = state.range(0);
  const Dataset table = eos::io::stack_runs(runs(0, count, k_small));
  for (auto _ : state) eos::io::write_hdf5(folder / "chunk.h5", table, eos::io::Storage::contiguous);
  state.counters["us_per_run"] = benchmark::Counter(
      1e-6 * static_cast<double>(count), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(chunk_file)->Arg(50)->Arg(500)->Unit(benchmark::kMillisecond);

/// 10 000 runs of range(0) epochs in chunks of range(1) runs.
void merge(benchmark::State& state) {
  const Folder folder;
  std::vector<std::string> chunks;
  double bytes = 0;
  for (std::int64_t from = 0; from < 10000; from += state.range(1)) {
    chunks.push_back(folder / ("chunk-" + std::to_string(from) + ".h5"));
    eos::io::write_hdf5(chunks.back(),
                        eos::io::stack_runs(runs(from, state.range(1), static_cast<std::size_t>(state.range(0)))),
                        eos::io::Storage::contiguous);
    bytes += static_cast<double>(fs::file_size(chunks.back()));
  }
  eos::core::Progress silent;
  for (auto _ : state) eos::io::merge_sweeps(chunks, folder / "sweep.h5", {}, silent);
  state.counters["MB_per_s"] = benchmark::Counter(bytes / 1e6, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["MB"] = bytes / 1e6;
}
BENCHMARK(merge)->Args({25, 100})->Args({25, 1000})->Args({250, 100})->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
