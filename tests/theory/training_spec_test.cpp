#include "eos/theory/training_spec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <set>

#include "eos/core/error.hpp"

namespace {

using namespace eos::theory;
using testing::HasSubstr;

std::vector<eos::core::Diagnostic> problems_of(const TrainingSpec& spec) {
  try {
    spec.check();
  } catch (const eos::core::Error& error) {
    return error.diagnostics();
  }
  return {};
}

Schedule flat_schedule() {
  Schedule s;
  s.edges = {0, 1};
  s.data_fraction = s.weight_fraction = {.5};
  s.learning_rate = {.1};
  return s;
}

TEST(TrainingSpec, defaults_are_a_valid_dense_run) {
  const TrainingSpec spec;
  EXPECT_TRUE(problems_of(spec).empty());
  EXPECT_EQ(spec.prices.name, "metabolic");
  EXPECT_GT(spec.prices.mac, 0);
}

TEST(TrainingSpec, contradictory_optimisers_are_refused) {
  const auto problem_of = [](auto&& change) {
    TrainingSpec spec;
    change(spec.optimiser);
    const auto problems = problems_of(spec);
    return problems.empty() ? std::string() : problems[0].message;
  };
  EXPECT_THAT(problem_of([](OptimiserSpec& o) { o.nesterov = true; }), HasSubstr("momentum = 0"));
  EXPECT_THAT(problem_of([](OptimiserSpec& o) { o.kind = OptimiserKind::adamw, o.momentum = 0.9, o.nesterov = true; }),
              HasSubstr("nesterov"));
  EXPECT_THAT(problem_of([](OptimiserSpec& o) { o.clip = -1; }), HasSubstr("optimiser.clip"));
  EXPECT_THAT(problem_of([](OptimiserSpec& o) { o.muon.steps = 0; }), HasSubstr("muon.steps"));
  EXPECT_THAT(problem_of([](OptimiserSpec& o) { o.muon.rest = OptimiserKind::muon; }), HasSubstr("muon.rest"));
  EXPECT_EQ(problem_of([](OptimiserSpec& o) { o.momentum = 0.9, o.nesterov = true, o.clip = 1; }), "");
  EXPECT_EQ(problem_of([](OptimiserSpec& o) {
              o.kind = OptimiserKind::muon, o.muon.rest = OptimiserKind::sgd, o.momentum = 0.9, o.nesterov = true;
            }),
            "");
}

TEST(TrainingSpec, every_preset_is_valid_and_labelled) {
  for (const std::string& method : selection_presets()) {
    TrainingSpec spec;
    spec.schedule = flat_schedule();
    spec.selection = selection_preset(method);
    EXPECT_EQ(spec.selection.method, method);
    EXPECT_TRUE(problems_of(spec).empty()) << method;
  }
  for (const std::string& method : plasticity_presets()) {
    TrainingSpec spec;
    spec.schedule = flat_schedule();
    spec.plasticity = plasticity_preset(method);
    EXPECT_EQ(spec.plasticity.method, method);
    EXPECT_TRUE(problems_of(spec).empty()) << method;
  }
  EXPECT_EQ(selection_presets().size(), 37u);
  const std::vector<std::string> names = plasticity_presets();
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
}

TEST(TrainingSpec, presets_say_what_the_papers_say) {
  const SelectionSpec dbpd = selection_preset("dbpd"), published = selection_preset("dbpd-two-forward");
  EXPECT_EQ(dbpd.gate, Gate::threshold);
  EXPECT_EQ(dbpd.tau, .3);
  EXPECT_FALSE(dbpd.two_forward);
  EXPECT_EQ(dbpd.batching, Batching::full);
  EXPECT_TRUE(published.two_forward);
  EXPECT_EQ(published.batching, Batching::shrink_mean);
  EXPECT_EQ(revision_length(published, 30), 1);
  EXPECT_EQ(keep_fraction(selection_preset("srd").law, selection_preset("srd").law_a, 0, 1, .005), .95);
  EXPECT_EQ(selection_preset("smrd").present, Present::random);
  EXPECT_EQ(selection_preset("infobatch").infobatch_r, .5);
  EXPECT_DOUBLE_EQ(revision_length(selection_preset("infobatch"), 16), 2);
  const SelectionSpec joint = selection_preset("joint");
  EXPECT_EQ(joint.present, Present::spaced);
  EXPECT_EQ(joint.gate, Gate::ratio);
  EXPECT_EQ(joint.ratio_alpha, .5);
  EXPECT_EQ(joint.spaced_threshold, .3);
  EXPECT_EQ(joint.spaced_probability, .15);
  const SelectionSpec derived = selection_preset("derived");
  EXPECT_EQ(derived.present, Present::inspected);
  EXPECT_EQ(derived.gate, Gate::ratio);
  EXPECT_EQ(derived.ratio_alpha, .5);
  EXPECT_EQ(plasticity_preset("derived").threshold_from, ThresholdFrom::energy);
  EXPECT_EQ(plasticity_preset("top-k").fraction, .1);
  EXPECT_TRUE(plasticity_preset("error-feedback").accumulate);
  EXPECT_FALSE(plasticity_preset("schedule").accumulate);
  EXPECT_TRUE(plasticity_preset("schedule-feedback").accumulate);
}

TEST(TrainingSpec, unknown_methods_are_refused_with_a_suggestion) {
  for (const auto& call : {std::function<void()>([] { selection_preset("dpbd"); }),
                           std::function<void()>([] { plasticity_preset("topk"); })}) {
    try {
      call();
      FAIL();
    } catch (const eos::core::Error& error) {
      EXPECT_EQ(error.diagnostics().at(0).code, "E106");
      EXPECT_THAT(error.diagnostics().at(0).help, testing::AnyOf(HasSubstr("dbpd"), HasSubstr("top-k")));
    }
  }
}

TEST(TrainingSpec, revision_is_at_most_the_whole_run) {
  SelectionSpec s;
  EXPECT_EQ(revision_length(s, 5), 0);
  s.revision_epochs = 9;
  EXPECT_EQ(revision_length(s, 5), 5);
  s.revision_epochs = 1;
  s.revision_share = .5;
  EXPECT_EQ(revision_length(s, 5), 2.5);
}

TEST(TrainingSpec, write_threshold_follows_the_rate) {
  const PlasticitySpec ef = plasticity_preset("error-feedback");
  EXPECT_DOUBLE_EQ(write_threshold(ef, .1, .1, 32), .13 * std::sqrt(.3 / 32));
  EXPECT_DOUBLE_EQ(write_threshold(ef, .1, .025, 32), .5 * .13 * std::sqrt(.3 / 32));
  PlasticitySpec fixed = plasticity_preset("threshold");
  EXPECT_DOUBLE_EQ(write_threshold(fixed, .1, .001, 32), 2e-4);
  fixed.theta = 0;
  EXPECT_EQ(write_threshold(fixed, .1, .1, 32), 0);
}

TEST(TrainingSpec, write_prices_set_the_threshold_of_marginal_value) {
  // A change -eta g gains eta g^2: worth lambda eta |g| of path above |change| = lambda eta, worth lambda as a write
  // above sqrt(lambda eta). The presets' prices make both 2e-4 at the rate 0.01.
  const PlasticitySpec m1 = plasticity_preset("write-price-m1"), m0 = plasticity_preset("write-price-m0");
  EXPECT_DOUBLE_EQ(write_threshold(m1, .01, .01, 1), 2e-4);
  EXPECT_DOUBLE_EQ(write_threshold(m0, .01, .01, 1), 2e-4);
  EXPECT_DOUBLE_EQ(write_threshold(m1, .01, .0025, 1), 5e-5);
  EXPECT_DOUBLE_EQ(write_threshold(m0, .01, .0025, 1), 1e-4);
}

TEST(TrainingSpec, matched_fractions_write_as_many_weights_in_every_layer) {
  // 784-N-10 without biases: 78.4 times the fraction, at most 1 (van Rossum & Pache 2024).
  const std::vector<std::int64_t> sizes{784 * 200, 200 * 10};
  EXPECT_THAT(layer_fractions(LayerShare::equal, .01, sizes), testing::ElementsAre(.01, .01));
  const std::vector<double> matched = layer_fractions(LayerShare::matched, .01, sizes);
  EXPECT_DOUBLE_EQ(matched[0], .01);
  EXPECT_DOUBLE_EQ(matched[1], .784);
  EXPECT_EQ(layer_fractions(LayerShare::matched, .1, sizes)[1], 1);
}

TEST(TrainingSpec, cache_thresholds_and_clocks_follow_their_formulas) {
  CacheSpec cache = plasticity_preset("cache-adaptive").cache;
  // theta = eta sqrt(3p/c) for updates +-eta with probability p: D = p eta^2.
  EXPECT_DOUBLE_EQ(cache_threshold(cache, .25 * .01 * .01, .001), .01 * std::sqrt(3 * .25 / .001));
  cache.scale = 2;
  EXPECT_DOUBLE_EQ(cache_threshold(cache, .25 * .01 * .01, .001), .02 * std::sqrt(3 * .25 / .001));
  EXPECT_EQ(cache_threshold(cache, 0, .001), 0);
  EXPECT_EQ(cache_threshold(cache, 1, 0), std::numeric_limits<double>::infinity());
  EXPECT_EQ(cache_threshold(plasticity_preset("cache").cache, 1, .001), .02);
  EXPECT_DOUBLE_EQ(cache_interval(plasticity_preset("cache-clock").cache, .01), 150);
  EXPECT_EQ(cache_upkeep(cache, builtin_prices("metabolic-cache")), 1e-3);
  cache.upkeep = .5;
  EXPECT_EQ(cache_upkeep(cache, builtin_prices("metabolic-cache")), .5);
  EXPECT_EQ(cache_upkeep(CacheSpec{}, builtin_prices("hbm2")), 0);
}

TEST(TrainingSpec, caches_join_with_rules_but_not_with_one_another) {
  const PlasticitySpec joined = plasticity_preset("cache-clock+write-price-m1");
  EXPECT_EQ(joined.cache.trigger, CacheTrigger::clock);
  EXPECT_EQ(joined.threshold_from, ThresholdFrom::path_price);
  EXPECT_THROW(plasticity_preset("cache+cache-clock"), eos::core::Error);
}

TEST(TrainingSpec, contradictions_are_reported_together) {
  TrainingSpec spec;
  spec.batch = 0;
  spec.epochs = -1;
  spec.seeds = {3, 3};
  spec.optimiser.momentum = 1;
  spec.selection.two_forward = true;
  spec.selection.tau = 1.5;
  spec.plasticity.accumulate = true;
  spec.optimiser.law = RateLaw::schedule;
  const auto problems = problems_of(spec);
  EXPECT_EQ(problems.size(), 8u);
}

TEST(TrainingSpec, each_contradiction_has_its_code) {
  struct Case {
    std::function<void(TrainingSpec&)> change;
    const char* code;
    const char* says;
  };
  const Case cases[] = {
      {[](TrainingSpec& s) { s.data.label_noise = 1; }, "E104", "label_noise"},
      {[](TrainingSpec& s) { s.data.train_samples = 0; }, "E104", "train_samples"},
      {[](TrainingSpec& s) { s.data.teacher.classes = 1; }, "E104", "classes"},
      {[](TrainingSpec& s) {
         s.network.hidden = {64, 0};
       },
       "E104", "hidden"},
      {[](TrainingSpec& s) { s.network.init_scale = 0; }, "E104", "init_scale"},
      {[](TrainingSpec& s) { s.optimiser.learning_rate = std::nan(""); }, "E104", "learning_rate"},
      {[](TrainingSpec& s) { s.optimiser.warmup_epochs = 99; }, "E104", "warmup"},
      {[](TrainingSpec& s) { s.selection.fraction = 0; }, "E104", "fraction"},
      {[](TrainingSpec& s) { s.selection.minimum_kept = 64; }, "E104", "minimum_kept"},
      {[](TrainingSpec& s) {
         s.selection.stored = {.5, 1.5};
       },
       "E104", "stored"},
      {[](TrainingSpec& s) { s.seeds.clear(); }, "E107", "seeds"},
      {[](TrainingSpec& s) {
         s.selection = selection_preset("smrd");
         s.selection.fraction_source = FractionSource::stored;
       },
       "E107", "stored"},
      {[](TrainingSpec& s) {
         s.selection = selection_preset("joint");
         s.prices = {};
       },
       "E107", "free"},
      {[](TrainingSpec& s) { s.plasticity.fraction_source = FractionSource::law; }, "E107", "fraction_source"},
      {[](TrainingSpec& s) { s.plasticity = plasticity_preset("error-feedback+cache"); }, "E107", "cannot wait"},
      {[](TrainingSpec& s) {
         s.plasticity = plasticity_preset("cache-adaptive");
         s.prices = builtin_prices("hbm2");
       },
       "E107", "upkeep c is 0"},
      {[](TrainingSpec& s) {
         s.plasticity = plasticity_preset("cache-clock");
         s.prices = builtin_prices("hbm2");
       },
       "E107", "3/(2c)"},
      {[](TrainingSpec& s) { s.plasticity.cache.tau = -1; }, "E104", "cache.tau"},
      {[](TrainingSpec& s) {
         s.plasticity = plasticity_preset("top-k-per-neuron");
         s.plasticity.accumulate = true;
       },
       "E107", "accumulate"},
      {[](TrainingSpec& s) { s.selection = selection_preset("schedule"); }, "E502", "selection"},
      {[](TrainingSpec& s) { s.plasticity = plasticity_preset("schedule"); }, "E502", "plasticity"},
      {[](TrainingSpec& s) {
         s.optimiser.law = RateLaw::schedule;
         s.schedule = flat_schedule();
         s.schedule.learning_rate.clear();
       },
       "E502", "no learning rates"},
      {[](TrainingSpec& s) {
         s.schedule = flat_schedule();
         s.schedule.edges = {0, .5};
       },
       "E502", "0 to 1"},
  };
  for (const Case& c : cases) {
    TrainingSpec spec;
    c.change(spec);
    const auto problems = problems_of(spec);
    ASSERT_EQ(problems.size(), 1u) << c.says;
    EXPECT_EQ(problems[0].code, c.code) << c.says;
    EXPECT_THAT(problems[0].message, HasSubstr(c.says));
  }
}

}  // namespace
