#include "sweep.hpp"

#include <fmt/format.h>

#include <cmath>

#include "certify.hpp"
#include "eos/core/error.hpp"
#include "extremal.hpp"

namespace eos::solvers {

using theory::ControlProblem;
using theory::ControlSolution;
using theory::Expr;

namespace {

/// Values at grid nodes and midpoints: 2 N + 1 rows.
using Rows = std::vector<std::vector<double>>;

class Sweep {
 public:
  Sweep(const ControlProblem& problem, const ControlOptions& options)
      : problem_(problem),
        options_(options),
        h_(problem),
        least_(h_),
        n_(static_cast<std::size_t>(h_.states())),
        m_(static_cast<std::size_t>(h_.controls())),
        // Order 4 on at least 400 intervals: the controls are what limits the result, not the integration.
        steps_(std::max<std::size_t>(static_cast<std::size_t>(options.intervals), 400)) {
    check();
    const ControlProblem& p = h_.problem();
    std::vector<Expr> rates = h_.dynamics(), costs;
    rates.push_back(h_.running());
    for (const theory::CostTerm& c : p.costs) costs.push_back(c.running);
    f_ = theory::Program(rates, h_.slots());
    std::vector<Expr> back;
    for (const Expr& y : h_.h_x()) back.push_back(-y);
    back_ = theory::Program(back, h_.slots());
    terms_ = theory::Program(costs, h_.slots());
    Expr phi = p.terminal_cost();
    for (std::size_t k = 0; k < p.parameters.size(); ++k)
      phi = theory::substitute(phi, {{p.end_parameter_slot(static_cast<int>(k)), Expr(p.parameters[k].value)}});
    std::vector<int> ends;
    for (std::size_t i = 0; i < n_; ++i) ends.push_back(p.final_slot(static_cast<int>(i)));
    std::vector<Expr> end{phi};
    for (const Expr& d : theory::gradient(phi, ends)) end.push_back(d);
    end_ = theory::Program(end, p.end_slots());
    for (std::size_t k = 0; k < 2 * steps_ + 1; ++k)
      time_.push_back(horizon() * static_cast<double>(k) / static_cast<double>(2 * steps_));
  }

  ControlSolution run() {
    u_.assign(time_.size(), std::vector<double>(m_));
    for (auto& row : u_)
      for (std::size_t j = 0; j < m_; ++j) row[j] = guess(j);
    double cost = forward(u_, x_);
    ControlSolution s;
    s.method = theory::Method::sweep;
    s.status = theory::ControlStatus::iteration_limit;
    s.message = fmt::format("{} sweeps did not suffice", limit());
    double fraction = 0.5, earlier = theory::k_infinity;
    int sweeps = 0;
    for (; sweeps < limit() && std::isfinite(cost); ++sweeps) {
      backward();
      const Rows target = minimisers();
      if (residual_ < options_.tolerance * (1 + std::fabs(cost) / horizon())) {
        s.status = theory::ControlStatus::optimal, s.message.clear();
        break;
      }
      const bool crawls = sweeps % 100 == 99 && !(cost < earlier - 1e-6 * residual_ * horizon());
      if (sweeps % 100 == 99) earlier = cost;
      if (crawls || !move(target, fraction, cost)) {
        s.status = residual_ < 1e-5 * (1 + std::fabs(cost) / horizon()) ? theory::ControlStatus::acceptable
                                                                        : theory::ControlStatus::stalled;
        s.message =
            fmt::format("no fraction of the step lowers J; H exceeds its minimum by {:.1e} somewhere", residual_);
        break;
      }
    }
    if (!std::isfinite(cost)) {
      s.status = theory::ControlStatus::not_finite;
      s.message = "the states under the guess of the controls are not finite";
    }
    s.iterations = sweeps;
    backward();
    fill(s);
    return s;
  }

 private:
  void fail(const std::string& what) const {
    throw core::Error("E401", "a forward-backward sweep cannot keep " + what, "use --method shooting or radau");
  }

  void check() {
    const ControlProblem& p = h_.problem();
    if (p.horizon.free) fail("a free horizon");
    if (!p.path.empty() || !p.ends.empty()) fail("path or end constraints");
    for (std::size_t i = 0; i < n_; ++i) {
      const theory::StateVariable& x = p.states[i];
      if (!x.initial.fixed()) fail("the free initial value of " + x.name);
      if (!x.bounds.free() && !(x.bounds.lower <= 0 && x.bounds.upper == theory::k_infinity))
        fail("bounds on " + x.name);
      if (x.final.free()) continue;
      bool alone = budget_ < 0;
      for (std::size_t k = 0; k < n_; ++k) {
        alone = alone && !theory::depends_on(x.dynamics, p.state_slot(static_cast<int>(k)));
        alone = alone && !theory::depends_on(p.states[k].dynamics, p.state_slot(static_cast<int>(i)));
      }
      alone = alone && !theory::depends_on(h_.running(), p.state_slot(static_cast<int>(i)));
      if (!alone || !std::isfinite(x.final.upper)) fail("the final value of " + x.name);
      budget_ = static_cast<int>(i);
    }
  }

  double horizon() const { return h_.problem().horizon.value; }
  int limit() const { return 4 * std::max(options_.max_iterations, 1); }

  double guess(std::size_t j) const {
    const theory::ControlVariable& c = h_.problem().controls[j];
    if (c.guess) return *c.guess;
    const theory::Interval& b = c.bounds;
    if (std::isfinite(b.lower) && std::isfinite(b.upper)) return 0.5 * (b.lower + b.upper);
    return std::clamp(0.0, b.lower, b.upper);
  }

  std::vector<double> slots(std::size_t k, const double* x, const double* p, const std::vector<double>& u) const {
    std::vector<double> in(static_cast<std::size_t>(h_.slots()), 0.0);
    in[0] = time_[k];
    std::copy_n(x, n_, in.begin() + h_.problem().state_slot(0));
    if (p != nullptr) std::copy_n(p, n_, in.begin() + h_.costate_slot(0));
    std::copy(u.begin(), u.end(), in.begin() + h_.problem().control_slot(0));
    return in;
  }

  /// States (with the running cost last) at nodes and midpoints; J.
  double forward(const Rows& u, Rows& x) const {
    x.assign(time_.size(), std::vector<double>(n_ + 1, 0.0));
    for (std::size_t i = 0; i < n_; ++i) x[0][i] = h_.problem().states[i].initial.lower;
    const double h = horizon() / static_cast<double>(steps_);
    std::vector<double> k1(n_ + 1), k2(n_ + 1), k3(n_ + 1), k4(n_ + 1), y(n_ + 1);
    const auto rate = [&](std::size_t k, const std::vector<double>& at, std::vector<double>& dy) {
      f_(slots(k, at.data(), nullptr, u[k]).data(), dy.data());
    };
    for (std::size_t s = 0; s < 2 * steps_; s += 2) {
      const auto shifted = [&](const std::vector<double>& k, double w) {
        for (std::size_t i = 0; i <= n_; ++i) y[i] = x[s][i] + w * k[i];
      };
      rate(s, x[s], k1);
      shifted(k1, h / 2), rate(s + 1, y, k2);
      shifted(k2, h / 2), rate(s + 1, y, k3);
      shifted(k3, h), rate(s + 2, y, k4);
      for (std::size_t i = 0; i <= n_; ++i) x[s + 2][i] = x[s][i] + h / 6 * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]);
      rate(s + 2, x[s + 2], k4);
      // Cubic through both ends.
      for (std::size_t i = 0; i <= n_; ++i) x[s + 1][i] = 0.5 * (x[s][i] + x[s + 2][i]) + h / 8 * (k1[i] - k4[i]);
    }
    return x.back()[n_] + end_value(x, nullptr);
  }

  double end_value(const Rows& x, double* gradient) const {
    const ControlProblem& p = h_.problem();
    std::vector<double> in(static_cast<std::size_t>(p.end_slots()), 0.0), out(n_ + 1);
    in[0] = horizon();
    std::copy_n(x.front().begin(), n_, in.begin() + p.initial_slot(0));
    std::copy_n(x.back().begin(), n_, in.begin() + p.final_slot(0));
    end_(in.data(), out.data());
    if (gradient != nullptr) std::copy_n(out.begin() + 1, n_, gradient);
    return out[0];
  }

  void backward() {
    p_.assign(time_.size(), std::vector<double>(n_, 0.0));
    end_value(x_, p_.back().data());
    if (budget_ >= 0) p_.back()[static_cast<std::size_t>(budget_)] = price_;
    const double h = horizon() / static_cast<double>(steps_);
    std::vector<double> k1(n_), k2(n_), k3(n_), k4(n_), y(n_);
    const auto rate = [&](std::size_t k, const std::vector<double>& at, std::vector<double>& dy) {
      back_(slots(k, x_[k].data(), at.data(), u_[k]).data(), dy.data());
    };
    for (std::size_t s = 2 * steps_; s > 0; s -= 2) {
      const auto shifted = [&](const std::vector<double>& k, double w) {
        for (std::size_t i = 0; i < n_; ++i) y[i] = p_[s][i] - w * k[i];
      };
      rate(s, p_[s], k1);
      shifted(k1, h / 2), rate(s - 1, y, k2);
      shifted(k2, h / 2), rate(s - 1, y, k3);
      shifted(k3, h), rate(s - 2, y, k4);
      for (std::size_t i = 0; i < n_; ++i) p_[s - 2][i] = p_[s][i] - h / 6 * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]);
      rate(s - 2, p_[s - 2], k4);
      for (std::size_t i = 0; i < n_; ++i) p_[s - 1][i] = 0.5 * (p_[s][i] + p_[s - 2][i]) - h / 8 * (k1[i] - k4[i]);
    }
  }

  /// Pointwise minimisers of H; with a budget, under the least multiplier that keeps it.
  Rows minimisers() {
    if (budget_ < 0) return minimisers_at(0, &residual_);
    const auto b = static_cast<std::size_t>(budget_);
    const theory::Interval final = h_.problem().states[b].final;
    const auto spent = [&](double price) {
      Rows x;
      const Rows u = minimisers_at(price - price_, nullptr);
      forward(u, x);
      return x.back()[b];
    };
    double low = 0, high = 1 + 2 * std::fabs(price_);
    if (!final.fixed() && spent(0) <= final.upper) {
      high = 0;
    } else {
      if (final.fixed()) low = -high;
      for (int k = 0; k < 60 && spent(high) > final.upper; ++k) high *= 2;
      for (int k = 0; k < 60 && final.fixed() && spent(low) < final.upper; ++k) low *= 2;
      for (int k = 0; k < 60 && high - low > 1e-13 * (1 + high); ++k)
        (spent(0.5 * (low + high)) > final.upper ? low : high) = 0.5 * (low + high);
    }
    const double change = high - price_;
    price_ = high;
    return minimisers_at(change, &residual_);
  }

  Rows minimisers_at(double extra, double* residual) {
    Rows target = u_;
    double worst = 0;
    for (std::size_t k = 0; k < time_.size(); ++k) {
      std::vector<double> p = p_[k];
      if (budget_ >= 0) p[static_cast<std::size_t>(budget_)] += extra;
      std::vector<double> in = slots(k, x_[k].data(), p.data(), u_[k]);
      worst = std::max(worst, least_.lower(in));
      std::copy_n(in.begin() + h_.problem().control_slot(0), m_, target[k].begin());
    }
    if (residual != nullptr) *residual = worst;
    return target;
  }

  bool move(const Rows& target, double& fraction, double& cost) {
    for (; fraction > 1e-7; fraction /= 2) {
      Rows u = u_, x;
      for (std::size_t k = 0; k < u.size(); ++k)
        for (std::size_t j = 0; j < m_; ++j) u[k][j] += fraction * (target[k][j] - u[k][j]);
      const double next = forward(u, x);
      // A budget moves J against its price: compare J + price * spent.
      if (merit(next, x) < merit(cost, x_) || (budget_ >= 0 && std::fabs(spending(x) - spending(x_)) > 1e-12)) {
        u_ = std::move(u), x_ = std::move(x);
        cost = next;
        fraction = std::min(1.0, 1.5 * fraction);
        return true;
      }
    }
    return false;
  }

  double spending(const Rows& x) const { return budget_ < 0 ? 0 : x.back()[static_cast<std::size_t>(budget_)]; }
  double merit(double cost, const Rows& x) const { return cost + price_ * spending(x); }

  void fill(ControlSolution& s) {
    const ControlProblem& p = h_.problem();
    s.horizon = horizon();
    s.states.resize(n_), s.costates.resize(n_), s.controls.resize(m_);
    s.intervals = static_cast<int>(steps_);
    std::vector<double> sum(p.costs.size(), 0.0), out(p.costs.size());
    const double h = horizon() / static_cast<double>(steps_);
    for (std::size_t k = 0; k < time_.size(); ++k) {
      terms_(slots(k, x_[k].data(), p_[k].data(), u_[k]).data(), out.data());
      const double weight = h / 6 * (k % 2 == 1 ? 4 : k == 0 || k + 1 == time_.size() ? 1 : 2);
      for (std::size_t c = 0; c < sum.size(); ++c) sum[c] += weight * out[c];
      s.time.push_back(time_[k]);
      for (std::size_t i = 0; i < n_; ++i) s.states[i].push_back(x_[k][i]), s.costates[i].push_back(p_[k][i]);
      for (std::size_t j = 0; j < m_; ++j) s.controls[j].push_back(u_[k][j]);
    }
    std::vector<double> in(static_cast<std::size_t>(p.end_slots()), 0.0);
    in[0] = horizon();
    std::copy_n(x_.front().begin(), n_, in.begin() + p.initial_slot(0));
    std::copy_n(x_.back().begin(), n_, in.begin() + p.final_slot(0));
    for (std::size_t c = 0; c < sum.size(); ++c) {
      double end = 0;
      theory::Program(std::span(&p.costs[c].terminal, 1), p.end_slots())(in.data(), &end);
      s.terms.push_back(sum[c] + end);
      s.objective += p.parameters[static_cast<std::size_t>(p.costs[c].weight)].value * s.terms.back();
    }
    for (const auto& k : p.parameters) s.parameters.push_back(k.value);
    fill_hamiltonian(h_, s);
  }

  const ControlProblem& problem_;
  const ControlOptions& options_;
  Hamiltonian h_;
  HamiltonianMinimum least_;
  std::size_t n_, m_, steps_;
  theory::Program f_, back_, terms_, end_;
  std::vector<double> time_;
  Rows u_, x_, p_;
  int budget_ = -1;
  double price_ = 0, residual_ = 0;
};

}  // namespace

ControlSolution solve_sweep(const ControlProblem& problem, const ControlOptions& options) {
  return Sweep(problem, options).run();
}

}  // namespace eos::solvers
