// Laws of data dropout: courses of fractions and thresholds, and what runs cost under each accounting.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <numeric>
#include <string>

#include "eos/theory/selection_spec.hpp"

namespace eos::theory {
namespace {

TEST(KeepLaws, start_at_their_first_fraction_and_have_the_published_shapes) {
  for (const KeepLaw law : {KeepLaw::inverse_linear, KeepLaw::inverse_logarithmic, KeepLaw::exponential,
                            KeepLaw::sigmoid, KeepLaw::power, KeepLaw::logarithmic})
    EXPECT_DOUBLE_EQ(keep_fraction(law, 0.8, 1.7, 0, 0), 0.8);
  // Published: 1/ln(x + a), exp(-a x), 1 - 1/(1 + exp(-a x)), scaled to 1 at x = 0.
  EXPECT_NEAR(keep_fraction(KeepLaw::inverse_logarithmic, 1, 3, 5, 0), std::log(3.0) / std::log(8.0), 1e-15);
  EXPECT_NEAR(keep_fraction(KeepLaw::exponential, 1, 0.2, 5, 0), std::exp(-1.0), 1e-15);
  EXPECT_NEAR(keep_fraction(KeepLaw::sigmoid, 1, 0.2, 5, 0), 2 * (1 - 1 / (1 + std::exp(-1.0))), 1e-15);
  EXPECT_EQ(keep_fraction(KeepLaw::exponential, 1, 9, 50, 0.1), 0.1) << "the floor";
}

TEST(KeepLaws, presets_have_about_the_effective_epochs_of_the_recorded_run) {
  // 6.31 effective epochs were recorded; least squares keeps the sum of a linear fit and nearly that of the others.
  for (const char* name : {"smrd", "power-law", "inverse-linear", "log-law", "inverse-log", "exponential", "sigmoid"}) {
    const SelectionSpec s = selection_preset(name);
    double sum = 1;
    for (int t = 0; t < 29; ++t) sum += keep_fraction(s.law, s.law_a, s.law_b, t, s.floor);
    EXPECT_NEAR(sum, 6.31, 0.3) << name;
  }
}

TEST(RecordedKeepFractions, are_those_of_the_data_file_and_make_the_published_effective_epochs) {
  const std::vector<double>& recorded = recorded_keep_fractions();
  std::ifstream file(EOS_SOURCE_DIR "/data/dropout/keep_fraction.csv");
  ASSERT_TRUE(file);
  std::vector<double> read;
  for (std::string line; std::getline(file, line);)
    if (!line.empty() && std::isdigit(static_cast<unsigned char>(line[0])))
      read.push_back(std::stod(line.substr(line.find(',') + 1)));
  EXPECT_EQ(read, recorded);
  EXPECT_NEAR(std::accumulate(recorded.begin(), recorded.end(), 1.0), 6.31, 0.005);
}

TEST(DropoutCost, is_the_published_arithmetic) {
  // 30 epochs, one revision, backward = 2 forwards, as fractions of 3 x 30; printed to three digits.
  struct Row {
    double ee, paper, separate, masked;
  };
  for (const Row& r : {Row{6.31, .210, .532, .474}, Row{8.03, .268, .590, .512}, Row{11.32, .377, .699, .585}}) {
    EXPECT_NEAR(dropout_cost(DropoutAccounting::effective_epochs, 30, 1, r.ee, 2) / 90, r.paper, 6e-4);
    EXPECT_NEAR(dropout_cost(DropoutAccounting::separate_forward, 30, 1, r.ee, 2) / 90, r.separate, 6e-4);
    EXPECT_NEAR(dropout_cost(DropoutAccounting::masked_forward, 30, 1, r.ee, 2) / 90, r.masked, 6e-4);
  }
}

TEST(TauCourses, run_from_tau_to_tau_end) {
  SelectionSpec s;
  s.tau = 0.1, s.tau_end = 0.9;
  EXPECT_EQ(threshold_tau(s, 0.7), 0.1) << "constant";
  for (const TauLaw law : {TauLaw::linear, TauLaw::cosine, TauLaw::exponential}) {
    s.tau_law = law;
    EXPECT_DOUBLE_EQ(threshold_tau(s, 0), 0.1);
    EXPECT_DOUBLE_EQ(threshold_tau(s, 1), 0.9);
  }
  EXPECT_NEAR(threshold_tau(s, 0.5), 0.1 + 0.8 * (1 - std::exp(-2.5)) / (1 - std::exp(-5.0)), 1e-15);
  s.tau_law = TauLaw::cosine;
  EXPECT_NEAR(threshold_tau(s, 0.25), 0.1 + 0.4 * (1 - std::sqrt(0.5)), 1e-15);
}

TEST(Milestones, are_those_of_kakurenbo) {
  const SelectionSpec s = selection_preset("kakurenbo");
  // F = 0.3, factors 1, 0.8, 0.6, 0.4 from epochs 0, 60, 120, 160 of 200.
  for (const auto& [epoch, factor] :
       {std::pair{0, 1.0}, {59, 1.0}, {60, .8}, {119, .8}, {120, .6}, {160, .4}, {199, .4}})
    EXPECT_DOUBLE_EQ(milestone_fraction(s, epoch / 200.0), 1 - 0.3 * factor) << epoch;
}

TEST(AdaptiveFraction, moves_against_the_accuracy_and_stays_in_bounds) {
  SelectionSpec s;
  s.adaptive_step = 0.2, s.adaptive_tolerance = 0.01, s.floor = 0.3;
  EXPECT_DOUBLE_EQ(adaptive_fraction(s, 0.6, 0.02, 0.5), 0.5);
  EXPECT_DOUBLE_EQ(adaptive_fraction(s, 0.6, 0.01, 0.5), 0.7);
  EXPECT_DOUBLE_EQ(adaptive_fraction(s, 0.6, -0.1, 0.25), 0.65);
  EXPECT_DOUBLE_EQ(adaptive_fraction(s, 0.35, 0.5, 0.9), 0.3);
  EXPECT_DOUBLE_EQ(adaptive_fraction(s, 0.95, 0, 0.9), 1);
}

TEST(Presets, of_scores_join_with_gates_and_stand_alone) {
  const SelectionSpec alone = selection_preset("stale");
  EXPECT_EQ(alone.gate, Gate::ranked);
  EXPECT_EQ(alone.fraction, 0.5);
  for (const char* name : {"dbpd+stale", "stale+dbpd"}) {
    const SelectionSpec joined = selection_preset(name);
    EXPECT_EQ(joined.gate, Gate::threshold) << name;
    EXPECT_EQ(joined.score, Score::stale) << name;
    EXPECT_EQ(joined.refresh_epochs, 3) << name;
  }
}

}  // namespace
}  // namespace eos::theory
