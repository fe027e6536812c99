// Rows of `eos reproduce`: test problems of optimal control with known solutions, from examples/gold.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "eos/core/error.hpp"
#include "eos/io/toml.hpp"
#include "eos/solvers/control.hpp"
#include "reproduce.hpp"

namespace eos::cli {

namespace {

using theory::Method;

struct Gold {
  const char* name;
  const char* file;
  double objective;
  double accuracy;                          ///< of the objective, relative, or absolute below 1
  std::vector<double> switches = {};        ///< of the control
  std::vector<double> costates = {};        ///< p(0)
  double horizon = 0;                       ///< T where it is free
  Method second = Method::hermite_simpson;  ///< beside auto
  int intervals = 50;                       ///< of the second method; other than 50: of its only mesh
  bool fast = true;
  const char* claim;
  const char* source;
};

constexpr double k_smooth = 1e-10, k_switched = 1e-8, k_times = 1e-8, k_costates = 1e-6;

const std::vector<Gold>& golds() {
  static const std::vector<Gold> rows = {
      {.name = "P1",
       .file = "double_integrator",
       .objective = 6,
       .accuracy = k_smooth,
       .claim = "least-effort motion of a point mass",
       .source = "textbook, exact"},
      {.name = "P2",
       .file = "minimum_time",
       .objective = 2,
       .accuracy = k_switched,
       .switches = {1},
       .horizon = 2,
       .claim = "point mass to rest in least time",
       .source = "Pontryagin et al. (1962); exact"},
      {.name = "P3",
       .file = "bryson_denham",
       .objective = 4,
       .accuracy = k_switched,
       .claim = "point mass below a ceiling: a constrained arc",
       .source = "Bryson & Ho (1975): 4/(9 l), l = 1/9"},
      {.name = "P4",
       .file = "van_der_pol",
       .objective = 2.86726104522167,
       .accuracy = k_smooth,
       .switches = {.04860831, 1.04711243, 1.43263110},
       .costates = {.83293889, 4.88565864},
       .claim = "Van der Pol oscillator with a bounded input",
       .source = "Vassiliadis (1993); value by high-order shooting"},
      {.name = "P5",
       .file = "rayleigh",
       .objective = 29.3760796559429,
       .accuracy = k_smooth,
       .costates = {-8.73706256, -2.58139819},
       .claim = "Rayleigh oscillator, unbounded input",
       .source = "PROPT manual: 29.376079656023"},
      {.name = "P6",
       .file = "goddard",
       .objective = 1.01283691831749,
       .accuracy = k_switched,
       .switches = {.02350968404147, .07267074344},
       .horizon = .19885626210516,
       .second = Method::adjoint,
       .intervals = 400,
       .fast = false,
       .claim = "Goddard's rocket: bang, singular, coast",
       .source = "COPS 3 (2004); value by high-order shooting"},
      {.name = "P7",
       .file = "brachistochrone",
       .objective = 1.80160312245308,
       .accuracy = k_smooth,
       .claim = "curve of quickest descent",
       .source = "Bernoulli (1696): a cycloid"},
      {.name = "P8",
       .file = "bang_singular_luus",
       .objective = .753983860575889,
       .accuracy = k_switched,
       .switches = {1.41376408763006},
       .claim = "bang, then a singular arc",
       .source = "Luus (1993); closed form"},
      {.name = "P9",
       .file = "bang_singular_bressan",
       .objective = 55.5555555555556,
       .accuracy = k_switched,
       .switches = {10. / 3},
       .claim = "bang, then a singular arc, maximised",
       .source = "Bressan: T^3/18"},
      {.name = "P10",
       .file = "aly_chan",
       .objective = 0,
       .accuracy = k_switched,
       .claim = "singular all the way",
       .source = "Aly & Chan, Int. J. Control 17 (1973)"},
      {.name = "P11",
       .file = "catalyst_mixing",
       .objective = -.0480556858608775,
       .accuracy = k_switched,
       .switches = {.136299034594555, .725230107591655},
       .second = Method::radau,
       .claim = "catalyst mixing: bang, singular, bang",
       .source = "Gunn & Thomas (1965); value by high-order shooting"},
      {.name = "P12",
       .file = "least_fuel",
       .objective = .763932022500210,
       .accuracy = k_switched,
       .switches = {.381966011250105, 2.618033988749895},
       .claim = "least fuel: push, coast, brake",
       .source = "closed form T - sqrt(T^2 - 4 d)"},
      {.name = "P13",
       .file = "hyper_sensitive",
       .objective = 1.33080690494300,
       .accuracy = k_switched,
       .claim = "hyper-sensitive regulator over T = 10^4",
       .source = "closed form by the value function"},
      {.name = "P14",
       .file = "fuller",
       .objective = .268393830568911,
       .accuracy = k_switched,
       .claim = "Fuller's problem: infinitely many switches in finite time",
       .source = "Fuller (1963); closed form"},
      {.name = "P15",
       .file = "turnpike",
       .objective = .375,
       .accuracy = k_switched,
       .switches = {1, 1.5},
       .claim = "bang, stay, bang",
       .source = "exact"},
      {.name = "P16",
       .file = "singular_free_time",
       .objective = 10. / 3,
       .accuracy = k_switched,
       .switches = {1, 3},
       .horizon = 4,
       .claim = "singular arc with free time",
       .source = "Locatelli (2017), section 11.2"},
      {.name = "price-of-effort",
       .file = "price_of_effort",
       .objective = .326896200691667,
       .accuracy = k_smooth,
       .claim = "decay by an effort with a quadratic price: constant, by Lambert's W",
       .source = "derived here"},
  };
  return rows;
}

/// examples/gold of the source tree or of the installation.
std::string gold_file(const std::string& name) {
  for (const std::string& root : {std::string(EOS_SOURCE_DIR), std::string(EOS_INSTALL_DATADIR)}) {
    const std::string path = fmt::format("{}/examples/gold/{}.toml", root, name);
    if (std::filesystem::exists(path)) return path;
  }
  throw core::Error("E201", fmt::format("examples/gold/{}.toml was not found", name),
                    "run eos from its source tree or install it");
}

double at_start(const std::vector<double>& values) {
  return values.empty() ? std::numeric_limits<double>::quiet_NaN() : values.front();
}

void compare(const Gold& gold, const theory::ControlProblem& problem, Method method, std::vector<Finding>& findings) {
  solvers::ControlOptions options;
  options.method = method;
  if (method != Method::automatic && gold.intervals != options.intervals)
    options.intervals = gold.intervals, options.max_refinements = 0;
  const theory::ControlSolution s = solvers::solve(problem, options);
  const std::string by =
      method == Method::automatic ? fmt::format("auto ({})", to_string(s.method)) : to_string(method);
  const double scale = std::max(1.0, std::fabs(gold.objective));
  findings.push_back({"J, " + by, gold.objective, s.objective, gold.accuracy * scale, Judge::near,
                      s.ok() ? "" : theory::to_string(s.status) + ": " + s.message});
  if (method != Method::automatic) return;
  if (gold.horizon > 0) findings.push_back({"T, " + by, gold.horizon, s.horizon, k_times * gold.horizon});
  for (std::size_t i = 0; i < gold.switches.size(); ++i) {
    double nearest = std::numeric_limits<double>::quiet_NaN();
    for (const double t : s.switch_times)
      if (!(std::fabs(t - gold.switches[i]) >= std::fabs(nearest - gold.switches[i]))) nearest = t;
    findings.push_back({fmt::format("switch {}", i + 1), gold.switches[i], nearest, std::max(k_times, 5e-9)});
  }
  for (std::size_t i = 0; i < gold.costates.size(); ++i)
    findings.push_back({fmt::format("costate of {} at 0", problem.states[i].name), gold.costates[i],
                        s.costates.empty() ? std::numeric_limits<double>::quiet_NaN() : at_start(s.costates[i]),
                        k_costates});
}

std::vector<Finding> solve_gold(const Gold& gold) {
  const theory::ControlProblem problem = io::read_control(gold_file(gold.file));
  std::vector<Finding> findings;
  for (const Method method : {Method::automatic, gold.second}) compare(gold, problem, method, findings);
  return findings;
}

/// No certified optimum: equal constant pieces, as published, without the bound that single shooting cannot keep (x4 >=
/// 0 holds by itself).
std::vector<Finding> park_ramirez() {
  const theory::ControlProblem problem = io::read_control(gold_file("park_ramirez"), {{"states.x4.lower=-inf"}});
  std::vector<Finding> findings;
  for (const auto& [pieces, published] : {std::pair{150, 32.687726950}, {300, 32.694075920}}) {
    solvers::ControlOptions options;
    options.method = Method::adjoint;
    options.intervals = pieces;
    options.max_refinements = 0;
    findings.push_back(relative(fmt::format("J, {} constant pieces", pieces), published,
                                solvers::solve(problem, options).objective, 1e-4));
  }
  return findings;
}

}  // namespace

void add_control_rows(std::vector<Reproduction>& rows) {
  for (const Gold& gold : golds())
    rows.push_back({gold.name, "Optimal control with known solutions", gold.claim,
                    fmt::format("examples/gold/{}.toml, 50 intervals at first, constant guess", gold.file), gold.source,
                    gold.fast, [&gold] { return solve_gold(gold); }});
  rows.push_back({"P17", "Optimal control with known solutions",
                  "fed-batch bioreactor: a stress test with singular arcs",
                  "examples/gold/park_ramirez.toml, single shooting on equal constant pieces",
                  "Park & Ramirez, AIChE J. 34, 1550 (1988); best feasible values known", false, park_ramirez});
}

}  // namespace eos::cli
