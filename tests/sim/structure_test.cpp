// Masks on errors, paths, frozen layers and sparse topologies against plain loops in double precision.
#include <gmock/gmock.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "../../sim/src/replica.hpp"
#include "eos/core/philox.hpp"
#include "needs_cuda.hpp"
#include "structure_oracle.hpp"
#include "support.hpp"

namespace eos::sim::testing {
namespace {

using core::Purpose;
using theory::Ledger;
using theory::UnitRule;
using Flags = std::vector<std::uint8_t>;

// Single precision against double: one update of weights of order one, at a rate of 0.2.
constexpr double k_update_error = 1e-6;

theory::TrainingSpec structured(const TaskData& data, const std::string& method) {
  theory::TrainingSpec spec = small_spec(data);
  spec.plasticity = theory::plasticity_preset(method);
  if (spec.plasticity.units.path > 0) spec.plasticity.units.path = 4;
  spec.plasticity.topology.interval = 3;
  spec.plasticity.topology.density = 0.3, spec.plasticity.topology.learning_density = 0.5;
  spec.optimiser.law = theory::RateLaw::constant;
  spec.epochs = 2;
  return spec;
}

std::vector<float> weights_of(Replica& replica) { return replica.result(RunStatus::complete).weights; }

// ---- masks on errors

/// The set of a rule, told from its published description and the addresses of its draws.
Flags set_of(const theory::UnitSpec& u, int level, int width, int row, std::int64_t step, std::int64_t trained,
             int label, const std::vector<double>& keys) {
  const bool output = level == 3;
  const double p = output ? u.output_fraction : u.fraction;
  Flags flags(static_cast<std::size_t>(width), 1);
  if (output && p == 1) return flags;
  const auto run = static_cast<std::uint32_t>(level);
  const auto drawn = [&](core::Address a, int i) {
    a.index += static_cast<std::uint32_t>(i / 4);
    return core::uniform(core::draw(1, a).v[i % 4]);
  };
  switch (u.rule) {
    case UnitRule::all:
      return flags;
    case UnitRule::random: {
      const auto begin = static_cast<std::uint32_t>(row * ((width + 3) / 4));
      for (int i = 0; i < width; ++i)
        flags[i] = drawn({run, static_cast<std::uint32_t>(step), Purpose::unit_errors, begin}, i) < p;
      return flags;
    }
    case UnitRule::fixed:
    case UnitRule::by_class: {
      const auto set = static_cast<std::uint32_t>(u.rule == UnitRule::by_class ? label : 0);
      return random_subset(width, std::lround(p * width), 1, {run, set, Purpose::unit_choice, 0});
    }
    case UnitRule::alternating: {
      const auto set = static_cast<std::uint32_t>((trained + row) % u.masks);
      for (int i = 0; i < width; ++i) flags[i] = drawn({run, set, Purpose::unit_choice, 0}, i) < p;
      return flags;
    }
    case UnitRule::error:
    case UnitRule::activity:
      break;
  }
  const auto k = output || u.count == 0 ? width - std::lround((1 - p) * (width - 1)) : u.count;
  std::vector<int> order(static_cast<std::size_t>(width));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return u.smallest ? std::abs(keys[a]) < std::abs(keys[b]) : std::abs(keys[a]) > std::abs(keys[b]);
  });
  flags.assign(flags.size(), 0);
  for (int i = 0; i < k; ++i) flags[order[i]] = 1;
  return flags;
}

struct UnitCase {
  std::string name;
  void (*change)(theory::UnitSpec&);
};
void PrintTo(const UnitCase& c, std::ostream* out) { *out << c.name; }

class ErrorMasks : public ::testing::TestWithParam<UnitCase> {};
INSTANTIATE_TEST_SUITE_P(
    Rules, ErrorMasks,
    ::testing::Values(
        UnitCase{"random", [](theory::UnitSpec& u) { u = theory::plasticity_preset("random-neurons").units; }},
        UnitCase{"random_outputs",
                 [](theory::UnitSpec& u) { u.rule = UnitRule::random, u.fraction = u.output_fraction = .5; }},
        UnitCase{"fixed", [](theory::UnitSpec& u) { u = theory::plasticity_preset("fixed-neurons").units; }},
        UnitCase{"by_class", [](theory::UnitSpec& u) { u = theory::plasticity_preset("class-neurons").units; }},
        UnitCase{"alternating",
                 [](theory::UnitSpec& u) { u = theory::plasticity_preset("alternating-neurons").units; }},
        UnitCase{"error", [](theory::UnitSpec& u) { u = theory::plasticity_preset("error-gated").units; }},
        UnitCase{"smallest_error",
                 [](theory::UnitSpec& u) { u.rule = UnitRule::error, u.count = 3, u.smallest = true; }},
        UnitCase{"activity", [](theory::UnitSpec& u) { u = theory::plasticity_preset("activity-gated").units; }},
        UnitCase{"meprop_outputs",
                 [](theory::UnitSpec& u) { u.rule = UnitRule::error, u.count = 2, u.output_fraction = 0.4; }}),
    [](const auto& instance) { return instance.param.name; });

TEST_P(ErrorMasks, change_what_is_learned_and_what_is_passed_on_and_are_charged_for_what_is_left) {
  const TaskData data = small_task(64);
  theory::TrainingSpec spec = structured(data, "all");
  GetParam().change(spec.plasticity.units);
  const theory::UnitSpec& u = spec.plasticity.units;
  const RunSetup setup(spec, data, kernels::Context::cpu());
  Replica replica(setup, kernels::Context::cpu(), 1);
  const bool ranks_errors = u.rule == UnitRule::error;
  std::int64_t macs = 0, trained = 0;
  int step = 0;
  for (const std::vector<int>& batch : dense_batches(1, 64, 16, 2)) {
    const std::vector<float> before = weights_of(replica);
    MaskedNetwork net(setup.layout.widths, before);
    net.needs_all_errors = ranks_errors;
    ++step;
    for (std::size_t r = 0; r < batch.size(); ++r) {
      const int label = data.train.labels[static_cast<std::size_t>(batch[r])];
      net.set_of = [&](int level, const std::vector<double>& errors, const std::vector<double>& activities) {
        return set_of(u, level, setup.layout.widths[level], static_cast<int>(r), step, trained, label,
                      ranks_errors ? errors : activities);
      };
      net.add(data.train, batch[r], 1.0 / 16);
    }
    trained += static_cast<std::int64_t>(batch.size());
    macs += net.macs;
    replica.advance();
    const std::vector<float> after = weights_of(replica);
    for (std::size_t i = 0; i < after.size(); ++i)
      ASSERT_NEAR(after[i], before[i] - 0.2 * net.gradient[i], k_update_error) << "update " << step << ", " << i;
  }
  const Ledger& ledger = replica.result(RunStatus::complete).epochs.back().ledger;
  EXPECT_EQ(ledger.backward_macs, macs);
  EXPECT_LT(macs, ledger.samples_backward * setup.counts.backward_macs);
}

TEST(UnifiedMasks, a_unified_set_is_ranked_by_sums_over_the_batch) {
  const TaskData data = small_task(64);
  theory::TrainingSpec spec = structured(data, "meprop");
  spec.network.hidden = {10};
  spec.plasticity.units.count = 3, spec.plasticity.units.unified = true;
  const RunSetup setup(spec, data, kernels::Context::cpu());
  Replica replica(setup, kernels::Context::cpu(), 1);
  for (const std::vector<int>& batch : dense_batches(1, 64, 16, 2)) {
    const std::vector<float> before = weights_of(replica);
    std::vector<double> sums(10, 0.0);
    MaskedNetwork probe(setup.layout.widths, before), net(setup.layout.widths, before);
    probe.needs_all_errors = net.needs_all_errors = true;
    probe.set_of = [&](int level, const std::vector<double>& errors, const std::vector<double>&) {
      if (level == 1)
        for (int i = 0; i < 10; ++i) sums[i] += std::abs(errors[i]);
      return Flags(errors.size(), 1);
    };
    for (int sample : batch) probe.add(data.train, sample, 1.0 / 16);
    net.set_of = [&](int level, const std::vector<double>& errors, const std::vector<double>&) {
      return level == 1 ? set_of(spec.plasticity.units, 1, 10, 0, 0, 0, 0, sums) : Flags(errors.size(), 1);
    };
    for (int sample : batch) net.add(data.train, sample, 1.0 / 16);
    replica.advance();
    const std::vector<float> after = weights_of(replica);
    for (std::size_t i = 0; i < after.size(); ++i)
      ASSERT_NEAR(after[i], before[i] - 0.2 * net.gradient[i], k_update_error);
  }
}

TEST(RandomSubset, has_the_size_asked_for_and_takes_every_entry_as_often) {
  std::vector<int> hits(10, 0);
  for (std::uint32_t s = 0; s < 2000; ++s) {
    const Flags flags = random_subset(10, 3, 5, {1, s, Purpose::unit_choice, 0});
    EXPECT_EQ(std::count(flags.begin(), flags.end(), 1), 3);
    for (int i = 0; i < 10; ++i) hits[i] += flags[i];
  }
  for (int h : hits) EXPECT_NEAR(h, 600, 5 * std::sqrt(2000 * 0.3 * 0.7));
}

// ---- paths

TEST(Path, only_synapses_between_plastic_units_move_and_errors_pass_everywhere) {
  const TaskData data = small_task(64);
  for (const char* optimiser : {"sgd", "momentum", "adamw"}) {
    theory::TrainingSpec spec = structured(data, "path");
    const bool plain = std::string(optimiser) == "sgd";
    if (!plain) spec.optimiser.weight_decay = 0.1;
    if (std::string(optimiser) == "momentum") spec.optimiser.momentum = 0.9;
    if (std::string(optimiser) == "adamw") spec.optimiser.kind = theory::OptimiserKind::adamw;
    const RunSetup setup(spec, data, kernels::Context::cpu());
    Replica replica(setup, kernels::Context::cpu(), 1);
    std::vector<Flags> units{Flags(12, 1)};
    for (std::uint32_t level = 1; level < 3; ++level)
      units.push_back(random_subset(setup.layout.widths[level], 4, 1, {level, 0, Purpose::unit_choice, 0}));
    units.push_back(Flags(3, 1));
    for (const std::vector<int>& batch : dense_batches(1, 64, 16, 2)) {
      const std::vector<float> before = weights_of(replica);
      PlainNetwork net(setup.layout.widths, before);
      net.loss_and_gradient(data.train, batch, std::vector<double>(16, 1.0), 1.0 / 16);
      replica.advance();
      const std::vector<float> after = weights_of(replica);
      std::size_t at = 0;
      for (std::size_t l = 0; l < 3; ++l) {
        const std::size_t in = units[l].size(), out = units[l + 1].size();
        for (std::size_t i = 0; i <= in; ++i)  // the last row holds the biases
          for (std::size_t o = 0; o < out; ++o, ++at) {
            const bool moves = units[l + 1][o] != 0 && (i == in || units[l][i] != 0);
            if (!moves) {
              EXPECT_EQ(after[at], before[at]) << optimiser << ", layer " << l;
            } else if (plain) {
              EXPECT_NEAR(after[at], before[at] - 0.2 * net.gradient[at], k_update_error);
            } else if (i == 0) {
              EXPECT_NE(after[at], before[at]);  // decay moves it at least
            }
          }
      }
    }
    // 12-10-7-3 with 4 plastic units in both hidden layers: weight gradients 48 + 16 + 12; the errors of all 7 units of
    // the second layer, 21, are needed for those of the 4 plastic units of the first, 28.
    const Ledger& ledger = replica.result(RunStatus::complete).epochs.back().ledger;
    EXPECT_EQ(ledger.backward_macs, ledger.samples_backward * (48 + 16 + 12 + 21 + 28));
  }
}

TEST(Path, joins_top_k_whose_fraction_is_that_of_the_whole_layer) {
  const TaskData data = small_task(160);
  theory::TrainingSpec spec = structured(data, "path+top-k");
  EXPECT_EQ(spec.plasticity.method, "path+top-k");
  spec.plasticity.fraction = 0.2;
  spec.epochs = 1;
  const ReplicaResult result = run(spec, data).replicas[0];
  // Layers of 130, 77, 24 parameters: 26, 15 to 16, 4 to 5 an update, where as many plastic ones change.
  EXPECT_EQ(result.layers[0].writes, 260);
  EXPECT_LE(result.layers[1].writes, 160);
  EXPECT_LE(result.layers[2].writes, 50);
  const RunSetup setup(spec, data, kernels::Context::cpu());
  const std::vector<float> start = initial_weights(setup.layout, spec.network, 1);
  const Flags first = random_subset(10, 4, 1, {1, 0, Purpose::unit_choice, 0});
  for (std::size_t i = 0; i < 130; ++i)
    if (first[i % 10] == 0) {
      EXPECT_EQ(result.weights[i], start[i]);
    }
}

// ---- freezing

TEST(Freeze, frozen_layers_never_move_and_cost_no_backward_pass) {
  const TaskData data = small_task(160);
  for (const char* weights : {"all", "top-k", "random", "error-feedback"}) {
    theory::TrainingSpec spec = structured(data, std::string("freeze+") + weights);
    spec.plasticity.freeze.law = theory::FreezeLaw::shares;
    spec.plasticity.freeze.until = {0.25, 0.5};
    spec.plasticity.theta = 0.003;
    spec.optimiser.momentum = 0.9, spec.optimiser.learning_rate = 0.05, spec.optimiser.weight_decay = 0.01;
    const RunSetup setup(spec, data, kernels::Context::cpu());
    Replica replica(setup, kernels::Context::cpu(), 1);
    for (int step = 0; step < 20; ++step) {
      const std::vector<float> before = weights_of(replica);
      replica.advance();
      const std::vector<float> after = weights_of(replica);
      const std::int64_t frozen = step < 5 ? 0 : step < 10 ? 1 : 2;  // 20 updates; frozen from the share on
      for (int l = 0; l < 3; ++l) {
        const auto begin = static_cast<std::ptrdiff_t>(setup.layout.offsets[l]),
                   end = static_cast<std::ptrdiff_t>(setup.layout.offsets[l + 1]);
        const bool same = std::equal(before.begin() + begin, before.begin() + end, after.begin() + begin);
        // Other rules than `all` may by chance write nothing in a small layer.
        if (l < frozen || spec.plasticity.rule == theory::WriteRule::all) {
          EXPECT_EQ(same, l < frozen) << weights << ", update " << step << ", layer " << l;
        }
      }
    }
    // 12-10-7-3: weight gradients 120, 70, 21; input gradients 70 and 21 of the layers above the first that learns.
    const Ledger& ledger = replica.result(RunStatus::complete).epochs.back().ledger;
    EXPECT_EQ(ledger.backward_macs, 80 * (120 + 140 + 42) + 80 * (70 + 42) + 160 * 21) << weights;
    if (spec.plasticity.accumulate) {
      EXPECT_EQ(ledger.accumulator_updates, 5 * 231 + 5 * (77 + 24) + 10 * 24);
    }
  }
}

TEST(Freeze, random_features_keep_the_first_layer_and_learn_as_the_upper_layers_alone) {
  const TaskData data = small_task(64);
  const theory::TrainingSpec spec = structured(data, "random-features");
  const RunSetup setup(spec, data, kernels::Context::cpu());
  Replica replica(setup, kernels::Context::cpu(), 1);
  for (const std::vector<int>& batch : dense_batches(1, 64, 16, 2)) {
    const std::vector<float> before = weights_of(replica);
    PlainNetwork net(setup.layout.widths, before);
    net.loss_and_gradient(data.train, batch, std::vector<double>(16, 1.0), 1.0 / 16);
    replica.advance();
    const std::vector<float> after = weights_of(replica);
    for (std::size_t i = 0; i < after.size(); ++i)
      EXPECT_NEAR(after[i], before[i] - (i < 130 ? 0 : 0.2 * net.gradient[i]), i < 130 ? 0 : k_update_error);
  }
}

// ---- joining, threads, resuming

TEST(Structure, contradictions_are_refused) {
  const TaskData data = small_task(32);
  for (const char* method : {"meprop+random-neurons", "rigl+set", "path+meprop", "rigl+path", "rigl+error-feedback"}) {
    EXPECT_EQ(error_code([&] { structured(data, method).check(); }), "E107") << method;
  }
  for (const char* method :
       {"path+top-k", "random-features+error-feedback", "meprop+threshold", "freeze+rigl", "freeze+path"})
    EXPECT_EQ(error_code([&] { structured(data, method).check(); }), "") << method;
}

class EveryStructure : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Presets, EveryStructure,
                         ::testing::Values("random-neurons", "class-neurons", "alternating-neurons", "meprop",
                                           "path+top-k", "freeze+error-feedback", "set", "rigl", "freeze+rigl",
                                           "top-kast"));

TEST_P(EveryStructure, does_not_depend_on_threads_or_on_being_interrupted) {
  const TaskData data = small_task(203);
  theory::TrainingSpec spec = structured(data, GetParam());
  spec.selection = theory::selection_preset("dbpd");
  spec.selection.tau = 0.8;
  spec.optimiser.momentum = 0.5;
  spec.seeds = {1, 2, 3};
  const TrainResult one = run(spec, data, 1), two = run(spec, data, 2);
  for (std::size_t r = 0; r < 3; ++r) EXPECT_EQ(one.replicas[r].weights, two.replicas[r].weights);
  const RunSetup setup(spec, data, kernels::Context::cpu());
  Replica whole(setup, kernels::Context::cpu(), 1);
  for (int i = 0; i < 13; ++i) whole.advance();
  const core::Dataset saved = whole.checkpoint();
  Replica resumed(setup, kernels::Context::cpu(), 1);
  resumed.restore(saved);
  while (!whole.finished()) whole.advance();
  while (!resumed.finished()) resumed.advance();
  EXPECT_EQ(weights_of(resumed), weights_of(whole));
  EXPECT_EQ(weights_of(whole), one.replicas[0].weights);
  const Ledger a = whole.result(RunStatus::complete).epochs.back().ledger,
               b = resumed.result(RunStatus::complete).epochs.back().ledger;
  EXPECT_EQ(a.writes, b.writes);
  EXPECT_EQ(a.backward_macs, b.backward_macs);
}

TEST_P(EveryStructure, runs_on_cuda_with_the_counts_of_the_cpu) {
  EOS_NEEDS_CUDA(kernels::cuda_available(), "no CUDA device");
  const TaskData data = small_task(203);
  theory::TrainingSpec spec = structured(data, GetParam());
  core::Progress silent;
  TrainOptions options;
  options.device = "cuda:fp32";
  const Ledger here = run(spec, data).replicas[0].epochs.back().ledger,
               there = train(spec, data, silent, options).replicas[0].epochs.back().ledger;
  EXPECT_EQ(here.backward_macs, there.backward_macs);
  EXPECT_EQ(here.forward_macs, there.forward_macs);
  EXPECT_EQ(here.weight_reads, there.weight_reads);
  // Rankings of nearly equal numbers may differ where sums are taken in another order.
  EXPECT_NEAR(there.path_length / here.path_length, 1, 1e-2);
}

}  // namespace
}  // namespace eos::sim::testing
