#include "certify.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "control_curve.hpp"
#include "integrate.hpp"

namespace eos::solvers {

using theory::ControlCertificate;
using theory::ControlProblem;
using theory::ControlSolution;
using theory::Expr;

namespace {

double violation(const theory::Interval& b, double v) {
  return std::max({0.0, b.lower - v, v - b.upper}) / (1 + std::fabs(v));
}

/// States, costates and controls of grid point k in a full slot vector.
std::vector<double> point(const Hamiltonian& h, const ControlSolution& s, std::size_t k) {
  std::vector<double> in(static_cast<std::size_t>(h.slots()), 0.0);
  in[0] = s.time[k];
  for (std::size_t i = 0; i < s.states.size(); ++i)
    in[static_cast<std::size_t>(h.problem().state_slot(static_cast<int>(i)))] = s.states[i][k];
  for (std::size_t i = 0; i < s.costates.size(); ++i)
    in[static_cast<std::size_t>(h.costate_slot(static_cast<int>(i)))] = s.costates[i][k];
  for (std::size_t j = 0; j < s.controls.size(); ++j)
    in[static_cast<std::size_t>(h.problem().control_slot(static_cast<int>(j)))] = s.controls[j][k];
  return in;
}

class Checker {
 public:
  Checker(const Hamiltonian& h, const ControlSolution& s) : h_(h), s_(s), n_(static_cast<std::size_t>(h.states())) {
    std::vector<Expr> formulas = h.dynamics();
    for (const Expr& y : h.h_x()) formulas.push_back(-y);
    flow_ = theory::Program(formulas, h.slots());
    for (const PathBound& b : h.path_bounds()) bounds_.push_back(b.g());
    std::vector<Expr> gradients = bounds_;
    for (const Expr& g : bounds_) {
      const auto rows = theory::gradient(g, h.state_slots());
      gradients.insert(gradients.end(), rows.begin(), rows.end());
    }
    contact_ = theory::Program(gradients, h.slots());
    partial_t_ = theory::differentiate(h.value(), ControlProblem::time_slot());
  }

  void run(ControlCertificate& c) {
    residuals(c);
    c.constraint_violation = violations();
    if (s_.costates.empty()) return;
    c.minimum_residual = minimum();
    c.hamiltonian_drift = drift();
    c.transversality = transversality();
  }

 private:
  void residuals(ControlCertificate& c) {
    const ControlCurve curve(s_);
    double ode = 0, costate = 0;
    for (std::size_t k = 0; k + 1 < s_.time.size(); ++k) {
      if (!(s_.time[k + 1] > s_.time[k])) {
        for (std::size_t i = 0; i < n_; ++i) ode = std::max(ode, relative(s_.states[i][k + 1], s_.states[i][k]));
        continue;
      }
      std::vector<double> in = point(h_, s_, k), out(2 * n_), y(2 * n_, 0.0);
      for (std::size_t i = 0; i < n_; ++i) {
        y[i] = s_.states[i][k];
        if (!s_.costates.empty()) y[n_ + i] = s_.costates[i][k];
      }
      const Rate rate = [&](double t, const double* z, double* dz) {
        in[0] = t;
        for (std::size_t i = 0; i < n_; ++i) {
          in[static_cast<std::size_t>(h_.problem().state_slot(static_cast<int>(i)))] = z[i];
          in[static_cast<std::size_t>(h_.costate_slot(static_cast<int>(i)))] = z[n_ + i];
        }
        for (std::size_t j = 0; j < s_.controls.size(); ++j)
          in[static_cast<std::size_t>(h_.problem().control_slot(static_cast<int>(j)))] = curve.at(j, k, t);
        flow_(in.data(), dz);
      };
      if (!integrate(rate, y, s_.time[k], s_.time[k + 1], {Integrator::dopri5, 1e-12, 100000})) {
        ode = costate = theory::k_infinity;
        break;
      }
      for (std::size_t i = 0; i < n_; ++i) ode = std::max(ode, relative(y[i], s_.states[i][k + 1]));
      if (!s_.costates.empty()) costate = std::max(costate, costate_defect(k, y));
    }
    c.ode_residual = ode;
    if (!s_.costates.empty()) c.costate_residual = costate;
  }

  static double relative(double a, double b) {
    const double r = std::fabs(a - b) / (1 + std::fabs(b));
    return std::isfinite(r) ? r : theory::k_infinity;
  }

  /// Defect of p over interval k, without its part along gradients of bounds in contact.
  double costate_defect(std::size_t k, const std::vector<double>& y) const {
    Eigen::VectorXd d(static_cast<Eigen::Index>(n_));
    for (std::size_t i = 0; i < n_; ++i)
      d[static_cast<Eigen::Index>(i)] = (y[n_ + i] - s_.costates[i][k + 1]) / (1 + std::fabs(s_.costates[i][k + 1]));
    Eigen::MatrixXd normals(static_cast<Eigen::Index>(n_), 0);
    for (std::size_t end : {k, k + 1}) {
      const std::vector<double> in = point(h_, s_, end);
      std::vector<double> out(static_cast<std::size_t>(contact_.outputs()));
      contact_(in.data(), out.data());
      for (std::size_t b = 0; b < bounds_.size(); ++b) {
        if (out[b] < -1e-6) continue;
        normals.conservativeResize(Eigen::NoChange, normals.cols() + 1);
        normals.rightCols(1) =
            Eigen::Map<const Eigen::VectorXd>(out.data() + bounds_.size() + b * n_, static_cast<Eigen::Index>(n_));
      }
    }
    if (normals.cols() > 0) d -= normals * normals.completeOrthogonalDecomposition().solve(d);
    const double largest = d.lpNorm<Eigen::Infinity>();
    return std::isfinite(largest) ? largest : theory::k_infinity;
  }

  double violations() const {
    const ControlProblem& p = h_.problem();
    double worst = 0;
    for (std::size_t i = 0; i < n_; ++i) {
      for (double v : s_.states[i]) worst = std::max(worst, violation(p.states[i].bounds, v));
      worst = std::max(worst, violation(p.states[i].initial, s_.states[i].front()));
      worst = std::max(worst, violation(p.states[i].final, s_.states[i].back()));
    }
    for (std::size_t j = 0; j < s_.controls.size(); ++j)
      for (double v : s_.controls[j]) worst = std::max(worst, violation(p.controls[j].bounds, v));
    std::vector<Expr> path, ends;
    for (const auto& c : p.path) path.push_back(c.expression);
    for (const auto& c : p.ends) ends.push_back(c.expression);
    const theory::Program path_program(path, h_.slots()), end_program(ends, p.end_slots());
    std::vector<double> out(path.size() + ends.size() + 1);
    for (std::size_t k = 0; !path.empty() && k < s_.time.size(); ++k) {
      path_program(point(h_, s_, k).data(), out.data());
      for (std::size_t c = 0; c < path.size(); ++c) worst = std::max(worst, violation(p.path[c].bounds, out[c]));
    }
    if (!ends.empty()) {
      end_program(end_point().data(), out.data());
      for (std::size_t c = 0; c < ends.size(); ++c) worst = std::max(worst, violation(p.ends[c].bounds, out[c]));
    }
    if (p.horizon.free) worst = std::max(worst, violation(p.horizon.bounds, s_.horizon));
    return worst;
  }

  std::vector<double> end_point() const {
    std::vector<double> in(static_cast<std::size_t>(h_.problem().end_slots()), 0.0);
    in[0] = s_.horizon;
    for (std::size_t i = 0; i < n_; ++i) {
      in[static_cast<std::size_t>(h_.problem().initial_slot(static_cast<int>(i)))] = s_.states[i].front();
      in[static_cast<std::size_t>(h_.problem().final_slot(static_cast<int>(i)))] = s_.states[i].back();
    }
    return in;
  }

  double minimum() const {
    const HamiltonianMinimum least(h_);
    const theory::Program value(std::span(&h_.value(), 1), h_.slots());
    const double scale = 1 + std::fabs(s_.objective) / s_.horizon;
    double worst = 0;
    for (std::size_t k = 0; k < s_.time.size(); ++k) {
      const std::vector<double> in = point(h_, s_, k);
      double here = 0;
      value(in.data(), &here);
      const double gap = (here - least(in)) / scale;
      worst = std::isfinite(gap) ? std::max(worst, gap) : theory::k_infinity;
    }
    return worst;
  }

  double drift() const {
    const std::vector<Expr> formulas{h_.value(), partial_t_};
    const theory::Program program(formulas, h_.slots());
    double integral = 0, lowest = theory::k_infinity, highest = -theory::k_infinity, last[2] = {0, 0};
    for (std::size_t k = 0; k < s_.time.size(); ++k) {
      double out[2];
      program(point(h_, s_, k).data(), out);
      if (k > 0) integral += 0.5 * (s_.time[k] - s_.time[k - 1]) * (out[1] + last[1]);
      lowest = std::min(lowest, out[0] - integral), highest = std::max(highest, out[0] - integral);
      last[1] = out[1];
    }
    return highest - lowest;
  }

  /// |conditions| after the multipliers of active end constraints that fit best.
  double transversality() const {
    const ControlProblem& p = h_.problem();
    Expr phi = p.terminal_cost();
    for (std::size_t k = 0; k < p.parameters.size(); ++k)
      phi = theory::substitute(phi, {{p.end_parameter_slot(static_cast<int>(k)), Expr(p.parameters[k].value)}});
    const auto at_bound = [](const theory::Interval& b, double v) {
      return b.fixed() || std::min(std::fabs(v - b.lower), std::fabs(v - b.upper)) < 1e-6 * (1 + std::fabs(v));
    };
    const std::vector<double> in = end_point();
    std::vector<Expr> columns{phi};
    for (const theory::Constraint& c : p.ends) {
      double v = 0;
      theory::Program(std::span(&c.expression, 1), p.end_slots())(in.data(), &v);
      if (at_bound(c.bounds, v)) columns.push_back(c.expression);
    }
    std::vector<int> slots;
    std::vector<double> known;
    for (std::size_t i = 0; i < n_; ++i) {
      if (!at_bound(p.states[i].initial, s_.states[i].front()) && !at_bound(p.states[i].bounds, s_.states[i].front()))
        slots.push_back(p.initial_slot(static_cast<int>(i))), known.push_back(s_.costates[i].front());
      if (!at_bound(p.states[i].final, s_.states[i].back()) && !at_bound(p.states[i].bounds, s_.states[i].back()))
        slots.push_back(p.final_slot(static_cast<int>(i))), known.push_back(-s_.costates[i].back());
    }
    if (p.horizon.free && !at_bound(p.horizon.bounds, s_.horizon)) {
      double value = 0;
      theory::Program(std::span(&h_.value(), 1), h_.slots())(point(h_, s_, s_.time.size() - 1).data(), &value);
      slots.push_back(ControlProblem::horizon_slot()), known.push_back(value);
    }
    if (slots.empty()) return 0;
    return remaining(columns, slots, known, in);
  }

  double remaining(const std::vector<Expr>& columns, const std::vector<int>& slots, const std::vector<double>& known,
                   const std::vector<double>& in) const {
    const auto rows = static_cast<Eigen::Index>(slots.size()), count = static_cast<Eigen::Index>(columns.size());
    Eigen::MatrixXd d(rows, count);
    for (Eigen::Index c = 0; c < count; ++c) {
      const auto g = theory::gradient(columns[static_cast<std::size_t>(c)], slots);
      std::vector<double> out(g.size());
      theory::Program(g, h_.problem().end_slots())(in.data(), out.data());
      d.col(c) = Eigen::Map<const Eigen::VectorXd>(out.data(), rows);
    }
    Eigen::VectorXd r = Eigen::Map<const Eigen::VectorXd>(known.data(), rows) + d.col(0);
    const double scale = 1 + Eigen::Map<const Eigen::VectorXd>(known.data(), rows).lpNorm<Eigen::Infinity>();
    if (count > 1)
      r += d.rightCols(count - 1) * d.rightCols(count - 1).completeOrthogonalDecomposition().solve(Eigen::VectorXd(-r));
    return r.lpNorm<Eigen::Infinity>() / scale;
  }

  const Hamiltonian& h_;
  const ControlSolution& s_;
  std::size_t n_;
  theory::Program flow_, contact_;
  std::vector<Expr> bounds_;
  Expr partial_t_;
};

}  // namespace

HamiltonianMinimum::HamiltonianMinimum(const Hamiltonian& h) : h_(&h), program_(std::span(&h.value(), 1), h.slots()) {
  std::vector<Expr> mixed;
  for (const PathBound& b : h.path_bounds())
    if (b.order() == 0) mixed.push_back(b.g());
  mixed_ = theory::Program(mixed, h.slots());
  std::vector<Expr> slopes = h.h_u();
  for (int j = 0; j < h.controls(); ++j) {
    const int slot = h.problem().control_slot(j);
    const theory::Interval b = h.problem().controls[static_cast<std::size_t>(j)].bounds;
    const Expr curvature = theory::differentiate(h.h_u()[static_cast<std::size_t>(j)], slot);
    slopes.push_back(curvature);
    const std::size_t ends = static_cast<std::size_t>(std::isfinite(b.lower)) + std::isfinite(b.upper);
    quadratic_.push_back(!theory::depends_on(curvature, slot) && h.levels(j).size() <= ends);
  }
  slopes_ = theory::Program(slopes, h.slots());
}

double HamiltonianMinimum::value(const std::vector<double>& in) const {
  double y = 0;
  program_(in.data(), &y);
  return y;
}

bool HamiltonianMinimum::allowed(const std::vector<double>& in) const {
  std::vector<double> out(static_cast<std::size_t>(mixed_.outputs()));
  if (!out.empty()) mixed_(in.data(), out.data());
  return std::all_of(out.begin(), out.end(), [](double g) { return g <= 1e-9; });
}

void HamiltonianMinimum::improve(std::vector<double>& in, int j, double& best) const {
  const auto slot = static_cast<std::size_t>(h_->problem().control_slot(j));
  const theory::Interval b = h_->problem().controls[static_cast<std::size_t>(j)].bounds;
  const double now = in[slot], reach = 10 * (1 + std::fabs(now));
  const double low = std::isfinite(b.lower) ? b.lower : now - reach,
               high = std::isfinite(b.upper) ? b.upper : now + reach;
  double arg = now;
  const auto attempt = [&](double v) {
    in[slot] = v;
    const double y = value(in);
    if (y < best && allowed(in)) best = y, arg = v;
    return y;
  };
  for (double level : h_->levels(j)) attempt(level);
  in[slot] = arg;
  std::vector<double> slopes(static_cast<std::size_t>(slopes_.outputs()));
  slopes_(in.data(), slopes.data());
  const double curvature = slopes[static_cast<std::size_t>(h_->controls() + j)];
  const bool exact = quadratic_[static_cast<std::size_t>(j)] && mixed_.outputs() == 0 && curvature > 0;
  if (exact) {
    attempt(std::clamp(arg - slopes[static_cast<std::size_t>(j)] / curvature, b.lower, b.upper));
  } else if (!h_->affine(j)) {
    constexpr int scan = 24;
    for (int k = 0; k <= scan; ++k) attempt(low + (high - low) * k / scan);
    double a = std::max(low, arg - (high - low) / scan), c = std::min(high, arg + (high - low) / scan);
    constexpr double golden = 0.381966011250105;
    for (int k = 0; k < 50 && c - a > 1e-9 * (1 + std::fabs(arg)); ++k) {
      const double v1 = a + golden * (c - a), v2 = c - golden * (c - a);
      if (attempt(v1) < attempt(v2))
        c = v2;
      else
        a = v1;
    }
  }
  in[slot] = arg;
}

double HamiltonianMinimum::lower(std::vector<double>& in) const {
  const double here = value(in);
  double best = here;
  const std::vector<double> start = in;
  for (int sweep = 0; sweep < 3; ++sweep) {
    const double before = best;
    for (int j = 0; j < h_->controls(); ++j) improve(in, j, best);
    if (h_->controls() == 1 || best >= before) break;
  }
  // Corners of the box: coordinate descent alone misses joint switches of bilinear problems.
  const int m = h_->controls();
  for (int corner = 0; m > 1 && m <= 8 && corner < (1 << m); ++corner) {
    std::vector<double> c = start;
    for (int j = 0; j < m; ++j) {
      const theory::Interval b = h_->problem().controls[static_cast<std::size_t>(j)].bounds;
      const double v = (corner >> j) % 2 == 1 ? b.upper : b.lower;
      if (std::isfinite(v)) c[static_cast<std::size_t>(h_->problem().control_slot(j))] = v;
    }
    const double y = value(c);
    if (y < best && allowed(c)) best = y, in = c;
  }
  return here - best;
}

double HamiltonianMinimum::operator()(std::vector<double> in) const {
  const double here = value(in);
  return here - lower(in);
}

theory::ControlCertificate certify(const ControlProblem& problem, const ControlSolution& solution) {
  ControlCertificate c;
  if (solution.time.size() < 2) return c;
  ControlProblem current = problem;
  for (std::size_t k = 0; k < solution.parameters.size() && k < current.parameters.size(); ++k)
    current.parameters[k].value = solution.parameters[k];
  const Hamiltonian h(current);
  Checker(h, solution).run(c);
  if (const std::optional<double> bound = dual_bound(h, solution)) {
    c.lower_bound = problem.maximise ? -*bound : *bound;
    c.lower_bound_source = "convex dual";
  }
  return c;
}

}  // namespace eos::solvers
