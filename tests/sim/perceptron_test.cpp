// Grids of perceptrons: prices, limits, closed forms, independence of threads. The counts themselves are held against a
// dense count in tests/kernels/perceptron_test.cpp.
#include "eos/sim/perceptron.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <cmath>

#include "eos/core/error.hpp"
#include "eos/theory/interval.hpp"

namespace eos::sim {
namespace {

using theory::CacheTrigger;
using theory::CacheVariant;
using theory::PerceptronSpec;

PerceptronSpec small(CacheVariant variant = CacheVariant::none) {
  PerceptronSpec spec;
  spec.inputs = 200, spec.patterns = {200}, spec.replicas = 4, spec.seed = 5;
  spec.cache.variant = variant;
  return spec;
}

PerceptronGrid run(const PerceptronSpec& spec, int threads = 1) {
  core::Progress silent;
  return run_perceptrons(spec, silent, {"cpu", threads});
}

TEST(Perceptrons, without_threshold_they_pay_for_the_straight_way_and_at_zero_for_every_update) {
  PerceptronSpec spec = small(CacheVariant::local_local);
  spec.cache.thresholds = {0, 1e9};
  for (const CacheVariant variant :
       {CacheVariant::local_local, CacheVariant::local_global, CacheVariant::global_global}) {
    spec.cache.variant = variant;
    const PerceptronGrid grid = run(spec);
    for (int r = 0; r < spec.replicas; ++r) {
      const PerceptronResult &at_once = grid.results[0][r], &never = grid.results[1][r];
      // Both are sums of the same numbers, 2e4 at most, in another order.
      EXPECT_NEAR(at_once.m_cache(), at_once.m_alpha[0], 1e-11 * at_once.m_alpha[0]);
      EXPECT_NEAR(never.m_cache(), never.m_min[0], 1e-11 * never.m_min[0]);
      EXPECT_EQ(never.m_cleanup, never.m_cons);
      EXPECT_EQ(at_once.m_cleanup, 0);
    }
  }
}

TEST(Perceptrons, results_do_not_depend_on_threads_or_on_what_else_is_run) {
  PerceptronSpec spec = small(CacheVariant::local_local);
  spec.patterns = {50, 200}, spec.cache.decays = {0, 500}, spec.cache.maintenance = {.01, .02};
  spec.max_epochs = 40;  // decay with a large threshold never converges
  spec.cache.thresholds.clear();
  for (int i = 0; i < 20; ++i) spec.cache.thresholds.push_back(.5 + i);  // more than share one run
  const PerceptronGrid grid = run(spec);
  EXPECT_EQ(core::content_sha256(to_dataset(grid)), core::content_sha256(to_dataset(run(spec, 3))));
  PerceptronSpec one = spec;
  one.patterns = {200}, one.cache.thresholds = {18.5}, one.cache.decays = {0}, one.cache.maintenance = {.02};
  const std::size_t cell = 80 + 18 * 2 + 1;
  ASSERT_EQ(grid.cells[cell].setting, 18.5);
  for (int r = 0; r < spec.replicas; ++r) EXPECT_EQ(run(one).results[0][r].m_cache(), grid.results[cell][r].m_cache());
}

TEST(Perceptrons, prices_multiply_counts) {
  PerceptronSpec spec = small(CacheVariant::local_local);
  spec.cache.thresholds = {2.5}, spec.cache.maintenance = {.01, .03}, spec.cache.change_price = .5;
  const PerceptronGrid grid = run(spec);
  const PerceptronResult &cheap = grid.results[0][0], &dear = grid.results[1][0];
  EXPECT_DOUBLE_EQ(dear.m_trans, 3 * cheap.m_trans);
  EXPECT_EQ(dear.m_cons, cheap.m_cons);
  EXPECT_EQ(dear.m_change, cheap.m_change);
  // b N K (1 - 1/ceil(theta)^2) with barrier 3: updates that are consolidated at once are one in nine. A walk that is
  // not quite random, and so short, keeps within 10 %.
  EXPECT_NEAR(cheap.m_change, .5 * cheap.m_alpha[0] * (1 - 1 / 9.), .1 * cheap.m_change);
}

TEST(Perceptrons, energies_scale_with_the_rate) {
  PerceptronSpec spec = small(CacheVariant::local_local);
  spec.alphas = {0, .5, 2}, spec.cache.thresholds = {2.5}, spec.cache.maintenance = {.01};
  const PerceptronResult one = run(spec).results[0][0];
  spec.rate = .25, spec.cache.thresholds = {.625};
  const PerceptronResult quarter = run(spec).results[0][0];
  EXPECT_EQ(one.updates, quarter.updates) << "a perceptron that starts at zero does not feel its rate";
  EXPECT_DOUBLE_EQ(quarter.m_cache(), .25 * one.m_cache());
  EXPECT_DOUBLE_EQ(quarter.m_alpha[0], one.m_alpha[0]);
  EXPECT_NEAR(quarter.m_alpha[1], .5 * one.m_alpha[1], 1e-12 * one.m_alpha[1]);
  EXPECT_NEAR(quarter.m_min[2], one.m_min[2] / 16, 1e-12 * one.m_min[2]);
  EXPECT_NEAR(quarter.variance, one.variance, 1e-12);
}

TEST(Perceptrons, exponents_count_updates_and_distances) {
  PerceptronSpec spec = small();
  spec.alphas = {0, 1};
  const PerceptronGrid grid = run(spec);
  for (const PerceptronResult& r : grid.results[0]) {
    EXPECT_DOUBLE_EQ(r.m_alpha[0], static_cast<double>(r.updates * 201)) << "alpha = 0 counts written weights";
    EXPECT_LE(r.m_min[0], 201);
    // Potentiation and depression are about equally many.
    EXPECT_NEAR(r.m_alpha_up[1] / r.m_alpha[1], .5, .05);
    EXPECT_GT(r.m_alpha[1], r.m_min[1]);
  }
}

TEST(Perceptrons, without_decay_the_walk_between_thresholds_has_its_closed_form) {
  PerceptronSpec spec = small(CacheVariant::local_local);
  spec.inputs = 1000, spec.patterns = {1000}, spec.replicas = 3;
  spec.cache.thresholds = {2.5, 4.5}, spec.cache.maintenance = {.01};
  const core::Dataset data = to_dataset(run(spec));
  const std::vector<double> energy = data.numbers("m_cache"), form = data.numbers("theory_m_cache");
  for (std::size_t i = 0; i < energy.size(); ++i)
    // Updates of a synapse are anticorrelated over epochs, so it walks less far than a random one.
    EXPECT_NEAR(energy[i] / form[i], .9, .1);
}

TEST(Perceptrons, with_decay_power_follows_the_steady_state) {
  PerceptronSpec spec = small(CacheVariant::local_local);
  spec.inputs = 1000, spec.patterns[0] = 1000;
  spec.cache.decays = {500}, spec.cache.thresholds = {4.5}, spec.cache.maintenance = {.01};
  spec.max_epochs = spec.course_epochs = 1, spec.replicas = 3;
  const core::Dataset data = to_dataset(run(spec));
  for (const char* name : {"power_consolidation", "power_maintenance"}) {
    const double measured = theory::mean_interval(data.numbers(name)).mean;
    const double form = theory::mean_interval(data.numbers(std::string("theory_") + name)).mean;
    // The epoch starts with empty caches: the first synapses are consolidated after some 50 presentations of 1000.
    EXPECT_NEAR(measured / form, 1, .15) << name;
  }
}

TEST(Perceptrons, the_adaptive_threshold_saves_what_its_closed_form_says) {
  PerceptronSpec spec = small(CacheVariant::local_local);
  spec.inputs = 1000, spec.patterns[0] = 1000, spec.replicas = 3;
  spec.cache.trigger = CacheTrigger::adaptive, spec.cache.maintenance = {.001};
  const core::Dataset data = to_dataset(run(spec));
  const std::vector<double> energy = data.numbers("m_cache"), form = data.numbers("theory_m_cache");
  for (std::size_t i = 0; i < energy.size(); ++i) EXPECT_NEAR(energy[i] / form[i], .85, .15);
  for (const double saving : data.numbers("theory_saving")) EXPECT_NEAR(saving, .766, .05);
}

TEST(Perceptrons, the_best_clock_is_the_stated_one) {
  PerceptronSpec spec = small(CacheVariant::global_global);
  spec.cache.trigger = CacheTrigger::clock;
  spec.cache.maintenance = {.01, .02}, spec.cache.intervals = {0, 75, 150};
  const PerceptronGrid grid = run(spec);  // cells: interval 0 at both prices, 75 at both, 150 at both
  for (int r = 0; r < spec.replicas; ++r) {
    EXPECT_EQ(grid.results[0][r].m_cons, grid.results[4][r].m_cons) << "c = .01: 150";
    EXPECT_EQ(grid.results[1][r].m_cons, grid.results[3][r].m_cons) << "c = .02: 75";
    EXPECT_NE(grid.results[0][r].m_cons, grid.results[1][r].m_cons);
  }
}

TEST(Perceptrons, runs_that_do_not_converge_stay_in_the_table_and_are_marked) {
  PerceptronSpec spec = small();
  spec.inputs = 30, spec.patterns = {20, 200}, spec.max_epochs = 20;
  const core::Dataset data = to_dataset(run(spec));
  EXPECT_THAT(data.numbers("converged"), testing::ElementsAre(1, 1, 1, 1, 0, 0, 0, 0));
  EXPECT_EQ(data.numbers("epochs").back(), 20);
  EXPECT_TRUE(std::isnan(data.numbers("theory_updates").back())) << "beyond capacity there is no closed form";
}

class StopsAfter : public core::Progress {
 public:
  explicit StopsAfter(int asks) : left_(asks) {}
  bool stop_requested() const override { return left_-- <= 0; }

 private:
  mutable std::atomic<int> left_;
};

TEST(Perceptrons, a_requested_stop_leaves_the_rest_marked) {
  StopsAfter progress(2);
  const PerceptronGrid grid = run_perceptrons(small(), progress);
  EXPECT_TRUE(grid.stopped);
  EXPECT_TRUE(grid.results[0][1].finished);
  EXPECT_FALSE(grid.results[0][2].finished);
  EXPECT_EQ(to_dataset(grid).text("status"), "partial");
}

}  // namespace
}  // namespace eos::sim
