// The arithmetic of selection and write policies against an independent double-precision network, and the edges of a
// run.
#include <gmock/gmock.h>

#include <numeric>

#include "../../sim/src/replica.hpp"
#include "support.hpp"

namespace eos::sim::testing {
namespace {

using theory::Batching;
using theory::Ledger;

// ---- arithmetic of the policies
// ----------------------------------------------------------------------------------------

TEST(Dropout, shrinking_batches_divide_by_what_is_kept_or_by_the_nominal_batch) {
  const TaskData data = small_task(32);
  for (Batching batching : {Batching::shrink_mean, Batching::shrink_sum}) {
    theory::TrainingSpec spec = small_spec(data);
    spec.selection = theory::selection_preset("dbpd-shrink");
    spec.selection.batching = batching;
    spec.selection.tau = 0.4;
    spec.batch = 32;
    spec.epochs = 1;
    const TrainResult result = run(spec, data);
    const Network layout(widths_of(spec, data));
    PlainNetwork net(layout.widths, initial_weights(layout, {}, 1));
    std::vector<int> kept;
    for (int s = 0; s < 32; ++s)
      if (net.probabilities(data.train, s)[static_cast<std::size_t>(data.train.labels[static_cast<std::size_t>(s)])] <
          0.4)
        kept.push_back(s);
    ASSERT_GT(kept.size(), 5u);
    ASSERT_LT(kept.size(), 30u);
    EXPECT_EQ(result.replicas[0].epochs[0].ledger.samples_backward, static_cast<std::int64_t>(kept.size()));
    const double scale = batching == Batching::shrink_mean ? 1.0 / static_cast<double>(kept.size()) : 1.0 / 32;
    net.loss_and_gradient(data.train, kept, std::vector<double>(kept.size(), 1.0), scale);
    for (std::size_t i = 0; i < net.w.size(); ++i)
      EXPECT_NEAR(result.replicas[0].weights[i], net.w[i] - 0.2 * net.gradient[i], 1e-6);
  }
}

TEST(Dropout, kept_samples_of_several_chunks_make_exactly_one_full_batch) {
  const TaskData data = small_task(400);
  theory::TrainingSpec spec = small_spec(data);
  spec.selection = theory::selection_preset("dbpd");
  spec.selection.tau = 0.35;
  spec.epochs = 1;
  spec.batch = 24;
  spec.optimiser.learning_rate = 0.05;
  const kernels::Context context = kernels::Context::cpu();
  const RunSetup setup(spec, data, context);
  Replica replica(setup, context, 1);
  PlainNetwork net(setup.layout.widths, replica.result(RunStatus::complete).weights);
  // The oracle walks the stream sample by sample: the first 24 it would keep under the initial weights are the batch.
  std::vector<int> batch;
  for (std::int32_t s : epoch_order(1, 0, 400)) {
    const double p =
        net.probabilities(data.train, s)[static_cast<std::size_t>(data.train.labels[static_cast<std::size_t>(s)])];
    if (p < 0.35) batch.push_back(s);
    if (batch.size() == 24) break;
  }
  ASSERT_EQ(batch.size(), 24u);
  std::vector<float> weights = replica.result(RunStatus::complete).weights;
  const std::vector<float> initial = weights;
  while (weights == initial) {
    replica.advance();
    weights = replica.result(RunStatus::complete).weights;
  }
  net.loss_and_gradient(data.train, batch, std::vector<double>(24, 1.0), 1.0 / 24);
  for (std::size_t i = 0; i < net.w.size(); ++i) EXPECT_NEAR(weights[i], net.w[i] - 0.05 * net.gradient[i], 1e-6);
}

TEST(Dropout, two_forwards_and_one_masked_forward_take_the_same_steps) {
  // Without normalisation or dropout layers in the network, scoring with the same weights changes nothing but cost.
  const TaskData data = small_task(150);
  theory::TrainingSpec one = small_spec(data);
  one.selection = theory::selection_preset("dbpd-shrink");
  one.selection.tau = 0.6;
  theory::TrainingSpec two = one;
  two.selection.two_forward = true;
  const ReplicaResult a = run(one, data).replicas[0], b = run(two, data).replicas[0];
  EXPECT_EQ(a.weights, b.weights);
  EXPECT_LT(a.epochs.back().ledger.scoring_macs, b.epochs.back().ledger.scoring_macs);
}

TEST(Infobatch, weights_enter_the_gradient) {
  const TaskData data = small_task(64);
  theory::TrainingSpec spec = small_spec(data);
  spec.selection = theory::selection_preset("infobatch");
  spec.selection.revision_share = 0;
  spec.batch = 64;
  spec.epochs = 2;
  spec.optimiser.law = theory::RateLaw::constant;
  const kernels::Context context = kernels::Context::cpu();
  const RunSetup setup(spec, data, context);
  Replica replica(setup, context, 1);
  replica.advance();  // epoch 0: all 64 samples, one update
  const std::vector<float> after_first = replica.result(RunStatus::complete).weights;
  Gate gate(setup.selection, setup.open_loop, {}, 1);
  Stream stream(setup.selection, setup.open_loop, gate, 1);
  std::vector<Row> rows;
  stream.take(64, RunningMeans{}, rows);
  PlainNetwork net(setup.layout.widths, initial_weights(setup.layout, {}, 1));
  for (int s = 0; s < 64; ++s) {
    const auto label = static_cast<std::size_t>(data.train.labels[static_cast<std::size_t>(s)]);
    Scores seen;
    seen.resize(1);
    seen.loss[0] = static_cast<float>(-std::log(net.probabilities(data.train, s)[label]));
    stream.remember({s}, seen, 0, {});
  }
  rows.clear();
  stream.take(64, RunningMeans{}, rows);
  ASSERT_LT(rows.size(), 60u);
  PlainNetwork second(setup.layout.widths, after_first);
  std::vector<int> samples;
  std::vector<double> weights;
  for (const Row& row : rows) samples.push_back(row.sample), weights.push_back(row.weight);
  second.loss_and_gradient(data.train, samples, weights, 1.0 / 64);
  while (!replica.finished()) replica.advance();
  const std::vector<float> last = replica.result(RunStatus::complete).weights;
  for (std::size_t i = 0; i < second.w.size(); ++i) EXPECT_NEAR(last[i], second.w[i] - 0.2 * second.gradient[i], 2e-6);
}

TEST(ErrorFeedback, what_is_written_and_what_waits_add_up_to_all_updates) {
  for (const char* method : {"error-feedback", "top-k", "random"}) {
    const TaskData data = small_task(160);
    theory::TrainingSpec spec = small_spec(data);
    spec.plasticity = theory::plasticity_preset(method);
    spec.plasticity.accumulate = true;
    spec.plasticity.theta = 0.01;
    spec.epochs = 1;
    const kernels::Context context = kernels::Context::cpu();
    const RunSetup setup(spec, data, context);
    Replica replica(setup, context, 1);
    const auto batches = dense_batches(1, 160, 16, 1);
    const auto state = [&](const char* name) { return replica.checkpoint().numbers(name); };
    for (std::size_t t = 0; t < batches.size(); ++t) {
      const std::vector<double> w = state("weights"), acc = state("accumulator");
      PlainNetwork net(setup.layout.widths, std::vector<float>(w.begin(), w.end()));
      net.loss_and_gradient(data.train, batches[t], std::vector<double>(16, 1.0), 1.0 / 16);
      const double eta = 0.2 * (1 - static_cast<double>(t) / 10);
      replica.advance();
      const std::vector<double> w1 = state("weights"), acc1 = state("accumulator");
      int waiting = 0, written = 0;
      for (std::size_t i = 0; i < w.size(); ++i) {
        EXPECT_NEAR((w1[i] - w[i]) + (acc1[i] - acc[i]), -eta * net.gradient[i], 1e-6);
        EXPECT_TRUE(w1[i] == w[i] || acc1[i] == 0) << "a written accumulator is cleared";
        waiting += acc1[i] != 0;
        written += w1[i] != w[i];
      }
      EXPECT_GT(waiting, 0);
      if (t > 2) {
        EXPECT_GT(written, 0) << method;
      }
    }
  }
}

TEST(ErrorFeedback, threshold_follows_the_square_root_of_the_rate) {
  const TaskData data = small_task(160);
  theory::TrainingSpec spec = small_spec(data);
  spec.plasticity = theory::plasticity_preset("error-feedback");
  spec.record_every = 1;
  const ReplicaResult result = run(spec, data).replicas[0];
  const double theta0 = 0.13 * std::sqrt(3 * 0.2 / 16);
  for (const StepRow& row : result.steps) EXPECT_NEAR(row.theta, theta0 * std::sqrt(row.learning_rate / 0.2), 1e-12);
  EXPECT_NEAR(result.steps.front().theta, theta0, 1e-12);
}

TEST(TopK, writes_the_stated_share_of_every_layer) {
  const TaskData data = small_task(160);
  theory::TrainingSpec spec = small_spec(data);
  spec.plasticity = theory::plasticity_preset("top-k");
  spec.plasticity.fraction = 0.1;
  spec.epochs = 1;
  const ReplicaResult result = run(spec, data).replicas[0];
  // 12-10-7-3: layers of 130, 77, 24 parameters; 10 updates write 13, 7 or 8, 2 or 3 of them each.
  EXPECT_EQ(result.layers[0].writes, 130);
  EXPECT_GE(result.layers[1].writes, 70);
  EXPECT_LE(result.layers[1].writes, 80);
  EXPECT_GE(result.layers[2].writes, 20);
  EXPECT_LE(result.layers[2].writes, 30);
}

// ---- edges
// -------------------------------------------------------------------------------------------------------------

TEST(Edges, too_few_kept_samples_take_no_optimiser_step) {
  const TaskData data = small_task(160);
  theory::TrainingSpec spec = small_spec(data);
  spec.selection = theory::selection_preset("dbpd-shrink");
  spec.selection.minimum_kept = 16;  // more than the gate leaves
  spec.selection.tau = 0.3;
  spec.optimiser.momentum = 0.9;
  spec.optimiser.weight_decay = 0.1;
  const ReplicaResult result = run(spec, data).replicas[0];
  const Ledger& l = result.epochs.back().ledger;
  EXPECT_EQ(l.steps, 0);
  EXPECT_EQ(l.samples_backward, 0);
  EXPECT_EQ(l.forward_macs, 0);
  EXPECT_EQ(l.scoring_macs, l.samples_seen * theory::mlp_counts(widths_of(spec, data)).forward_macs);
  const Network layout(widths_of(spec, data));
  EXPECT_EQ(result.weights, initial_weights(layout, {}, 1)) << "neither momentum nor decay moved a weight";
}

TEST(Edges, the_last_incomplete_batch_is_trained_with_the_nominal_weight) {
  const TaskData data = small_task(20);
  theory::TrainingSpec spec = small_spec(data);
  spec.batch = 64;  // larger than the data set
  spec.epochs = 1;
  const ReplicaResult result = run(spec, data).replicas[0];
  EXPECT_EQ(result.epochs.back().ledger.steps, 1);
  const Network layout(widths_of(spec, data));
  PlainNetwork net(layout.widths, initial_weights(layout, {}, 1));
  std::vector<int> all(20);
  std::iota(all.begin(), all.end(), 0);
  net.loss_and_gradient(data.train, all, std::vector<double>(20, 1.0), 1.0 / 64);
  for (std::size_t i = 0; i < net.w.size(); ++i) EXPECT_NEAR(result.weights[i], net.w[i] - 0.2 * net.gradient[i], 1e-6);
}

TEST(Edges, evaluation_does_not_change_the_run) {
  const TaskData data = small_task(203);
  theory::TrainingSpec often = small_spec(data);
  often.selection = theory::selection_preset("joint");
  often.evaluate_every = 0.13;
  theory::TrainingSpec rarely = often;
  rarely.evaluate_every = 100;
  const ReplicaResult a = run(often, data).replicas[0], b = run(rarely, data).replicas[0];
  EXPECT_EQ(a.weights, b.weights);
  EXPECT_EQ(b.epochs.size(), 1u);
  EXPECT_GE(a.epochs.size(), 20u);
  EXPECT_EQ(a.epochs.back().epoch, 3.0);
  for (std::size_t i = 1; i < a.epochs.size(); ++i) EXPECT_GT(a.epochs[i].epoch, a.epochs[i - 1].epoch);
}

TEST(Edges, rows_of_whole_epochs_lie_exactly_on_them) {
  const TaskData data = small_task(203);
  theory::TrainingSpec spec = small_spec(data);
  spec.epochs = 2.5;
  const ReplicaResult result = run(spec, data).replicas[0];
  ASSERT_EQ(result.epochs.size(), 3u);
  EXPECT_EQ(result.epochs[0].epoch, 1.0);
  EXPECT_EQ(result.epochs[1].epoch, 2.0);
  EXPECT_NEAR(result.epochs[2].epoch, 2.5, 0.51 / 203);
  for (const EpochRow& row : result.epochs) {
    EXPECT_EQ(row.data_fraction, 1.0);
    EXPECT_EQ(row.present_fraction, 1.0);
  }
}

TEST(Edges, an_exploding_run_is_a_status_not_an_error) {
  const TaskData data = small_task(200);
  for (const char* weights : {"all", "top-k", "error-feedback"}) {
    theory::TrainingSpec spec = small_spec(data);
    spec.optimiser.learning_rate = 1e9;
    spec.plasticity = theory::plasticity_preset(weights);
    const ReplicaResult result = run(spec, data).replicas[0];
    EXPECT_EQ(result.status, RunStatus::diverged) << weights;
    ASSERT_FALSE(result.epochs.empty());
    EXPECT_LT(result.epochs.back().epoch, 3.0);
  }
}

TEST(Edges, a_network_without_hidden_layer_and_a_task_without_validation_train) {
  theory::DataSpec data_spec;
  data_spec.name = "teacher";
  data_spec.train_samples = 50, data_spec.validation_samples = 0, data_spec.test_samples = 0;
  data_spec.teacher.inputs = 5, data_spec.teacher.classes = 2;
  const TaskData data = load_data(data_spec);
  theory::TrainingSpec spec = small_spec(data);
  spec.network.hidden.clear();
  const ReplicaResult result = run(spec, data).replicas[0];
  EXPECT_TRUE(std::isnan(result.epochs.back().validation_accuracy));
  EXPECT_LT(result.epochs.back().train_loss, result.epochs.front().train_loss);
}

TEST(Edges, bad_input_is_an_error_before_training) {
  const TaskData data = small_task(50);
  theory::TrainingSpec spec = small_spec(data);
  spec.selection = theory::selection_preset("schedule");
  EXPECT_EQ(error_code([&] { run(spec, data); }), "E502");
  spec = small_spec(data);
  core::Progress silent;
  TrainOptions options;
  options.device = "abacus";
  EXPECT_EQ(error_code([&] { train(spec, data, silent, options); }), "E106");
  EXPECT_EQ(error_code([&] { run(spec, TaskData{}); }), "E104");
}

}  // namespace
}  // namespace eos::sim::testing
