// Every architecture in the engine: it trains, fits one batch, gives the same bits for any threads and after a kill,
// and counts what every kind of method costs.
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>

#include "support.hpp"

namespace eos::sim::testing {
namespace {

using theory::Architecture;

struct Case {
  std::string name;
  theory::NetworkSpec network;
  theory::OptimiserSpec optimiser;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

std::vector<Case> cases() {
  theory::OptimiserSpec momentum, adamw;
  momentum.learning_rate = 0.05, momentum.momentum = 0.9;
  adamw.kind = theory::OptimiserKind::adamw, adamw.learning_rate = 5e-3, adamw.clip = 1;
  std::vector<Case> all(4);
  all[0] = {"cnn", {}, momentum};
  all[0].network.architecture = Architecture::cnn, all[0].network.channels = {8, 12},
  all[0].optimiser.learning_rate = 0.1;
  all[1] = {"resnet", {}, momentum};
  all[1].network.architecture = Architecture::resnet, all[1].network.channels = {4, 6, 8, 10};
  all[2] = {"vit", {}, adamw};
  all[2].network.architecture = Architecture::vit;
  all[3] = {"gpt", {}, adamw};
  all[3].network.architecture = Architecture::gpt, all[3].network.tied = true;
  for (Case& c : all) {
    if (c.optimiser.kind == theory::OptimiserKind::adamw)  // transformers
      c.network.width = 16, c.network.depth = 2, c.network.heads = 2;
    c.network.initialisation = theory::Initialisation::fan_in;
  }
  return all;
}

/// Images of 8 x 8 whose classes a teacher made, or windows of 8 tokens of a Markov text.
TaskData task_of(const Case& c, int samples) {
  if (c.network.architecture != Architecture::gpt) {
    TaskData data = small_task(samples, 64, 4);
    data.height = data.width = 8, data.channels = 1;
    return data;
  }
  theory::DataSpec spec;
  spec.name = "markov";
  spec.train_samples = samples, spec.validation_samples = spec.test_samples = 40;
  spec.sequence = 8, spec.markov.vocabulary = 12;
  return load_data(spec);
}

theory::TrainingSpec spec_of(const Case& c, const TaskData& data) {
  theory::TrainingSpec spec = small_spec(data);
  spec.data.name = "auto";  // images that a teacher made have no name
  if (data.tokens) spec.data.name = "markov", spec.data.sequence = 8, spec.data.markov.vocabulary = 12;
  spec.network = c.network;
  spec.optimiser = c.optimiser;
  return spec;
}

std::string hash_of(const TrainResult& result) { return core::content_sha256(to_dataset(result)); }

class Architectures : public ::testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(Of, Architectures, ::testing::ValuesIn(cases()),
                         [](const auto& instance) { return instance.param.name; });

TEST_P(Architectures, learn_their_task_and_give_the_same_bits_for_any_threads) {
  const TaskData data = task_of(GetParam(), 250);
  theory::TrainingSpec spec = spec_of(GetParam(), data);
  spec.epochs = 10;
  const TrainResult result = run(spec, data);
  const std::vector<EpochRow>& rows = result.replicas[0].epochs;
  EXPECT_LT(rows.back().train_loss, 0.7 * rows[1].train_loss);
  EXPECT_EQ(hash_of(run(spec, data, 2)), hash_of(result));
}

TEST_P(Architectures, fit_one_batch) {
  TaskData data = task_of(GetParam(), 12);
  if (data.tokens) {  // the first token tells the windows apart, so that every token can be known
    for (std::size_t i = 0; i < 12; ++i) data.train.inputs[8 * i] = static_cast<std::uint8_t>(i);
  }
  theory::TrainingSpec spec = spec_of(GetParam(), data);
  spec.batch = 12, spec.epochs = spec.evaluate_every = 200;
  spec.record_every = 1;
  const TrainResult result = run(spec, data);
  const std::vector<StepRow>& steps = result.replicas[0].steps;
  ASSERT_EQ(steps.size(), 200u);
  EXPECT_GT(steps.front().loss, 1);
  EXPECT_LT(steps.back().loss, 0.05);
}

struct Methods {
  const char *selection, *weights;
};
constexpr Methods k_methods[] = {{"all", "all"},
                                 {"dbpd", "all"},
                                 {"all", "top-k"},
                                 {"all", "threshold"},
                                 {"all", "freeze"},
                                 {"all", "group-cyclic"},
                                 {"all", "cache"},
                                 {"all", "error-feedback"},
                                 {"token-ratio", "all"},
                                 {"dbpd+token-share", "error-feedback"},
                                 {"token-drawn", "random-skipping"},
                                 {"token-drawn-through", "all"},
                                 {"all", "layer-gate+error-feedback"}};

theory::TrainingSpec with(const Methods& methods, const Case& c, const TaskData& data) {
  theory::TrainingSpec spec = spec_of(c, data);
  spec.selection = theory::selection_preset(methods.selection);
  spec.plasticity = theory::plasticity_preset(methods.weights);
  spec.plasticity.groups.width = 2;  // these networks are narrow
  spec.record_every = 7;
  spec.evaluate_every = 0.5;
  return spec;
}

void expect_consistent(const TrainResult& result, const Methods& methods, const Case& c) {
  const ReplicaResult& replica = result.replicas[0];
  const theory::Ledger& l = replica.epochs.back().ledger;
  const theory::NetworkCounts& n = result.counts;
  EXPECT_EQ(replica.status, RunStatus::complete);
  EXPECT_EQ(l.forward_macs, l.samples_backward * n.forward_macs);
  const std::int64_t scored = l.scoring_macs / n.forward_macs;
  EXPECT_EQ(l.scoring_macs % n.forward_macs, 0);
  // Batch norm trains in another pass than it scores in, so a row that is kept may be forwarded twice.
  EXPECT_GE(scored, l.samples_seen - l.samples_backward);
  EXPECT_LE(scored, c.name == "resnet" ? l.samples_seen : l.samples_seen - l.samples_backward);
  const std::string weights = methods.weights, selection = methods.selection;
  const bool by_rows = selection.find("token") != std::string::npos;  // of dense layers, which images have few of
  if (weights.find("layer-gate") != std::string::npos) {
    EXPECT_LE(l.backward_macs, l.samples_backward * n.backward_macs);
  } else if (weights == "freeze" || weights == "group-cyclic" || by_rows) {
    EXPECT_LE(l.backward_macs, (by_rows ? 1.0 : 0.9) * static_cast<double>(l.samples_backward * n.backward_macs));
    EXPECT_GT(l.backward_macs, 0.1 * static_cast<double>(l.samples_backward * n.backward_macs));
  } else {
    EXPECT_EQ(l.backward_macs, l.samples_backward * n.backward_macs);
  }
  const auto most = static_cast<double>(l.steps * n.parameters);
  EXPECT_GT(l.writes, 0);
  EXPECT_LE(static_cast<double>(l.writes), (weights == "top-k" ? 0.11 : 1.0) * most);
  std::int64_t writes = 0;
  for (const theory::Ledger& layer : replica.layers) writes += layer.writes;
  EXPECT_EQ(writes, l.writes);
}

/// Asks to stop after a given number of polls.
class StopAfter : public core::Progress {
 public:
  explicit StopAfter(int polls) : left_(polls) {}
  bool stop_requested() const override { return left_.fetch_sub(1) <= 0; }

 private:
  mutable std::atomic<int> left_;
};

TEST_P(Architectures, run_under_every_kind_of_method_are_counted_and_survive_a_kill) {
  const TaskData data = task_of(GetParam(), 150);
  for (const Methods& methods : k_methods) {
    SCOPED_TRACE(std::string(methods.selection) + " " + methods.weights);
    const theory::TrainingSpec spec = with(methods, GetParam(), data);
    const TrainResult undisturbed = run(spec, data);
    expect_consistent(undisturbed, methods, GetParam());
    core::MemorySink sink;
    TrainOptions options;
    options.checkpoints = &sink;
    for (const int polls : {4, 13}) {
      StopAfter progress(polls);
      EXPECT_EQ(train(spec, data, progress, options).replicas[0].status, RunStatus::stopped);
    }
    core::Progress silent;
    EXPECT_EQ(hash_of(train(spec, data, silent, options)), hash_of(undisturbed));
  }
}

TEST_P(Architectures, cost_less_and_stand_still_below_what_is_frozen) {
  const TaskData data = task_of(GetParam(), 150);
  const TrainResult dense = run(with(k_methods[0], GetParam(), data), data);
  theory::TrainingSpec spec = with({"all", "freeze"}, GetParam(), data);
  const TrainResult frozen = run(spec, data);
  const auto backward = [](const TrainResult& r) { return r.replicas[0].epochs.back().ledger.backward_macs; };
  EXPECT_LT(backward(frozen), backward(dense));
  EXPECT_LT(frozen.replicas[0].layers.front().writes, dense.replicas[0].layers.front().writes);
}

}  // namespace
}  // namespace eos::sim::testing
