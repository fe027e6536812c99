#include "eos/theory/perceptron_spec.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "eos/core/error.hpp"
#include "eos/theory/interval.hpp"

namespace eos::theory {
namespace {

std::string problems_of(const PerceptronSpec& spec) {
  try {
    spec.check();
  } catch (const core::Error& error) {
    std::string all;
    for (const core::Diagnostic& d : error.diagnostics()) all += d.code + " " + d.message + "\n";
    return all;
  }
  return "";
}

PerceptronSpec cached() {
  PerceptronSpec spec;
  spec.cache.variant = CacheVariant::local_local;
  spec.cache.maintenance = {.01};
  return spec;
}

TEST(PerceptronSpec, defaults_are_a_valid_experiment) {
  EXPECT_EQ(problems_of(PerceptronSpec{}), "");
  EXPECT_EQ(problems_of(cached()), "");
}

TEST(PerceptronSpec, every_problem_is_named_at_once) {
  PerceptronSpec spec = cached();
  spec.inputs = 0, spec.patterns = {10, 0}, spec.rate = 0, spec.alphas = {-1}, spec.replicas = 0;
  spec.cache.thresholds = {-1}, spec.cache.decays = {.5}, spec.cache.maintenance = {};
  const std::string said = problems_of(spec);
  for (const char* name : {"inputs", "patterns", "rate", "alphas", "replicas", "cache.thresholds", "cache.decays",
                           "cache.maintenance is empty"})
    EXPECT_THAT(said, testing::HasSubstr(name));
}

TEST(PerceptronSpec, laws_that_need_a_price_refuse_to_run_without) {
  PerceptronSpec spec = cached();
  spec.cache.maintenance = {.01, 0};
  spec.cache.trigger = CacheTrigger::adaptive;
  EXPECT_THAT(problems_of(spec), testing::HasSubstr("E107 cache.trigger"));
  spec.cache.trigger = CacheTrigger::clock;
  EXPECT_THAT(problems_of(spec), testing::HasSubstr("best interval"));
  spec.cache.intervals = {100};
  EXPECT_EQ(problems_of(spec), "");
}

TEST(PerceptronSpec, laws_of_one_synapse_do_not_apply_to_the_sum) {
  PerceptronSpec spec = cached();
  spec.cache.variant = CacheVariant::global_global;
  spec.cache.trigger = CacheTrigger::adaptive;
  EXPECT_THAT(problems_of(spec), testing::HasSubstr("threshold of one synapse"));
  spec.cache.trigger = CacheTrigger::constant, spec.cache.quantised = true;
  EXPECT_THAT(problems_of(spec), testing::HasSubstr("whole multiples"));
}

TEST(PerceptronSpec, too_much_is_refused_before_it_is_run) {
  PerceptronSpec spec;
  spec.inputs = 100000, spec.patterns = {100000};
  EXPECT_THAT(problems_of(spec), testing::HasSubstr("signs"));
  spec = cached();
  spec.cache.thresholds.assign(2000, 1), spec.cache.maintenance.assign(1000, .1);
  EXPECT_THAT(problems_of(spec), testing::HasSubstr("runs"));
}

TEST(PerceptronSpec, cells_are_all_combinations_with_the_price_fastest) {
  PerceptronSpec spec = cached();
  spec.patterns = {10, 20}, spec.cache.decays = {0, 100}, spec.cache.thresholds = {1, 2, 3};
  spec.cache.maintenance = {.1, .2};
  const std::vector<PerceptronCell> cells = cells_of(spec);
  ASSERT_EQ(cells.size(), 24u);
  EXPECT_EQ(cells[1].maintenance, .2);
  EXPECT_EQ(cells[2].setting, 2);
  EXPECT_EQ(cells[6].decay, 100);
  EXPECT_EQ(cells[12].patterns, 20);
  spec.cache.variant = CacheVariant::none;
  EXPECT_EQ(cells_of(spec).size(), 2u) << "without a cache its lists do not matter";
}

TEST(PerceptronSpec, the_clock_ticks_at_the_closed_form_unless_told_otherwise) {
  EXPECT_EQ(clock_interval(0, .01), 150);
  EXPECT_EQ(clock_interval(0, 100), 1);
  EXPECT_EQ(clock_interval(40, .01), 40);
}

TEST(PerceptronSpec, strict_comparison_absorbs_whole_steps_one_later) {
  EXPECT_EQ(effective_threshold(5, 1), 6);
  EXPECT_EQ(effective_threshold(4.5, 1), 5);
  EXPECT_DOUBLE_EQ(effective_threshold(.3, .1), .4);  // .3/.1 is 2.9999999999999996
}

TEST(MeanInterval, is_students) {
  const std::vector<double> five{1, 2, 3, 4, 5}, one{1};
  const Interval x = mean_interval(five);
  EXPECT_DOUBLE_EQ(x.mean, 3);
  EXPECT_NEAR(x.half, 2.776445 * std::sqrt(2.5 / 5), 1e-6);  // t_{4, 0.975} of the printed tables
  EXPECT_TRUE(std::isnan(mean_interval(one).half));
}

TEST(MeanInterval, leaves_out_what_is_no_number) {
  const std::vector<double> gap{1, std::nan(""), 3};
  EXPECT_EQ(mean_interval(gap).count, 2);
  EXPECT_DOUBLE_EQ(mean_interval(gap).mean, 2);
}

}  // namespace
}  // namespace eos::theory
