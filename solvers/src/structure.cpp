#include "structure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace eos::solvers {

using theory::ControlSolution;

namespace {

struct Run {
  ControlLaw law;
  std::size_t first, last;  // grid points, inclusive
  std::size_t points() const { return last - first + 1; }
};

class Labels {
 public:
  Labels(const Hamiltonian& h, const ControlSolution& s) : h_(h), s_(s) {
    std::vector<theory::Expr> g;
    for (const PathBound& b : h.path_bounds()) g.push_back(b.g());
    contact_ = theory::Program(g, h.slots());
  }

  std::vector<Run> runs(int j) const {
    std::vector<Run> all;
    for (std::size_t k = 0; k < s_.time.size(); ++k) {
      const ControlLaw law = label(j, k);
      if (!all.empty() && all.back().law == law)
        all.back().last = k;
      else
        all.push_back({law, k, k});
    }
    return tidy(std::move(all));
  }

 private:
  ControlLaw label(int j, std::size_t k) const {
    const int bound = contact(j, k);
    if (bound >= 0) return {Law::path_bound, 0, bound};
    const double u = s_.controls[static_cast<std::size_t>(j)][k];
    for (double level : h_.levels(j))
      if (std::fabs(u - level) <= 2e-3 * range(j)) return {Law::level, level, -1};
    return {h_.affine(j) ? Law::singular : Law::interior, 0, -1};
  }

  double range(int j) const {
    const std::vector<double>& u = s_.controls[static_cast<std::size_t>(j)];
    const auto [low, high] = std::minmax_element(u.begin(), u.end());
    return std::max(*high - *low, 1e-6 * (1 + std::fabs(*high)));
  }

  /// The path bound in contact at grid point k that control j can keep, or -1.
  int contact(int j, std::size_t k) const {
    if (contact_.outputs() == 0) return -1;
    std::vector<double> in(static_cast<std::size_t>(h_.slots()), 0.0), g(static_cast<std::size_t>(contact_.outputs()));
    in[0] = s_.time[k];
    double size = 1e-3;
    for (std::size_t i = 0; i < s_.states.size(); ++i) {
      in[static_cast<std::size_t>(h_.problem().state_slot(static_cast<int>(i)))] = s_.states[i][k];
      size = std::max(size, std::fabs(s_.states[i][k]));
    }
    for (std::size_t i = 0; i < s_.controls.size(); ++i)
      in[static_cast<std::size_t>(h_.problem().control_slot(static_cast<int>(i)))] = s_.controls[i][k];
    contact_(in.data(), g.data());
    for (std::size_t b = 0; b < g.size(); ++b) {
      const PathBound& bound = h_.path_bounds()[b];
      if (g[b] > -3e-4 * size && theory::depends_on(bound.derivatives.back(), h_.problem().control_slot(j)) &&
          !(bound.order() > 0 && (k == 0 || k + 1 == s_.time.size())))
        return static_cast<int>(b);
    }
    return -1;
  }

  static void join(std::vector<Run>& runs) {
    std::vector<Run> joined;
    for (const Run& r : runs) {
      if (!joined.empty() && joined.back().law == r.law)
        joined.back().last = r.last;
      else
        joined.push_back(r);
    }
    runs = std::move(joined);
  }

  std::vector<Run> tidy(std::vector<Run> runs) const {
    constexpr std::size_t few = 4;  // points of one mesh interval with both its ends
    const bool singular =
        std::any_of(runs.begin(), runs.end(), [](const Run& r) { return r.law.law == Law::singular; });
    // A cluster of short runs is one singular arc that the discrete control oscillates on.
    for (std::size_t a = 0; singular && a < runs.size(); ++a) {
      std::size_t b = a;
      while (b < runs.size() && runs[b].points() < few && runs[b].law.law != Law::path_bound) ++b;
      if (b - a < 4) continue;
      runs[a].last = runs[b - 1].last;
      runs[a].law = {Law::singular, 0, -1};
      runs.erase(runs.begin() + static_cast<std::ptrdiff_t>(a) + 1, runs.begin() + static_cast<std::ptrdiff_t>(b));
    }
    join(runs);
    // A run of few points over a long time is real: the mesh is coarse there because the solution is a polynomial.
    const auto brief = [&](const Run& r) {
      const double begin = r.first > 0 ? s_.time[r.first - 1] : 0;
      const double end = r.last + 1 < s_.time.size() ? s_.time[r.last + 1] : s_.horizon;
      return r.points() < few && end - begin < 0.05 * s_.horizon;
    };
    // What is still short is swallowed by its neighbours, shortest first.
    while (runs.size() > 1) {
      auto least = runs.end();
      for (auto r = runs.begin(); r != runs.end(); ++r)
        if (brief(*r) && (least == runs.end() || r->points() < least->points())) least = r;
      if (least == runs.end()) break;
      const auto k = static_cast<std::size_t>(least - runs.begin());
      const std::size_t middle = (least->first + least->last) / 2;
      if (k == 0)
        runs[1].first = runs[0].first;
      else if (k + 1 == runs.size())
        runs[k - 1].last = runs[k].last;
      else
        runs[k - 1].last = middle, runs[k + 1].first = middle + 1;
      runs.erase(least);
      join(runs);
    }
    return runs;
  }

  const Hamiltonian& h_;
  const ControlSolution& s_;
  theory::Program contact_;
};

}  // namespace

Structure find_structure(const Hamiltonian& h, const ControlSolution& s) {
  const Labels labels(h, s);
  struct Change {
    double time;
    std::size_t control;
    ControlLaw law;
  };
  std::vector<Change> changes;
  Phase first;
  for (int j = 0; j < h.controls(); ++j) {
    const std::vector<Run> runs = labels.runs(j);
    first.laws.push_back(runs.front().law);
    for (std::size_t r = 1; r < runs.size(); ++r)
      changes.push_back(
          {0.5 * (s.time[runs[r - 1].last] + s.time[runs[r].first]), static_cast<std::size_t>(j), runs[r].law});
  }
  std::stable_sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) { return a.time < b.time; });
  Structure structure;
  structure.phases.push_back(first);
  double last = 0;
  for (const Change& c : changes) {
    // Controls that change within one mesh interval change together.
    const bool together = c.time - last < 1e-3 * s.horizon && structure.phases.size() > 1;
    if (!together) {
      structure.phases.back().end = c.time;
      structure.phases.push_back(structure.phases.back());
      structure.phases.back().begin = c.time;
      last = c.time;
    }
    structure.phases.back().laws[c.control] = c.law;
  }
  structure.phases.back().end = s.horizon;
  structure.trivial = structure.phases.size() == 1;
  for (const ControlLaw& law : first.laws) structure.trivial = structure.trivial && law.law == Law::interior;
  return structure;
}

std::string describe(const Hamiltonian& h, const std::vector<Phase>& phases) {
  std::string text;
  for (int j = 0; j < h.controls(); ++j) {
    const theory::ControlVariable& control = h.problem().controls[static_cast<std::size_t>(j)];
    text += (j > 0 ? "; " : "") + control.name + ":";
    const ControlLaw* before = nullptr;
    for (const Phase& phase : phases) {
      const ControlLaw& law = phase.laws[static_cast<std::size_t>(j)];
      if (before != nullptr && *before == law) continue;
      text += before != nullptr ? " | " : " ";
      before = &law;
      if (law.law == Law::level)
        text += law.level == control.bounds.lower   ? "lower"
                : law.level == control.bounds.upper ? "upper"
                                                    : fmt::format("at {}", law.level + 0.0);
      else
        text += law.law == Law::interior   ? "interior"
                : law.law == Law::singular ? "singular"
                                           : "on " + h.path_bounds()[static_cast<std::size_t>(law.bound)].name;
    }
  }
  return text;
}

}  // namespace eos::solvers
