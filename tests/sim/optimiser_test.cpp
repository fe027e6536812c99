// Optimisers inside the engine: each trains, each composes with every write rule, clipping shortens, and all of their
// state survives a kill.
#include <gtest/gtest.h>

#include <cmath>

#include "../../sim/src/plasticity.hpp"
#include "../../sim/src/replica.hpp"
#include "support.hpp"

namespace eos::sim {
namespace {

using theory::OptimiserKind;
using theory::OptimiserSpec;
using theory::WriteRule;

struct Named {
  const char* name;
  OptimiserSpec spec;
};

OptimiserSpec sgd(double rate, double momentum, bool nesterov, double clip) {
  OptimiserSpec o;
  o.learning_rate = rate, o.momentum = momentum, o.nesterov = nesterov, o.clip = clip;
  return o;
}

std::vector<Named> optimisers() {
  OptimiserSpec adamw, muon, muon_all;
  adamw.kind = OptimiserKind::adamw, adamw.learning_rate = 3e-3, adamw.weight_decay = 1e-2, adamw.clip = 1;
  muon.kind = OptimiserKind::muon, muon.learning_rate = 0.05, muon.weight_decay = 1e-2;
  muon.muon.rest_rate = 0.1;
  muon_all.kind = OptimiserKind::muon, muon_all.learning_rate = 0.02, muon_all.muon.first = muon_all.muon.output = true;
  muon_all.muon.rest = OptimiserKind::sgd, muon_all.muon.rest_rate = 1, muon_all.momentum = 0.9;
  muon_all.nesterov = true;
  return {{"nesterov", sgd(0.05, 0.9, true, 0)},
          {"clipped", sgd(0.2, 0.5, false, 0.5)},
          {"adamw", adamw},
          {"muon", muon},
          {"muon of all layers", muon_all}};
}

Network network() { return Network(std::vector<int>{6, 5, 4, 3}); }

std::vector<float> ramp(std::int64_t size, double step) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < size; ++i) values.push_back(static_cast<float>(std::sin(step * static_cast<double>(i))));
  return values;
}

/// Two updates; the weights after them.
std::vector<float> two_updates(const OptimiserSpec& optimiser, const theory::PlasticitySpec& rule,
                               int first_layer = 0) {
  const auto context = kernels::Context::cpu();
  const Network net = network();
  Plasticity plasticity(context, optimiser, rule, 0, net, 1);
  kernels::Buffer<float> weights(context, ramp(net.parameters(), 0.7));
  plasticity.start(weights);
  WriteControls controls;
  controls.learning_rate = optimiser.learning_rate, controls.weight_fraction = 0.2, controls.theta = 1e-3;
  controls.first_layer = first_layer;
  for (controls.step = 1; controls.step <= 2; ++controls.step) {
    kernels::Buffer<float> gradient(context, ramp(net.parameters(), 1.3 * static_cast<double>(controls.step)));
    plasticity.apply(gradient.data(), controls, weights.data());
  }
  return weights.get();
}

TEST(Optimisers, train_and_resume_from_a_checkpoint) {
  const TaskData data = testing::small_task();
  const kernels::Context context = kernels::Context::cpu();
  for (const Named& o : optimisers()) {
    theory::TrainingSpec spec = testing::small_spec(data);
    spec.optimiser = o.spec, spec.epochs = 40;
    const RunSetup setup(spec, data, context);
    Replica replica(setup, context, 5);
    while (replica.epoch() < 2.3) replica.advance();
    Replica resumed(setup, context, 5);
    resumed.restore(replica.checkpoint());
    for (Replica* r : {&replica, &resumed}) {
      while (!r->finished()) r->advance();
    }
    const ReplicaResult result = replica.result(RunStatus::complete);
    EXPECT_LT(result.epochs.back().train_loss, 0.75 * result.epochs[1].train_loss) << o.name;
    EXPECT_EQ(result.weights, resumed.result(RunStatus::complete).weights) << o.name;
  }
}

TEST(Optimisers, write_what_the_rule_selects_and_nothing_else) {
  for (const Named& o : optimisers()) {
    theory::PlasticitySpec all;
    const std::vector<float> before = ramp(network().parameters(), 0.7), dense = two_updates(o.spec, all);
    for (const WriteRule rule : {WriteRule::top_k, WriteRule::threshold, WriteRule::random, WriteRule::fixed}) {
      for (const bool accumulate : {false, true}) {
        theory::PlasticitySpec spec;
        spec.rule = rule, spec.accumulate = accumulate, spec.fraction = 0.2;
        const std::vector<float> after = two_updates(o.spec, spec);
        std::size_t unmoved = 0;
        for (std::size_t i = 0; i < after.size(); ++i) unmoved += after[i] == before[i];
        EXPECT_GT(unmoved, rule == WriteRule::threshold ? 0u : after.size() / 2)
            << o.name << ", rule " << static_cast<int>(rule);
        EXPECT_LT(unmoved, after.size()) << o.name;
        EXPECT_NE(after, dense) << o.name;
      }
    }
  }
}

TEST(Optimisers, leave_frozen_layers_where_they_are) {
  const Network net = network();
  const std::vector<float> before = ramp(net.parameters(), 0.7);
  for (const Named& o : optimisers()) {
    const std::vector<float> after = two_updates(o.spec, {}, 1);
    for (std::int64_t i = 0; i < net.parameters(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      if (i < net.offsets[1]) {
        EXPECT_EQ(after[at], before[at]) << o.name;
      } else {
        EXPECT_NE(after[at], before[at]) << o.name << " " << i;
      }
    }
  }
}

TEST(Clipping, makes_the_gradient_as_long_as_the_limit) {
  // SGD with rate 1: the step is the gradient, whose norm is that of all parameters together.
  const auto length_of_step = [](double limit) {
    const std::vector<float> before = ramp(network().parameters(), 0.7);
    const auto context = kernels::Context::cpu();
    const Network net = network();
    Plasticity plasticity(context, sgd(1, 0, false, limit), {}, 0, net, 1);
    kernels::Buffer<float> weights(context, before), gradient(context, ramp(net.parameters(), 1.3));
    WriteControls controls;
    controls.learning_rate = 1;
    plasticity.apply(gradient.data(), controls, weights.data());
    const std::vector<float> after = weights.get();
    double sum = 0;
    for (std::size_t i = 0; i < after.size(); ++i) sum += std::pow(static_cast<double>(after[i]) - before[i], 2);
    return std::sqrt(sum);
  };
  double norm = 0;
  for (const float g : ramp(network().parameters(), 1.3)) norm += static_cast<double>(g) * g;
  norm = std::sqrt(norm);
  EXPECT_NEAR(length_of_step(0), norm, 1e-5);
  EXPECT_NEAR(length_of_step(0.5), 0.5, 1e-5);  // the constant 1e-6 and single precision
  EXPECT_NEAR(length_of_step(100), norm, 1e-5);
}

TEST(Muon, moves_hidden_matrices_alone_by_orthogonal_steps) {
  // The first step of AdamW has entries of the learning rate; that of Muon is a matrix with singular values near 1.
  OptimiserSpec o;
  o.kind = OptimiserKind::muon, o.learning_rate = 1, o.muon.rest_rate = 0.25;
  const Network net = network();
  const auto context = kernels::Context::cpu();
  Plasticity plasticity(context, o, {}, 0, net, 1);
  const std::vector<float> before = ramp(net.parameters(), 0.7);
  kernels::Buffer<float> weights(context, before), gradient(context, ramp(net.parameters(), 1.3));
  WriteControls controls;
  controls.learning_rate = 1;
  plasticity.apply(gradient.data(), controls, weights.data());
  const std::vector<float> after = weights.get();
  double squares = 0;
  for (std::int64_t i = 1; i < net.parameters(); ++i) {  // the gradient of parameter 0 is 0
    const double step = static_cast<double>(after[static_cast<std::size_t>(i)]) - before[static_cast<std::size_t>(i)];
    if (i >= net.offsets[1] && i < net.bias_offset(1))
      squares += step * step;
    else
      EXPECT_NEAR(std::fabs(step), 0.25, 1e-5) << i;
  }
  EXPECT_GT(squares, 4 * 0.65 * 0.65);  // 5 x 4: four singular values
  EXPECT_LT(squares, 4 * 1.25 * 1.25);
}

}  // namespace
}  // namespace eos::sim
