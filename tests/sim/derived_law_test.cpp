// The feedback law with derived constants: what it presents, what it holds back, and that a run of it can be resumed.
#include <gtest/gtest.h>

#include <cmath>

#include "../../sim/src/batch_form.hpp"
#include "../../sim/src/inspection.hpp"
#include "../../sim/src/replica.hpp"
#include "support.hpp"

namespace eos::sim::testing {
namespace {

using theory::Ledger;

TEST(Inspection, classes_are_factors_of_two_of_the_squared_residual) {
  EXPECT_EQ(Inspection::class_of(0), 0u);
  EXPECT_EQ(Inspection::class_of(1e-8f), 0u);
  EXPECT_EQ(Inspection::class_of(0.499f), Inspection::class_of(0.36f)) << "[1/8, 1/4)";
  EXPECT_EQ(Inspection::class_of(0.5f), Inspection::class_of(0.499f) + 1) << "1/4 begins the next";
  EXPECT_EQ(Inspection::class_of(1.2f), 27u);
  EXPECT_EQ(Inspection::class_of(1.4142136f), 27u) << "the largest residual of a softmax";
  EXPECT_EQ(Inspection::class_of(50), 27u) << "squared error has no largest";
}

TEST(Inspection, growth_is_surplus_over_age_of_a_class_and_the_unknown_is_presented) {
  Inspection inspection;
  EXPECT_EQ(inspection.probability(0.1f, 2), 1);
  for (int i = 0; i < 1000; ++i) inspection.note(0.1f, i % 10 == 0 ? 1.0 : 0.0, 4.0);  // 0.1 per 4 epochs
  const double prior = Inspection::k_prior, growth = (100 + 2 * prior) / (4000 + prior);
  EXPECT_NEAR(inspection.probability(0.1f, 2), std::sqrt(growth / 2), 1e-12);
  EXPECT_EQ(inspection.probability(0.9f, 2), 1) << "another class";
  inspection.forget(50);
  EXPECT_NEAR(inspection.probability(0.1f, 2), 1, 1e-9) << "what was found long ago counts no more";
}

Scores scores_of(float residual) {
  Scores s;
  s.resize(1);
  s.loss[0] = residual, s.residual[0] = residual;
  return s;
}

RunningMeans some_means() {
  RunningMeans means;
  means.seen = 100, means.kept = 50, means.benefit = 20, means.kept_benefit = 18, means.forward_cost = 100;
  means.updated = 50, means.update_cost = 100;
  return means;
}

TEST(Inspection, a_presentation_is_one_check_however_often_it_is_forwarded) {
  theory::TrainingSpec spec;
  spec.selection = theory::selection_preset("derived");
  const OpenLoop loop(spec, 100);
  const UnitCosts costs{1, 2, 0};
  Gate gate(spec.selection, loop, costs, 1);
  Stream stream(spec.selection, loop, gate, 1);
  const RunningMeans means = some_means();
  Row row;
  row.sample = 7, row.view = 30;
  stream.remember(row, scores_of(0.01f), 0, means);
  EXPECT_EQ(stream.state.inspection.age[Inspection::class_of(0.01f)], 0) << "the first look is no re-check";
  row.view = 180;
  stream.remember(row, scores_of(1.0f), 0, means);
  stream.remember(row, scores_of(0.9f), 0, means);  // handed back, forwarded again
  const std::size_t k = Inspection::class_of(0.01f);
  EXPECT_DOUBLE_EQ(stream.state.inspection.age[k], 1.5);
  // value - cost: b/alpha C/(mean(b) R) - (c_b + w) with C = c_f + rho (c_b + w), c_f = 1, c_b = 2, w = 2, rho = 1/2.
  EXPECT_NEAR(stream.state.inspection.surplus[k], 1.0 / 0.5 * (1 + 0.5 * 4) / (0.2 * 0.9) - 4, 1e-12);
  EXPECT_EQ(stream.state.inspection.age[Inspection::class_of(1.0f)], 0);
}

theory::TrainingSpec derived_spec(const TaskData& data, const std::string& prices) {
  theory::TrainingSpec spec = small_spec(data);
  spec.prices = theory::builtin_prices(prices);
  spec.selection = theory::selection_preset("derived");
  spec.plasticity = theory::plasticity_preset("derived");
  spec.optimiser.law = theory::RateLaw::constant;
  return spec;
}

TEST(DerivedLaw, inspection_presents_fewer_samples_than_ratio_alone_at_equal_loss) {
  const TaskData data = small_task(1500, 16, 4);
  theory::TrainingSpec spec = derived_spec(data, "hbm2");
  spec.network.hidden = {32};
  spec.plasticity = {};
  spec.epochs = 12;
  spec.optimiser.law = theory::RateLaw::linear;
  const Ledger inspected = run(spec, data).replicas[0].epochs.back().ledger;
  const double loss = run(spec, data).replicas[0].epochs.back().test_loss;
  spec.selection = theory::selection_preset("ratio");
  const auto ratio = run(spec, data).replicas[0].epochs.back();
  EXPECT_LT(static_cast<double>(inspected.samples_seen), 0.85 * static_cast<double>(ratio.ledger.samples_seen));
  EXPECT_NEAR(loss, ratio.test_loss, 0.1 * ratio.test_loss);
}

/// Thresholds of all updates of a run that selects nothing.
std::vector<double> thresholds(const TaskData& data, const theory::PriceList& prices) {
  theory::TrainingSpec spec = derived_spec(data, "metabolic-m0");
  spec.prices = prices, spec.selection = {};
  spec.record_every = 1;
  std::vector<double> theta;
  for (const StepRow& row : run(spec, data).replicas[0].steps) theta.push_back(row.theta);
  return theta;
}

TEST(DerivedLaw, the_threshold_is_that_of_least_energy_at_the_price_list) {
  const TaskData data = small_task(400);
  theory::PriceList prices = theory::builtin_prices("metabolic-m0");
  prices.write = 1e-12, prices.accumulator = 1e-16;  // so small a network computes for next to nothing
  const std::vector<double> theta = thresholds(data, prices);
  EXPECT_EQ(theta[0], 0) << "the first update is plain: it measures";
  for (std::size_t i = 1; i < theta.size(); ++i) EXPECT_GT(theta[i], 0) << i;

  theory::TrainingSpec spec = derived_spec(data, "metabolic-m0");
  spec.prices = prices, spec.selection = {};
  const kernels::Context context = kernels::Context::cpu();
  const RunSetup setup(spec, data, context);
  Replica replica(setup, context, spec.seeds[0]);
  replica.advance();
  const Ledger first = replica.ledger();
  ASSERT_EQ(first.steps, 1);
  EXPECT_EQ(first.accumulator_updates, 0);
  const theory::Energy energy = theory::energy(first, prices);
  const double other = energy.total() - energy.write;
  // As many updates have made progress as there were: one. The path's squares are those of float differences of
  // weights: 1e-6.
  const double stiffness = (16 / 0.2 + static_cast<double>(first.writes) / first.path_squared) / 6;
  EXPECT_NEAR(theta[1], std::pow(prices.write * first.path_squared / (stiffness * other), 0.25), 1e-5 * theta[1]);

  prices.write *= 16;
  EXPECT_NEAR(thresholds(data, prices)[1], 2 * theta[1], 1e-9);
  prices.mac *= 16, prices.scoring_mac *= 16;
  EXPECT_NEAR(thresholds(data, prices)[1], theta[1], 1e-9) << "only ratios of prices count";
}

TEST(DerivedLaw, an_accumulator_as_dear_as_a_weight_is_not_used) {
  const TaskData data = small_task(200);
  theory::TrainingSpec spec = derived_spec(data, "h100");
  spec.selection = {};
  const TrainResult law = run(spec, data);
  spec.plasticity = {};
  EXPECT_EQ(law.replicas[0].weights, run(spec, data).replicas[0].weights);
  EXPECT_EQ(law.replicas[0].epochs.back().ledger.accumulator_updates, 0);
  spec = derived_spec(data, "hbm2"), spec.selection = {};
  EXPECT_GT(run(spec, data).replicas[0].epochs.back().ledger.accumulator_updates, 0) << "in SRAM it pays";
}

TEST(DerivedLaw, a_resumed_run_ends_with_the_same_bits) {
  const TaskData data = small_task(300);
  for (const auto kind : {theory::OptimiserKind::sgd, theory::OptimiserKind::adamw}) {
    theory::TrainingSpec spec = derived_spec(data, "metabolic-m0");
    spec.epochs = 4;
    spec.optimiser.kind = kind;
    if (kind == theory::OptimiserKind::adamw) spec.optimiser.learning_rate = 0.01;
    const kernels::Context context = kernels::Context::cpu();
    const RunSetup setup(spec, data, context);
    Replica whole(setup, context, 1);
    while (!whole.finished()) whole.advance();
    const std::vector<float> weights = whole.result(RunStatus::complete).weights;
    for (int chunks : {1, 7, 40, 75}) {
      Replica killed(setup, context, 1), resumed(setup, context, 1);
      for (int i = 0; i < chunks && !killed.finished(); ++i) killed.advance();
      resumed.restore(killed.checkpoint());
      while (!resumed.finished()) resumed.advance();
      EXPECT_EQ(resumed.result(RunStatus::complete).weights, weights) << chunks;
      EXPECT_EQ(resumed.ledger().samples_seen, whole.ledger().samples_seen) << chunks;
    }
  }
}

TEST(DerivedLaw, batches_of_replicas_refuse_it_and_specs_are_checked) {
  const TaskData data = small_task(200);
  theory::TrainingSpec spec = derived_spec(data, "hbm2");
  spec.plasticity = {};
  EXPECT_NE(reason_against_batch(spec), "");
  spec = derived_spec(data, "hbm2"), spec.selection = {};
  EXPECT_NE(reason_against_batch(spec), "");
  spec.plasticity.accumulate = false;
  EXPECT_EQ(error_code([&] { run(spec, data); }), "E107");
  spec = derived_spec(data, "hbm2");
  spec.selection.gate = theory::Gate::all;
  EXPECT_EQ(error_code([&] { run(spec, data); }), "E107");
}

}  // namespace
}  // namespace eos::sim::testing
