#include "shooting.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "block_least_squares.hpp"

namespace eos::solvers {

using theory::Expr;

std::vector<double> slots_at(const Hamiltonian& h, const theory::ControlSolution& s, double t) {
  const theory::ControlProblem& p = h.problem();
  std::vector<double> in(static_cast<std::size_t>(h.slots()), 0.0);
  const auto upper = std::upper_bound(s.time.begin(), s.time.end(), t);
  const std::size_t b = std::clamp<std::size_t>(static_cast<std::size_t>(upper - s.time.begin()), 1, s.time.size() - 1);
  const double width = s.time[b] - s.time[b - 1];
  const double w = width > 0 ? std::clamp((t - s.time[b - 1]) / width, 0.0, 1.0) : 1.0;
  const auto at = [&](const std::vector<double>& v) { return (1 - w) * v[b - 1] + w * v[b]; };
  in[0] = t;
  for (int i = 0; i < h.states(); ++i) {
    const auto k = static_cast<std::size_t>(i);
    in[static_cast<std::size_t>(p.state_slot(i))] = at(s.states[k]);
    in[static_cast<std::size_t>(h.costate_slot(i))] = at(s.costates[k]);
  }
  for (int j = 0; j < h.controls(); ++j)
    in[static_cast<std::size_t>(p.control_slot(j))] = at(s.controls[static_cast<std::size_t>(j)]);
  return in;
}

namespace {

Eigen::VectorXd canonical(const Hamiltonian& h, const std::vector<double>& in) {
  const int n = h.states();
  Eigen::VectorXd z(2 * n);
  for (int i = 0; i < n; ++i) {
    z[i] = in[static_cast<std::size_t>(h.problem().state_slot(i))];
    z[n + i] = in[static_cast<std::size_t>(h.costate_slot(i))];
  }
  return z;
}

/// A phase's interior times, for samples.
double inside(const Phase& phase, int k, int of) { return phase.begin + (phase.end - phase.begin) * (k + 0.5) / of; }

}  // namespace

MultipleShooting::MultipleShooting(const Hamiltonian& h, std::vector<Phase> phases,
                                   const theory::ControlSolution& start, ShootingOptions options)
    : h_(&h), n_(h.states()), phases_(std::move(phases)), options_(options), ends_(h, start) {
  prepare_systems(start);
  if (!problem_.empty()) return;
  prepare_junctions();
  prepare_border(start);
  prepare_segments(start);
}

void MultipleShooting::prepare_systems(const theory::ControlSolution& start) {
  systems_.reserve(phases_.size());
  for (const Phase& phase : phases_) {
    std::vector<std::vector<double>> samples;
    for (int k = 0; k < 5; ++k) samples.push_back(slots_at(*h_, start, inside(phase, k, 5)));
    systems_.emplace_back(*h_, phase.laws, samples);
    if (!systems_.back().problem().empty()) problem_ = systems_.back().problem();
  }
  if (problem_.empty()) final_h_.push_back(systems_.back().compile({h_->value()}));
}

void MultipleShooting::junction_of(std::size_t i, std::size_t j, std::vector<Expr>& before, std::vector<Expr>& after) {
  const ControlLaw a = phases_[i - 1].laws[j], b = phases_[i].laws[j];
  const Expr& h_u = h_->h_u()[j];
  const int slot = h_->problem().control_slot(static_cast<int>(j));
  if (a == b) return;
  if (b.law == Law::singular) {
    const SingularLaw& law = systems_[i].singular(static_cast<int>(j));
    const std::size_t count = law.order % 2 == 0 ? 1 : law.entry.size();
    after.insert(after.end(), law.entry.begin(), law.entry.begin() + static_cast<std::ptrdiff_t>(count));
  } else if (b.law == Law::path_bound) {
    const PathBound& bound = h_->path_bounds()[static_cast<std::size_t>(b.bound)];
    for (int q = 0; q < bound.order(); ++q) after.push_back(bound.derivatives[static_cast<std::size_t>(q)]);
    after.push_back(h_u);
  } else if (a.law == Law::singular) {
    return;
  } else if (a.law == Law::path_bound) {
    before.push_back(h_u);
  } else if (a.law == Law::level && b.law == Law::level) {
    return;  // all of them together: H is continuous
  } else {
    const double level = a.law == Law::level ? a.level : b.level;
    (a.law == Law::level ? before : after).push_back(theory::substitute(h_u, {{slot, Expr(level)}}));
  }
}

void MultipleShooting::prepare_junctions() {
  junctions_.resize(phases_.size());
  jumps_.resize(phases_.size());
  for (std::size_t j = 0; j < phases_[0].laws.size(); ++j)
    if (phases_[0].laws[j].law == Law::singular)
      junctions_[0].push_back({0, systems_[0].compile(systems_[0].singular(static_cast<int>(j)).entry)});
  for (std::size_t i = 1; i < phases_.size(); ++i) {
    std::vector<Expr> before, after;
    bool exchanged = false;
    for (std::size_t j = 0; j < phases_[i].laws.size(); ++j) {
      const ControlLaw a = phases_[i - 1].laws[j], b = phases_[i].laws[j];
      junction_of(i, j, before, after);
      exchanged = exchanged || (a.law == Law::level && b.law == Law::level && a.level != b.level);
      if (!(a == b) && b.law == Law::path_bound) {
        const PathBound& bound = h_->path_bounds()[static_cast<std::size_t>(b.bound)];
        jumps_[i].count = bound.order();
        std::vector<Expr> gradients;
        for (int q = 0; q < bound.order(); ++q) {
          const auto g = theory::gradient(bound.derivatives[static_cast<std::size_t>(q)], h_->state_slots());
          gradients.insert(gradients.end(), g.begin(), g.end());
        }
        if (jumps_[i].count > 0) jumps_[i].gradients = systems_[i].compile(gradients);
      }
    }
    if (exchanged) {
      const Levels &a = systems_[i - 1].levels(), &b = systems_[i].levels();
      Levels swapped(a.size(), std::nan(""));
      for (std::size_t j = 0; j < a.size(); ++j)
        if (!std::isnan(a[j]) && !std::isnan(b[j])) swapped[j] = b[j];
      before.push_back(h_->hold(h_->value(), a) - h_->hold(h_->value(), swapped));
    }
    if (!before.empty()) junctions_[i].push_back({i - 1, systems_[i - 1].compile(before)});
    if (!after.empty()) junctions_[i].push_back({i, systems_[i].compile(after)});
  }
}

void MultipleShooting::prepare_border(const theory::ControlSolution& start) {
  const int switches = static_cast<int>(phases_.size()) - 1;
  int next = switches;
  if (ends_.free_horizon()) horizon_column_ = next++;
  nu_column_ = next;
  next += ends_.multipliers();
  for (Jump& jump : jumps_) jump.border = next, next += jump.count;
  if (ends_.coupled()) copies_column_ = next, next += 2 * n_;
  border_size_ = next;
  point_.border = Eigen::VectorXd::Zero(border_size_);
  for (int i = 0; i < switches; ++i) point_.border[i] = phases_[static_cast<std::size_t>(i)].end;
  if (horizon_column_ >= 0) point_.border[horizon_column_] = start.horizon;
  if (copies_column_ >= 0)
    for (int i = 0; i < n_; ++i) {
      point_.border[copies_column_ + i] = start.states[static_cast<std::size_t>(i)].front();
      point_.border[copies_column_ + n_ + i] = start.states[static_cast<std::size_t>(i)].back();
    }
}

std::vector<double> MultipleShooting::fractions(std::size_t phase, const theory::ControlSolution& start) {
  const Phase& p = phases_[phase];
  const double width = p.end - p.begin;
  std::vector<double> s;
  for (int k = 0; k <= 32; ++k) s.push_back(k / 32.0);
  for (double t : start.time)
    if (t > p.begin && t < p.end) s.push_back((t - p.begin) / width);
  std::sort(s.begin(), s.end());
  Eigen::MatrixXd a;
  Eigen::VectorXd rate(2 * n_);
  std::vector<double> growth{0};
  double before = 0;
  for (std::size_t k = 0; k < s.size(); ++k) {
    const std::vector<double> in = slots_at(*h_, start, p.begin + s[k] * width);
    systems_[phase].set_guess(in);
    systems_[phase].rate_and_jacobian(in[0], canonical(*h_, in).data(), rate.data(), a);
    const double norm = a.allFinite() ? a.norm() : before;
    if (k > 0) growth.push_back(growth.back() + 0.5 * (norm + before) * width * (s[k] - s[k - 1]));
    before = norm;
  }
  const int count = std::clamp(static_cast<int>(std::ceil(growth.back() / options_.growth)), 2, 20000);
  std::vector<double> cuts{0};
  for (std::size_t k = 1; static_cast<int>(cuts.size()) < count; ++k)
    while (static_cast<int>(cuts.size()) < count &&
           (k + 1 == s.size() || growth[k] >= growth.back() * static_cast<double>(cuts.size()) / count)) {
      const double target = growth.back() * static_cast<double>(cuts.size()) / count;
      const double rise = growth[k] - growth[k - 1];
      const double w = rise > 0 ? std::clamp((target - growth[k - 1]) / rise, 0.0, 1.0) : 0.5;
      cuts.push_back(s[k - 1] + w * (s[k] - s[k - 1]));
    }
  cuts.push_back(1);
  if (growth.back() > 0) return cuts;
  for (int k = 0; k <= count; ++k) cuts[static_cast<std::size_t>(k)] = static_cast<double>(k) / count;
  return cuts;
}

void MultipleShooting::prepare_segments(const theory::ControlSolution& start) {
  for (std::size_t i = 0; i < phases_.size(); ++i) {
    const std::vector<double> cuts = fractions(i, start);
    for (std::size_t k = 0; k + 1 < cuts.size(); ++k) segments_.push_back({i, cuts[k], cuts[k + 1]});
  }
  for (const Segment& s : segments_) {
    const Phase& phase = phases_[s.phase];
    const double width = phase.end - phase.begin;
    point_.nodes.push_back(canonical(*h_, slots_at(*h_, start, phase.begin + s.a * width)));
    guesses_.push_back(slots_at(*h_, start, phase.begin + (s.a + 0.1 * (s.b - s.a)) * width));
  }
  point_.nodes.push_back(canonical(*h_, slots_at(*h_, start, phases_.back().end)));
}

void MultipleShooting::split(std::size_t k, Point& at) {
  Segment& s = segments_[k];
  const double middle = 0.5 * (s.a + s.b);
  const Segment second{s.phase, middle, s.b};
  s.b = middle;
  const auto next = static_cast<std::ptrdiff_t>(k) + 1;
  const Eigen::VectorXd z = 0.5 * (at.nodes[k] + at.nodes[k + 1]);
  segments_.insert(segments_.begin() + next, second);
  at.nodes.insert(at.nodes.begin() + next, z);
  const std::vector<double> guess = guesses_[k];
  guesses_.insert(guesses_.begin() + next, guess);
}

std::vector<double> MultipleShooting::times(const Eigen::VectorXd& border) const {
  std::vector<double> t{0};
  for (std::size_t i = 0; i + 1 < phases_.size(); ++i) t.push_back(border[static_cast<Eigen::Index>(i)]);
  t.push_back(horizon_column_ >= 0 ? border[horizon_column_] : ends_.fixed_horizon());
  return t;
}

void MultipleShooting::add_time(Eigen::MatrixXd& rows, std::size_t phase, double s,
                                const Eigen::VectorXd& column) const {
  // t = (1 - s) tau_phase + s tau_{phase+1}
  const auto add = [&](std::size_t tau, double weight) {
    if (tau == 0 || weight == 0) return;
    const bool last = tau == phases_.size();
    if (last && horizon_column_ < 0) return;
    rows.col(last ? horizon_column_ : static_cast<int>(tau) - 1) += weight * column;
  };
  add(phase, 1 - s);
  add(phase + 1, s);
}

Eigen::VectorXd MultipleShooting::after_jump(const Point& at, std::size_t k, Eigen::MatrixXd* in_node,
                                             Eigen::MatrixXd* in_border) {
  Eigen::VectorXd z = at.nodes[k];
  if (in_node != nullptr) *in_node = Eigen::MatrixXd::Identity(2 * n_, 2 * n_);
  if (in_border != nullptr) *in_border = Eigen::MatrixXd::Zero(2 * n_, border_size_);
  const Segment& s = segments_[k];
  const Jump& jump = jumps_[s.phase];
  if (s.a != 0 || jump.count == 0) return z;
  Eigen::VectorXd value, dt;
  Eigen::MatrixXd dz;
  systems_[s.phase].set_guess(guesses_[k]);
  systems_[s.phase].evaluate(jump.gradients, times(at.border)[s.phase], at.nodes[k].data(), value, dz, dt);
  Eigen::VectorXd in_time = Eigen::VectorXd::Zero(2 * n_);
  for (int q = 0; q < jump.count; ++q) {
    const double pi = at.border[jump.border + q];
    z.tail(n_) -= pi * value.segment(q * n_, n_);
    in_time.tail(n_) -= pi * dt.segment(q * n_, n_);
    if (in_node != nullptr) in_node->bottomRows(n_) -= pi * dz.middleRows(q * n_, n_);
    if (in_border != nullptr) in_border->col(jump.border + q).tail(n_) -= value.segment(q * n_, n_);
  }
  if (in_border != nullptr) add_time(*in_border, s.phase, 0, in_time);
  return z;
}

bool MultipleShooting::link(const Point& at, std::size_t k, bool derivatives, NodeRows& rows) {
  const Segment& s = segments_[k];
  PhaseSystem& system = systems_[s.phase];
  const std::vector<double> tau = times(at.border);
  const double width = tau[s.phase + 1] - tau[s.phase];
  const double ta = tau[s.phase] + s.a * width, tb = tau[s.phase] + s.b * width;
  const int nz = 2 * n_;
  Eigen::MatrixXd in_node, in_border, a;
  const Eigen::VectorXd z0 = after_jump(at, k, derivatives ? &in_node : nullptr, derivatives ? &in_border : nullptr);
  system.set_guess(guesses_[k]);
  Eigen::VectorXd rate_a(nz), rate_b(nz);
  system.rate(ta, z0.data(), rate_a.data());
  std::vector<double> y(static_cast<std::size_t>(derivatives ? nz + nz * nz : nz), 0.0);
  std::copy_n(z0.data(), nz, y.begin());
  Rate rate = [&](double t, const double* z, double* dz) { system.rate(t, z, dz); };
  if (derivatives) {
    Eigen::Map<Eigen::MatrixXd>(y.data() + nz, nz, nz).setIdentity();
    rate = [&](double t, const double* z, double* dz) {
      system.rate_and_jacobian(t, z, dz, a);
      Eigen::Map<Eigen::MatrixXd>(dz + nz, nz, nz).noalias() = a * Eigen::Map<const Eigen::MatrixXd>(z + nz, nz, nz);
    };
  }
  if (!rate_a.allFinite() || !integrate(rate, y, ta, tb, {Integrator::fehlberg78, tolerance_, 20000})) return false;
  rows.residual = Eigen::Map<const Eigen::VectorXd>(y.data(), nz) - at.nodes[k + 1];
  if (!derivatives) return true;
  const Eigen::Map<const Eigen::MatrixXd> s_ab(y.data() + nz, nz, nz);
  system.rate(tb, y.data(), rate_b.data());
  rows.node = s_ab * in_node;
  rows.border = s_ab * in_border;
  add_time(rows.border, s.phase, s.a, -(s_ab * rate_a));  // d z(tb) / d ta = -S F(ta)
  add_time(rows.border, s.phase, s.b, rate_b);
  return rows.node.allFinite() && rows.border.allFinite();
}

void MultipleShooting::node_conditions(const Point& at, std::size_t k, NodeRows& rows) {
  rows.node.resize(0, 2 * n_), rows.border.resize(0, border_size_), rows.residual.resize(0);
  if (k >= segments_.size() || segments_[k].a != 0) return;
  const std::size_t phase = segments_[k].phase;
  const double t = times(at.border)[phase];
  for (const Junction& j : junctions_[phase]) {
    Eigen::VectorXd value, dt;
    Eigen::MatrixXd dz;
    systems_[j.owner].set_guess(guesses_[j.owner == phase ? k : k - 1]);
    systems_[j.owner].evaluate(j.conditions, t, at.nodes[k].data(), value, dz, dt);
    const Eigen::Index old = rows.residual.size(), more = value.size();
    rows.node.conservativeResize(old + more, Eigen::NoChange);
    rows.border.conservativeResize(old + more, Eigen::NoChange);
    rows.residual.conservativeResize(old + more);
    Eigen::MatrixXd border = Eigen::MatrixXd::Zero(more, border_size_);
    add_time(border, phase, 0, dt);
    rows.node.bottomRows(more) = dz;
    rows.border.bottomRows(more) = border;
    rows.residual.tail(more) = value;
  }
}

void MultipleShooting::end_rows(const Point& at, NodeRows& first, NodeRows& last) {
  const double horizon = times(at.border).back();
  const Eigen::VectorXd &z0 = at.nodes.front(), &zT = at.nodes.back();
  const double* nu = at.border.data() + nu_column_;
  const bool copies = copies_column_ >= 0;
  const double* x0 = copies ? at.border.data() + copies_column_ : z0.data();
  const double* xT = copies ? x0 + n_ : zT.data();
  EndConditions::Rows a = ends_.initial(horizon, z0.data(), xT, nu, z0.data() + n_);
  EndConditions::Rows b = ends_.final(horizon, x0, zT.data(), nu, zT.data() + n_);
  const auto extend = [&](NodeRows& rows, const EndConditions::Rows& r, const Eigen::MatrixXd& in_x,
                          const Eigen::MatrixXd& other, int other_column, const Eigen::VectorXd& x) {
    const Eigen::Index old = rows.residual.size(), more = r.value.size(), all = old + more + (copies ? n_ : 0);
    NodeRows out{Eigen::MatrixXd::Zero(all, 2 * n_), Eigen::MatrixXd::Zero(all, border_size_), Eigen::VectorXd(all)};
    out.node.topRows(old) = rows.node, out.border.topRows(old) = rows.border, out.residual.head(old) = rows.residual;
    out.node.block(old, 0, more, n_) = in_x;
    out.node.block(old, n_, more, n_) = r.costate;
    out.border.block(old, nu_column_, more, r.nu.cols()) = r.nu;
    if (horizon_column_ >= 0) out.border.block(old, horizon_column_, more, 1) += r.horizon;
    out.residual.segment(old, more) = r.value;
    if (copies) {
      out.border.block(old, other_column, more, n_) = other;
      const int own = other_column == copies_column_ ? copies_column_ + n_ : copies_column_;
      out.node.block(old + more, 0, n_, n_).setIdentity();
      out.border.block(old + more, own, n_, n_) = -Eigen::MatrixXd::Identity(n_, n_);
      out.residual.tail(n_) = x.head(n_) - at.border.segment(own, n_);
    }
    rows = std::move(out);
  };
  extend(first, a, a.x0, a.xT, copies_column_ + n_, z0);
  extend(last, b, b.xT, b.x0, copies_column_, zT);
  if (ends_.free_horizon()) {
    const Eigen::Index r = b.value.size() - 1;
    Eigen::VectorXd value, dt;
    Eigen::MatrixXd dz;
    systems_.back().set_guess(guesses_.back());
    systems_.back().evaluate(final_h_.front(), horizon, zT.data(), value, dz, dt);
    last.residual[r] += value[0];
    last.node.row(r) += dz.row(0);
    last.border(r, horizon_column_) += dt[0];
  }
}

bool MultipleShooting::assemble(const Point& at, bool derivatives, BlockLeastSquares& system, double& norm) {
  const std::size_t count = segments_.size();
  system.nodes.resize(count + 1);
  system.links.resize(count);
  for (std::size_t k = 0; k <= count; ++k) node_conditions(at, k, system.nodes[k]);
  end_rows(at, system.nodes.front(), system.nodes.back());
  norm = 0;
  for (std::size_t k = 0; k < count; ++k) {
    NodeRows& rows = system.links[k];
    if (!link(at, k, derivatives, rows)) {
      failed_ = k;
      return false;
    }
    norm += rows.residual.squaredNorm();
  }
  for (const NodeRows& rows : system.nodes) norm += rows.residual.squaredNorm();
  norm = std::sqrt(norm);
  return std::isfinite(norm);
}

double MultipleShooting::longest_step(const Point& at, const Eigen::VectorXd& border_step) const {
  // Phases keep at least a tenth of their length in one step.
  double longest = 1;
  const std::vector<double> now = times(at.border);
  Eigen::VectorXd moved = at.border + border_step;
  const std::vector<double> then = times(moved);
  for (std::size_t i = 0; i + 1 < now.size(); ++i) {
    const double width = now[i + 1] - now[i], change = (then[i + 1] - then[i]) - width;
    if (change < -0.9 * width) longest = std::min(longest, 0.9 * width / -change);
  }
  return longest;
}

double MultipleShooting::relative_step(const Point& at, const BlockLeastSquares& system) const {
  double largest = 0;
  for (std::size_t k = 0; k < at.nodes.size(); ++k)
    largest = std::max(largest, (system.step[k].array().abs() / (1 + at.nodes[k].array().abs())).maxCoeff());
  if (border_size_ > 0)
    largest = std::max(largest, (system.border_step.array().abs() / (1 + at.border.array().abs())).maxCoeff());
  return largest;
}

ShootingResult MultipleShooting::solve() {
  ShootingResult result;
  result.message = problem_;
  if (!problem_.empty()) return result;
  Point at = point_;
  BlockLeastSquares system;
  double norm = 0, before = 0;
  for (; result.iterations < options_.max_iterations; ++result.iterations) {
    // A rough start may grow without bound over a segment: shorter ones tame it.
    bool whole = assemble(at, true, system, norm);
    for (int cut = 0; !whole && cut < 40; ++cut) {
      split(failed_, at);
      whole = assemble(at, true, system, norm);
    }
    if (!whole) {
      result.message = "the canonical equations have no solution over a segment";
      return result;
    }
    const int lost = system.solve();
    const double relative = relative_step(at, system);
    if (!std::isfinite(relative)) {
      result.message = fmt::format("the linear system of multiple shooting is singular (rank {} too low)", lost);
      return result;
    }
    if (tolerance_ > options_.tolerance && relative < 1e-4) {
      tolerance_ = options_.tolerance;  // near enough for exact integration to pay
      continue;
    }
    double scale = longest_step(at, system.border_step);
    Point next;
    BlockLeastSquares trial;
    double norm_next = 0;
    bool accepted = false;
    for (; scale > 1e-4; scale /= 2) {
      next = at;
      for (std::size_t k = 0; k < at.nodes.size(); ++k) next.nodes[k] += scale * system.step[k];
      next.border += scale * system.border_step;
      accepted = assemble(next, false, trial, norm_next) &&
                 (norm_next <= (1 - 0.1 * scale) * norm || (scale == 1 && relative < 1e-7));
      if (accepted) break;
    }
    if (!accepted && tolerance_ > options_.tolerance) {
      tolerance_ = options_.tolerance;
      continue;
    }
    if (!accepted) break;
    at = std::move(next);
    before = norm;
    norm = norm_next;
    if (scale == 1 && (relative < 10 * options_.tolerance || (relative < 1e-8 && norm >= 0.5 * before))) {
      ++result.iterations;
      break;
    }
  }
  result.residual = norm;
  finish(at, result);
  return result;
}

bool MultipleShooting::finish(const Point& at, ShootingResult& result) {
  double size = 1;
  for (const Eigen::VectorXd& z : at.nodes) size = std::max(size, z.lpNorm<Eigen::Infinity>());
  result.converged = result.residual < 1e-9 * size;
  if (!result.converged)
    result.message = fmt::format("multiple shooting stopped after {} Newton steps with residual {:.1e}",
                                 result.iterations, result.residual);
  result.times = times(at.border);
  for (int k = 0; k < ends_.multipliers(); ++k) result.nu.push_back(at.border[nu_column_ + k]);
  for (const Segment& s : segments_) {
    const double begin = result.times[s.phase], width = result.times[s.phase + 1] - begin;
    result.segments.push_back({s.phase, s.b == 1 ? begin + width : begin + s.b * width});
  }
  result.nodes = at.nodes;
  for (std::size_t k = 0; k < segments_.size(); ++k) result.starts.push_back(after_jump(at, k, nullptr, nullptr));
  result.guesses = guesses_;
  return result.converged;
}

}  // namespace eos::solvers
