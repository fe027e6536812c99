// What `eos explain METHOD` says about each selection and plasticity preset, and about each solver.
#pragma once

#include <string>
#include <vector>

namespace eos::cli {

struct MethodExplanation {
  std::string kind;      ///< "selection" (which samples), "plasticity" (which weights) or "optimiser" (how fast)
  std::string name;      ///< of the preset, or of the law of the learning rate
  std::string rule;      ///< in words
  std::string equation;  ///< the decision
  std::string paper;     ///< where it comes from
  std::string cost;      ///< per offered sample or per update; F forward, B backward MACs of one sample, k share kept
  std::string use;       ///< when to use it and when not
};

/// The rows of weight methods that decide which units, layers and connections learn.
std::vector<MethodExplanation> structure_methods();
/// One row per preset of theory::selection_presets() and theory::plasticity_presets(), and for the rate law effort.
/// Each has a commented example, examples/methods/KIND/NAME.toml.
const std::vector<MethodExplanation>& method_explanations();
/// The part of it about write rules and synaptic caching.
std::vector<MethodExplanation> write_rule_explanations();
/// Laws of the learning rate that are methods of their own.
std::vector<MethodExplanation> rate_law_explanations();

/// One method of `eos plan --method`.
struct SolverExplanation {
  std::string name, rule, paper, order, use;
};
/// One row per name of theory::method_names(), in their order.
const std::vector<SolverExplanation>& solver_explanations();

}  // namespace eos::cli
