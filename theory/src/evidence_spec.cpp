#include "eos/theory/evidence_spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "eos/core/error.hpp"
#include "eos/theory/network_words.hpp"

namespace eos::theory {

namespace {

using core::Diagnostic;

constexpr int k_most_draws_per_trial = 64;

void report(std::vector<Diagnostic>& problems, const char* code, std::string message, std::string help = {}) {
  Diagnostic d;
  d.code = code, d.message = std::move(message), d.help = std::move(help);
  problems.push_back(std::move(d));
}

template <class Item>
std::vector<std::string> names_of(const std::vector<Item>& items) {
  std::vector<std::string> names;
  for (const Item& item : items) names.push_back(item.name);
  return names;
}

void check_word(std::vector<Diagnostic>& problems, const std::string& field, const std::string& word,
                const std::vector<std::string>& allowed) {
  if (std::find(allowed.begin(), allowed.end(), word) == allowed.end())
    report(problems, "E106", fmt::format("{} names '{}', which is not there", field, word),
           core::suggest(word, allowed));
}

/// Names are those of folders and of groups of a file.
bool is_label(const std::string& name) {
  return !name.empty() && name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos &&
         name.front() >= 'a' && name.front() <= 'z';
}

template <class Item>
void check_names(std::vector<Diagnostic>& problems, const char* list, const std::vector<Item>& items) {
  std::set<std::string> seen;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::string field = fmt::format("{}[{}].name", list, i);
    if (!is_label(items[i].name))
      report(problems, "E104", fmt::format("{} = '{}' must begin with a small letter and hold small letters, digits and '-'",
                                           field, items[i].name));
    if (!seen.insert(items[i].name).second)
      report(problems, "E107", fmt::format("{}: '{}' is there twice", field, items[i].name), "give it another name");
  }
}

void check_method(std::vector<Diagnostic>& problems, const EvidenceSpec& spec, std::size_t index) {
  const EvidenceMethod& m = spec.methods[index];
  const std::string field = fmt::format("method[{}]", index);
  for (const std::string& a : m.architectures) check_word(problems, field + ".architectures", a, architecture_names());
  for (const std::string& list : m.prices) check_word(problems, field + ".prices", list, spec.prices);
  if (!m.stack.empty()) check_word(problems, field + ".stack", m.stack, {"plasticity", "digital"});
  if ((m.axis == Axis::stacked) == m.stack.empty())
    report(problems, "E107", field + ".stack says which best methods are put together: axis 'stacked', and only it, has it",
           "add or remove stack = \"plasticity\"");
  if (m.follows.empty() != (m.record == Record::none))
    report(problems, "E107", field + ".follows and " + field + ".record belong together",
           "e.g. follows = \"joint\", record = \"data\"");
  if (m.follows.empty()) return;
  check_word(problems, field + ".follows", m.follows, names_of(spec.methods));
  const auto found = std::find_if(spec.methods.begin(), spec.methods.end(),
                                  [&](const EvidenceMethod& other) { return other.name == m.follows; });
  if (found != spec.methods.end() && !found->follows.empty())
    report(problems, "E107", field + ".follows names a method that follows another", "name a method that is tuned");
}

void check_task(std::vector<Diagnostic>& problems, const EvidenceSpec& spec, std::size_t index) {
  const EvidenceTask& t = spec.tasks[index];
  const std::string field = fmt::format("task[{}]", index);
  for (const std::string& m : t.methods) check_word(problems, field + ".methods", m, names_of(spec.methods));
  for (const std::string& p : t.trained_prices) check_word(problems, field + ".trained_prices", p, spec.prices);
  if (!t.methods.empty() && std::find(t.methods.begin(), t.methods.end(), "dense") == t.methods.end())
    report(problems, "E105", field + ".methods lacks 'dense', which all are compared with", "add it");
  if (t.metric == Metric::accuracy && t.target >= 1)
    report(problems, "E104", fmt::format("{}.target = {:g} is no accuracy below 1", field, t.target), "e.g. 0.98");
  if (t.run.selection.method != "all" || t.run.plasticity.method != "all")
    report(problems, "E107", field + ".base states a method of its own",
           "leave [selection] and [plasticity] out of it: methods of the protocol set them");
}

}  // namespace

const std::vector<std::string>& metric_names() {
  static const std::vector<std::string> k_names{"accuracy", "loss"};
  return k_names;
}
const std::vector<std::string>& axis_names() {
  static const std::vector<std::string> k_names{"dense", "control", "data", "write", "stacked", "joint"};
  return k_names;
}
const std::vector<std::string>& record_names() {
  static const std::vector<std::string> k_names{"none", "data", "weights"};
  return k_names;
}

const EvidenceTask& EvidenceSpec::task(const std::string& name) const {
  return *std::find_if(tasks.begin(), tasks.end(), [&](const EvidenceTask& t) { return t.name == name; });
}
const EvidenceMethod& EvidenceSpec::method(const std::string& name) const {
  return *std::find_if(methods.begin(), methods.end(), [&](const EvidenceMethod& m) { return m.name == name; });
}

std::vector<std::string> EvidenceSpec::digital() const {
  std::vector<std::string> rest;
  for (const std::string& name : prices)
    if (std::find(plasticity.begin(), plasticity.end(), name) == plasticity.end()) rest.push_back(name);
  return rest;
}

const std::vector<std::uint64_t>& EvidenceSpec::seeds_of(const EvidenceTask& t) const {
  return t.seeds.empty() ? seeds : t.seeds;
}
const std::vector<double>& EvidenceSpec::horizons_of(const EvidenceTask& t) const {
  return t.horizons.empty() ? horizons : t.horizons;
}
int EvidenceSpec::trials_of(const EvidenceTask& t) const { return t.trials > 0 ? t.trials : trials; }

bool EvidenceSpec::suits(const EvidenceMethod& m, const EvidenceTask& t) const {
  const auto has = [](const std::vector<std::string>& list, const std::string& word) {
    return list.empty() || std::find(list.begin(), list.end(), word) != list.end();
  };
  return has(t.methods, m.name) && has(m.architectures, to_string(t.run.network.architecture));
}

void EvidenceSpec::check() const {
  std::vector<Diagnostic> problems;
  check_names(problems, "task", tasks);
  check_names(problems, "method", methods);
  if (tasks.empty()) report(problems, "E105", "the protocol has no [[task]]", "see data/evidence/quick.toml");
  const auto dense = std::find_if(methods.begin(), methods.end(), [](const EvidenceMethod& m) { return m.name == "dense"; });
  if (dense == methods.end() || dense->axis != Axis::dense)
    report(problems, "E105", "the protocol has no [[method]] named 'dense' with axis 'dense', which all are compared with",
           "see data/evidence/quick.toml");
  for (const std::string& list : prices) {
    const std::vector<std::string> known = builtin_price_names();
    check_word(problems, "protocol.prices", list, known);
  }
  for (const std::string& list : plasticity) check_word(problems, "protocol.plasticity", list, prices);
  for (std::size_t i = 0; i < tasks.size(); ++i) check_task(problems, *this, i);
  for (std::size_t i = 0; i < methods.size(); ++i) check_method(problems, *this, i);
  if (!problems.empty()) throw core::Error(std::move(problems));
}

std::vector<Trial> trials(const EvidenceMethod& method, int count, std::uint64_t search_seed) {
  SweepSpec design;
  design.design = SweepDesign::sobol;
  design.axes = method.search;
  design.seed = search_seed;
  design.complete();
  std::vector<SweepPoint> points{{}};
  for (int n = count; !method.search.empty(); n += count) {
    design.samples = n;
    points = expand(design);  // equal points are kept once
    if (static_cast<int>(points.size()) >= count || n >= count * k_most_draws_per_trial) break;
  }
  if (static_cast<int>(points.size()) > count) points.resize(static_cast<std::size_t>(count));
  std::vector<Trial> all;
  for (const SweepPoint& point : points) {
    Trial& trial = all.emplace_back();
    const auto put = [&](const std::pair<std::string, std::string>& one) {
      if (one.first == k_rate_factor)
        trial.rate = std::stod(one.second);
      else if (one.first == k_horizon_factor)
        trial.horizon = std::stod(one.second);
      else if (one.first == k_batch_factor)
        trial.batch = std::stod(one.second);
      else
        trial.set.push_back(one);
    };
    for (const auto& one : method.set) put(one);
    for (const auto& one : point.set) put(one);
  }
  return all;
}

Settings settings(const EvidenceTask& task, const Trial& trial, double rate, double factor) {
  Settings all = trial.set;
  const auto batch = std::max(1L, std::lround(task.run.batch * trial.batch));
  if (batch != task.run.batch) all.emplace_back("train.batch", fmt::format("{}", batch));
  all.emplace_back("optimiser.learning_rate", fmt::format("{:.12g}", rate * trial.rate));
  all.emplace_back("train.epochs", fmt::format("{:.12g}", task.horizon * trial.horizon * factor));
  return all;
}

PriceList scaled_to_share(PriceList prices, const Ledger& ledger, double share) {
  const Energy e = energy(ledger, prices);
  const double plasticity = e.write + e.path + e.transient;
  const double rest = e.total() - plasticity - e.accumulator - e.maintenance;
  if (!(plasticity > 0) || !(rest > 0))
    throw core::Error("E401", fmt::format("price list '{}' cannot be scaled: training has {} of it", prices.name,
                                          plasticity > 0 ? "nothing but plasticity" : "no plasticity"),
                      "name lists with prices of writes or path in protocol.plasticity");
  const double factor = share / (1 - share) * rest / plasticity;
  for (double* price : {&prices.write, &prices.path, &prices.path_squared, &prices.transient_path, &prices.accumulator,
                        &prices.maintenance})
    *price *= factor;
  prices.source += fmt::format(" Scaled so that plain training of this task spends {:g} % on plasticity.", 100 * share);
  return prices;
}

}  // namespace eos::theory
