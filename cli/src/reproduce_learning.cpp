// Rows of `eos reproduce`: the theory of optimal schedules of learning.
#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "eos/core/parallel.hpp"
#include "eos/core/philox.hpp"
#include "eos/sim/linear_student.hpp"
#include "eos/solvers/control.hpp"
#include "eos/solvers/hjb.hpp"
#include "eos/solvers/solve.hpp"
#include "eos/theory/closed_forms.hpp"
#include "eos/theory/committee_facts.hpp"
#include "eos/theory/curriculum.hpp"
#include "eos/theory/mode_model.hpp"
#include "eos/theory/models.hpp"
#include "eos/theory/perceptron.hpp"
#include "eos/theory/power_schedule.hpp"
#include "eos/theory/pruning.hpp"
#include "eos/theory/synaptic_cache.hpp"
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

std::vector<Finding> committee_plateau() {
  const theory::CommitteePlateau p = theory::committee_plateau(3);
  return {printed("Q*", .2000, p.student_overlap, 1e-4), printed("R*", .2582, p.teacher_overlap, 1e-4),
          printed("plateau error", .02030, p.error, 1e-5), printed("escape rate / eta", .04612, p.escape_rate, 1e-5),
          printed("largest stable eta", 1.621, theory::largest_stable_rate(3), 1e-3)};
}

std::vector<Finding> annealing_threshold() {
  std::vector<Finding> findings;
  for (const int k : {2, 3, 5})
    findings.push_back(printed(fmt::format("smallest eta_0, K = {}", k), 10.154, theory::annealing_threshold(k), 1e-3));
  findings.push_back(printed("best eta_0, K = 1", 2.7207, theory::annealing_optimum(1), 1e-4));
  return findings;
}

/// eps_g of one erf unit of norm Q that learns from a teacher of norm 1 at overlap R.
double erf_unit_error(double overlap, double norm) {
  const auto i2 = [](double c12, double c11, double c22) {
    return 2 * std::numbers::inv_pi * std::asin(c12 / std::sqrt((1 + c11) * (1 + c22)));
  };
  return .5 * i2(norm, norm, norm) + .5 * i2(1, 1, 1) - i2(overlap, norm, 1);
}

std::vector<Finding> global_rule() {
  const theory::OptimalErfRule rule = theory::optimal_erf_rule({1}, {0}, {.25}, 1, 4);
  const double r = rule.teacher_overlap[0], q = rule.student_overlap[0];
  return {printed("R", .98168, r, 1e-5), printed("Q", .98626, q, 1e-5),
          printed("generalisation error", 4.203e-3, erf_unit_error(r, q), 1e-6)};
}

std::vector<Finding> curriculum() {
  theory::Curriculum setting;
  setting.easy_share = 120. / 241;  // the released program divides the easy steps by the number of nodes
  const int steps = 240, easy = 120;
  std::vector<bool> first(steps), last(steps);
  for (int i = 0; i < steps; ++i)
    first[static_cast<std::size_t>(i)] = i < easy, last[static_cast<std::size_t>(i)] = i >= easy;
  const theory::TwoSwitchSchedule best = theory::best_two_switch_curriculum(setting, steps, easy);
  return {printed("error, easy to hard", .15570, theory::evaluate_curriculum(setting, first), 1e-5),
          printed("error, hard to easy", .16275, theory::evaluate_curriculum(setting, last), 1e-5),
          {"error, easy-hard-easy", .14655, best.error, 5e-6, Judge::at_most},
          printed("first switch, alpha", 2.8, setting.horizon * best.first_easy / steps, .1)};
}

std::vector<Finding> pruning() {
  struct Row {
    double samples, fraction, hard, random, easy;
  };
  std::vector<Finding> findings;
  for (const Row& row :
       {Row{2, .5, .3298, .2657, .2119}, Row{8, .25, .3125, .1885, .1421}, Row{8, .5, .0706, .1137, .1386}})
    for (const auto& [keep, word, value] : {std::tuple{theory::Keep::hard, "hard", row.hard},
                                            {theory::Keep::random, "random", row.random},
                                            {theory::Keep::easy, "easy", row.easy}}) {
      const auto s = theory::solve_pruning({std::numbers::pi / 9, row.samples, row.fraction, keep});
      findings.push_back(
          {fmt::format("error, alpha = {}, f = {}, keep {}", row.samples, row.fraction, word), value, s.error, .002});
    }
  return findings;
}

std::vector<Finding> power_law_schedule() {
  std::vector<Finding> findings;
  for (const auto& [beta, loss] : {std::pair{1.5, 6.13878e-3}, {2.0, 4.16000e-3}, {3.0, 2.67075e-3}}) {
    theory::PowerLawTask task;
    task.capacity = beta;
    findings.push_back(printed(fmt::format("loss, s = 1, beta = {}, N = 1e5", beta), loss,
                               theory::optimal_power_schedule(task).loss(), 1e-8));
  }
  struct Hard {
    double steps, loss, fraction;
  };
  for (const Hard& h : {Hard{1e4, .0751280, .2486}, Hard{1e5, .0364682, .2038}, Hard{1e6, .0177253, .1614}}) {
    const theory::PowerSchedule s = theory::optimal_power_schedule({.3, 2, .05, h.steps, 1});
    findings.push_back(printed(fmt::format("loss, s = .3, N = {:.0e}", h.steps), h.loss, s.loss(), 1e-7));
    findings.push_back(
        printed(fmt::format("share of steps that decay, N = {:.0e}", h.steps), h.fraction, s.decay_fraction(), 1e-4));
  }
  return findings;
}

std::vector<Finding> perceptron_queries() {
  const auto left = [](double overlap) { return 1 - overlap * overlap; };
  return {printed("1 - R^2 after queries", .1422, left(theory::query_overlap(.2, 3)), 1e-4),
          printed("1 - R^2 after random examples", .3388, left(theory::unselected_overlap(.2, 3)), 1e-4),
          printed("limit of the band, c R / sqrt(1 - R^2)", 1.400, theory::screened_limit().band, 1e-3),
          printed("limit of error x screened", 1.589, theory::screened_limit().error, 1e-3)};
}

theory::ControlSolution solve_model(const std::string& name, const theory::ModelValues& values = {}) {
  return solvers::solve(theory::make_model(name, values));
}

std::vector<Finding> dropout() {
  const theory::ControlSolution s = solve_model("dropout");
  return {{"J = eps_g / 2", 1.18988e-2, s.objective, 2e-6},
          {"J of the best constant p", 1.26490e-2, s.objective, 0, Judge::at_most},
          {"J without dropout", 1.74281e-2, s.objective, 0, Judge::at_most},
          printed("p_F", .742, s.states.back().back(), 1e-3)};
}

std::vector<Finding> denoising() {
  const theory::ControlSolution low = solve_model("denoising", {{"Delta_F", .1}}), high = solve_model("denoising");
  return {{"error, Delta_F = .1", 8.79387, low.objective, 1e-4},
          {"error, Delta_F = .3", 9.42690, high.objective, 1e-4},
          {"error of constant noise, .1", 8.88674, low.objective, 0, Judge::at_most},
          {"error of constant noise, .3", 9.51975, high.objective, 0, Judge::at_most}};
}

std::vector<Finding> effort_law() {
  const theory::ControlSolution one = solve_model("effort"),
                                two = solve_model("effort", {{"e_20", 1.2}, {"lambda_2", .3}});
  std::vector<Finding> findings{printed("e(T), one mode", .228894, one.states[0].back(), 1e-6),
                                printed("J, one mode", .8199519, one.objective, 1e-7)};
  const auto loss = [&two](std::size_t k) {
    return .5 * 1.2 * two.states[0][k] * two.states[0][k] + .5 * .3 * two.states[1][k] * two.states[1][k];
  };
  for (const double share : {.0, .25, .5}) {
    const auto k = static_cast<std::size_t>(share * static_cast<double>(two.time.size() - 1));
    findings.push_back(relative(fmt::format("eta({:.2f}), two modes, by the law", two.time[k]),
                                std::sqrt(2 * (loss(k) - loss(two.time.size() - 1)) / .4), two.controls[0][k], .01));
  }
  return findings;
}

/// m' = -rho lambda^2 m^2/Sigma: 1/m grows linearly, which semi-Lagrangian steps use.
class PricedDataModel : public solvers::HjbModel {
 public:
  explicit PricedDataModel(const theory::PricedData& form) : form_(form) {}
  int states() const override { return 1; }
  int affine_controls() const override { return 1; }
  std::vector<double> lower() const override { return {0}; }
  std::vector<double> upper() const override { return {1}; }
  void coefficients(int, const solvers::HjbPoints& points, const solvers::HjbCoefficients& out) const override {
    for (std::int64_t k = 0; k < points.count; ++k) {
      const double m = points.x[0][k];
      out.running[k] = form_.time_price, out.price_abs[0][k] = form_.sample_price;
      out.gain[0][0][k] = -speed() * m * m;
    }
  }
  bool flow(int, const double* x, const double* u, double duration, double* to) const override {
    to[0] = 1 / (1 / x[0] + u[0] * duration * speed());
    return true;
  }

 private:
  double speed() const { return form_.lambda * form_.lambda / form_.noise; }
  theory::PricedData form_;
};

std::vector<Finding> hjb_priced_data() {
  theory::PricedData form;
  form.lambda = 1, form.noise = .05, form.sample_price = .02, form.time_price = .01, form.weight = 1;
  solvers::HjbProblem problem;
  problem.model = std::make_shared<PricedDataModel>(form);
  problem.grid.axes = {{.01, 2, 4001, solvers::Spacing::logarithmic}};
  problem.stop = [](const double* x) { return x[0]; };
  solvers::HjbOptions options;
  options.scheme = solvers::HjbScheme::semi_lagrangian;
  options.cells = 4, options.tolerance = 1e-12;
  const solvers::HjbSolution s = solvers::solve_hjb(problem, options);
  double worst = 0, last_stop = 0;
  for (std::int64_t k = 0; k < problem.grid.size(); ++k) {
    double m = 0;
    problem.grid.point(k, &m);
    worst = std::max(worst, std::fabs(s.value()[static_cast<std::size_t>(k)] - form.value(m)));
    if (s.stops(0, &m)) last_stop = std::max(last_stop, m);
  }
  return {
      printed("m_s, closed form", .03873, form.stop_error(), 1e-5),
      {"m_s, where the grid stops", .03873, last_stop, 1e-4, Judge::near, "one cell of the grid is 5e-5 wide there"},
      {"largest error of V", 1e-6, worst, 0, Judge::at_most}};
}

/// Mean cost rate of walks with unit steps every 1/steps_per_unit that are written and restarted at the threshold.
double simulated_cache_rate(double theta, double upkeep, std::uint32_t walk) {
  constexpr int k_steps = 400000;
  constexpr double k_step = .25;  // of s; variance 1 per unit of time
  double s = 0, cost = 0;
  for (int i = 0; i < k_steps; ++i) {
    core::Address a;
    a.run = walk, a.index = static_cast<std::uint32_t>(i);
    s += core::uniform(5, a) < .5 ? k_step : -k_step;
    cost += upkeep * std::fabs(s) * k_step * k_step;
    if (std::fabs(s) >= theta - 1e-9) cost += std::fabs(s), s = 0;
  }
  return cost / (k_steps * k_step * k_step);
}

std::vector<Finding> synaptic_cache() {
  const theory::DriftingCache cache{1, .02, 0};
  std::vector<Finding> findings{
      printed("theta*", 12.247, cache.best_threshold(), 1e-3),
      printed("least cost rate", .16330, cache.least_cost_rate(), 1e-5),
      printed("saving against steps of .1", 61, cache.uncached_rate(.1) / cache.least_cost_rate(), 1)};
  for (const auto& [theta, formula] : {std::pair{6., .2067}, {12., .1633}, {24.5, .2042}}) {
    double rate = 0;
    constexpr int k_walks = 40;
    for (std::uint32_t w = 0; w < k_walks; ++w) rate += simulated_cache_rate(theta, cache.upkeep, w) / k_walks;
    // .2042 is printed for .20415: allow the whole last digit.
    findings.push_back({fmt::format("cost rate, theta = {}", theta), formula, cache.cost_rate(theta), 1e-4});
    findings.push_back(relative(fmt::format("simulated, theta = {}", theta), formula, rate, .02));
  }
  return findings;
}

/// The recursion of the mode model against published simulations and against our own.
std::vector<Finding> minibatch_recursion() {
  struct Case {
    theory::Rule data, weight;
    double rho, kappa, published;
    const char* words;
  };
  using theory::Rule;
  constexpr int k_steps = 80, k_replicates = 1000;
  std::vector<Finding> findings;
  for (const Case& c : {Case{Rule::all, Rule::all, 1, 1, .02292, "everything"},
                        {Rule::random, Rule::all, .25, 1, .09672, "random .25"},
                        {Rule::ranked, Rule::all, .25, 1, .03342, "hard .25"},
                        {Rule::all, Rule::random, 1, .3, .08284, "weights .3"},
                        {Rule::ranked, Rule::random, .25, .3, .11130, "hard .25, weights .3"}}) {
    theory::ModeProblem p;
    for (int j = 1; j <= 24; ++j) p.lambda.push_back(std::pow(j, -1.3)), p.initial.push_back(std::pow(j, -.7));
    p.batch = 64, p.noise_variance = .25, p.data_rule = c.data, p.weight_rule = c.weight;
    const theory::Controls u{c.rho, c.kappa, .15};
    const theory::ModeModel model(p);
    std::vector<double> m = p.initial, next(m.size());
    for (int t = 0; t < k_steps; ++t) model.step(m, u, next), m = next;
    findings.push_back(relative(fmt::format("excess loss, {}", c.words), c.published, model.loss(m), .005));
    if (c.data != Rule::ranked || c.weight != Rule::random) continue;
    const sim::StudentStatistics students =
        sim::simulate_students(p, u, k_steps, k_replicates, 1, core::available_threads());
    findings.push_back({fmt::format("the same, simulated now ({} students)", k_replicates), students.loss,
                        model.loss(m), .005 * students.loss + 3 * students.loss_error});
  }
  return findings;
}

}  // namespace

void add_learning_rows(std::vector<Reproduction>& rows) {
  const std::string group = "Optimal schedules of learning";
  rows.push_back({"committee-plateau", group,
                  "a soft committee machine stalls on a symmetric plateau and escapes at a known rate",
                  "K = M = 3, T = I, eta -> 0; eta_max from the eigenvalues at specialisation",
                  "Saad & Solla, PRE 52, 4225 (1995)", true, committee_plateau});
  rows.push_back(
      {"annealing-threshold", group, "eta_0/alpha gives a 1/alpha error only above a threshold that K does not change",
       "linearisation about specialisation", "Leen, Schottky & Saad, NIPS 10, 301 (1997)", true, annealing_threshold});
  rows.push_back({"global-rule", group, "the globally optimal rule of an erf unit beats any learning rate",
                  "alpha = 4 from R = 0, Q = .25", "Rattray & Saad, NIPS 10, 322 (1998)", true, global_rule});
  rows.push_back({"curriculum", group, "the best curriculum is not monotone: easy, hard, easy",
                  "eta = 3, T = 2, Delta in {0, 2}, 240 Euler steps to alpha = 12, half of them easy",
                  "Mignacco & Mori, arXiv:2507.07907, section 3.1", true, curriculum});
  rows.push_back({"dropout", group, "the best activation probability falls from 1 after a while",
                  "K = 2, M = 1, eta = 1, sigma = .2, alpha_F = 5; p(alpha) and p_F free",
                  "Mignacco & Mori, arXiv:2507.07907, section 3.2", true, dropout});
  rows.push_back({"denoising", group, "the best training noise starts high, nearly vanishes and returns",
                  "two clusters, N = 1000, sigma = .1, eta = 5, scaled time 4",
                  "Mignacco & Mori, arXiv:2507.07907, section 3.3", true, denoising});
  rows.push_back({"effort-law", group, "effort follows the square root of what is still to be gained",
                  "lambda = 1.2, c = .4, e_0 = 1.6, T = 3; a second mode of lambda = .3, e_0 = 1.2",
                  "idea: Njaradi et al., arXiv:2601.07830; law derived here", true, effort_law});
  rows.push_back({"pruning", group, "with little data keep the easy examples, with much data the hard ones",
                  "theta = 20 degrees; max-margin student", "Sorscher et al., NeurIPS 2022", true, pruning});
  rows.push_back({"power-law-schedule", group,
                  "learning-rate schedule of least loss under the functional scaling law, at finite length",
                  "sigma^2 = 1 without a cap; hard task: s = .3, beta = 2, sigma^2 = .05, eta_max = 1",
                  "Li et al., arXiv:2602.06797; finite-N numbers derived here", true, power_law_schedule});
  rows.push_back({"perceptron-queries", group,
                  "queries learn exponentially, and lose the advantage when screening is charged",
                  "N -> infinity, R_0 = .2, alpha = 3",
                  "Kinzel & Rujan (1990), Kinouchi & Caticha (1992); numbers derived here", true, perceptron_queries});
  rows.push_back({"minibatch-recursion", group,
                  "the closed recursion of mini-batch learning with chosen samples and weights is exact",
                  "24 modes lambda = j^-1.3, m_j(0) = j^-.7, B = 64, eta = .15, sigma^2 = .25, 80 steps",
                  "derived here; simulation", true, minibatch_recursion});
  rows.push_back({"hjb-priced-data", group, "learn with all data until the price is no longer met, then stop",
                  "c = .02, c_0 = .01, Sigma = .05; semi-Lagrangian, 4001 points, exact flow", "derived here", true,
                  hjb_priced_data});
  rows.push_back({"synaptic-cache", group,
                  "a cache that is written at theta* = sqrt(3 D/c) saves the fluctuating part of the energy",
                  "c = .02, D = 1; 40 walks of 25000 units of time each",
                  "after Li & van Rossum, eLife 9:e50804 (2020); numbers derived here", true, synaptic_cache});
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
