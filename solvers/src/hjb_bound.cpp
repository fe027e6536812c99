// Lower bounds on the cost from sub-solutions of the Hamilton-Jacobi-Bellman equation.
#include <algorithm>
#include <array>
#include <cmath>

#include "eos/core/error.hpp"
#include "eos/core/parallel.hpp"
#include "hjb_tables.hpp"

namespace eos::solvers {

namespace {

constexpr double k_infinite = std::numeric_limits<double>::infinity();

/// Weights of up to four points along an axis for a value and its slope per cell, at local place s of the cell that
/// begins at `cell`.
struct AxisWeights {
  std::int64_t index[4];
  double value[4] = {}, slope[4] = {};
};

AxisWeights axis_weights(const HjbAxis& axis, std::int64_t cell, double s, bool cubic) {
  AxisWeights w;
  for (int k = 0; k < 4; ++k) w.index[k] = cell - 1 + k;
  if (cubic) {
    // Catmull & Rom (1974): continuous slopes; third order in value, second in slope.
    const double value[4] = {s * (-1 + s * (2 - s)) / 2, (2 + s * s * (-5 + 3 * s)) / 2, s * (1 + s * (4 - 3 * s)) / 2,
                             s * s * (s - 1) / 2};
    const double slope[4] = {(-1 + s * (4 - 3 * s)) / 2, s * (-10 + 9 * s) / 2, (1 + s * (8 - 9 * s)) / 2,
                             s * (3 * s - 2) / 2};
    std::copy(value, value + 4, w.value), std::copy(slope, slope + 4, w.slope);
  } else {
    w.value[1] = 1 - s, w.value[2] = s, w.slope[1] = -1, w.slope[2] = 1;
  }
  for (int k = 0; k < 4; ++k) {
    if (axis.periodic()) {
      w.index[k] = (w.index[k] + axis.points) % axis.points;
      continue;
    }
    const bool low = w.index[k] < 0;
    if (!low && w.index[k] < axis.points) continue;
    // A missing point is continued by the parabola through the three inside.
    constexpr double k_parabola[3] = {3, -3, 1};
    for (int m = 0; m < 3; ++m) {
      const int inside = low ? m + 1 : 2 - m;
      w.value[inside] += k_parabola[m] * w.value[k], w.slope[inside] += k_parabola[m] * w.slope[k];
    }
    w.value[k] = w.slope[k] = 0, w.index[k] = w.index[low ? 1 : 2];
  }
  return w;
}

/// W and its gradient in physical units.
template <int D>
struct Sample {
  double x[D], value = 0, gradient[D] = {};
  bool finite = true;
};

template <int D>
Sample<D> sample_of(const HjbGrid& grid, const std::vector<double>& v, const std::int64_t (&cell)[D],
                    const double (&s)[D], bool cubic) {
  Sample<D> sample;
  AxisWeights w[D];
  for (int i = 0; i < D; ++i) {
    const HjbAxis& axis = grid.axes[static_cast<std::size_t>(i)];
    w[i] = axis_weights(axis, cell[i], s[i], cubic);
    const double y = static_cast<double>(cell[i]) + s[i];
    sample.x[i] =
        axis.spacing == Spacing::uniform ? axis.lower + axis.step() * y : axis.lower * std::exp(axis.step() * y);
  }
  const int points = 1 << (2 * D);
  for (int k = 0; k < points; ++k) {
    std::int64_t flat = 0;
    double value = 1, slope[D];
    std::fill(slope, slope + D, 1.0);
    for (int i = 0; i < D; ++i) {
      const int at = k >> (2 * i) & 3;
      flat = flat * grid.axes[static_cast<std::size_t>(i)].points + w[i].index[at];
      value *= w[i].value[at];
      for (int j = 0; j < D; ++j) slope[j] *= j == i ? w[i].slope[at] : w[i].value[at];
    }
    const bool used = value != 0 || std::any_of(slope, slope + D, [](double t) { return t != 0; });
    if (!used) continue;
    const double node = v[static_cast<std::size_t>(flat)];
    if (!std::isfinite(node)) sample.finite = false;
    sample.value += value * node;
    for (int j = 0; j < D; ++j) sample.gradient[j] += slope[j] * node;
  }
  for (int i = 0; i < D; ++i) {
    const HjbAxis& axis = grid.axes[static_cast<std::size_t>(i)];
    sample.gradient[i] *= axis.stretch(sample.x[i]) / axis.step();
  }
  return sample;
}

/// Worst defects over the grid.
struct Defects {
  double residual = 0;  ///< largest -(W_t + min {l + f . grad W} - rho W)
  double scale = 0;     ///< least theta with min {(1 + theta) l + f . grad W} >= 0
  double above = 0;     ///< largest W - stop cost, W - terminal cost
  void join(const Defects& other) {
    residual = std::max(residual, other.residual);
    scale = std::max(scale, other.scale);
    above = std::max(above, other.above);
  }
};

template <int D, int M>
class Inspector {
 public:
  Inspector(const HjbProblem& problem, const HjbSolution& solution, bool cubic, int samples)
      : problem_(problem), solution_(solution), cubic_(cubic), samples_(samples), at_(*problem.model, problem.grid) {}

  Defects cell(const std::int64_t (&cell)[D]) const {
    Defects defects;
    int total = 1;
    for (int i = 0; i < D; ++i) total *= samples_;
    for (std::size_t k = 0; k < solution_.slices.size(); ++k) {
      for (int q = 0; q < total; ++q) {
        double s[D];
        for (int i = 0, rest = q; i < D; ++i, rest /= samples_) {
          s[i] = static_cast<double>(rest % samples_) / std::max(1, samples_ - 1);
        }
        inspect(k, cell, s, defects);
      }
    }
    return defects;
  }
  /// Whether a run has ended at every corner of the cell.
  bool over(const std::int64_t (&cell)[D]) const {
    if (!problem_.exit) return false;
    for (int corner = 0; corner < 1 << D; ++corner) {
      double x[D];
      for (int i = 0; i < D; ++i) {
        x[i] = problem_.grid.axes[static_cast<std::size_t>(i)].coordinate(cell[i] + (corner >> i & 1));
      }
      if (std::isnan(problem_.exit(x))) return false;
    }
    return true;
  }

 private:
  void inspect(std::size_t k, const std::int64_t (&cell)[D], const double (&s)[D], Defects& defects) const {
    const std::vector<HjbSlice>& slices = solution_.slices;
    const Sample<D> w = sample_of<D>(problem_.grid, slices[k].value, cell, s, cubic_);
    if (!w.finite) return;
    if (problem_.stop) defects.above = std::max(defects.above, w.value - problem_.stop(w.x));
    const bool finite = std::isfinite(problem_.horizon);
    if (finite && k + 1 == slices.size()) {
      defects.above = std::max(defects.above, w.value - (problem_.terminal ? problem_.terminal(w.x) : 0));
    }
    double rates[2] = {};
    const int count = finite ? time_rates(k, cell, s, w.value, rates) : 1;
    const double right = least(slices[k].time, w, 0).rate;
    for (int r = 0; r < count; ++r) {
      defects.residual = std::max(defects.residual, problem_.discount * w.value - rates[r] - right);
    }
    if (!finite && problem_.discount == 0) defects.scale = std::max(defects.scale, scale_of(w));
  }

  /// W_t at slice k: both one-sided slopes of W linear in time, or the slope of the parabola through three slices, with
  /// which W is smooth in time. Returns how many there are.
  int time_rates(std::size_t k, const std::int64_t (&cell)[D], const double (&s)[D], double here,
                 double (&rates)[2]) const {
    const std::vector<HjbSlice>& slices = solution_.slices;
    const std::size_t last = slices.size() - 1;
    const auto value = [&](std::size_t at) {
      return at == k ? here : sample_of<D>(problem_.grid, slices[at].value, cell, s, cubic_).value;
    };
    const auto slope = [&](std::size_t i, std::size_t j) {
      return (value(j) - value(i)) / (slices[j].time - slices[i].time);
    };
    if (!cubic_ || last < 2) {
      int count = 0;
      if (k > 0) rates[count++] = slope(k - 1, k);
      if (k < last) rates[count++] = slope(k, k + 1);
      return count;
    }
    const std::size_t first = std::min(k > 0 ? k - 1 : 0, last - 2);
    const double left = slope(first, first + 1), right = slope(first + 1, first + 2);
    const double bend = (right - left) / (slices[first + 2].time - slices[first].time);
    rates[0] = left + bend * (2 * slices[k].time - slices[first].time - slices[first + 1].time);
    return 1;
  }

  struct Least {
    double rate = k_infinite, running = 0;
  };
  /// min_u { (1 + theta) l + f . grad W } and l there.
  Least least(double time, const Sample<D>& w, double theta) const {
    Least result;
    for (int b = 0; b < problem_.model->branches(); ++b) {
      const AffinePoint<D, M> plain = at_.template at<D, M>(b, time, w.x);
      AffinePoint<D, M> p = plain;
      p.running *= 1 + theta;
      for (int j = 0; j < M; ++j) p.price_abs[j] *= 1 + theta, p.price_square[j] *= 1 + theta;
      double u[M > 0 ? M : 1] = {};
      const double rate = hamiltonian<D, M>(p, w.gradient, u);
      if (!(rate < result.rate)) continue;
      result.rate = rate, result.running = plain.running;
      for (int j = 0; j < M; ++j) {
        result.running += plain.price_abs[j] * std::abs(u[j]) + .5 * plain.price_square[j] * u[j] * u[j];
      }
    }
    return result;
  }
  /// Newton's method from the left on a concave, rising function.
  double scale_of(const Sample<D>& w) const {
    double theta = 0;
    for (int step = 0; step < 50; ++step) {
      const Least now = least(0, w, theta);
      if (now.rate >= -1e-14) return theta;
      if (!(now.running > 0)) return k_infinite;
      theta -= now.rate / now.running;
    }
    return theta * (1 + 1e-12);
  }

  const HjbProblem& problem_;
  const HjbSolution& solution_;
  bool cubic_;
  int samples_;
  HjbPointwise at_;
};

/// Whether some of the cell lies within the region.
template <int D>
bool counts(const HjbGrid& grid, const HjbBoundOptions& options, const std::int64_t (&cell)[D]) {
  for (std::size_t i = 0; i < std::min<std::size_t>(D, options.region.size()); ++i) {
    if (grid.axes[i].coordinate(cell[i] + 1) < options.region[i].first) return false;
    if (grid.axes[i].coordinate(cell[i]) > options.region[i].second) return false;
  }
  return true;
}

template <int D, int M>
Defects inspect_all(const HjbProblem& problem, const HjbSolution& solution, bool cubic,
                    const HjbBoundOptions& options) {
  const Inspector<D, M> inspector(problem, solution, cubic, options.samples);
  std::int64_t cells[D], total = 1;
  for (int i = 0; i < D; ++i) {
    const HjbAxis& axis = problem.grid.axes[static_cast<std::size_t>(i)];
    cells[i] = axis.points - (axis.periodic() ? 0 : 1);
    total *= cells[i];
  }
  constexpr std::int64_t k_chunk = 256;
  std::vector<Defects> parts(static_cast<std::size_t>((total + k_chunk - 1) / k_chunk));
  core::parallel_for(parts.size(), options.threads, [&](std::size_t part) {
    const std::int64_t begin = static_cast<std::int64_t>(part) * k_chunk;
    for (std::int64_t flat = begin; flat < std::min(total, begin + k_chunk); ++flat) {
      std::int64_t cell[D];
      for (std::int64_t i = D - 1, rest = flat; i >= 0; --i) cell[i] = rest % cells[i], rest /= cells[i];
      if (counts<D>(problem.grid, options, cell) && !inspector.over(cell)) parts[part].join(inspector.cell(cell));
    }
  });
  Defects worst;
  for (const Defects& part : parts) worst.join(part);
  return worst;
}

}  // namespace

HjbBound bound_hjb(const HjbProblem& problem, const HjbSolution& solution, const std::vector<double>& start,
                   const HjbBoundOptions& options) {
  if (start.size() != problem.grid.axes.size() || solution.slices.empty() || options.samples < 2) {
    throw core::Error("E107", "a bound needs a solution, at least two samples per cell and a start with all states");
  }
  HjbBound best;
  best.value = solution.value(0, start.data());
  for (const bool cubic : {false, true}) {
    const Defects d = hjb_dispatch(problem.model->states(), problem.model->affine_controls(), [&]<int D, int M>() {
      return inspect_all<D, M>(problem, solution, cubic, options);
    });
    const double rho = problem.discount;
    HjbBound bound;
    bound.value = best.value, bound.cubic = cubic, bound.residual = d.residual;
    if (std::isfinite(problem.horizon)) {
      const double weight = rho > 0 ? -std::expm1(-rho * problem.horizon) / rho : problem.horizon;
      bound.lower = best.value - d.above - d.residual * weight;
    } else if (rho > 0) {
      bound.lower = best.value - d.above - d.residual / rho;
    } else {
      bound.residual = d.scale;
      bound.lower = std::isfinite(d.scale) ? (best.value - d.above) / (1 + d.scale) : -k_infinite;
    }
    if (bound.lower >= best.lower || !cubic) best = bound;
  }
  return best;
}

}  // namespace eos::solvers
