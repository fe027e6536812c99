#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "eos/core/error.hpp"
#include "eos/theory/sweep_spec.hpp"

namespace {

using eos::core::Error;
using eos::theory::expand;
using eos::theory::SweepAxis;
using eos::theory::SweepDesign;
using eos::theory::SweepPoint;
using eos::theory::SweepSpec;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

SweepAxis values(const std::string& key, const std::vector<std::string>& words) {
  SweepAxis axis;
  axis.keys = {key};
  for (const std::string& word : words) axis.values.push_back({word});
  return axis;
}

SweepAxis range(const std::string& key, double from, double to, int count = 0) {
  SweepAxis axis;
  axis.keys = {key}, axis.from = from, axis.to = to, axis.count = count;
  return axis;
}

/// "0.1 dbpd; 0.1 ranked; ...": the words of every point.
std::string shown(const std::vector<SweepPoint>& points) {
  std::string text;
  for (const SweepPoint& point : points) {
    text += text.empty() ? "" : "; ";
    for (std::size_t i = 0; i < point.set.size(); ++i) text += (i == 0 ? "" : " ") + point.set[i].second;
  }
  return text;
}

std::string shown(const SweepSpec& spec) { return shown(expand(spec)); }

/// Number `axis` of every point.
std::vector<double> column(const std::vector<SweepPoint>& points, std::size_t axis) {
  std::vector<double> numbers;
  for (const SweepPoint& point : points) numbers.push_back(std::stod(point.set.at(axis).second));
  return numbers;
}

SweepSpec drawn(SweepDesign design, std::vector<SweepAxis> axes, int samples, std::uint64_t seed = 0) {
  SweepSpec spec;
  spec.design = design, spec.axes = std::move(axes), spec.samples = samples, spec.seed = seed;
  return spec;
}

/// Code and message of every problem of a spec.
std::vector<std::string> problems(const SweepSpec& spec) {
  try {
    spec.check();
  } catch (const Error& error) {
    std::vector<std::string> all;
    for (const auto& d : error.diagnostics()) all.push_back(d.code + " " + d.message);
    return all;
  }
  return {};
}

TEST(SweepDesign, a_grid_has_every_combination_and_its_last_axis_is_fastest) {
  SweepSpec spec;
  spec.axes = {values("a.x", {"1", "2"}), values("a.y", {"\"p\"", "\"q\"", "\"r\""}), values("a.z", {"[1, 2]"})};
  EXPECT_EQ(shown(spec),
            "1 \"p\" [1, 2]; 1 \"q\" [1, 2]; 1 \"r\" [1, 2]; 2 \"p\" [1, 2]; 2 \"q\" [1, 2]; 2 \"r\" [1, 2]");
  EXPECT_EQ(expand(spec)[4].set[1], (std::pair<std::string, std::string>{"a.y", "\"q\""}));
  EXPECT_EQ(expand(SweepSpec{}).size(), 1u);  // no axes: the run as it is, under several seeds
}

TEST(SweepDesign, ranges_have_equal_steps_or_ratios_and_round_numbers) {
  SweepSpec spec;
  spec.axes = {range("a.x", 0, 0.3, 4)};
  EXPECT_EQ(shown(spec), "0; 0.1; 0.2; 0.3");  // not 0.30000000000000004
  spec.axes = {range("a.x", 1e-4, 1, 5)};
  spec.axes[0].log = true;
  EXPECT_EQ(shown(spec), "0.0001; 0.001; 0.01; 0.1; 1");
  spec.axes = {range("a.x", 1, 100, 4)};
  spec.axes[0].log = spec.axes[0].whole = true;
  EXPECT_EQ(shown(spec), "1; 5; 22; 100");  // 10^(2/3) = 4.64, 10^(4/3) = 21.5
  spec.axes = {range("a.x", 1, 3, 9)};
  spec.axes[0].whole = true;
  EXPECT_EQ(shown(spec), "1; 2; 3");  // repetitions are left out
  spec.axes = {range("a.x", -2, 7, 1)};
  EXPECT_EQ(shown(spec), "-2");
  spec.axes = {range("a.x", 0.1234567890123456, 0.7, 2)};
  EXPECT_EQ(shown(spec), "0.1234567890123456; 0.7");  // ends are exact
}

TEST(SweepDesign, keys_of_one_axis_move_together) {
  SweepSpec spec;
  SweepAxis axis;
  axis.keys = {"selection.method", "plasticity.method"};
  axis.values = {{"\"all\"", "\"all\""}, {"\"dbpd\"", "\"top-k\""}};
  spec.axes = {axis, range("a.x", 1, 2, 2)};
  EXPECT_EQ(shown(spec), "\"all\" \"all\" 1; \"all\" \"all\" 2; \"dbpd\" \"top-k\" 1; \"dbpd\" \"top-k\" 2");
  spec.axes[1].keys = {"a.x", "a.y"};
  EXPECT_EQ(shown(spec), "\"all\" \"all\" 1 1; \"all\" \"all\" 2 2; \"dbpd\" \"top-k\" 1 1; \"dbpd\" \"top-k\" 2 2");
}

TEST(SweepDesign, an_axis_exists_where_its_condition_holds) {
  SweepSpec spec;
  spec.axes = {values("tau", {"0.1", "0.2"}), values("method", {"\"all\"", "\"dbpd\"", "\"random\""}),
               values("fraction", {"0.5", "1"})};
  spec.axes[0].when["method"] = {"\"dbpd\""};
  spec.axes[2].when["method"] = {"\"dbpd\"", "\"random\""};
  // 1 of all, 2 x 2 of dbpd, 2 of random; those that the condition makes equal stand where the first of them stood
  EXPECT_EQ(shown(spec),
            "\"all\"; 0.1 \"dbpd\" 0.5; 0.1 \"dbpd\" 1; \"random\" 0.5; \"random\" 1; 0.2 \"dbpd\" 0.5; "
            "0.2 \"dbpd\" 1");
}

TEST(SweepDesign, conditions_chain_and_numbers_match_however_they_are_written) {
  SweepSpec spec;
  spec.axes = {values("c", {"7"}), values("b", {"1", "2.0"}), values("a", {"true", "false"})};
  spec.axes[0].when["b"] = {"2"};  // exists only where b exists
  spec.axes[1].when["a"] = {"true"};
  EXPECT_EQ(shown(spec), "1 true; false; 7 2.0 true");
  EXPECT_TRUE(eos::theory::same_word("1e-3", "0.001"));
  EXPECT_TRUE(eos::theory::same_word("+5", "5.0"));
  EXPECT_FALSE(eos::theory::same_word("9007199254740993", "9007199254740992"));
  EXPECT_FALSE(eos::theory::same_word("\"1\"", "1"));
  EXPECT_FALSE(eos::theory::same_word("2020-01-01", "2020"));
}

TEST(SweepDesign, one_key_may_have_different_values_under_conditions_that_exclude_each_other) {
  SweepSpec spec;
  spec.axes = {values("method", {"\"a\"", "\"b\""}), values("x.rate", {"1", "2"}), values("x.rate", {"10"})};
  EXPECT_THAT(problems(spec),
              ElementsAre(AllOf(HasSubstr("E107"), HasSubstr("sweep.axes[2] sets x.rate, as axes[1]"))));
  spec.axes[1].when["method"] = {"\"a\""}, spec.axes[2].when["method"] = {"\"b\""};
  EXPECT_EQ(shown(spec), "\"a\" 1; \"a\" 2; \"b\" 10");
  spec.complete();
  EXPECT_EQ(spec.axes[1].name, "x_rate");
  EXPECT_EQ(spec.axes[2].name, "x_rate_2");
  const auto points = expand(spec);
  const auto all = coordinates(spec);
  EXPECT_EQ(value_at(all[1], points[1]).number, 2);
  EXPECT_FALSE(value_at(all[2], points[1]).given);
  EXPECT_EQ(value_at(all[2], points[2]).number, 10);
}

TEST(SweepDesign, exclusions_drop_points_that_match_every_key) {
  SweepSpec spec;
  spec.axes = {values("a", {"1", "2", "3"}), values("b", {"1", "2"})};
  spec.exclude = {{{"a", {"1", "3"}}, {"b", {"2"}}}};
  EXPECT_EQ(shown(spec), "1 1; 2 1; 2 2; 3 1");
  spec.exclude.push_back({{"b", {"1"}}});
  EXPECT_EQ(shown(spec), "2 2");
  spec.exclude.push_back({{"b", {"2"}}});
  EXPECT_THROW(expand(spec), Error);
}

TEST(SweepDesign, a_list_is_taken_as_it_stands) {
  SweepSpec spec;
  spec.design = SweepDesign::list;
  spec.runs = {{{{"b", "1"}}}, {{{"a.c", "\"x\""}, {"b", "2"}}}, {{{"b", "1"}}}, {}};
  EXPECT_EQ(shown(spec), "1; \"x\" 2; ");
  const auto all = coordinates(spec);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].name, "b");
  EXPECT_TRUE(all[0].number);
  EXPECT_EQ(all[1].name, "c");
  EXPECT_EQ(value_at(all[1], spec.runs[1]).text, "x");
  EXPECT_FALSE(value_at(all[1], spec.runs[0]).given);
}

TEST(SweepDesign, a_latin_hypercube_has_one_point_in_every_bin_of_every_axis) {
  for (const int n : {1, 2, 7, 64, 1000})
    for (const std::uint64_t seed : {0u, 1u, 20260101u}) {
      auto spec =
          drawn(SweepDesign::latin_hypercube, {range("x", 0, 1), range("y", 1e-4, 1), range("z", -3, 5)}, n, seed);
      spec.axes[1].log = true;
      const auto points = expand(spec);
      ASSERT_EQ(points.size(), static_cast<std::size_t>(n));
      const auto x = column(points, 0), y = column(points, 1), z = column(points, 2);
      std::vector<std::set<int>> bins(3);
      for (std::size_t p = 0; p < points.size(); ++p) {
        const double u[] = {x[p], std::log(y[p] / 1e-4) / std::log(1e4), (z[p] + 3) / 8};
        for (std::size_t a = 0; a < 3; ++a) bins[a].insert(static_cast<int>(std::floor(u[a] * n)));
      }
      for (const auto& bin : bins) EXPECT_EQ(bin.size(), static_cast<std::size_t>(n)) << n << " " << seed;
    }
}

// The bins of different axes are not tied to each other: |correlation| of n pairs has standard deviation 1/sqrt(n - 1).
TEST(SweepDesign, the_axes_of_a_latin_hypercube_are_permuted_independently) {
  const auto points = expand(drawn(SweepDesign::latin_hypercube, {range("x", 0, 1), range("y", 0, 1)}, 4096, 3));
  const auto x = column(points, 0), y = column(points, 1);
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += (x[i] - 0.5) * (y[i] - 0.5);
  EXPECT_LT(std::abs(sum / 4096 * 12), 4.0 / 64);  // 4 standard deviations: 6e-5 false alarms
}

TEST(SweepDesign, values_of_a_latin_hypercube_occur_equally_often) {
  const auto points =
      expand(drawn(SweepDesign::latin_hypercube, {values("m", {"1", "2", "3", "4"}), range("x", 0, 1)}, 32, 5));
  std::map<std::string, int> counts;
  for (const SweepPoint& point : points) ++counts[point.set[0].second];
  EXPECT_EQ(counts, (std::map<std::string, int>{{"1", 8}, {"2", 8}, {"3", 8}, {"4", 8}}));
}

// scipy 1.10.1: (qmc.Sobol(6, scramble=False).random(16) * 16).astype(int)
TEST(SweepDesign, sobol_points_are_those_of_scipy) {
  const int expected[16][6] = {
      {0, 0, 0, 0, 0, 0},   {8, 8, 8, 8, 8, 8},     {12, 4, 4, 4, 12, 12},   {4, 12, 12, 12, 4, 4},
      {6, 6, 10, 14, 6, 2}, {14, 14, 2, 6, 14, 10}, {10, 2, 14, 10, 10, 14}, {2, 10, 6, 2, 2, 6},
      {3, 5, 15, 7, 9, 5},  {11, 13, 7, 15, 1, 13}, {15, 1, 11, 3, 5, 9},    {7, 9, 3, 11, 13, 1},
      {5, 3, 5, 9, 15, 7},  {13, 11, 13, 1, 7, 15}, {9, 7, 1, 13, 3, 11},    {1, 15, 9, 5, 11, 3}};
  std::vector<SweepAxis> axes;
  for (int a = 0; a < 6; ++a) axes.push_back(range(fmt::format("x{}", a), 0, 16));
  const auto points = expand(drawn(SweepDesign::sobol, axes, 16));
  ASSERT_EQ(points.size(), 16u);
  for (std::size_t p = 0; p < 16; ++p)
    for (std::size_t a = 0; a < 6; ++a) EXPECT_EQ(column(points, a)[p], expected[p][a]) << p << " " << a;
}

// scipy 1.10.1: (qmc.Sobol(40, scramble=False).random(32)[17] * 32).astype(int)
TEST(SweepDesign, sobol_points_of_many_axes_are_those_of_scipy) {
  const std::vector<double> expected{19, 31, 31, 5, 25, 15, 1,  11, 31, 21, 19, 29, 5,  5,  27, 17, 9,  3,  9,  17,
                                     7,  13, 3,  3, 1,  21, 21, 11, 23, 27, 29, 27, 19, 13, 31, 15, 25, 17, 17, 13};
  std::vector<SweepAxis> axes;
  for (int a = 0; a < 40; ++a) axes.push_back(range(fmt::format("x{}", a), 0, 32));
  const auto points = expand(drawn(SweepDesign::sobol, axes, 32));
  for (std::size_t a = 0; a < 40; ++a) EXPECT_EQ(std::stod(points[17].set[a].second), expected[a]) << a;
}

TEST(SweepDesign, a_shifted_sobol_sequence_keeps_its_balance_and_moves_every_point) {
  for (const std::uint64_t seed : {1u, 2u, 77u}) {
    const auto points =
        expand(drawn(SweepDesign::sobol, {range("x", 0, 1), range("y", 0, 1), range("z", 0, 1)}, 64, seed));
    for (std::size_t a = 0; a < 3; ++a) {
      std::set<int> bins;
      for (const double u : column(points, a)) bins.insert(static_cast<int>(u * 64));
      EXPECT_EQ(bins.size(), 64u);
      EXPECT_NE(column(points, a)[0], 0);
    }
    std::set<std::pair<int, int>> cells;  // a (0, 6, 2)-net in the first two axes: one point in each of 8 x 8 cells
    for (std::size_t p = 0; p < 64; ++p)
      cells.emplace(static_cast<int>(column(points, 0)[p] * 8), static_cast<int>(column(points, 1)[p] * 8));
    EXPECT_EQ(cells.size(), 64u);
  }
}

/// Largest distance of the empirical distribution from the uniform one, times sqrt(n).
double kolmogorov(std::vector<double> u) {
  std::sort(u.begin(), u.end());
  const auto n = static_cast<double>(u.size());
  double distance = 0;
  for (std::size_t i = 0; i < u.size(); ++i)
    distance = std::max({distance, (static_cast<double>(i) + 1) / n - u[i], u[i] - static_cast<double>(i) / n});
  return distance * std::sqrt(n);
}

TEST(SweepDesign, random_draws_are_uniform_in_their_scale) {
  auto spec = drawn(SweepDesign::random, {range("x", -1, 3), range("y", 1e-3, 10)}, 20000, 9);
  spec.axes[1].log = true;
  const auto points = expand(spec);
  std::vector<double> x = column(points, 0), y = column(points, 1);
  for (double& v : x) v = (v + 1) / 4;
  for (double& v : y) v = std::log(v / 1e-3) / std::log(1e4);
  // Kolmogorov & Smirnov: 2 exp(-2 * 2.23^2) = 1e-4 false alarms each; the seed is fixed.
  EXPECT_LT(kolmogorov(x), 2.23);
  EXPECT_LT(kolmogorov(y), 2.23);
}

TEST(SweepDesign, random_whole_numbers_and_values_are_equally_likely) {
  auto spec = drawn(SweepDesign::random, {range("n", 3, 7), values("v", {"1", "2", "4"}), range("x", 0, 1)}, 15000, 2);
  spec.axes[0].whole = true;
  std::map<std::string, int> whole, value;
  for (const SweepPoint& point : expand(spec)) ++whole[point.set[0].second], ++value[point.set[1].second];
  ASSERT_EQ(whole.size(), 5u);
  ASSERT_EQ(value.size(), 3u);
  for (const auto& [word, n] : whole) EXPECT_NEAR(n, 3000, 4.5 * 49) << word;  // binomial; 7e-6 false alarms each
  for (const auto& [word, n] : value) EXPECT_NEAR(n, 5000, 4.5 * 57.8) << word;
}

TEST(SweepDesign, more_samples_continue_a_random_design_and_the_seed_changes_it) {
  const std::vector<SweepAxis> axes{range("x", 0, 1), range("y", 0, 1)};
  const auto few = expand(drawn(SweepDesign::random, axes, 10, 4)),
             many = expand(drawn(SweepDesign::random, axes, 20, 4));
  EXPECT_EQ(shown(few), shown(std::vector<SweepPoint>(many.begin(), many.begin() + 10)));
  EXPECT_NE(shown(few), shown(expand(drawn(SweepDesign::random, axes, 10, 5))));
}

// Printed here once: the files of old sweeps must stay the same runs.
TEST(SweepDesign, draws_never_change) {
  auto axes = std::vector<SweepAxis>{range("x", 1e-3, 1), values("m", {"\"a\"", "\"b\"", "\"c\""})};
  axes[0].log = true;
  EXPECT_EQ(shown(expand(drawn(SweepDesign::random, axes, 3, 1))),
            "0.00109061477412 \"c\"; 0.236277900976 \"c\"; 0.00270097036313 \"c\"");
  EXPECT_EQ(shown(expand(drawn(SweepDesign::latin_hypercube, axes, 3, 1))),
            "0.00102933591343 \"a\"; 0.0618217130073 \"b\"; 0.139264344591 \"c\"");
  EXPECT_EQ(shown(expand(drawn(SweepDesign::sobol, axes, 3, 1))),
            "0.0313664866833 \"b\"; 0.991895401165 \"a\"; 0.17638671688 \"c\"");
}

TEST(SweepDesign, words_read_back_exactly) {
  const auto points = expand(drawn(SweepDesign::random, {range("x", 1e-12, 1e12)}, 1000, 1));
  for (const SweepPoint& point : points) {
    const double x = std::stod(point.set[0].second);
    EXPECT_EQ(fmt::format("{}", x), point.set[0].second);
    EXPECT_EQ(std::stod(fmt::format("{:.12g}", x)), x);
  }
}

TEST(SweepDesign, drawn_points_that_conditions_make_equal_are_kept_once) {
  auto spec = drawn(SweepDesign::random, {values("m", {"1", "2"}), range("x", 0, 1)}, 100, 1);
  spec.axes[1].when["m"] = {"2"};
  const auto points = expand(spec);
  EXPECT_EQ(std::count_if(points.begin(), points.end(), [](const SweepPoint& p) { return p.set.size() == 1; }), 1);
  EXPECT_GT(points.size(), 30u);
}

TEST(SweepNames, are_the_shortest_that_are_free) {
  SweepSpec spec;
  for (const char* key : {"selection.tau", "optimiser.learning_rate", "selection.method", "plasticity.method", "prices",
                          "data.teacher.seed", "train.batch", "network.init-Scale", "a.9"})
    spec.axes.push_back(values(key, {"1"}));
  spec.axes.push_back(values("b.tau", {"1"}));
  spec.axes.back().name = "my_tau";
  spec.complete();
  std::vector<std::string> names;
  for (const SweepAxis& axis : spec.axes) names.push_back(axis.name);
  // learning_rate, batch and seed are names of a run's own results
  EXPECT_THAT(names, ElementsAre("tau", "optimiser_learning_rate", "selection_method", "plasticity_method", "prices",
                                 "teacher_seed", "train_batch", "init_scale", "axis_9", "my_tau"));
}

TEST(SweepNames, values_of_coordinates_are_numbers_texts_or_labels) {
  SweepSpec spec;
  SweepAxis both;
  both.keys = {"s.method", "p.method"}, both.name = "policy";
  both.values = {{"\"all\"", "\"all\""}, {"\"a \\\"b\\\"\\n\"", "[1, 2]"}};
  SweepAxis labelled = values("x", {"1", "2"});
  labelled.labels = {"one", "two"};
  spec.axes = {both, labelled, values("y", {"0.5", "1e3"}), values("z", {"1", "\"auto\""})};
  spec.complete();
  const auto all = coordinates(spec);
  EXPECT_FALSE(all[0].number || all[1].number || all[3].number);
  EXPECT_TRUE(all[2].number);
  const auto points = expand(spec);
  const SweepPoint& last = points.back();
  EXPECT_EQ(value_at(all[0], points.front()).text, "all, all");
  EXPECT_EQ(value_at(all[0], last).text, "a \"b\"\n, [1, 2]");
  EXPECT_EQ(value_at(all[1], last).text, "two");
  EXPECT_EQ(value_at(all[2], last).number, 1000);
  EXPECT_EQ(value_at(all[3], last).text, "auto");
  EXPECT_TRUE(std::isnan(value_at(all[3], last).number));
  EXPECT_EQ(describe(SweepPoint{}), "the run as it is");
  EXPECT_EQ(describe(SweepPoint{{{"a.b", "1"}, {"c", "\"d\""}}}), "a.b = 1, c = \"d\"");
}

TEST(SweepChecks, one_message_for_every_problem) {
  const auto first = [](const SweepSpec& spec) { return problems(spec).empty() ? "" : problems(spec).front(); };
  const auto with = [](SweepAxis axis) {
    SweepSpec spec;
    spec.axes = {std::move(axis)};
    return spec;
  };
  EXPECT_THAT(problems(with(values("a.b", {"1"}))), IsEmpty());
  EXPECT_THAT(first(with(values("a", {"1", "2", "1.0"}))),
              HasSubstr("E107 sweep.axes[0].values[2] is the same as values[0]"));
  EXPECT_THAT(first(with(range("a", 0, 1))), HasSubstr("E105 sweep.axes[0].count = 0"));
  EXPECT_THAT(first(with(range("a", 0, 1, -1))), HasSubstr("E104 sweep.axes[0].count = -1"));
  EXPECT_THAT(first(with(range("a", 2, 1, 3))), HasSubstr("E107 sweep.axes[0].from = 2 is above to = 1"));
  EXPECT_THAT(first(with(range("a", NAN, 1, 3))), HasSubstr("E104 sweep.axes[0].from"));
  SweepAxis axis = range("a", 0, 1, 3);
  axis.log = true;
  EXPECT_THAT(first(with(axis)), HasSubstr("E104 sweep.axes[0].from = 0 must be > 0"));
  axis = range("a", 0, 1.5, 3), axis.whole = true;
  EXPECT_THAT(first(with(axis)), HasSubstr("whole numbers"));
  axis = values("a", {"1"}), axis.count = 2;
  EXPECT_THAT(first(with(axis)), HasSubstr("together with a range"));
  axis = values("a", {"1", "2"}), axis.labels = {"x"};
  EXPECT_THAT(first(with(axis)), HasSubstr("labels has 1 entries, values has 2"));
  axis.labels = {"x", "x"};
  EXPECT_THAT(first(with(axis)), HasSubstr("\"x\" is given twice"));
  axis = range("a", 0, 1, 2), axis.labels = {"x"};
  EXPECT_THAT(first(with(axis)), HasSubstr("labels is given without values"));
  axis = values("a", {"1"}), axis.keys = {};
  EXPECT_THAT(first(with(axis)), HasSubstr("E105 sweep.axes[0] has no key"));
  axis = values("a", {"1"}), axis.keys = {"a", "b"};
  EXPECT_THAT(first(with(axis)), HasSubstr("values[0] has 1 parts, keys names 2"));
  axis = values("a", {"1"}), axis.name = "Tau";
  EXPECT_THAT(first(with(axis)), HasSubstr("lower-case"));
  axis.name = "seed";
  EXPECT_THAT(first(with(axis)), HasSubstr("something else in results"));
  EXPECT_THAT(first(with(values("train.seeds", {"[1]"}))), HasSubstr("is over train.seeds"));
  axis = values("a", {"1"}), axis.when["b"] = {"1"};
  EXPECT_THAT(first(with(axis)), HasSubstr("E102 sweep.axes[0].when names 'b', which no axis sets"));
  axis = values("a", {"1"}), axis.when["a"] = {"1"};
  EXPECT_THAT(first(with(axis)), HasSubstr("in a circle"));
  axis = values("a", {"1"}), axis.when["a"] = {};
  EXPECT_THAT(first(with(axis)), HasSubstr("when gives no values for 'a'"));
}

TEST(SweepChecks, contradictions_between_parts) {
  const auto first = [](const SweepSpec& spec) { return problems(spec).empty() ? "" : problems(spec).front(); };
  SweepSpec spec;
  spec.axes = {values("a", {"1"}), values("a.b", {"1"})};
  EXPECT_THAT(first(spec), HasSubstr("sweep.axes[1] sets a.b, and axes[0] sets a"));
  spec.axes = {values("a.x", {"1"}), values("b.y", {"1"})};
  spec.axes[0].name = spec.axes[1].name = "n";
  EXPECT_THAT(first(spec), HasSubstr("is that of another axis"));
  spec = drawn(SweepDesign::sobol, {range("a", 0, 1)}, 0);
  EXPECT_THAT(first(spec), HasSubstr("E105 sweep.samples = 0"));
  EXPECT_THAT(first(drawn(SweepDesign::random, {}, 3)), HasSubstr("E105 sweep.axes is missing"));
  EXPECT_THAT(first(drawn(SweepDesign::random, {range("a", 0, 1, 3)}, 3)), HasSubstr("count is given"));
  EXPECT_THAT(first(drawn(SweepDesign::factorial, {range("a", 0, 1, 3)}, 3)), HasSubstr("E107 sweep.samples"));
  spec = {};
  spec.design = SweepDesign::list;
  EXPECT_THAT(first(spec), HasSubstr("E105 sweep.runs is missing"));
  spec.runs = {{{{"a", "1"}, {"a.b", "2"}}}};
  EXPECT_THAT(first(spec), HasSubstr("sweep.runs[0] sets both a and a.b"));
  spec.runs = {{{{"train.seed", "1"}}}};
  EXPECT_THAT(first(spec), HasSubstr("sweep.runs[0] sets train.seed"));
  spec.runs = {{{{"a", "1"}}}}, spec.axes = {values("b", {"1"})};
  EXPECT_THAT(first(spec), HasSubstr("design list takes its points from sweep.runs"));
  spec.design = SweepDesign::factorial;
  EXPECT_THAT(first(spec), HasSubstr("sweep.runs is given, but the design is factorial"));
  spec = {};
  spec.axes = {values("a", {"1"})}, spec.exclude = {{{"b", {"1"}}}, {}};
  EXPECT_THAT(problems(spec), ElementsAre(HasSubstr("sweep.exclude[0] names 'b', which no axis sets"),
                                          HasSubstr("sweep.exclude[1] names no key")));
  spec = {};
  spec.seeds = {1, 2, 1};
  EXPECT_THAT(first(spec), HasSubstr("sweep.seeds[2] = 1 is given twice"));
}

TEST(SweepChecks, sizes_have_limits) {
  SweepSpec spec;
  for (int a = 0; a < 7; ++a) spec.axes.push_back(range(fmt::format("x{}", a), 0, 1, 10));
  EXPECT_THAT(problems(spec), ElementsAre(HasSubstr("E104 sweep has 10000000 points, at most 1000000")));
  spec.axes.pop_back();
  EXPECT_THAT(problems(spec), IsEmpty());
  for (std::uint64_t s = 0; s < 11; ++s) spec.seeds.push_back(s);
  EXPECT_THAT(problems(spec), ElementsAre(HasSubstr("E104 sweep has 11000000 runs, at most 10000000")));
}

TEST(SweepChecks, a_circle_of_conditions_is_found) {
  SweepSpec spec;
  spec.axes = {values("a", {"1"}), values("b", {"1"}), values("c", {"1"})};
  spec.axes[0].when["b"] = {"1"}, spec.axes[1].when["c"] = {"1"};
  EXPECT_THAT(problems(spec), IsEmpty());
  spec.axes[2].when["a"] = {"1"};
  EXPECT_THAT(problems(spec), ElementsAre(HasSubstr("in a circle")));
}

}  // namespace
