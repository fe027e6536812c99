// Semi-Lagrangian updates: follow the motion for a step, look up V where it ends.
#include <algorithm>
#include <cmath>

#include "eos/core/parallel.hpp"
#include "hjb_scheme.hpp"

namespace eos::solvers {

namespace {

constexpr double k_infinite = std::numeric_limits<double>::infinity();

/// Multilinear V at a fractional index; infinite where a constrained edge is crossed.
template <int D>
double look_up(const HjbGrid& grid, const std::vector<double>& v, const double (&place)[D]) {
  std::int64_t low[D], high[D];
  double weight[D];
  for (int i = 0; i < D; ++i) {
    const HjbAxis& axis = grid.axes[static_cast<std::size_t>(i)];
    const auto n = static_cast<double>(axis.points);
    double at = place[i];
    if (axis.periodic()) {
      at -= n * std::floor(at / n);
      low[i] = std::min(static_cast<std::int64_t>(at), axis.points - 1);
    } else {
      const Edge edge = at < 0 ? axis.lower_edge : axis.upper_edge;
      const double inside = std::clamp(at, 0.0, n - 1);
      // A millionth of a cell is rounding of the motion along an edge.
      if (edge == Edge::constrain && std::abs(at - inside) > 1e-6) return k_infinite;
      if (edge != Edge::extrapolate) at = inside;
      low[i] = static_cast<std::int64_t>(std::clamp(std::floor(at), 0.0, n - 2));
    }
    weight[i] = at - static_cast<double>(low[i]);
    high[i] = (low[i] + 1) % axis.points;
  }
  double sum = 0;
  for (int corner = 0; corner < 1 << D; ++corner) {
    double w = 1;
    std::int64_t flat = 0;
    for (int i = 0; i < D; ++i) {
      const bool up = (corner >> i & 1) != 0;
      w *= up ? weight[i] : 1 - weight[i];
      flat = flat * grid.axes[static_cast<std::size_t>(i)].points + (up ? high[i] : low[i]);
    }
    if (w != 0) sum += w * v[static_cast<std::size_t>(flat)];
  }
  return sum;
}

template <int D, int M>
struct Update {
  const HjbWork& work;
  const std::vector<double>& v;
  std::int64_t flat;
  double dt;
  bool fixed;  ///< steps of dt; else steps that cross HjbOptions::cells cells
  double place[D];
  double best = k_infinite;

  Update(const HjbWork& w, const std::vector<double>& value, std::int64_t at, double step, bool is_fixed)
      : work(w), v(value), flat(at), dt(step), fixed(is_fixed) {
    for (int i = 0; i < D; ++i) place[i] = static_cast<double>(work.grid().index(flat, i));
  }

  /// Cost of the controls w, held for a step.
  double cost(int branch, const AffinePoint<D, M>& p, const double* w) const {
    double speed[D], cells = 0, running = p.running;
    for (int i = 0; i < D; ++i) {
      speed[i] = p.drift[i];
      for (int j = 0; j < M; ++j) speed[i] += p.gain[j][i] * w[j];
      speed[i] /= work.grid().axes[static_cast<std::size_t>(i)].step();
      cells = std::max(cells, std::abs(speed[i]));
    }
    for (int j = 0; j < M; ++j) running += p.price_abs[j] * std::abs(w[j]) + .5 * p.price_square[j] * w[j] * w[j];
    const double rho = work.problem.discount;
    double duration = dt;
    if (!fixed) {
      if (cells == 0) return rho > 0 ? running / rho : k_infinite;  // rest for ever
      duration = std::min(dt, work.options.cells / cells);
    }
    double end[D];
    if (!flow(branch, w, duration, end)) {
      if (!fixed) duration = until_edge(speed, duration);
      for (int i = 0; i < D; ++i) end[i] = place[i] + duration * speed[i];
    }
    const double ahead = look_up<D>(work.grid(), v, end);
    if (rho > 0) return running * -std::expm1(-rho * duration) / rho + std::exp(-rho * duration) * ahead;
    return running * duration + ahead;
  }

  /// The part of a step up to a constrained edge.
  double until_edge(const double (&speed)[D], double duration) const {
    for (int i = 0; i < D; ++i) {
      const HjbAxis& axis = work.grid().axes[static_cast<std::size_t>(i)];
      const double room = speed[i] < 0 ? place[i] : static_cast<double>(axis.points - 1) - place[i];
      const Edge edge = speed[i] < 0 ? axis.lower_edge : axis.upper_edge;
      if (edge == Edge::constrain && room > 0) duration = std::min(duration, room / std::abs(speed[i]));
    }
    return duration;
  }

  bool flow(int branch, const double* w, double duration, double (&end)[D]) const {
    double x[D], to[D];
    work.grid().point(flat, x);
    if (!work.problem.model->flow(branch, x, w, duration, to)) return false;
    for (int i = 0; i < D; ++i) end[i] = work.grid().axes[static_cast<std::size_t>(i)].place(to[i]);
    return true;
  }

  void try_controls(int branch, const AffinePoint<D, M>& p, const double* w, double* u) {
    const double candidate = cost(branch, p, w);
    if (!(candidate < best)) return;
    best = candidate;
    for (int j = 0; j < M; ++j) u[j] = w[j];
    const std::vector<double>& sampled = work.tables->sampled(branch);
    for (std::size_t j = 0; j < sampled.size(); ++j) u[static_cast<std::size_t>(M) + j] = sampled[j];
  }

  /// All combinations of samples between the bounds, zero, and the minimiser at the mean slope of V.
  void run(int branch, const AffinePoint<D, M>& p, double* u) {
    const int samples = std::max(2, work.options.control_samples);
    double w[M > 0 ? M : 1] = {};
    if constexpr (M > 0) {
      int pick[M] = {};
      while (true) {
        for (int j = 0; j < M; ++j) {
          w[j] = pick[j] == samples ? std::clamp(0.0, p.lower[j], p.upper[j])
                                    : p.lower[j] + (p.upper[j] - p.lower[j]) * pick[j] / (samples - 1);
        }
        try_controls(branch, p, w, u);
        int j = 0;
        while (j < M && ++pick[j] > samples) pick[j++] = 0;
        if (j == M) break;
      }
      double below[D], above[D], mean[D];
      neighbour_values<D>(work.grid(), v, flat, 0, below, above);
      for (int i = 0; i < D; ++i) {
        mean[i] = .5 * (above[i] - below[i]) / work.grid().axes[static_cast<std::size_t>(i)].step();
      }
      hamiltonian<D, M>(p, mean, w);
    }
    try_controls(branch, p, w, u);
  }
};

template <int D, int M>
double update_point(const HjbWork& work, const std::vector<double>& v, std::int64_t flat, double dt, bool fixed,
                    double* u) {
  const std::int64_t n = work.grid().row_length();
  Update<D, M> update(work, v, flat, dt, fixed);
  const std::size_t count = static_cast<std::size_t>(M) + work.tables->sampled(0).size();
  std::fill(u, u + count, 0.0);
  for (int b = 0; b < work.tables->branches(); ++b) {
    update.run(b, work.tables->row<D, M>(b, flat / n).template at<double>(flat % n), u);
  }
  return std::min(update.best, k_unreached);
}

}  // namespace

double semi_lagrangian_point(const HjbWork& work, const std::vector<double>& v, std::int64_t flat, double dt,
                             bool fixed, double* u) {
  return hjb_dispatch(work.tables->states(), work.tables->controls(),
                      [&]<int D, int M>() { return update_point<D, M>(work, v, flat, dt, fixed, u); });
}

void semi_lagrangian_step(const HjbWork& work, const std::vector<double>& v, double dt, std::vector<double>& out,
                          std::vector<std::vector<double>>* controls) {
  const std::size_t count = static_cast<std::size_t>(work.tables->controls()) + work.tables->sampled(0).size();
  if (controls != nullptr) controls->assign(count, std::vector<double>(v.size()));
  const std::int64_t n = work.grid().row_length();
  hjb_dispatch(work.tables->states(), work.tables->controls(), [&]<int D, int M>() {
    core::parallel_for(static_cast<std::size_t>(work.grid().rows()), work.options.threads, [&](std::size_t row) {
      std::vector<double> u(count);
      for (std::int64_t k = 0; k < n; ++k) {
        const std::int64_t flat = static_cast<std::int64_t>(row) * n + k;
        const auto at = static_cast<std::size_t>(flat);
        out[at] = update_point<D, M>(work, v, flat, dt, true, u.data());
        if (controls == nullptr) continue;
        for (std::size_t j = 0; j < count; ++j) (*controls)[j][at] = u[j];
      }
    });
  });
}

}  // namespace eos::solvers
