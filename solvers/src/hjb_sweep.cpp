// Stationary problems: Gauss-Seidel sweeps in alternating directions.
#include <algorithm>
#include <cmath>

#include "eos/core/parallel.hpp"
#include "hjb_scheme.hpp"

namespace eos::solvers {

namespace {

/// The value at a point if the controls u are kept there: (l + sum_i w_i V_i) / (rho + sum_i w_i) over the neighbours i
/// that the motion leads to, with rates w_i = |f_i|/h_i. Infinite if u leads nowhere and costs.
template <int D, int M>
double value_of_controls(const AffinePoint<D, M>& p, const double* u, const double (&below)[D], const double (&above)[D],
                         const double (&inverse_step)[D], double here, double discount) {
  double gain = p.running, rate = discount, square = 0, descent[D];
  for (int i = 0; i < D; ++i) {
    const double lowest = std::min(below[i], above[i]);
    descent[i] = positive(here - lowest) * inverse_step[i];
    square += descent[i] * descent[i];
    for (int j = -1; j < M; ++j) {
      const double f = j < 0 ? p.drift[i] : p.gain[j][i] * u[j];
      if (f == 0) continue;
      const double w = std::abs(f) * inverse_step[i];
      rate += w, gain += w * (f > 0 ? above[i] : below[i]);
    }
  }
  for (int j = 0; j < M; ++j) gain += p.price_abs[j] * std::abs(u[j]) + .5 * p.price_square[j] * u[j] * u[j];
  for (int i = 0; i < D && p.speed > 0 && square > 0; ++i) {
    const double w = p.speed * descent[i] / std::sqrt(square) * inverse_step[i];
    rate += w, gain += w * std::min(below[i], above[i]);
  }
  return rate > 0 ? gain / rate : std::numeric_limits<double>::infinity();
}

/// The root V of min_u { l + sum |f|/h (V upwind - V) } - rho V = 0 at one point, by policy iteration: the left side is
/// concave and falls in V, so that Newton's method from above stays above.
template <int D, int M>
double solve_point(const HjbWork& work, const std::vector<double>& v, std::int64_t row, std::int64_t k,
                   const double (&inverse_step)[D]) {
  const HjbTables& tables = *work.tables;
  const std::int64_t flat = row * work.grid().row_length() + k;
  double below[D], above[D], here = v[static_cast<std::size_t>(flat)];
  neighbour_values<D>(work.grid(), v, flat, k_unreached, below, above);
  for (int step = 0; step < 30; ++step) {
    double best = std::numeric_limits<double>::infinity(), next = best;
    for (int b = 0; b < tables.branches(); ++b) {
      const auto p = tables.row<D, M>(b, row).template at<double>(k);
      double u[M > 0 ? M : 1] = {};
      const double rate = upwind_rate<AffinePattern{}>(p, here, below, above, inverse_step, u);
      if (!(rate < best)) continue;
      best = rate;
      next = value_of_controls<D, M>(p, u, below, above, inverse_step, here, work.problem.discount);
    }
    if (!std::isfinite(next)) break;
    const double moved = std::abs(next - here);
    here = next;
    if (moved <= 1e-14 * (1 + std::abs(here))) break;
  }
  return std::min(here, k_unreached);
}

/// Visits all points in the direction `signs` (bit i: axis i downwards), so that each sees its updated upwind
/// neighbours. Levels of equal distance from the corner depend only on the level before: they may be visited in
/// parallel, with the same result as point after point.
template <class F>
void visit(const HjbGrid& grid, int signs, int threads, const F& point) {
  const int d = grid.dimensions();
  std::int64_t n[3] = {1, 1, 1};
  for (int i = 0; i < d; ++i) n[3 - d + i] = grid.axes[static_cast<std::size_t>(i)].points;
  const auto place = [&](int axis, std::int64_t k) {
    const int own = axis - (3 - d);
    return own >= 0 && (signs >> own & 1) != 0 ? n[axis] - 1 - k : k;
  };
  const auto visit_row = [&](std::int64_t i, std::int64_t j, std::int64_t k) {
    point(place(0, i) * n[1] + place(1, j), place(2, k));
  };
  if (threads <= 1 || d == 1) {
    for (std::int64_t i = 0; i < n[0]; ++i) {
      for (std::int64_t j = 0; j < n[1]; ++j) {
        for (std::int64_t k = 0; k < n[2]; ++k) visit_row(i, j, k);
      }
    }
    return;
  }
  for (std::int64_t level = 0; level <= n[0] + n[1] + n[2] - 3; ++level) {
    const std::int64_t first = std::max<std::int64_t>(0, level - (n[1] - 1) - (n[2] - 1));
    const std::int64_t last = std::min(n[0] - 1, level);
    const auto plane = [&](std::int64_t i) {
      const std::int64_t rest = level - i;
      for (std::int64_t j = std::max<std::int64_t>(0, rest - (n[2] - 1)); j <= std::min(n[1] - 1, rest); ++j) {
        visit_row(i, j, rest - j);
      }
    };
    if (d == 3) {
      core::parallel_for(static_cast<std::size_t>(last - first + 1), threads,
                         [&](std::size_t i) { plane(first + static_cast<std::int64_t>(i)); });
    } else {
      const std::int64_t low = std::max<std::int64_t>(0, level - (n[2] - 1)), high = std::min(n[1] - 1, level);
      constexpr std::int64_t k_piece = 256;
      core::parallel_for(static_cast<std::size_t>((high - low) / k_piece + 1), threads, [&](std::size_t piece) {
        const std::int64_t begin = low + static_cast<std::int64_t>(piece) * k_piece;
        for (std::int64_t j = begin; j <= std::min(high, begin + k_piece - 1); ++j) visit_row(0, j, level - j);
      });
    }
  }
}

/// A start above the solution: nothing reached, or what the dearest point costs for ever.
std::vector<double> start_above(const HjbWork& work) {
  const double rho = work.problem.discount;
  double top = k_unreached;
  if (rho > 0) top = 2 * work.tables->largest_running() / rho;
  std::vector<double> v(work.size(), top);
  work.impose_ends(v);
  return v;
}

/// Rounds of 2^d sweeps until a round changes little. update(row, k, v) is the new value of a point.
template <class Update>
void sweep(HjbWork& work, HjbSolution& solution, std::vector<double>& v, int threads, const Update& update) {
  const std::int64_t n = work.grid().row_length();
  const int directions = 1 << work.grid().dimensions();
  std::vector<double> before;
  solution.status = HjbStatus::sweep_limit;
  while (solution.steps < work.options.max_sweeps) {
    before = v;
    for (int signs = 0; signs < directions; ++signs, ++solution.steps) {
      visit(work.grid(), signs, threads, [&](std::int64_t row, std::int64_t k) {
        const auto at = static_cast<std::size_t>(row * n + k);
        if (work.exits(at)) return;
        double next = update(row, k, v);
        if (!work.stop_cost.empty()) next = std::min(next, work.stop_cost[at]);
        v[at] = next;
      });
    }
    solution.change = 0;
    for (std::size_t k = 0; k < v.size(); ++k) {
      solution.change = std::max(solution.change, std::abs(v[k] - before[k]) / (1 + std::abs(v[k])));
    }
    if (!std::isfinite(solution.change)) {
      solution.status = HjbStatus::not_finite;
      return;
    }
    if (solution.change <= work.options.tolerance) {
      solution.status = HjbStatus::solved;
      return;
    }
  }
}

/// Stores the slice; values that were never reached become infinite.
void store(const HjbWork& work, HjbSolution& solution, std::vector<double> v,
           std::vector<std::vector<double>> control) {
  HjbSlice slice{0, std::move(v), std::move(control), {}};
  if (!work.exit_cost.empty() || !work.stop_cost.empty()) {
    slice.stopped.resize(slice.value.size());
    for (std::size_t k = 0; k < slice.value.size(); ++k) {
      slice.stopped[k] = work.exits(k) || (!work.stop_cost.empty() && slice.value[k] >= work.stop_cost[k]);
    }
  }
  for (double& x : slice.value) {
    if (x >= .5 * k_unreached) x = std::numeric_limits<double>::infinity();
  }
  solution.slices.push_back(std::move(slice));
}

}  // namespace

void sweep_upwind(HjbWork& work, HjbSolution& solution) {
  std::vector<double> v = start_above(work);
  hjb_dispatch(work.tables->states(), work.tables->controls(), [&]<int D, int M>() {
    double inverse_step[D];
    for (int i = 0; i < D; ++i) inverse_step[i] = 1 / work.grid().axes[static_cast<std::size_t>(i)].step();
    sweep(work, solution, v, work.options.threads,
          [&](std::int64_t row, std::int64_t k, const std::vector<double>& now) {
            return solve_point<D, M>(work, now, row, k, inverse_step);
          });
  });
  std::vector<std::vector<double>> control = upwind_controls(work, v);
  store(work, solution, std::move(v), std::move(control));
}

void sweep_semi_lagrangian(HjbWork& work, HjbSolution& solution) {
  std::vector<double> v = start_above(work);
  const std::size_t count = static_cast<std::size_t>(work.tables->controls()) + work.tables->sampled(0).size();
  std::vector<std::vector<double>> control(count, std::vector<double>(v.size()));
  const std::int64_t n = work.grid().row_length();
  std::vector<double> u(count);
  sweep(work, solution, v, 1, [&](std::int64_t row, std::int64_t k, const std::vector<double>& now) {
    const std::int64_t flat = row * n + k;
    const double next =
        semi_lagrangian_point(work, now, flat, std::numeric_limits<double>::infinity(), false, u.data());
    for (std::size_t j = 0; j < count; ++j) control[j][static_cast<std::size_t>(flat)] = u[j];
    return next;
  });
  store(work, solution, std::move(v), std::move(control));
}

}  // namespace eos::solvers
