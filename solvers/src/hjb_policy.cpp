// Feedback laws from grid solutions, and runs under them.
#include <algorithm>
#include <cmath>

#include "eos/core/error.hpp"
#include "hjb_tables.hpp"

namespace eos::solvers {

namespace {

/// The slices around a time and the weight of the later one.
struct Between {
  std::size_t early, late;
  double weight;
};
Between between(const std::vector<HjbSlice>& slices, double time) {
  const auto after = std::upper_bound(slices.begin(), slices.end(), time,
                                      [](double t, const HjbSlice& slice) { return t < slice.time; });
  if (after == slices.begin()) return {0, 0, 0};
  if (after == slices.end()) return {slices.size() - 1, slices.size() - 1, 0};
  const auto late = static_cast<std::size_t>(after - slices.begin());
  const double span = slices[late].time - slices[late - 1].time;
  return {late - 1, late, (time - slices[late - 1].time) / span};
}

/// dx/dt and l at (t, x) under the controls u.
class Motion {
 public:
  Motion(const HjbProblem& problem) : problem_(problem), pointwise_(*problem.model, problem.grid) {}

  /// rate [n + 1]: dx/dt, then the running cost.
  void operator()(double time, const double* x, const std::vector<double>& u, double* rate) const {
    const HjbModel& model = *problem_.model;
    hjb_dispatch(model.states(), model.affine_controls(), [&]<int D, int M>() {
      const AffinePoint<D, M> p = pointwise_.at<D, M>(branch_of(u), time, x);
      rate[D] = p.running;
      for (int i = 0; i < D; ++i) rate[i] = p.drift[i];
      for (int j = 0; j < M; ++j) {
        const double w = u[static_cast<std::size_t>(j)];
        for (int i = 0; i < D; ++i) rate[i] += p.gain[j][i] * w;
        rate[D] += p.price_abs[j] * std::abs(w) + .5 * p.price_square[j] * w * w;
      }
    });
  }
  /// Puts the sampled controls on the nearest branch and the affine ones within their bounds.
  void admit(std::vector<double>& u) const {
    const HjbModel& model = *problem_.model;
    const std::vector<double> lower = model.lower(), upper = model.upper();
    const std::vector<double> sampled = model.sampled_controls(branch_of(u));
    for (std::size_t j = 0; j < lower.size(); ++j) u[j] = std::clamp(u[j], lower[j], upper[j]);
    std::copy(sampled.begin(), sampled.end(), u.begin() + static_cast<std::ptrdiff_t>(lower.size()));
  }

 private:
  int branch_of(const std::vector<double>& u) const {
    const HjbModel& model = *problem_.model;
    const auto affine = static_cast<std::size_t>(model.affine_controls());
    int nearest = 0;
    double least = std::numeric_limits<double>::infinity();
    for (int b = 0; b < model.branches() && model.branches() > 1; ++b) {
      const std::vector<double> sampled = model.sampled_controls(b);
      double distance = 0;
      for (std::size_t j = 0; j < sampled.size(); ++j) {
        distance += (sampled[j] - u[affine + j]) * (sampled[j] - u[affine + j]);
      }
      if (distance < least) least = distance, nearest = b;
    }
    return nearest;
  }

  const HjbProblem& problem_;
  HjbPointwise pointwise_;
};

/// One Runge-Kutta step of (x, cost), discounted from the start of the step.
void step(const Motion& motion, double discount, double time, double dt, const std::vector<double>& u,
          std::vector<double>& x, double& cost) {
  const std::size_t n = x.size();
  double k[4][k_hjb_states + 1], at[k_hjb_states];
  constexpr double k_place[4] = {0, .5, .5, 1};
  for (int s = 0; s < 4; ++s) {
    for (std::size_t i = 0; i < n; ++i) at[i] = x[i] + (s > 0 ? k_place[s] * dt * k[s - 1][i] : 0);
    motion(time + k_place[s] * dt, at, u, k[s]);
    k[s][n] *= std::exp(-discount * k_place[s] * dt);
  }
  for (std::size_t i = 0; i < n; ++i) x[i] += dt / 6 * (k[0][i] + 2 * k[1][i] + 2 * k[2][i] + k[3][i]);
  cost = dt / 6 * (k[0][n] + 2 * k[1][n] + 2 * k[2][n] + k[3][n]);
}

/// Index of the grid point nearest to x.
std::size_t nearest(const HjbGrid& grid, const double* x) {
  std::int64_t flat = 0;
  for (std::size_t i = 0; i < grid.axes.size(); ++i) {
    const HjbAxis& axis = grid.axes[i];
    const auto n = static_cast<double>(axis.points);
    double place = std::round(axis.place(x[i]));
    place = axis.periodic() ? place - n * std::floor(place / n) : std::clamp(place, 0.0, n - 1);
    flat = flat * axis.points + static_cast<std::int64_t>(place);
  }
  return static_cast<std::size_t>(flat);
}

}  // namespace

double HjbSolution::value(double time, const double* x) const {
  const Between b = between(slices, time);
  const double early = grid.interpolate(slices[b.early].value, x);
  if (b.weight == 0) return early;
  return (1 - b.weight) * early + b.weight * grid.interpolate(slices[b.late].value, x);
}

void HjbSolution::control(double time, const double* x, double* u) const {
  const Between b = between(slices, time);
  for (std::size_t j = 0; j < slices[b.early].control.size(); ++j) {
    u[j] = grid.interpolate(slices[b.early].control[j], x);
    if (b.weight != 0) u[j] += b.weight * (grid.interpolate(slices[b.late].control[j], x) - u[j]);
  }
}

bool HjbSolution::stops(double time, const double* x) const {
  const HjbSlice& slice = slices[between(slices, time).early];
  return !slice.stopped.empty() && slice.stopped[nearest(grid, x)] != 0;
}

HjbTrajectory simulate_hjb(const HjbProblem& problem, const HjbSolution& solution, const std::vector<double>& start,
                           double dt, double longest) {
  if (start.size() != problem.grid.axes.size() || solution.slices.empty() || !(dt > 0)) {
    throw core::Error("E107", "a closed-loop run needs a solution, a positive step and a start with all states");
  }
  const Motion motion(problem);
  const bool finite = std::isfinite(problem.horizon);
  const double end = finite ? problem.horizon : longest;
  HjbTrajectory run;
  std::vector<double> x = start, u(solution.slices.front().control.size());
  double time = 0;
  const auto steps = static_cast<std::int64_t>(std::ceil(end / dt * (1 - 1e-12)));
  for (std::int64_t k = 0; k <= steps; ++k) {
    time = k == steps ? end : dt * static_cast<double>(k);
    solution.control(time, x.data(), u.data());
    motion.admit(u);
    run.time.push_back(time), run.states.push_back(x), run.controls.push_back(u);
    const double factor = std::exp(-problem.discount * time);
    if (solution.stops(time, x.data())) {
      double price = std::numeric_limits<double>::quiet_NaN();
      // Exit values are known on and around the exit points only; the value function continues them.
      if (problem.exit) price = problem.exit(x.data());
      if (std::isnan(price) && problem.stop) price = problem.stop(x.data());
      run.cost += factor * (std::isfinite(price) ? price : solution.value(time, x.data()));
      run.finished = true;
      return run;
    }
    if (k == steps) break;
    double cost = 0;
    step(motion, problem.discount, time, std::min(dt, end - time), u, x, cost);
    run.cost += factor * cost;
  }
  if (finite && problem.terminal) run.cost += std::exp(-problem.discount * end) * problem.terminal(x.data());
  run.finished = finite;
  return run;
}

}  // namespace eos::solvers
