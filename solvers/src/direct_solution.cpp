// From stage values to a ControlSolution.
#include <algorithm>
#include <cmath>

#include "direct.hpp"
#include "interval_polynomial.hpp"

namespace eos::solvers {

namespace {

/// Points of the grid before they are evaluated.
struct Grid {
  std::vector<double> time;
  std::vector<std::vector<double>> x, u, p;
  void add(double t, const std::vector<double>& xs, const std::vector<double>& us, const std::vector<double>& ps) {
    time.push_back(t);
    for (std::size_t i = 0; i < x.size(); ++i) x[i].push_back(xs[i]), p[i].push_back(ps[i]);
    for (std::size_t j = 0; j < u.size(); ++j) u[j].push_back(us[j]);
  }
};

class GridBuilder {
 public:
  GridBuilder(const Transcription& t, const Iterate& at)
      : t_(t), at_(at), n_(t.shape().states), m_(t.shape().controls), s_(t.shape().stages), p_(t.lanes()) {
    node_ = t.node_costates(at), stage_ = t.stage_costates(at);
    grid_.x.resize(n_), grid_.p.resize(n_), grid_.u.resize(m_);
    left_ = lagrange(t.scheme().c, 0.0);
  }
  Grid build() {
    for (int k = 0; k < t_.shape().intervals; ++k) {
      const double h = t_.step(k) * t_.theta(at_), begin = t_.time(at_, k * s_ + s_ - 1) - h;
      const std::vector<double> u0 = left_controls(k);
      if (k == 0 || jumps(k, u0)) grid_.add(k == 0 ? 0.0 : begin, node_states(k), u0, node_costates(k));
      for (int i = t_.shape().first; i < s_; ++i) {
        const std::size_t lane = static_cast<std::size_t>(k) * s_ + i;
        std::vector<double> x(n_), p(n_), u(m_);
        for (int a = 0; a < n_; ++a) x[a] = at_.x[a * p_ + lane], p[a] = interior_costate(k, i, a);
        for (int j = 0; j < m_; ++j) u[j] = at_.u[j * p_ + lane];
        grid_.add(t_.time(at_, static_cast<int>(lane)), x, u, p);
      }
    }
    return std::move(grid_);
  }

 private:
  std::vector<double> node_states(int k) const {
    std::vector<double> x(n_);
    for (int a = 0; a < n_; ++a)
      x[a] = k == 0 ? at_.start[a] : at_.x[static_cast<std::size_t>(a) * p_ + static_cast<std::size_t>(k) * s_ - 1];
    return x;
  }
  std::vector<double> node_costates(int k) const {
    return {node_.begin() + static_cast<std::ptrdiff_t>(k) * n_,
            node_.begin() + static_cast<std::ptrdiff_t>(k + 1) * n_};
  }
  /// Nodes have costates of full order; between them the mean of the stage value and the chord for Lobatto.
  double interior_costate(int k, int i, int a) const {
    if (i == s_ - 1) return node_[(k + 1) * n_ + a];
    return stage_[static_cast<std::size_t>(a) * p_ + static_cast<std::size_t>(k) * s_ + i];
  }
  std::vector<double> left_controls(int k) const {
    std::vector<double> u(m_, 0.0);
    for (int j = 0; j < m_; ++j) {
      for (int i = 0; i < s_; ++i) u[j] += left_[i] * at_.u[static_cast<std::size_t>(j) * p_ + k * s_ + i];
      const theory::Interval& b = t_.compiled().problem().controls[j].bounds;
      u[j] = std::min(std::max(u[j], b.lower), b.upper);
    }
    return u;
  }
  bool jumps(int k, const std::vector<double>& u0) const {
    for (int j = 0; j < m_; ++j) {
      const double before = at_.u[static_cast<std::size_t>(j) * p_ + static_cast<std::size_t>(k) * s_ - 1];
      if (std::fabs(u0[j] - before) > 0.05 * t_.scale(n_ + j)) return true;
    }
    return false;
  }
  const Transcription& t_;
  const Iterate& at_;
  int n_, m_, s_;
  std::size_t p_;
  std::vector<double> node_, stage_, left_;
  Grid grid_;
};

/// H = l + p . f and H_u at the points of the grid.
void add_hamiltonian(const CompiledProblem& c, std::span<const double> parameters, theory::ControlSolution& s) {
  const std::size_t points = s.time.size();
  const theory::ControlProblem& problem = c.problem();
  const int n = c.states(), m = c.controls();
  std::vector<double> in(c.path_inputs() * points, 0.0), out(c.path().first.outputs() * points);
  std::copy(s.time.begin(), s.time.end(), in.begin());
  for (int a = 0; a < n; ++a)
    std::copy(s.states[a].begin(), s.states[a].end(), in.begin() + problem.state_slot(a) * points);
  for (int j = 0; j < m; ++j)
    std::copy(s.controls[j].begin(), s.controls[j].end(), in.begin() + problem.control_slot(j) * points);
  for (int k = 0; k < c.parameters(); ++k)
    std::fill_n(in.begin() + problem.parameter_slot(k) * points, points, parameters[k]);
  c.path().first.evaluate(in.data(), out.data(), points, points);
  s.hamiltonian.assign(out.begin() + n * points, out.begin() + (n + 1) * points);
  for (int a = 0; a < n; ++a)
    for (std::size_t q = 0; q < points; ++q) s.hamiltonian[q] += s.costates[a][q] * out[a * points + q];
  s.switching.assign(m, std::vector<double>(points, 0.0));
  for (std::size_t e = 0; e < c.path().jacobian.size(); ++e) {
    const auto [r, col] = c.path().jacobian[e];
    if (col < 1 + n || r > n) continue;
    for (std::size_t q = 0; q < points; ++q)
      s.switching[col - 1 - n][q] += (r == n ? 1.0 : s.costates[r][q]) * out[(c.path().rows + e) * points + q];
  }
}

/// C_i by the quadrature of the scheme, and the terminal terms.
std::vector<double> cost_terms(const Transcription& t, const Iterate& at) {
  const CompiledProblem& c = t.compiled();
  const theory::ControlProblem& problem = c.problem();
  const std::size_t p = t.lanes(), costs = problem.costs.size();
  const int n = c.states();
  std::vector<double> in(c.path_inputs() * p, 0.0), out(costs * p), end(c.end_inputs(), 0.0), terms(costs);
  for (std::size_t lane = 0; lane < p; ++lane) in[lane] = t.time(at, static_cast<int>(lane));
  std::copy(at.x.begin(), at.x.end(), in.begin() + problem.state_slot(0) * p);
  std::copy(at.u.begin(), at.u.end(), in.begin() + problem.control_slot(0) * p);
  for (int k = 0; k < c.parameters(); ++k) {
    std::fill_n(in.begin() + problem.parameter_slot(k) * p, p, t.parameters()[k]);
    end[problem.end_parameter_slot(k)] = t.parameters()[k];
  }
  c.running_terms().evaluate(in.data(), out.data(), p, p);
  end[0] = t.horizon(at);
  for (int a = 0; a < n; ++a)
    end[problem.initial_slot(a)] = at.start[a], end[problem.final_slot(a)] = at.x[a * p + p - 1];
  c.terminal_terms()(end.data(), terms.data());
  for (std::size_t i = 0; i < costs; ++i)
    for (std::size_t lane = 0; lane < p; ++lane)
      terms[i] += t.weight(static_cast<int>(lane)) * t.theta(at) * out[i * p + lane];
  return terms;
}

}  // namespace

theory::ControlSolution describe(Transcription& t, const Iterate& at, theory::Method scheme) {
  const theory::ControlProblem& problem = t.compiled().problem();
  Grid grid = GridBuilder(t, at).build();
  theory::ControlSolution s;
  s.method = scheme;
  s.horizon = t.horizon(at);
  s.parameters.assign(t.parameters().begin(), t.parameters().end());
  s.time = std::move(grid.time), s.states = std::move(grid.x), s.controls = std::move(grid.u);
  s.costates = std::move(grid.p);
  s.terms = cost_terms(t, at);
  for (std::size_t i = 0; i < s.terms.size(); ++i) s.objective += s.parameters[problem.costs[i].weight] * s.terms[i];
  add_hamiltonian(t.compiled(), t.parameters(), s);
  s.intervals = t.shape().intervals;
  return s;
}

}  // namespace eos::solvers
