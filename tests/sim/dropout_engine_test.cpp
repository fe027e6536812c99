// Every selection preset in the engine: counts made by hand, threads, kill and resume, exact costs.
#include <gtest/gtest.h>

#include <atomic>
#include <random>

#include "../../sim/src/replica.hpp"
#include "support.hpp"

namespace eos::sim::testing {
namespace {

using theory::Ledger;
using theory::Score;

theory::TrainingSpec preset_spec(const TaskData& data, const std::string& method) {
  theory::TrainingSpec spec = small_spec(data);
  spec.selection = theory::selection_preset(method);
  theory::SelectionSpec& s = spec.selection;
  s.revision_epochs = std::min(s.revision_epochs, 0.5);
  s.proxy_hidden = {5};
  s.shallow_centres = 20;
  s.flatness = 0.02;
  spec.epochs = s.gate == theory::Gate::flat ? 9 : 4;
  spec.schedule.edges = {0, 0.5, 1};
  spec.schedule.data_fraction = {0.8, 0.3};
  spec.schedule.weight_fraction = {1, 1};
  spec.record_every = 7;
  spec.evaluate_every = 0.5;
  spec.optimiser.momentum = 0.5;
  return spec;
}

std::vector<std::string> methods() {
  std::vector<std::string> all = theory::selection_presets();
  for (const char* joined :
       {"dbpd+stale", "selective-backprop+stale", "dbpd-gap+stale", "lazy-margin+proxy", "selective-backprop+proxy",
        "ranked+shallow", "spaced+proxy", "infobatch+dbpd", "adaptive+dbpd", "tau-falling+proxy"})
    all.emplace_back(joined);
  return all;
}

class EveryPreset : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Methods, EveryPreset, ::testing::ValuesIn(methods()), [](const auto& method) {
  std::string name = method.param;
  for (char& c : name) c = c == '-' || c == '+' ? '_' : c;
  return name;
});

struct Change {
  std::int64_t writes = 0;
  double path = 0, squared = 0;
  void add(const std::vector<float>& before, const std::vector<float>& after) {
    for (std::size_t i = 0; i < before.size(); ++i) {
      const double change = static_cast<double>(after[i]) - before[i];
      writes += change != 0, path += std::abs(change), squared += change * change;
    }
  }
};

std::vector<float> proxy_weights(Replica& replica) {
  const core::Dataset state = replica.checkpoint();
  const core::Variable* weights = state.find("proxy_weights");
  return weights == nullptr ? std::vector<float>{} : std::get<std::vector<float>>(weights->values);
}

TEST_P(EveryPreset, ledger_equals_counts_made_by_comparing_all_weights_before_and_after) {
  const TaskData data = small_task(203);
  const theory::TrainingSpec spec = preset_spec(data, GetParam());
  const kernels::Context context = kernels::Context::cpu();
  const RunSetup setup(spec, data, context);
  Replica replica(setup, context, 5);
  std::vector<float> before = replica.result(RunStatus::complete).weights, proxy_before = proxy_weights(replica);
  Change network, proxy;
  while (!replica.finished()) {
    replica.advance();
    std::vector<float> after = replica.result(RunStatus::complete).weights, proxy_after = proxy_weights(replica);
    network.add(before, after), proxy.add(proxy_before, proxy_after);
    before.swap(after), proxy_before.swap(proxy_after);
  }
  const ReplicaResult result = replica.result(RunStatus::complete);
  const Ledger& ledger = result.epochs.back().ledger;
  std::int64_t layer_writes = 0;
  for (const Ledger& layer : result.layers) layer_writes += layer.writes;
  EXPECT_GT(network.writes, 0);
  EXPECT_EQ(layer_writes, network.writes);
  EXPECT_EQ(ledger.writes, network.writes + proxy.writes);
  EXPECT_EQ(proxy.writes > 0, spec.selection.score == Score::proxy);
  // Sums of float changes in another order: 1e-5 is far above their rounding here.
  EXPECT_NEAR(ledger.path_length, network.path + proxy.path, 1e-5 * ledger.path_length);
  EXPECT_NEAR(ledger.path_squared, network.squared + proxy.squared, 1e-5 * ledger.path_squared);
  EXPECT_EQ(ledger.samples_offered, std::llround(203 * spec.epochs));
  EXPECT_EQ(ledger.forward_macs, ledger.samples_backward * setup.counts.forward_macs) << "one used forward a sample";
  const std::int64_t whole = ledger.samples_backward * setup.counts.backward_macs;
  if (spec.selection.row_gate == theory::RowGate::none) {
    EXPECT_EQ(ledger.backward_macs, whole);
  } else {  // tests/sim/row_gate_test.cpp says how much less
    EXPECT_LT(ledger.backward_macs, whole);
  }
  EXPECT_LE(ledger.samples_backward, ledger.samples_seen);
  const bool by_network = spec.selection.score == Score::current || spec.selection.score == Score::stale;
  if (by_network && !spec.selection.two_forward) {
    EXPECT_EQ(ledger.forward_macs + ledger.scoring_macs, ledger.samples_seen * setup.counts.forward_macs);
  }
  if (spec.selection.score != Score::shallow) {
    EXPECT_EQ(ledger.input_bytes, ledger.samples_seen * data.inputs);
  }
}

/// Asks to stop after a given number of polls.
class StopAfter : public core::Progress {
 public:
  explicit StopAfter(int polls) : left_(polls) {}
  bool stop_requested() const override { return left_.fetch_sub(1) <= 0; }

 private:
  mutable std::atomic<int> left_;
};

std::string hash_of(const TrainResult& result) { return core::content_sha256(to_dataset(result)); }

TEST_P(EveryPreset, same_numbers_for_any_threads_and_after_any_interruption) {
  const TaskData data = small_task(203);
  theory::TrainingSpec spec = preset_spec(data, GetParam());
  spec.seeds = {3, 1};
  EXPECT_EQ(hash_of(run(spec, data, 1)), hash_of(run(spec, data, 2)));
  spec.seeds = {3};
  const std::string undisturbed = hash_of(run(spec, data));
  std::mt19937 random(12);
  core::MemorySink sink;
  TrainOptions options;
  options.checkpoints = &sink;
  for (int stops = 0;; ++stops) {
    ASSERT_LT(stops, 500);
    StopAfter progress(1 + static_cast<int>(random() % 6));
    const TrainResult result = train(spec, data, progress, options);
    if (result.replicas[0].status != RunStatus::complete) continue;
    EXPECT_EQ(hash_of(result), undisturbed);
    EXPECT_GT(stops, 0);
    break;
  }
}

// ---- exact costs ----------------------------------------------------------------------------------------------------

struct Costs {
  Ledger ledger;
  theory::NetworkCounts network;
};

Costs cost_of(const theory::TrainingSpec& spec, const TaskData& data) {
  return {run(spec, data).replicas[0].epochs.back().ledger, theory::mlp_counts(widths_of(spec, data))};
}

TEST(DropoutCosts, proxy_scores_everything_and_learns_from_a_quarter_of_its_choices) {
  const TaskData data = small_task(192);
  theory::TrainingSpec spec = small_spec(data);
  spec.selection = theory::selection_preset("proxy");  // the hardest half: chunks of 32 rows give batches of 16
  spec.selection.proxy_hidden = {5};
  spec.epochs = 4;
  const auto [l, c] = cost_of(spec, data);
  const theory::NetworkCounts p = theory::mlp_counts({data.inputs, 5, data.classes});
  EXPECT_EQ(l.samples_seen, 4 * 192);
  EXPECT_EQ(l.samples_backward, 4 * 96);
  EXPECT_EQ(l.steps, 24);
  EXPECT_EQ(l.scoring_macs, 4 * 192 * p.forward_macs + 6 * 16 * p.backward_macs);
  EXPECT_EQ(l.forward_macs, 4 * 96 * c.forward_macs);
  EXPECT_EQ(l.weight_reads, 24 * (p.parameters + 3 * c.parameters) + 6 * 2 * p.parameters);
}

TEST(DropoutCosts, shallow_scores_cost_the_first_layer_and_the_density) {
  const TaskData data = small_task(192);
  theory::TrainingSpec spec = small_spec(data);
  spec.selection = theory::selection_preset("shallow");
  spec.selection.shallow_centres = 20;
  spec.epochs = 4;
  const auto [l, c] = cost_of(spec, data);
  const std::int64_t width = spec.network.hidden[0], first = data.inputs * width;
  EXPECT_EQ(l.samples_seen, 4 * 192);
  EXPECT_EQ(l.samples_backward, 4 * 96);
  EXPECT_EQ(l.scoring_macs, 4 * (96 * first + 192 * 20 * width + 20 * first + 190 * width))
      << "dropped rows, distances, centres, their distances";
  EXPECT_EQ(l.forward_macs, 4 * 96 * c.forward_macs) << "the first layer of survivors is not computed twice";
  const std::int64_t first_parameters = first + width;
  EXPECT_EQ(l.weight_reads, 24 * 3 * c.parameters + 4 * first_parameters)
      << "a chunk reads every layer once; the centres read the first, once an epoch";
  EXPECT_EQ(l.input_bytes, (4 * 192 + 4 * 20) * data.inputs);
}

TEST(DropoutCosts, hidden_samples_cost_one_scoring_forward_a_refresh) {
  const TaskData data = small_task(200);
  theory::TrainingSpec spec = small_spec(data);
  spec.selection = theory::selection_preset("stale");  // the hardest half, refreshed after epochs 3 and 6
  spec.epochs = 7;
  const auto [l, c] = cost_of(spec, data);
  EXPECT_EQ(l.samples_backward, 200 + 6 * 100) << "everything is new in the first epoch";
  EXPECT_EQ(l.scoring_macs, 2 * 100 * c.forward_macs);
  EXPECT_EQ(l.samples_seen, l.samples_backward + 200);
  spec.selection.revision_epochs = 1;  // who trains on everything next needs no refresh
  EXPECT_EQ(cost_of(spec, data).ledger.scoring_macs, 100 * c.forward_macs);
}

TEST(DropoutCosts, kakurenbo_and_early_stopping_cost_a_forward_an_epoch_and_their_effective_epochs) {
  // Run cost / N = E F + EE B, less the forwards of what the last epoch hides.
  const TaskData data = small_task(200);
  theory::TrainingSpec spec = small_spec(data);
  spec.epochs = 10;
  for (const char* method : {"kakurenbo", "ies"}) {
    spec.selection = theory::selection_preset(method);
    spec.selection.flatness = 0.02;
    spec.evaluate_every = 1;
    const auto rows = run(spec, data).replicas[0].epochs;
    const theory::NetworkCounts c = theory::mlp_counts(widths_of(spec, data));
    const std::int64_t last = rows[9].ledger.samples_backward - rows[8].ledger.samples_backward;
    EXPECT_LT(rows[9].ledger.samples_backward, 2000) << method << " hides something";
    // A batch under way at the end of an epoch counts as trained in the next.
    EXPECT_NEAR(static_cast<double>(rows[9].ledger.samples_seen), 1800.0 + static_cast<double>(last), spec.batch);
    EXPECT_EQ(rows[9].ledger.forward_macs + rows[9].ledger.scoring_macs, rows[9].ledger.samples_seen * c.forward_macs);
    EXPECT_EQ(rows[8].ledger.samples_seen, 9 * 200) << "every epoch but the last forwards every sample once";
  }
}

TEST(DropoutCosts, minimum_kept_batches_are_skipped_whoever_scored_them) {
  const TaskData data = small_task(200);
  theory::TrainingSpec spec = small_spec(data);
  for (const char* method : {"selective-backprop", "proxy"}) {
    spec.selection = theory::selection_preset(method);
    spec.selection.fraction = 0.3;  // 4 or 5 of 16
    spec.selection.batching = theory::Batching::shrink_mean;
    spec.selection.minimum_kept = 16;  // unattainable
    const Ledger l = cost_of(spec, data).ledger;
    EXPECT_EQ(l.steps, 0) << method;
    EXPECT_EQ(l.forward_macs, 0) << "what was forwarded for nothing is scoring";
    EXPECT_GT(l.scoring_macs, 0);
  }
}

// ---- behaviour ------------------------------------------------------------------------------------------------------

TEST(DropoutChoices, kakurenbo_trains_at_the_compensated_rate) {
  const TaskData data = small_task(200);
  theory::TrainingSpec spec = small_spec(data);
  spec.selection = theory::selection_preset("kakurenbo");
  spec.optimiser.law = theory::RateLaw::constant;
  spec.epochs = 10;
  const auto rows = run(spec, data).replicas[0].epochs;
  EXPECT_DOUBLE_EQ(rows[1].learning_rate, 0.2 / 0.7);
  EXPECT_NEAR(rows[9].learning_rate, 0.2 / (1 - 0.3 * 0.4), 1e-12);
}

TEST(DropoutChoices, a_shallow_score_with_all_kept_is_dense_training) {
  // Reusing the first layer must not change a bit of the forward pass; fraction 1 keeps every row.
  const TaskData data = small_task(192);
  theory::TrainingSpec spec = small_spec(data);
  const auto dense = run(spec, data).replicas[0].weights;
  for (const char* method : {"shallow", "proxy", "stale", "selective-backprop"}) {
    spec.selection = theory::selection_preset(method);
    spec.selection.fraction = 1;
    spec.selection.chance_power = 0;
    EXPECT_EQ(run(spec, data).replicas[0].weights, dense) << method;
  }
}

TEST(DropoutChoices, contradictions_are_refused) {
  const TaskData data = small_task(50);
  for (const char* method : {"ratio+proxy", "spaced+stale", "dbpd+shallow", "dbpd-two-forward+proxy"}) {
    theory::TrainingSpec spec = small_spec(data);
    spec.selection = theory::selection_preset(method);
    EXPECT_EQ(error_code([&] { spec.check(); }), "E107") << method;
  }
  EXPECT_EQ(error_code([] { theory::selection_preset("stale+proxy"); }), "E107");
  EXPECT_EQ(error_code([] { theory::selection_preset("srd+adaptive"); }), "E107");
}

}  // namespace
}  // namespace eos::sim::testing
