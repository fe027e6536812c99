// A control problem as its TOML file states it: names, numbers and texts of formulas. Private to io/.
//
// bind() describes the keys once for reading, writing and the manual; compile() turns the texts into formulas over the
// slots of a theory::ControlProblem, and text_of() is its inverse.
#pragma once

#include "eos/theory/control_problem.hpp"
#include "toml_reader.hpp"

namespace eos::io {

/// A point (or the word "free"), or lower and upper.
struct IntervalText {
  Formula point, lower, upper;
};
/// What has a name of the user's choice, and where that stands.
struct NamedText {
  std::string name;
  int place = -1;
};
struct StateText : NamedText {
  Formula dynamics, guess;
  IntervalText initial, final, bounds;
  std::string unit = "1", meaning;
};
struct ControlVariableText : NamedText {
  Formula lower, upper, guess;
  std::string unit = "1", meaning;
};
struct ParameterText : NamedText {
  Formula value;
  std::string unit = "1", meaning;
};
struct DefinitionText : NamedText {
  Formula formula;
};
struct CostText : NamedText {
  Formula running, terminal, weight;
  std::string unit = "1";
};
struct ConstraintText : NamedText {
  Formula expression, lower, upper, equals;
};

struct ControlText {
  std::string model;  ///< empty, or the model that the rest changes
  std::vector<ParameterText> model_parameters;
  std::string title, source, time = "t", time_unit = "1";
  Formula horizon, horizon_guess, horizon_lower, horizon_upper;
  bool horizon_free = true;  ///< of a horizon stated as a table
  bool maximise = false;
  std::vector<ParameterText> parameters;
  std::vector<DefinitionText> definitions;
  std::vector<StateText> states;
  std::vector<ControlVariableText> controls;
  std::vector<CostText> costs;
  std::vector<ConstraintText> path, ends;
};

/// Table model.
void bind_model(Binder& b, ControlText& text);
/// Tables control_problem, parameters, definitions, states.NAME, controls.NAME, cost.NAME, path.NAME, ends.NAME.
void bind(Binder& b, ControlText& text);
/// Reports every problem of names and formulas; the result is meaningful when there was none.
theory::ControlProblem compile(Reading& reading, const ControlText& text);
/// The problem of a table model and the tables that change it. Reports every problem.
theory::ControlProblem read_control(Reading& reading, const toml::table& root);
/// Formulas that share large parts are stated with definitions.
ControlText text_of(const theory::ControlProblem& problem);

}  // namespace eos::io
