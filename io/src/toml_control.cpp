// Control problems from TOML: stated in full, or a model of the literature with changes.
#include "toml_control.hpp"

#include <fmt/format.h>

#include <cmath>

#include "eos/theory/models.hpp"

namespace eos::io {

namespace {

/// The values that [model.parameters] gives; reports names that the model does not have.
theory::ModelValues model_values(Reading& reading, const ControlText& stated, const theory::ModelInfo& info) {
  std::vector<std::string> known;
  for (const theory::ModelParameter& p : info.parameters) known.push_back(p.name);
  theory::ModelValues values;
  for (const ParameterText& p : stated.model_parameters) {
    if (std::find(known.begin(), known.end(), p.name) == known.end()) {
      reading.report(reading.place(p.place), "E102", fmt::format("model '{}' has no parameter '{}'", info.name, p.name),
                     core::suggest(p.name, known));
      continue;
    }
    std::vector<theory::ExpressionProblem> problems;
    const theory::Expr y =
        p.value.number.has_value() ? *p.value.number : theory::parse_expression(p.value.text, {}, problems);
    for (const theory::ExpressionProblem& problem : problems)
      reading.report_in_text(p.value.place, problem.position, "E109",
                             fmt::format("model.parameters.{}: {}", p.name, problem.message), problem.help);
    if (problems.empty()) values[p.name] = y.constant();
  }
  return values;
}

/// The statement of the named model. Throws when it cannot be built: nothing else can be checked then.
ControlText model_text(Reading& reading, TableReader& top) {
  ControlText stated;
  bind_model(top, stated);
  reading.finish();
  const theory::ModelValues values = model_values(reading, stated, *theory::find_model(stated.model));
  reading.finish();
  try {
    return text_of(theory::make_model(stated.model, values));
  } catch (const core::Error& error) {
    reading.adopt(error);
    reading.finish();
    throw;
  }
}

}  // namespace

theory::ControlProblem read_control(Reading& reading, const toml::table& root) {
  TableReader top(reading, &root, "");
  ControlText stated;
  if (root.contains("model")) stated = model_text(reading, top);
  bind(top, stated);
  top.finish();
  return compile(reading, stated);
}

}  // namespace eos::io
