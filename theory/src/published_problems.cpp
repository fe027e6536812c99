#include "eos/theory/published_problems.hpp"

#include <fmt/format.h>

#include <cmath>

#include "eos/theory/curriculum.hpp"
#include "eos/theory/denoising.hpp"
#include "eos/theory/order_parameters.hpp"
#include "eos/theory/perceptron.hpp"
#include "model_builder.hpp"

namespace eos::theory {
namespace {

constexpr double k_large = 1e6;
const char* const k_mignacco_mori =
    "Mignacco & Mori, A statistical physics framework for optimal learning, arXiv:2507.07907";

/// Adds the packed order parameters of a committee as states; returns the index of the first.
int add_committee_states(ModelBuilder& b, const Committee& task, const std::vector<double>& start) {
  const int first = static_cast<int>(b.problem.states.size());
  const auto names = task.state_names();
  for (std::size_t i = 0; i < names.size(); ++i) {
    b.state(names[i], Interval::point(start[i]),
            names[i][0] == 'R' ? "overlap of student and teacher units" : "overlap of student units");
  }
  return first;
}
OrderParameters<Expr> committee_at(const Committee& task, const std::vector<Expr>& packed) {
  return unpack(task, packed.data());
}
void set_committee_rates(ModelBuilder& b, const Committee& task, int first, const CommitteeInputs<Expr>& inputs) {
  std::vector<Expr> x;
  for (int i = 0; i < task.states(); ++i) x.push_back(b.problem.x(first + i));
  const auto rates = pack(task, committee_rates(task, committee_at(task, x), inputs));
  for (int i = 0; i < task.states(); ++i) b.dynamics(first + i, rates[static_cast<std::size_t>(i)]);
}
Expr final_committee_error(const ModelBuilder& b, const Committee& task, int first, const Expr& scale) {
  std::vector<Expr> x;
  for (int i = 0; i < task.states(); ++i) x.push_back(b.problem.x_final(first + i));
  return committee_error(task, committee_at(task, x), scale);
}

ControlProblem build_curriculum(const Model& model, const ModelValues& values) {
  ModelBuilder b(values);
  const double T = b.value("alpha_F");
  const int q = b.state("Q11", Interval::point(b.value("Q11_0")), "norm of the weights of relevant inputs");
  const int n = b.state("Q22", Interval::point(b.value("Q22_0")), "norm of the weights of irrelevant inputs");
  const int m = b.state("M", Interval::point(b.value("M_0")), "overlap with the teacher");
  const int e = b.state("easy", Interval::point(0), "easy examples so far, per input",
                        Interval::point(b.value("easy_share") * T));
  const int u = b.control("u", {0, 1}, b.value("easy_share"), "share of easy examples");
  b.parameters(model, {"eta", "lambda", "teacher_norm", "Delta_easy", "Delta_hard", "easy_share"});
  b.horizon(T, "alpha");
  ControlProblem& p = b.problem;

  const CurriculumState<Expr> x{p.x(q), p.x(n), p.x(m)}, end{p.x_final(q), p.x_final(n), p.x_final(m)};
  const auto easy = curriculum_rates(x, b.path("Delta_easy"), b.path("eta"), b.path("lambda"), b.path("teacher_norm"));
  const auto hard = curriculum_rates(x, b.path("Delta_hard"), b.path("eta"), b.path("lambda"), b.path("teacher_norm"));
  auto mix = [&](const Expr& one, const Expr& other) { return p.u(u) * one + (1.0 - p.u(u)) * other; };
  b.dynamics(q, mix(easy.relevant, hard.relevant));
  b.dynamics(n, mix(easy.irrelevant, hard.irrelevant));
  b.dynamics(m, mix(easy.overlap, hard.overlap));
  b.dynamics(e, p.u(u));
  const Expr share = b.end("easy_share");
  p.add_cost("error", 0.0,
             share * curriculum_error(end, b.end("Delta_easy"), b.end("teacher_norm")) +
                 (1.0 - share) * curriculum_error(end, b.end("Delta_hard"), b.end("teacher_norm")));
  return p;
}

ControlProblem build_denoising(const Model& model, const ModelValues& values) {
  ModelBuilder b(values);
  Denoising task = Denoising::published();
  task.inputs = b.value("N");
  task.deviation = b.value("sigma");
  for (int k = 0; k < 2; ++k) {
    for (int i = 0; i < 2; ++i) {
      b.state(fmt::format("R_{}{}", k + 1, i + 1), Interval::point(task.overlap[static_cast<std::size_t>(2 * k + i)]),
              "overlap of cluster mean and hidden unit");
    }
  }
  for (int ij : {0, 1, 3}) {
    b.state(fmt::format("Q_{}{}", ij / 2 + 1, ij % 2 + 1),
            Interval::point(task.unit_overlap[static_cast<std::size_t>(ij)]), "overlap of hidden units");
  }
  b.state("b", Interval::point(task.skip), "strength of the skip connection");
  const int u = b.control("Delta", {b.value("Delta_min"), b.value("Delta_max")}, b.value("Delta_F"),
                          "variance share of the noise put on the inputs");
  b.parameters(model, {"eta", "Delta_F"});
  b.horizon(b.value("horizon"), "t");
  ControlProblem& p = b.problem;
  auto state = [](auto at) {
    return DenoisingState<Expr>{{at(0), at(1), at(2), at(3)}, {at(4), at(5), at(5), at(6)}, at(7)};
  };
  const auto d = denoising_rates(task, state([&](int i) { return p.x(i); }), p.u(u), b.path("eta"));
  for (int i = 0; i < 4; ++i) b.dynamics(i, d.R[static_cast<std::size_t>(i)]);
  b.dynamics(4, d.Q[0]);
  b.dynamics(5, d.Q[1]);
  b.dynamics(6, d.Q[3]);
  b.dynamics(7, d.b);
  p.add_cost("error", 0.0, denoising_error(task, state([&](int i) { return p.x_final(i); }), b.end("Delta_F")));
  return p;
}

ControlProblem build_dropout(const Model& model, const ModelValues& values) {
  ModelBuilder b(values);
  const Committee task{b.integer("K"), b.integer("M"), {}, {}, false};
  const int first = add_committee_states(b, task, std::vector<double>(static_cast<std::size_t>(task.states()), 0.0));
  const int scale = b.state("p_F", {}, "scale of hidden outputs at test time", {}, {0, 1});
  b.problem.states.back().guess = .7;
  const int u = b.control("p", {0, 1}, .7, "probability that a hidden unit is active");
  b.parameters(model, {"eta", "sigma"});
  b.horizon(b.value("alpha_F"), "alpha");
  CommitteeInputs<Expr> inputs;
  inputs.rate = b.path("eta");
  inputs.noise_variance = b.path("sigma") * b.path("sigma");
  inputs.activation = b.problem.u(u);
  set_committee_rates(b, task, first, inputs);
  b.dynamics(scale, 0.0);
  b.problem.add_cost("error", 0.0, final_committee_error(b, task, first, b.problem.x_final(scale)), .5);
  return b.problem;
}

ControlProblem build_committee(const Model& model, const ModelValues& values) {
  ModelBuilder b(values);
  const Committee task{b.integer("K"), b.integer("M"), {}, {}, false};
  std::vector<double> start;
  for (int i = 0; i < task.students; ++i) {
    for (int n = 0; n < task.teachers; ++n) start.push_back(i % task.teachers == n ? b.value("R_0") : 0);
  }
  for (int i = 0; i < task.students; ++i) {
    for (int k = i; k < task.students; ++k) start.push_back(i == k ? b.value("Q_0") : 0);
  }
  const int first = add_committee_states(b, task, start);
  const int eta = b.control("eta", {0, b.value("eta_max")}, b.value("eta_max") / 2, "learning rate");
  const int kappa = b.control("kappa", {b.value("kappa_min"), 1}, .5, "fraction of weights written");
  b.parameters(model, {"sigma", "gamma", "batch", "price_write", "price_time"});
  b.horizon(b.value("alpha_F"), "alpha");
  ControlProblem& p = b.problem;
  CommitteeInputs<Expr> inputs;
  inputs.rate = p.u(eta);
  inputs.weight_decay = b.path("gamma");
  inputs.batch = b.path("batch");
  inputs.noise_variance = b.path("sigma") * b.path("sigma");
  if (b.integer("ranked") == 1) {
    set_shared_mask(inputs, capture(p.u(kappa)));
  } else {
    set_independent_masks(inputs, p.u(kappa));
  }
  set_committee_rates(b, task, first, inputs);
  const Expr write = b.path("price_write") * p.u(kappa), upkeep = b.path("price_time");
  p.add_cost("error", 0.0, final_committee_error(b, task, first, Expr(1.0)));
  p.add_cost("energy", write + upkeep);
  return p;
}

ControlProblem build_perceptron(const Model& model, const ModelValues& values) {
  ModelBuilder b(values);
  const int x = b.state("R", Interval::point(b.value("R_0")), "overlap of student and teacher", {}, {1e-3, 1 - 1e-12});
  const int step = b.control("f", {0, b.value("f_max")}, 1, "length of an update");
  const int band = b.control("c", {b.value("c_min"), 5}, 1, "half width of the band of student fields trained on");
  b.parameters(model, {"price_screen", "price_train"});
  b.horizon(b.value("horizon"), "n");
  ControlProblem& p = b.problem;
  const Expr share = perceptron_band_share(p.u(band));
  b.dynamics(x, share * perceptron_rate(p.x(x), p.u(band), p.u(step)));
  p.add_cost("error", 0.0, perceptron_error(p.x_final(x)));
  p.add_cost("energy", b.path("price_screen") + b.path("price_train") * share);
  return p;
}

}  // namespace

Model curriculum_model() {
  return make_entry(
      {"curriculum",
       "When to show easy and when hard examples",
       std::string(k_mignacco_mori) + ", section 3.1",
       {number("eta", 3, "learning rate", 0, k_large), number("lambda", 0, "weight decay", 0, k_large),
        number("teacher_norm", 2, "T, norm of the teacher", 1e-6, k_large),
        number("Delta_easy", 0, "variance of irrelevant inputs in easy examples", 0, k_large),
        number("Delta_hard", 2, "the same in hard examples", 0, k_large),
        number("easy_share", .5, "share of easy examples, in training and in the error", 0, 1),
        number("alpha_F", 12, "examples per input", 1e-6, k_large),
        number("Q11_0", 1, "Q11 at the start", 1e-9, k_large), number("Q22_0", 1, "Q22 at the start", 0, k_large),
        number("M_0", 0, "M at the start", -k_large, k_large)}},
      build_curriculum);
}

Model denoising_model() {
  return make_entry(
      {"denoising",
       "How much noise a denoising autoencoder should see when",
       std::string(k_mignacco_mori) + ", section 3.3",
       {number("eta", 5, "learning rate", 0, k_large),
        number("Delta_F", .3, "noise of the test, as a share of the variance", .001, .999),
        number("horizon", 4, "training time eta alpha_F", 1e-6, k_large),
        number("sigma", .1, "standard deviation within a cluster", 1e-6, k_large), number("N", 1000, "inputs", 1, 1e9),
        number("Delta_min", .01, "least noise", 0, .999), number("Delta_max", .99, "largest noise", .001, .999)}},
      build_denoising);
}

Model dropout_model() {
  return make_entry({"dropout",
                     "How many hidden units should be dropped when",
                     std::string(k_mignacco_mori) + ", section 3.2",
                     {count("K", 2, "hidden units of the student", 1, 6),
                      count("M", 1, "hidden units of the teacher", 1, 6), number("eta", 1, "learning rate", 0, k_large),
                      number("sigma", .2, "standard deviation of the label noise", 0, k_large),
                      number("alpha_F", 5, "examples per input", 1e-6, k_large)}},
                    build_dropout);
}

Model committee_model() {
  return make_entry(
      {"committee",
       "Learning rate and written fraction of a soft committee machine",
       "Saad & Rattray, Phys. Rev. Lett. 79, 2578 (1997); Saad & Solla, Phys. Rev. E 52, 4225 (1995)",
       {count("K", 2, "hidden units of the student", 1, 5), count("M", 2, "hidden units of the teacher", 1, 5),
        number("eta_max", 2, "largest learning rate", 1e-6, k_large),
        number("kappa_min", .01, "least fraction of weights written", 1e-6, 1),
        count("ranked", 1, "1: the largest |x| are written by all units, 0: a random choice of each unit", 0, 1),
        number("sigma", .1, "standard deviation of the label noise", 0, k_large),
        number("gamma", 0, "weight decay", 0, k_large), number("batch", 1, "samples per step", 1, k_large),
        number("price_write", 1e-3, "energy of writing all weights, per unit of time", 0, k_large),
        number("price_time", 0, "upkeep per unit of time", 0, k_large),
        number("alpha_F", 20, "examples per input", 1e-6, k_large),
        number("R_0", .1, "overlap of each student unit with its teacher unit at the start", 0, 10),
        number("Q_0", .25, "norm of each student unit at the start", 1e-9, 100)}},
      build_committee);
}

Model perceptron_model() {
  return make_entry(
      {"perceptron",
       "Which examples to train a perceptron on when screening costs",
       "Kinouchi & Caticha, J. Phys. A 25, 6243 (1992); Kinzel & Rujan, Europhys. Lett. 13, 473 (1990)",
       {number("R_0", .2, "overlap at the start", 1e-3, .999), number("f_max", 10, "longest update", 1e-6, k_large),
        number("c_min", .01, "narrowest band", 1e-4, 5),
        number("price_screen", 0, "energy of looking at one example per input", 0, k_large),
        number("price_train", .01, "energy of training on one example per input", 0, k_large),
        number("horizon", 3, "screened examples per input", 1e-6, k_large)}},
      build_perceptron);
}

}  // namespace eos::theory
