// Replicas in lockstep against the same runs one by one: the same bits, for any number of replicas and threads.
#include "eos/sim/batch.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "../../sim/src/replica_batch.hpp"
#include "on_cuda.hpp"
#include "support.hpp"

namespace eos::sim::testing {
namespace {

using theory::Batching;
using theory::TrainingSpec;

struct Method {
  std::string name;
  std::function<void(TrainingSpec&)> apply;
};
void PrintTo(const Method& m, std::ostream* out) { *out << m.name; }

Method selecting(const std::string& preset) {
  std::string name = "data_" + preset;
  std::replace(name.begin(), name.end(), '-', '_');
  return {name, [preset](TrainingSpec& s) { s.selection = theory::selection_preset(preset); }};
}

Method writing(const std::string& preset) {
  std::string name = "weights_" + preset;
  std::replace(name.begin(), name.end(), '-', '_');
  return {name, [preset](TrainingSpec& s) {
            s.plasticity = theory::plasticity_preset(preset);
            if (s.plasticity.rule == theory::WriteRule::top_k) s.plasticity.fraction = 0.2;
            if (s.plasticity.rule == theory::WriteRule::threshold && s.plasticity.price == 0) s.plasticity.theta = 0.01;
          }};
}

Method selected(const char* name, theory::Gate gate, Batching batching, int least) {
  return {name, [=](TrainingSpec& s) {
            s.selection.gate = gate, s.selection.batching = batching;
            s.selection.minimum_kept = least;
            s.selection.tau = 0.4, s.selection.tau_law = theory::TauLaw::linear, s.selection.tau_end = 0.7;
            s.selection.fraction = 0.4, s.selection.margin = 0.3;
            s.selection.start_epochs = 0.3, s.selection.revision_epochs = 0.4;
          }};
}

std::vector<Method> methods() {
  using theory::Gate;
  return {
      {"dense", [](TrainingSpec&) {}},
      {"momentum", [](TrainingSpec& s) { s.optimiser.momentum = 0.9, s.optimiser.weight_decay = 1e-3; }},
      {"clipped", [](TrainingSpec& s) { s.optimiser.clip = 0.5; }},
      {"nesterov", [](TrainingSpec& s) { s.optimiser.momentum = 0.8, s.optimiser.nesterov = true; }},
      {"adamw",
       [](TrainingSpec& s) {
         s.optimiser.kind = theory::OptimiserKind::adamw;
         s.optimiser.learning_rate = 3e-3, s.optimiser.weight_decay = 0.01;
       }},
      {"adamw_top_k",
       [](TrainingSpec& s) {
         s.optimiser.kind = theory::OptimiserKind::adamw;
         s.optimiser.learning_rate = 3e-3;
         s.plasticity = theory::plasticity_preset("top-k");
         s.plasticity.fraction = 0.1;
       }},
      {"warm_cosine",
       [](TrainingSpec& s) {
         s.optimiser.law = theory::RateLaw::cosine, s.optimiser.warmup_epochs = 0.7;
         s.data.order = theory::Order::replacement, s.data.centred = true, s.data.input_noise = 0.01;
       }},
      selecting("srd"),
      selecting("srd-floor"),
      selecting("smrd"),
      selecting("power-law"),
      writing("top-k"),
      writing("top-k-matched"),
      writing("threshold"),
      writing("write-price-m0"),
      writing("error-feedback"),
      {"top_k_with_accumulator",
       [](TrainingSpec& s) {
         s.plasticity = theory::plasticity_preset("top-k");
         s.plasticity.fraction = 0.15, s.plasticity.accumulate = true;
         s.optimiser.momentum = 0.5;
       }},
      {"schedule",
       [](TrainingSpec& s) {
         s.schedule.edges = {0, 0.4, 1};
         s.schedule.data_fraction = {0.6, 0.3};
         s.schedule.weight_fraction = {0.3, 0.1};
         s.schedule.learning_rate = {0.2, 0.1};
         s.schedule.data_rule = theory::Rule::random;
         s.optimiser.law = theory::RateLaw::schedule;
         s.selection = theory::selection_preset("schedule");
         s.plasticity = theory::plasticity_preset("schedule-feedback");
       }},
      selected("threshold_mean", Gate::threshold, Batching::shrink_mean, 1),
      selected("threshold_sum_skips", Gate::threshold, Batching::shrink_sum, 9),
      selected("ranked_mean", Gate::ranked, Batching::shrink_mean, 1),
      selected("ranked_sum", Gate::ranked, Batching::shrink_sum, 1),
      selected("errors_mean", Gate::errors, Batching::shrink_mean, 2),
      {"squared_error",
       [](TrainingSpec& s) {
         s.network.loss = theory::Loss::squared, s.network.output = theory::Activation::logistic;
         s.network.output_slope = false;
       }},
  };
}

/// NaN equals NaN.
void expect_same(double a, double b, const char* what) {
  if (std::isnan(a) && std::isnan(b)) return;
  EXPECT_EQ(a, b) << what;
}

/// Everything but wall time.
void expect_equal(const ReplicaResult& a, const ReplicaResult& b) {
  EXPECT_EQ(a.seed, b.seed);
  EXPECT_EQ(a.status, b.status);
  EXPECT_EQ(a.weights, b.weights);
  EXPECT_EQ(a.weights_at, b.weights_at);
  ASSERT_EQ(a.epochs.size(), b.epochs.size());
  for (std::size_t l = 0; l < a.layers.size(); ++l) {
    EXPECT_EQ(a.layers[l].writes, b.layers[l].writes);
    EXPECT_EQ(a.layers[l].path_squared, b.layers[l].path_squared);
    EXPECT_EQ(a.layers[l].accumulator_updates, b.layers[l].accumulator_updates);
    EXPECT_EQ(a.direct[l].path, b.direct[l].path);
  }
  TrainResult left, right;
  left.replicas = {a}, right.replicas = {b};
  left.train_samples = right.train_samples = 1;
  EXPECT_EQ(core::content_sha256(to_dataset(left)), core::content_sha256(to_dataset(right)));
  for (std::size_t i = 0; i < a.epochs.size(); ++i) {
    const EpochRow &x = a.epochs[i], &y = b.epochs[i];
    EXPECT_EQ(x.epoch, y.epoch) << i;
    expect_same(x.train_loss, y.train_loss, "train_loss");
    EXPECT_EQ(x.validation_accuracy, y.validation_accuracy) << i;
    expect_same(x.test_loss, y.test_loss, "test_loss");
    EXPECT_EQ(x.data_fraction, y.data_fraction) << i;
    EXPECT_EQ(x.learning_rate, y.learning_rate) << i;
    EXPECT_EQ(x.ledger.samples_seen, y.ledger.samples_seen) << i;
    EXPECT_EQ(x.ledger.samples_backward, y.ledger.samples_backward) << i;
    EXPECT_EQ(x.ledger.steps, y.ledger.steps) << i;
    EXPECT_EQ(x.ledger.scoring_macs, y.ledger.scoring_macs) << i;
    EXPECT_EQ(x.ledger.weight_reads, y.ledger.weight_reads) << i;
    EXPECT_EQ(x.ledger.writes, y.ledger.writes) << i;
    EXPECT_EQ(x.ledger.path_length, y.ledger.path_length) << i;
    EXPECT_EQ(x.ledger.accumulator_updates, y.ledger.accumulator_updates) << i;
  }
}

std::vector<ReplicaResult> batch(const std::vector<TrainingSpec>& specs, const TaskData& data, int replicas,
                                 int threads = 1) {
  core::Progress silent;
  return train_batched(specs, data, silent, {"cpu", replicas, threads, true});
}

std::vector<ReplicaResult> singles(const std::vector<TrainingSpec>& specs, const TaskData& data) {
  std::vector<ReplicaResult> all;
  for (const TrainingSpec& spec : specs) {
    core::Progress silent;
    TrainOptions options;
    options.keep_weights = true;
    for (ReplicaResult& replica : train(spec, data, silent, options).replicas) all.push_back(std::move(replica));
  }
  return all;
}

class Batched : public ::testing::TestWithParam<Method> {};
INSTANTIATE_TEST_SUITE_P(Methods, Batched, ::testing::ValuesIn(methods()),
                         [](const auto& instance) { return instance.param.name; });

TEST_P(Batched, runs_have_the_bits_of_single_runs) {
  const TaskData data = small_task(203);
  TrainingSpec spec = small_spec(data);
  spec.epochs = 2.6, spec.evaluate_every = 0.5;
  spec.seeds = {3, 1, 8};
  GetParam().apply(spec);
  const std::vector<ReplicaResult> alone = singles({spec}, data);
  for (const int replicas : {1, 2, 3}) {
    const std::vector<ReplicaResult> together = batch({spec}, data, replicas);
    ASSERT_EQ(together.size(), alone.size());
    for (std::size_t r = 0; r < alone.size(); ++r) {
      SCOPED_TRACE("replicas " + std::to_string(replicas) + ", run " + std::to_string(r));
      expect_equal(together[r], alone[r]);
    }
  }
}

// ---- networks of other layers ----------------------------------------------------------------------------------

void expect_bits_of_single_runs(TrainingSpec spec, const TaskData& data) {
  spec.batch = 16, spec.epochs = 2, spec.evaluate_every = 1;
  spec.seeds = {3, 1, 8};
  std::string reason;
  ASSERT_TRUE(batchable(spec, data, &reason)) << reason;
  const std::vector<ReplicaResult> alone = singles({spec}, data);
  for (const int replicas : {1, 2, 3}) {
    const std::vector<ReplicaResult> together = batch({spec}, data, replicas);
    for (std::size_t r = 0; r < alone.size(); ++r) expect_equal(together[r], alone[r]);
  }
}

theory::LayerSpec layer(theory::LayerKind kind, int width = 0, theory::Activation activation = {}) {
  theory::LayerSpec spec;
  spec.kind = kind, spec.width = width, spec.activation = activation;
  return spec;
}

TEST(BatchedNetworks, convolutions_with_batch_norm_and_dropout_have_the_bits_of_single_runs) {
  using theory::Activation;
  using theory::LayerKind;
  TaskData data = small_task(192);
  data.height = 3, data.width = 4, data.channels = 1;
  TrainingSpec spec = small_spec(data);
  spec.optimiser.momentum = 0.9, spec.optimiser.learning_rate = 0.05;
  spec.network = {};
  spec.network.architecture = theory::Architecture::layers;
  spec.network.layers = {layer(LayerKind::conv2d, 6),
                         layer(LayerKind::batch_norm, 0, Activation::relu),
                         layer(LayerKind::dropout),
                         layer(LayerKind::conv2d, 5, Activation::relu),
                         layer(LayerKind::global_average_pool),
                         layer(LayerKind::dense)};
  spec.network.layers[2].rate = 0.3;
  expect_bits_of_single_runs(spec, data);
  std::string reason;
  spec.selection = theory::selection_preset("dbpd-shrink");
  EXPECT_FALSE(batchable(spec, data, &reason));
  EXPECT_THAT(reason, ::testing::HasSubstr("another pass"));
  spec.selection = {};
  spec.batch = 17;
  EXPECT_FALSE(batchable(spec, data, &reason));
  EXPECT_THAT(reason, ::testing::HasSubstr("multiple"));
}

TEST(BatchedNetworks, augmented_images_have_the_bits_of_single_runs) {
  TaskData data = small_task(203);  // the last batch of an epoch reaches into the next one
  data.height = 4, data.width = 3, data.channels = 1;
  TrainingSpec spec = small_spec(data);
  spec.data.name = "mnist";  // images, whatever made them
  spec.data.augment = {0.5, 1, 2};
  spec.data.input_noise = 0.01;
  expect_bits_of_single_runs(spec, data);
  spec.selection = theory::selection_preset("srd");
  expect_bits_of_single_runs(spec, data);
  spec.selection = {};
  selected("ranked", theory::Gate::ranked, Batching::shrink_mean, 1).apply(spec);
  expect_bits_of_single_runs(spec, data);
  const TrainingSpec plain = [&] {
    TrainingSpec without = spec;
    without.data.augment = {};
    return without;
  }();
  EXPECT_NE(batch({spec}, data, 2)[0].weights, batch({plain}, data, 2)[0].weights);
  const std::vector<ReplicaResult> both = batch({spec, plain}, data, 2);
  expect_equal(both[0], batch({spec}, data, 1)[0]);
  expect_equal(both[both.size() / 2], batch({plain}, data, 1)[0]);
}

TEST(BatchedNetworks, language_models_have_the_bits_of_single_runs) {
  theory::DataSpec text;
  text.name = "markov";
  text.train_samples = 96, text.validation_samples = text.test_samples = 16;
  text.sequence = 6;
  text.markov.vocabulary = 11;
  const TaskData data = load_data(text);
  TrainingSpec spec = small_spec(data);
  spec.data = text;
  spec.optimiser.kind = theory::OptimiserKind::adamw, spec.optimiser.learning_rate = 3e-3, spec.optimiser.clip = 1;
  spec.network = {};
  spec.network.architecture = theory::Architecture::gpt;
  spec.network.width = 8, spec.network.depth = 1, spec.network.heads = 2;
  expect_bits_of_single_runs(spec, data);
}

// ---- a queue ---------------------------------------------------------------------------------------------------

/// Seven runs with their own seeds, rates, horizons, fractions and goals.
std::vector<TrainingSpec> queue(const TaskData& data) {
  std::vector<TrainingSpec> specs;
  for (int i = 0; i < 7; ++i) {
    TrainingSpec spec = small_spec(data);
    spec.seeds = {static_cast<std::uint64_t>(10 + i)};
    spec.epochs = 1 + 0.5 * i;
    spec.optimiser.learning_rate = 0.05 * (1 + i);
    spec.optimiser.momentum = 0.1 * (1 + i), spec.optimiser.weight_decay = 1e-4 * i;
    spec.selection.present = theory::Present::random;
    spec.selection.fraction = 0.3 + 0.1 * i;
    spec.plasticity = theory::plasticity_preset("top-k");
    spec.plasticity.fraction = 0.1 + 0.1 * i;
    if (i == 4) spec.goal.accuracy = 0.4;
    if (i == 5) spec.goal.patience = 1;
    specs.push_back(spec);
  }
  specs[2].optimiser.learning_rate = 1e20;  // diverges
  specs[2].plasticity.fraction = 1;
  return specs;
}

TEST(Queue, gives_the_results_of_single_runs_through_any_number_of_slots_and_threads) {
  const TaskData data = small_task(203);
  const std::vector<TrainingSpec> specs = queue(data);
  const std::vector<ReplicaResult> alone = singles(specs, data);
  EXPECT_EQ(alone[2].status, RunStatus::diverged);
  EXPECT_EQ(alone[4].status, RunStatus::goal);
  for (const auto& [replicas, threads] : {std::pair{3, 1}, std::pair{1, 1}, std::pair{7, 1}, std::pair{2, 2}}) {
    const std::vector<ReplicaResult> together = batch(specs, data, replicas, threads);
    for (std::size_t r = 0; r < specs.size(); ++r) {
      SCOPED_TRACE("replicas " + std::to_string(replicas) + ", run " + std::to_string(r));
      expect_equal(together[r], alone[r]);
    }
  }
}

TEST(Queue, trains_specs_of_different_shape_group_by_group) {
  const TaskData data = small_task(203);
  std::vector<TrainingSpec> specs(3, small_spec(data));
  for (TrainingSpec& spec : specs) spec.epochs = 2.6;  // 203 samples, batches of 16: no row is left alone
  specs[0].seeds = {1, 2};
  specs[1].network.hidden = {6};
  specs[2].plasticity = theory::plasticity_preset("error-feedback");
  const std::vector<ReplicaResult> alone = singles(specs, data), together = batch(specs, data, 3);
  ASSERT_EQ(together.size(), 4u);
  for (std::size_t r = 0; r < 4; ++r) expect_equal(together[r], alone[r]);
}

TEST(Queue, single_samples_count_paths_to_rounding) {
  // A run alone writes the outer product of a sample at once and adds up its path in another order.
  const TaskData data = small_task(60);
  TrainingSpec spec = small_spec(data);
  spec.batch = 1, spec.optimiser.learning_rate = 0.02, spec.epochs = 2;
  const ReplicaResult alone = singles({spec}, data)[0], together = batch({spec}, data, 1)[0];
  EXPECT_EQ(together.weights, alone.weights);
  EXPECT_EQ(together.epochs.back().ledger.writes, alone.epochs.back().ledger.writes);
  EXPECT_NEAR(together.epochs.back().ledger.path_length / alone.epochs.back().ledger.path_length, 1, 1e-5);
}

/// Asks to stop after a given number of polls.
class StopAfter : public core::Progress {
 public:
  explicit StopAfter(int polls) : left_(polls) {}
  bool stop_requested() const override { return left_-- <= 0; }

 private:
  mutable int left_;
};

TEST(Queue, a_stop_ends_every_run_with_the_rows_that_it_has) {
  const TaskData data = small_task(203);
  TrainingSpec spec = small_spec(data);
  spec.seeds = {1, 2, 3};
  StopAfter progress(2);
  const std::vector<ReplicaResult> stopped = train_batched({spec}, data, progress, {"cpu", 2, 1, false});
  ASSERT_EQ(stopped.size(), 3u);
  EXPECT_EQ(stopped[0].status, RunStatus::stopped);
  EXPECT_EQ(stopped[0].epochs.size(), 2u);
}

TEST(Batchable, says_what_stands_against_it) {
  const TaskData data = small_task(203);
  const auto reason = [&](const std::function<void(TrainingSpec&)>& change) {
    TrainingSpec spec = small_spec(data);
    change(spec);
    std::string why;
    const bool can = batchable(spec, data, &why);
    EXPECT_EQ(can, why.empty());
    return why;
  };
  using ::testing::HasSubstr;
  EXPECT_EQ(reason([](TrainingSpec&) {}), "");
  EXPECT_THAT(reason([](TrainingSpec& s) { s.selection = theory::selection_preset("dbpd"); }),
              HasSubstr("full batches"));
  EXPECT_THAT(reason([](TrainingSpec& s) { s.selection = theory::selection_preset("infobatch"); }),
              HasSubstr("last losses"));
  EXPECT_THAT(reason([](TrainingSpec& s) { s.selection = theory::selection_preset("adaptive"); }),
              HasSubstr("training accuracy"));
  EXPECT_THAT(reason([](TrainingSpec& s) { s.plasticity = theory::plasticity_preset("random"); }),
              HasSubstr("drawn at random"));
  EXPECT_THAT(reason([](TrainingSpec& s) { s.plasticity = theory::plasticity_preset("cache"); }),
              HasSubstr("transient"));
  EXPECT_THAT(reason([](TrainingSpec& s) { s.optimiser.kind = theory::OptimiserKind::muon; }), HasSubstr("Muon"));
  EXPECT_THAT(reason([](TrainingSpec& s) { s.record_every = 5; }), HasSubstr("recorded"));
  core::Progress silent;
  TrainingSpec spec = small_spec(data);
  spec.record_every = 1;
  EXPECT_EQ(error_code([&] { train_batched({spec}, data, silent); }), "E107");
}

TEST(BatchMemory, predicts_how_many_replicas_fit) {
  const TaskData data = small_task(203);
  const TrainingSpec spec = small_spec(data);
  const Network layout(spec.network, data.shape());
  const BatchForm form(spec, data.train.samples, 1);
  for (const int replicas : {1, 5, 1000}) {
    const std::int64_t free = batch_bytes(form, layout, replicas);
    const int fit = replicas_that_fit(form, layout, free);
    EXPECT_GE(fit, replicas);
    EXPECT_LE(batch_bytes(form, layout, fit), free);
    EXPECT_GT(batch_bytes(form, layout, fit + 1 + fit / 50), free);  // tables are shorter for more replicas: in steps
  }
  EXPECT_EQ(replicas_that_fit(form, layout, 10), 0);
}

// ---- the same on a CUDA device ---------------------------------------------------------------------------------

class BatchesOnCuda : public test::OnCuda {
 protected:
  static std::vector<ReplicaResult> there(const std::vector<TrainingSpec>& specs, const TaskData& data, int replicas) {
    core::Progress silent;
    return train_batched(specs, data, silent, {"cuda:fp32", replicas, 1, true});
  }
};

/// Sums in another order: rounding differs, and forty updates let it grow a little.
void expect_near(const ReplicaResult& a, const ReplicaResult& b) {
  EXPECT_EQ(a.status, b.status);
  ASSERT_EQ(a.epochs.size(), b.epochs.size());
  const EpochRow &x = a.epochs.back(), &y = b.epochs.back();
  EXPECT_EQ(x.ledger.samples_seen, y.ledger.samples_seen);
  EXPECT_EQ(x.ledger.steps, y.ledger.steps);
  EXPECT_EQ(x.ledger.weight_reads, y.ledger.weight_reads);
  EXPECT_NEAR(x.train_loss / y.train_loss, 1, 1e-3);
  EXPECT_NEAR(x.ledger.path_length / y.ledger.path_length, 1, 1e-3);
}

TEST_F(BatchesOnCuda, batches_agree_with_the_cpu_and_repeat_themselves) {
  const TaskData data = small_task(203);
  for (const Method& method : methods()) {
    SCOPED_TRACE(method.name);
    TrainingSpec spec = small_spec(data);
    spec.seeds = {3, 1, 8};
    method.apply(spec);
    const std::vector<ReplicaResult> first = there({spec}, data, 3), again = there({spec}, data, 3);
    for (std::size_t r = 0; r < 3; ++r) expect_equal(first[r], again[r]);
    // A sample near the bar of a gate may fall on the other side, so counts are compared without gates.
    if (spec.selection.gate != theory::Gate::all) continue;
    const std::vector<ReplicaResult> here = batch({spec}, data, 3);
    for (std::size_t r = 0; r < 3; ++r) expect_near(first[r], here[r]);
  }
}

TEST_F(BatchesOnCuda, replayed_steps_have_the_bits_of_calls_one_by_one) {
  const TaskData data = small_task(203);
  for (const Method& method : methods()) {
    SCOPED_TRACE(method.name);
    TrainingSpec spec = small_spec(data);
    method.apply(spec);
    if (spec.selection.gate != theory::Gate::all) continue;  // products of fewer rows are other products there
    core::Progress silent;
    TrainOptions options;
    options.device = "cuda:fp32", options.keep_weights = true;
    const ReplicaResult eager = train(spec, data, silent, options).replicas[0];
    EXPECT_EQ(there({spec}, data, 1)[0].weights, eager.weights);
  }
}

TEST_F(BatchesOnCuda, a_queue_runs_through_slots) {
  const TaskData data = small_task(203);
  std::vector<TrainingSpec> specs = queue(data);
  for (TrainingSpec& spec : specs) spec.goal = {};  // reached or not, by rounding
  const std::vector<ReplicaResult> alone = singles(specs, data), together = there(specs, data, 3);
  for (std::size_t r = 0; r < specs.size(); ++r) {
    if (alone[r].status == RunStatus::diverged)
      EXPECT_EQ(together[r].status, RunStatus::diverged);
    else
      expect_near(together[r], alone[r]);
  }
}

TEST_F(BatchesOnCuda, too_many_replicas_are_refused_with_the_number_that_fits) {
  const TaskData data = small_task(203);
  TrainingSpec spec = small_spec(data);
  spec.network.hidden = {20000, 20000};
  spec.seeds.clear();
  for (std::uint64_t seed = 0; seed < 100000; ++seed) spec.seeds.push_back(seed);
  EXPECT_EQ(error_code([&] { there({spec}, data, 100000); }), "E304");
}

}  // namespace
}  // namespace eos::sim::testing
