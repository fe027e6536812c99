// Laws of gates inside the backward pass: the feedback law, sampling of rows, depth of an update.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "eos/theory/feedback_law.hpp"
#include "eos/theory/layer_depth.hpp"
#include "eos/theory/row_sampling.hpp"

namespace eos::theory {
namespace {

TEST(FeedbackLaw, uses_what_pays_at_least_the_average) {
  // Everything used: C = 1 + 2, the average benefit per cost is 5/3, so that 2 of cost must bring 10/3.
  EXPECT_NEAR((FeedbackLaw{1, 5, 1, 1, 1, 2}.threshold()), 10.0 / 3, 1e-12);
  EXPECT_NEAR((FeedbackLaw{0.5, 5, 1, 1, 1, 2}.threshold()), 5.0 / 3, 1e-12);
  EXPECT_NEAR((FeedbackLaw{1, 5, 0.6, 0.25, 1, 2}.threshold()), 5 * 0.6 * 2 / 1.5, 1e-12);
  EXPECT_EQ((FeedbackLaw{1, 5, 1, 1, 0, 0}.threshold()), 0) << "all is free";
  EXPECT_GT((FeedbackLaw{1, 5, 0, 0, 1, 2}.threshold()), 0) << "floors";
}

/// Cost times second moment of a batch, as the header states it.
double objective(const std::vector<double>& sizes, const std::vector<double>& p, double coherent, double forward,
                 double train) {
  double cost = static_cast<double>(sizes.size()) * forward, moment = coherent;
  for (std::size_t i = 0; i < sizes.size(); ++i) cost += train * p[i], moment += sizes[i] * sizes[i] / p[i];
  return cost * moment;
}

TEST(RowSampling, has_the_least_cost_times_second_moment) {
  const std::vector<double> sizes{0.1, 3, 0.5, 1, 1, 0.2, 2, 0.7};
  for (const double coherent : {0.5, 10.0, 200.0}) {
    const double lambda = sampling_scale(sizes, coherent, 1, 2);
    std::vector<double> p;
    for (const double size : sizes) p.push_back(std::min(1.0, lambda * size));
    const double best = objective(sizes, p, coherent, 1, 2);
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      for (const double factor : {0.5, 0.9, 0.999, 1.001, 1.1, 2.0}) {
        std::vector<double> other = p;
        other[i] = std::min(1.0, other[i] * factor);
        EXPECT_GE(objective(sizes, other, coherent, 1, 2), best * (1 - 1e-12)) << coherent << " row " << i;
      }
    }
  }
}

TEST(RowSampling, of_equal_rows_is_the_square_root_law) {
  // Without certain rows lambda^2 = N forward / (train A).
  EXPECT_NEAR(sampling_scale({1, 1, 1, 1}, 32, 1, 2), std::sqrt(4.0 / 64), 1e-12);
}

TEST(RowSampling, takes_every_row_of_sums_without_coherence) {
  EXPECT_EQ(sampling_scale({1, 2, 3}, -14, 1, 1), std::numeric_limits<double>::infinity());
  EXPECT_EQ(sampling_scale({}, 0, 1, 1), std::numeric_limits<double>::infinity());
  EXPECT_GE(sampling_scale({1, 1}, 0.1, 1, 1) * 1, 1) << "more coherent than that, or none is left out";
}

TEST(LayerDepth, is_that_of_all_choices_compared) {
  const std::vector<std::vector<double>> progresses{
      {1, 1, 1, 1}, {0, 0, 0, 5}, {9, 0, 0, 1}, {0.1, 0.2, 3, 1}, {2, 1, 0.5, 0.25}};
  const std::vector<double> cost{10, 8, 5, 3};
  for (const std::vector<double>& s : progresses) {
    for (int first = 0; first < 3; ++first) {
      int best = -1;
      double most = -1;
      for (int k = 3; k >= first; --k) {
        double sum = 0;
        for (int l = k; l < 4; ++l) sum += s[static_cast<std::size_t>(l)];
        if (sum / cost[static_cast<std::size_t>(k)] >= most) most = sum / cost[static_cast<std::size_t>(k)], best = k;
      }
      const LayerDepth depth = best_depth(s, cost, first);
      EXPECT_EQ(depth.surplus >= 0 ? first : depth.block, best);
      EXPECT_GT(depth.block, first);
      EXPECT_DOUBLE_EQ(depth.extra,
                       cost[static_cast<std::size_t>(first)] - cost[static_cast<std::size_t>(depth.block)]);
    }
  }
}

TEST(LayerDepth, values_progress_at_what_the_shallower_pass_pays_for_it) {
  const LayerDepth depth = best_depth({1, 0, 4}, {10, 9, 4}, 0);
  EXPECT_EQ(depth.block, 2);
  EXPECT_DOUBLE_EQ(depth.surplus, 5 * 4.0 / 4 - 10);
}

TEST(LayerDepth, skips_nothing_where_nothing_can_be_said) {
  EXPECT_EQ(best_depth({1, 2}, {5, 3}, 1).block, 1) << "the last block always learns";
  EXPECT_EQ(best_depth({0, 0}, {5, 3}, 0).surplus, 0);
  EXPECT_EQ(best_depth({1, 1}, {0, 0}, 0).surplus, 0);
}

}  // namespace
}  // namespace eos::theory
