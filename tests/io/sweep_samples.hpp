// Tables like those of training runs, made from a number: with long and short runs, some without a schedule or steps.
#pragma once

#include <fmt/format.h>

#include <cmath>

#include "eos/core/dataset.hpp"

namespace eos::io::testing {

struct SampleSweep {
  bool ragged = true;      ///< runs end at different epochs, some have other coordinates, steps or a schedule
  bool same_grid = false;  ///< coordinates are prefixes of each other
  int epochs = 5;
  int columns = 4;
};

inline core::Dataset sample_run(int index, const SampleSweep& kind = {}) {
  using core::Dataset;
  Dataset run;
  run.attributes = {{"title", std::string("sample")},
                    {"kind", std::string("run")},
                    {"status", std::string("complete")},
                    {"determinism", std::string("R2 schedule-free")},
                    {"data_method", std::string(index % 2 == 0 ? "all" : "random")},
                    {"run_coordinates", std::string("run_id seed design_index rate")}};
  const int epochs = kind.ragged ? 1 + (index * 7) % kind.epochs : kind.epochs;
  std::vector<double> grid;
  for (int e = 0; e < epochs; ++e) grid.push_back(kind.ragged && !kind.same_grid && index % 5 == 4 ? 0.5 * e : e);
  run.add_dim("epoch", grid, "1", "epochs");
  run.add_dim("layer", 2, "layer");
  const auto value = [index](int column, int row) { return std::sin(index + 0.1 * column) / (1 + row); };
  for (int c = 0; c < kind.columns; ++c) {
    std::vector<double> x;
    for (int e = 0; e < epochs; ++e) x.push_back(value(c, e));
    run.add(fmt::format("loss{}", c), {"epoch"}, x, "1", "a loss");
  }
  std::vector<std::int64_t> writes;
  for (int i = 0; i < 2 * epochs; ++i) writes.push_back(100 * index + i);
  run.add("writes", {"epoch", "layer"}, writes, "1", "writes");
  run.groups["schedule"].add("rate", {"epoch"}, std::vector<float>(static_cast<std::size_t>(epochs), 0.25f), "1",
                             "rate");
  if (!kind.ragged || index % 3 == 0) {
    run.add_dim("step", 3, "step");
    run.add("step_loss", {"step"}, std::vector<float>{1.5f, 2.5f, static_cast<float>(index)}, "1", "loss");
    Dataset& schedule = run.groups["schedule"];
    schedule.add_dim("edge", {0.0, 0.5, 1.0}, "1", "edges");
    schedule.add("planned", {"edge"}, std::vector<double>{1, 2, 3.0 * index}, "1", "planned");
  }
  if (kind.ragged && index % 4 == 1) run.add("only_some", {}, std::vector<std::int32_t>{index}, "J", "rare");
  run.add("run_id", {}, std::vector<std::string>{fmt::format("{:016x}", 77 * index)}, "1", "run");
  run.add("seed", {}, std::vector<std::int64_t>{index % 3}, "1", "seed");
  run.add("design_index", {}, std::vector<std::int64_t>{index / 3}, "1", "design point");
  run.add("plan_index", {}, std::vector<std::int64_t>{index}, "1", "position in plan order");
  run.add("rate", {}, std::vector<double>{0.1 * (index / 3)}, "1", "rate");
  run.add("run_status", {}, std::vector<std::string>{index % 6 == 5 ? "diverged" : "complete"}, "1", "end");
  run.groups["provenance"].attributes = {{"effective_toml", fmt::format("seed = {}\n# µ", index)},
                                         {"device", std::string("cpu")},
                                         {"joules", 0.5 * index}};
  return run;
}

inline std::vector<core::Dataset> sample_runs(int from, int to, const SampleSweep& kind = {}) {
  std::vector<core::Dataset> runs;
  for (int i = from; i < to; ++i) runs.push_back(sample_run(i, kind));
  return runs;
}

}  // namespace eos::io::testing
