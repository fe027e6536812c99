#include "rk4_step.hpp"

namespace eos::solvers {

using Span = std::span<const double>;

void Rk4Stages::resize(std::size_t modes) {
  for (auto* x : {&a, &b, &c, &bar[0], &bar[1], &bar[2], &bar[3], &bar_state}) x->assign(modes, 0);
}

void Rk4Stages::set(const Rk4Coefficients& k, const theory::ModeModel& model, Span m) {
  const Span lambda = model.problem().lambda;
  const double h = k.step, alpha = k.clock.drift, beta = k.clock.diffusion;
  auto slope = [&](Span at, std::size_t stage, std::size_t j) { return lambda[j] * (beta * v[stage] - alpha * at[j]); };
  v[0] = model.residual_variance(m);
  for (std::size_t j = 0; j < m.size(); ++j) a[j] = m[j] + 0.5 * h * slope(m, 0, j);
  v[1] = model.residual_variance(a);
  for (std::size_t j = 0; j < m.size(); ++j) b[j] = m[j] + 0.5 * h * slope(a, 1, j);
  v[2] = model.residual_variance(b);
  for (std::size_t j = 0; j < m.size(); ++j) c[j] = m[j] + h * slope(b, 2, j);
  v[3] = model.residual_variance(c);
}

void Rk4Stages::advance(const Rk4Coefficients& k, const theory::ModeModel& model, Span m,
                        std::span<double> next) const {
  const Span lambda = model.problem().lambda;
  for (std::size_t j = 0; j < m.size(); ++j) {
    const double variance = v[0] + 2 * (v[1] + v[2]) + v[3], state = m[j] + 2 * (a[j] + b[j]) + c[j];
    next[j] = m[j] + k.step / 6 * lambda[j] * (k.clock.diffusion * variance - k.clock.drift * state);
  }
}

void reverse_step(const Rk4Coefficients& k, const theory::ModeModel& model, Span m, Span next, const RunningCost& cost,
                  Rk4Stages& s, std::span<double> mu, StepGradient& gradient) {
  const Span lambda = model.problem().lambda, weight = model.variance_weights();
  const double h = k.step, alpha = k.clock.drift, beta = k.clock.diffusion;
  // Adds the derivative of the running terms at a state that the rule weighs with `share` of the step.
  auto charge = [&](Span at, double share, std::span<double> bar) {
    for (std::size_t j = 0; j < bar.size(); ++j) bar[j] += 0.5 * cost.loss * share * h * weight[j];
    if (cost.size) model.write_cost(at, cost.rate, *cost.factors, share * h, bar, &gradient.direct);
  };
  // Takes the adjoint of k = f(at) back to the state, [modes] added to bar_at, and to the two rates.
  auto pull = [&](Span at, double v, Span bar_k, std::span<double> bar_at) {
    double sum = 0, decay = 0;
    for (std::size_t j = 0; j < at.size(); ++j) {
      sum += lambda[j] * bar_k[j];
      decay += lambda[j] * at[j] * bar_k[j];
    }
    gradient.drift -= decay;
    gradient.diffusion += v * sum;
    for (std::size_t j = 0; j < at.size(); ++j) bar_at[j] += beta * sum * weight[j] - alpha * lambda[j] * bar_k[j];
  };
  s.set(k, model, m);
  charge(next, 0.25, mu);
  const double shares[] = {h / 6, h / 3, h / 3, h / 6};
  for (std::size_t j = 0; j < m.size(); ++j) {
    for (std::size_t i = 0; i < 4; ++i) s.bar[i][j] = shares[i] * mu[j];
  }
  const Span states[] = {m, s.a, s.b, s.c};
  const double reach[] = {0, h / 2, h / 2, h};  // stage i is m + reach[i] k_i
  for (std::size_t i = 3; i > 0; --i) {
    s.bar_state.assign(m.size(), 0);
    pull(states[i], s.v[i], s.bar[i], s.bar_state);
    if (i == 2) charge(s.b, 0.5, s.bar_state);
    for (std::size_t j = 0; j < m.size(); ++j) {
      mu[j] += s.bar_state[j];
      s.bar[i - 1][j] += reach[i] * s.bar_state[j];
    }
  }
  pull(m, s.v[0], s.bar[0], mu);
  charge(m, 0.25, mu);
}

}  // namespace eos::solvers
