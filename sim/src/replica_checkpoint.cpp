// The complete state of a replica as a table, so that a run that is killed and resumed ends with the same bits.
#include <algorithm>

#include "eos/core/error.hpp"
#include "fields.hpp"
#include "replica.hpp"

namespace eos::sim {
namespace {

[[noreturn]] void unusable(const std::string& what) {
  throw core::Error("E501", "the checkpoint cannot be used: " + what, "remove it and start the run again");
}

template <class T>
const std::vector<T>& array(const core::Dataset& data, const std::string& name, std::size_t size) {
  const core::Variable* variable = data.find(name);
  if (variable == nullptr || !std::holds_alternative<std::vector<T>>(variable->values))
    unusable("it has no array '" + name + "'");
  const auto& values = std::get<std::vector<T>>(variable->values);
  if (values.size() != size) unusable("its array '" + name + "' has another size");
  return values;
}

/// A file format need not keep groups that hold nothing.
const core::Dataset& group(const core::Dataset& data, const std::string& name) {
  static const core::Dataset k_empty;
  const auto found = data.groups.find(name);
  return found == data.groups.end() ? k_empty : found->second;
}

std::size_t length(const core::Dataset& data, const std::string& dim) {
  const auto found = data.dims.find(dim);
  return found == data.dims.end() ? 0 : static_cast<std::size_t>(found->second);
}

void write_ledgers(core::Dataset& to, const std::string& dim, const std::vector<theory::Ledger>& ledgers,
                   const std::string& prefix) {
  visit_ledger_fields([&](const char* name, auto member, const char* units, const char* long_name) {
    to.add(prefix + name, {dim}, column(ledgers, member), units, long_name);
  });
}

void read_ledgers(const core::Dataset& from, std::vector<theory::Ledger>& ledgers, const std::string& prefix) {
  visit_ledger_fields([&](const char* name, auto member, const char*, const char*) {
    using Field = std::decay_t<decltype(theory::Ledger{}.*member)>;
    const auto& values = array<Field>(from, prefix + name, ledgers.size());
    for (std::size_t i = 0; i < ledgers.size(); ++i) ledgers[i].*member = values[i];
  });
}

template <class Row, class Fields>
void read_rows(const core::Dataset& from, std::vector<Row>& rows, Fields fields) {
  fields([&](const char* name, auto member, const char*, const char*) {
    using Field = std::decay_t<decltype(Row{}.*member)>;
    const auto& values = array<Field>(from, std::string("row_") + name, rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].*member = values[i];
  });
}

// No rows, no dimension: a dimension of length 0 cannot be stored.
core::Dataset epoch_table(const std::vector<EpochRow>& rows) {
  core::Dataset data;
  if (rows.empty()) return data;
  data.add_dim("row", static_cast<std::int64_t>(rows.size()));
  visit_epoch_fields([&](const char* name, auto member, const char*, const char* long_name) {
    data.add(std::string("row_") + name, {"row"}, column(rows, member), "1", long_name);
  });
  data.add("row_seconds", {"row"}, column(rows, &EpochRow::seconds), "s", "wall time");
  write_ledgers(data, "row", column(rows, &EpochRow::ledger), "ledger_");
  return data;
}

core::Dataset step_table(const std::vector<StepRow>& rows) {
  core::Dataset data;
  if (rows.empty()) return data;
  data.add_dim("row", static_cast<std::int64_t>(rows.size()));
  visit_step_fields([&](const char* name, auto member, const char*, const char* long_name) {
    data.add(std::string("row_") + name, {"row"}, column(rows, member), "1", long_name);
  });
  return data;
}

}  // namespace

/// Calls visit(name, field) for every scalar of the state.
template <class Self, class Visit>
void Replica::visit_scalars(Self& self, Visit visit) {
  visit("position", self.stream_.state.position);
  visit("quota", self.stream_.state.quota);
  visit("mean_loss", self.stream_.state.mean_loss);
  visit("rate_factor", self.stream_.state.rate_factor);
  visit("adaptive", self.stream_.state.adaptive);
  visit("accuracy", self.stream_.state.accuracy);
  visit("forwarded", self.stream_.state.forwarded);
  visit("right", self.stream_.state.right);
  visit("window_next", self.gate_.window.next);
  visit("batch_begin", self.batch_begin_);
  visit("chunks", self.chunks_);
  visit("presented", self.presented_);
  visit("centres_epoch", self.centres_epoch_);
  visit("evaluations", self.evaluations_);
  visit("kept_since_row", self.kept_since_row_);
  visit("kept_since_step", self.kept_since_step_);
  visit("loss_sum", self.loss_sum_);
  visit("forwarded_since_row", self.forwarded_since_row_);
  visit("rate", self.rate_);
  visit("recent_loss", self.recent_loss_);
  visit("seconds", self.seconds_);
  visit("best_accuracy", self.goal_.best_accuracy);
  visit("without_progress", self.goal_.without_progress);
  visit("reached", self.goal_.reached);
  visit("stalled", self.goal_.stalled);
  visit("diverged", self.diverged_);
  visit("finished", self.finished_);
  visit("mean_seen", self.means_.seen);
  visit("mean_kept", self.means_.kept);
  visit("mean_correct", self.means_.correct);
  visit("mean_squared", self.means_.squared);
  visit("mean_benefit", self.means_.benefit);
  visit("mean_kept_benefit", self.means_.kept_benefit);
  visit("mean_forward_cost", self.means_.forward_cost);
  visit("mean_scored", self.means_.scored);
  visit("mean_passed", self.means_.passed);
  visit("mean_updated", self.means_.updated);
  visit("mean_update_cost", self.means_.update_cost);
  visit("law_updates", self.write_law_.state.updates);
  visit("law_rows", self.write_law_.state.rows);
  visit("law_gradient", self.write_law_.state.gradient);
  visit("law_change", self.write_law_.state.change);
  visit("law_walked", self.write_law_.state.walked);
  visit("law_reach", self.write_law_.state.reach);
  visit("law_cost", self.write_law_.state.cost);
  visit("law_clock", self.write_law_.state.clock);
  visit("law_spent", self.write_law_.state.spent);
  visit("law_held", self.write_law_.state.held);
  visit("law_moving", self.write_law_.state.moving);
  visit("law_decision", self.write_law_.state.decision);
}

core::Dataset Replica::checkpoint() {
  core::Dataset data;
  visit_scalars(*this, [&](const char* name, auto& field) {
    using Field = std::decay_t<decltype(field)>;
    if constexpr (std::is_same_v<Field, double>)
      data.add(name, {}, std::vector<double>{field}, "1", name);
    else
      data.add(name, {}, std::vector<std::int64_t>{static_cast<std::int64_t>(field)}, "1", name);
  });
  data.add_dim("parameter", setup_.layout.parameters());
  if (state_.size() > 0) {
    data.add_dim("statistic", static_cast<std::int64_t>(state_.size()));
    data.add("running_statistics", {"statistic"}, state_.get(), "1", "means and variances of batch norms");
  }
  data.add("weights", {"parameter"}, weights_.get(), "1", "weights and biases, layer by layer");
  for (auto& [name, buffer] : plasticity_.state()) data.add(name, {"parameter"}, buffer->get(), "1", name);
  if (plasticity_.caches()) {
    data.add("persistent", {"parameter"}, plasticity_.cache().persistent().get(), "1",
             "weights without what is transient");
    const std::vector<double> sums = plasticity_.cache().sums();
    data.add_dim("cache_sum", static_cast<std::int64_t>(sums.size()));
    data.add("cache_sums", {"cache_sum"}, sums, "1", "running sums that thresholds and the clock follow");
  }
  save_selection(data);
  if (const Topology& topology = structure_.topology(); topology.sparse()) {
    data.add("used", {"parameter"}, topology.used(), "1", "1 where the forward pass uses the weight");
    data.add("learns", {"parameter"}, topology.learns(), "1", "1 where the weight may change");
  }
  save_rows(data);
  std::vector<theory::Ledger> ledgers{ledger_, row_ledger_, step_ledger_};
  ledgers.insert(ledgers.end(), layer_ledgers_.begin(), layer_ledgers_.end());
  core::Dataset& counts = data.groups["ledgers"];
  counts.add_dim("ledger", static_cast<std::int64_t>(ledgers.size()), "now, last epoch row, last step row, layers");
  write_ledgers(counts, "ledger", ledgers, "");
  data.groups["epochs"] = epoch_table(epoch_rows_);
  data.groups["step_rows"] = step_table(step_rows_);
  return data;
}

// What selection remembers: of every sample, and the recent losses of Gate::chance.
void Replica::save_selection(core::Dataset& data) {
  Stream::State& state = stream_.state;
  data.add_dim("sample", setup_.open_loop.samples());
  for (auto& [name, values] : state.memory.arrays()) data.add(name, {"sample"}, *values, "1", name);
  if (!state.memory.empty()) data.add("last_correct", {"sample"}, state.memory.last.correct, "1", "last_correct");
  if (!state.memory.view.empty()) {
    const Inspection& inspection = state.inspection;
    data.add("last_view", {"sample"}, state.memory.view, "1", "last presentation");
    data.add_dim("inspection_class", Inspection::k_classes);
    data.add("inspection_surplus", {"inspection_class"},
             std::vector<double>(inspection.surplus.begin(), inspection.surplus.end()), "J", "found by re-checks");
    data.add("inspection_age", {"inspection_class"}, std::vector<double>(inspection.age.begin(), inspection.age.end()),
             "epochs", "of re-checks");
  }
  if (!state.plan.empty()) data.add("plan", {"sample"}, state.plan, "1", "presented in this epoch");
  if (proxy_) {
    data.add("proxy_chunks", {}, std::vector<std::int64_t>{proxy_->chunks()}, "1", "chunks the proxy scored");
    data.add("proxy_steps", {}, std::vector<std::int64_t>{proxy_->steps()}, "1", "updates of the proxy");
    data.add_dim("proxy_parameter", proxy_->parameters());
    for (auto& [name, buffer] : proxy_->state()) data.add(name, {"proxy_parameter"}, buffer->get(), "1", name);
  }
  if (density_ && !density_->features().empty()) {
    data.add_dim("feature", static_cast<std::int64_t>(density_->features().size()));
    data.add("centres", {"feature"}, density_->features(), "1", "first hidden layer of the centres");
  }
  const auto add_sums = [&](const std::string& name, const std::vector<double>& sums) {
    if (sums.empty()) return;
    data.add_dim(name + "_sum", static_cast<std::int64_t>(sums.size()));
    data.add(name + "_sums", {name + "_sum"}, sums, "1", "running sums of a gate in the backward pass");
  };
  add_sums("row", row_gate_.sums()), add_sums("layer", layer_gate_.sums());
  if (gate_.window.losses.empty()) return;
  data.add_dim("recent", static_cast<std::int64_t>(gate_.window.losses.size()));
  data.add("window", {"recent"}, gate_.window.losses, "1", "recent losses");
}

void Replica::load_selection(const core::Dataset& data) {
  Stream::State& state = stream_.state;
  const auto samples = static_cast<std::size_t>(setup_.open_loop.samples());
  for (auto& [name, values] : state.memory.arrays()) *values = array<float>(data, name, samples);
  if (!state.memory.empty()) state.memory.last.correct = array<std::uint8_t>(data, "last_correct", samples);
  if (!state.memory.view.empty()) {
    state.memory.view = array<std::int64_t>(data, "last_view", samples);
    std::ranges::copy(array<double>(data, "inspection_surplus", Inspection::k_classes),
                      state.inspection.surplus.begin());
    std::ranges::copy(array<double>(data, "inspection_age", Inspection::k_classes), state.inspection.age.begin());
  }
  if (!state.plan.empty()) state.plan = array<std::uint8_t>(data, "plan", samples);
  if (proxy_) {
    proxy_->chunks() = array<std::int64_t>(data, "proxy_chunks", 1)[0];
    proxy_->steps() = array<std::int64_t>(data, "proxy_steps", 1)[0];
    for (auto& [name, buffer] : proxy_->state()) buffer->put(array<float>(data, name, buffer->size()));
  }
  if (const std::size_t features = length(data, "feature"); density_ && features > 0)
    density_->put_centres(array<float>(data, "centres", features));
  if (const std::size_t sums = row_gate_.sums().size(); sums > 0)
    row_gate_.restore(array<double>(data, "row_sums", sums));
  if (const std::size_t sums = layer_gate_.sums().size(); sums > 0)
    layer_gate_.restore(array<double>(data, "layer_sums", sums));
  if (const std::size_t recent = length(data, "recent"); recent > 0)
    gate_.window.losses = array<float>(data, "window", recent);
}

// Rows under way: those handed back to the stream, and the pending batch with its activations.
void Replica::save_rows(core::Dataset& data) {
  core::Dataset& returned = data.groups["returned"];
  const std::vector<Row> rows(stream_.state.returned.begin(), stream_.state.returned.end());
  if (!rows.empty()) {
    returned.add_dim("row", static_cast<std::int64_t>(rows.size()));
    std::vector<std::uint8_t> sure;
    for (const Row& row : rows) sure.push_back(row.sure ? 1 : 0);
    returned.add("row_sample", {"row"}, column(rows, &Row::sample), "1", "sample");
    returned.add("row_weight", {"row"}, column(rows, &Row::weight), "1", "weight of its loss");
    returned.add("row_sure", {"row"}, std::move(sure), "1", "kept whatever the gate says");
    std::vector<std::int64_t> views;
    for (const Row& row : rows) views.push_back(row.view);
    returned.add("row_view", {"row"}, std::move(views), "1", "presentation, for augmentation");
  }
  core::Dataset& pending = data.groups["pending"];
  pending.add("loss", {}, std::vector<double>{pending_.loss}, "1", "sum of losses");
  pending.add("in_place", {}, std::vector<std::int64_t>{pending_.in_place ? 1 : 0}, "1", "nothing to gather");
  pending.add("forwarded_in_place", {}, std::vector<std::int64_t>{pending_.forwarded_in_place}, "1", "rows");
  if (pending_.size() == 0) return;
  const auto n = static_cast<std::size_t>(pending_.size());
  pending.add_dim("row", pending_.size());
  pending.add("row_sample", {"row"}, pending_.samples, "1", "sample");
  const std::int64_t predictions = setup_.layout.predictions(), outputs = predictions * setup_.layout.classes();
  pending.add_dim("prediction", predictions);
  pending.add("row_label", {"row", "prediction"}, pending_.labels, "1", "label");
  pending.add("row_weight", {"row"}, pending_.weights, "1", "weight of its loss");
  pending.add("row_view", {"row"}, std::vector<std::int64_t>(pending_.views.begin(), pending_.views.end()), "1",
              "presentation, for augmentation");
  const auto add_block = [&](const std::string& name, const float* from, std::int64_t width) {
    std::vector<float> values(n * static_cast<std::size_t>(width));
    context_.copy_out(values.data(), from, values.size() * sizeof(float));
    pending.add_dim("unit_" + name, width);
    pending.add(name, {"row", "unit_" + name}, std::move(values), "1", "activations");
  };
  for (int level = 1; level < batch_.levels() && keeps_activations(); ++level) {
    add_block("level_" + std::to_string(level), batch_.row(level, 0), batch_.level_size(level));
    if (const std::int64_t saved = batch_.saved_size(level); saved > 0)
      add_block("saved_" + std::to_string(level), batch_.saved(level, 0), saved);
  }
  if (pending_.in_place) add_block("dz", dz_.data(), outputs);
  if (pending_.in_place && sent_.size() > 0) add_block("sent", sent_.data(), outputs);
}

void Replica::restore(const core::Dataset& data) {
  visit_scalars(*this, [&](const char* name, auto& field) {
    using Field = std::decay_t<decltype(field)>;
    if constexpr (std::is_same_v<Field, double>)
      field = array<double>(data, name, 1)[0];
    else
      field = static_cast<Field>(array<std::int64_t>(data, name, 1)[0]);
  });
  weights_.put(array<float>(data, "weights", weights_.size()));
  if (state_.size() > 0) state_.put(array<float>(data, "running_statistics", state_.size()));
  for (auto& [name, buffer] : plasticity_.state()) buffer->put(array<float>(data, name, buffer->size()));
  if (plasticity_.caches()) {
    kernels::Buffer<float>& persistent = plasticity_.cache().persistent();
    persistent.put(array<float>(data, "persistent", persistent.size()));
    plasticity_.cache().restore(array<double>(data, "cache_sums", plasticity_.cache().sums().size()), weights_);
  }
  if (Topology& topology = structure_.topology(); topology.sparse())
    topology.restore(array<std::uint8_t>(data, "used", weights_.size()),
                     array<std::uint8_t>(data, "learns", weights_.size()), weights_.data());
  grow();
  load_selection(data);
  load_rows(data);
  std::vector<theory::Ledger> ledgers(3 + layer_ledgers_.size());
  read_ledgers(group(data, "ledgers"), ledgers, "");
  ledger_ = ledgers[0], row_ledger_ = ledgers[1], step_ledger_ = ledgers[2];
  std::copy(ledgers.begin() + 3, ledgers.end(), layer_ledgers_.begin());
  const core::Dataset& epochs = group(data, "epochs");
  epoch_rows_.assign(length(epochs, "row"), {});
  if (!epoch_rows_.empty()) {
    read_rows(epochs, epoch_rows_, [](auto visit) { visit_epoch_fields(visit); });
    std::vector<theory::Ledger> row_ledgers(epoch_rows_.size());
    read_ledgers(epochs, row_ledgers, "ledger_");
    const auto& seconds = array<double>(epochs, "row_seconds", epoch_rows_.size());
    for (std::size_t i = 0; i < epoch_rows_.size(); ++i)
      epoch_rows_[i].ledger = row_ledgers[i], epoch_rows_[i].seconds = seconds[i];
  }
  const core::Dataset& steps = group(data, "step_rows");
  step_rows_.assign(length(steps, "row"), {});
  if (!step_rows_.empty()) read_rows(steps, step_rows_, [](auto visit) { visit_step_fields(visit); });
}

void Replica::load_rows(const core::Dataset& data) {
  const core::Dataset& returned = group(data, "returned");
  const std::size_t waiting = length(returned, "row");
  stream_.state.returned.clear();
  for (std::size_t i = 0; i < waiting; ++i)
    stream_.state.returned.push_back(
        {array<std::int32_t>(returned, "row_sample", waiting)[i], array<float>(returned, "row_weight", waiting)[i],
         array<std::uint8_t>(returned, "row_sure", waiting)[i] != 0,
         static_cast<std::uint32_t>(array<std::int64_t>(returned, "row_view", waiting)[i])});
  const core::Dataset& pending = group(data, "pending");
  const std::size_t n = length(pending, "row");
  if (n > static_cast<std::size_t>(setup_.spec.batch)) unusable("its pending batch is too large");
  pending_.clear();
  pending_.loss = array<double>(pending, "loss", 1)[0];
  pending_.in_place = array<std::int64_t>(pending, "in_place", 1)[0] != 0;
  pending_.forwarded_in_place = static_cast<int>(array<std::int64_t>(pending, "forwarded_in_place", 1)[0]);
  if (n == 0) return;
  pending_.samples = array<std::int32_t>(pending, "row_sample", n);
  const std::int64_t predictions = setup_.layout.predictions(), outputs = predictions * setup_.layout.classes();
  pending_.labels = array<std::int32_t>(pending, "row_label", n * static_cast<std::size_t>(predictions));
  pending_.weights = array<float>(pending, "row_weight", n);
  for (const std::int64_t view : array<std::int64_t>(pending, "row_view", n))
    pending_.views.push_back(static_cast<std::uint32_t>(view));
  const auto load_block = [&](const std::string& name, float* to, std::int64_t width) {
    const auto& values = array<float>(pending, name, n * static_cast<std::size_t>(width));
    context_.copy_in(to, values.data(), values.size() * sizeof(float));
  };
  for (int level = 1; level < batch_.levels() && keeps_activations(); ++level) {
    load_block("level_" + std::to_string(level), batch_.row(level, 0), batch_.level_size(level));
    if (const std::int64_t saved = batch_.saved_size(level); saved > 0)
      load_block("saved_" + std::to_string(level), batch_.saved(level, 0), saved);
  }
  if (pending_.in_place) load_block("dz", dz_.data(), outputs);
  if (pending_.in_place && sent_.size() > 0) load_block("sent", sent_.data(), outputs);
  gather(setup_.train, pending_.samples, pending_.views,
         batch_.row(0, 0));  // inputs are not stored: they are in the data set
}

}  // namespace eos::sim
