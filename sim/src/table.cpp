// The EOS-1 table of a run.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>

#include "fields.hpp"

namespace eos::sim {
namespace {

template <class T>
T missing() {
  if constexpr (std::is_floating_point_v<T>)
    return std::numeric_limits<T>::quiet_NaN();
  else
    return T{-1};
}

/// Fills tables whose rows are those of one replica, or of several replicas padded to the longest.
class Grid {
 public:
  Grid(const TrainResult& result, std::string dim, std::size_t rows) : result_(result), rows_(rows) {
    if (result.replicas.size() > 1) dims_.push_back("replica");
    dims_.push_back(std::move(dim));
  }
  /// value(replica, row) for the rows that exist; count(replica) is their number.
  template <class Count, class Value>
  void add(core::Dataset& to, const std::string& name, const std::string& units, const std::string& long_name,
           Count count, Value value) const {
    using T = std::decay_t<decltype(value(result_.replicas[0], std::size_t{0}))>;
    std::vector<T> values;
    for (const ReplicaResult& replica : result_.replicas)
      for (std::size_t i = 0; i < rows_; ++i) values.push_back(i < count(replica) ? value(replica, i) : missing<T>());
    to.add(name, dims_, std::move(values), units, long_name);
  }

 private:
  const TrainResult& result_;
  std::size_t rows_;
  std::vector<std::string> dims_;
};

std::size_t epoch_count(const ReplicaResult& r) { return r.epochs.size(); }
std::size_t step_count(const ReplicaResult& r) { return r.steps.size(); }

template <class Count>
const ReplicaResult& longest(const TrainResult& result, Count count) {
  return *std::max_element(result.replicas.begin(), result.replicas.end(),
                           [&](const ReplicaResult& a, const ReplicaResult& b) { return count(a) < count(b); });
}

void add_epochs(const TrainResult& result, core::Dataset& data) {
  const ReplicaResult& full = longest(result, epoch_count);
  if (full.epochs.empty()) return;
  data.add_dim("epoch", column(full.epochs, &EpochRow::epoch), "1", "stream positions offered per training sample");
  const Grid grid(result, "epoch", full.epochs.size());
  core::Dataset& schedule = data.groups["schedule"];
  visit_epoch_fields([&](const char* name, auto member, const char* units, const char* long_name) {
    const std::string field = name;
    if (field == "epoch" || field == "step") return;  // the coordinate; the ledger's `steps`
    const auto value = [member](const ReplicaResult& r, std::size_t i) { return r.epochs[i].*member; };
    grid.add(data, field, units, long_name, epoch_count, value);
    if (field.ends_with("_fraction") || field == "learning_rate")
      grid.add(schedule, field, units, std::string("realised: ") + long_name, epoch_count, value);
  });
  visit_ledger_fields([&](const char* name, auto member, const char* units, const char* long_name) {
    grid.add(data, name, units, std::string(long_name) + "; cumulative", epoch_count,
             [member](const ReplicaResult& r, std::size_t i) { return r.epochs[i].ledger.*member; });
  });
  const auto priced = [&](const ReplicaResult& r, std::size_t i) {
    return theory::energy(r.epochs[i].ledger, result.spec.prices);
  };
  grid.add(data, "energy", "J", "modelled energy of training, cumulative, prices: " + result.spec.prices.name,
           epoch_count, [&](const ReplicaResult& r, std::size_t i) { return priced(r, i).total(); });
  const auto names = theory::terms(theory::Energy{});
  for (std::size_t k = 0; k < names.size(); ++k)
    grid.add(data, "energy_" + names[k].first, "J", "part of energy: " + names[k].first, epoch_count,
             [&](const ReplicaResult& r, std::size_t i) { return theory::terms(priced(r, i))[k].second; });
  grid.add(data, "inefficiency_writes", "1", "M_0 / direct_0, cumulative", epoch_count,
           [](const ReplicaResult& r, std::size_t i) {
             return static_cast<double>(r.epochs[i].ledger.writes) / r.epochs[i].direct_writes;
           });
  grid.add(
      data, "inefficiency", "1", "M_1 / M_min, cumulative", epoch_count,
      [](const ReplicaResult& r, std::size_t i) { return r.epochs[i].ledger.path_length / r.epochs[i].direct_path; });
  grid.add(data.groups["provenance"], "training_seconds", "s", "wall time of training, without evaluation", epoch_count,
           [](const ReplicaResult& r, std::size_t i) { return r.epochs[i].seconds; });
}

void add_steps(const TrainResult& result, core::Dataset& data) {
  const ReplicaResult& full = longest(result, step_count);
  if (full.steps.empty()) return;
  std::vector<double> steps;
  for (const StepRow& row : full.steps) steps.push_back(static_cast<double>(row.step));
  data.add_dim("step", std::move(steps), "1", "optimiser updates");
  const Grid grid(result, "step", full.steps.size());
  visit_step_fields([&](const char* name, auto member, const char* units, const char* long_name) {
    if (std::string(name) == "step") return;
    grid.add(data, std::string("step_") + name, units, long_name, step_count,
             [member](const ReplicaResult& r, std::size_t i) { return r.steps[i].*member; });
  });
}

void add_layers(const TrainResult& result, core::Dataset& data) {
  const std::size_t layers = result.replicas.front().layers.size();
  data.add_dim("layer", static_cast<std::int64_t>(layers), "layer, from the input");
  const Grid grid(result, "layer", layers);
  const auto count = [](const ReplicaResult& r) { return r.layers.size(); };
  grid.add(data, "layer_writes", "1", "M_0 of each layer over the run", count,
           [](const ReplicaResult& r, std::size_t l) { return r.layers[l].writes; });
  grid.add(data, "layer_path_length", "1", "M_1 of each layer over the run", count,
           [](const ReplicaResult& r, std::size_t l) { return r.layers[l].path_length; });
  grid.add(data, "layer_path_squared", "1", "M_2 of each layer over the run", count,
           [](const ReplicaResult& r, std::size_t l) { return r.layers[l].path_squared; });
  grid.add(data, "layer_direct_writes", "1", "parameters of each layer that differ from their initial value", count,
           [](const ReplicaResult& r, std::size_t l) { return r.direct[l].writes; });
  grid.add(data, "layer_direct_path", "1", "sum of |w - w(0)| of each layer", count,
           [](const ReplicaResult& r, std::size_t l) { return r.direct[l].path; });
}

void add_scalars(const TrainResult& result, core::Dataset& data) {
  const auto scalar = [&](const char* name, std::int64_t value, const char* long_name) {
    data.add(name, {}, std::vector<std::int64_t>{value}, "1", long_name);
  };
  scalar("parameters", result.counts.parameters, "weights and biases");
  scalar("sample_forward_macs", result.counts.forward_macs, "multiply-adds of one sample's forward pass");
  scalar("sample_backward_macs", result.counts.backward_macs, "multiply-adds of one sample's backward pass");
  scalar("train_samples", result.train_samples, "training samples");
  scalar("batch", result.spec.batch, "nominal batch");
  const std::vector<std::string> along =
      result.replicas.size() > 1 ? std::vector<std::string>{"replica"} : std::vector<std::string>{};
  const double samples = result.train_samples;
  const double dense =
      result.spec.epochs * samples * static_cast<double>(result.counts.forward_macs + result.counts.backward_macs);
  std::vector<double> effective, cost;
  std::vector<std::int64_t> seeds;
  std::vector<std::string> status;
  for (const ReplicaResult& replica : result.replicas) {
    const theory::Ledger last = replica.epochs.empty() ? theory::Ledger{} : replica.epochs.back().ledger;
    effective.push_back(static_cast<double>(last.samples_backward) / samples);
    cost.push_back(static_cast<double>(last.forward_macs + last.scoring_macs + last.backward_macs) / dense);
    seeds.push_back(static_cast<std::int64_t>(replica.seed));
    status.push_back(to_string(replica.status));
  }
  data.add("effective_epochs", along, std::move(effective), "1",
           "samples back-propagated / training samples; scoring is not in it");
  data.add("cost_ratio", along, std::move(cost), "1",
           "multiply-adds with scoring / multiply-adds of dense training over the same horizon");
  data.add("seed", along, std::move(seeds), "1", "seed of all draws of the run");
  data.add("run_status", along, std::move(status), "1", "complete, stopped, diverged, goal reached, or no improvement");
}

void add_planned_schedule(const theory::Schedule& planned, core::Dataset& group) {
  if (planned.empty()) return;
  group.add_dim("edge", planned.edges, "1", "progress: share of the horizon passed");
  group.add_dim("interval", static_cast<std::int64_t>(planned.data_fraction.size()), "interval between edges");
  group.add("planned_data_fraction", {"interval"}, planned.data_fraction, "1", "planned share of samples trained");
  group.add("planned_weight_fraction", {"interval"}, planned.weight_fraction, "1", "planned share of weights written");
  if (!planned.learning_rate.empty())
    group.add("planned_learning_rate", {"interval"}, planned.learning_rate, "1", "planned learning rate");
}

}  // namespace

core::Dataset to_dataset(const TrainResult& result) {
  core::Dataset data;
  const theory::TrainingSpec& spec = result.spec;
  data.attributes["title"] = spec.title.empty() ? std::string("training run") : spec.title;
  data.attributes["kind"] = std::string("run");
  data.attributes["data_method"] = spec.selection.method;
  data.attributes["weight_method"] = spec.plasticity.method;
  data.attributes["data"] = result.data_name;
  data.attributes["prices"] = spec.prices.name;
  // CUDA sums may differ with the device, not with threads, packing or resuming; see docs/determinism.md.
  data.attributes["determinism"] = std::string(result.device == "cpu" ? "R2 schedule-free" : "R1 run-to-run");
  bool complete = true;
  for (const ReplicaResult& replica : result.replicas) complete = complete && replica.status != RunStatus::stopped;
  data.attributes["status"] = std::string(complete ? "complete" : "partial");
  if (result.replicas.empty()) return data;
  if (result.replicas.size() > 1)
    data.add_dim("replica", static_cast<std::int64_t>(result.replicas.size()), "replica, one seed each");
  add_epochs(result, data);
  add_steps(result, data);
  add_layers(result, data);
  add_scalars(result, data);
  add_planned_schedule(spec.schedule, data.groups["schedule"]);
  core::Dataset& provenance = data.groups["provenance"];
  provenance.attributes["data_origin"] = result.data_origin;
  provenance.attributes["device"] = result.device;
  store(result.energy, provenance);
  return data;
}

}  // namespace eos::sim
