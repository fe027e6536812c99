#include "end_conditions.hpp"

#include <cmath>

namespace eos::solvers {

using theory::Expr;
using theory::Interval;

namespace {

double end_value(const Expr& y, const theory::ControlProblem& problem, double horizon, const std::vector<double>& x0,
                 const std::vector<double>& xT) {
  std::vector<double> in(static_cast<std::size_t>(problem.end_slots()), 0.0);
  in[0] = horizon;
  std::copy(x0.begin(), x0.end(), in.begin() + problem.initial_slot(0));
  std::copy(xT.begin(), xT.end(), in.begin() + problem.final_slot(0));
  double value = 0;
  theory::Program(std::span(&y, 1), problem.end_slots())(in.data(), &value);
  return value;
}

}  // namespace

bool EndConditions::choose(const Interval& interval, double value, double& fixed) const {
  const double near = 1e-6 * (1 + std::fabs(value));
  if (interval.fixed() || std::fabs(value - interval.lower) < near) {
    fixed = interval.lower;
    return true;
  }
  if (std::fabs(value - interval.upper) < near) {
    fixed = interval.upper;
    return true;
  }
  return false;
}

EndConditions::EndConditions(const Hamiltonian& h, const theory::ControlSolution& start) : n_(h.states()) {
  const theory::ControlProblem& problem = h.problem();
  std::vector<double> x0, xT;
  for (const auto& x : start.states) x0.push_back(x.front()), xT.push_back(x.back());
  horizon_ = problem.horizon.free ? start.horizon : problem.horizon.value;
  double fixed = 0;
  free_horizon_ = problem.horizon.free && !choose(problem.horizon.bounds, start.horizon, fixed);
  if (problem.horizon.free && !free_horizon_) horizon_ = fixed;
  for (std::size_t c = 0; c < problem.ends.size(); ++c) {
    const double value = end_value(problem.ends[c].expression, problem, start.horizon, x0, xT);
    if (choose(problem.ends[c].bounds, value, fixed)) active_.emplace_back(static_cast<int>(c), fixed);
  }
  nu_slot_ = problem.end_slots();
  p_slot_ = nu_slot_ + multipliers();
  slots_ = p_slot_ + n_;

  Expr phi = problem.terminal_cost();
  for (std::size_t k = 0; k < problem.parameters.size(); ++k)
    phi = theory::substitute(phi, {{problem.end_parameter_slot(static_cast<int>(k)), problem.parameters[k].value}});
  std::vector<Expr> constraints;
  for (std::size_t k = 0; k < active_.size(); ++k) {
    const Expr psi = problem.ends[static_cast<std::size_t>(active_[k].first)].expression - Expr(active_[k].second);
    constraints.push_back(psi);
    phi += Expr::input(nu_slot_ + static_cast<int>(k)) * psi;
  }
  std::vector<Expr> first, second;
  for (int i = 0; i < n_; ++i) {
    const auto k = static_cast<std::size_t>(i);
    const Expr p = Expr::input(p_slot_ + i);
    const bool hold_first = choose(problem.states[k].initial, x0[k], fixed);
    first.push_back(hold_first ? problem.x_initial(i) - Expr(fixed)
                               : p + theory::differentiate(phi, problem.initial_slot(i)));
    const bool hold_last = choose(problem.states[k].final, xT[k], fixed);
    second.push_back(hold_last ? problem.x_final(i) - Expr(fixed)
                               : p - theory::differentiate(phi, problem.final_slot(i)));
  }
  second.insert(second.end(), constraints.begin(), constraints.end());
  if (free_horizon_) second.push_back(theory::differentiate(phi, theory::ControlProblem::horizon_slot()));
  for (int i = 0; i < n_; ++i) {
    for (const Expr& y : second) coupled_ = coupled_ || theory::depends_on(y, problem.initial_slot(i));
    for (const Expr& y : first) coupled_ = coupled_ || theory::depends_on(y, problem.final_slot(i));
  }
  initial_ = compile(first);
  final_ = compile(second);
}

theory::Program EndConditions::compile(const std::vector<Expr>& rows) const {
  std::vector<int> inputs;  // T, x0, xT, nu, p: all slots but the parameters
  for (int s = 0; s <= 2 * n_; ++s) inputs.push_back(s);
  for (int s = nu_slot_; s < slots_; ++s) inputs.push_back(s);
  std::vector<Expr> all = rows;
  for (const Expr& y : rows) {
    const std::vector<Expr> g = theory::gradient(y, inputs);
    all.insert(all.end(), g.begin(), g.end());
  }
  return theory::Program(all, slots_);
}

EndConditions::Rows EndConditions::evaluate(const theory::Program& program, double horizon, const double* x0,
                                            const double* xT, const double* nu, const double* p, int rows) const {
  std::vector<double> in(static_cast<std::size_t>(slots_), 0.0), out(static_cast<std::size_t>(program.outputs()));
  in[0] = horizon;
  std::copy_n(x0, n_, in.begin() + 1);
  std::copy_n(xT, n_, in.begin() + 1 + n_);
  std::copy_n(nu, multipliers(), in.begin() + nu_slot_);
  std::copy_n(p, n_, in.begin() + p_slot_);
  program(in.data(), out.data());
  const int width = 1 + 3 * n_ + multipliers();
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Eigen::Map<const RowMajor> d(out.data() + rows, rows, width);
  Rows r;
  r.value = Eigen::Map<const Eigen::VectorXd>(out.data(), rows);
  r.horizon = d.col(0);
  r.x0 = d.middleCols(1, n_);
  r.xT = d.middleCols(1 + n_, n_);
  r.nu = d.middleCols(1 + 2 * n_, multipliers());
  r.costate = d.rightCols(n_);
  return r;
}

EndConditions::Rows EndConditions::initial(double horizon, const double* x0, const double* xT, const double* nu,
                                           const double* p) const {
  return evaluate(initial_, horizon, x0, xT, nu, p, rows_initial());
}

EndConditions::Rows EndConditions::final(double horizon, const double* x0, const double* xT, const double* nu,
                                         const double* p) const {
  return evaluate(final_, horizon, x0, xT, nu, p, rows_final());
}

}  // namespace eos::solvers
