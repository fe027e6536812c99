#include "phase_system.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

namespace eos::solvers {

using theory::Expr;

namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Rows = Eigen::Map<const RowMajor>;
using Column = Eigen::Map<const Eigen::VectorXd>;

void append(std::vector<Expr>& to, const std::vector<Expr>& from) { to.insert(to.end(), from.begin(), from.end()); }

/// Appends the rows d y_i / d slots.
void append_jacobian(std::vector<Expr>& to, const std::vector<Expr>& y, const std::vector<int>& slots) {
  for (const Expr& e : y) append(to, theory::gradient(e, slots));
}

}  // namespace

PhaseSystem::PhaseSystem(const Hamiltonian& h, std::vector<ControlLaw> laws,
                         std::span<const std::vector<double>> samples)
    : h_(&h), n_(h.states()), laws_(std::move(laws)) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const ControlLaw& law : laws_) levels_.push_back(law.law == Law::level ? law.level : nan);
  singular_.resize(laws_.size());
  std::vector<Expr> g;
  Expr lagrangian = h.value();
  collect(g, lagrangian, samples);
  if (!problem_.empty()) return;
  nw_ = static_cast<int>(unknown_.size());

  std::vector<Expr> f;
  for (const Expr& y : h.dynamics()) f.push_back(h.hold(y, levels_));
  for (const Expr& y : theory::gradient(lagrangian, h.state_slots())) f.push_back(h.hold(-y, levels_));
  std::vector<Expr> newton = g, rates = f, derivatives = f;
  append_jacobian(newton, g, unknown_);
  for (std::size_t k = g.size(); k < newton.size(); ++k)
    for (int slot : unknown_) linear_ = linear_ && !theory::depends_on(newton[k], slot);
  const std::vector<int> z = h.canonical_slots();
  append_jacobian(derivatives, f, z);
  append_jacobian(derivatives, f, unknown_);
  append_jacobian(derivatives, g, unknown_);
  append_jacobian(derivatives, g, z);
  append_jacobian(derivatives, g, {theory::ControlProblem::time_slot()});
  g_ = theory::Program(newton, h.slots());
  f_ = theory::Program(rates, h.slots());
  d_ = theory::Program(derivatives, h.slots());
  in_.assign(static_cast<std::size_t>(h.slots()), 0.0);
  for (std::size_t j = 0; j < laws_.size(); ++j)
    if (laws_[j].law == Law::level)
      in_[static_cast<std::size_t>(h.problem().control_slot(static_cast<int>(j)))] = laws_[j].level;
  out_.assign(derivatives.size() + newton.size(), 0.0);
}

void PhaseSystem::collect(std::vector<Expr>& equations, Expr& lagrangian,
                          std::span<const std::vector<double>> samples) {
  const theory::ControlProblem& problem = h_->problem();
  for (std::size_t j = 0; j < laws_.size(); ++j)
    if (laws_[j].law == Law::path_bound) {
      const PathBound& bound = h_->path_bounds()[static_cast<std::size_t>(laws_[j].bound)];
      lagrangian += Expr::input(h_->multiplier_slot(static_cast<int>(j))) * bound.derivatives.back();
    }
  for (std::size_t j = 0; j < laws_.size(); ++j) {
    const int slot = problem.control_slot(static_cast<int>(j));
    if (laws_[j].law == Law::level) continue;
    unknown_.push_back(slot);
    if (laws_[j].law == Law::interior) {
      equations.push_back(h_->hold(theory::differentiate(lagrangian, slot), levels_));
      if (h_->affine(static_cast<int>(j)))
        problem_ = fmt::format("H is affine in {}, so H_u = 0 does not determine it", problem.controls[j].name);
    } else if (laws_[j].law == Law::singular) {
      singular_[j] = h_->singular_law(static_cast<int>(j), levels_, samples);
      equations.push_back(singular_[j].equation);
      if (singular_[j].order == 0)
        problem_ = fmt::format("no derivative of H_u up to order 8 determines the singular control {}",
                               problem.controls[j].name);
    } else {
      const PathBound& bound = h_->path_bounds()[static_cast<std::size_t>(laws_[j].bound)];
      equations.push_back(h_->hold(bound.derivatives.back(), levels_));
      unknown_.push_back(h_->multiplier_slot(static_cast<int>(j)));
      equations.push_back(h_->hold(theory::differentiate(lagrangian, slot), levels_));
    }
  }
}

void PhaseSystem::set_guess(const std::vector<double>& slots) {
  for (int slot : unknown_)
    if (slot < h_->multiplier_slot(0)) in_[static_cast<std::size_t>(slot)] = slots[static_cast<std::size_t>(slot)];
}

void PhaseSystem::put(double t, const double* z) {
  in_[0] = t;
  for (int i = 0; i < n_; ++i) {
    in_[static_cast<std::size_t>(h_->problem().state_slot(i))] = z[i];
    in_[static_cast<std::size_t>(h_->costate_slot(i))] = z[n_ + i];
  }
}

bool PhaseSystem::newton_step(double& relative) {
  g_(in_.data(), out_.data());
  const Column g(out_.data(), nw_);
  const Rows g_w(out_.data() + nw_, nw_, nw_);
  Eigen::VectorXd step;
  if (nw_ == 1)
    step = g / g_w(0, 0);
  else
    step = g_w.partialPivLu().solve(g);
  relative = 0;
  for (int k = 0; k < nw_; ++k) {
    double& w = in_[static_cast<std::size_t>(unknown_[static_cast<std::size_t>(k)])];
    // A step far beyond the size of w leaves the branch that the arc is on.
    const double limit = linear_ ? std::numeric_limits<double>::infinity() : 2 * (0.5 + std::fabs(w));
    w -= std::clamp(step[k], -limit, limit);
    relative = std::max(relative, std::fabs(step[k]) / (1 + std::fabs(w)));
    if (!std::isfinite(w)) return false;
  }
  return true;
}

bool PhaseSystem::locate(double t, const double* z) {
  put(t, z);
  if (nw_ == 0) return true;
  double relative = 1, before = 2;
  for (int k = 0; k < 60; ++k) {
    if (!newton_step(relative)) {
      for (int slot : unknown_) in_[static_cast<std::size_t>(slot)] = 0;  // so that the next call starts afresh
      return false;
    }
    if (linear_ || relative < 1e-15 || (relative < 1e-9 && relative >= before)) return true;
    before = relative;
  }
  return relative < 1e-9;
}

void PhaseSystem::rate(double t, const double* z, double* dz) {
  if (!locate(t, z)) {
    std::fill(dz, dz + 2 * n_, std::numeric_limits<double>::quiet_NaN());
    return;
  }
  f_(in_.data(), dz);
}

void PhaseSystem::implicit(Eigen::MatrixXd& w_z, Eigen::VectorXd& w_t) {
  const int nz = 2 * n_;
  const double* p = out_.data() + nz + nz * nz + nz * nw_;
  const Rows g_w(p, nw_, nw_), g_z(p + nw_ * nw_, nw_, nz);
  const Column g_t(p + nw_ * nw_ + nw_ * nz, nw_);
  const auto lu = g_w.partialPivLu();
  w_z = -lu.solve(Eigen::MatrixXd(g_z));
  w_t = -lu.solve(Eigen::VectorXd(g_t));
}

void PhaseSystem::rate_and_jacobian(double t, const double* z, double* dz, Eigen::MatrixXd& a) {
  const int nz = 2 * n_;
  if (!locate(t, z)) {
    std::fill(dz, dz + nz, std::numeric_limits<double>::quiet_NaN());
    a.setConstant(nz, nz, std::numeric_limits<double>::quiet_NaN());
    return;
  }
  d_(in_.data(), out_.data());
  std::copy_n(out_.data(), nz, dz);
  a = Rows(out_.data() + nz, nz, nz);
  if (nw_ == 0) return;
  Eigen::MatrixXd w_z;
  Eigen::VectorXd w_t;
  implicit(w_z, w_t);
  a.noalias() += Rows(out_.data() + nz + nz * nz, nz, nw_) * w_z;
}

PhaseFunctions PhaseSystem::compile(const std::vector<Expr>& formulas) const {
  std::vector<Expr> held, all;
  for (const Expr& y : formulas) held.push_back(h_->hold(y, levels_));
  all = held;
  append_jacobian(all, held, h_->canonical_slots());
  append_jacobian(all, held, {theory::ControlProblem::time_slot()});
  append_jacobian(all, held, unknown_);
  PhaseFunctions f;
  f.program = theory::Program(all, h_->slots());
  f.count = static_cast<int>(formulas.size());
  return f;
}

void PhaseSystem::evaluate(const PhaseFunctions& f, double t, const double* z, Eigen::VectorXd& value,
                           Eigen::MatrixXd& dz, Eigen::VectorXd& dt) {
  const int nz = 2 * n_;
  std::vector<double> out(static_cast<std::size_t>(f.program.outputs()));
  const bool found = locate(t, z);
  f.program(in_.data(), out.data());
  const int c = f.count;
  value = Column(out.data(), c);
  dz = Rows(out.data() + c, c, nz);
  dt = Column(out.data() + c + c * nz, c);
  if (nw_ > 0) {
    d_(in_.data(), out_.data());
    Eigen::MatrixXd w_z;
    Eigen::VectorXd w_t;
    implicit(w_z, w_t);
    const Rows e_w(out.data() + c + c * nz + c, c, nw_);
    dz += e_w * w_z;
    dt += e_w * w_t;
  }
  if (!found) value.setConstant(std::numeric_limits<double>::quiet_NaN());
}

void PhaseSystem::evaluate(const PhaseFunctions& f, double t, const double* z, Eigen::VectorXd& value) {
  std::vector<double> out(static_cast<std::size_t>(f.program.outputs()));
  const bool found = locate(t, z);
  f.program(in_.data(), out.data());
  value = Column(out.data(), f.count);
  if (!found) value.setConstant(std::numeric_limits<double>::quiet_NaN());
}

}  // namespace eos::solvers
