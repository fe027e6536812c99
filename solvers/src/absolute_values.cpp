#include "absolute_values.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace eos::solvers {

namespace {

using theory::Expr;
using theory::Op;

/// Rewrites formulas over the slots of the original into slots of the split problem.
class Rewriter {
 public:
  Rewriter(const theory::ControlProblem& from, const theory::ControlProblem& to, const std::vector<int>& split)
      : from_(from), to_(to), split_(split) {}
  Expr operator()(const Expr& y) {
    const auto known = done_.find(y.node());
    if (known != done_.end()) return known->second;
    const Expr result = rewrite(y);
    done_.emplace(y.node(), result);
    kept_.push_back(y);
    return result;
  }

 private:
  int partner(int control) const {
    const auto at = std::find(split_.begin(), split_.end(), control);
    return at == split_.end() ? -1 : static_cast<int>(from_.controls.size() + (at - split_.begin()));
  }
  int control_of(const Expr& y) const {
    if (y.op() != Op::input) return -1;
    const int j = y.index() - from_.control_slot(0);
    return j >= 0 && j < static_cast<int>(from_.controls.size()) ? j : -1;
  }
  Expr rewrite(const Expr& y) {
    if (y.op() == Op::constant) return y;
    if (y.op() == Op::input) {
      const int j = control_of(y);
      if (j >= 0) return partner(j) < 0 ? to_.u(j) : to_.u(j) - to_.u(partner(j));
      if (y.index() >= from_.parameter_slot(0)) return to_.parameter(y.index() - from_.parameter_slot(0));
      return y;
    }
    const Expr a = y.first();
    if (y.op() == Op::abs) {
      const int j = control_of(a);
      if (j >= 0 && partner(j) >= 0) return to_.u(j) + to_.u(partner(j));
    }
    const bool binary = y.op() >= Op::add && y.op() <= Op::maximum;
    return binary ? Expr::apply(y.op(), (*this)(a), (*this)(y.second())) : Expr::apply(y.op(), (*this)(a));
  }
  const theory::ControlProblem &from_, &to_;
  const std::vector<int>& split_;
  std::unordered_map<const Expr::Node*, Expr> done_;
  std::vector<Expr> kept_;
};

void find_absolute(const Expr& y, const theory::ControlProblem& problem, std::vector<bool>& found,
                   std::unordered_map<const Expr::Node*, bool>& seen) {
  if (y.op() == Op::constant || y.op() == Op::input || seen[y.node()]) return;
  seen[y.node()] = true;
  const Expr a = y.first();
  if (y.op() == Op::abs && a.op() == Op::input) {
    const int j = a.index() - problem.control_slot(0);
    if (j >= 0 && j < static_cast<int>(found.size())) found[j] = true;
  }
  find_absolute(a, problem, found, seen);
  if (y.op() >= Op::add && y.op() <= Op::maximum) find_absolute(y.second(), problem, found, seen);
}

}  // namespace

std::optional<SplitProblem> split_absolute_values(const theory::ControlProblem& problem) {
  std::vector<bool> found(problem.controls.size(), false);
  std::unordered_map<const Expr::Node*, bool> seen;
  for (const auto& state : problem.states) find_absolute(state.dynamics, problem, found, seen);
  for (const auto& cost : problem.costs) find_absolute(cost.running, problem, found, seen);
  for (const auto& constraint : problem.path) find_absolute(constraint.expression, problem, found, seen);
  SplitProblem split{problem, {}};
  for (std::size_t j = 0; j < found.size(); ++j) {
    const theory::Interval b = problem.controls[j].bounds;
    if (!found[j] || b.lower >= 0 || b.upper <= 0) continue;
    split.controls.push_back(static_cast<int>(j));
    theory::ControlVariable minus = problem.controls[j];
    do minus.name += "_minus";
    while (problem.find_control(minus.name) >= 0 || problem.find_state(minus.name) >= 0 ||
           problem.find_parameter(minus.name) >= 0);
    minus.bounds = {0, -b.lower};
    split.problem.controls[j].bounds = {0, b.upper};
    if (minus.guess) {
      split.problem.controls[j].guess = std::max(0.0, *minus.guess);
      minus.guess = std::max(0.0, -*minus.guess);
    }
    split.problem.controls.push_back(std::move(minus));
  }
  if (split.controls.empty()) return std::nullopt;
  Rewriter rewrite(problem, split.problem, split.controls);
  for (auto& state : split.problem.states) state.dynamics = rewrite(state.dynamics);
  for (auto& cost : split.problem.costs) cost.running = rewrite(cost.running);
  for (auto& constraint : split.problem.path) constraint.expression = rewrite(constraint.expression);
  return split;
}

void join(const SplitProblem& split, theory::ControlSolution& solution) {
  const std::size_t original = split.problem.controls.size() - split.controls.size();
  for (std::size_t i = 0; i < split.controls.size(); ++i) {
    auto &plus = solution.controls[split.controls[i]], &minus = solution.controls[original + i];
    for (std::size_t k = 0; k < plus.size(); ++k) plus[k] -= minus[k];
    if (solution.switching.empty()) continue;
    auto &up = solution.switching[split.controls[i]], &down = solution.switching[original + i];
    for (std::size_t k = 0; k < up.size(); ++k) up[k] = 0.5 * (up[k] - down[k]);
  }
  solution.controls.resize(original);
  if (!solution.switching.empty()) solution.switching.resize(original);
}

}  // namespace eos::solvers
