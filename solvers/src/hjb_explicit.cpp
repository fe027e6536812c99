// Finite horizons: explicit steps backwards in time.
#include <algorithm>
#include <cmath>

#include "eos/core/parallel.hpp"
#include "hjb_scheme.hpp"

namespace eos::solvers {

namespace {

/// One branch of the tables as a model known at compile time.
template <int D, int M>
struct TableModel {
  static constexpr int k_states = D, k_controls = M;
  const HjbTables& tables;
  int branch;
  TableRow<D, M> row(std::int64_t index) const { return tables.row<D, M>(branch, index); }
};

void upwind_march(const HjbWork& work, const std::vector<double>& v, double dt, std::vector<double>& out,
                  std::vector<double>& spare) {
  const HjbTables& tables = *work.tables;
  hjb_dispatch(tables.states(), tables.controls(), [&]<int D, int M>() {
    for (int b = 0; b < tables.branches(); ++b) {
      std::vector<double>& to = b == 0 ? out : spare;
      upwind_step(work.grid(), TableModel<D, M>{tables, b}, v.data(), to.data(), dt, work.problem.discount, work.wall,
                  work.options.threads);
      if (b == 0) continue;
      for (std::size_t k = 0; k < out.size(); ++k) out[k] = std::min(out[k], spare[k]);
    }
  });
}

/// v + dt (rate - rho v).
void advance(const std::vector<double>& v, const std::vector<double>& rate, double dt, double discount,
             std::vector<double>& out) {
  for (std::size_t k = 0; k < v.size(); ++k) out[k] = v[k] + dt * (rate[k] - discount * v[k]);
}

/// Shu & Osher (1988), eq. 2.18: third order, each stage a convex combination of Euler steps.
void runge_kutta_3(const HjbWork& work, std::vector<double>& v, double dt, std::vector<double>& rate,
                   std::vector<double>& stage, std::vector<double>& next) {
  const double rho = work.problem.discount;
  lax_friedrichs_rates(work, v, true, rate);
  advance(v, rate, dt, rho, stage);
  work.impose_ends(stage);
  lax_friedrichs_rates(work, stage, true, rate);
  advance(stage, rate, dt, rho, next);
  for (std::size_t k = 0; k < v.size(); ++k) stage[k] = .75 * v[k] + .25 * next[k];
  work.impose_ends(stage);
  lax_friedrichs_rates(work, stage, true, rate);
  advance(stage, rate, dt, rho, next);
  for (std::size_t k = 0; k < v.size(); ++k) v[k] = v[k] / 3 + 2 * next[k] / 3;
}

HjbSlice slice_of(const HjbWork& work, double time, const std::vector<double>& v, double dt) {
  HjbSlice slice{time, v, {}, {}};
  if (work.options.scheme == HjbScheme::semi_lagrangian) {
    std::vector<double> unused(v.size());
    semi_lagrangian_step(work, v, dt, unused, &slice.control);
  } else {
    slice.control = upwind_controls(work, v);
  }
  if (!work.exit_cost.empty() || !work.stop_cost.empty()) {
    slice.stopped.resize(v.size());
    for (std::size_t k = 0; k < v.size(); ++k) {
      slice.stopped[k] = work.exits(k) || (!work.stop_cost.empty() && v[k] >= work.stop_cost[k]);
    }
  }
  return slice;
}

/// The step length: stable for explicit schemes, `cells` cells at the largest speed for semi-Lagrangian ones.
double step_length(const HjbWork& work) {
  const double rate = work.tables->largest_rate() + work.problem.discount;
  const double share = work.options.scheme == HjbScheme::semi_lagrangian ? work.options.cells : work.options.cfl;
  return rate > 0 ? std::min(work.problem.horizon, share / rate) : work.problem.horizon / 16;
}

void one_step(HjbWork& work, std::vector<double>& v, double dt, std::vector<double> (&spare)[3]) {
  switch (work.options.scheme) {
    case HjbScheme::upwind:
      upwind_march(work, v, dt, spare[0], spare[1]);
      v.swap(spare[0]);
      break;
    case HjbScheme::lax_friedrichs:
      lax_friedrichs_rates(work, v, false, spare[0]);
      advance(v, spare[0], dt, work.problem.discount, spare[1]);
      v.swap(spare[1]);
      break;
    case HjbScheme::weno5:
      runge_kutta_3(work, v, dt, spare[0], spare[1], spare[2]);
      break;
    case HjbScheme::semi_lagrangian:
      semi_lagrangian_step(work, v, dt, spare[0], nullptr);
      v.swap(spare[0]);
      break;
  }
  work.impose_ends(v);
}

}  // namespace

void HjbWork::impose_ends(std::vector<double>& v) const {
  for (std::size_t k = 0; k < exit_cost.size(); ++k) {
    if (exits(k)) v[k] = exit_cost[k];
  }
  for (std::size_t k = 0; k < stop_cost.size(); ++k) v[k] = std::min(v[k], stop_cost[k]);
}

void HjbWork::retabulate(double time) {
  tables = std::make_unique<HjbTables>(*problem.model, problem.grid, time, options.threads);
}

void march(HjbWork& work, HjbSolution& solution) {
  const double horizon = work.problem.horizon;
  const bool steady = work.problem.model->autonomous();
  // Speeds that change in time may grow: the step is halved for them, and checked at every step.
  solution.time_step = step_length(work) * (steady ? 1 : .5);
  const double wanted = std::ceil(horizon / solution.time_step * (1 - 1e-12));
  if (!(wanted <= static_cast<double>(work.options.max_steps))) {
    solution.status = HjbStatus::step_limit;
    return;
  }
  const auto steps = std::max<std::int64_t>(1, static_cast<std::int64_t>(wanted));
  const double dt = solution.time_step = horizon / static_cast<double>(steps);
  std::vector<double> v(work.size(), 0.0), spare[3];
  for (auto& s : spare) s.resize(v.size());
  for (std::size_t k = 0; k < v.size() && work.problem.terminal; ++k) {
    double x[k_hjb_states];
    work.grid().point(static_cast<std::int64_t>(k), x);
    v[k] = work.problem.terminal(x);
  }
  work.impose_ends(v);
  solution.slices.push_back(slice_of(work, horizon, v, dt));
  const std::int64_t between =
      std::max<std::int64_t>(1, (steps + work.options.slices - 2) / std::max(1, work.options.slices - 1));
  for (std::int64_t done = 0; done < steps;) {
    const std::int64_t count = std::min(between, steps - done);
    if (work.options.device == HjbDevice::cuda) {
      march_on_device(work, v, dt, count);
    } else {
      for (std::int64_t k = 0; k < count; ++k) {
        if (!steady) {
          work.retabulate(horizon - dt * static_cast<double>(done + k));
          if (work.options.scheme != HjbScheme::semi_lagrangian && dt * work.tables->largest_rate() > 1) {
            solution.status = HjbStatus::step_limit;
            return;
          }
        }
        one_step(work, v, dt, spare);
      }
    }
    done += count;
    solution.steps = done;
    const double time = done == steps ? 0 : horizon - dt * static_cast<double>(done);
    solution.slices.push_back(slice_of(work, time, v, dt));
    if (!std::all_of(v.begin(), v.end(), [](double x) { return std::isfinite(x); })) {
      solution.status = HjbStatus::not_finite;
      break;
    }
  }
  std::reverse(solution.slices.begin(), solution.slices.end());
}

std::vector<std::vector<double>> upwind_controls(const HjbWork& work, const std::vector<double>& v) {
  const HjbTables& tables = *work.tables;
  const std::size_t affine = static_cast<std::size_t>(tables.controls()),
                    all_controls = affine + tables.sampled(0).size();
  std::vector<std::vector<double>> controls(all_controls, std::vector<double>(v.size()));
  hjb_dispatch(tables.states(), tables.controls(), [&]<int D, int M>() {
    double inverse_step[D];
    for (int i = 0; i < D; ++i) inverse_step[i] = 1 / work.grid().axes[static_cast<std::size_t>(i)].step();
    const std::int64_t n = work.grid().row_length();
    const double wall = std::isfinite(work.problem.horizon) ? work.wall : k_unreached;
    const bool smooth = work.options.scheme == HjbScheme::lax_friedrichs || work.options.scheme == HjbScheme::weno5;
    core::parallel_for(static_cast<std::size_t>(work.grid().rows()), work.options.threads, [&](std::size_t row) {
      for (std::int64_t k = 0; k < n; ++k) {
        const std::int64_t flat = static_cast<std::int64_t>(row) * n + k;
        double below[D], above[D], u[M > 0 ? M : 1] = {}, best = std::numeric_limits<double>::infinity();
        neighbour_values<D>(work.grid(), v, flat, wall, below, above);
        const double here = v[static_cast<std::size_t>(flat)];
        double mean[D];
        for (int i = 0; i < D; ++i) mean[i] = .5 * (above[i] - below[i]) * inverse_step[i];
        for (int b = 0; b < tables.branches(); ++b) {
          const auto p = tables.row<D, M>(b, static_cast<std::int64_t>(row)).template at<double>(k);
          const double rate = smooth ? hamiltonian<D, M>(p, mean, u)
                                     : upwind_rate<AffinePattern{}>(p, here, below, above, inverse_step, u);
          if (!(rate < best) && b > 0) continue;
          best = rate;
          for (std::size_t j = 0; j < all_controls; ++j) {
            controls[j][static_cast<std::size_t>(flat)] = j < affine ? u[j] : tables.sampled(b)[j - affine];
          }
        }
      }
    });
  });
  return controls;
}

}  // namespace eos::solvers
