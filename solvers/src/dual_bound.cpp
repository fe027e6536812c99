#include <Eigen/Dense>
#include <cmath>

#include "certify.hpp"
#include "control_curve.hpp"
#include "integrate.hpp"

namespace eos::solvers {

using theory::ControlProblem;
using theory::ControlSolution;
using theory::Expr;

namespace {

/// All formulas are affine in the given slots.
bool affine_in(const std::vector<Expr>& formulas, const std::vector<int>& slots) {
  for (const Expr& y : formulas)
    for (const Expr& d : theory::gradient(y, slots))
      for (int s : slots)
        if (theory::depends_on(d, s)) return false;
  return true;
}

/// The Hessian of y over `slots` is positive semidefinite at every sample.
bool convex_at(const Expr& y, const std::vector<int>& slots, int inputs,
               const std::vector<std::vector<double>>& samples) {
  std::vector<Expr> entries;
  for (const Expr& d : theory::gradient(y, slots))
    for (const Expr& e : theory::gradient(d, slots)) entries.push_back(e);
  const theory::Program program(entries, inputs);
  const auto size = static_cast<Eigen::Index>(slots.size());
  Eigen::MatrixXd hessian(size, size);
  for (const std::vector<double>& in : samples) {
    program(in.data(), hessian.data());
    if (!hessian.allFinite()) return false;
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(0.5 * (hessian + hessian.transpose()));
    if (eigen.eigenvalues().minCoeff() < -1e-10 * (1 + hessian.norm())) return false;
  }
  return true;
}

/// Kinks of abs and max are convex where their coefficient is positive, which sampled Hessians do not show: midpoints
/// between far samples do.
bool convex_along_chords(const Expr& y, int inputs, const std::vector<int>& slots,
                         const std::vector<std::vector<double>>& samples) {
  const theory::Program program(std::span(&y, 1), inputs);
  for (std::size_t a = 0; a < samples.size(); a += 1 + samples.size() / 12)
    for (std::size_t b = 0; b < samples.size(); b += 1 + samples.size() / 12) {
      std::vector<double> other = samples[a], middle = samples[a];
      for (int s : slots) {
        const auto k = static_cast<std::size_t>(s);
        other[k] = samples[b][k];
        middle[k] = 0.5 * (samples[a][k] + other[k]);
      }
      double ya = 0, yb = 0, ym = 0;
      program(samples[a].data(), &ya);
      program(other.data(), &yb);
      program(middle.data(), &ym);
      if (!(ym <= 0.5 * (ya + yb) + 1e-9 * (1 + std::fabs(ya) + std::fabs(yb)))) return false;
    }
  return true;
}

class Dual {
 public:
  Dual(const Hamiltonian& h, const ControlSolution& s) : h_(h), s_(s), n_(static_cast<std::size_t>(h.states())) {
    for (int i = 0; i < h.states(); ++i) variables_.push_back(h.problem().state_slot(i));
    for (int j = 0; j < h.controls(); ++j) variables_.push_back(h.problem().control_slot(j));
  }

  bool applies() const {
    const ControlProblem& p = h_.problem();
    if (p.horizon.free || !p.ends.empty() || !p.path.empty() || s_.costates.empty()) return false;
    if (!affine_in(h_.dynamics(), variables_)) return false;
    std::vector<std::vector<double>> samples;
    for (std::size_t k = 0; k < s_.time.size(); k += 1 + s_.time.size() / 64) samples.push_back(point(k));
    // Corners of the control box, so that chords cross the kinks.
    const std::size_t own = samples.size();
    for (int j = 0; j < h_.controls(); ++j)
      for (double level : h_.levels(j)) {
        samples.push_back(samples[static_cast<std::size_t>(j) % own]);
        samples.back()[static_cast<std::size_t>(p.control_slot(j))] = level;
      }
    if (!convex_at(h_.running(), variables_, h_.slots(), samples)) return false;
    if (!convex_along_chords(h_.running(), h_.slots(), variables_, samples)) return false;
    return true;
  }

  std::optional<double> value() const {
    const std::optional<double> ends = end_terms();
    if (!ends) return std::nullopt;
    double sum = *ends;
    const ControlCurve curve(s_);
    // With p' = -H_x(x, u, p) the pair (x, u) minimises the convex integrand, where it is l - H_x x + p f.
    std::vector<Expr> formulas = h_.dynamics();
    Expr integrand = h_.value();
    for (int i = 0; i < h_.states(); ++i) {
      formulas.push_back(-h_.h_x()[static_cast<std::size_t>(i)]);
      integrand -= h_.h_x()[static_cast<std::size_t>(i)] * h_.problem().x(i);
    }
    formulas.push_back(integrand);
    const theory::Program program(formulas, h_.slots());
    const HamiltonianMinimum least(h_);
    for (std::size_t k = 0; k + 1 < s_.time.size(); ++k) {
      const std::optional<double> jump = k > 0 ? jump_term(k) : 0.0;
      if (!jump) return std::nullopt;
      sum += *jump;
      const double width = s_.time[k + 1] - s_.time[k];
      if (!(width > 0)) continue;
      std::vector<double> in = point(k), y(2 * n_ + 1, 0.0);
      for (std::size_t i = 0; i < n_; ++i) y[i] = s_.states[i][k], y[n_ + i] = s_.costates[i][k];
      const Rate rate = [&](double t, const double* z, double* dz) {
        put(in, curve, k, t, z);
        program(in.data(), dz);
      };
      if (!integrate(rate, y, s_.time[k], s_.time[k + 1], {Integrator::dopri5, 1e-13, 100000})) return std::nullopt;
      sum += y[2 * n_];
      sum -= width * gap(least, point(k));
      end_of_interval_.assign(y.begin() + static_cast<std::ptrdiff_t>(n_), y.end() - 1);
    }
    return std::isfinite(sum) ? std::optional(sum) : std::nullopt;
  }

 private:
  std::vector<double> point(std::size_t k) const {
    std::vector<double> in(static_cast<std::size_t>(h_.slots()), 0.0);
    in[0] = s_.time[k];
    for (std::size_t i = 0; i < n_; ++i) {
      in[static_cast<std::size_t>(h_.problem().state_slot(static_cast<int>(i)))] = s_.states[i][k];
      in[static_cast<std::size_t>(h_.costate_slot(static_cast<int>(i)))] = s_.costates[i][k];
    }
    for (std::size_t j = 0; j < s_.controls.size(); ++j)
      in[static_cast<std::size_t>(h_.problem().control_slot(static_cast<int>(j)))] = s_.controls[j][k];
    return in;
  }

  void put(std::vector<double>& in, const ControlCurve& curve, std::size_t k, double t, const double* z) const {
    in[0] = t;
    for (std::size_t i = 0; i < n_; ++i) {
      in[static_cast<std::size_t>(h_.problem().state_slot(static_cast<int>(i)))] = z[i];
      in[static_cast<std::size_t>(h_.costate_slot(static_cast<int>(i)))] = z[n_ + i];
    }
    for (std::size_t j = 0; j < s_.controls.size(); ++j)
      in[static_cast<std::size_t>(h_.problem().control_slot(static_cast<int>(j)))] = curve.at(j, k, t);
  }

  /// H(u) - min H: what the minimum over u lowers the integrand by.
  double gap(const HamiltonianMinimum& least, const std::vector<double>& in) const {
    double here = 0;
    theory::Program(std::span(&h_.value(), 1), h_.slots())(in.data(), &here);
    return std::max(0.0, here - least(in));
  }

  /// min over the interval of c x; the infinite side costs `loose` when c vanishes but for rounding.
  static std::optional<double> least_product(const theory::Interval& b, double c, double x, double scale) {
    const double at = c > 0 ? b.lower : b.upper;
    if (std::isfinite(at)) return c * at;
    // An unbounded state: the defect of the costate must vanish; what rounding leaves is charged on twice |x|.
    if (std::fabs(c) > 1e-7 * scale) return std::nullopt;
    return c * x - std::fabs(c) * (1 + std::fabs(x));
  }

  /// Jump of p between the end of the last interval and grid point k.
  std::optional<double> jump_term(std::size_t k) const {
    double sum = 0;
    for (std::size_t i = 0; i < n_ && !end_of_interval_.empty(); ++i) {
      const double c = s_.costates[i][k] - end_of_interval_[i];
      const auto term =
          least_product(h_.problem().states[i].bounds, c, s_.states[i][k], 1 + std::fabs(s_.costates[i][k]));
      if (!term) return std::nullopt;
      sum += *term;
    }
    if (k + 1 < s_.time.size() && !(s_.time[k + 1] > s_.time[k])) {
      end_of_interval_.resize(n_);
      for (std::size_t i = 0; i < n_; ++i) end_of_interval_[i] = s_.costates[i][k];
    }
    return sum;
  }

  /// min over x(0) of p x(0) + min over x(T) of Phi - p x(T), Phi convex.
  std::optional<double> end_terms() const {
    const ControlProblem& p = h_.problem();
    Expr phi = p.terminal_cost();
    for (std::size_t k = 0; k < p.parameters.size(); ++k)
      phi = theory::substitute(phi, {{p.end_parameter_slot(static_cast<int>(k)), Expr(p.parameters[k].value)}});
    std::vector<int> slots;
    std::vector<double> in(static_cast<std::size_t>(p.end_slots()), 0.0);
    in[0] = s_.horizon;
    for (std::size_t i = 0; i < n_; ++i) {
      slots.push_back(p.initial_slot(static_cast<int>(i)));
      in[static_cast<std::size_t>(slots.back())] = s_.states[i].front();
    }
    for (std::size_t i = 0; i < n_; ++i) {
      slots.push_back(p.final_slot(static_cast<int>(i)));
      in[static_cast<std::size_t>(slots.back())] = s_.states[i].back();
    }
    if (!convex_at(phi, slots, p.end_slots(), {in})) return std::nullopt;
    std::vector<Expr> formulas{phi};
    for (const Expr& d : theory::gradient(phi, slots)) formulas.push_back(d);
    std::vector<double> out(formulas.size());
    theory::Program(formulas, p.end_slots())(in.data(), out.data());
    double sum = out[0];
    for (std::size_t i = 0; i < 2 * n_; ++i) {
      const bool first = i < n_;
      const theory::StateVariable& state = p.states[i % n_];
      const double x = in[static_cast<std::size_t>(slots[i])];
      const double costate = first ? s_.costates[i].front() : -s_.costates[i % n_].back();
      theory::Interval b = first ? state.initial : state.final;
      b.lower = std::max(b.lower, state.bounds.lower), b.upper = std::min(b.upper, state.bounds.upper);
      // Phi >= Phi(x) + Phi_x (y - x): the linear form decides.
      const double c = out[1 + i] + costate;
      const auto least = least_product(b, c, x, 1 + std::fabs(costate));
      if (!least) return std::nullopt;
      sum += *least - out[1 + i] * x;
    }
    return sum;
  }

  const Hamiltonian& h_;
  const ControlSolution& s_;
  std::size_t n_;
  std::vector<int> variables_;
  mutable std::vector<double> end_of_interval_;
};

}  // namespace

std::optional<double> dual_bound(const Hamiltonian& h, const ControlSolution& solution) {
  const Dual dual(h, solution);
  return dual.applies() ? dual.value() : std::nullopt;
}

}  // namespace eos::solvers
