#include "mode_integrator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "eos/core/error.hpp"

namespace eos::solvers {
namespace {

// Per block. With modes so fast that they follow V at once the order of the scheme falls to two (Hochbruck & Ostermann,
// SIAM J. Numer. Anal. 43, 1069 (2005)); the loss is then good to some 1e-6 and more steps hardly help.
constexpr std::size_t k_most_steps = 64;

}  // namespace

ModeIntegrator::ModeIntegrator(const theory::ModeModel& model, std::vector<double> edges, int substeps)
    : model_(model),
      modes_(model.modes()),
      edges_(std::move(edges)),
      rk4_(model.problem().discretisation.scheme == theory::Scheme::rk4),
      recursion_(model.recursion()),
      fixed_(model.problem().discretisation.steps > 0 || recursion_) {
  if (fixed_) substeps = model.problem().discretisation.steps;
  mesh_.assign(intervals(), {static_cast<std::size_t>(std::max(2, substeps + substeps % 2)), 0});
  if (recursion_) set_recursion_mesh();
  energy_.assign(intervals(), {});
  loss_integral_.assign(intervals(), 0);
  interval_.resize(intervals());
  stages_.resize(modes_);
  rk4_stages_.resize(modes_);
  layout();
}

void ModeIntegrator::layout() {
  first_.assign(1, 0);
  for (const Mesh& mesh : mesh_) first_.push_back(first_.back() + mesh.total());
  state_.assign((first_.back() + 1) * modes_, 0);
  costate_.assign((first_.back() + 1) * modes_, 0);
}

void ModeIntegrator::set_recursion_mesh() {
  for (std::size_t i = 0; i < intervals(); ++i) {
    const double steps = std::round(length(i));
    if (!(steps >= 1 && std::abs(length(i) - steps) <= 1e-9 * edges_.back())) {
      throw core::Error("E401",
                        fmt::format("interval {} is {} steps long; the recursion needs whole numbers", i, length(i)),
                        "put the edges of the schedule at whole steps, or take the exponential scheme");
    }
    mesh_[i] = {static_cast<std::size_t>(steps), 0};
  }
}

double ModeIntegrator::Mesh::share(std::size_t block) const {
  return std::ldexp(1.0 / static_cast<double>(steps), -static_cast<int>(halvings - (block > 0 ? block - 1 : 0)));
}

void ModeIntegrator::prepare(std::size_t i, const theory::Controls& u, const Mesh& mesh, Interval& interval) const {
  interval.captures = model_.captures(u);
  if (recursion_) {
    interval.recursion = {interval.captures, model_.path_factors(u, interval.captures), u.learning_rate};
    return;
  }
  if (model_.prices_size()) interval.path = model_.path_factors(u, interval.captures);
  const theory::ClockRates clock = model_.clock(u, interval.captures);
  if (rk4_) {
    interval.rk4 = {length(i) * mesh.share(0), clock};
    return;
  }
  interval.blocks.resize(mesh.halvings + 1);
  for (std::size_t b = 0; b <= mesh.halvings; ++b) {
    interval.blocks[b].set(model_.problem().lambda, clock, length(i) * mesh.share(b));
  }
}

void ModeIntegrator::step(const Interval& interval, std::size_t block, double rate, std::span<const double> m,
                          std::span<double> next, Outcome& sum) {
  const bool size = model_.prices_size();
  auto charge = [&](std::span<const double> x, double weight) {
    if (!size) return;
    const theory::WriteCost w = model_.write_cost(x, rate, recursion_ ? interval.recursion.factors : interval.path);
    sum.write.path += weight * w.path;
    sum.write.plasticity += weight * w.plasticity;
    sum.write.cache += weight * w.cache;
  };
  if (recursion_) {
    model_.step(m, rate, interval.captures, interval.recursion.factors, next);
    sum.loss_integral += model_.loss(m);
    charge(m, 1);
    return;
  }
  if (rk4_) {
    const Rk4Coefficients& k = interval.rk4;
    rk4_stages_.set(k, model_, m);
    rk4_stages_.advance(k, model_, m, next);
    sum.loss_integral += k.step / 4 * (model_.loss(m) + 2 * model_.loss(rk4_stages_.b) + model_.loss(next));
    charge(m, k.step / 4);
    charge(rk4_stages_.b, k.step / 2);
    charge(next, k.step / 4);
    return;
  }
  const EtdCoefficients& k = interval.blocks[block];
  stages_.set(k, model_, m);
  stages_.advance(k, m, next);
  const double* v = stages_.v;
  const double excess = v[0] + 2 * (v[1] + v[2]) + v[3] - 6 * model_.problem().noise_variance;
  sum.loss_integral += 0.5 * k.step / 6 * excess;
  charge(m, k.step / 6);
  charge(stages_.a, k.step / 3);
  charge(stages_.b, k.step / 3);
  charge(stages_.c, k.step / 6);
}

ModeIntegrator::Outcome ModeIntegrator::run(const theory::Controls& u, const Mesh& mesh, const Interval& interval,
                                            std::span<double> nodes) {
  Outcome outcome;
  for (std::size_t s = 0; s < mesh.total(); ++s) {
    step(interval, s / mesh.steps, u.learning_rate, nodes.subspan(s * modes_, modes_),
         nodes.subspan((s + 1) * modes_, modes_), outcome);
  }
  outcome.loss = model_.loss(nodes.subspan(nodes.size() - modes_));
  return outcome;
}

double ModeIntegrator::forward(std::span<const theory::Controls> controls) {
  const theory::ModeProblem& problem = model_.problem();
  std::copy(problem.initial.begin(), problem.initial.end(), state_.begin());
  double objective = 0, loss = model_.loss(problem.initial);
  for (std::size_t i = 0; i < intervals(); ++i) {
    prepare(i, controls[i], mesh_[i], interval_[i]);
    const auto nodes = std::span(state_).subspan(first_[i] * modes_, (mesh_[i].total() + 1) * modes_);
    const Outcome outcome = run(controls[i], mesh_[i], interval_[i], nodes);
    loss = outcome.loss;
    const theory::EnergyRate rate = model_.control_energy(controls[i]);
    const double h = length(i);
    energy_[i] = {rate.time * h,      rate.screening * h,       rate.sample * h,    rate.write * h,
                  outcome.write.path, outcome.write.plasticity, outcome.write.cache};
    loss_integral_[i] = outcome.loss_integral;
    objective += energy_[i].total() + problem.running_weight * loss_integral_[i];
  }
  return objective + problem.terminal_weight * loss;
}

void ModeIntegrator::backward(std::span<const theory::Controls> controls, std::span<theory::ControlGradient> gradient) {
  const theory::ModeProblem& problem = model_.problem();
  const std::span<double> costates(costate_);
  model_.terminal_costate(costates.subspan(first_.back() * modes_, modes_));
  for (std::size_t i = intervals(); i-- > 0;) {
    const theory::Controls& u = controls[i];
    const Interval& interval = interval_[i];
    const RunningCost cost{problem.running_weight, model_.prices_size(), u.learning_rate, &interval.path};
    StepGradient by;
    for (std::size_t s = first_[i + 1]; s-- > first_[i];) {
      const std::span<double> mu = costates.subspan(s * modes_, modes_);
      std::copy_n(costate_.begin() + static_cast<std::ptrdiff_t>((s + 1) * modes_), modes_, mu.begin());
      if (recursion_) {
        reverse_step(interval.recursion, model_, node(state_, s), problem.running_weight, mu, by.direct);
      } else if (rk4_) {
        reverse_step(interval.rk4, model_, node(state_, s), node(state_, s + 1), cost, rk4_stages_, mu, by);
      } else {
        const EtdCoefficients& k = interval.blocks[(s - first_[i]) / mesh_[i].steps];
        reverse_step(k, model_, node(state_, s), cost, stages_, mu, by);
      }
    }
    theory::ControlGradient drift, diffusion;
    model_.clock_gradient(u, interval.captures, drift, diffusion);
    const theory::ControlGradient price = model_.control_price(u);
    auto chain = [&](double by_alpha, double by_beta, double per_time, double direct) {
      return by.drift * by_alpha + by.diffusion * by_beta + length(i) * per_time + direct;
    };
    gradient[i].data = chain(drift.data, diffusion.data, price.data, by.direct.data);
    gradient[i].weight = chain(drift.weight, diffusion.weight, price.weight, by.direct.weight);
    gradient[i].rate = chain(drift.rate, diffusion.rate, price.rate, by.direct.rate);
  }
}

ModeIntegrator::Mesh ModeIntegrator::refined(std::size_t i, const theory::Controls& u, double tolerance) {
  std::vector<double> nodes;
  Interval interval;
  auto outcome_of = [&](const Mesh& mesh) {
    nodes.assign((mesh.total() + 1) * modes_, 0);
    std::copy(state(i).begin(), state(i).end(), nodes.begin());
    prepare(i, u, mesh, interval);
    return run(u, mesh, interval, nodes);
  };
  auto close = [tolerance](double a, double b) { return std::abs(a - b) <= tolerance * std::abs(b) + 1e-300; };
  const double fastest = *std::max_element(model_.problem().lambda.begin(), model_.problem().lambda.end());
  const double decay = model_.clock(u).drift * fastest * length(i);
  Mesh mesh = mesh_[i];
  Outcome coarse = outcome_of(mesh);
  while (mesh.steps < k_most_steps) {
    Mesh finer = mesh;
    if (decay * mesh.share(0) > 1) {
      ++finer.halvings;  // the first step is longer than the fastest mode's decay
    } else {
      finer.steps *= 2;
    }
    const Outcome fine = outcome_of(finer);
    const bool good = close(coarse.loss, fine.loss) && close(coarse.loss_integral, fine.loss_integral) &&
                      close(coarse.write.total(), fine.write.total());
    if (good || !std::isfinite(fine.loss)) break;
    mesh = finer;
    coarse = fine;
  }
  return mesh;
}

bool ModeIntegrator::refine(std::span<const theory::Controls> controls, double tolerance) {
  if (fixed_) return false;
  std::vector<Mesh> wanted;
  for (std::size_t i = 0; i < intervals(); ++i) wanted.push_back(refined(i, controls[i], tolerance));
  if (wanted == mesh_) return false;
  mesh_ = wanted;
  layout();
  return true;
}

}  // namespace eos::solvers
