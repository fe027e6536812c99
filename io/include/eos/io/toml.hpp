// Read checked problems, runs, calibrations' settings and price lists from TOML, and write effective configurations
// back.
//
// All problems of a file are reported at once, each with file:line:column, the line and a caret, what was got, what is
// allowed, and did-you-mean among keys of the same table. Unknown keys are errors. `--set table.key=value` overrides
// are parsed as TOML values, or taken as a word when they are not TOML, and checked like the file; their problems have
// the file "--set", the number of the override as line, and its text as source line. Schema of every table:
// docs/toml.md, which is made from toml_reference(). Guarantees: no text, however damaged or deep, does more than throw
// an Error (fuzzed in tests/io/toml_fuzz_test.cpp); reading to_toml(x) gives x.
#pragma once

#include <string>
#include <vector>

#include "eos/theory/control_problem.hpp"
#include "eos/theory/energy_model.hpp"
#include "eos/theory/fly.hpp"
#include "eos/theory/perceptron_spec.hpp"
#include "eos/theory/problem.hpp"
#include "eos/theory/training_spec.hpp"

namespace eos::io {

/// What a TOML file describes, by its top-level tables: [problem] a mode problem, [control_problem]/[states]/... a
/// control problem by its formulas, [train]/[data]/... a run, [perceptron] a grid of perceptrons, [prices] a price
/// list, [plan] a plan made from a calibration, [fly] a population of flies, [energy_model] the joules of a machine,
/// [sweep] many of those (sweep_file.hpp), [protocol] a comparison of methods (evidence_file.hpp).
enum class FileKind { problem, training, prices, plan, control, fly, perceptron, energy_model, sweep, evidence };

struct Overrides {
  std::vector<std::string> set;  ///< "selection.tau=0.5"
};

/// How a calibrated plan is asked for: `calibration = "file.h5"` in table [plan], with prices and goal. At least one
/// of target_loss and terminal_weight is positive; with both, the target decides.
struct PlanRequest {
  std::string calibration;  ///< path; a relative one in the file refers to the folder of the TOML file
  theory::PriceList prices;
  double epochs = 5, target_loss = 0, terminal_weight = 0;
  int intervals = 40;
  bool accumulate = true, select_data = true, select_weights = true;
  bool free_horizon = false;  ///< choose the horizon of least energy up to `epochs`
};

/// throws Error E201, E101, E108 (none of the known tables).
FileKind kind_of(const std::string& path);
/// All readers throw Error with every problem of the file: E101 (not TOML), E102 (unknown key), E103 (type), E104
/// (range), E105 (missing), E106 (unknown word), E107 (contradiction), E108 (another kind of file), E109 (a formula),
/// E201 (unreadable), E401, E502.
theory::ModeProblem read_problem(const std::string& path, const Overrides& overrides = {});
theory::TrainingSpec read_training(const std::string& path, const Overrides& overrides = {});
theory::TrainingSpec parse_training(const std::string& text, const std::string& name, const Overrides& overrides = {});
theory::ModeProblem parse_problem(const std::string& text, const std::string& name, const Overrides& overrides = {});
/// States keep the order of the file. Initial, final, bounds, weights and horizon may be formulas of parameters: they
/// are evaluated when the file is read, and do not follow a parameter that a solver varies; `--set` does, and a weight
/// that is the name of a parameter.
theory::ControlProblem read_control(const std::string& path, const Overrides& overrides = {});
theory::ControlProblem parse_control(const std::string& text, const std::string& name, const Overrides& overrides = {});
theory::PerceptronSpec read_perceptron(const std::string& path, const Overrides& overrides = {});
theory::PerceptronSpec parse_perceptron(const std::string& text, const std::string& name,
                                        const Overrides& overrides = {});
PlanRequest read_plan_request(const std::string& path, const Overrides& overrides = {});
theory::FlySpec read_fly(const std::string& path, const Overrides& overrides = {});
theory::FlySpec parse_fly(const std::string& text, const std::string& name, const Overrides& overrides = {});
/// A built-in name (metabolic, sram-7nm, hbm2, h100, ...) or the path of a TOML file.
theory::PriceList read_prices(const std::string& name_or_path);
theory::PriceList parse_prices(const std::string& text, const std::string& name, const Overrides& overrides = {});
theory::EnergyModel read_energy_model(const std::string& path);
theory::EnergyModel parse_energy_model(const std::string& text, const std::string& name,
                                       const Overrides& overrides = {});

/// The effective configuration, defaults included: reading it back gives an equal value.
std::string to_toml(const theory::TrainingSpec& spec);
std::string to_toml(const theory::ModeProblem& problem);
std::string to_toml(const theory::PriceList& prices);
std::string to_toml(const PlanRequest& request);
std::string to_toml(const theory::ControlProblem& problem);
std::string to_toml(const theory::FlySpec& spec);
std::string to_toml(const theory::PerceptronSpec& spec);
std::string to_toml(const theory::EnergyModel& model);

/// Every table and key with type, unit, range, default and meaning, as Markdown: the body of docs/toml.md.
std::string toml_reference();

}  // namespace eos::io
