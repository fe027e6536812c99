// What `eos explain METHOD` says about each selection and plasticity preset, and about each solver.
#pragma once

#include <string>
#include <vector>

namespace eos::cli {

struct MethodExplanation {
  std::string kind;      ///< "selection" (which samples) or "plasticity" (which weights)
  std::string name;      ///< of the preset
  std::string rule;      ///< in words
  std::string equation;  ///< the decision
  std::string paper;     ///< where it comes from
  std::string cost;      ///< per offered sample or per update; F forward, B backward MACs of one sample, k share kept
  std::string use;       ///< when to use it and when not
};

/// One row per preset of theory::selection_presets() and theory::plasticity_presets().
const std::vector<MethodExplanation>& method_explanations();
/// The part of it about write rules and synaptic caching.
std::vector<MethodExplanation> write_rule_explanations();

/// One method of `eos plan --method`.
struct SolverExplanation {
  std::string name, rule, paper, order, use;
};
/// One row per name of theory::method_names(), in their order.
const std::vector<SolverExplanation>& solver_explanations();

}  // namespace eos::cli
