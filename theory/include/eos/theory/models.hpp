// Choose a learning problem of the literature by name and get it as a control problem, ready for any solver.
//
// A model is a title, a citation, parameters with defaults that repeat the paper, and a function that states the
// problem (control_problem.hpp). Parameters that may vary continuously without changing the form of the problem are
// parameters of the ControlProblem under the same name, so that one compiled problem serves a sweep; sizes, horizons,
// initial values and bounds are built in. States and controls carry the names of the papers. Adding a model: write a
// function that returns a Model and name it in the list of models.cpp.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "eos/theory/control_problem.hpp"

namespace eos::theory {

/// One number that a model takes.
struct ModelParameter {
  std::string name;
  double value = 0;  ///< default: what the paper used
  std::string unit = "1", meaning;
  double lower = -k_infinity, upper = k_infinity;  ///< allowed, both ends included
  bool integer = false;
};

struct ModelInfo {
  std::string name;   ///< as in TOML: lower case, hyphens
  std::string title;  ///< one line
  std::string paper;
  std::vector<ModelParameter> parameters;
};

/// Values of all parameters of a model by name.
using ModelValues = std::map<std::string, double>;

struct Model {
  ModelInfo info;
  std::function<ControlProblem(const ModelValues&)> build;  ///< pre: every parameter has an allowed value
};

/// All models, ordered by name.
const std::vector<ModelInfo>& models();
/// nullptr if there is none of that name.
const ModelInfo* find_model(const std::string& name);
/// The named problem; parameters that are not given keep their defaults.
/// throws Error E106: no such model; E102: no such parameter; E104: a value outside its range or not an integer.
ControlProblem make_model(const std::string& name, const ModelValues& parameters = {});

}  // namespace eos::theory
