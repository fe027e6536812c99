// Values as TOML text, and the reference of all keys.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "eos/io/toml.hpp"
#include "toml_control.hpp"
#include "toml_evidence.hpp"
#include "toml_lister.hpp"
#include "toml_schema.hpp"
#include "toml_sweep.hpp"
#include "toml_writer.hpp"

namespace eos::io {

using theory::ModeProblem;
using theory::PriceList;
using theory::TrainingSpec;

namespace {

template <class Value>
void write_table(TomlWriter& writer, const char* key, const Value& value) {
  Value copy = value;
  writer.table({key, "", ""}, [&](Binder& b) { bind(b, copy); });
}

template <class Spec>
void write_method(TomlWriter& writer, const char* key, const Spec& spec) {
  Spec copy = spec;
  writer.table({key, "", ""}, [&](Binder& b) {
    b.text({"method", "", ""}, copy.method);
    bind(b, copy);
  });
}

template <class Spec>
void list_method(TomlLister& lister, const Field& field, Spec spec, const std::vector<std::string>& presets) {
  lister.table(field, [&](Binder& b) {
    b.note("`method` loads a preset; every other key given beside it overrides one choice of the preset.");
    static_cast<TomlLister&>(b).row("method", fmt::format("`{}`", fmt::join(presets, "` `")),
                                    fmt::format("`{}`", spec.method),
                                    "named method: sets the defaults of the keys below");
    bind(b, spec);
  });
}

}  // namespace

std::string to_toml(const TrainingSpec& spec) {
  TomlWriter writer;
  TrainingSpec copy = spec;
  bind(writer, copy);
  write_method(writer, "selection", spec.selection);
  write_method(writer, "plasticity", spec.plasticity);
  write_table(writer, "prices", spec.prices);
  if (!spec.schedule.empty()) write_table(writer, "schedule", spec.schedule);
  return "# Training run: effective configuration, defaults included. Run it with `eos train FILE`.\n" + writer.str();
}

std::string to_toml(const ModeProblem& problem) {
  TomlWriter writer;
  ModeProblem copy = problem;
  bind(writer, copy);
  return "# Mode problem: effective configuration, defaults included. Solve it with `eos plan FILE`.\n" + writer.str();
}

std::string to_toml(const PriceList& prices) {
  TomlWriter writer;
  write_table(writer, "prices", prices);
  return "# Price list: energy in joules per count.\n" + writer.str();
}

std::string to_toml(const PlanRequest& request) {
  TomlWriter writer;
  PlanRequest copy = request;
  bind(writer, copy);
  write_table(writer, "prices", request.prices);
  return "# Plan from a calibration: effective configuration, defaults included. Make it with `eos plan FILE`.\n" +
         writer.str();
}

std::string to_toml(const theory::FlySpec& spec) {
  TomlWriter writer;
  theory::FlySpec copy = spec;
  bind(writer, copy);
  return "# Flies: effective configuration, defaults included. Run it with `eos train FILE`.\n" + writer.str();
}

std::string to_toml(const theory::EnergyModel& model) {
  TomlWriter writer;
  theory::EnergyModel copy = model;
  bind(writer, copy);
  return "# Joules of a machine. Use it with `eos train --energy-model FILE`.\n" + writer.str();
}

std::string toml_reference() {
  TomlLister run, perceptron, problem, control, plan, prices, flies, joules, sweep, evidence;
  TrainingSpec spec;
  bind(run, spec);
  list_method(run, {"selection", "", "which samples are learned"}, spec.selection, theory::selection_presets());
  list_method(run, {"plasticity", "", "which weights are written"}, spec.plasticity, theory::plasticity_presets());
  run.table({"schedule", "", "controls over progress, for methods and laws named schedule"}, [&](Binder& b) {
    b.note("Either `file` alone, or the lists.");
    static_cast<TomlLister&>(b).row("file", "path", "",
                                    "EOS-1 file of `eos plan`, or of a run whose fractions are repeated");
    bind(b, spec.schedule);
  });
  theory::PerceptronSpec perceptrons;
  bind(perceptron, perceptrons);
  ModeProblem mode_problem;
  bind(problem, mode_problem);
  ControlText stated;
  bind_model(control, stated);
  bind(control, stated);
  PlanRequest request;
  bind(plan, request);
  theory::FlySpec fly;
  bind(flies, fly);
  theory::EnergyModel machine;
  bind(joules, machine);
  list_sweep(sweep);
  list_evidence(evidence);
  PriceList list;
  list.name = "custom";
  prices.table({"prices", "", "joules per count; what is not listed is free"}, [&](Binder& b) {
    b.note(
        "In a run or plan, `prices = \"NAME\"` before the first table names a built-in list or a TOML file instead.");
    static_cast<TomlLister&>(b).row("base", "text", "",
                                    "built-in list or file to start from; the other keys override it");
    bind(b, list);
  });
  return fmt::format(
      "## A training run: `eos train`, `eos calibrate`\n{}\n## A sweep: `eos sweep`\n{}\n## A comparison of methods: `eos "
      "evidence`\n{}\n## Perceptrons: `eos "
      "train`\n{}\n"
      "## A mode problem: `eos plan`\n{}\n"
      "## A control problem: `eos plan`\n{}\n"
      "## A plan from a calibration: `eos plan`\n{}\n## A population of flies: `eos train`\n{}\n## A price list\n{}\n"
      "## Joules of a machine: `eos train --energy-model`\n{}",
      run.markdown(), sweep.markdown(), evidence.markdown(), perceptron.markdown(), problem.markdown(), control.markdown(), plan.markdown(),
      flies.markdown(), prices.markdown(), joules.markdown());
}

}  // namespace eos::io
