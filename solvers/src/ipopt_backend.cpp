#include "ipopt_backend.hpp"

#include "eos/core/error.hpp"

#ifdef EOS_HAVE_IPOPT

#include <fmt/format.h>

#include <cmath>

#ifndef HAVE_CSTDDEF
#define HAVE_CSTDDEF  // the packaged 3.11 headers need it
#endif
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#if __has_include(<coin-or/IpIpoptApplication.hpp>)
#include <coin-or/IpIpoptApplication.hpp>
#include <coin-or/IpSolveStatistics.hpp>
#include <coin-or/IpTNLP.hpp>
#else
#include <coin/IpIpoptApplication.hpp>
#include <coin/IpSolveStatistics.hpp>
#include <coin/IpTNLP.hpp>
#endif
#pragma GCC diagnostic pop

namespace eos::solvers {

namespace {

using Ipopt::Index;
using Ipopt::Number;
using theory::Interval;

/// Variables: free node values, stage states, controls. Constraints: stage equations, path, ends.
class ControlNlp final : public Ipopt::TNLP {
 public:
  ControlNlp(Transcription& t, Iterate& at) : t_(t), at_(at), n_(t.shape().states), m_(t.shape().controls) {
    s_ = t.shape().stages, first_ = t.shape().first, p_ = t.lanes(), g_ = t.compiled().path_constraints();
    statics_ = n_ + (t.free_horizon() ? 1 : 0);
    controls_at_ = statics_ + t.shape().intervals * (s_ - first_) * n_;
    size_ = controls_at_ + p_ * m_;
    path_at_ = t.shape().intervals * (s_ - first_) * n_;
    rows_ = path_at_ + g_ * p_ + t.end_rows();
    model_.resize(t.shape());
    at_.slack.assign(static_cast<std::size_t>(g_) * p_, 0.0);
    at_.end_slack.assign(t.end_rows(), 0.0);
    at_.lambda.assign(at_.x.size(), 0.0);
    at_.nu.assign(at_.slack.size(), 0.0);
    at_.end_nu.assign(t.end_rows(), 0.0);
    at_.z_lower.assign(static_cast<std::size_t>(n_ + m_ + g_) * p_, 0.0), at_.z_upper = at_.z_lower;
    at_.start_lower.assign(t.shape().node(), 0.0), at_.start_upper = at_.start_lower;
    at_.end_lower.assign(t.end_rows(), 0.0), at_.end_upper = at_.end_lower;
    t_.evaluate(at_, 2);
    t_.linearise(at_, model_);
    visit_jacobian(
        [&](int row, int column, double) { jacobian_rows_.push_back(row), jacobian_columns_.push_back(column); });
    visit_hessian(
        [&](int row, int column, double) { hessian_rows_.push_back(row), hessian_columns_.push_back(column); });
  }
  InteriorResult result;

  bool get_nlp_info(Index& n, Index& m, Index& jacobian, Index& hessian, IndexStyleEnum& style) override {
    n = size_, m = rows_;
    jacobian = static_cast<Index>(jacobian_rows_.size()), hessian = static_cast<Index>(hessian_rows_.size());
    style = C_STYLE;
    return true;
  }
  bool get_bounds_info(Index, Number* xl, Number* xu, Index, Number* gl, Number* gu) override {
    for (int i = 0; i < size_; ++i) xl[i] = -2e19, xu[i] = 2e19;
    const auto set = [](const Interval& b, Number& lower, Number& upper) {
      lower = std::isfinite(b.lower) ? b.lower : -2e19;
      upper = std::isfinite(b.upper) ? b.upper : 2e19;
    };
    for (int i = 0; i < statics_; ++i) {
      if (t_.start_parent(i) < 0)
        xl[i] = xu[i] = at_.start[i];
      else
        set(t_.start_bounds(i), xl[i], xu[i]);
    }
    for (int lane = 0; lane < p_; ++lane) {
      for (int a = 0; a < n_; ++a)
        if (t_.bounded(a, lane)) set(t_.row_bounds(a), xl[state(lane, a)], xu[state(lane, a)]);
      for (int j = 0; j < m_; ++j) {
        const int v = control(lane, j);
        if (t_.held(j))
          xl[v] = xu[v] = at_.u[static_cast<std::size_t>(j) * p_ + lane];
        else
          set(t_.row_bounds(n_ + j), xl[v], xu[v]);
      }
    }
    for (int r = 0; r < path_at_; ++r) gl[r] = gu[r] = 0;
    for (int i = 0; i < g_; ++i)
      for (int lane = 0; lane < p_; ++lane)
        set(t_.row_bounds(n_ + m_ + i), gl[path_at_ + i * p_ + lane], gu[path_at_ + i * p_ + lane]);
    for (int e = 0; e < t_.end_rows(); ++e) set(t_.end_bounds(e), gl[end_row(e)], gu[end_row(e)]);
    return true;
  }
  bool get_starting_point(Index, bool, Number* x, bool, Number*, Number*, Index, bool, Number*) override {
    for (int i = 0; i < statics_; ++i) x[i] = at_.start[i];
    for (int lane = 0; lane < p_; ++lane) {
      for (int a = 0; a < n_; ++a) x[state(lane, a)] = at_.x[static_cast<std::size_t>(a) * p_ + lane];
      for (int j = 0; j < m_; ++j) x[control(lane, j)] = at_.u[static_cast<std::size_t>(j) * p_ + lane];
    }
    return true;
  }
  bool eval_f(Index, const Number* x, bool, Number& value) override {
    read(x);
    const Measures m = t_.evaluate(at_, 0);
    value = m.objective;
    return m.finite;
  }
  bool eval_grad_f(Index, const Number* x, bool, Number* gradient) override {
    read(x);
    linearise();
    std::fill_n(gradient, size_, 0.0);
    const int v = t_.shape().stage_variables();
    for (int lane = 0; lane < p_; ++lane)
      for (int c = 0; c < v; ++c)
        gradient[variable(lane, c)] += t_.weight(lane) * model_.gradient[static_cast<std::size_t>(lane) * v + c];
    for (int a = 0; a < t_.shape().node(); ++a) gradient[end_variable(a)] += model_.end_gradient[a];
    return true;
  }
  bool eval_g(Index, const Number* x, bool, Index, Number* values) override {
    read(x);
    const Measures m = t_.evaluate(at_, 0);
    for (int lane = 0; lane < p_; ++lane)
      for (int a = 0; a < n_ && lane % s_ >= first_; ++a)
        values[equation(lane, a)] = t_.defects()[static_cast<std::size_t>(lane) * n_ + a];
    for (int i = 0; i < g_ * p_; ++i) values[path_at_ + i] = t_.path_residual()[i];
    for (int e = 0; e < t_.end_rows(); ++e)
      values[end_row(e)] = t_.end_residual()[e] + (t_.end_bounds(e).fixed() ? t_.end_bounds(e).lower : 0.0);
    return m.finite;
  }
  bool eval_jac_g(Index, const Number* x, bool, Index, Index, Index* rows, Index* columns, Number* values) override {
    if (values == nullptr) {
      std::copy(jacobian_rows_.begin(), jacobian_rows_.end(), rows);
      std::copy(jacobian_columns_.begin(), jacobian_columns_.end(), columns);
      return true;
    }
    read(x);
    linearise();
    std::size_t k = 0;
    visit_jacobian([&](int, int, double value) { values[k++] = value; });
    return true;
  }
  bool eval_h(Index, const Number* x, bool, Number factor, Index, const Number* lambda, bool, Index, Index* rows,
              Index* columns, Number* values) override {
    if (values == nullptr) {
      std::copy(hessian_rows_.begin(), hessian_rows_.end(), rows);
      std::copy(hessian_columns_.begin(), hessian_columns_.end(), columns);
      return true;
    }
    read(x);
    // The programs carry the cost with factor one: multipliers are divided by Ipopt's factor, which restoration sets to
    // 0.
    const double scale = std::max(factor, 1e-8);
    read_multipliers(lambda, 1 / scale);
    linearise();
    std::size_t k = 0;
    visit_hessian([&](int, int, double value) { values[k++] = scale * value; });
    return true;
  }
  void finalize_solution(Ipopt::SolverReturn, Index, const Number* x, const Number* zl, const Number* zu, Index,
                         const Number*, const Number* lambda, Number, const Ipopt::IpoptData*,
                         Ipopt::IpoptCalculatedQuantities*) override {
    read(x);
    read_multipliers(lambda, 1);
    for (int lane = 0; lane < p_; ++lane) {
      const double w = t_.weight(lane);
      for (int r = 0; r < n_ + m_; ++r) {
        if (!t_.bounded(r, lane)) continue;
        const int v = r < n_ ? state(lane, r) : control(lane, r - n_);
        at_.z_lower[static_cast<std::size_t>(r) * p_ + lane] = zl[v] / w;
        at_.z_upper[static_cast<std::size_t>(r) * p_ + lane] = zu[v] / w;
      }
    }
    for (int i = 0; i < statics_; ++i) at_.start_lower[i] = zl[i], at_.start_upper[i] = zu[i];
  }

 private:
  int state(int lane, int a) const {
    const int k = lane / s_, i = lane % s_;
    if (i >= first_) return statics_ + (k * (s_ - first_) + i - first_) * n_ + a;
    return k == 0 ? a : state(k * s_ - 1, a);
  }
  int left(int k, int a) const { return k == 0 ? a : state(k * s_ - 1, a); }
  int control(int lane, int j) const { return controls_at_ + lane * m_ + j; }
  int parameter(int z) const { return t_.free_horizon() && z == 0 ? n_ : t_.start_parent(n_ + z); }
  int variable(int lane, int c) const {
    const int nz = t_.shape().statics;
    if (c < n_) return state(lane, c);
    return c < n_ + nz ? parameter(c - n_) : control(lane, c - n_ - nz);
  }
  int end_variable(int a) const { return a < n_ ? state(p_ - 1, a) : parameter(a - n_); }
  int equation(int lane, int a) const { return ((lane / s_) * (s_ - first_) + lane % s_ - first_) * n_ + a; }
  int end_row(int e) const { return path_at_ + g_ * p_ + e; }

  void read(const Number* x) {
    for (int i = 0; i < statics_; ++i) at_.start[i] = x[i];
    for (int lane = 0; lane < p_; ++lane) {
      for (int a = 0; a < n_; ++a) at_.x[static_cast<std::size_t>(a) * p_ + lane] = x[state(lane, a)];
      for (int j = 0; j < m_; ++j) at_.u[static_cast<std::size_t>(j) * p_ + lane] = x[control(lane, j)];
    }
    t_.complete(at_);
  }
  /// Our Lagrangian has -lambda' (stage equation) and densities for path constraints.
  void read_multipliers(const Number* lambda, double scale) {
    for (int lane = 0; lane < p_; ++lane) {
      for (int a = 0; a < n_ && lane % s_ >= first_; ++a)
        at_.lambda[static_cast<std::size_t>(a) * p_ + lane] = -scale * lambda[equation(lane, a)];
      for (int i = 0; i < g_; ++i)
        at_.nu[static_cast<std::size_t>(i) * p_ + lane] = scale * lambda[path_at_ + i * p_ + lane] / t_.weight(lane);
    }
    for (int e = 0; e < t_.end_rows(); ++e) at_.end_nu[e] = scale * lambda[end_row(e)];
  }
  void linearise() {
    t_.evaluate(at_, 2);
    t_.linearise(at_, model_);
  }
  template <class Visit>
  void visit_jacobian(Visit&& visit) {
    const int v = t_.shape().stage_variables(), y = t_.shape().node();
    const std::vector<double>& a = t_.scheme().a;
    for (int lane = 0; lane < p_; ++lane) {
      const int k = lane / s_, i = lane % s_;
      for (int r = 0; r < n_ && i >= first_; ++r) {
        visit(equation(lane, r), state(lane, r), 1.0);
        visit(equation(lane, r), left(k, r), -1.0);
        for (int j = 0; j < s_; ++j)
          for (int c = 0; c < v; ++c)
            visit(
                equation(lane, r), variable(k * s_ + j, c),
                -t_.step(k) * a[i * s_ + j] * model_.jacobian[(static_cast<std::size_t>(k * s_ + j) * n_ + r) * v + c]);
      }
    }
    std::vector<double> unit(v, 0.0);
    for (int i = 0; i < g_; ++i)
      for (int lane = 0; lane < p_; ++lane)
        for (int c = 0; c < v; ++c) {
          unit[c] = 1;
          visit(path_at_ + i * p_ + lane, variable(lane, c),
                t_.path_directional(i, lane, unit.data(), unit.data() + n_, unit.data() + n_ + t_.shape().statics));
          unit[c] = 0;
        }
    for (int e = 0; e < t_.end_rows(); ++e)
      for (int c = 0; c < y; ++c)
        visit(end_row(e), end_variable(c), t_.end_jacobian()[static_cast<std::size_t>(e) * y + c]);
  }
  template <class Visit>
  void visit_hessian(Visit&& visit) {
    const int v = t_.shape().stage_variables(), y = t_.shape().node();
    const auto put = [&](int a, int b, bool same, double value) {
      visit(std::max(a, b), std::min(a, b), a == b && !same ? 2 * value : value);
    };
    for (int lane = 0; lane < p_; ++lane)
      for (int a = 0; a < v; ++a)
        for (int b = 0; b <= a; ++b)
          put(variable(lane, a), variable(lane, b), a == b,
              t_.weight(lane) * model_.hessian[(static_cast<std::size_t>(lane) * v + a) * v + b]);
    for (int a = 0; a < y; ++a)
      for (int b = 0; b <= a; ++b) put(end_variable(a), end_variable(b), a == b, model_.end_hessian[a * y + b]);
  }

  Transcription& t_;
  Iterate& at_;
  int n_, m_, s_ = 0, first_ = 0, p_ = 0, g_ = 0, statics_ = 0, controls_at_ = 0, size_ = 0, path_at_ = 0, rows_ = 0;
  KktModel model_;
  std::vector<int> jacobian_rows_, jacobian_columns_, hessian_rows_, hessian_columns_;
};

theory::ControlStatus status_of(Ipopt::ApplicationReturnStatus s) {
  using theory::ControlStatus;
  switch (s) {
    case Ipopt::Solve_Succeeded:
      return ControlStatus::optimal;
    case Ipopt::Solved_To_Acceptable_Level:
      return ControlStatus::acceptable;
    case Ipopt::Infeasible_Problem_Detected:
      return ControlStatus::infeasible;
    case Ipopt::Diverging_Iterates:
      return ControlStatus::unbounded;
    case Ipopt::Maximum_Iterations_Exceeded:
      return ControlStatus::iteration_limit;
    case Ipopt::Invalid_Number_Detected:
      return ControlStatus::not_finite;
    default:
      return ControlStatus::stalled;
  }
}

}  // namespace

bool have_ipopt() { return true; }

InteriorResult run_ipopt(Transcription& t, Iterate& at, const InteriorOptions& options) {
  Ipopt::SmartPtr<ControlNlp> nlp = new ControlNlp(t, at);
  Ipopt::SmartPtr<Ipopt::IpoptApplication> app = new Ipopt::IpoptApplication(false);
  app->Options()->SetIntegerValue("print_level", 0);
  app->Options()->SetStringValue("sb", "yes");
  app->Options()->SetNumericValue("tol", std::min(1e-8, options.tolerance));
  app->Options()->SetNumericValue("bound_relax_factor", 0);
  app->Options()->SetNumericValue("constr_viol_tol", 1e-10);
  app->Options()->SetNumericValue("compl_inf_tol", 1e-10);
  app->Options()->SetIntegerValue("max_iter", options.max_iterations);
  InteriorResult r;
  if (app->Initialize() != Ipopt::Solve_Succeeded) {
    r.status = theory::ControlStatus::stalled, r.message = "Ipopt could not be initialised";
    return r;
  }
  const Ipopt::ApplicationReturnStatus status = app->OptimizeTNLP(nlp);
  r.status = status_of(status);
  if (r.status != theory::ControlStatus::optimal)
    r.message = fmt::format("Ipopt ended with status {}", static_cast<int>(status));
  if (Ipopt::IsValid(app->Statistics())) r.iterations = app->Statistics()->IterationCount();
  const Measures m = t.evaluate(at, 2);
  t.update_slopes(at);
  r.objective = m.objective, r.violation = m.worst, r.dual = t.dual_residual(at);
  return r;
}

}  // namespace eos::solvers

#else

namespace eos::solvers {

bool have_ipopt() { return false; }

InteriorResult run_ipopt(Transcription&, Iterate&, const InteriorOptions&) {
  throw core::Error("E401", "this eos was built without Ipopt",
                    "install coinor-libipopt-dev and configure with -DEOS_IPOPT=ON, or use the method radau");
}

}  // namespace eos::solvers

#endif
