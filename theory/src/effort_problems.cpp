#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "eos/theory/learning_effort.hpp"
#include "eos/theory/published_problems.hpp"
#include "model_builder.hpp"

namespace eos::theory {
namespace {

constexpr double k_large = 1e6;
const char* const k_effort =
    "Carrasco-Davis, Masis & Saxe, Meta-learning strategies through value maximization in neural "
    "networks, arXiv:2310.19919";

ControlProblem build_mode_effort(const Model& model, const ModelValues& values) {
  ModelBuilder b(values);
  const bool two = b.value("e_20") != 0;
  const int x = b.state("e", Interval::point(b.value("e_0")), "error of the mode");
  const int y = two ? b.state("e_2", Interval::point(b.value("e_20")), "error of the second mode") : -1;
  const int u = b.control("eta", {0, b.value("eta_max")}, 1, "learning rate");
  b.parameters(model, {"lambda", "lambda_2", "c", "r"});
  b.horizon(b.value("horizon"), "t");
  ControlProblem& p = b.problem;
  const Expr e = p.x(x), eta = p.u(u), discount = exp(-(b.path("r") * p.time()));
  Expr loss = .5 * b.path("lambda") * e * e;
  b.dynamics(x, -(eta * b.path("lambda") * e));
  if (two) {
    loss += .5 * b.path("lambda_2") * p.x(y) * p.x(y);
    b.dynamics(y, -(eta * b.path("lambda_2") * p.x(y)));
  }
  p.add_cost("loss", discount * loss);
  p.add_cost("effort", .5 * discount * b.path("c") * eta * eta);
  return p;
}

ControlProblem build_linear_unit(const Model& model, const ModelValues& values) {
  ModelBuilder b(values);
  const int x = b.state("w", Interval::point(b.value("w_0")), "weight");
  const int u = b.control("g", {b.value("g_min"), b.value("g_max")}, .25, "gain");
  b.parameters(model, {"mu", "sigma", "lambda", "beta", "gamma"});
  b.horizon(b.value("horizon"), "t");
  ControlProblem& p = b.problem;
  // x ~ N(mu y, sigma^2), y = +-1.
  const Expr mu = b.path("mu"), variance = mu * mu + b.path("sigma") * b.path("sigma"), decay = b.path("lambda");
  const Expr discount = exp(p.time() * log(b.path("gamma")));
  b.dynamics(x, linear_unit_rate(p.x(x), p.u(u), variance, mu, decay));
  p.add_cost("loss", discount * linear_unit_loss(p.x(x), p.u(u), variance, mu, Expr(1.0), decay));
  p.add_cost("effort", discount * b.path("beta") * p.u(u) * p.u(u));
  return p;
}

/// Two inputs, two outputs, hidden layer of H: weights as states, gains of all weights where `gains` is set.
struct NetworkProblem {
  LinearNetworkTask<Expr> task;
  LinearNetworkWeights<Expr> weights;
};
int hidden_of(const ModelBuilder& b) { return b.integer("hidden"); }

/// Weight of one layer between hidden unit h and aspect i at the start; learnt weights, shared among the units of an
/// aspect, as the guess.
void add_network_state(ModelBuilder& b, std::string name, int h, int i, const char* meaning) {
  const int H = hidden_of(b), sharing = std::max(1, (H + 1 - i) / 2);
  const bool own = h % 2 == i;
  // unit h starts on aspect h mod 2, with a share of the other: nothing sits on a saddle
  b.state(std::move(name), Interval::point(b.value("w_0") * (own ? 1 : b.value("asymmetry"))), meaning);
  b.problem.states.back().guess = own ? std::sqrt(b.value(i == 0 ? "s_1" : "s_2") / sharing) : 0;
}

void add_network_states(ModelBuilder& b) {
  const int H = hidden_of(b);
  for (int h = 0; h < H; ++h) {
    for (int i = 0; i < 2; ++i) add_network_state(b, fmt::format("W1_{}{}", h + 1, i + 1), h, i, "first layer");
  }
  for (int o = 0; o < 2; ++o) {
    for (int h = 0; h < H; ++h) add_network_state(b, fmt::format("W2_{}{}", o + 1, h + 1), h, o, "second layer");
  }
}

NetworkProblem network_of(const ModelBuilder& b) {
  const int H = hidden_of(b);
  NetworkProblem n;
  const Expr s1 = b.path("s_1"), s2 = b.path("s_2");
  n.task.hidden = H;
  n.task.input = {1.0, 0.0, 0.0, 1.0};
  n.task.cross = {s1, 0.0, 0.0, s2};
  n.task.output_trace = s1 * s1 + s2 * s2;  // noiseless teacher y = diag(s) x
  n.task.decay = b.path("lambda");
  for (int i = 0; i < 2 * H; ++i) n.weights.first.push_back(b.problem.x(i));
  for (int i = 0; i < 2 * H; ++i) n.weights.second.push_back(b.problem.x(2 * H + i));
  return n;
}

void set_network_rates(ModelBuilder& b, const LinearNetworkWeights<Expr>& d, const Expr& factor) {
  const int H = hidden_of(b);
  for (int i = 0; i < 2 * H; ++i) {
    b.dynamics(i, factor * d.first[static_cast<std::size_t>(i)]);
    b.dynamics(2 * H + i, factor * d.second[static_cast<std::size_t>(i)]);
  }
}

ControlProblem build_network_effort(const Model& model, const ModelValues& values) {
  ModelBuilder b(values);
  add_network_states(b);
  const int H = hidden_of(b);
  for (const auto& s : b.problem.states) {
    b.control(fmt::format("g{}", s.name.substr(1)), {b.value("g_min"), b.value("g_max")}, 0, "gain of " + s.name);
  }
  b.parameters(model, {"s_1", "s_2", "lambda", "beta", "gamma"});
  b.horizon(b.value("horizon"), "t");
  ControlProblem& p = b.problem;
  const NetworkProblem n = network_of(b);
  LinearNetworkWeights<Expr> gain;
  Expr sum = 0.0;
  for (int i = 0; i < 4 * H; ++i) {
    (i < 2 * H ? gain.first : gain.second).push_back(p.u(i));
    sum += p.u(i) * p.u(i);
  }
  set_network_rates(b, linear_network_rates(n.task, n.weights, gain), 1.0);
  const Expr discount = exp(p.time() * log(b.path("gamma")));
  p.add_cost("loss", discount * linear_network_loss(n.task, n.weights, gain));
  p.add_cost("effort", discount * (exp(b.path("beta") * sum) - 1.0));
  return p;
}

ControlProblem build_network_rate(const Model& model, const ModelValues& values) {
  ModelBuilder b(values);
  add_network_states(b);
  const int H = hidden_of(b);
  const int u = b.control("g", {b.value("g_min"), b.value("g_max")}, 0, "change of the learning rate");
  b.parameters(model, {"s_1", "s_2", "lambda", "beta", "g_0", "gamma"});
  b.horizon(b.value("horizon"), "t");
  ControlProblem& p = b.problem;
  const NetworkProblem n = network_of(b);
  LinearNetworkWeights<Expr> none;
  none.first.assign(static_cast<std::size_t>(2 * H), Expr(0.0));
  none.second = none.first;
  set_network_rates(b, linear_network_rates(n.task, n.weights, none), 1.0 + p.u(u));
  const Expr discount = exp(p.time() * log(b.path("gamma"))), change = p.u(u) - b.path("g_0");
  p.add_cost("loss", discount * linear_network_loss(n.task, n.weights, none));
  p.add_cost("effort", discount * b.path("beta") * change * change);
  return p;
}

std::vector<ModelParameter> network_parameters(double g_min, double g_max, double beta, double horizon) {
  return {count("hidden", 2, "hidden units", 1, 8),
          number("s_1", 1, "strength of the first aspect", 0, k_large),
          number("s_2", .3, "strength of the second aspect", 0, k_large),
          number("w_0", .1, "size of the weights at the start", 1e-9, 10),
          number("asymmetry", .2, "share of the other aspect in them", -1, 1),
          number("lambda", 0, "weight decay", 0, k_large),
          number("beta", beta, "price of effort", 0, k_large),
          number("gamma", .99, "discount factor per unit of time", 1e-6, 1),
          number("g_min", g_min, "least gain", -1, 0),
          number("g_max", g_max, "largest gain", 0, 10),
          number("horizon", horizon, "training time", 1e-6, k_large)};
}

}  // namespace

Model effort_model() {
  return make_entry({"effort",
                     "Learning rate of one or two modes against quadratic effort",
                     "after Njaradi, Carrasco-Davis, Latham & Saxe, arXiv:2601.07830",
                     {number("lambda", 1.2, "eigenvalue of the mode", 1e-6, k_large),
                      number("c", .4, "price of effort", 1e-6, k_large), number("r", 0, "discount rate", 0, k_large),
                      number("lambda_2", .3, "eigenvalue of a second mode", 1e-6, k_large),
                      number("e_20", 0, "its error at the start; 0: one mode", -k_large, k_large),
                      number("e_0", 1.6, "error at the start", -k_large, k_large),
                      number("eta_max", 100, "largest learning rate", 1e-6, k_large),
                      number("horizon", 3, "training time", 1e-6, k_large)}},
                    build_mode_effort);
}

Model linear_unit_effort_model() {
  return make_entry(
      {"effort-linear-unit",
       "Gain of one weight against quadratic effort",
       k_effort,
       {number("mu", 2, "distance of each of two Gaussian classes from 0", 0, k_large),
        number("sigma", 1, "their standard deviation", 0, k_large), number("lambda", .1, "weight decay", 0, k_large),
        number("beta", .3, "price of effort", 0, k_large),
        number("gamma", .99, "discount factor per unit of time", 1e-6, 1), number("g_min", 0, "least gain", -1, 0),
        number("g_max", .5, "largest gain", 0, 10), number("w_0", 0, "weight at the start", -k_large, k_large),
        number("horizon", .6, "training time", 1e-6, k_large)}},
      build_linear_unit);
}

Model linear_network_effort_model() {
  return make_entry({"effort-linear-network", "Gains of all weights of a two-layer linear network against effort",
                     k_effort, network_parameters(-.5, .5, .3, 60)},
                    build_network_effort);
}

Model linear_network_rate_model() {
  auto parameters = network_parameters(-1, 1, .1, 60);
  parameters.push_back(number("g_0", 0, "change of the learning rate that costs nothing", -1, 10));
  return make_entry({"rate-linear-network", "Learning rate of a two-layer linear network against effort", k_effort,
                     std::move(parameters)},
                    build_network_rate);
}

}  // namespace eos::theory
