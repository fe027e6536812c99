#include "eos/theory/structure_spec.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "eos/theory/training_spec.hpp"

namespace eos::theory {
namespace {

using ::testing::ElementsAre;

TEST(Connections, uniform_density_is_the_same_everywhere) {
  EXPECT_THAT(connections(0.1, DensityLaw::uniform, {784, 300, 100, 10}), ElementsAre(23520, 3000, 100));
  EXPECT_THAT(connections(1, DensityLaw::uniform, {3, 2}), ElementsAre(6));
}

TEST(Connections, erdos_renyi_gives_each_layer_its_ends) {
  // eps (1084 + 400 + 110) = 0.02 (235200 + 30000 + 1000) = 5324, eps = 3.34003.
  EXPECT_THAT(connections(0.02, DensityLaw::erdos_renyi, {784, 300, 100, 10}), ElementsAre(3621, 1336, 367));
}

TEST(Connections, full_layers_leave_the_rest_to_the_others) {
  // At a tenth, 26620, the last layer would get 16.7 110 = 1837 of its 1000: it is full, and 25620 are left for the
  // others.
  const std::vector<std::int64_t> c = connections(0.1, DensityLaw::erdos_renyi, {784, 300, 100, 10});
  EXPECT_THAT(c, ElementsAre(18714, 6906, 1000));
  EXPECT_EQ(std::accumulate(c.begin(), c.end(), std::int64_t{0}), 26620);
  EXPECT_THAT(connections(1, DensityLaw::erdos_renyi, {20, 10, 5}), ElementsAre(200, 50));
}

TEST(DropFraction, falls_as_a_cosine_to_zero_where_rewiring_stops) {
  TopologySpec t;
  EXPECT_DOUBLE_EQ(drop_fraction(t, 0), 0.3);
  EXPECT_DOUBLE_EQ(drop_fraction(t, 0.375), 0.15);
  EXPECT_EQ(drop_fraction(t, 0.75), 0);
  EXPECT_EQ(drop_fraction(t, 1), 0);
}

TEST(Units, numbers_are_those_of_the_published_program) {
  EXPECT_EQ(chosen_units(0.3, 0, 200), 60);
  EXPECT_EQ(chosen_units(0.001, 0, 200), 1);
  EXPECT_EQ(chosen_units(0.3, 7, 5), 5);
  EXPECT_EQ(ranked_units(0.3, 0, 200), 61);  // from the order statistic round(0.7 199) = 139 on
  EXPECT_EQ(ranked_units(1, 0, 200), 200);
  EXPECT_EQ(ranked_units(0.3, 80, 500), 80);
}

TEST(BackwardMacs, of_all_units_are_those_of_a_dense_network) {
  const std::vector<int> widths{784, 256, 100, 10};
  std::vector<LevelUnits> levels;
  for (const int n : widths) levels.push_back({n, n, n, n});
  EXPECT_EQ(backward_macs(levels, 0), mlp_counts(widths).backward_macs);
  EXPECT_EQ(backward_macs(levels, 1), 256 * 100 + 2 * 100 * 10);
  EXPECT_EQ(backward_macs(levels, 3), 0);
  TopologySpec t;
  EXPECT_EQ(sparse_counts(t, widths, true).backward_macs, mlp_counts(widths).backward_macs);
  EXPECT_EQ(sparse_counts(t, widths, true).forward_macs, mlp_counts(widths).forward_macs);
}

TEST(BackwardMacs, of_meprop_scale_with_the_units_kept) {
  // 784-500-10 with 80 of 500: weight gradients 784 80 and 500 10, all 500 errors needed to rank them.
  const std::vector<LevelUnits> levels{{784, 784, 784, 784}, {500, 80, 80, 500}, {10, 10, 10, 10}};
  EXPECT_EQ(backward_macs(levels, 0), 784 * 80 + 500 * 10 + 10 * 500);
}

TEST(SparseCounts, charge_used_connections_forward_and_learning_ones_for_their_gradient) {
  TopologySpec t;
  t.rule = TopologyRule::top_kast;
  t.law = DensityLaw::uniform;
  const NetworkCounts c = sparse_counts(t, {100, 50, 10}, true);
  EXPECT_EQ(c.forward_macs, 500 + 50);
  EXPECT_EQ(c.backward_macs, 1000 + 100 + 50);
  EXPECT_EQ(c.parameters, 5000 + 500 + 60);
}

TEST(FreezeTimes, follow_their_laws_from_the_front) {
  FreezeSpec f;
  const double never = std::numeric_limits<double>::infinity();
  EXPECT_THAT(freeze_times(f, 2, 5), ElementsAre(never, never));
  f.law = FreezeLaw::linear;
  EXPECT_THAT(freeze_times(f, 3, 5), ElementsAre(0.5, 0.75, 1));
  EXPECT_THAT(freeze_times(f, 1, 5), ElementsAre(1));
  f.law = FreezeLaw::cubic;
  EXPECT_THAT(freeze_times(f, 3, 5), ElementsAre(0.125, 0.421875, 1));
  f.law = FreezeLaw::epochs;
  f.until = {1, 2};
  EXPECT_THAT(freeze_times(f, 3, 5), ElementsAre(0.2, 0.4, never));
  f.law = FreezeLaw::shares;
  f.until = {0};
  EXPECT_THAT(freeze_times(f, 2, 5), ElementsAre(0, never));
}

}  // namespace
}  // namespace eos::theory
