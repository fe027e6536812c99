#include "etd_step.hpp"

#include "phi_functions.hpp"

namespace eos::solvers {
namespace {

using Span = std::span<const double>;

double dot(Span a, Span b) {
  double sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) sum += a[j] * b[j];
  return sum;
}

}  // namespace

void EtdCoefficients::set(Span lambda, theory::ClockRates clock, double length) {
  for (auto* v : {&half, &full, &g, &w1, &w2, &w3, &d_half, &d_full, &d_g, &d_w1, &d_w2, &d_w3}) {
    v->resize(lambda.size());
  }
  step = length;
  diffusion = clock.diffusion;
  for (std::size_t j = 0; j < lambda.size(); ++j) {
    const double rate = lambda[j] * length;  // dx/d(alpha)
    const double x = clock.drift * rate;
    const Phi at_half = phi_functions(0.5 * x), p = phi_functions(x);
    half[j] = 1 - 0.5 * x * at_half.p1;  // exp(-x/2)
    full[j] = half[j] * half[j];
    g[j] = 0.5 * rate * at_half.p1;
    w1[j] = rate * (p.p1 - 3 * p.p2 + 4 * p.p3);
    w2[j] = rate * (2 * p.p2 - 4 * p.p3);
    w3[j] = rate * (4 * p.p3 - p.p2);
    const double d1 = p.p1 - p.p2, d2 = p.p2 - 2 * p.p3, d3 = p.p3 - 3 * p.p4;  // d phi_k/dz, z = -x
    d_half[j] = -0.5 * rate * half[j];
    d_full[j] = -rate * full[j];
    d_g[j] = -0.25 * rate * rate * (at_half.p1 - at_half.p2);
    d_w1[j] = -rate * rate * (d1 - 3 * d2 + 4 * d3);
    d_w2[j] = -rate * rate * (2 * d2 - 4 * d3);
    d_w3[j] = -rate * rate * (4 * d3 - d2);
  }
}

void EtdStages::resize(std::size_t modes) {
  for (auto* x : {&a, &b, &c, &bar_a, &bar_b, &bar_c}) x->assign(modes, 0);
}

void EtdStages::set(const EtdCoefficients& k, const theory::ModeModel& model, Span m) {
  v[0] = model.residual_variance(m);
  const double k0 = k.diffusion * v[0];
  for (std::size_t j = 0; j < m.size(); ++j) a[j] = k.half[j] * m[j] + k0 * k.g[j];
  v[1] = model.residual_variance(a);
  const double k1 = k.diffusion * v[1];
  for (std::size_t j = 0; j < m.size(); ++j) b[j] = k.half[j] * m[j] + k1 * k.g[j];
  v[2] = model.residual_variance(b);
  const double k2 = k.diffusion * (2 * v[2] - v[0]);
  for (std::size_t j = 0; j < m.size(); ++j) c[j] = k.half[j] * a[j] + k2 * k.g[j];
  v[3] = model.residual_variance(c);
}

void EtdStages::advance(const EtdCoefficients& k, Span m, std::span<double> next) const {
  const double k0 = k.diffusion * v[0], k12 = k.diffusion * (v[1] + v[2]), k3 = k.diffusion * v[3];
  for (std::size_t j = 0; j < m.size(); ++j) {
    next[j] = k.full[j] * m[j] + k0 * k.w1[j] + k12 * k.w2[j] + k3 * k.w3[j];
  }
}

void reverse_step(const EtdCoefficients& k, const theory::ModeModel& model, Span m, const RunningCost& cost,
                  EtdStages& s, std::span<double> mu, StepGradient& gradient) {
  const Span weight = model.variance_weights();
  const double beta = k.diffusion, sixth = k.step / 6, running = 0.5 * cost.loss * sixth;
  s.set(k, model, m);
  auto charge_path = [&](Span at, std::span<double> bar, double times) {
    if (cost.size) model.write_cost(at, cost.rate, *cost.factors, sixth * times, bar, &gradient.direct);
  };
  // Stages in reverse: the adjoint of V at a stage, then of the stage state.
  const double mu1 = dot(k.w1, mu), mu2 = dot(k.w2, mu), mu3 = dot(k.w3, mu);
  const double bar_v3 = beta * mu3 + running;
  for (std::size_t j = 0; j < m.size(); ++j) s.bar_c[j] = bar_v3 * weight[j];
  charge_path(s.c, s.bar_c, 1);
  const double gc = dot(k.g, s.bar_c), bar_v2 = beta * (mu2 + 2 * gc) + 2 * running;
  for (std::size_t j = 0; j < m.size(); ++j) s.bar_b[j] = bar_v2 * weight[j];
  charge_path(s.b, s.bar_b, 2);
  const double gb = dot(k.g, s.bar_b), bar_v1 = beta * (mu2 + gb) + 2 * running;
  for (std::size_t j = 0; j < m.size(); ++j) s.bar_a[j] = bar_v1 * weight[j] + k.half[j] * s.bar_c[j];
  charge_path(s.a, s.bar_a, 2);
  const double ga = dot(k.g, s.bar_a), bar_v0 = beta * (mu1 + ga - gc) + running;

  const double v12 = s.v[1] + s.v[2], v20 = 2 * s.v[2] - s.v[0];
  gradient.diffusion += s.v[0] * (mu1 + ga) + v12 * mu2 + s.v[3] * mu3 + s.v[1] * gb + v20 * gc;
  double decay = 0, source = 0;  // by alpha: through the exponentials, and per unit of beta through the weights
  for (std::size_t j = 0; j < m.size(); ++j) {
    decay += k.d_half[j] * (m[j] * (s.bar_a[j] + s.bar_b[j]) + s.a[j] * s.bar_c[j]) + k.d_full[j] * m[j] * mu[j];
    source += k.d_g[j] * (s.v[0] * s.bar_a[j] + s.v[1] * s.bar_b[j] + v20 * s.bar_c[j]) +
              mu[j] * (s.v[0] * k.d_w1[j] + v12 * k.d_w2[j] + s.v[3] * k.d_w3[j]);
    mu[j] = k.full[j] * mu[j] + k.half[j] * (s.bar_a[j] + s.bar_b[j]) + bar_v0 * weight[j];
  }
  gradient.drift += decay + beta * source;
  charge_path(m, mu, 1);
}

}  // namespace eos::solvers
