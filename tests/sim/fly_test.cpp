// Flies that pay for memory with their reserve: limits with closed forms, the published table, and what must not
// matter.
#include "eos/sim/fly.hpp"

#include <cmath>
#include <limits>

#include "support.hpp"

namespace eos::sim {
namespace {

using testing::error_code;
using theory::FlyGate;
using theory::FlySpec;

FlyResult lives(const FlySpec& spec, int threads = 1) {
  core::Progress silent;
  return simulate_flies(spec, silent, threads);
}

FlySpec small(std::vector<FlyGate> gates, int flies = 4000) {
  FlySpec spec;
  spec.flies = flies;
  spec.gates = std::move(gates);
  spec.energy_thresholds = spec.error_thresholds = {0};
  return spec;
}

TEST(Fly, without_learning_lives_as_the_closed_form_says) {
  const FlySpec spec = small({FlyGate::none}, 20000);
  const FlyResult r = lives(spec);
  for (std::size_t h = 0; h < spec.hazards.size(); ++h) {
    const FlyLives& cell = r.at(h, 0);
    // Four standard errors: one false alarm in 4000 tests of four values.
    EXPECT_NEAR(cell.lifetime, theory::lifetime_without_learning(spec, spec.hazards[h]), 4 * cell.lifetime_error);
    EXPECT_LT(cell.lifetime_error, 0.02);
    EXPECT_EQ(cell.ltm_reserve, 0);
  }
}

TEST(Fly, of_infinite_reserve_and_certain_punishment_dies_geometrically) {
  FlySpec spec = small({FlyGate::none}, 10);
  spec.input_stdev = 0;  // a tie, which the second odour wins
  spec.starvation_exponent = 1e9;
  spec.reserve_lower = 0.5;
  const FlyResult r = lives(spec);
  for (std::size_t h = 0; h < spec.hazards.size(); ++h) {
    EXPECT_NEAR(r.at(h, 0).lifetime, theory::constant_hazard_lifetime(spec.hazards[h], spec.days), 1e-12);
    EXPECT_NEAR(r.at(h, 0).survivors, std::pow(1 - spec.hazards[h], spec.days), 1e-14);
    EXPECT_EQ(r.at(h, 0).lifetime_error, 0) << "all lives are the same";
  }
}

TEST(Fly, noiseless_and_learning_errs_once) {
  // Ties go to the punished odour; after one lesson the other odour has the larger weight for good: LTM keeps it.
  FlySpec spec = small({FlyGate::ltm_only}, 10);
  spec.input_stdev = 0;
  spec.starvation_exponent = 1e9;
  spec.reserve_lower = 0.9;
  spec.ltm_cost = 0;
  for (const double h : {0.05, 0.2}) {
    spec.hazards = {h};
    const FlyLives life = lives(spec).at(0, 0);
    EXPECT_NEAR(life.lifetime, 1 + (1 - h) * spec.days, 1e-12);
    EXPECT_NEAR(life.punished, 1, 1e-15);
  }
}

TEST(Fly, noiseless_lesson_costs_what_the_weight_moved) {
  // dw = eta h mu = 0.6 * 0.05 * 10 = 0.3 below the bound; with h = 0.2 it is clipped to the initial 0.5.
  FlySpec spec = small({FlyGate::ltm_only}, 10);
  spec.input_stdev = 0;
  spec.hazards = {0.05, 0.2};
  spec.starvation_exponent = 1e9;
  spec.reserve_lower = 0.9;
  spec.days = 1;
  spec.ltm_event_cost = 0.01;
  const FlyResult r = lives(spec);
  EXPECT_NEAR(r.at(0, 0).ltm_reserve, 0.27 * 0.3 + 0.01, 1e-15);
  EXPECT_NEAR(r.at(1, 0).ltm_reserve, 0.27 * 0.5 + 0.01, 1e-15);
}

TEST(Fly, that_starts_empty_is_counted_for_its_first_day) {
  FlySpec spec = small({FlyGate::none}, 10);
  spec.reserve_upper = 0;
  EXPECT_EQ(lives(spec).at(0, 0).lifetime, 1) << "S_0 = 1, and exp(0) = 1 is certain death";
}

TEST(Fly, no_hazard_leaves_nothing_to_learn) {
  FlySpec spec = small({FlyGate::none, FlyGate::arm_only, FlyGate::ltm_only});
  spec.hazards = {0};
  const FlyResult r = lives(spec);
  EXPECT_EQ(r.at(0, 1).lifetime, r.at(0, 0).lifetime);
  EXPECT_EQ(r.at(0, 2).lifetime, r.at(0, 0).lifetime);
  EXPECT_EQ(r.at(0, 2).ltm_reserve, 0);
}

TEST(Fly, gates_with_extreme_thresholds_are_the_pure_pathways) {
  constexpr double k_far = 1e5;
  FlySpec spec =
      small({FlyGate::arm_only, FlyGate::ltm_only, FlyGate::energy, FlyGate::error, FlyGate::both, FlyGate::either});
  for (const double threshold : {k_far, -k_far}) {
    spec.energy_thresholds = spec.error_thresholds = {threshold};
    const FlyResult r = lives(spec);
    const std::size_t pure = threshold > 0 ? 0 : 1;
    for (std::size_t h = 0; h < spec.hazards.size(); ++h)
      for (std::size_t g = 2; g < spec.gates.size(); ++g)
        EXPECT_EQ(r.at(h, g).lifetime, r.at(h, pure).lifetime) << theory::name_of(spec.gates[g]) << " " << threshold;
  }
}

TEST(Fly, free_memory_never_hurts) {
  FlySpec spec = small({FlyGate::none, FlyGate::arm_only, FlyGate::ltm_only});
  spec.ltm_cost = 0;
  const FlyResult r = lives(spec);
  for (std::size_t h = 0; h < spec.hazards.size(); ++h) {
    EXPECT_GT(r.at(h, 1).lifetime, r.at(h, 0).lifetime);
    EXPECT_GT(r.at(h, 2).lifetime, r.at(h, 1).lifetime) << "permanent memory beats one that decays when both are free";
  }
}

TEST(Fly, that_is_fed_or_starved_follows_its_reserve) {
  FlySpec spec = small({FlyGate::none}, 10);
  spec.hazards = {0};
  spec.reserve_lower = spec.reserve_upper = 0.5;
  spec.daily_feed = -0.2;  // E after days 1, 2, 3: 0.3, 0.1, 0
  const double expected = 1 + (1 - std::exp(-3.9 * 0.3)) * (1 + (1 - std::exp(-3.9 * 0.1)));
  EXPECT_NEAR(lives(spec).at(0, 0).lifetime, expected, 1e-14);
}

TEST(Fly, punished_now_and_then_without_learning_lives_as_the_closed_form_says) {
  FlySpec spec = small({FlyGate::none}, 20000);
  spec.punishment_probability = 0.3;
  spec.hazards = {0.2};
  const FlyLives life = lives(spec).at(0, 0);
  EXPECT_NEAR(life.lifetime, theory::lifetime_without_learning(spec, 0.2), 4 * life.lifetime_error);
}

/// The mean lifetimes in days of an independent program written from the authors' one, 20 000 flies: none, ARM only,
/// LTM only, best OR gate.
constexpr double k_published[4][4] = {
    {7.87, 8.24, 7.60, 8.44}, {6.25, 7.00, 6.76, 7.49}, {5.22, 6.17, 6.46, 6.98}, {4.52, 5.54, 6.17, 6.58}};

TEST(Fly, lives_as_long_as_the_table_says) {
  FlySpec spec = small({FlyGate::none, FlyGate::arm_only, FlyGate::ltm_only, FlyGate::either}, 20000);
  spec.energy_thresholds = {0.7, 0.8, 0.9};
  spec.error_thresholds = {1};
  const FlyResult r = lives(spec, 2);
  for (std::size_t h = 0; h < 4; ++h)
    for (std::size_t g = 0; g < 4; ++g) {
      const auto best = r.best(h, g);
      const FlyLives& life = r.at(h, g, best.c0, best.c1);
      // Half a unit of the last digit printed, and three standard errors of the difference of two such simulations.
      EXPECT_NEAR(life.lifetime, k_published[h][g], 0.005 + 3 * std::sqrt(2.0) * life.lifetime_error) << h << " " << g;
    }
}

TEST(Fly, does_not_depend_on_threads_or_on_other_cells) {
  FlySpec spec = small({FlyGate::arm_only, FlyGate::either}, 3000);
  spec.energy_thresholds = {0.5, 0.8};
  const FlyResult one = lives(spec, 1), three = lives(spec, 3);
  ASSERT_EQ(one.cells.size(), three.cells.size());
  for (std::size_t i = 0; i < one.cells.size(); ++i) {
    EXPECT_EQ(one.cells[i].lifetime, three.cells[i].lifetime);
    EXPECT_EQ(one.cells[i].ltm_reserve, three.cells[i].ltm_reserve);
  }
  EXPECT_EQ(core::content_sha256(to_dataset(one)), core::content_sha256(to_dataset(three)));
  FlySpec single = spec;
  single.gates = {FlyGate::either};
  single.energy_thresholds = {0.8};
  single.hazards = {0.15};
  EXPECT_EQ(lives(single).at(0, 0).lifetime, one.at(2, 1, 1, 0).lifetime);
}

TEST(Fly, standard_error_is_that_of_repetition) {
  FlySpec spec = small({FlyGate::arm_only}, 500);
  spec.hazards = {0.1};
  double sum = 0, square = 0, claimed = 0;
  constexpr int k_runs = 200;
  for (int run = 0; run < k_runs; ++run) {
    spec.seed = static_cast<std::uint64_t>(run);
    const FlyLives life = lives(spec).at(0, 0);
    sum += life.lifetime / k_runs, square += life.lifetime * life.lifetime / k_runs;
    claimed += life.lifetime_error / k_runs;
  }
  const double spread = std::sqrt((square - sum * sum) * k_runs / (k_runs - 1));
  EXPECT_NEAR(spread / claimed, 1, 0.15) << "a standard deviation of 200 values is known to 5 %; three of those";
}

TEST(Fly, best_thresholds_are_the_longest_life_and_the_table_says_which) {
  FlySpec spec = small({FlyGate::none, FlyGate::energy, FlyGate::either}, 1000);
  spec.energy_thresholds = {0.2, 0.8, 2};
  spec.error_thresholds = {0.04, 1};
  const FlyResult r = lives(spec);
  const core::Dataset d = to_dataset(r);
  const std::vector<double> grid = d.numbers("lifetime_grid"), best = d.numbers("lifetime");
  const std::vector<double> c0 = d.numbers("best_energy_threshold"), c1 = d.numbers("best_error_threshold");
  for (std::size_t cell = 0; cell < 12; ++cell)
    EXPECT_EQ(best[cell], *std::max_element(&grid[6 * cell], &grid[6 * cell] + 6)) << cell;
  EXPECT_TRUE(std::isnan(c0[0]) && std::isnan(c1[0])) << "no gate, no threshold";
  EXPECT_TRUE(!std::isnan(c0[1]) && std::isnan(c1[1]));
  EXPECT_EQ(r.at(0, 1, 1, 0).lifetime, r.at(0, 1, 1, 1).lifetime) << "the energy gate ignores c1";
  const std::vector<double> common = d.numbers("common_lifetime");
  for (std::size_t cell = 0; cell < 12; ++cell) EXPECT_LE(common[cell], best[cell]);
}

TEST(Fly, bad_input_is_reported_at_once) {
  FlySpec spec;
  spec.flies = 0;
  spec.hazards = {1.5};
  spec.gates = {};
  spec.ltm_initial = 2;
  spec.reserve_lower = 0.9, spec.reserve_upper = 0.1;
  try {
    spec.check();
    FAIL();
  } catch (const core::Error& error) {
    EXPECT_EQ(error.diagnostics().size(), 5u);
  }
  FlySpec nan;
  nan.input_stdev = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(error_code([&] { lives(nan); }), "E104");
}

}  // namespace
}  // namespace eos::sim
