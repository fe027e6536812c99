// A run as a whole: the same numbers for any threads, packing, kill and resume; the table that is written.
#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <set>

#include "eos/kernels/context.hpp"
#include "on_cuda.hpp"
#include "support.hpp"

namespace eos::sim::testing {
namespace {

using ::testing::Contains;

/// Asks to stop after a given number of polls.
class StopAfter : public core::Progress {
 public:
  explicit StopAfter(int polls) : left_(polls) {}
  bool stop_requested() const override { return left_.fetch_sub(1) <= 0; }

 private:
  mutable std::atomic<int> left_;
};

theory::TrainingSpec with_methods(const TaskData& data, const std::string& selection, const std::string& weights) {
  theory::TrainingSpec spec = small_spec(data);
  spec.selection = theory::selection_preset(selection);
  spec.plasticity = theory::plasticity_preset(weights);
  spec.record_every = 7;
  spec.evaluate_every = 0.5;
  return spec;
}

std::string hash_of(const TrainResult& result) { return core::content_sha256(to_dataset(result)); }

struct Methods {
  std::string selection, weights;
};
void PrintTo(const Methods& m, std::ostream* out) { *out << m.selection << " " << m.weights; }

class EveryPair : public ::testing::TestWithParam<Methods> {};
INSTANTIATE_TEST_SUITE_P(Methods, EveryPair,
                         ::testing::Values(Methods{"all", "all"}, Methods{"dbpd", "all"},
                                           Methods{"dbpd-two-forward", "top-k"}, Methods{"dbpd-shrink", "random"},
                                           Methods{"smrd", "threshold"}, Methods{"ranked", "error-feedback"},
                                           Methods{"infobatch", "error-feedback"}, Methods{"joint", "error-feedback"},
                                           Methods{"ratio", "top-k"}, Methods{"spaced", "all"}),
                         [](const auto& instance) {
                           std::string name = instance.param.selection + "_" + instance.param.weights;
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

TEST_P(EveryPair, equal_hash_for_any_threads_and_packing) {
  const TaskData data = small_task(203);
  theory::TrainingSpec spec = with_methods(data, GetParam().selection, GetParam().weights);
  spec.seeds = {3, 1, 8};
  const TrainResult packed = run(spec, data, 1), spread = run(spec, data, 2);
  EXPECT_EQ(hash_of(packed), hash_of(spread));
  for (std::size_t r = 0; r < 3; ++r) {
    theory::TrainingSpec alone = spec;
    alone.seeds = {spec.seeds[r]};
    const TrainResult single = run(alone, data, 2);
    EXPECT_EQ(single.replicas[0].weights, packed.replicas[r].weights);
    EXPECT_EQ(single.replicas[0].epochs.back().ledger.path_length, packed.replicas[r].epochs.back().ledger.path_length);
  }
  EXPECT_NE(packed.replicas[0].weights, packed.replicas[1].weights);
}

TEST_P(EveryPair, stopped_at_random_moments_and_resumed_ends_with_the_same_hash) {
  const TaskData data = small_task(203);
  theory::TrainingSpec spec = with_methods(data, GetParam().selection, GetParam().weights);
  spec.optimiser.momentum = 0.5;
  const std::string undisturbed = hash_of(run(spec, data));
  std::mt19937 random(12);
  core::MemorySink sink;
  TrainOptions options;
  options.checkpoints = &sink;
  int stops = 0;
  for (;; ++stops) {
    ASSERT_LT(stops, 500);
    StopAfter progress(static_cast<int>(random() % 6));
    const TrainResult result = train(spec, data, progress, options);
    if (result.replicas[0].status == RunStatus::complete) {
      EXPECT_EQ(hash_of(result), undisturbed);
      break;
    }
    EXPECT_EQ(result.replicas[0].status, RunStatus::stopped);
    EXPECT_EQ(to_dataset(result).text("status"), "partial");
  }
  EXPECT_GT(stops, 3);
  EXPECT_TRUE(sink.stored.empty()) << "a finished run removes its checkpoints";
}

/// Keeps only the first `last` checkpoints and then takes no more, like a machine that dies after the last of them.
class DyingSink : public core::MemorySink {
 public:
  explicit DyingSink(int last) : left_(last) {}
  void write(const std::string& name, const core::Dataset& data) override {
    if (left_-- > 0) core::MemorySink::write(name, data);
  }

 private:
  int left_;
};

TEST(Checkpoint, an_old_one_is_as_good_as_the_last) {
  const TaskData data = small_task(400);
  theory::TrainingSpec spec = with_methods(data, "joint", "error-feedback");
  const std::string undisturbed = hash_of(run(spec, data));
  for (int kept : {1, 2, 5}) {
    DyingSink sink(kept);
    TrainOptions options;
    options.checkpoints = &sink;
    for (int stop = 0; stop < 6; ++stop) {
      const core::MemorySink before = sink;
      StopAfter progress(9);
      train(spec, data, progress, options);
    }
    core::Progress silent;
    EXPECT_EQ(hash_of(train(spec, data, silent, options)), undisturbed) << kept;
  }
}

TEST(Checkpoint, of_several_replicas_resume_together) {
  const TaskData data = small_task(203);
  theory::TrainingSpec spec = with_methods(data, "dbpd", "all");
  spec.seeds = {1, 2, 3};
  const std::string undisturbed = hash_of(run(spec, data));
  core::MemorySink sink;
  TrainOptions options;
  options.checkpoints = &sink;
  options.threads = 2;
  options.checkpoint_name = "cp";
  StopAfter progress(35);  // some replicas are done, others are not: which ones is up to the threads
  const TrainResult partial = train(spec, data, progress, options);
  EXPECT_TRUE(std::any_of(partial.replicas.begin(), partial.replicas.end(),
                          [](const auto& replica) { return replica.status == RunStatus::stopped; }));
  EXPECT_EQ(sink.stored.count("cp-0"), 1u);
  core::Progress silent;
  EXPECT_EQ(hash_of(train(spec, data, silent, options)), undisturbed);
}

TEST(Checkpoint, of_another_run_is_refused) {
  const TaskData data = small_task(203);
  const theory::TrainingSpec spec = with_methods(data, "dbpd", "all");
  core::MemorySink sink;
  TrainOptions options;
  options.checkpoints = &sink;
  StopAfter progress(5);
  train(spec, data, progress, options);
  ASSERT_EQ(sink.stored.size(), 1u);
  core::Progress silent;
  const auto code = [&](auto change) {
    theory::TrainingSpec other = spec;
    change(other);
    return error_code([&] { train(other, data, silent, options); });
  };
  EXPECT_EQ(code([](theory::TrainingSpec& s) { s.optimiser.learning_rate *= 1.0000001; }), "E501");
  EXPECT_EQ(code([](theory::TrainingSpec& s) { s.selection.tau = 0.31; }), "E501");
  EXPECT_EQ(code([](theory::TrainingSpec& s) {
              s.plasticity.accumulate = true;
              s.plasticity.rule = theory::WriteRule::top_k;
            }),
            "E501");
  EXPECT_EQ(code([](theory::TrainingSpec& s) { s.seeds = {2}; }), "E501");
  EXPECT_EQ(code([](theory::TrainingSpec& s) { s.prices.mac *= 2; }), "E501");
  EXPECT_EQ(code([](theory::TrainingSpec& s) { s.epochs = 4; }), "E501");
  TaskData changed = data;
  changed.train.inputs[0] ^= 1;
  EXPECT_EQ(error_code([&] { train(spec, changed, silent, options); }), "E501");
  EXPECT_EQ(code([](theory::TrainingSpec& s) {
              s.title = "renamed";
              s.checkpoint_seconds = 1;
            }),
            "")
      << "title and interval do not matter";
}

TEST(Checkpoint, is_written_as_time_passes) {
  const TaskData data = small_task(203);
  theory::TrainingSpec spec = with_methods(data, "all", "all");
  struct CountingSink : core::MemorySink {
    void write(const std::string& name, const core::Dataset& d) override { ++writes, core::MemorySink::write(name, d); }
    int writes = 0;
  } sink;
  TrainOptions options;
  options.checkpoints = &sink;
  core::Progress silent;
  train(spec, data, silent, options);
  EXPECT_EQ(sink.writes, 0) << "checkpoint_seconds = 0";
  spec.checkpoint_seconds = 1;
  spec.epochs = 4000;
  struct StopLate : core::Progress {
    bool stop_requested() const override { return std::chrono::steady_clock::now() > end; }
    std::chrono::steady_clock::time_point end = std::chrono::steady_clock::now() + std::chrono::milliseconds(2300);
  } late;
  if (train(spec, data, late, options).replicas[0].status == RunStatus::stopped) {
    EXPECT_GE(sink.writes, 2);
  }
}

// ---- the same engine on a CUDA device

class TrainOnCuda : public test::OnCuda {
 protected:
  static TrainResult run_there(const theory::TrainingSpec& spec, const TaskData& data) {
    core::Progress silent;
    TrainOptions options;
    options.device = "cuda:fp32";
    options.threads = 2;
    return train(spec, data, silent, options);
  }
};

TEST_F(TrainOnCuda, dense_training_counts_the_same_and_computes_nearly_the_same) {
  const TaskData data = small_task(203);
  const theory::TrainingSpec spec = with_methods(data, "all", "all");
  const EpochRow here = run(spec, data).replicas[0].epochs.back(),
                 there = run_there(spec, data).replicas[0].epochs.back();
  EXPECT_EQ(here.ledger.samples_seen, there.ledger.samples_seen);
  EXPECT_EQ(here.ledger.steps, there.ledger.steps);
  EXPECT_EQ(here.ledger.weight_reads, there.ledger.weight_reads);
  // Forty updates: sums of other order, so rounding differs and grows a little.
  EXPECT_NEAR(there.train_loss / here.train_loss, 1, 1e-3);
  EXPECT_NEAR(there.ledger.path_length / here.ledger.path_length, 1, 1e-3);
}

TEST_F(TrainOnCuda, every_method_runs_repeats_itself_and_resumes) {
  const TaskData data = small_task(203);
  for (const auto& [selection, weights] :
       {std::pair{"dbpd", "error-feedback"}, std::pair{"joint", "top-k"}, std::pair{"infobatch", "random"},
        std::pair{"dbpd-two-forward", "all"}, std::pair{"ranked", "threshold"}}) {
    theory::TrainingSpec spec = with_methods(data, selection, weights);
    spec.seeds = {1, 2, 3};
    const std::string hash = hash_of(run_there(spec, data));
    EXPECT_EQ(hash_of(run_there(spec, data)), hash) << selection << " " << weights;
    core::MemorySink sink;
    TrainOptions options;
    options.device = "cuda:fp32";
    options.checkpoints = &sink;
    StopAfter progress(40);
    train(spec, data, progress, options);
    core::Progress silent;
    EXPECT_EQ(hash_of(train(spec, data, silent, options)), hash) << selection << " " << weights;
  }
}

// ---- the table
// -----------------------------------------------------------------------------------------------------------

TEST(RunTable, holds_the_promised_variables_along_epoch_and_step) {
  const TaskData data = small_task(203);
  theory::TrainingSpec spec = with_methods(data, "dbpd", "error-feedback");
  spec.selection.tau = 0.8;
  const TrainResult result = run(spec, data);
  const core::Dataset table = to_dataset(result);
  for (const char* name : {"train_loss",      "validation_accuracy", "test_accuracy", "data_fraction",
                           "weight_fraction", "learning_rate",       "samples_seen",  "samples_backward",
                           "writes",          "path_length",         "energy",        "energy_forward",
                           "energy_scoring",  "energy_backward",     "energy_write",  "samples_offered",
                           "steps",           "forward_macs",        "scoring_macs",  "backward_macs",
                           "path_squared",    "accumulator_updates", "maintenance",   "weight_reads",
                           "input_bytes",     "transient_path"}) {
    ASSERT_TRUE(table.has(name)) << name;
    EXPECT_EQ(table.find(name)->dims, std::vector<std::string>{"epoch"}) << name;
    EXPECT_FALSE(table.find(name)->long_name.empty());
  }
  EXPECT_EQ(table.numbers("epoch").back(), 3.0);
  EXPECT_EQ(table.numbers("epoch").size(), 6u);
  for (const char* name :
       {"step_loss", "step_learning_rate", "step_data_fraction", "step_weight_fraction", "step_theta", "step_epoch"})
    EXPECT_EQ(table.find(name)->dims, std::vector<std::string>{"step"}) << name;
  ASSERT_GE(table.numbers("step").size(), 2u);
  EXPECT_EQ(table.numbers("step")[1], 14);
  EXPECT_EQ(table.find("layer_writes")->dims, std::vector<std::string>{"layer"});
  const theory::Ledger& last = result.replicas[0].epochs.back().ledger;
  EXPECT_DOUBLE_EQ(table.number("effective_epochs"), static_cast<double>(last.samples_backward) / 203);
  const theory::NetworkCounts& c = result.counts;
  EXPECT_DOUBLE_EQ(table.number("cost_ratio"),
                   static_cast<double>(last.samples_seen * c.forward_macs + last.samples_backward * c.backward_macs) /
                       static_cast<double>(3 * 203 * (c.forward_macs + c.backward_macs)));
  double layers = 0;
  for (double w : table.numbers("layer_writes")) layers += w;
  EXPECT_EQ(layers, table.numbers("writes").back());
  EXPECT_TRUE(table.groups.at("schedule").has("data_fraction"));
  EXPECT_EQ(table.text("status"), "complete");
}

TEST(RunTable, energy_is_the_priced_ledger_and_the_sum_of_its_terms) {
  const TaskData data = small_task(203);
  const TrainResult result = run(with_methods(data, "dbpd", "error-feedback"), data);
  const core::Dataset table = to_dataset(result);
  const std::vector<double> energy = table.numbers("energy");
  for (std::size_t i = 0; i < energy.size(); ++i) {
    EXPECT_DOUBLE_EQ(energy[i], theory::energy(result.replicas[0].epochs[i].ledger, result.spec.prices).total());
    double sum = 0;
    for (const auto& [term, unused] : theory::terms(theory::Energy{})) sum += table.numbers("energy_" + term)[i];
    EXPECT_NEAR(sum, energy[i], 1e-12 * energy[i]);
  }
}

TEST(RunTable, several_seeds_get_a_replica_dimension_and_missing_rows_are_marked) {
  const TaskData data = small_task(203);
  theory::TrainingSpec spec = with_methods(data, "all", "all");
  spec.seeds = {4, 9};
  TrainResult result = run(spec, data);
  result.replicas[1].epochs.resize(2);
  result.replicas[1].status = RunStatus::diverged;
  const core::Dataset table = to_dataset(result);
  EXPECT_EQ(table.find("train_loss")->dims, (std::vector<std::string>{"replica", "epoch"}));
  EXPECT_EQ(table.numbers("seed"), (std::vector<double>{4, 9}));
  EXPECT_TRUE(std::isnan(table.numbers("train_loss").back()));
  EXPECT_EQ(table.numbers("writes").back(), -1);
  EXPECT_FALSE(std::isnan(table.numbers("train_loss")[7]));
  EXPECT_THAT(table.strings("run_status"), Contains("diverged"));
}

TEST(RunTable, wall_time_is_kept_out_of_the_hash) {
  const TaskData data = small_task(203);
  TrainResult result = run(with_methods(data, "all", "all"), data);
  const std::string hash = hash_of(result);
  for (EpochRow& row : result.replicas[0].epochs) row.seconds += 1;
  result.device = "another";
  EXPECT_EQ(hash_of(result), hash);
  EXPECT_TRUE(to_dataset(result).groups.at("provenance").has("training_seconds"));
  result.replicas[0].epochs[0].train_loss += 1e-9;
  EXPECT_NE(hash_of(result), hash);
}

}  // namespace
}  // namespace eos::sim::testing
