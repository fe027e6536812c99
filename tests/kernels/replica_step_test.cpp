#include "eos/kernels/replica_step.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "kernel_test.hpp"

namespace eos::kernels {
namespace {

using test::OnCuda;
using ::testing::ElementsAre;

constexpr int k_replicas = 3, k_rows = 300, k_steps = 4, k_segments = 2,
              k_samples = 50;  // rows beyond one thread block
const std::vector<std::int64_t> k_offsets = {0, 100, 1010};

/// Tables, scores and what two steps make of them, on one context.
struct Bench {
  StepShape shape{k_replicas, k_rows, k_steps, k_segments, 1};
  std::vector<StepControls> controls{k_replicas * k_steps};
  std::vector<std::int32_t> samples, labels;
  std::vector<std::uint8_t> certain, correct;
  std::vector<std::uint32_t> views;
  std::vector<double> fractions;
  std::vector<ReplicaConstants> constants{k_replicas};
  std::vector<float> loss, p_true, difficulty;
  std::vector<ReplicaState> states{k_replicas};

  Bench() {
    const std::size_t rows = k_replicas * k_rows, all = rows * k_steps;
    samples = test::labels(all, k_samples, 1);
    labels = test::labels(k_samples, 10, 2);
    for (std::size_t i = 0; i < all; ++i) views.push_back(static_cast<std::uint32_t>(7 + 3 * i));
    for (const std::int32_t draw : test::labels(all, 10, 3)) certain.push_back(draw == 0 ? 1 : 0);
    for (const std::int32_t draw : test::labels(rows, 4, 4)) correct.push_back(draw != 0 ? 1 : 0);
    loss = test::normals(rows, 5), p_true = test::normals(rows, 6), difficulty = test::normals(rows, 7);
    for (float& value : difficulty) value = static_cast<float>(static_cast<int>(8 * value)) / 8;  // ties
    fractions.assign(k_replicas * k_steps * k_segments, 0.25);
    for (std::size_t i = 0; i < controls.size(); ++i) {
      StepControls& c = controls[i];
      c.rows = k_rows - 7 * static_cast<int>(i % 5), c.keep = 40 + static_cast<int>(i), c.trains = 1;
      c.tau = 0.5, c.learning_rate = 0.1f * static_cast<float>(i), c.theta = 0.01f;
    }
    controls[1].trains = 0, controls[k_steps].rows = 0;
    for (int r = 0; r < k_replicas; ++r)
      constants[r].seed = 100 + static_cast<std::uint64_t>(r), constants[r].momentum = 0.9f;
  }
};

struct Found {
  std::vector<std::int32_t> samples, labels, trained;
  std::vector<float> weights, losses;
  std::vector<ReplicaState> states;
  std::vector<ReplicaRule> rules;
  std::vector<std::int64_t> ranks;
  std::vector<std::uint32_t> views;
};

Found run(const Context& context, const Bench& b, StepDecision decision, int steps) {
  const Buffer<StepControls> controls(context, b.controls);
  const Buffer<std::int32_t> table(context, b.samples), labels_of(context, b.labels);
  const Buffer<std::uint8_t> certain(context, b.certain), correct(context, b.correct);
  const Buffer<std::uint32_t> view_table(context, b.views);
  const Buffer<double> fractions(context, b.fractions);
  const Buffer<ReplicaConstants> constants(context, b.constants);
  const Buffer<float> loss(context, b.loss), p_true(context, b.p_true), difficulty(context, b.difficulty);
  const std::size_t rows = k_replicas * k_rows;
  Buffer<std::int32_t> samples(context, rows), labels(context, rows), trained(context, k_replicas * k_steps);
  Buffer<float> weights(context, rows), losses(context, rows * k_steps);
  Buffer<DropoutDraw> draws(context, k_replicas);
  Buffer<std::uint32_t> views(context, rows);
  Buffer<ReplicaState> states(context, b.states);
  Buffer<ReplicaRule> rules(context, std::vector<ReplicaRule>(k_replicas));
  Buffer<std::int64_t> ranks(context, k_replicas * k_segments);
  const StepTables tables{controls.data(),  table.data(),     certain.data(),   fractions.data(),
                          labels_of.data(), constants.data(), view_table.data()};
  const StepRows out{samples.data(), labels.data(), weights.data(), draws.data(), views.data()};
  for (int s = 0; s < steps; ++s) {
    begin_step(context, b.shape, tables, decision.gate, states.data(), out);
    decide_step(context, b.shape, tables, {k_segments, k_offsets.data()}, decision,
                {loss.data(), p_true.data(), difficulty.data(), correct.data()}, out,
                {states.data(), rules.data(), ranks.data(), losses.data(), trained.data()});
  }
  return {samples.get(), labels.get(), trained.get(), weights.get(), losses.get(),
          states.get(),  rules.get(),  ranks.get(),   views.get()};
}

TEST(ReplicaStep, takes_rows_and_rules_from_the_tables_of_its_step) {
  const Bench b;
  const Found f = run(Context::cpu(), b, {StepGate::all, 1}, 1);
  for (int r = 0; r < k_replicas; ++r) {
    const StepControls& c = b.controls[static_cast<std::size_t>(r * k_steps)];
    for (int i = 0; i < k_rows; ++i) {
      const auto at = static_cast<std::size_t>(r * k_rows + i);
      const std::int32_t sample = i < c.rows ? b.samples[static_cast<std::size_t>(r * k_steps * k_rows + i)] : 0;
      EXPECT_EQ(f.samples[at], sample);
      EXPECT_EQ(f.labels[at], b.labels[static_cast<std::size_t>(sample)]);
      EXPECT_EQ(f.views[at], i < c.rows ? b.views[static_cast<std::size_t>(r * k_steps * k_rows + i)] : 0);
    }
    EXPECT_EQ(f.states[r].step, 1);
    EXPECT_EQ(f.rules[r].writes, r == 1 ? 0 : 1);  // its first step has no rows
    EXPECT_EQ(f.states[r].updates, r == 1 ? 0 : 1);
    EXPECT_EQ(f.rules[r].learning_rate, c.learning_rate);
    EXPECT_EQ(f.rules[r].momentum, 0.9f);
    for (int l = 0; l < k_segments; ++l) {
      const double u =
          core::uniform(b.constants[r].seed, {1, 1, core::Purpose::weight_mask, static_cast<std::uint32_t>(l)});
      const double size = static_cast<double>(k_offsets[l + 1] - k_offsets[l]);
      EXPECT_EQ(f.ranks[r * k_segments + l], r == 1 ? 0 : static_cast<std::int64_t>(0.25 * size + u));
    }
  }
}

TEST(ReplicaStep, rests_where_it_only_scores) {
  const Found f = run(Context::cpu(), Bench(), {StepGate::all, 1}, 2);
  EXPECT_EQ(f.rules[0].writes, 0);
  EXPECT_EQ(f.states[0].updates, 1);
  EXPECT_EQ(f.trained[1], 0);
  EXPECT_EQ(f.losses[k_rows], Bench().loss[0]);  // the losses are there all the same
}

TEST(ReplicaStep, keeps_the_hardest_rows_with_ties_to_the_earlier) {
  const Bench b;
  const Found f = run(Context::cpu(), b, {StepGate::ranked, 1}, 1);
  const StepControls& c = b.controls[2 * k_steps];
  const std::size_t first = 2 * k_rows, table = 2 * k_steps * k_rows;
  std::vector<std::size_t> order;
  std::vector<bool> keep(k_rows, false);
  for (std::size_t i = 0; i < static_cast<std::size_t>(c.rows); ++i)
    b.certain[table + i] != 0 ? keep[i] = true : (order.push_back(i), false);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t x, std::size_t y) { return b.difficulty[first + x] > b.difficulty[first + y]; });
  for (int i = 0; i < c.keep; ++i) keep[order[static_cast<std::size_t>(i)]] = true;
  const auto kept = std::count(keep.begin(), keep.end(), true);
  EXPECT_EQ(f.trained[2 * k_steps], kept);
  for (std::size_t i = 0; i < k_rows; ++i)
    EXPECT_EQ(f.weights[first + i], keep[i] ? 1.0f / static_cast<float>(kept) : 0.0f) << i;
}

TEST(ReplicaStep, judges_rows_by_probability_and_correctness) {
  Bench b;
  for (StepControls& c : b.controls) c.scale = 0.125f;
  for (const StepGate gate : {StepGate::threshold, StepGate::errors})
    for (const double tau : {0.5, 0.0}) {
      for (StepControls& c : b.controls) c.tau = tau;
      const Found f = run(Context::cpu(), b, {gate, 1}, 1);
      for (std::size_t i = 0; i < static_cast<std::size_t>(b.controls[0].rows); ++i) {
        const bool wrong = b.correct[i] == 0, low = static_cast<double>(b.p_true[i]) < tau;
        const bool keep = b.certain[i] != 0 || (gate == StepGate::errors ? wrong || low : tau == 0 ? wrong : low);
        EXPECT_EQ(f.weights[i], keep ? 0.125f : 0.0f) << i;
      }
    }
}

TEST(ReplicaStep, rests_when_too_few_rows_are_kept) {
  const Found all = run(Context::cpu(), Bench(), {StepGate::threshold, 1}, 1);
  const int kept = all.trained[0];
  EXPECT_EQ(run(Context::cpu(), Bench(), {StepGate::threshold, kept}, 1).rules[0].writes, 1);
  const Found few = run(Context::cpu(), Bench(), {StepGate::threshold, kept + 1}, 1);
  EXPECT_EQ(few.rules[0].writes, 0);
  EXPECT_EQ(few.trained[0], 0);
  EXPECT_EQ(few.ranks[0], 0);
}

TEST(ReplicaStep, stops_for_good_at_a_loss_that_is_no_number) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), k_diverged_loss}) {
    Bench b;
    b.loss[2 * k_rows + 250] = bad;
    const Found f = run(Context::cpu(), b, {StepGate::all, 1}, 2);
    EXPECT_EQ(f.states[2].diverged, 1);
    EXPECT_EQ(f.states[2].updates, 0);
    EXPECT_THAT(std::vector<std::int32_t>(f.trained.begin() + 2 * k_steps, f.trained.begin() + 2 * k_steps + 2),
                ElementsAre(0, -1));
    EXPECT_EQ(f.states[0].diverged, 0);
  }
}

TEST(ReplicaStep, gives_every_token_of_a_row_its_label_and_weight) {
  Bench b;
  b.shape.labels = 3, b.shape.rows = k_rows / 3;
  for (StepControls& c : b.controls) c.rows = 20, c.scale = 0.5f;
  for (std::int32_t& sample : b.samples) sample %= k_samples / 3;
  const Found f = run(Context::cpu(), b, {StepGate::all, 1}, 1);
  for (std::size_t j = 0; j < static_cast<std::size_t>(b.shape.rows) * 3; ++j) {
    const std::size_t i = j / 3;
    const std::int32_t sample = i < 20 ? b.samples[i] : 0;
    EXPECT_EQ(f.labels[j], b.labels[static_cast<std::size_t>(sample) * 3 + j % 3]);
    EXPECT_EQ(f.weights[j], i < 20 ? 0.5f : 0.0f);
  }
}

TEST_F(OnCuda, steps_decide_as_on_the_cpu) {
  for (const StepGate gate : {StepGate::all, StepGate::threshold, StepGate::errors, StepGate::ranked})
    for (const int steps : {1, 2, 4}) {
      Bench b;
      b.loss[k_rows + 290] = std::numeric_limits<float>::infinity();
      const Found here = run(Context::cpu(), b, {gate, 30}, steps), there = run(Context::cuda(), b, {gate, 30}, steps);
      EXPECT_EQ(here.samples, there.samples);
      EXPECT_EQ(here.labels, there.labels);
      EXPECT_EQ(here.weights, there.weights);
      EXPECT_EQ(here.losses, there.losses);
      EXPECT_EQ(here.trained, there.trained);
      EXPECT_EQ(here.ranks, there.ranks);
      for (int r = 0; r < k_replicas; ++r) {
        EXPECT_EQ(here.states[r].updates, there.states[r].updates);
        EXPECT_EQ(here.states[r].step, there.states[r].step);
        EXPECT_EQ(here.states[r].diverged, there.states[r].diverged);
        EXPECT_EQ(here.rules[r].writes, there.rules[r].writes);
        EXPECT_EQ(here.rules[r].learning_rate, there.rules[r].learning_rate);
      }
    }
}

}  // namespace
}  // namespace eos::kernels
