#include "eos/io/toml.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "eos/core/error.hpp"
#include "eos/io/atomic_file.hpp"
#include "eos/io/convert.hpp"
#include "eos/io/hdf5.hpp"
#include "toml_control.hpp"
#include "toml_kinds.hpp"
#include "toml_lister.hpp"
#include "toml_reader.hpp"
#include "toml_schema.hpp"
#include "toml_writer.hpp"

namespace eos::io {

using core::Error;
using theory::ModeProblem;
using theory::PriceList;
using theory::Schedule;
using theory::TrainingSpec;

namespace {

/// The top-level tables that tell what a file describes.
const std::vector<std::pair<FileKind, std::vector<std::string>>> k_kinds{
    {FileKind::sweep, {"sweep"}},
    {FileKind::evidence, {"protocol"}},
    {FileKind::problem, {"problem", "modes"}},
    {FileKind::control, {"control_problem", "model", "states", "controls", "cost"}},
    {FileKind::plan, {"plan"}},
    {FileKind::training, {"train", "data", "network", "optimiser", "selection", "plasticity", "schedule"}},
    {FileKind::fly, {"fly"}},
    {FileKind::perceptron, {"perceptron"}},
    {FileKind::energy_model, {"energy_model"}},
    {FileKind::prices, {"prices"}}};

}  // namespace

const char* describe(FileKind kind) {
  switch (kind) {
    case FileKind::problem:
      return "a mode problem ([problem], [modes])";
    case FileKind::control:
      return "a control problem ([control_problem], [states.NAME], ... or [model])";
    case FileKind::plan:
      return "a plan made from a calibration ([plan])";
    case FileKind::training:
      return "a training run ([train], [data], ...)";
    case FileKind::perceptron:
      return "a grid of perceptrons ([perceptron])";
    case FileKind::prices:
      return "a price list ([prices])";
    case FileKind::fly:
      return "a population of flies ([fly])";
    case FileKind::energy_model:
      return "the joules of a machine ([energy_model])";
    case FileKind::sweep:
      return "a sweep ([sweep])";
    case FileKind::evidence:
      return "a comparison of methods ([protocol], [[task]], [[method]])";
  }
  return "";
}

std::optional<FileKind> kind_of(const Document& document) {
  for (const auto& [kind, tables] : k_kinds)
    for (const std::string& table : tables)
      if (document.root().contains(table)) return kind;
  return std::nullopt;
}

/// A file of another kind deserves one clear sentence instead of a list of unknown tables.
void require_kind(const Document& document, FileKind wanted) {
  const std::optional<FileKind> kind = kind_of(document);
  const bool prices_in_run = kind == FileKind::prices && (wanted == FileKind::training || wanted == FileKind::plan);
  if (!kind.has_value() || *kind == wanted || prices_in_run) return;
  throw Error({document.diagnostic(
      {}, "E108",
      fmt::format("'{}' describes {}, but {} is needed here", document.name(), describe(*kind), describe(wanted)),
      *kind == FileKind::sweep                                  ? "use `eos sweep`"
      : *kind == FileKind::evidence                             ? "use `eos evidence DIR --protocol`"
      : *kind == FileKind::training                             ? "use `eos train` or `eos calibrate`"
      : *kind == FileKind::fly || *kind == FileKind::perceptron ? "use `eos train`"
      : *kind == FileKind::energy_model                         ? "use `eos train --energy-model`"
                                                                : "use `eos plan`")});
}

namespace {

bool looks_like_path(const std::string& name) {
  std::error_code ignored;
  return name.find('/') != std::string::npos || name.ends_with(".toml") || std::filesystem::exists(name, ignored);
}

std::string relative_to(const std::string& folder, const std::string& path) {
  const std::filesystem::path given(path);
  return given.is_relative() && !folder.empty() ? (std::filesystem::path(folder) / given).lexically_normal().string()
                                                : path;
}

/// `prices = "name"` or [prices] with an optional `base`.
void read_prices_of(TableReader& top, PriceList& prices) {
  const toml::node* node = top.take("prices");
  if (node == nullptr) return;
  const auto load = [&](const toml::node& where, PriceList& into) {
    const std::string name = where.value_or(std::string());
    const bool file = looks_like_path(name) && !Document::is_override(where.source());
    try {
      into = read_prices(file ? relative_to(top.reading().document().folder_of(where.source()), name) : name);
    } catch (const Error& error) {
      for (const core::Diagnostic& d : error.diagnostics())
        top.reading().report(where.source(), d.code,
                             d.file.empty() ? d.message : fmt::format("{}:{}: {}", d.file, d.line, d.message), d.help);
    }
  };
  if (node->is_string()) return load(*node, prices);
  if (!node->is_table()) {
    top.reading().report(node->source(), "E103", "prices expects the name of a price list or a table [prices]",
                         "e.g. prices = \"hbm2\"");
    return;
  }
  TableReader table(top.reading(), node->as_table(), "prices");
  prices = PriceList{};
  prices.name = "custom";
  if (const toml::node* base = table.take("base")) {
    if (base->is_string())
      load(*base, prices);
    else
      top.reading().report(base->source(), "E103", "prices.base expects the name of a price list in quotes");
  }
  bind(table, prices);
  table.finish();
}

/// [selection] or [plasticity]: the preset that `method` names, then every key given beside it.
template <class Spec>
void read_method(TableReader& top, const Field& field, Spec& spec, Spec (*preset)(const std::string&)) {
  top.table(field, [&](Binder& binder) {
    auto& table = static_cast<TableReader&>(binder);
    std::string method = spec.method;
    table.text({"method", "", ""}, method);
    try {
      spec = preset(method);
    } catch (const Error& error) {
      const toml::node* node = table.raw()->get("method");
      table.reading().report(node->source(), "E106",
                             fmt::format("{}.method: {}", field.key, error.diagnostics().front().message),
                             error.diagnostics().front().help);
    }
    bind(table, spec);
  });
}

/// The conveniences of an inline schedule: fractions that are absent are 1, edges that are absent are equally spaced.
void complete(Schedule& s) {
  const std::size_t n = !s.edges.empty()
                            ? s.edges.size() - 1
                            : std::max({s.data_fraction.size(), s.weight_fraction.size(), s.learning_rate.size()});
  if (n == 0) return;
  if (s.edges.empty())
    for (std::size_t i = 0; i <= n; ++i) s.edges.push_back(static_cast<double>(i) / static_cast<double>(n));
  if (s.data_fraction.empty()) s.data_fraction.assign(n, 1);
  if (s.weight_fraction.empty()) s.weight_fraction.assign(n, 1);
}

/// [schedule]: `file`, or the lists themselves.
void read_schedule(TableReader& top, Schedule& schedule) {
  const toml::node* node = top.raw()->get("schedule");
  top.table({"schedule", "", ""}, [&](Binder& binder) {
    auto& table = static_cast<TableReader&>(binder);
    std::string file;
    const toml::node* place = table.raw() == nullptr ? nullptr : table.raw()->get("file");
    table.path({"file", "", ""}, file);
    Schedule inline_lists;
    bind(table, inline_lists);
    if (place == nullptr) {
      complete(inline_lists);
      schedule = std::move(inline_lists);
    } else if (table.raw()->size() > 1) {
      table.reading().report(place->source(), "E107", "schedule.file and other keys of [schedule] are both given",
                             "keep the file or the lists");
    } else if (!file.empty()) {
      try {
        schedule = top.reading().document().schedule_of(
            file, [](const std::string& path) { return schedule_from(read_hdf5(path)); });
      } catch (const Error& error) {
        table.reading().report(place->source(), error.diagnostics().front().code, error.diagnostics().front().message,
                               error.diagnostics().front().help);
      }
    }
  });
  if (schedule.empty() || node == nullptr) return;
  try {
    schedule.check();
  } catch (const Error& error) {
    top.reading().adopt(error, node->source());
  }
}

std::map<std::string, std::string> key_homes() {
  TomlLister lister;
  TrainingSpec spec;
  bind(lister, spec);
  lister.table({"selection", "", "-"}, [&](Binder& b) { bind(b, spec.selection); });
  lister.table({"plasticity", "", "-"}, [&](Binder& b) { bind(b, spec.plasticity); });
  ModeProblem problem;
  bind(lister, problem);
  return lister.homes();
}

/// theory's own checks, run only when every key was read: otherwise they would repeat what was already said.
template <class Value>
void check_and_finish(Reading& reading, const Value& value) {
  reading.finish();
  try {
    value.check();
  } catch (const Error& error) {
    reading.adopt(error);
    reading.finish();
  }
}

PlanRequest plan_request_in(const Document& document) {
  Reading reading(document);
  TableReader top(reading, &document.root(), "");
  PlanRequest request;
  request.prices = theory::builtin_prices("metabolic");
  read_prices_of(top, request.prices);
  bind(top, request);
  top.finish();
  const toml::node* plan = document.find("plan");
  if (plan != nullptr && request.target_loss == 0 && request.terminal_weight == 0)
    reading.report(plan->source(), "E105", "[plan] needs a goal: target_loss or terminal_weight",
                   "add e.g. `target_loss = 0.35`");
  if (plan != nullptr && request.free_horizon && request.target_loss == 0)
    reading.report(plan->source(), "E107",
                   "plan.free_horizon asks for the cheapest horizon, but no target_loss says what to reach",
                   "add e.g. `target_loss = 0.35`");
  reading.finish();
  return request;
}

ModeProblem problem_in(const Document& document) {
  Reading reading(document);
  reading.know_homes(key_homes);
  TableReader top(reading, &document.root(), "");
  ModeProblem problem;
  bind(top, problem);
  top.finish();
  check_and_finish(reading, problem);
  return problem;
}

theory::ControlProblem control_in(const Document& document) {
  Reading reading(document);
  const theory::ControlProblem problem = read_control(reading, document.root());
  check_and_finish(reading, problem);
  return problem;
}

theory::FlySpec fly_in(const Document& document) {
  Reading reading(document);
  TableReader top(reading, &document.root(), "");
  theory::FlySpec spec;
  bind(top, spec);
  top.finish();
  check_and_finish(reading, spec);
  return spec;
}

theory::PerceptronSpec perceptron_in(const Document& document) {
  Reading reading(document);
  TableReader top(reading, &document.root(), "");
  theory::PerceptronSpec spec;
  bind(top, spec);
  top.finish();
  check_and_finish(reading, spec);
  return spec;
}

}  // namespace

FileKind kind_of(const std::string& path) {
  const Document document(read_file(path, k_longest_file), path, {});
  if (const std::optional<FileKind> kind = kind_of(document)) return *kind;
  std::vector<std::string> known, kinds;
  for (const auto& [kind, tables] : k_kinds) {
    known.insert(known.end(), tables.begin(), tables.end());
    kinds.emplace_back(describe(kind));
  }
  std::string help = "docs/toml.md lists the tables";
  for (auto&& [key, node] : document.root())
    if (const auto close = core::did_you_mean(key.str(), known); !close.empty() && node.is_table())
      help = fmt::format("[{}]: did you mean [{}]?", key.str(), close.front());
  throw Error(
      {document.diagnostic({}, "E108", fmt::format("'{}' states neither {}", path, fmt::join(kinds, ", nor ")), help)});
}

TrainingSpec training_in(const Document& document) {
  Reading reading(document);
  reading.know_homes(key_homes);
  TableReader top(reading, &document.root(), "");
  TrainingSpec spec;
  bind(top, spec);
  read_method(top, {"selection", "", ""}, spec.selection, theory::selection_preset);
  read_method(top, {"plasticity", "", ""}, spec.plasticity, theory::plasticity_preset);
  read_prices_of(top, spec.prices);
  read_schedule(top, spec.schedule);
  top.finish();
  check_and_finish(reading, spec);
  return spec;
}

namespace {

Document document_of(FileKind wanted, const std::string& text, const std::string& name, const Overrides& overrides) {
  Document document(text, name, overrides);
  require_kind(document, wanted);
  return document;
}

}  // namespace

ModeProblem parse_problem(const std::string& text, const std::string& name, const Overrides& overrides) {
  return problem_in(document_of(FileKind::problem, text, name, overrides));
}

theory::ControlProblem parse_control(const std::string& text, const std::string& name, const Overrides& overrides) {
  return control_in(document_of(FileKind::control, text, name, overrides));
}

TrainingSpec parse_training(const std::string& text, const std::string& name, const Overrides& overrides) {
  return training_in(document_of(FileKind::training, text, name, overrides));
}

theory::FlySpec parse_fly(const std::string& text, const std::string& name, const Overrides& overrides) {
  return fly_in(document_of(FileKind::fly, text, name, overrides));
}

theory::PerceptronSpec parse_perceptron(const std::string& text, const std::string& name, const Overrides& overrides) {
  return perceptron_in(document_of(FileKind::perceptron, text, name, overrides));
}

PriceList parse_prices(const std::string& text, const std::string& name, const Overrides& overrides) {
  const Document document(text, name, overrides);
  require_kind(document, FileKind::prices);
  Reading reading(document);
  TableReader top(reading, &document.root(), "");
  PriceList prices;
  if (!document.root().contains("prices"))
    reading.report({}, "E105", fmt::format("'{}' has no table [prices]", name),
                   "write `[prices]` and e.g. `mac = 1.69e-12`");
  else
    read_prices_of(top, prices);
  top.finish();
  reading.finish();
  return prices;
}

ModeProblem read_problem(const std::string& path, const Overrides& overrides) {
  return parse_problem(read_file(path, k_longest_file), path, overrides);
}

theory::ControlProblem read_control(const std::string& path, const Overrides& overrides) {
  return parse_control(read_file(path, k_longest_file), path, overrides);
}

TrainingSpec read_training(const std::string& path, const Overrides& overrides) {
  return parse_training(read_file(path, k_longest_file), path, overrides);
}

theory::PerceptronSpec read_perceptron(const std::string& path, const Overrides& overrides) {
  return parse_perceptron(read_file(path, k_longest_file), path, overrides);
}

PlanRequest read_plan_request(const std::string& path, const Overrides& overrides) {
  return plan_request_in(document_of(FileKind::plan, read_file(path, k_longest_file), path, overrides));
}

theory::EnergyModel parse_energy_model(const std::string& text, const std::string& name, const Overrides& overrides) {
  const Document document(text, name, overrides);
  require_kind(document, FileKind::energy_model);
  Reading reading(document);
  TableReader top(reading, &document.root(), "");
  theory::EnergyModel model;
  bind(top, model);
  top.finish();
  reading.finish();
  return model;
}

theory::EnergyModel read_energy_model(const std::string& path) {
  return parse_energy_model(read_file(path, k_longest_file), path);
}

theory::FlySpec read_fly(const std::string& path, const Overrides& overrides) {
  return parse_fly(read_file(path, k_longest_file), path, overrides);
}

PriceList read_prices(const std::string& name_or_path) {
  const std::vector<std::string> names = theory::builtin_price_names();
  const bool known = std::find(names.begin(), names.end(), name_or_path) != names.end();
  if (known || !looks_like_path(name_or_path)) return theory::builtin_prices(name_or_path);
  return parse_prices(read_file(name_or_path, k_longest_file), name_or_path);
}

}  // namespace eos::io
