// The regression problem of the solver: 8 modes, power-law spectrum, 40 intervals.
#pragma once

#include <cmath>

#include "eos/theory/problem.hpp"

inline eos::theory::ModeProblem reference_problem(eos::theory::Rule rule) {
  eos::theory::ModeProblem p;
  for (int j = 1; j <= 8; ++j) {
    p.lambda.push_back(std::pow(j, -1.5));
    p.initial.push_back(std::pow(j, -.5));
  }
  p.batch = 4;
  p.noise_variance = 1;
  p.terminal_weight = 1;
  p.running_weight = .002;
  p.price_sample = .004;
  p.price_write = .003;
  p.horizon = 40;
  p.intervals = 40;
  p.rate_bounds = {0, .4};
  p.data_rule = p.weight_rule = rule;
  return p;
}

/// The discretisation for which the printed values of the reference problem hold.
inline eos::theory::ModeProblem printed_reference_problem(eos::theory::Rule rule) {
  eos::theory::ModeProblem p = reference_problem(rule);
  p.discretisation = {eos::theory::Scheme::rk4, 2, rule == eos::theory::Rule::ranked ? 2 : -1};
  return p;
}
