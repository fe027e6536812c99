#include "extremal.hpp"

#include <algorithm>
#include <cmath>

namespace eos::solvers {

using theory::Arc;
using theory::ArcKind;
using theory::ControlSolution;
using theory::Expr;

namespace {

ArcKind kind_of(const Hamiltonian& h, int j, const ControlLaw& law) {
  const theory::Interval b = h.problem().controls[static_cast<std::size_t>(j)].bounds;
  switch (law.law) {
    case Law::level:
      return law.level == b.lower ? ArcKind::lower : law.level == b.upper ? ArcKind::upper : ArcKind::interior;
    case Law::interior:
      return ArcKind::interior;
    case Law::singular:
      return ArcKind::singular;
    case Law::path_bound:
      return h.path_bounds()[static_cast<std::size_t>(law.bound)].kind;
  }
  return ArcKind::interior;
}

// p of the direct adjoining along contact with a bound of order q: p + sum_i (-1)^(q-i) mu^(q-i) grad g^(i-1), where
// mu^(k) is the k-th time derivative along the contact.

/// Total derivative along a phase on which u = U(t, x) solves g^(q) = 0 and mu = -H_u / (g^(q))_u.
class ContactFlow {
 public:
  ContactFlow(const Hamiltonian& h, const ControlLaw& law, int control, const Levels& levels) : h_(h) {
    const PathBound& bound = h.path_bounds()[static_cast<std::size_t>(law.bound)];
    const int slot = h.problem().control_slot(control);
    const Expr top = h.hold(bound.derivatives.back(), levels);
    slope_ = theory::differentiate(top, slot);
    linear_ = !theory::depends_on(slope_, slot);
    if (!linear_) return;
    map_[slot] = -theory::substitute(top, {{slot, Expr(0)}}) / slope_;
    const auto close = [&](const Expr& y) { return theory::substitute(h.hold(y, levels), map_); };
    mu_ = close(-h.h_u()[static_cast<std::size_t>(control)] / slope_);
    const std::vector<Expr> top_x = theory::gradient(top, h.state_slots());
    for (int i = 0; i < h.states(); ++i) {
      const auto k = static_cast<std::size_t>(i);
      f_.push_back(close(h.dynamics()[k]));
      p_rate_.push_back(close(-h.h_x()[k]) - mu_ * close(top_x[k]));
    }
  }
  bool linear() const { return linear_; }
  const Expr& mu() const { return mu_; }
  Expr rate(const Expr& y) const {
    Expr sum = theory::differentiate(y, theory::ControlProblem::time_slot());
    const std::vector<Expr> g = theory::gradient(y, h_.canonical_slots());
    for (std::size_t i = 0; i < f_.size(); ++i) sum += g[i] * f_[i] + g[i + f_.size()] * p_rate_[i];
    return sum;
  }

 private:
  const Hamiltonian& h_;
  bool linear_ = false;
  Expr slope_, mu_;
  std::map<int, Expr> map_;
  std::vector<Expr> f_, p_rate_;
};

/// Formulas of what is added to p on a phase; empty when nothing is.
std::vector<Expr> contact_correction(const Hamiltonian& h, const PhaseSystem& system) {
  std::vector<Expr> sum(static_cast<std::size_t>(h.states()), Expr(0));
  bool any = false;
  for (std::size_t j = 0; j < system.laws().size(); ++j) {
    const ControlLaw& law = system.laws()[j];
    if (law.law != Law::path_bound) continue;
    const PathBound& bound = h.path_bounds()[static_cast<std::size_t>(law.bound)];
    const int q = bound.order();
    const ContactFlow flow(h, law, static_cast<int>(j), system.levels());
    if (q == 0 || !flow.linear()) continue;
    Expr mu = flow.mu();
    for (int i = q; i >= 1; --i) {
      const auto g = theory::gradient(bound.derivatives[static_cast<std::size_t>(i - 1)], h.state_slots());
      const double sign = (q - i) % 2 == 0 ? 1 : -1;
      for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += Expr(sign) * mu * g[k];
      mu = flow.rate(mu);
    }
    any = true;
  }
  return any ? sum : std::vector<Expr>{};
}

class Assembly {
 public:
  Assembly(const Hamiltonian& h, MultipleShooting& shooting, const ShootingResult& result)
      : h_(h), shooting_(shooting), result_(result), n_(h.states()) {
    const theory::ControlProblem& p = h.problem();
    std::vector<Expr> running, terminal;
    for (const theory::CostTerm& c : p.costs) running.push_back(c.running), terminal.push_back(c.terminal);
    running_ = theory::Program(running, h.slots());
    terminal_ = theory::Program(terminal, p.end_slots());
    s_.states.resize(static_cast<std::size_t>(n_)), s_.costates.resize(static_cast<std::size_t>(n_));
    s_.controls.resize(p.controls.size());
    integrals_.assign(p.costs.size(), 0.0);
  }

  ControlSolution run(int points) {
    double begin = 0;
    const int least = 12 * static_cast<int>(shooting_.phases()) / static_cast<int>(result_.segments.size());
    // Segments are cut to equal growth: short ones are where the solution moves fast.
    const int equal = std::max(1, points / static_cast<int>(result_.segments.size()));
    for (std::size_t k = 0; k < result_.segments.size(); ++k) {
      const auto [phase, end] = result_.segments[k];
      const bool first = k == 0 || result_.segments[k - 1].first != phase;
      if (first) prepare_correction(phase);
      const int even = static_cast<int>(std::ceil(points * (end - begin) / result_.times.back()));
      segment(phase, k, begin, end, std::clamp(std::max(even, by_change(k)), std::max(equal, least), 400), first);
      begin = end;
    }
    finish();
    return std::move(s_);
  }

 private:
  /// Grid points in proportion to what the canonical vector changes over segment k.
  int by_change(std::size_t k) const {
    if (k + 1 >= result_.nodes.size()) return 1;
    double largest = 0;
    for (Eigen::Index i = 0; i < 2 * n_; ++i) {
      double low = result_.nodes[0][i], high = low;
      for (const Eigen::VectorXd& z : result_.nodes) low = std::min(low, z[i]), high = std::max(high, z[i]);
      if (high > low)
        largest = std::max(largest, std::fabs(result_.nodes[k + 1][i] - result_.starts[k][i]) / (high - low));
    }
    // A segment may grow by e^6: what moves at all needs a dozen points, what rests needs none.
    return largest > 1e-9 ? std::max(16, static_cast<int>(std::ceil(160 * std::sqrt(largest)))) : 1;
  }

  void prepare_correction(std::size_t phase) {
    const std::vector<Expr> formulas = contact_correction(h_, shooting_.system(phase));
    corrected_ = !formulas.empty();
    if (corrected_) correction_ = shooting_.system(phase).compile(formulas);
  }

  void store(std::size_t phase, double t, const double* z) {
    PhaseSystem& system = shooting_.system(phase);
    system.locate(t, z);
    s_.time.push_back(t);
    Eigen::VectorXd added = Eigen::VectorXd::Zero(n_);
    if (corrected_) system.evaluate(correction_, t, z, added);
    for (int i = 0; i < n_; ++i) {
      s_.states[static_cast<std::size_t>(i)].push_back(z[i]);
      s_.costates[static_cast<std::size_t>(i)].push_back(z[n_ + i] + added[i]);
    }
    for (std::size_t j = 0; j < s_.controls.size(); ++j)
      s_.controls[j].push_back(
          system.values()[static_cast<std::size_t>(h_.problem().control_slot(static_cast<int>(j)))]);
  }

  void segment(std::size_t phase, std::size_t k, double ta, double tb, int steps, bool first) {
    PhaseSystem& system = shooting_.system(phase);
    system.set_guess(result_.guesses[k]);
    const std::size_t nz = static_cast<std::size_t>(2 * n_), terms = integrals_.size();
    std::vector<double> y(nz + terms, 0.0);
    std::copy_n(result_.starts[k].data(), nz, y.begin());
    if (first) store(phase, ta, y.data());
    const Rate rate = [&](double t, const double* z, double* dz) {
      system.rate(t, z, dz);
      running_(system.values().data(), dz + nz);
    };
    for (int s = 0; s < steps; ++s) {
      integrate(rate, y, ta + (tb - ta) * s / steps, s + 1 == steps ? tb : ta + (tb - ta) * (s + 1) / steps,
                {Integrator::fehlberg78, 1e-13, 20000});
      store(phase, s + 1 == steps ? tb : ta + (tb - ta) * (s + 1) / steps, y.data());
    }
    for (std::size_t c = 0; c < terms; ++c) integrals_[c] += y[nz + c];
  }

  void finish() {
    const theory::ControlProblem& p = h_.problem();
    s_.horizon = result_.times.back();
    std::vector<double> in(static_cast<std::size_t>(p.end_slots()), 0.0), out(p.costs.size());
    in[0] = s_.horizon;
    for (int i = 0; i < n_; ++i) {
      in[static_cast<std::size_t>(p.initial_slot(i))] = s_.states[static_cast<std::size_t>(i)].front();
      in[static_cast<std::size_t>(p.final_slot(i))] = s_.states[static_cast<std::size_t>(i)].back();
    }
    terminal_(in.data(), out.data());
    for (std::size_t c = 0; c < out.size(); ++c) {
      s_.terms.push_back(integrals_[c] + out[c]);
      s_.objective += p.parameters[static_cast<std::size_t>(p.costs[c].weight)].value * s_.terms.back();
    }
    for (const theory::Parameter& k : p.parameters) s_.parameters.push_back(k.value);
    arcs();
    s_.intervals = static_cast<int>(s_.time.size()) - 1;
    s_.iterations = result_.iterations;
    fill_hamiltonian(h_, s_);
  }

  void arcs() {
    for (int j = 0; j < h_.controls(); ++j)
      for (std::size_t phase = 0; phase < shooting_.phases(); ++phase) {
        const auto& laws = shooting_.system(phase).laws();
        const ControlLaw& law = laws[static_cast<std::size_t>(j)];
        const bool same = phase > 0 && shooting_.system(phase - 1).laws()[static_cast<std::size_t>(j)] == law;
        if (same)
          s_.arcs.back().end = result_.times[phase + 1];
        else
          s_.arcs.push_back({j, result_.times[phase], result_.times[phase + 1], kind_of(h_, j, law)});
      }
    for (std::size_t phase = 1; phase < shooting_.phases(); ++phase) s_.switch_times.push_back(result_.times[phase]);
  }

  const Hamiltonian& h_;
  MultipleShooting& shooting_;
  const ShootingResult& result_;
  int n_;
  theory::Program running_, terminal_;
  ControlSolution s_;
  std::vector<double> integrals_;
  bool corrected_ = false;
  PhaseFunctions correction_;
};

}  // namespace

void fill_hamiltonian(const Hamiltonian& h, ControlSolution& s) {
  std::vector<Expr> formulas{h.value()};
  formulas.insert(formulas.end(), h.h_u().begin(), h.h_u().end());
  const theory::Program program(formulas, h.slots());
  std::vector<double> in(static_cast<std::size_t>(h.slots()), 0.0), out(formulas.size());
  s.hamiltonian.clear();
  s.switching.assign(s.controls.size(), {});
  for (std::size_t k = 0; k < s.time.size(); ++k) {
    in[0] = s.time[k];
    for (int i = 0; i < h.states(); ++i) {
      in[static_cast<std::size_t>(h.problem().state_slot(i))] = s.states[static_cast<std::size_t>(i)][k];
      in[static_cast<std::size_t>(h.costate_slot(i))] = s.costates[static_cast<std::size_t>(i)][k];
    }
    for (std::size_t j = 0; j < s.controls.size(); ++j)
      in[static_cast<std::size_t>(h.problem().control_slot(static_cast<int>(j)))] = s.controls[j][k];
    program(in.data(), out.data());
    s.hamiltonian.push_back(out[0]);
    for (std::size_t j = 0; j < s.controls.size(); ++j) s.switching[j].push_back(out[1 + j]);
  }
}

theory::ControlSolution extremal(const Hamiltonian& h, MultipleShooting& shooting, const ShootingResult& result,
                                 int points) {
  return Assembly(h, shooting, result).run(points);
}

}  // namespace eos::solvers
