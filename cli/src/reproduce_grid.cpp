// Rows of `eos reproduce`: Hamilton-Jacobi-Bellman equations on grids.
#include <cmath>
#include <limits>
#include <numbers>

#include "eos/solvers/hjb_control.hpp"
#include "reproduce.hpp"

namespace eos::cli {

namespace {

using solvers::Edge;
using solvers::HjbOptions;
using solvers::HjbProblem;
using solvers::HjbScheme;
using theory::ControlProblem;
using theory::Expr;
using theory::Interval;

constexpr double k_forever = std::numeric_limits<double>::infinity();
constexpr double k_nothing = std::numeric_limits<double>::quiet_NaN();

solvers::HjbAxis axis(double lower, double upper, std::int64_t points, Edge edge) {
  return {lower, upper, points, solvers::Spacing::uniform, edge, edge};
}

/// x' = drift + u, |u| <= limit.
ControlProblem steered(double limit) {
  ControlProblem p;
  p.add_state("x", Interval::point(1));
  p.add_control("u", {-limit, limit});
  p.states[0].dynamics = p.u(0);
  return p;
}

/// x1' = x2, x2' = u, |u| <= 1.
ControlProblem point_mass() {
  ControlProblem p;
  p.add_state("x1", {});
  p.add_state("x2", {});
  p.add_control("u", {-1, 1});
  p.states[0].dynamics = p.x(1);
  p.states[1].dynamics = p.u(0);
  return p;
}

HjbProblem on_grid(const ControlProblem& problem, solvers::HjbGrid grid) {
  HjbProblem p;
  p.model = solvers::hjb_model_of(problem, grid).model;
  p.grid = std::move(grid);
  p.horizon = k_forever;
  return p;
}

HjbOptions with(HjbScheme scheme, double tolerance = 1e-10) {
  HjbOptions options;
  options.scheme = scheme;
  options.tolerance = tolerance;
  return options;
}

double value_at(const solvers::HjbSolution& s, std::initializer_list<double> x) { return s.value(0, x.begin()); }

std::vector<Finding> eikonal() {
  ControlProblem p = steered(1);
  p.add_cost("time", 1);
  HjbProblem problem = on_grid(p, {{axis(0, 1, 101, Edge::constrain)}});
  problem.exit = [](const double* x) { return x[0] < 1e-12 || x[0] > 1 - 1e-12 ? 0 : k_nothing; };
  const solvers::HjbSolution s = solvers::solve_hjb(problem, with(HjbScheme::upwind));
  double worst = 0;
  for (std::int64_t k = 0; k < problem.grid.size(); ++k) {
    double x = 0;
    problem.grid.point(k, &x);
    worst = std::max(worst, std::fabs(s.value()[static_cast<std::size_t>(k)] - std::min(x, 1 - x)));
  }
  return {{"largest |V - min(x, 1 - x)|", 0, worst, 1e-13}};
}

/// Least time to the origin (Pontryagin et al. 1962).
double least_time(const double* x) {
  const bool mirrored = x[0] < -x[1] * std::fabs(x[1]) / 2;
  const double position = mirrored ? -x[0] : x[0], speed = mirrored ? -x[1] : x[1];
  return speed + std::sqrt(std::max(0.0, 4 * position + 2 * speed * speed));
}

std::vector<Finding> minimum_time() {
  ControlProblem p = point_mass();
  p.add_cost("time", 1);
  std::vector<double> errors;
  double value = 0;
  for (const int points : {61, 121, 241}) {
    const auto a = axis(-1.5, 1.5, points, Edge::reflect);
    HjbProblem problem = on_grid(p, {{a, a}});
    problem.exit = [](const double* x) { return least_time(x) < .5 ? least_time(x) : k_nothing; };
    value = value_at(solvers::solve_hjb(problem, with(HjbScheme::semi_lagrangian, 1e-8)), {.5, 0});
    errors.push_back(std::fabs(value - std::sqrt(2.0)));
  }
  return {{"V(1/2, 0), 241 x 241 points", std::sqrt(2.0), value, .03},
          {"error falls with the grid", errors.front(), errors.back(), 0, Judge::at_most}};
}

double cubic_value(double x) {
  const double s = x * x;
  return -s * s / 4 + (s * std::sqrt(s * s + 1) + std::asinh(s)) / 4;
}

std::vector<Finding> cubic_regulator() {
  ControlProblem p = steered(4);
  const Expr x = p.x(0), u = p.u(0);
  p.states[0].dynamics = u - x * x * x;
  p.add_cost("total", .5 * (x * x + u * u));
  HjbProblem problem = on_grid(p, {{axis(-1.5, 1.5, 3001, Edge::constrain)}});
  problem.exit = [](const double* at) { return std::fabs(at[0]) < .11 ? cubic_value(at[0]) : k_nothing; };
  const solvers::HjbSolution s = solvers::solve_hjb(problem, with(HjbScheme::upwind));
  return {{"V(1)", .323896787348160, value_at(s, {1}), 1e-3}, {"V(1.5)", .506910117594843, value_at(s, {1.5}), 1e-3}};
}

std::vector<Finding> fuller() {
  ControlProblem p = point_mass();
  const Expr x = p.x(0);
  p.add_cost("deviation", x * x);
  const auto solve = [&p](int points) {
    const auto a = axis(-2, 2, points, Edge::reflect);
    HjbProblem problem = on_grid(p, {{a, a}});
    problem.exit = [](const double* at) { return std::hypot(at[0], at[1]) < 1e-9 ? 0 : k_nothing; };
    return solvers::solve_hjb(problem, with(HjbScheme::upwind, 1e-8));
  };
  const solvers::HjbSolution coarse = solve(101), fine = solve(201);
  // The scheme is of first order: what remains after one extrapolation is of the size of its square.
  const auto value = [&](double x1, double x2) { return 2 * value_at(fine, {x1, x2}) - value_at(coarse, {x1, x2}); };
  return {{"V(0, 1), extrapolated", .268393830568911, value(0, 1), .01},
          {"V(1, 0), extrapolated", .764017547725633, value(1, 0), .01},
          {"V(.64, 0)/V(1, 0) = .8^5", std::pow(.8, 5), value(.64, 0) / value(1, 0), .01}};
}

std::vector<Finding> osher_shu() {
  ControlProblem p = steered(4);
  const Expr u = p.u(0);
  p.states[0].dynamics = -u;  // phi_t + (phi_x + 1)^2/2 = 0 is -max over u of u (phi_x + 1) - u^2/2
  p.add_cost("rate", .5 * u * u - u);
  HjbProblem problem = on_grid(p, {{axis(-1, 1, 640, Edge::periodic)}});
  problem.horizon = .5 / (std::numbers::pi * std::numbers::pi);
  problem.terminal = [](const double* x) { return -std::cos(std::numbers::pi * x[0]); };
  HjbOptions options = with(HjbScheme::weno5);
  options.cfl = .5;
  const solvers::HjbSolution s = solvers::solve_hjb(problem, options);
  return {{"phi(0)", -1.016892149424819, value_at(s, {0}), 5e-9},
          {"phi(.25)", -.895886804143807, value_at(s, {.25}), 5e-9},
          {"phi(.5)", -.396249034252158, value_at(s, {.5}), 5e-9},
          {"phi(-.5)", -.110325195223527, value_at(s, {-.5}), 5e-9}};
}

std::vector<Finding> discounted() {
  ControlProblem p = steered(3);
  const Expr x = p.x(0), u = p.u(0);
  p.add_cost("total", .5 * (x * x + u * u));
  HjbProblem problem = on_grid(p, {{axis(-2, 2, 4001, Edge::constrain)}});
  problem.discount = .5;
  const solvers::HjbSolution s = solvers::solve_hjb(problem, with(HjbScheme::upwind));
  return {{"p = 2 V(1)", .780776406404415, 2 * value_at(s, {1}), 2e-3}};
}

}  // namespace

void add_grid_rows(std::vector<Reproduction>& rows) {
  const auto add = [&rows](const char* name, const char* claim, const char* setup, const char* source,
                           std::function<std::vector<Finding>()> run) {
    rows.push_back({name, "Hamilton-Jacobi-Bellman equations on grids", claim, setup, source, true, std::move(run)});
  };
  add("H1", "distance to the ends of an interval", "|V'| = 1, 101 points, upwind", "exact", eikonal);
  add("H2", "least time of the double integrator", "semi-Lagrangian; V has a kink of infinite slope, order one half",
      "Pontryagin et al. (1962)", minimum_time);
  add("H3", "nonlinear regulator x' = -x^3 + u without end", "upwind, 3001 points, first order", "closed form",
      cubic_regulator);
  add("H4", "Fuller's value function and its scaling law", "upwind, 101 and 201 points an axis, extrapolated",
      "Fuller (1963); closed form", fuller);
  add("H5", "a smooth Hamilton-Jacobi equation", "WENO5 with third-order TVD Runge-Kutta, 640 points",
      "Osher & Shu (1991), example 1", osher_shu);
  add("H6", "discounted regulator", "rho = 1/2, upwind, 4001 points, first order", "closed form", discounted);
}

}  // namespace eos::cli
