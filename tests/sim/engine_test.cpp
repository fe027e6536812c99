// The training engine against an independent double-precision network, and its ledger against counts made by hand.
#include <gmock/gmock.h>

#include <functional>
#include <numeric>

#include "../../sim/src/replica.hpp"
#include "support.hpp"

namespace eos::sim::testing {
namespace {

using theory::Batching;
using theory::Ledger;

constexpr double k_float_noise = 1e-5;  // relative; ten single-precision updates stay well below it here

struct NamedOptimiser {
  std::string name;
  theory::OptimiserSpec spec;
};
void PrintTo(const NamedOptimiser& o, std::ostream* out) { *out << o.name; }

class DenseTraining : public ::testing::TestWithParam<NamedOptimiser> {};

TEST_P(DenseTraining, follows_an_independent_implementation_in_double_precision) {
  const TaskData data = small_task(120);
  theory::TrainingSpec spec = small_spec(data);
  spec.optimiser = GetParam().spec;
  spec.optimiser.law = theory::RateLaw::linear;
  spec.epochs = 3;
  spec.record_every = 1;
  const TrainResult result = run(spec, data);
  const Network layout(widths_of(spec, data));
  PlainNetwork net(layout.widths, initial_weights(layout, {}, 1));
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

NamedOptimiser optimiser(const char* name, theory::OptimiserKind kind, double rate, double momentum, double decay) {
  theory::OptimiserSpec o;
  o.kind = kind, o.learning_rate = rate, o.momentum = momentum, o.weight_decay = decay;
  return {name, o};
}
INSTANTIATE_TEST_SUITE_P(Optimisers, DenseTraining,
                         ::testing::Values(optimiser("sgd", theory::OptimiserKind::sgd, 0.2, 0, 0),
                                           optimiser("momentum", theory::OptimiserKind::sgd, 0.05, 0.9, 1e-3),
                                           optimiser("adamw", theory::OptimiserKind::adamw, 3e-3, 0, 1e-2)),
                         [](const auto& instance) { return instance.param.name; });

// ---- a replica, step by step
// ------------------------------------------------------------------------------------------

struct Method {
  std::string name;
  std::function<void(theory::TrainingSpec&)> apply;
};
void PrintTo(const Method& m, std::ostream* out) { *out << m.name; }

/// Every weight preset, on line and by mini-batches.
std::vector<Method> weight_methods() {
  std::vector<Method> methods;
  for (const std::string& preset : theory::plasticity_presets()) {
    if (theory::plasticity_preset(preset).growth.on()) continue;  // needs residual branches: growth_test.cpp
    for (int batch : {1, 16}) {
      std::string name = "weights_" + preset + "_batch_" + std::to_string(batch);
      std::replace(name.begin(), name.end(), '-', '_');
      methods.push_back({name, [preset, batch](theory::TrainingSpec& s) {
                           s.plasticity = theory::plasticity_preset(preset);
                           s.prices = theory::builtin_prices("metabolic-cache");
                           s.schedule.edges = {0, 0.4, 1};
                           s.schedule.data_fraction = {1, 1};
                           s.schedule.weight_fraction = {0.3, 0.1};
                           s.batch = batch;
                           if (batch == 1) s.optimiser.learning_rate = 0.02;
                         }});
    }
  }
  return methods;
}

std::vector<Method> all_methods() {
  std::vector<Method> methods{
      {"dense", [](theory::TrainingSpec&) {}},
      {"dbpd",
       [](theory::TrainingSpec& s) {
         s.selection = theory::selection_preset("dbpd");
         s.selection.tau = 0.6;
       }},
      {"dbpd_shrink",
       [](theory::TrainingSpec& s) {
         s.selection = theory::selection_preset("dbpd-shrink");
         s.selection.tau = 0.6;
       }},
      {"shrink_sum",
       [](theory::TrainingSpec& s) {
         s.selection = theory::selection_preset("dbpd-shrink");
         s.selection.batching = Batching::shrink_sum;
         s.selection.minimum_kept = 5;
       }},
      {"dbpd_two_forward",
       [](theory::TrainingSpec& s) {
         s.selection = theory::selection_preset("dbpd-two-forward");
         s.selection.tau = 0.6;
       }},
      {"two_forward_full",
       [](theory::TrainingSpec& s) {
         s.selection = theory::selection_preset("dbpd");
         s.selection.two_forward = true;
         s.selection.start_epochs = 0.6;
       }},
      {"srd",
       [](theory::TrainingSpec& s) {
         s.selection = theory::selection_preset("srd");
         s.selection.law_a = 0.7;
       }},
      {"ranked", [](theory::TrainingSpec& s) { s.selection = theory::selection_preset("ranked"); }},
      {"lazy", [](theory::TrainingSpec& s) { s.selection = theory::selection_preset("lazy"); }},
      {"infobatch", [](theory::TrainingSpec& s) { s.selection = theory::selection_preset("infobatch"); }},
      {"joint",
       [](theory::TrainingSpec& s) {
         s.selection = theory::selection_preset("joint");
         s.selection.start_epochs = 0.3;
       }},
      {"error_feedback",
       [](theory::TrainingSpec& s) {
         s.plasticity = theory::plasticity_preset("error-feedback");
         s.plasticity.theta = 0.01;
       }},
      {"top_k_feedback",
       [](theory::TrainingSpec& s) {
         s.plasticity = theory::plasticity_preset("top-k");
         s.plasticity.accumulate = true;
       }},
      {"random_feedback",
       [](theory::TrainingSpec& s) {
         s.plasticity = theory::plasticity_preset("random");
         s.plasticity.accumulate = true;
       }},
      {"joint_feedback",
       [](theory::TrainingSpec& s) {
         s.selection = theory::selection_preset("joint");
         s.plasticity = theory::plasticity_preset("error-feedback");
         s.optimiser.momentum = 0.5;
       }},
      {"lazy_cache_on_line",
       [](theory::TrainingSpec& s) {
         s.selection = theory::selection_preset("lazy");
         s.plasticity = theory::plasticity_preset("cache+top-k");
         s.batch = 1;
       }},
      {"shrink_cache",
       [](theory::TrainingSpec& s) {
         s.selection = theory::selection_preset("dbpd-shrink");
         s.selection.tau = 0.6;
         s.selection.minimum_kept = 5;
         s.plasticity = theory::plasticity_preset("cache-local-global");
       }},
      {"joint_cache",
       [](theory::TrainingSpec& s) {
         s.selection = theory::selection_preset("joint");
         s.plasticity = theory::plasticity_preset("cache-adaptive");
         s.prices = theory::builtin_prices("metabolic-cache");
         s.optimiser.momentum = 0.5;
       }},
      {"adamw_top_k", [](theory::TrainingSpec& s) {
         s.optimiser.kind = theory::OptimiserKind::adamw;
         s.optimiser.learning_rate = 0.01;
         s.plasticity = theory::plasticity_preset("top-k");
       }}};
  const std::vector<Method> weights = weight_methods();
  methods.insert(methods.end(), weights.begin(), weights.end());
  return methods;
}

class EveryMethod : public ::testing::TestWithParam<Method> {};
INSTANTIATE_TEST_SUITE_P(Methods, EveryMethod, ::testing::ValuesIn(all_methods()),
                         [](const auto& method) { return method.param.name; });

/// The weights whose changes M_0, M_1 and M_2 count: with a cache, the persistent parts.
std::vector<double> stored(Replica& replica) {
  const core::Dataset state = replica.checkpoint();
  return state.numbers(state.has("persistent") ? "persistent" : "weights");
}

/// Adds the counts of a change, layer by layer.
void compare(const std::vector<double>& before, const std::vector<double>& after, const Network& layout,
             std::vector<Ledger>& layers) {
  for (int l = 0; l < layout.layers(); ++l)
    for (auto i = static_cast<std::size_t>(layout.offsets[l]); i < static_cast<std::size_t>(layout.offsets[l + 1]);
         ++i) {
      const double change = after[i] - before[i];
      layers[l].writes += change != 0;
      layers[l].path_length += std::abs(change);
      layers[l].path_squared += change * change;
    }
}

/// Masks, frozen layers and sparse topologies cost less backward; tests/sim/structure_test.cpp says how much.
bool structured(const theory::PlasticitySpec& p) {
  return p.units.rule != theory::UnitRule::all || p.units.path > 0 || p.freeze.law != theory::FreezeLaw::never ||
         p.topology.rule != theory::TopologyRule::dense || p.layer_gate != theory::LayerGate::none;
}

TEST_P(EveryMethod, ledger_equals_counts_made_by_comparing_weights_before_and_after) {
  const TaskData data = small_task(203);
  theory::TrainingSpec spec = small_spec(data);
  GetParam().apply(spec);
  const kernels::Context context = kernels::Context::cpu();
  const RunSetup setup(spec, data, context);
  const bool cached = spec.plasticity.cache.on();
  for (std::uint64_t seed : {5, 6}) {
    Replica replica(setup, context, seed);
    std::vector<double> before = stored(replica);
    std::vector<Ledger> layers(3);
    while (!replica.finished()) {
      replica.advance();  // at most one update
      const std::vector<double> after = stored(replica);
      compare(before, after, setup.layout, layers);
      before = after;
    }
    const ReplicaResult result = replica.result(RunStatus::complete);
    // What is still transient is consolidated at the end.
    compare(before, {result.weights.begin(), result.weights.end()}, setup.layout, layers);
    const Ledger& ledger = result.epochs.back().ledger;
    double writes = 0;
    for (int l = 0; l < 3; ++l) {
      EXPECT_EQ(result.layers[l].writes, layers[l].writes) << "layer " << l;
      EXPECT_NEAR(result.layers[l].path_length, layers[l].path_length, k_float_noise * layers[l].path_length);
      EXPECT_NEAR(result.layers[l].path_squared, layers[l].path_squared, k_float_noise * layers[l].path_squared);
      writes += static_cast<double>(layers[l].writes);
    }
    if (spec.plasticity.rank != theory::RankBy::smallest_update) {  // the smallest changes are zeros
      EXPECT_GT(writes, 0);
    }
    EXPECT_EQ(static_cast<double>(ledger.writes), writes);
    EXPECT_EQ(ledger.samples_offered, 609);
    EXPECT_EQ(ledger.forward_macs, ledger.samples_backward * setup.counts.forward_macs) << "one used forward a sample";
    if (!structured(spec.plasticity)) {
      EXPECT_EQ(ledger.backward_macs, ledger.samples_backward * setup.counts.backward_macs);
      EXPECT_EQ(ledger.weight_reads % setup.counts.parameters, 0);
    }
    EXPECT_EQ(ledger.input_bytes, ledger.samples_seen * data.inputs);
    if (!cached) {
      const int plain = spec.plasticity.threshold_from == theory::ThresholdFrom::energy ? 1 : 0;  // the first update
      EXPECT_EQ(ledger.accumulator_updates,
                spec.plasticity.accumulate ? (ledger.steps - plain) * setup.counts.parameters : 0);
      EXPECT_EQ(ledger.maintenance, 0);
      EXPECT_EQ(ledger.transient_path, 0);
    }
    if (!spec.selection.two_forward) {
      EXPECT_EQ(ledger.forward_macs + ledger.scoring_macs, ledger.samples_seen * setup.counts.forward_macs);
    }
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

}  // namespace
}  // namespace eos::sim::testing
