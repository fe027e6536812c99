#include "closed_form_match.hpp"

#include <boost/math/special_functions/lambert_w.hpp>
#include <cmath>
#include <unsupported/Eigen/MatrixFunctions>

#include "certify.hpp"
#include "eos/theory/closed_forms.hpp"
#include "extremal.hpp"

namespace eos::solvers {

using theory::ControlProblem;
using theory::ControlSolution;
using theory::Expr;
using theory::Interval;

namespace {

/// A two-point start, where only times, ends and free or fixed matter.
ControlSolution frame(const ControlProblem& p, double horizon) {
  ControlSolution s;
  s.time = {0, horizon};
  s.horizon = horizon;
  const auto ends = [](const Interval& a, const Interval& b) {
    return std::vector<double>{a.fixed() ? a.lower : 0.5, b.fixed() ? b.lower : 0.5};
  };
  for (const auto& x : p.states) s.states.push_back(ends(x.initial, x.final)), s.costates.push_back({0.5, 0.5});
  for (const auto& u : p.controls) {
    const double low = std::max(u.bounds.lower, -1.0), high = std::min(u.bounds.upper, 1.0);
    s.controls.push_back({0.5 * (low + high), 0.5 * (low + high)});
  }
  return s;
}

/// Both intervals are points or free, and x is free along the path.
bool plain_ends(const ControlProblem& p) {
  for (const auto& x : p.states)
    if (!x.bounds.free() || !(x.initial.fixed() || x.initial.free()) || !(x.final.fixed() || x.final.free()))
      return false;
  return p.path.empty() && p.ends.empty();
}

Expr terminal_of(const ControlProblem& p) {
  Expr phi = p.terminal_cost();
  for (std::size_t k = 0; k < p.parameters.size(); ++k)
    phi = theory::substitute(phi, {{p.end_parameter_slot(static_cast<int>(k)), Expr(p.parameters[k].value)}});
  return phi;
}

/// The constant that y is, if it is one: equal values at a few points far apart.
std::optional<double> constant_of(const Expr& y, int slots) {
  const theory::Program program(std::span(&y, 1), slots);
  std::optional<double> value;
  for (int k = 0; k < 4; ++k) {
    std::vector<double> in(static_cast<std::size_t>(slots));
    for (std::size_t i = 0; i < in.size(); ++i)
      in[i] = 0.3 + std::fmod(0.618034 * static_cast<double>(i + 1) * (k + 1), 1.0);
    double v = 0;
    program(in.data(), &v);
    if (!std::isfinite(v) || (value && std::fabs(v - *value) > 1e-12 * (1 + std::fabs(v)))) return std::nullopt;
    if (!value) value = v;
  }
  return value;
}

/// Samples a known extremal: z at the begin of every phase.
ControlSolution sample(const Hamiltonian& h, std::vector<Phase> phases, const std::vector<Eigen::VectorXd>& starts,
                       const ControlSolution& start, std::vector<std::pair<std::size_t, double>> segments) {
  MultipleShooting shooting(h, phases, start);
  ShootingResult r;
  r.times.push_back(0);
  for (const Phase& phase : phases) r.times.push_back(phase.end);
  r.starts = starts;
  r.segments = std::move(segments);
  for (const auto& [phase, end] : r.segments)
    r.guesses.push_back(slots_at(h, start, 0.5 * (phases[phase].begin + phases[phase].end)));
  ControlSolution s = extremal(h, shooting, r);
  s.method = theory::Method::closed_form;
  return s;
}

/// Second derivatives of y over slots are constants.
bool quadratic(const Expr& y, const std::vector<int>& slots, int inputs) {
  for (const Expr& d : theory::gradient(y, slots))
    for (const Expr& dd : theory::gradient(d, slots))
      if (!dd.is_constant()) {
        for (int s = 0; s < inputs; ++s)
          if (theory::depends_on(dd, s)) return false;
      }
  return true;
}

bool linear_quadratic(const Hamiltonian& h) {
  const ControlProblem& p = h.problem();
  if (p.horizon.free || !plain_ends(p) || !p.autonomous() || p.controls.empty()) return false;
  for (int j = 0; j < h.controls(); ++j) {
    const Interval b = p.controls[static_cast<std::size_t>(j)].bounds;
    if (h.affine(j) || h.levels(j).size() > static_cast<std::size_t>(std::isfinite(b.lower)) + std::isfinite(b.upper))
      return false;
  }
  std::vector<int> slots = h.canonical_slots(), end;
  for (int j = 0; j < h.controls(); ++j) slots.push_back(p.control_slot(j));
  for (int i = 0; i < h.states(); ++i) end.push_back(p.initial_slot(i)), end.push_back(p.final_slot(i));
  // H = l + p f is quadratic when l is quadratic and f affine.
  return quadratic(h.value(), slots, h.slots()) && quadratic(terminal_of(p), end, p.end_slots());
}

std::optional<ControlSolution> solve_linear_quadratic(const Hamiltonian& h) {
  if (!linear_quadratic(h)) return std::nullopt;
  const ControlProblem& p = h.problem();
  const double horizon = p.horizon.value;
  const int n = h.states(), nz = 2 * n;
  const ControlSolution start = frame(p, horizon);
  const Phase phase{std::vector<ControlLaw>(static_cast<std::size_t>(h.controls())), 0, horizon};
  PhaseSystem system(h, phase.laws, {});
  if (!system.problem().empty()) return std::nullopt;
  Eigen::MatrixXd a;
  Eigen::VectorXd c(nz);
  const Eigen::VectorXd zero = Eigen::VectorXd::Zero(nz);
  system.rate_and_jacobian(0, zero.data(), c.data(), a);
  if (!a.allFinite() || a.norm() * horizon > 30) return std::nullopt;
  // z(T) = E z(0) + e from the affine system.
  Eigen::MatrixXd m = Eigen::MatrixXd::Zero(nz + 1, nz + 1);
  m.topLeftCorner(nz, nz) = a, m.topRightCorner(nz, 1) = c;
  const int pieces = std::max(1, static_cast<int>(std::ceil(a.norm() * horizon / 3)));
  const Eigen::MatrixXd piece = (m * (horizon / pieces)).exp();
  Eigen::MatrixXd whole = Eigen::MatrixXd::Identity(nz + 1, nz + 1);
  for (int k = 0; k < pieces; ++k) whole = piece * whole;
  const Eigen::MatrixXd e = whole.topLeftCorner(nz, nz);
  const Eigen::VectorXd shift = whole.topRightCorner(nz, 1);
  const EndConditions ends(h, start);
  const auto first = ends.initial(horizon, zero.data(), shift.data(), nullptr, zero.data() + n);
  const auto last = ends.final(horizon, zero.data(), shift.data(), nullptr, shift.data() + n);
  Eigen::MatrixXd rows(nz, nz);
  rows << first.x0 + first.xT * e.topLeftCorner(n, n), first.costate + first.xT * e.topRightCorner(n, n),
      last.x0 + last.xT * e.topLeftCorner(n, n) + last.costate * e.bottomLeftCorner(n, n),
      last.xT * e.topRightCorner(n, n) + last.costate * e.bottomRightCorner(n, n);
  Eigen::VectorXd value(nz);
  value << first.value, last.value;
  Eigen::VectorXd z = rows.fullPivLu().solve(-value);
  std::vector<Eigen::VectorXd> starts;
  std::vector<std::pair<std::size_t, double>> segments;
  for (int k = 0; k < pieces; ++k) {
    starts.push_back(z);
    segments.emplace_back(0, horizon * (k + 1) / pieces);
    z = piece.topLeftCorner(nz, nz) * z + piece.topRightCorner(nz, 1);
  }
  ControlSolution s = sample(h, {phase}, starts, start, segments);
  for (std::size_t j = 0; j < s.controls.size(); ++j)
    for (double u : s.controls[j])
      if (!(u >= p.controls[j].bounds.lower && u <= p.controls[j].bounds.upper)) return std::nullopt;
  s.reason = "linear-quadratic: exponential of the Hamiltonian matrix";
  return s;
}

std::optional<ControlSolution> solve_minimum_time(const Hamiltonian& h) {
  const ControlProblem& p = h.problem();
  if (h.states() != 2 || h.controls() != 1 || !p.horizon.free || !plain_ends(p)) return std::nullopt;
  const auto speed = constant_of(p.states[0].dynamics - p.x(1), h.slots());
  const auto force = constant_of(theory::differentiate(p.states[1].dynamics, p.control_slot(0)), h.slots());
  const auto rest = constant_of(p.states[1].dynamics - (force ? *force : 0) * p.u(0), h.slots());
  const auto price = constant_of(h.running(), h.slots());
  const auto end_price =
      constant_of(theory::differentiate(terminal_of(p), ControlProblem::horizon_slot()), p.end_slots());
  const auto end_rest =
      end_price ? constant_of(terminal_of(p) - *end_price * p.duration(), p.end_slots()) : std::nullopt;
  if (!speed || *speed != 0 || !force || !(*force > 0) || !rest || *rest != 0 || !price || !end_rest)
    return std::nullopt;
  const double weight = *price + *end_price, top = p.controls[0].bounds.upper;
  const auto& [a, b] = std::pair(p.states[0], p.states[1]);
  if (!(weight > 0) || p.controls[0].bounds.lower != -top || !a.initial.fixed() || !b.initial.fixed() ||
      !a.final.fixed() || !b.final.fixed() || a.final.lower != 0 || b.final.lower != 0)
    return std::nullopt;
  const double unit = *force * top;
  double x = a.initial.lower / unit, v = b.initial.lower / unit;
  const double side = x > -0.5 * v * std::fabs(v) ? 1 : -1;  // mirrored below the switching curve
  x *= side, v *= side;
  const double second = std::sqrt(x + 0.5 * v * v), first = v + second;
  if (!(second > 0) || !(first > 1e-9 * second)) return std::nullopt;
  // H = weight + p1 v + p2 b u = 0 and p2 = 0 at the switch, where v = -second.
  const double p1 = side * weight / (unit * second);
  std::vector<Phase> phases{{{{Law::level, -side * top, -1}}, 0, first},
                            {{{Law::level, side * top, -1}}, first, first + second}};
  Eigen::VectorXd z0(4), z1(4);
  z0 << a.initial.lower, b.initial.lower, p1, p1 * first;
  z1 << side * unit * (x + v * first - 0.5 * first * first), -side * unit * second, p1, 0;
  if (first + second < p.horizon.bounds.lower || first + second > p.horizon.bounds.upper) return std::nullopt;
  ControlSolution s = sample(h, phases, {z0, z1}, frame(p, first + second), {{0, first}, {1, first + second}});
  s.reason = "minimum time of a double integrator";
  return s;
}

std::optional<ControlSolution> solve_effort(const Hamiltonian& h) {
  const ControlProblem& p = h.problem();
  if (h.states() != 1 || h.controls() != 1 || p.horizon.free || !plain_ends(p)) return std::nullopt;
  if (!p.states[0].initial.fixed() || !p.states[0].final.free()) return std::nullopt;
  const auto decay = constant_of(-p.states[0].dynamics / (p.u(0) * p.x(0)), h.slots());
  const auto price = constant_of(2 * h.running() / (p.u(0) * p.u(0)), h.slots());
  const auto linear = constant_of(terminal_of(p) / p.x_final(0), p.end_slots());
  const auto square = constant_of(2 * terminal_of(p) / (p.x_final(0) * p.x_final(0)), p.end_slots());
  if (!decay || !price || !(linear || square) || !(*decay > 0) || !(*price > 0)) return std::nullopt;
  const double x0 = p.states[0].initial.lower, horizon = p.horizon.value, a = *decay;
  // p x is constant, so u = a p x / k is: k u = a s x0 exp(-a u T), or a s x0^2 exp(-2 a u T).
  const double order = linear ? 1 : 2, gain = linear ? *linear * x0 : *square * x0 * x0;
  if (!(gain > 0)) return std::nullopt;
  const double u = boost::math::lambert_w0(order * a * a * gain * horizon / *price) / (order * a * horizon);
  if (!(u >= p.controls[0].bounds.lower && u <= p.controls[0].bounds.upper)) return std::nullopt;
  Eigen::VectorXd z0(2);
  z0 << x0, *price * u / (a * x0);
  ControlSolution start = frame(p, horizon);
  start.controls[0] = {u, u};
  ControlSolution s = sample(h, {{{ControlLaw{}}, 0, horizon}}, {z0}, start, {{0, horizon}});
  s.reason = "rate with quadratic effort: constant rate by Lambert's W";
  return s;
}

std::optional<ControlSolution> solve_noisy_mode(const Hamiltonian& h) {
  const ControlProblem& p = h.problem();
  if (h.states() != 1 || h.controls() != 1 || p.horizon.free || !plain_ends(p)) return std::nullopt;
  const Expr f = p.states[0].dynamics;
  const int u = p.control_slot(0);
  const auto signal = constant_of(theory::differentiate(theory::differentiate(f, u), p.state_slot(0)), h.slots());
  const auto noise = constant_of(theory::differentiate(theory::differentiate(f, u), u), h.slots());
  const auto price = constant_of(terminal_of(p) / p.x_final(0), p.end_slots());
  const auto running = constant_of(h.running(), h.slots());
  if (!signal || !noise || !price || !running || *running != 0 || !(*price > 0)) return std::nullopt;
  const auto rest = constant_of(f - *signal * p.u(0) * p.x(0) - 0.5 * *noise * p.u(0) * p.u(0), h.slots());
  const Interval b = p.controls[0].bounds;
  if (!rest || std::fabs(*rest) > 1e-14 || b.lower != 0 || !std::isfinite(b.upper) || !p.states[0].initial.fixed() ||
      !p.states[0].final.free())
    return std::nullopt;
  const theory::NoisyMode mode{-0.5 * *signal, 0.5 * *noise, p.states[0].initial.lower, b.upper};
  if (!(mode.lambda > 0 && mode.noise > 0 && mode.initial > 0)) return std::nullopt;
  const double horizon = p.horizon.value, ts = std::min(mode.switch_time(), horizon);
  const double rate = mode.rate(ts), fall = 1 + mode.lambda * rate * (horizon - ts);
  const double after = *price / (fall * fall);  // p grows as (1 + lambda eta (t - t_s))^2 on the annealed arc
  std::vector<Phase> phases;
  std::vector<Eigen::VectorXd> starts;
  std::vector<std::pair<std::size_t, double>> segments;
  const auto add = [&](Law law, double begin, double end, double costate) {
    phases.push_back({{{law, b.upper, -1}}, begin, end});
    if (law != Law::level) phases.back().laws[0].level = 0;
    starts.push_back(Eigen::Vector2d(mode.error(begin), costate));
    segments.emplace_back(phases.size() - 1, end);
  };
  if (ts > 0) add(Law::level, 0, ts, after * std::exp(-2 * mode.lambda * b.upper * ts));
  if (ts < horizon) add(Law::interior, ts, horizon, after);
  ControlSolution start = frame(p, horizon);
  start.controls[0] = {rate, rate};
  ControlSolution s = sample(h, phases, starts, start, segments);
  s.reason = "noisy mode: constant rate, then annealed as 1/t";
  return s;
}

}  // namespace

std::optional<ControlSolution> match_closed_form(const ControlProblem& problem) {
  const Hamiltonian h(problem);
  for (auto* family : {solve_minimum_time, solve_effort, solve_noisy_mode, solve_linear_quadratic}) {
    std::optional<ControlSolution> s = family(h);
    if (!s) continue;
    s->parameters.clear();
    for (const auto& k : problem.parameters) s->parameters.push_back(k.value);
    s->certificate = certify(problem, *s);
    const theory::ControlCertificate& c = s->certificate;
    // A family that was recognised by mistake does not pass its own conditions.
    if (c.ode_residual < 1e-6 && c.minimum_residual < 1e-6 && c.constraint_violation < 1e-8 &&
        c.transversality < 1e-6) {
      s->certificate.lower_bound = s->certificate.lower_bound.value_or(s->objective);
      if (s->certificate.lower_bound_source.empty()) s->certificate.lower_bound_source = "closed form";
      return s;
    }
  }
  return std::nullopt;
}

}  // namespace eos::solvers
