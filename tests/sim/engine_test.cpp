// The training engine against an independent double-precision network, and its ledger against counts made by hand.
#include <gmock/gmock.h>

#include <numeric>

#include "../../sim/src/replica.hpp"
#include "support.hpp"

namespace eos::sim::testing {
namespace {

using theory::Batching;
using theory::Ledger;

constexpr double k_float_noise = 1e-5;  // relative; ten single-precision updates stay well below it here

/// Samples of the updates of a dense run, in order.
std::vector<std::vector<int>> dense_batches(std::uint64_t seed, int samples, int batch, int epochs) {
  std::vector<std::vector<int>> batches(1);
  for (int e = 0; e < epochs; ++e)
    for (std::int32_t s : epoch_order(seed, static_cast<std::uint32_t>(e), samples)) {
      if (static_cast<int>(batches.back().size()) == batch) batches.emplace_back();
      batches.back().push_back(s);
    }
  return batches;
}

class DenseTraining : public ::testing::TestWithParam<theory::OptimiserSpec> {};

TEST_P(DenseTraining, follows_an_independent_implementation_in_double_precision) {
  const TaskData data = small_task(120);
  theory::TrainingSpec spec = small_spec(data);
  spec.optimiser = GetParam();
  spec.optimiser.law = theory::RateLaw::linear;
  spec.epochs = 3;
  spec.record_every = 1;
  const TrainResult result = run(spec, data);
  const MlpLayout layout(widths_of(spec, data));
  PlainNetwork net(layout.widths, initial_weights(layout, 1, 1));
  const auto batches = dense_batches(1, 120, spec.batch, 3);
  ASSERT_EQ(result.replicas[0].steps.size(), batches.size());
  std::vector<double> m(net.w.size(), 0.0), v(net.w.size(), 0.0);
  const theory::OptimiserSpec& o = spec.optimiser;
  for (std::size_t t = 0; t < batches.size(); ++t) {
    const double progress = static_cast<double>(t) * spec.batch / 360.0, eta = o.learning_rate * (1 - progress);
    const std::vector<double> ones(batches[t].size(), 1.0);
    const double loss = net.loss_and_gradient(data.train, batches[t], ones, 1.0 / spec.batch);
    EXPECT_NEAR(result.replicas[0].steps[t].loss / loss, 1, 1e-4) << "step " << t;
    EXPECT_NEAR(result.replicas[0].steps[t].learning_rate, eta, 1e-12);
    for (std::size_t i = 0; i < net.w.size(); ++i) {
      const double g = net.gradient[i];
      if (o.kind == theory::OptimiserKind::sgd) {
        m[i] = o.momentum * m[i] + g + o.weight_decay * net.w[i];
        net.w[i] -= eta * m[i];
      } else {
        const double n = static_cast<double>(t + 1);
        m[i] = o.beta1 * m[i] + (1 - o.beta1) * g;
        v[i] = o.beta2 * v[i] + (1 - o.beta2) * g * g;
        const double mh = m[i] / (1 - std::pow(o.beta1, n)), vh = v[i] / (1 - std::pow(o.beta2, n));
        net.w[i] -= eta * (mh / (std::sqrt(vh) + o.epsilon) + o.weight_decay * net.w[i]);
      }
    }
  }
  for (std::size_t i = 0; i < net.w.size(); ++i)
    EXPECT_NEAR(result.replicas[0].weights[i], net.w[i], 2e-4 * (1 + std::abs(net.w[i])));
}

theory::OptimiserSpec optimiser(theory::OptimiserKind kind, double rate, double momentum, double decay) {
  theory::OptimiserSpec o;
  o.kind = kind, o.learning_rate = rate, o.momentum = momentum, o.weight_decay = decay;
  return o;
}
INSTANTIATE_TEST_SUITE_P(Optimisers, DenseTraining,
                         ::testing::Values(optimiser(theory::OptimiserKind::sgd, 0.2, 0, 0),
                                           optimiser(theory::OptimiserKind::sgd, 0.05, 0.9, 1e-3),
                                           optimiser(theory::OptimiserKind::adamw, 3e-3, 0, 1e-2)));

// ---- a replica, step by step ------------------------------------------------------------------------------------------

struct Method {
  std::string name;
  void (*apply)(theory::TrainingSpec&);
};
void PrintTo(const Method& m, std::ostream* out) { *out << m.name; }

const std::vector<Method>& methods() {
  static const std::vector<Method> k_methods{
      {"dense", [](theory::TrainingSpec&) {}},
      {"dbpd", [](theory::TrainingSpec& s) { s.selection = theory::selection_preset("dbpd"); s.selection.tau = 0.6; }},
      {"dbpd_shrink", [](theory::TrainingSpec& s) { s.selection = theory::selection_preset("dbpd-shrink"); s.selection.tau = 0.6; }},
      {"shrink_sum", [](theory::TrainingSpec& s) { s.selection = theory::selection_preset("dbpd-shrink"); s.selection.batching = Batching::shrink_sum; s.selection.minimum_kept = 5; }},
      {"dbpd_two_forward", [](theory::TrainingSpec& s) { s.selection = theory::selection_preset("dbpd-two-forward"); s.selection.tau = 0.6; }},
      {"two_forward_full", [](theory::TrainingSpec& s) { s.selection = theory::selection_preset("dbpd"); s.selection.two_forward = true; s.selection.start_epochs = 0.6; }},
      {"srd", [](theory::TrainingSpec& s) { s.selection = theory::selection_preset("srd"); s.selection.law_a = 0.7; }},
      {"ranked", [](theory::TrainingSpec& s) { s.selection = theory::selection_preset("ranked"); }},
      {"lazy", [](theory::TrainingSpec& s) { s.selection = theory::selection_preset("lazy"); }},
      {"infobatch", [](theory::TrainingSpec& s) { s.selection = theory::selection_preset("infobatch"); }},
      {"joint", [](theory::TrainingSpec& s) { s.selection = theory::selection_preset("joint"); s.selection.start_epochs = 0.3; }},
      {"top_k", [](theory::TrainingSpec& s) { s.plasticity = theory::plasticity_preset("top-k"); }},
      {"threshold", [](theory::TrainingSpec& s) { s.plasticity = theory::plasticity_preset("threshold"); }},
      {"random", [](theory::TrainingSpec& s) { s.plasticity = theory::plasticity_preset("random"); }},
      {"error_feedback", [](theory::TrainingSpec& s) { s.plasticity = theory::plasticity_preset("error-feedback"); s.plasticity.theta = 0.01; }},
      {"top_k_feedback", [](theory::TrainingSpec& s) { s.plasticity = theory::plasticity_preset("top-k"); s.plasticity.accumulate = true; }},
      {"random_feedback", [](theory::TrainingSpec& s) { s.plasticity = theory::plasticity_preset("random"); s.plasticity.accumulate = true; }},
      {"joint_feedback", [](theory::TrainingSpec& s) { s.selection = theory::selection_preset("joint"); s.plasticity = theory::plasticity_preset("error-feedback"); s.optimiser.momentum = 0.5; }},
      {"adamw_top_k", [](theory::TrainingSpec& s) { s.optimiser.kind = theory::OptimiserKind::adamw; s.optimiser.learning_rate = 0.01; s.plasticity = theory::plasticity_preset("top-k"); }}};
  return k_methods;
}

class EveryMethod : public ::testing::TestWithParam<Method> {};
INSTANTIATE_TEST_SUITE_P(Methods, EveryMethod, ::testing::ValuesIn(methods()),
                         [](const auto& method) { return method.param.name; });

TEST_P(EveryMethod, ledger_equals_counts_made_by_comparing_weights_before_and_after) {
  const TaskData data = small_task(203);
  theory::TrainingSpec spec = small_spec(data);
  GetParam().apply(spec);
  const kernels::Context context = kernels::Context::cpu();
  const RunSetup setup(spec, data, context);
  Replica replica(setup, context, 5);
  std::vector<float> before = replica.result(RunStatus::complete).weights;
  std::vector<Ledger> layers(3);
  while (!replica.finished()) {
    replica.advance();  // at most one update
    const std::vector<float> after = replica.result(RunStatus::complete).weights;
    for (int l = 0; l < 3; ++l)
      for (auto i = static_cast<std::size_t>(setup.layout.offsets[l]); i < static_cast<std::size_t>(setup.layout.offsets[l + 1]); ++i) {
        const double change = static_cast<double>(after[i]) - before[i];
        layers[l].writes += change != 0;
        layers[l].path_length += std::abs(change);
        layers[l].path_squared += change * change;
      }
    before = after;
  }
  const ReplicaResult result = replica.result(RunStatus::complete);
  const Ledger& ledger = result.epochs.back().ledger;
  double writes = 0;
  for (int l = 0; l < 3; ++l) {
    EXPECT_EQ(result.layers[l].writes, layers[l].writes) << "layer " << l;
    EXPECT_NEAR(result.layers[l].path_length, layers[l].path_length, k_float_noise * layers[l].path_length);
    EXPECT_NEAR(result.layers[l].path_squared, layers[l].path_squared, k_float_noise * layers[l].path_squared);
    writes += static_cast<double>(layers[l].writes);
  }
  EXPECT_GT(writes, 0);
  EXPECT_EQ(static_cast<double>(ledger.writes), writes);
  EXPECT_EQ(ledger.samples_offered, 609);
  EXPECT_EQ(ledger.forward_macs, ledger.samples_backward * setup.counts.forward_macs) << "one used forward a sample";
  EXPECT_EQ(ledger.backward_macs, ledger.samples_backward * setup.counts.backward_macs);
  EXPECT_EQ(ledger.input_bytes, ledger.samples_seen * data.inputs);
  const bool feedback = spec.plasticity.accumulate;
  EXPECT_EQ(ledger.accumulator_updates, feedback ? ledger.steps * setup.counts.parameters : 0);
  EXPECT_EQ(ledger.maintenance, 0);
  EXPECT_EQ(ledger.weight_reads % setup.counts.parameters, 0);
  if (!spec.selection.two_forward) {
    EXPECT_EQ(ledger.forward_macs + ledger.scoring_macs, ledger.samples_seen * setup.counts.forward_macs);
  }
}

Ledger last_ledger(const theory::TrainingSpec& spec, const TaskData& data) {
  return run(spec, data).replicas[0].epochs.back().ledger;
}

TEST(LedgerByHand, dense) {
  const TaskData data = small_task(100);  // 12 inputs, 3 classes
  theory::TrainingSpec spec = small_spec(data);
  spec.network.hidden = {4};
  spec.batch = 8;
  spec.epochs = 2;
  const Ledger l = last_ledger(spec, data);
  // 12-4-3: forward 48 + 12 = 60 MACs, backward 48 + 2 x 12 = 72, parameters 52 + 15 = 67; 200 samples, 25 updates.
  EXPECT_EQ(l.samples_offered, 200);
  EXPECT_EQ(l.samples_seen, 200);
  EXPECT_EQ(l.samples_backward, 200);
  EXPECT_EQ(l.steps, 25);
  EXPECT_EQ(l.forward_macs, 12000);
  EXPECT_EQ(l.scoring_macs, 0);
  EXPECT_EQ(l.backward_macs, 14400);
  EXPECT_EQ(l.input_bytes, 2400);
  // 100 = 12 x 8 + 4: one batch is forwarded in two chunks, at the epoch boundary.
  EXPECT_EQ(l.weight_reads, (26 + 2 * 25) * 67);
  EXPECT_LE(l.writes, 25 * 67);
}

TEST(LedgerByHand, published_two_forward_dropout_costs_scoring_and_three_units_per_effective_epoch) {
  // Run cost / (N F) = (E - r) + EE (1 + b) with b = backward / forward (2 in the papers' accounting).
  const TaskData data = small_task(200);
  theory::TrainingSpec spec = small_spec(data);
  spec.selection = theory::selection_preset("dbpd-two-forward");
  spec.selection.tau = 0.4;
  spec.epochs = 5;
  const Ledger l = last_ledger(spec, data);
  const theory::NetworkCounts c = theory::mlp_counts(widths_of(spec, data));
  EXPECT_EQ(l.samples_seen, 1000);
  EXPECT_LT(l.samples_backward, 900);
  EXPECT_EQ(l.scoring_macs, 4 * 200 * c.forward_macs) << "the last epoch is a revision without scoring";
  EXPECT_EQ(l.forward_macs, l.samples_backward * c.forward_macs);
  EXPECT_EQ(l.backward_macs, l.samples_backward * c.backward_macs);
}

TEST(LedgerByHand, masked_single_forward_costs_one_forward_an_epoch_and_two_units_per_effective_epoch) {
  // Run cost / (N F) = E + EE b.
  const TaskData data = small_task(200);
  theory::TrainingSpec spec = small_spec(data);
  spec.selection = theory::selection_preset("dbpd-shrink");
  spec.selection.tau = 0.4;
  spec.epochs = 5;
  const Ledger l = last_ledger(spec, data);
  const theory::NetworkCounts c = theory::mlp_counts(widths_of(spec, data));
  EXPECT_EQ(l.forward_macs + l.scoring_macs, 5 * 200 * c.forward_macs);
  EXPECT_EQ(l.backward_macs, l.samples_backward * c.backward_macs);
  EXPECT_LT(l.samples_backward, 900);
  // Full batches: the same, plus one forward for every sample that did not fit and was presented again.
  spec.selection.batching = Batching::full;
  const Ledger full = last_ledger(spec, data);
  EXPECT_EQ(full.forward_macs + full.scoring_macs, full.samples_seen * c.forward_macs);
  EXPECT_GE(full.samples_seen, 1000);
  EXPECT_LT(full.samples_seen, 1300);
  EXPECT_EQ(full.backward_macs, full.samples_backward * c.backward_macs);
}

TEST(LedgerByHand, random_subsets_on_a_stored_schedule_cost_their_effective_epochs_alone) {
  // Run cost / (N F) = EE (1 + b): nothing is scored.
  const TaskData data = small_task(200);
  theory::TrainingSpec spec = small_spec(data);
  spec.selection = theory::selection_preset("smrd");
  spec.selection.fraction_source = theory::FractionSource::stored;
  spec.selection.stored = {0.9, 0.5, 0.25, 0.25};
  spec.epochs = 5;  // the fifth epoch is the revision
  const Ledger l = last_ledger(spec, data);
  const theory::NetworkCounts c = theory::mlp_counts(widths_of(spec, data));
  EXPECT_EQ(l.samples_backward, 180 + 100 + 50 + 50 + 200);
  EXPECT_EQ(l.samples_seen, l.samples_backward);
  EXPECT_EQ(l.scoring_macs, 0);
  EXPECT_EQ(l.forward_macs, l.samples_backward * c.forward_macs);
  EXPECT_EQ(l.backward_macs, l.samples_backward * c.backward_macs);
}

// ---- arithmetic of the policies ----------------------------------------------------------------------------------------

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
    const MlpLayout layout(widths_of(spec, data));
    PlainNetwork net(layout.widths, initial_weights(layout, 1, 1));
    std::vector<int> kept;
    for (int s = 0; s < 32; ++s)
      if (net.probabilities(data.train, s)[static_cast<std::size_t>(data.train.labels[static_cast<std::size_t>(s)])] < 0.4)
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
    const double p = net.probabilities(data.train, s)[static_cast<std::size_t>(data.train.labels[static_cast<std::size_t>(s)])];
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
  Stream stream(setup.selection, setup.open_loop, 1);
  std::vector<Row> rows;
  stream.take(64, RunningMeans{}, rows);
  PlainNetwork net(setup.layout.widths, initial_weights(setup.layout, 1, 1));
  for (int s = 0; s < 64; ++s)
    stream.remember(s, static_cast<float>(-std::log(net.probabilities(data.train, s)[static_cast<std::size_t>(data.train.labels[static_cast<std::size_t>(s)])])), 0);
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
  for (std::size_t i = 0; i < second.w.size(); ++i)
    EXPECT_NEAR(last[i], second.w[i] - 0.2 * second.gradient[i], 2e-6);
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
  for (const StepRow& row : result.steps)
    EXPECT_NEAR(row.theta, theta0 * std::sqrt(row.learning_rate / 0.2), 1e-12);
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

// ---- edges -------------------------------------------------------------------------------------------------------------

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
  const MlpLayout layout(widths_of(spec, data));
  EXPECT_EQ(result.weights, initial_weights(layout, 1, 1)) << "neither momentum nor decay moved a weight";
}

TEST(Edges, the_last_incomplete_batch_is_trained_with_the_nominal_weight) {
  const TaskData data = small_task(20);
  theory::TrainingSpec spec = small_spec(data);
  spec.batch = 64;  // larger than the data set
  spec.epochs = 1;
  const ReplicaResult result = run(spec, data).replicas[0];
  EXPECT_EQ(result.epochs.back().ledger.steps, 1);
  const MlpLayout layout(widths_of(spec, data));
  PlainNetwork net(layout.widths, initial_weights(layout, 1, 1));
  std::vector<int> all(20);
  std::iota(all.begin(), all.end(), 0);
  net.loss_and_gradient(data.train, all, std::vector<double>(20, 1.0), 1.0 / 64);
  for (std::size_t i = 0; i < net.w.size(); ++i)
    EXPECT_NEAR(result.weights[i], net.w[i] - 0.2 * net.gradient[i], 1e-6);
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
