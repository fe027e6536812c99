#include "mode_integrator.hpp"

#include <algorithm>
#include <cmath>

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
      fixed_(model.problem().discretisation.steps > 0) {
  if (fixed_) substeps = model.problem().discretisation.steps;
  mesh_.assign(intervals(), {static_cast<std::size_t>(std::max(2, substeps + substeps % 2)), 0});
  energy_.assign(intervals(), 0);
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

double ModeIntegrator::Mesh::share(std::size_t block) const {
  return std::ldexp(1.0 / static_cast<double>(steps), -static_cast<int>(halvings - (block > 0 ? block - 1 : 0)));
}

void ModeIntegrator::prepare(std::size_t i, const theory::Controls& u, const Mesh& mesh, Interval& interval) const {
  interval.captures = model_.captures(u);
  if (model_.problem().price_path > 0) interval.path = model_.path_factors(u, interval.captures);
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
  const bool path = model_.problem().price_path > 0;
  auto path_rate = [&](std::span<const double> x) { return model_.path_rate(x, rate, interval.path); };
  if (rk4_) {
    const Rk4Coefficients& k = interval.rk4;
    rk4_stages_.set(k, model_, m);
    rk4_stages_.advance(k, model_, m, next);
    sum.loss_integral += k.step / 4 * (model_.loss(m) + 2 * model_.loss(rk4_stages_.b) + model_.loss(next));
    if (path) sum.path += k.step / 4 * (path_rate(m) + 2 * path_rate(rk4_stages_.b) + path_rate(next));
    return;
  }
  const EtdCoefficients& k = interval.blocks[block];
  stages_.set(k, model_, m);
  stages_.advance(k, m, next);
  const double* v = stages_.v;
  const double excess = v[0] + 2 * (v[1] + v[2]) + v[3] - 6 * model_.problem().noise_variance;
  sum.loss_integral += 0.5 * k.step / 6 * excess;
  if (path) {
    const double inner = path_rate(stages_.a) + path_rate(stages_.b);
    sum.path += k.step / 6 * (path_rate(m) + 2 * inner + path_rate(stages_.c));
  }
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
    energy_[i] = model_.control_energy(controls[i]).total() * length(i) + problem.price_path * outcome.path;
    loss_integral_[i] = outcome.loss_integral;
    objective += energy_[i] + problem.running_weight * loss_integral_[i];
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
    const RunningCost cost{problem.running_weight, problem.price_path, u.learning_rate, &interval.path};
    StepGradient by;
    for (std::size_t s = first_[i + 1]; s-- > first_[i];) {
      const std::span<double> mu = costates.subspan(s * modes_, modes_);
      std::copy_n(costate_.begin() + static_cast<std::ptrdiff_t>((s + 1) * modes_), modes_, mu.begin());
      if (rk4_) {
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
                      close(coarse.path, fine.path);
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
