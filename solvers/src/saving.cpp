#include "eos/solvers/saving.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "eos/core/error.hpp"
#include "eos/core/parallel.hpp"
#include "sparse_solve.hpp"

namespace eos::solvers {

namespace {

constexpr std::size_t k_chunk = 4096;  ///< points of one task; fixed, so that results do not depend on threads

[[noreturn]] void refuse(const std::string& message, const std::string& help = {}) {
  throw core::Error("E401", "saving problem: " + message, help);
}

/// One grid with the present values.
struct Level {
  const SavingProblem& problem;
  std::vector<double> state, resources, value;
  std::vector<double> consumption, next_log;  ///< policy: c and ln x'
  std::vector<std::size_t> cell;              ///< of ln x'
  double log_lower, step;                     ///< ln x_0 and the spacing in ln x

  std::size_t points() const { return state.size(); }
  double slope(std::size_t j) const { return (value[j + 1] - value[j]) / step; }
  double log_state(std::size_t i) const { return log_lower + step * static_cast<double>(i); }
};

double utility(double c, double gamma) { return gamma == 1 ? std::log(c) : std::pow(c, 1 - gamma) / (1 - gamma); }

/// c of u'(c) (f - c) = beta b: decreasing in c, by Newton's method on its logarithm, kept inside by bisection.
double consumption_of_slope(double f, double weight, double gamma) {
  if (!(weight > 0)) return f;
  if (gamma == 1) return f / (1 + weight);
  double low = 0, high = f, c = f / (1 + weight);
  for (int k = 0; k < 100; ++k) {
    const double rest = std::log((f - c) / weight) - gamma * std::log(c);
    (rest > 0 ? low : high) = c;
    const double next = c - rest / (-1 / (f - c) - gamma / c);
    const double inside = next > low && next < high ? next : (low + high) / 2;
    if (std::abs(inside - c) <= 1e-15 * f) return inside;
    c = inside;
  }
  return c;
}

struct Choice {
  double consumption, next_log;
  std::size_t cell;
};

/// The best choice at point i: walks from cell `j` to the cell that holds its own optimum, or to the kink between two.
Choice choose(const Level& level, std::size_t i, std::size_t j) {
  const SavingProblem& p = level.problem;
  const double f = level.resources[i];
  const std::size_t last = level.points() - 2;
  bool came_from_left = false, came_from_right = false;
  const auto at_node = [&](std::size_t node, std::size_t cell) {
    return Choice{f - level.state[node] / p.gross_return, level.log_state(node), cell};
  };
  while (true) {
    const double c = consumption_of_slope(f, p.discount * level.slope(j), p.risk_aversion);
    const double next = p.gross_return * (f - c);
    if (next > level.state[j + 1] && (j < last || p.edge == GridEdge::constrain)) {
      if (came_from_right || j == last) return at_node(j + 1, j);
      ++j, came_from_left = true;
    } else if (next < level.state[j] && (j > 0 || p.edge == GridEdge::constrain)) {
      if (came_from_left || j == 0) return at_node(j, j);
      --j, came_from_right = true;
    } else {
      return {c, std::log(next), j};
    }
  }
}

double look_ahead(const Level& level, std::size_t i) {
  const std::size_t j = level.cell[i];
  const double ahead = level.value[j] + level.slope(j) * (level.next_log[i] - level.log_state(j));
  return utility(level.consumption[i], level.problem.risk_aversion) + level.problem.discount * ahead;
}

/// TV and the policy that attains it.
void improve(Level& level, int threads, std::vector<double>& next) {
  const std::size_t n = level.points();
  core::parallel_for((n + k_chunk - 1) / k_chunk, threads, [&](std::size_t chunk) {
    std::size_t j = std::min(chunk * k_chunk, n - 2);
    for (std::size_t i = chunk * k_chunk; i < std::min(n, (chunk + 1) * k_chunk); ++i) {
      const Choice choice = choose(level, i, j);
      level.consumption[i] = choice.consumption;
      level.next_log[i] = choice.next_log;
      level.cell[i] = j = choice.cell;
      next[i] = look_ahead(level, i);
    }
  });
}

/// The value of the present policy, exactly: two entries a row.
void evaluate_policy(Level& level) {
  const std::size_t n = level.points();
  const double beta = level.problem.discount;
  std::vector<Eigen::Triplet<double, std::int64_t>> entries;
  std::vector<double> reward(n);
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t j = level.cell[i];
    const double w = (level.next_log[i] - level.log_state(j)) / level.step;
    const auto row = static_cast<std::int64_t>(i), column = static_cast<std::int64_t>(j);
    entries.emplace_back(row, row, 1.0);
    entries.emplace_back(row, column, -beta * (1 - w));
    entries.emplace_back(row, column + 1, -beta * w);
    reward[i] = utility(level.consumption[i], level.problem.risk_aversion);
  }
  SparseMatrix matrix(static_cast<std::int64_t>(n), static_cast<std::int64_t>(n));
  matrix.setFromTriplets(entries.begin(), entries.end());
  level.value = solve_sparse(matrix, reward);
}

/// Iterates one grid to the tolerance. `exact`: with policy evaluation between improvements.
void iterate(Level& level, bool exact, const SavingOptions& options, SavingSolution& result) {
  const double factor = level.problem.discount / (1 - level.problem.discount);
  const bool bounded = level.problem.edge == GridEdge::constrain;
  std::vector<double> next(level.points());
  result.status = MarkovStatus::solved;
  double before = std::numeric_limits<double>::infinity();
  for (result.iterations = 1;; ++result.iterations) {
    improve(level, options.threads, next);
    double least = std::numeric_limits<double>::infinity(), most = -least, size = 0;
    for (std::size_t i = 0; i < next.size(); ++i) {
      least = std::min(least, next[i] - level.value[i]);
      most = std::max(most, next[i] - level.value[i]);
      size = std::max(size, std::abs(next[i]));
    }
    result.bellman_residual = std::max(std::abs(least), std::abs(most));
    // Extrapolated values do not obey the bounds; the residual then stands in for their width.
    const double half_width = bounded ? factor * (most - least) / 2 : factor * result.bellman_residual;
    if (bounded) {
      for (double& v : next) v += factor * (least + most) / 2;
    }
    level.value.swap(next);
    result.error_bound = bounded ? half_width : std::numeric_limits<double>::quiet_NaN();
    const bool at_rounding = half_width <= 1e-10 * (1 + size) && half_width >= before;
    if (half_width <= options.tolerance * (1 + size) || at_rounding) return;
    before = half_width;
    if (result.iterations >= options.max_iterations) {
      result.status = MarkovStatus::iteration_limit;
      return;
    }
    if (exact) evaluate_policy(level);
  }
}

/// A grid of `points` points; f is interpolated in logarithms from the finest one.
Level make_level(const SavingProblem& problem, std::size_t points) {
  const std::size_t finest = problem.resources.size();
  Level level{problem, {}, {}, {}, {}, {}, {}, std::log(problem.lower), 0};
  level.state = logarithmic_points(problem.lower, problem.upper, static_cast<std::int64_t>(points));
  level.step = (std::log(problem.upper) - level.log_lower) / static_cast<double>(points - 1);
  level.resources = problem.resources;
  if (points != finest) {
    level.resources.resize(points);
    for (std::size_t i = 0; i < points; ++i) {
      const double place = static_cast<double>(i) * static_cast<double>(finest - 1) / static_cast<double>(points - 1);
      const std::size_t j = std::min(static_cast<std::size_t>(place), finest - 2);
      const double w = place - static_cast<double>(j);
      level.resources[i] = std::exp((1 - w) * std::log(problem.resources[j]) + w * std::log(problem.resources[j + 1]));
    }
  }
  level.consumption.resize(points), level.next_log.resize(points), level.cell.resize(points);
  return level;
}

/// Values of a coarser grid, linear in ln x.
std::vector<double> refine(const std::vector<double>& coarse, std::size_t points) {
  std::vector<double> fine(points);
  for (std::size_t i = 0; i < points; ++i) {
    const double place =
        static_cast<double>(i) * static_cast<double>(coarse.size() - 1) / static_cast<double>(points - 1);
    const std::size_t j = std::min(static_cast<std::size_t>(place), coarse.size() - 2);
    const double w = place - static_cast<double>(j);
    fine[i] = (1 - w) * coarse[j] + w * coarse[j + 1];
  }
  return fine;
}

void check(const SavingProblem& p) {
  if (p.resources.size() < 3) refuse(fmt::format("{} grid points, allowed are at least 3", p.resources.size()));
  if (!(p.lower > 0 && p.upper > p.lower)) {
    refuse(fmt::format("states from {} to {}, allowed is 0 < lower < upper", p.lower, p.upper));
  }
  if (!(p.discount > 0 && p.discount < 1)) refuse(fmt::format("discount {}, allowed is (0, 1)", p.discount));
  if (!(p.gross_return > 0)) refuse(fmt::format("gross return {}, allowed is above 0", p.gross_return));
  if (!(p.risk_aversion > 0)) refuse(fmt::format("risk aversion {}, allowed is above 0", p.risk_aversion));
  for (std::size_t i = 0; i < p.resources.size(); ++i) {
    if (!(p.resources[i] > 0) || !std::isfinite(p.resources[i])) {
      refuse(fmt::format("resources of point {} are {}, allowed is above 0", i, p.resources[i]));
    }
    if (p.edge == GridEdge::constrain && !(p.gross_return * p.resources[i] > p.lower)) {
      refuse(fmt::format("from point {} even saving everything ends at {} below the grid's lower end {}", i,
                         p.gross_return * p.resources[i], p.lower),
             "lower the grid's end, or extrapolate");
    }
  }
}

}  // namespace

std::vector<double> logarithmic_points(double lower, double upper, std::int64_t points) {
  std::vector<double> x(static_cast<std::size_t>(points));
  const double step = std::log(upper / lower) / static_cast<double>(points - 1);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = lower * std::exp(step * static_cast<double>(i));
  return x;
}

SavingSolution solve_saving(const SavingProblem& problem, const SavingOptions& options) {
  check(problem);
  std::vector<std::size_t> sizes = {problem.resources.size()};
  while (sizes.back() > static_cast<std::size_t>(std::max<std::int64_t>(options.coarsest, 3)) * 10) {
    sizes.push_back(sizes.back() / 10);
  }
  // Without bounds (extrapolation) every grid is solved with exact evaluation.
  const bool always_exact = problem.edge == GridEdge::extrapolate;
  SavingSolution result;
  std::vector<double> value;
  for (std::size_t k = sizes.size(); k-- > 0;) {
    Level level = make_level(problem, sizes[k]);
    if (value.empty()) {
      for (std::size_t i = 0; i < level.points(); ++i) {
        level.value.push_back(utility(level.resources[i], problem.risk_aversion) / (1 - problem.discount));
      }
    } else {
      level.value = refine(value, sizes[k]);
    }
    iterate(level, value.empty() || always_exact, options, result);
    value = std::move(level.value);
    if (k > 0) continue;
    result.state = std::move(level.state);
    result.consumption = std::move(level.consumption);
  }
  result.value = std::move(value);
  return result;
}

}  // namespace eos::solvers
