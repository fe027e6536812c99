// The demonstration as one EOS-1 table: the comparison at the root, everything it came from in groups.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "demo.hpp"
#include "eos/io/convert.hpp"
#include "eos/io/toml.hpp"
#include "files.hpp"

namespace eos::cli {

namespace {

void add_axes(core::Dataset& data, const DemoResult& result, const std::vector<theory::PriceList>& lists) {
  const auto axis = [&data](const char* dim, const char* name, const std::vector<std::string>& labels,
                            const char* meaning) {
    data.add_dim(dim, static_cast<std::int64_t>(labels.size()), dim);
    data.add(name, {dim}, labels, "1", meaning);
  };
  std::vector<std::string> labels, names, terms;
  for (const DemoRun& run : result.runs) labels.push_back(run.label);
  for (const theory::PriceList& prices : lists) names.push_back(prices.name);
  for (const auto& [name, unused] : theory::terms(theory::Energy{})) terms.push_back(name);
  axis("method", "label", labels, "name of the method");
  axis("price_list", "price_list_name", names, "name of the price list; the first one is what the plan minimised");
  axis("energy_term", "energy_term_name", terms, "name of the term");
}

void add_counts(core::Dataset& data, const std::vector<RunSummary>& runs) {
  const auto column = [&](const char* name, const char* meaning, auto value_of) {
    std::vector<double> values;
    for (const RunSummary& run : runs) values.push_back(static_cast<double>(value_of(run)));
    data.add(name, {"method"}, std::move(values), "1", meaning);
  };
  column("test_accuracy", "final test accuracy", [](const RunSummary& r) { return r.accuracy; });
  column("samples_seen", "samples forwarded", [](const RunSummary& r) { return r.total.samples_seen; });
  column("samples_backward", "samples back-propagated", [](const RunSummary& r) { return r.total.samples_backward; });
  column("writes", "M_0, parameters whose stored value changed", [](const RunSummary& r) { return r.total.writes; });
  column("path_length", "M_1, sum of |dw|", [](const RunSummary& r) { return r.total.path_length; });
  column("effective_epochs", "samples back-propagated / training samples",
         [](const RunSummary& r) { return r.effective_epochs; });
  column("cost_ratio", "multiply-adds with scoring / those of dense training over the same horizon",
         [](const RunSummary& r) { return r.cost_ratio; });
  column("measured_loss", "final validation loss", [](const RunSummary& r) { return r.validation_loss.back(); });
}

void add_energies(core::Dataset& data, const DemoResult& result, const std::vector<theory::PriceList>& lists) {
  std::vector<double> energy, by_term, factor;
  std::vector<std::string> bound;
  for (std::size_t i = 0; i < result.runs.size(); ++i)
    for (const theory::PriceList& prices : lists) {
      const theory::Energy e = result.summaries[i].energy(prices);
      energy.push_back(e.total());
      for (const auto& [name, joules] : theory::terms(e)) by_term.push_back(joules);
      const Saving saving = result.is_baseline[i] ? Saving{1, Bound::exact} : result.saving(i, prices);
      factor.push_back(number_of(saving));
      bound.push_back(sign(saving));
    }
  data.add("energy", {"method", "price_list"}, energy, "J", "modelled energy of training");
  data.add("energy_by_term", {"method", "price_list", "energy_term"}, by_term, "J", "modelled energy by term");
  data.add("saving", {"method", "price_list"}, factor, "1",
           "energy of dense training at the same test accuracy / energy");
  data.add("saving_bound", {"method", "price_list"}, bound, "1",
           "= interpolated; >= or <=: accuracy above or below all dense runs");
}

void add_foretold(core::Dataset& data, const DemoResult& result) {
  std::vector<double> loss(result.runs.size(), std::nan("")), energy = loss;
  for (const Prediction& p : result.predictions) loss[p.run] = p.loss, energy[p.run] = p.energy;
  data.add("predicted_loss", {"method"}, loss, "1", "final validation loss foretold by the fitted model");
  data.add("predicted_energy", {"method"}, energy, "J", "energy foretold under the first price list");
}

}  // namespace

core::Dataset demo_dataset(const DemoSetup& setup, const DemoResult& result, const std::string& command_line) {
  core::Dataset data;
  const std::vector<theory::PriceList> lists = demo_price_lists(setup);
  add_axes(data, result, lists);
  add_counts(data, result.summaries);
  add_energies(data, result, lists);
  add_foretold(data, result);
  data.attributes["kind"] = std::string("demo");
  data.attributes["data"] = result.data_name;
  for (const DemoRun& run : result.runs) data.groups[run.name] = run.table;
  core::Dataset& plan = data.groups["plan"] = io::to_dataset(result.plan);
  plan.attributes["epochs"] = result.plan.problem.horizon_epochs;  // ties the schedule to the data set
  plan.attributes["prices"] = setup.base.prices.name;
  data.groups["dense_prediction"] = io::to_dataset(result.dense_prediction);
  core::Dataset& calibration = data.groups["calibration"] = io::to_dataset(result.calibration);
  calibration.groups["provenance"].attributes["effective_toml"] = io::to_toml(setup.base);
  add_origin(data, fmt::format("eos demo on {}", result.data_name), io::to_toml(setup.base), command_line);
  data.groups["provenance"].attributes["seconds"] = result.seconds;
  return data;
}

}  // namespace eos::cli
