#include "polish.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "certify.hpp"
#include "extremal.hpp"

namespace eos::solvers {

using theory::ArcKind;
using theory::ControlCertificate;
using theory::ControlSolution;

namespace {

/// A stretch of the trajectory on which one control breaks the minimum principle, and the law that would mend it.
struct Breach {
  std::size_t phase = 0, control = 0;
  double begin = 0, end = 0;
  ControlLaw law;
  double size = 0;
};

class Polisher {
 public:
  Polisher(const theory::ControlProblem& problem, const ControlSolution& start)
      : problem_(problem), h_(problem), start_(start) {}

  PolishResult run() {
    std::vector<Phase> phases = find_structure(h_, start_).phases;
    PolishResult result;
    result.one_arc = phases.size() == 1;
    const ControlSolution* from = &start_;
    ControlSolution last;
    for (int attempt = 0; attempt < 12; ++attempt) {
      MultipleShooting shooting(h_, phases, *from);
      if (drop_impossible(shooting, phases)) continue;
      const ShootingResult r = shooting.solve();
      if (!r.converged) {
        result.message = fmt::format("{} ({})", r.message, describe(h_, phases));
        from = &start_;
        if (!drop_shortest(phases)) return result;
        continue;
      }
      for (std::size_t i = 0; i < phases.size(); ++i) phases[i].begin = r.times[i], phases[i].end = r.times[i + 1];
      ControlSolution s = extremal(h_, shooting, r);
      if (chatters(shooting, phases)) return chatter(std::move(s), phases);
      if (drop_vanished(phases)) continue;
      s.certificate = certify(problem_, s);
      const Breach breach = worst(s, phases);
      if (breach.size == 0 && verified(s, shooting, result.message)) {
        result.message = describe(h_, phases);
        result.solution = std::move(s);
        return result;
      }
      if (breach.size == 0) return result;
      result.message = fmt::format("the minimum principle fails for {} near t = {:.6g} ({})",
                                   problem_.controls[breach.control].name, breach.begin, describe(h_, phases));
      insert(phases, breach);
      last = std::move(s);
      from = &last;
    }
    return result;
  }

 private:
  static std::size_t shortest(const std::vector<Phase>& phases) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < phases.size(); ++i)
      if (phases[i].end - phases[i].begin < phases[best].end - phases[best].begin) best = i;
    return best;
  }

  /// Removes phase k; its time goes to its neighbours.
  static void remove(std::vector<Phase>& phases, std::size_t k) {
    const double middle = 0.5 * (phases[k].begin + phases[k].end);
    if (k > 0) phases[k - 1].end = k + 1 < phases.size() ? middle : phases[k].end;
    if (k + 1 < phases.size()) phases[k + 1].begin = k > 0 ? middle : phases[k].begin;
    phases.erase(phases.begin() + static_cast<std::ptrdiff_t>(k));
    for (std::size_t i = 1; i < phases.size(); ++i)
      if (phases[i].laws == phases[i - 1].laws) {
        phases[i - 1].end = phases[i].end;
        phases.erase(phases.begin() + static_cast<std::ptrdiff_t>(i--));
      }
  }

  static bool drop_shortest(std::vector<Phase>& phases) {
    if (phases.size() < 2) return false;
    remove(phases, shortest(phases));
    return true;
  }

  /// Arcs that shrink to nothing are none. true if any was removed.
  static bool drop_vanished(std::vector<Phase>& phases) {
    bool any = false;
    while (phases.size() > 1) {
      const std::size_t k = shortest(phases);
      if (phases[k].end - phases[k].begin > 1e-5 * phases.back().end) break;
      remove(phases, k);
      any = true;
    }
    return any;
  }

  /// A singular arc of even order cannot lie between bang arcs with finitely many switches: it can only end a
  /// chattering sequence (McDanell & Powers 1971). true if any was removed.
  static bool drop_impossible(MultipleShooting& shooting, std::vector<Phase>& phases) {
    for (std::size_t i = phases.size() - 1; i-- > 0 && shooting.phases() == phases.size();)
      for (std::size_t j = 0; j < phases[i].laws.size(); ++j)
        if (phases[i].laws[j].law == Law::singular && shooting.system(i).singular(static_cast<int>(j)).order % 2 == 0 &&
            shooting.system(i).singular(static_cast<int>(j)).order > 0) {
          remove(phases, i);
          return true;
        }
    return false;
  }

  /// Longest stretch on which a control leaves its box or a held control has H_u of the wrong sign.
  Breach worst(const ControlSolution& s, const std::vector<Phase>& phases) const {
    Breach found;
    for (std::size_t j = 0; j < s.controls.size(); ++j) {
      double scale = 0;
      for (double v : s.switching[j]) scale = std::max(scale, std::fabs(v));
      Breach open;
      bool running = false;
      std::size_t phase = 0;
      for (std::size_t k = 0; k < s.time.size(); ++k) {
        if (k > 0 && s.time[k] == s.time[k - 1] && phase + 1 < phases.size()) {
          close(open, found), open = {}, running = false;
          ++phase;
        }
        ControlLaw law;
        if (!breaks(s, j, k, phases[phase].laws[j], scale, law)) {
          close(open, found), open = {}, running = false;
          continue;
        }
        if (!running) open = {phase, j, s.time[k], s.time[k], law, 0};
        running = true;
        open.end = s.time[k];
        open.size = open.end - open.begin;
      }
      close(open, found);
    }
    return found;
  }

  static void close(const Breach& open, Breach& found) {
    if (open.size > found.size) found = open;
  }

  bool breaks(const ControlSolution& s, std::size_t j, std::size_t k, const ControlLaw& law, double scale,
              ControlLaw& mend) const {
    const theory::Interval b = problem_.controls[j].bounds;
    const double u = s.controls[j][k], h_u = s.switching[j][k];
    if (law.law != Law::level) {
      const double slack = 1e-8 * (1 + std::fabs(u));
      mend = {Law::level, u > b.upper ? b.upper : b.lower, -1};
      return u > b.upper + slack || u < b.lower - slack;
    }
    const bool upward = law.level == b.lower && h_u < -1e-7 * (scale + 1e-9);
    const bool downward = law.level == b.upper && h_u > 1e-7 * (scale + 1e-9);
    if (!upward && !downward) return false;
    const std::vector<double>& levels = h_.levels(static_cast<int>(j));
    const auto at = std::find(levels.begin(), levels.end(), law.level) - levels.begin() + (upward ? 1 : -1);
    mend = h_.affine(static_cast<int>(j)) && at >= 0 && at < static_cast<std::ptrdiff_t>(levels.size())
               ? ControlLaw{Law::level, levels[static_cast<std::size_t>(at)], -1}
               : ControlLaw{Law::interior, 0, -1};
    return true;
  }

  static void insert(std::vector<Phase>& phases, const Breach& b) {
    Phase old = phases[b.phase], middle = old;
    middle.laws[b.control] = b.law;
    middle.begin = b.begin, middle.end = b.end;
    std::vector<Phase> parts;
    const double little = 1e-6 * (old.end - old.begin);
    Phase before = old, after = old;
    before.end = b.begin, after.begin = b.end;
    if (b.begin > old.begin + little) parts.push_back(before);
    parts.push_back(middle);
    if (b.end < old.end - little) parts.push_back(after);
    parts.front().begin = old.begin, parts.back().end = old.end;
    auto at = phases.erase(phases.begin() + static_cast<std::ptrdiff_t>(b.phase));
    phases.insert(at, parts.begin(), parts.end());
    for (std::size_t i = 1; i < phases.size(); ++i)
      if (phases[i].laws == phases[i - 1].laws) {
        phases[i - 1].end = phases[i].end;
        phases.erase(phases.begin() + static_cast<std::ptrdiff_t>(i--));
      }
  }

  bool verified(const ControlSolution& s, MultipleShooting& shooting, std::string& message) {
    const ControlCertificate& c = s.certificate;
    const double sign = problem_.maximise ? -1 : 1;
    if (c.minimum_residual > 1e-6)
      message = fmt::format("the minimum principle fails by {:.1e} after polishing", c.minimum_residual);
    else if (c.constraint_violation > 1e-7)
      message = fmt::format("a constraint is violated by {:.1e} after polishing", c.constraint_violation);
    else if (sign * (s.objective - start_.objective) > 0.01 * (1e-6 + std::fabs(start_.objective)))
      message = "the extremal found costs more than the discrete solution";
    else if (!clebsch(s, shooting))
      message = "the generalised Legendre-Clebsch condition fails on a singular arc";
    else
      return true;
    return false;
  }

  /// (-1)^k d (H_u)^(2k) / du >= 0 at the middle of each singular arc.
  bool clebsch(const ControlSolution& s, MultipleShooting& shooting) {
    for (const theory::Arc& arc : s.arcs) {
      if (arc.kind != ArcKind::singular) continue;
      const double t = 0.5 * (arc.begin + arc.end);
      for (std::size_t i = 0; i < shooting.phases(); ++i) {
        PhaseSystem& system = shooting.system(i);
        const SingularLaw& law = system.singular(arc.control);
        if (system.laws()[static_cast<std::size_t>(arc.control)].law != Law::singular) continue;
        double value = 0;
        theory::Program(std::span(&law.clebsch, 1), h_.slots())(slots_at(h_, s, t).data(), &value);
        if (value < -1e-9) return false;
        break;
      }
    }
    return true;
  }

  /// A bang arc meets a singular arc of even order: switches accumulate there.
  static bool chatters(MultipleShooting& shooting, const std::vector<Phase>& phases) {
    for (std::size_t i = 1; i < phases.size(); ++i)
      for (std::size_t j = 0; j < phases[i].laws.size(); ++j)
        if (phases[i].laws[j].law == Law::singular && phases[i - 1].laws[j].law == Law::level &&
            shooting.system(i).singular(static_cast<int>(j)).order % 2 == 0)
          return true;
    return false;
  }

  /// The singular phase at whose begin switches accumulate, and the control.
  static std::pair<std::size_t, std::size_t> accumulation(const std::vector<Phase>& phases) {
    for (std::size_t i = 1; i < phases.size(); ++i)
      for (std::size_t j = 0; j < phases[i].laws.size(); ++j)
        if (phases[i].laws[j].law == Law::singular && phases[i - 1].laws[j].law == Law::level) return {i, j};
    return {phases.size() - 1, 0};
  }

  /// One arc more before the tail: the last arcs are copied, scaled by their own ratio (Zelikin & Borisov 1994: the
  /// field of extremals is self-similar there).
  ControlSolution add_switch(const ControlSolution& s, std::size_t tail, std::size_t control,
                             std::vector<Phase>& phases) const {
    const double a = phases[tail - 2].begin, b = phases[tail - 1].begin, c = phases[tail - 1].end;
    const double ratio = std::clamp((c - b) / (b - a), 0.05, 0.5);
    std::vector<double> factor(static_cast<std::size_t>(h_.slots()), 0.0), norm = factor;
    for (int k = 0; k <= 16; ++k) {
      const std::vector<double> u = slots_at(h_, s, a + (b - a) * k / 16), v = slots_at(h_, s, b + (c - b) * k / 16);
      for (std::size_t i = 0; i < u.size(); ++i) factor[i] += u[i] * v[i], norm[i] += u[i] * u[i];
    }
    for (std::size_t i = 0; i < factor.size(); ++i) factor[i] = norm[i] > 0 ? factor[i] / norm[i] : 0;
    ControlSolution guess;
    guess.states.resize(s.states.size()), guess.costates.resize(s.costates.size());
    guess.controls.resize(s.controls.size());
    const auto put = [&](double t, const std::vector<double>& in, bool scaled) {
      const auto at = [&](int slot) {
        const auto k = static_cast<std::size_t>(slot);
        return scaled ? factor[k] * in[k] : in[k];
      };
      guess.time.push_back(t);
      for (std::size_t i = 0; i < s.states.size(); ++i) {
        guess.states[i].push_back(at(problem_.state_slot(static_cast<int>(i))));
        guess.costates[i].push_back(at(h_.costate_slot(static_cast<int>(i))));
      }
      for (std::size_t j = 0; j < s.controls.size(); ++j)
        guess.controls[j].push_back(in[static_cast<std::size_t>(problem_.control_slot(static_cast<int>(j)))]);
    };
    for (std::size_t k = 0; k < s.time.size() && s.time[k] <= b; ++k) put(s.time[k], slots_at(h_, s, s.time[k]), false);
    for (int k = 1; k <= 60; ++k) put(b + ratio * (c - a) * k / 60, slots_at(h_, s, a + (c - a) * k / 60), true);
    put(s.horizon, slots_at(h_, s, s.horizon), false);
    guess.horizon = s.horizon;
    Phase more = phases[tail - 1];
    more.laws[control] = phases[tail - 2].laws[control];
    phases[tail - 1].end = more.begin = b + ratio * (b - a);
    more.end = phases[tail].begin = b + ratio * (c - a);
    phases.insert(phases.begin() + static_cast<std::ptrdiff_t>(tail), more);
    return guess;
  }

  /// Adds switches in geometric progression before the singular arc until the objective stands still.
  PolishResult chatter(ControlSolution s, std::vector<Phase> phases) {
    auto [tail, control] = accumulation(phases);
    double change = 1;
    for (int more = 0; more < 8 && tail >= 2; ++more) {
      std::vector<Phase> trial = phases;
      const ControlSolution guess = add_switch(s, tail, control, trial);
      MultipleShooting shooting(h_, trial, guess);
      const ShootingResult r = shooting.solve();
      if (!r.converged) break;
      for (std::size_t i = 0; i < trial.size(); ++i) trial[i].begin = r.times[i], trial[i].end = r.times[i + 1];
      ControlSolution next = extremal(h_, shooting, r);
      const double before = s.objective;
      const std::size_t least = shortest(trial);
      if (trial[least].end - trial[least].begin < 1e-12 * next.horizon) break;
      s = std::move(next);
      phases = std::move(trial);
      ++tail;
      change = std::fabs(s.objective - before) / std::fabs(s.objective);
      if (change < 1e-11) break;
    }
    return finish_chatter(std::move(s), phases, tail, control, change);
  }

  PolishResult finish_chatter(ControlSolution s, const std::vector<Phase>& phases, std::size_t tail,
                              std::size_t control, double change) {
    // The last arcs close the cut sequence; the ratio shows on the full ones before them.
    const auto length = [&](std::size_t i) { return phases[i].end - phases[i].begin; };
    const double ratio = tail >= 5 ? length(tail - 3) / length(tail - 4) : length(tail - 1) / length(tail - 2);
    s.certificate = certify(problem_, s);
    PolishResult result;
    s.message = fmt::format(
        "the control {} chatters: switches accumulate before t = {:.6g}, each arc {:.6g} times as long as the one "
        "before; "
        "the sequence is cut after {} switches, the last of which changed J by {:.1e} of it",
        problem_.controls[control].name, phases[tail - 1].end, ratio, tail, change);
    for (theory::Arc& arc : s.arcs)
      if (arc.control == static_cast<int>(control) && arc.begin >= phases[tail >= 3 ? tail - 3 : 0].begin &&
          arc.end <= phases[tail - 1].end)
        arc.kind = ArcKind::chattering;
    result.message = "chattering";
    result.solution = std::move(s);
    return result;
  }

  const theory::ControlProblem& problem_;
  Hamiltonian h_;
  const ControlSolution& start_;
};

}  // namespace

PolishResult polish(const theory::ControlProblem& problem, const ControlSolution& start) {
  PolishResult none;
  if (start.costates.empty() || start.time.size() < 3) {
    none.message = "the start has no costates";
    return none;
  }
  return Polisher(problem, start).run();
}

}  // namespace eos::solvers
