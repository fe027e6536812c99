// Schedules of the functional scaling law as control problems; closed forms in power_schedule.hpp.
#include "eos/theory/published_problems.hpp"
#include "model_builder.hpp"

namespace eos::theory {
namespace {

constexpr double k_large = 1e12;

/// Steps are counted from the end. With w = (1 + u)^(1/(2 beta)), u intrinsic time to the end, du/dn = gamma, the
/// kernel is w^(2 - 4 beta) and the noise int K gamma du = int K gamma^2 dn.
ControlProblem build_scaling_law(const Model& model, const ModelValues& values) {
  ModelBuilder b(values);
  const int w = b.state("w", Interval::point(1), "(1 + intrinsic time to the end)^(1/(2 beta))");
  b.problem.states.back().guess = 2;
  const double limit = b.value("gamma_max");
  const int gamma = b.control("gamma", {0, limit}, 0.1 * limit, "learning rate over batch size");
  b.parameters(model, {"s", "beta", "sigma2"});
  b.horizon(b.value("N"), "n_left");
  ControlProblem& p = b.problem;
  const Expr beta = b.path("beta"), rate = p.u(gamma);
  b.dynamics(w, rate * pow(p.x(w), 1.0 - 2.0 * beta) / (2.0 * beta));
  p.add_cost("signal", 0.0, pow(p.x_final(w), -2.0 * b.end("beta") * b.end("s")));
  p.add_cost("noise", b.path("sigma2") * pow(p.x(w), 2.0 - 4.0 * beta) * rate * rate);
  return p;
}

ControlProblem build_batch_ramp(const Model& model, const ModelValues& values) {
  ModelBuilder b(values);
  const int used = b.state("D", Interval::point(0), "samples used, over 1/eta");
  const int batch = b.control("b", {b.value("b_min"), b.value("b_max")}, 1, "batch size");
  b.parameters(model, {"beta", "sigma2", "eta", "c_b"});
  b.horizon(b.value("T"), "t");
  ControlProblem& p = b.problem;
  const Expr kernel = pow(b.value("T") - p.time() + 1.0, 1.0 / b.path("beta") - 2.0);
  b.dynamics(used, p.u(batch));
  p.add_cost("noise", b.path("eta") * b.path("sigma2") * kernel / p.u(batch));
  p.add_cost("samples", b.path("c_b") * p.u(batch));
  return p;
}

}  // namespace

Model scaling_law_model() {
  return make_entry({"scaling-law",
                     "Learning-rate schedule of the functional scaling law",
                     "after Li et al., arXiv:2509.19189, arXiv:2602.06797",
                     {number("s", .3, "source exponent: signal (1 + T)^-s", 1e-3, 100),
                      number("beta", 2, "capacity exponent of the spectrum", 1.001, 100),
                      number("sigma2", .05, "label noise", 1e-12, k_large),
                      number("gamma_max", 1, "largest learning rate over batch size", 1e-12, k_large),
                      number("N", 1e4, "steps", 1e-6, 1e15)}},
                    build_scaling_law);
}

Model batch_ramp_model() {
  return make_entry(
      {"batch-ramp",
       "Batch size over intrinsic time at a price per sample",
       "after Li et al., arXiv:2602.14208",
       {number("beta", 2.5, "capacity exponent of the spectrum", 1.001, 100),
        number("sigma2", .7, "label noise", 1e-12, k_large), number("eta", .3, "learning rate", 1e-12, k_large),
        number("c_b", 1e-3, "price of a sample, over 1/eta", 1e-12, k_large),
        number("b_min", 1e-3, "smallest batch", 1e-9, k_large), number("b_max", 1e3, "largest batch", 1e-9, k_large),
        number("T", 200, "horizon in intrinsic time", 1e-6, k_large)}},
      build_batch_ramp);
}

}  // namespace eos::theory
