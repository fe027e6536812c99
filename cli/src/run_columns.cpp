#include "run_columns.hpp"

#include <cmath>

namespace eos::cli {

RunColumns::RunColumns(const core::Dataset& sweep)
    : sweep_(sweep), runs_(static_cast<std::size_t>(sweep.dims.at("run"))) {
  if (const auto epoch = sweep.dims.find("epoch"); epoch != sweep.dims.end())
    length_ = static_cast<std::size_t>(epoch->second);
  counts_.assign(runs_, length_);
  if (sweep.has("epoch_count")) {
    const std::vector<double> counts = sweep.numbers("epoch_count");
    for (std::size_t i = 0; i < runs_; ++i) counts_[i] = static_cast<std::size_t>(counts[i]);
  }
}

const std::vector<double>& RunColumns::column(const std::string& name) {
  const auto [entry, added] = cache_.try_emplace(name);
  if (!added) return entry->second;
  const auto provenance = sweep_.groups.find("provenance");
  const bool outside = !sweep_.has(name) && provenance != sweep_.groups.end() && provenance->second.has(name);
  return entry->second = (outside ? provenance->second : sweep_).numbers(name);
}

double RunColumns::at(const std::string& name, std::size_t run, std::size_t row) {
  const std::vector<double>& values = column(name);
  if (values.size() == runs_) return values[run];
  return counts_[run] == 0 ? std::nan("") : values[run * length_ + row];
}

theory::Ledger RunColumns::ledger(std::size_t run, std::size_t row) {
  const auto count = [&](const char* name) {
    const double value = at(name, run, row);
    return std::isnan(value) ? std::int64_t{0} : std::llround(value);
  };
  theory::Ledger l;
  l.samples_offered = count("samples_offered");
  l.samples_seen = count("samples_seen");
  l.samples_backward = count("samples_backward");
  l.steps = count("steps");
  l.forward_macs = count("forward_macs");
  l.scoring_macs = count("scoring_macs");
  l.backward_macs = count("backward_macs");
  l.writes = count("writes");
  l.path_length = at("path_length", run, row);
  l.path_squared = at("path_squared", run, row);
  l.transient_path = at("transient_path", run, row);
  l.accumulator_updates = count("accumulator_updates");
  l.maintenance = at("maintenance", run, row);
  l.weight_reads = count("weight_reads");
  l.input_bytes = count("input_bytes");
  return l;
}

}  // namespace eos::cli
