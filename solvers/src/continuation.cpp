#include "eos/solvers/continuation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "absolute_values.hpp"
#include "eos/core/error.hpp"
#include "eos/core/parallel.hpp"
#include "path_follower.hpp"

namespace eos::solvers {

using theory::ControlProblem;
using theory::ControlSolution;
using theory::ControlStatus;
using theory::Method;

namespace {

Method scheme_of(const ContinuationOptions& options) {
  const Method m = options.control.method;
  if (m == Method::trapezoid || m == Method::hermite_simpson || m == Method::radau) return m;
  if (m == Method::automatic) return Method::radau;
  throw core::Error("E401", fmt::format("continuation follows a transcription; the method '{}' has none", to_string(m)),
                    "use auto, trapezoid, hermite-simpson or radau");
}

/// What all points share.
class Family {
 public:
  Family(const ControlProblem& problem, const ContinuationOptions& options)
      : split_(split_absolute_values(problem)),
        compiled_(split_ ? split_->problem : problem),
        scheme_(scheme_of(options)),
        options_(options) {}
  PathFollower follower() const {
    return PathFollower(compiled_, scheme_,
                        Mesh::uniform(compiled_.problem().horizon.value, options_.control.intervals), options_.control);
  }
  ControlSolution solution(PathFollower& f) const {
    ControlSolution s = f.solution();
    if (split_) join(*split_, s);
    return s;
  }
  std::vector<double> parameters() const { return compiled_.parameter_values(); }
  const ControlProblem& problem() const { return compiled_.problem(); }

 private:
  std::optional<SplitProblem> split_;
  CompiledProblem compiled_;
  Method scheme_;
  ContinuationOptions options_;
};

int parameter_index(const ControlProblem& problem, const std::string& name) {
  const int index = problem.find_parameter(name);
  if (index >= 0) return index;
  std::vector<std::string> names;
  for (const auto& p : problem.parameters) names.push_back(p.name);
  throw core::Error("E104", fmt::format("the problem has no parameter '{}'", name), core::suggest(name, names));
}

int cost_index(const ControlProblem& problem, const std::string& name) {
  const int index = problem.find_cost(name);
  if (index >= 0) return index;
  std::vector<std::string> names;
  for (const auto& c : problem.costs) names.push_back(c.name);
  throw core::Error("E104", fmt::format("the problem has no cost '{}'", name), core::suggest(name, names));
}

/// Coordinate in which solutions are smooth: the logarithm where all values are positive.
double coordinate(double value, bool logarithmic) { return logarithmic ? std::log(value) : value; }

/// dJ/dw by a central difference of fourth order, on the same mesh.
double slope_by_differences(PathFollower follower, std::vector<double> parameters, int weight, double sign) {
  const double w = parameters[weight], step = 2e-4 * w;
  double sum = 0;
  const double factor[] = {1.0 / 12, -8.0 / 12, 8.0 / 12, -1.0 / 12};
  const int place[] = {-2, -1, 1, 2};
  for (int i = 0; i < 4; ++i) {
    parameters[weight] = w + place[i] * step;
    sum += factor[i] * sign * follower.go(parameters, std::log(parameters[weight])).objective;
  }
  return sum / step;
}

void mark_hull(std::vector<ParetoPoint>& front) {
  std::vector<std::size_t> order(front.size()), hull;
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return front[a].cost < front[b].cost; });
  for (const std::size_t c : order) {
    while (hull.size() > 1) {
      const ParetoPoint &a = front[hull[hull.size() - 2]], &b = front[hull.back()];
      const double turn = (b.cost - a.cost) * (front[c].rest - a.rest) - (b.rest - a.rest) * (front[c].cost - a.cost);
      const double rounding = 1e-9 * (std::fabs(b.cost - a.cost) * (1 + std::fabs(a.rest)));
      if (turn >= -rounding) break;
      hull.pop_back();
    }
    hull.push_back(c);
  }
  for (ParetoPoint& p : front) p.on_hull = false;
  for (const std::size_t i : hull) front[i].on_hull = true;
}

}  // namespace

std::vector<double> geometric(double first, double last, int count) {
  std::vector<double> values;
  for (int i = 0; i < count; ++i)
    values.push_back(count == 1 ? first : first * std::pow(last / first, static_cast<double>(i) / (count - 1)));
  return values;
}

std::vector<ControlSolution> sweep(const ControlProblem& problem, const std::string& parameter,
                                   std::span<const double> values, const ContinuationOptions& options) {
  const int index = parameter_index(problem, parameter);
  const Family family(problem, options);
  PathFollower follower = family.follower();
  std::vector<double> parameters = family.parameters();
  const bool logarithmic = std::all_of(values.begin(), values.end(), [](double v) { return v > 0; });
  std::vector<ControlSolution> solutions;
  for (const double value : values) {
    parameters[index] = value;
    follower.go(parameters, coordinate(value, logarithmic));
    solutions.push_back(family.solution(follower));
  }
  return solutions;
}

std::vector<ParetoPoint> pareto_front(const ControlProblem& problem, const std::string& cost,
                                     std::span<const double> weights, const ContinuationOptions& options) {
  const int index = cost_index(problem, cost), weight = problem.costs[index].weight;
  for (const double w : weights)
    if (!(w > 0)) throw core::Error("E104", fmt::format("weights of a front must be positive, got {}", w));
  const Family family(problem, options);
  PathFollower follower = family.follower();
  std::vector<double> parameters = family.parameters();
  const double sign = problem.maximise ? -1.0 : 1.0;
  std::vector<ParetoPoint> front;
  for (const double w : weights) {
    parameters[weight] = w;
    follower.go(parameters, std::log(w));
    ParetoPoint point;
    point.weight = w;
    point.solution = family.solution(follower);
    point.cost = point.solution.terms[index];
    point.rest = point.solution.objective - w * point.cost;
    if (options.check_envelope)
      point.envelope_error = std::fabs(slope_by_differences(follower, parameters, weight, sign) - point.cost) /
                             std::max(1.0, std::fabs(point.cost));
    if (!front.empty()) {
      const ParetoPoint& last = front.back();
      const double fall = sign * (w - last.weight) * (last.cost - point.cost);
      const double rounding = 1e-7 * std::fabs(w - last.weight) * std::max(1.0, std::fabs(point.cost));
      point.monotone = fall >= -rounding;
      // J is concave between neighbours of one branch: its chord lies between the two slopes.
      const double chord = (point.solution.objective - last.solution.objective) / (w - last.weight);
      const double low = std::min(last.cost, point.cost), high = std::max(last.cost, point.cost);
      const double slack = 1e-6 * std::max(1.0, std::fabs(high));
      point.branch_change = !point.monotone || chord < low - slack || chord > high + slack;
    }
    front.push_back(std::move(point));
  }
  mark_hull(front);
  return front;
}

BudgetResult solve_with_budget(const ControlProblem& problem, const std::string& cost, double limit,
                               const ContinuationOptions& options) {
  const int index = cost_index(problem, cost), weight = problem.costs[index].weight;
  if (!std::isfinite(limit)) throw core::Error("E104", fmt::format("a budget must be finite, got {}", limit));
  const Family family(problem, options);
  PathFollower follower = family.follower();
  std::vector<double> parameters = family.parameters();
  const double own = parameters[weight], sign = problem.maximise ? -1.0 : 1.0;
  BudgetResult r;
  const auto attempt = [&](double multiplier) {
    parameters[weight] = own + sign * multiplier;
    follower.go(parameters, std::log(1e-12 + multiplier));
    r.solution = family.solution(follower);
    r.multiplier = multiplier;
    r.attained = r.solution.terms[index];
    return r.attained - limit;
  };
  const double tolerance = 1e-9 * std::max(1.0, std::fabs(limit));
  double excess = attempt(0);
  if (!r.solution.ok() || excess <= tolerance) return r;
  double low = 0, low_excess = excess, high = 1e-2 * std::max(1.0, std::fabs(own)), high_excess = 0;
  for (;; low = high, low_excess = high_excess, high *= 4) {
    high_excess = attempt(high);
    if (!r.solution.ok() || high > 1e9 * std::max(1.0, std::fabs(own))) break;
    if (high_excess <= 0) break;
  }
  if (high_excess > tolerance) {
    if (r.solution.ok()) r.solution.status = ControlStatus::infeasible;
    r.solution.message = fmt::format("the budget {} of '{}' cannot be met: even at the price {:.3g} it takes {:.10g}",
                                     limit, cost, r.multiplier, r.attained);
    return r;
  }
  for (int i = 0; i < 200 && std::fabs(high_excess) > tolerance && high - low > 1e-13 * high; ++i) {
    // Illinois: the secant, with the stale end halved.
    double next = high - high_excess * (high - low) / (high_excess - low_excess);
    if (!(next > low && next < high)) next = 0.5 * (low + high);
    const double value = attempt(next);
    if (!r.solution.ok()) return r;
    if (std::fabs(value) <= tolerance) return r;
    if (value > 0) {
      low = next, low_excess = value, high_excess *= 0.5;
    } else {
      high = next, high_excess = value, low_excess *= 0.5;
    }
  }
  attempt(high);
  return r;
}

std::vector<ControlSolution> solve_batch(const ControlProblem& problem, const std::vector<std::vector<double>>& points,
                                         const ContinuationOptions& options, int threads) {
  const Family family(problem, options);
  for (const auto& point : points)
    if (point.size() != family.parameters().size())
      throw core::Error(
          "E104", fmt::format("a point has {} parameters, the problem {}", point.size(), family.parameters().size()));
  constexpr std::size_t block = 32;
  std::vector<ControlSolution> solutions(points.size());
  core::parallel_for((points.size() + block - 1) / block, threads, [&](std::size_t b) {
    PathFollower follower = family.follower();
    double position = 0;
    for (std::size_t i = b * block; i < std::min(points.size(), (b + 1) * block); ++i) {
      if (i > b * block) {
        double distance = 0;
        for (std::size_t k = 0; k < points[i].size(); ++k) {
          const double d = points[i][k] - points[i - 1][k];
          distance += d * d / (1e-30 + points[i][k] * points[i][k]);
        }
        position += std::sqrt(distance) + 1e-12;
      }
      follower.go(points[i], position);
      solutions[i] = family.solution(follower);
    }
  });
  return solutions;
}

}  // namespace eos::solvers
