#include "hamiltonian.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>

namespace eos::solvers {

using theory::ControlProblem;
using theory::Expr;
using theory::Interval;
using theory::Op;

namespace {

/// Calls visit for each operation of y once.
void for_each_node(const Expr& y, std::set<const void*>& seen, const std::function<void(const Expr&)>& visit) {
  if (!seen.insert(y.node()).second) return;
  visit(y);
  if (y.op() == Op::constant || y.op() == Op::input) return;
  for_each_node(y.first(), seen, visit);
  const bool two = y.op() == Op::add || y.op() == Op::subtract || y.op() == Op::multiply || y.op() == Op::divide ||
                   y.op() == Op::power || y.op() == Op::minimum || y.op() == Op::maximum;
  if (two) for_each_node(y.second(), seen, visit);
}

/// Root of an argument that is affine in `slot` alone: a + b u = 0.
bool affine_root(const Expr& y, int slot, double& root) {
  const Expr slope = theory::differentiate(y, slot);
  if (!slope.is_constant() || slope.is_constant(0)) return false;
  const Expr rest = theory::substitute(y, {{slot, Expr(0)}});
  if (!rest.is_constant()) return false;
  root = -rest.constant() / slope.constant();
  return std::isfinite(root);
}

/// Largest |y| over the samples relative to what its terms could be is not resolvable; 1e-9 tells zero from not zero.
bool vanishes(const Expr& y, int slots, std::span<const std::vector<double>> samples) {
  if (y.is_constant()) return y.is_constant(0);
  const theory::Program program(std::span(&y, 1), slots);
  double largest = 0;
  for (const std::vector<double>& s : samples) {
    double value = 0;
    program(s.data(), &value);
    if (std::isfinite(value)) largest = std::max(largest, std::fabs(value));
  }
  return largest < 1e-9;
}

}  // namespace

ControlProblem with_numbers(const ControlProblem& problem) {
  ControlProblem p = problem;
  std::map<int, Expr> path, end;
  for (std::size_t k = 0; k < p.parameters.size(); ++k) {
    path[p.parameter_slot(static_cast<int>(k))] = p.parameters[k].value;
    end[p.end_parameter_slot(static_cast<int>(k))] = p.parameters[k].value;
  }
  for (auto& s : p.states) s.dynamics = theory::substitute(s.dynamics, path);
  for (auto& c : p.costs) {
    c.running = theory::substitute(c.running, path);
    c.terminal = theory::substitute(c.terminal, end);
  }
  for (auto& c : p.path) c.expression = theory::substitute(c.expression, path);
  for (auto& c : p.ends) c.expression = theory::substitute(c.expression, end);
  return p;
}

Hamiltonian::Hamiltonian(const ControlProblem& problem)
    : problem_(with_numbers(problem)),
      n_(static_cast<int>(problem.states.size())),
      m_(static_cast<int>(problem.controls.size())) {
  std::map<int, Expr> weights;
  for (std::size_t k = 0; k < problem.parameters.size(); ++k)
    weights[problem.parameter_slot(static_cast<int>(k))] = problem.parameters[k].value;
  running_ = theory::substitute(problem_.running_cost(), weights);
  h_ = running_;
  for (int i = 0; i < n_; ++i) {
    f_.push_back(problem_.states[static_cast<std::size_t>(i)].dynamics);
    h_ += Expr::input(costate_slot(i)) * f_.back();
  }
  h_x_ = theory::gradient(h_, state_slots());
  std::vector<int> u;
  for (int j = 0; j < m_; ++j) u.push_back(problem_.control_slot(j));
  h_u_ = theory::gradient(h_, u);
  find_levels();
  for (int j = 0; j < m_; ++j) {
    // Between kinks sign(u - c) is constant, and its derivative in the graph is zero, so H_uu == 0 says affine.
    const Expr second = theory::differentiate(h_u_[static_cast<std::size_t>(j)], problem_.control_slot(j));
    affine_.push_back(second.is_constant(0));
  }
  find_bounds();
}

std::vector<int> Hamiltonian::state_slots() const {
  std::vector<int> slots;
  for (int i = 0; i < n_; ++i) slots.push_back(problem_.state_slot(i));
  return slots;
}

std::vector<int> Hamiltonian::canonical_slots() const {
  std::vector<int> slots = state_slots();
  for (int i = 0; i < n_; ++i) slots.push_back(costate_slot(i));
  return slots;
}

void Hamiltonian::find_levels() {
  levels_.resize(static_cast<std::size_t>(m_));
  for (int j = 0; j < m_; ++j) {
    std::vector<double>& levels = levels_[static_cast<std::size_t>(j)];
    const Interval b = problem_.controls[static_cast<std::size_t>(j)].bounds;
    std::set<const void*> seen;
    for_each_node(h_, seen, [&](const Expr& y) {
      double root = 0;
      const bool one = y.op() == Op::abs;
      const bool two = y.op() == Op::minimum || y.op() == Op::maximum;
      if (one && !affine_root(y.first(), problem_.control_slot(j), root)) return;
      if (two && !affine_root(y.first() - y.second(), problem_.control_slot(j), root)) return;
      if ((one || two) && root > b.lower && root < b.upper) levels.push_back(root);
    });
    if (std::isfinite(b.lower)) levels.push_back(b.lower);
    if (std::isfinite(b.upper)) levels.push_back(b.upper);
    std::sort(levels.begin(), levels.end());
    levels.erase(std::unique(levels.begin(), levels.end()), levels.end());
  }
}

void Hamiltonian::add_bound(const std::string& name, const Expr& g, bool of_state) {
  PathBound bound;
  bound.name = name;
  bound.kind = of_state ? theory::ArcKind::state_constraint : theory::ArcKind::path_constraint;
  bound.derivatives.push_back(g);
  const auto has_control = [&](const Expr& y) {
    for (int j = 0; j < m_; ++j)
      if (theory::depends_on(y, problem_.control_slot(j))) return true;
    return false;
  };
  while (!has_control(bound.derivatives.back()) && bound.order() < 6) {
    const Expr& y = bound.derivatives.back();
    Expr next = theory::differentiate(y, ControlProblem::time_slot());
    for (int i = 0; i < n_; ++i)
      next += theory::differentiate(y, problem_.state_slot(i)) * f_[static_cast<std::size_t>(i)];
    bound.derivatives.push_back(next);
  }
  if (has_control(bound.derivatives.back())) bounds_.push_back(std::move(bound));
}

void Hamiltonian::find_bounds() {
  const auto both = [&](const std::string& name, const Expr& y, const Interval& b, bool of_state) {
    if (std::isfinite(b.upper)) add_bound(name, y - Expr(b.upper), of_state);
    if (std::isfinite(b.lower)) add_bound(name, Expr(b.lower) - y, of_state);
  };
  for (int i = 0; i < n_; ++i) {
    const theory::StateVariable& s = problem_.states[static_cast<std::size_t>(i)];
    both(s.name, problem_.x(i), s.bounds, true);
  }
  for (const theory::Constraint& c : problem_.path) {
    bool mixed = false;
    for (int j = 0; j < m_; ++j) mixed = mixed || theory::depends_on(c.expression, problem_.control_slot(j));
    both(c.name, c.expression, c.bounds, !mixed);
  }
}

Expr Hamiltonian::along_flow(const Expr& psi) const {
  Expr rate = theory::differentiate(psi, ControlProblem::time_slot());
  const std::vector<Expr> g = theory::gradient(psi, canonical_slots());
  for (int i = 0; i < n_; ++i) {
    const auto k = static_cast<std::size_t>(i);
    rate += g[k] * f_[k];
    rate -= g[k + static_cast<std::size_t>(n_)] * h_x_[k];
  }
  return rate;
}

Expr Hamiltonian::hold(const Expr& y, const Levels& levels) const {
  std::map<int, Expr> map;
  for (int j = 0; j < m_; ++j)
    if (!std::isnan(levels[static_cast<std::size_t>(j)]))
      map[problem_.control_slot(j)] = levels[static_cast<std::size_t>(j)];
  return map.empty() ? y : theory::substitute(y, map);
}

SingularLaw Hamiltonian::singular_law(int j, const Levels& levels, std::span<const std::vector<double>> samples) const {
  SingularLaw law;
  const int u = problem_.control_slot(j);
  Expr psi = hold(h_u_[static_cast<std::size_t>(j)], levels);
  for (int order = 1; order <= 4; ++order) {
    law.entry.push_back(psi);
    // The coefficient of u in an odd derivative vanishes identically (Kelley, Kopp & Moyer 1967).
    const Expr odd = theory::substitute(hold(along_flow(psi), levels), {{u, Expr(0)}});
    law.entry.push_back(odd);
    const Expr even = hold(along_flow(odd), levels);
    const Expr slope = theory::differentiate(even, u);
    if (!vanishes(slope, slots(), samples)) {
      law.order = order;
      law.equation = even;
      law.clebsch = order % 2 == 1 ? -slope : slope;
      return law;
    }
    psi = theory::substitute(even, {{u, Expr(0)}});
  }
  return law;
}

}  // namespace eos::solvers
