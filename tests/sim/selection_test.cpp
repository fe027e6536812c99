// Which samples are presented and which are kept: the rules on toy data, draw by draw.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "../../sim/src/gate.hpp"
#include "../../sim/src/stream.hpp"

namespace eos::sim {
namespace {

/// A stream whose gate is never asked.
struct PlainStream : Stream {
  PlainStream(const theory::SelectionSpec& selection, const OpenLoop& loop, std::uint64_t seed)
      : Stream(selection, loop, k_gate(loop), seed) {}
  static Gate& k_gate(const OpenLoop& loop) {
    static Gate gate({}, loop, {}, 1);
    return gate;
  }
};

void remember(Stream& stream, std::int32_t sample, float loss, float residual) {
  Scores s;
  s.resize(1);
  s.loss[0] = loss, s.residual[0] = residual;
  stream.remember({sample}, s, 0, {});
}

using theory::FractionSource;
using theory::Present;

theory::TrainingSpec stream_spec(const std::string& method, double epochs) {
  theory::TrainingSpec spec;
  spec.selection = theory::selection_preset(method);
  spec.selection.revision_epochs = 0;
  spec.selection.revision_share = 0;
  spec.epochs = epochs;
  return spec;
}

/// All rows presented at the positions of one epoch of `samples`.
std::vector<Row> take_epoch(Stream& stream, const RunningMeans& means, int chunk, std::int64_t samples) {
  const std::int64_t epoch = stream.state.position / samples;
  std::vector<Row> all;
  while (!stream.exhausted() && stream.state.position / samples == epoch) {
    std::vector<Row> rows;
    stream.take(chunk, means, rows);
    EXPECT_LE(rows.size(), static_cast<std::size_t>(chunk));
    all.insert(all.end(), rows.begin(), rows.end());
  }
  return all;
}

TEST(EpochOrder, is_a_permutation_that_changes_with_epoch_and_seed) {
  for (std::int64_t n : {1, 2, 3, 4, 5, 7, 64, 1001}) {
    std::vector<std::int32_t> order = epoch_order(5, 0, n);
    std::sort(order.begin(), order.end());
    for (std::size_t i = 0; i < order.size(); ++i) EXPECT_EQ(order[i], static_cast<std::int32_t>(i));
  }
  EXPECT_NE(epoch_order(5, 0, 100), epoch_order(5, 1, 100));
  EXPECT_NE(epoch_order(5, 0, 100), epoch_order(6, 0, 100));
  EXPECT_EQ(epoch_order(5, 3, 100), epoch_order(5, 3, 100));
}

TEST(EpochOrder, every_place_is_equally_likely) {
  // chi^2 of the place of item 0 over 4000 epochs and 10 places: 9 degrees of freedom, 1e-6 quantile 44.8
  std::vector<double> count(10, 0);
  for (std::uint32_t epoch = 0; epoch < 4000; ++epoch) {
    const auto order = epoch_order(1, epoch, 10);
    ++count[static_cast<std::size_t>(std::find(order.begin(), order.end(), 0) - order.begin())];
  }
  double chi2 = 0;
  for (double c : count) chi2 += (c - 400) * (c - 400) / 400;
  EXPECT_LT(chi2, 44.8);
}

TEST(Stream, presents_every_sample_once_an_epoch_and_stops_at_the_horizon) {
  const auto spec = stream_spec("all", 1.5);
  const OpenLoop loop(spec, 10);
  PlainStream stream(spec.selection, loop, 3);
  const RunningMeans means;
  std::vector<Row> first = take_epoch(stream, means, 4, 10);
  ASSERT_EQ(first.size(), 10u);
  std::sort(first.begin(), first.end(), [](const Row& a, const Row& b) { return a.sample < b.sample; });
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(first[i].sample, static_cast<std::int32_t>(i));
  EXPECT_FALSE(stream.exhausted());
  EXPECT_EQ(take_epoch(stream, means, 4, 10).size(), 5u);
  EXPECT_TRUE(stream.exhausted());
}

TEST(Stream, rows_handed_back_come_first_and_in_order) {
  const auto spec = stream_spec("all", 1);
  const OpenLoop loop(spec, 6);
  PlainStream stream(spec.selection, loop, 3);
  const RunningMeans means;
  std::vector<Row> rows;
  stream.take(4, means, rows);
  const std::vector<Row> back{rows[1], rows[3]};
  stream.hand_back(back);
  EXPECT_EQ(stream.state.position, 4);
  std::vector<Row> next;
  stream.take(3, means, next);
  ASSERT_EQ(next.size(), 3u);
  EXPECT_EQ(next[0].sample, back[0].sample);
  EXPECT_EQ(next[1].sample, back[1].sample);
  EXPECT_EQ(stream.state.position, 5) << "handed back rows are not offered again";
}

TEST(Stream, random_subsets_have_the_stated_size_without_bias) {
  auto spec = stream_spec("srd", 400);
  spec.selection.fraction_source = FractionSource::constant;
  spec.selection.fraction = 0.33;
  const OpenLoop loop(spec, 10);  // 3.3 samples an epoch: 3 or 4
  PlainStream stream(spec.selection, loop, 3);
  const RunningMeans means;
  std::vector<int> seen(10, 0);
  double total = 0;
  for (int epoch = 0; epoch < 400; ++epoch) {
    const auto rows = take_epoch(stream, means, 20, 10);
    EXPECT_TRUE(rows.size() == 3 || rows.size() == 4) << rows.size();
    total += static_cast<double>(rows.size());
    for (const Row& row : rows) ++seen[static_cast<std::size_t>(row.sample)];
  }
  EXPECT_NEAR(total / 400, 3.3, 5 * std::sqrt(0.3 * 0.7 / 400));  // 5 s.d. of the rounding
  for (int count : seen) EXPECT_NEAR(count, 132, 5 * std::sqrt(400 * 0.33 * 0.67));
}

TEST(Stream, scalar_random_dropout_has_the_effective_epochs_of_its_sum) {
  // gamma = 0.95, 30 epochs, the last one full: sum_{t<29} 0.95^t + 1 = 16.4808 effective epochs
  auto spec = stream_spec("srd", 30);
  spec.selection.revision_epochs = 1;
  const int n = 1000;
  const OpenLoop loop(spec, n);
  PlainStream stream(spec.selection, loop, 3);
  const RunningMeans means;
  double presented = 0;
  for (int epoch = 0; epoch < 30; ++epoch) presented += static_cast<double>(take_epoch(stream, means, 64, n).size());
  const double expected = (1 - std::pow(0.95, 29)) / 0.05 + 1;
  EXPECT_NEAR(expected, 16.48, 0.005);
  EXPECT_NEAR(presented / n, expected, 29.0 / n);  // each epoch rounds by less than one sample
}

TEST(Stream, stored_fractions_are_followed_to_the_sample) {
  auto spec = stream_spec("smrd", 3);
  spec.selection.fraction_source = FractionSource::stored;
  spec.selection.stored = {0.5, 0.2};  // the last value holds on
  const OpenLoop loop(spec, 100);
  PlainStream stream(spec.selection, loop, 9);
  const RunningMeans means;
  EXPECT_EQ(take_epoch(stream, means, 7, 100).size(), 50u);
  EXPECT_EQ(take_epoch(stream, means, 7, 100).size(), 20u);
  EXPECT_EQ(take_epoch(stream, means, 7, 100).size(), 20u);
}

TEST(Stream, infobatch_drops_only_easy_samples_and_weights_the_rest_of_them) {
  const auto spec = stream_spec("infobatch", 3);
  const int n = 2000;
  const OpenLoop loop(spec, n);
  PlainStream stream(spec.selection, loop, 3);
  const RunningMeans means;
  const auto first = take_epoch(stream, means, 100, n);
  EXPECT_EQ(first.size(), static_cast<std::size_t>(n)) << "nothing is known yet, nothing is dropped";
  for (const Row& row : first) {
    EXPECT_EQ(row.weight, 1.0f);
    remember(stream, row.sample, row.sample < 500 ? 4.0f : 1.0f, 0.0f);  // mean 1.75
  }
  int hard = 0, easy = 0;
  for (const Row& row : take_epoch(stream, means, 100, n)) {
    if (row.sample < 500) {
      ++hard;
      EXPECT_EQ(row.weight, 1.0f);
    } else {
      ++easy;
      EXPECT_EQ(row.weight, 2.0f) << "1 / (1 - r) with r = 0.5";
    }
  }
  EXPECT_EQ(hard, 500);
  EXPECT_NEAR(easy, 750, 5 * std::sqrt(1500 * 0.25));  // 5 s.d.
}

TEST(Stream, infobatch_ends_on_all_data_with_weight_one_even_inside_an_epoch) {
  auto spec = stream_spec("infobatch", 2);
  spec.selection.revision_share = 0.125;
  const OpenLoop loop(spec, 100);
  PlainStream stream(spec.selection, loop, 3);
  const RunningMeans means;
  for (const Row& row : take_epoch(stream, means, 10, 100))
    remember(stream, row.sample, row.sample == 0 ? 9.0f : 0.1f, 0.0f);
  std::vector<Row> rows;
  while (stream.state.position < 175) rows.clear(), stream.take(1, means, rows);
  rows.clear();
  stream.take(25, means, rows);
  ASSERT_EQ(rows.size(), static_cast<std::size_t>(25 - (rows[0].sure ? 0 : 1))) << "the last 12.5 % of 200 positions";
  for (const Row& row : rows) {
    EXPECT_TRUE(row.sure);
    EXPECT_EQ(row.weight, 1.0f);
  }
}

TEST(Stream, spaced_presents_unseen_and_hard_samples_always_and_easy_ones_sometimes) {
  auto spec = stream_spec("spaced", 3);
  spec.selection.spaced_relative = false;
  spec.selection.spaced_threshold = 0.01;
  spec.selection.spaced_probability = 0.2;
  const int n = 2000;
  const OpenLoop loop(spec, n);
  PlainStream stream(spec.selection, loop, 3);
  RunningMeans means;
  const auto first = take_epoch(stream, means, 64, n);
  ASSERT_EQ(first.size(), static_cast<std::size_t>(n));
  for (const Row& row : first)
    remember(stream, row.sample, 0.0f, row.sample < 300 ? 0.11f : 0.09f);  // squares .0121, .0081
  int hard = 0, easy = 0;
  for (const Row& row : take_epoch(stream, means, 64, n)) ++(row.sample < 300 ? hard : easy);
  EXPECT_EQ(hard, 300);
  EXPECT_NEAR(easy, 340, 5 * std::sqrt(1700 * 0.16));  // 5 s.d.
  // Relative to the running mean of residual^2: twice as many kinds of samples count as easy.
  spec.selection.spaced_relative = true;
  spec.selection.spaced_threshold = 0.5;
  PlainStream relative(spec.selection, loop, 3);
  means.seen = 100, means.squared = 100 * 0.03;
  for (const Row& row : take_epoch(relative, means, 64, n))
    remember(relative, row.sample, 0.0f, row.sample < 300 ? 0.11f : 0.2f);
  hard = easy = 0;
  for (const Row& row : take_epoch(relative, means, 64, n)) ++(row.sample < 300 ? easy : hard);
  EXPECT_EQ(hard, 1700);
  EXPECT_LT(easy, 150);
}

// ---- gates
// -----------------------------------------------------------------------------------------------------------

Scores scores(const std::vector<float>& residuals) {
  Scores s;
  s.resize(residuals.size());
  s.residual = residuals;
  for (std::size_t i = 0; i < residuals.size(); ++i) {
    s.p_true[i] = 1 - residuals[i];
    s.correct[i] = residuals[i] < 0.5f;
    s.loss[i] = residuals[i];
  }
  return s;
}

class GateRules : public ::testing::Test {
 protected:
  std::vector<std::uint8_t> decide(const theory::SelectionSpec& selection, const std::vector<float>& residuals,
                                   double fraction = 1, std::uint32_t chunk = 0) {
    spec_.selection = selection;
    const OpenLoop loop(spec_, 100);
    Gate gate(selection, loop, costs_, 7);
    std::vector<Row> rows(residuals.size());
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].sure = i < sure_;
    std::vector<std::uint8_t> keep;
    gate.decide(rows, scores(residuals), {0, fraction, chunk}, means_, keep);
    return keep;
  }
  theory::TrainingSpec spec_;
  OpenLoop loop_{spec_, 100};
  UnitCosts costs_{1, 2, 0};
  RunningMeans means_;
  std::size_t sure_ = 0;
};

using Flags = std::vector<std::uint8_t>;

TEST_F(GateRules, threshold_keeps_improbable_truths_and_tau_zero_means_misclassified) {
  auto s = theory::selection_preset("dbpd");  // tau = 0.3: p < 0.3, residual here > 0.7
  EXPECT_EQ(decide(s, {0.1f, 0.69f, 0.71f, 0.6f}), (Flags{0, 0, 1, 0}));
  s.tau = 0;
  EXPECT_EQ(decide(s, {0.1f, 0.69f, 0.71f, 0.4f}), (Flags{0, 1, 1, 0}));
  EXPECT_EQ(decide(theory::selection_preset("lazy"), {0.1f, 0.69f, 0.71f, 0.4f}), (Flags{0, 1, 1, 0}));
  sure_ = 1;
  EXPECT_EQ(decide(s, {0.1f, 0.69f, 0.71f, 0.4f}), (Flags{1, 1, 1, 0})) << "a phase on all data overrules the gate";
}

TEST_F(GateRules, ranked_keeps_the_hardest_with_ties_in_index_order) {
  const auto s = theory::selection_preset("ranked");
  EXPECT_EQ(decide(s, {0.5f, 0.9f, 0.5f, 0.5f}, 0.5), (Flags{1, 1, 0, 0}));
  EXPECT_EQ(decide(s, {0.1f, 0.2f, 0.3f, 0.4f}, 0.25), (Flags{0, 0, 0, 1}));
  EXPECT_EQ(decide(s, {0.1f, 0.2f, 0.3f, 0.4f}, 1), (Flags{1, 1, 1, 1}));
  sure_ = 2;
  EXPECT_EQ(decide(s, {0.1f, 0.2f, 0.3f, 0.4f}, 0.5), (Flags{1, 1, 0, 1})) << "the fraction is of the rows not sure";
}

TEST_F(GateRules, ranked_rounds_without_bias) {
  const auto s = theory::selection_preset("ranked");
  int kept = 0;
  for (std::uint32_t chunk = 0; chunk < 2000; ++chunk)
    for (std::uint8_t k : decide(s, {0.1f, 0.2f, 0.3f}, 0.1, chunk)) kept += k;
  EXPECT_NEAR(kept, 600, 5 * std::sqrt(2000 * 0.3 * 0.7));  // 0.3 expected a chunk, 5 s.d.
}

TEST_F(GateRules, ratio_threshold_is_that_of_the_free_horizon_law) {
  auto s = theory::selection_preset("ratio");
  s.ratio_alpha = 0.5, s.ratio_exponent = 1;
  means_.seen = 100, means_.kept = 40;            // rho = 0.4
  means_.benefit = 50, means_.kept_benefit = 45;  // mean 0.5, R = 0.9
  means_.forward_cost = 100;                      // c_f = 1
  means_.updated = 10, means_.update_cost = 30;   // w = 3; c_b = 2
  const Gate gate(s, loop_, costs_, 7);
  const double expected = 0.5 * 0.5 * 0.9 / (1 + 0.4 * 5) * 5;
  EXPECT_DOUBLE_EQ(gate.ratio_threshold(means_), expected);
  EXPECT_EQ(decide(s, {static_cast<float>(expected * 1.01), static_cast<float>(expected * 0.99)}), (Flags{1, 0}));
  EXPECT_DOUBLE_EQ(gate.ratio_threshold(RunningMeans{}), 0) << "nothing known: keep everything";
}

TEST_F(GateRules, ratio_law_can_find_back_from_keeping_nothing) {
  const auto s = theory::selection_preset("ratio");
  means_.seen = 100, means_.kept = 0, means_.benefit = 50, means_.kept_benefit = 0, means_.forward_cost = 100;
  const Gate gate(s, loop_, costs_, 7);
  EXPECT_DOUBLE_EQ(gate.ratio_threshold(means_), 0.5 * 0.5 * 0.02 * 2 / (1 + 0.005 * 2)) << "floors 0.02 and 0.005";
}

TEST_F(GateRules, benefit_exponent_is_applied) {
  auto s = theory::selection_preset("ratio");
  s.ratio_exponent = 2;
  EXPECT_DOUBLE_EQ(Gate(s, loop_, costs_, 7).benefit(0.5f), 0.25);
  s.ratio_exponent = 3;
  EXPECT_DOUBLE_EQ(Gate(s, loop_, costs_, 7).benefit(0.5f), 0.125);
}

// ---- laws
// ------------------------------------------------------------------------------------------------------------

TEST(OpenLoop, learning_rate_laws_have_their_published_shape) {
  theory::TrainingSpec spec;
  spec.optimiser.learning_rate = 0.4;
  spec.epochs = 2;
  const auto rate = [&](theory::RateLaw law, std::int64_t begin) {
    spec.optimiser.law = law;
    return OpenLoop(spec, 100).learning_rate(begin, begin + 10, 0);
  };
  EXPECT_DOUBLE_EQ(rate(theory::RateLaw::constant, 150), 0.4);
  EXPECT_DOUBLE_EQ(rate(theory::RateLaw::linear, 0), 0.4);
  EXPECT_DOUBLE_EQ(rate(theory::RateLaw::linear, 150), 0.1);
  EXPECT_DOUBLE_EQ(rate(theory::RateLaw::cosine, 100), 0.2);
  spec.optimiser.decay = 3;
  EXPECT_DOUBLE_EQ(rate(theory::RateLaw::inverse_time, 100), 0.1);  // one epoch: 0.4 / (1 + 3)
  spec.schedule.edges = {0, 0.5, 1};
  spec.schedule.data_fraction = {1, 0.5};
  spec.schedule.weight_fraction = {1, 0.2};
  spec.schedule.learning_rate = {0.3, 0.7};
  EXPECT_DOUBLE_EQ(rate(theory::RateLaw::schedule, 99), 0.3);
  EXPECT_DOUBLE_EQ(rate(theory::RateLaw::schedule, 100), 0.7);
  EXPECT_DOUBLE_EQ(OpenLoop(spec, 100).reference_rate(), 0.7);
  spec.optimiser.warmup_epochs = 0.2;
  EXPECT_DOUBLE_EQ(rate(theory::RateLaw::constant, 0), 0.2)
      << "half of the warm-up has passed at the end of this batch";
  EXPECT_DOUBLE_EQ(rate(theory::RateLaw::constant, 50), 0.4);
}

TEST(OpenLoop, phases_on_all_data_are_at_both_ends) {
  theory::TrainingSpec spec;
  spec.epochs = 4;
  spec.selection.start_epochs = 0.25;
  spec.selection.revision_epochs = 1;
  const OpenLoop loop(spec, 100);
  EXPECT_TRUE(loop.all_data(24));
  EXPECT_FALSE(loop.all_data(25));
  EXPECT_FALSE(loop.all_data(299));
  EXPECT_TRUE(loop.all_data(300));
}

TEST(OpenLoop, a_schedule_decides_the_rule_by_which_its_fractions_are_filled) {
  theory::TrainingSpec spec;
  spec.selection = theory::selection_preset("schedule");
  spec.plasticity = theory::plasticity_preset("schedule-feedback");
  spec.schedule.edges = {0, 1};
  spec.schedule.data_fraction = {0.5};
  spec.schedule.weight_fraction = {0.2};
  EXPECT_EQ(effective_selection(spec).gate, theory::Gate::ranked);
  EXPECT_EQ(effective_plasticity(spec).rule, theory::WriteRule::top_k);
  spec.schedule.data_rule = theory::Rule::random;
  spec.schedule.weight_rule = theory::Rule::random;
  EXPECT_EQ(effective_selection(spec).present, theory::Present::random);
  EXPECT_EQ(effective_selection(spec).gate, theory::Gate::all);
  EXPECT_EQ(effective_plasticity(spec).rule, theory::WriteRule::random);
  spec.schedule.data_rule = theory::Rule::all;
  spec.schedule.weight_rule = theory::Rule::all;
  EXPECT_EQ(effective_selection(spec).present, theory::Present::all);
  EXPECT_EQ(effective_selection(spec).gate, theory::Gate::all);
  EXPECT_EQ(effective_plasticity(spec).rule, theory::WriteRule::all);
  EXPECT_FALSE(effective_plasticity(spec).accumulate);
}

}  // namespace
}  // namespace eos::sim
