// Rows of `eos reproduce`: the theory of optimal schedules of learning.
#include <cmath>

#include "eos/io/toml.hpp"
#include "eos/solvers/solve.hpp"
#include "eos/theory/closed_forms.hpp"
#include "reproduce.hpp"

namespace eos::cli {

namespace {

using theory::CaptureCurve;

std::vector<Finding> constant_then_decay() {
  const theory::NoisyMode mode{1, .05, 2, .5};
  return {printed("switch time t_s", 5.06890, mode.switch_time(), 1e-5),
          printed("m(12)", 5.5984e-3, mode.error(12), 1e-7)};
}

std::vector<Finding> hard_fraction() {
  const theory::HardFraction f = theory::hard_fraction(CaptureCurve::gaussian(), .5);
  return {printed("share of the batch", .3221, f.fraction, 1e-4), printed("saving", 1.471, f.saving, 1e-3)};
}

/// Eight modes, one of three choices of samples and weights; see examples/reference_*.toml.
theory::ModeProblem reference(theory::Rule rule) {
  theory::ModeProblem p;
  for (int j = 1; j <= 8; ++j) {
    p.lambda.push_back(std::pow(j, -1.5));
    p.initial.push_back(std::pow(j, -.5));
  }
  p.batch = 4, p.noise_variance = 1, p.horizon = 40, p.intervals = 40;
  p.terminal_weight = 1, p.running_weight = .002, p.price_sample = .004, p.price_write = .003;
  p.data_rule = p.weight_rule = rule;
  p.rate_bounds = {0, .4};
  p.discretisation.scheme = theory::Scheme::rk4;
  p.discretisation.steps = 2;
  p.discretisation.rest_intervals = rule == theory::Rule::ranked ? 2 : -1;
  return p;
}

std::vector<Finding> reference_problem() {
  const theory::Plan dense = solvers::solve(reference(theory::Rule::all)),
                     random = solvers::solve(reference(theory::Rule::random)),
                     ranked = solvers::solve(reference(theory::Rule::ranked));
  return {relative("J, everything", .324634, dense.objective, 1e-5),
          relative("J, random choice", .191722, random.objective, 1e-5),
          printed("loss at T, random", .103448, random.terminal_loss, 1e-6),
          printed("energy, random", .077203, random.energy, 1e-6),
          relative("J, ranked choice", .142868, ranked.objective, 2e-5),
          printed("loss at T, ranked", .070845, ranked.terminal_loss, 1e-6),
          printed("energy, ranked", .059887, ranked.energy, 1e-6),
          {"drift of H, ranked", 1e-5, ranked.certificate.hamiltonian_drift, 0, Judge::at_most}};
}

}  // namespace

void add_learning_rows(std::vector<Reproduction>& rows) {
  const std::string group = "Optimal schedules of learning";
  rows.push_back({"constant-then-decay", group, "one noisy mode: a constant learning rate, then 1/t",
                  "lambda = 1, Sigma = .05, eta_max = .5, m(0) = 2, T = 12; closed form",
                  "Li, Tai & E, ICML 2017, section 4; numbers derived here", true, constant_then_decay});
  rows.push_back({"hard-fraction", group, "screen every sample and train on the hardest third: 1.47 times less energy",
                  "backward = 2 forward passes, Gaussian residuals; a^2 (r + rho) = phi(rho)", "derived here", true,
                  hard_fraction});
  rows.push_back({"reference-problem", group, "the energy-optimal schedule of eight modes under three rules of choice",
                  "lambda_j = j^-1.5, T = 40, 40 intervals, RK4 with 2 steps each; discrete adjoint and quasi-Newton",
                  "derived here", true, reference_problem});
}

}  // namespace eos::cli
