// Shorthand for functions that state models: parameters by name in path and end formulas.
#pragma once

#include <string>
#include <utility>

#include "eos/theory/models.hpp"

namespace eos::theory {

inline ModelParameter number(std::string name, double value, std::string meaning, double lower, double upper,
                             std::string unit = "1") {
  return {std::move(name), value, std::move(unit), std::move(meaning), lower, upper, false};
}
inline ModelParameter count(std::string name, int value, std::string meaning, int lower, int upper) {
  return {std::move(name),
          static_cast<double>(value),
          "1",
          std::move(meaning),
          static_cast<double>(lower),
          static_cast<double>(upper),
          true};
}

/// A model from its description and a function that needs it, for the meanings of parameters.
inline Model make_entry(ModelInfo info, ControlProblem (*build)(const Model&, const ModelValues&)) {
  Model model{info, {}};
  model.build = [info = std::move(info), build](const ModelValues& values) { return build(Model{info, {}}, values); };
  return model;
}

/// A problem under construction. Declare states and controls, then call parameters(), then write formulas.
class ModelBuilder {
 public:
  explicit ModelBuilder(const ModelValues& values) : values_(values) {}

  ControlProblem problem;

  double value(const std::string& name) const { return values_.at(name); }
  int integer(const std::string& name) const { return static_cast<int>(values_.at(name)); }

  int state(std::string name, Interval initial, std::string meaning, Interval final = {}, Interval bounds = {}) {
    const int i = problem.add_state(std::move(name), initial, final, bounds);
    problem.states.back().meaning = std::move(meaning);
    return i;
  }
  int control(std::string name, Interval bounds, double guess, std::string meaning) {
    const int j = problem.add_control(std::move(name), bounds);
    problem.controls.back().guess = guess;
    problem.controls.back().meaning = std::move(meaning);
    return j;
  }
  /// Declares the named parameters of the model as parameters of the problem.
  void parameters(const Model& model, const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      for (const ModelParameter& p : model.info.parameters) {
        if (p.name != name) continue;
        problem.add_parameter(name, value(name), p.meaning);
        problem.parameters.back().unit = p.unit;
      }
    }
  }
  Expr path(const std::string& name) const { return problem.parameter(problem.find_parameter(name)); }
  Expr end(const std::string& name) const { return problem.end_parameter(problem.find_parameter(name)); }
  void dynamics(int state, Expr rate) { problem.states[static_cast<std::size_t>(state)].dynamics = std::move(rate); }
  void horizon(double value, std::string time_name) {
    problem.horizon.value = value;
    problem.time_name = std::move(time_name);
  }

 private:
  const ModelValues& values_;
};

}  // namespace eos::theory
