#include "eos/io/plot.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "../../io/src/plot_ticks.hpp"
#include "support.hpp"

namespace {

using eos::io::Axis;
using eos::io::Figure;
using eos::io::Line;
using eos::io::linear_axis;
using eos::io::log_axis;
using eos::io::Panel;
using eos::io::testing::check_property;
using eos::io::testing::code_of;
using eos::io::testing::Scratch;
using eos::io::testing::slurp;
using ::testing::ElementsAre;

std::vector<std::string> labels(const Axis& axis) {
  std::vector<std::string> words;
  for (const auto& tick : axis.ticks)
    if (!tick.label.empty()) words.push_back(tick.label);
  return words;
}

TEST(Ticks, linear_axes_use_one_two_and_five) {
  EXPECT_THAT(labels(linear_axis(0, 1, 5)), ElementsAre("0.0", "0.2", "0.4", "0.6", "0.8", "1.0"));
  EXPECT_THAT(labels(linear_axis(0, 40, 4)), ElementsAre("0", "10", "20", "30", "40"));
  EXPECT_THAT(labels(linear_axis(-1, 1, 4)), ElementsAre("\u22121.0", "\u22120.5", "0.0", "0.5", "1.0"));
}

TEST(Ticks, large_and_small_numbers_share_a_factor_of_ten) {
  const Axis large = linear_axis(0, 2.6e10, 5);
  EXPECT_EQ(large.exponent, 9);
  EXPECT_THAT(labels(large), ElementsAre("0", "10", "20"));
  const Axis small = linear_axis(0, 6e-4, 3);
  EXPECT_EQ(small.exponent, -6);
  EXPECT_THAT(labels(small), ElementsAre("0", "200", "400", "600"));
}

TEST(Ticks, logarithmic_axes_label_decades_or_less) {
  EXPECT_THAT(labels(log_axis(1e-6, 1e-3, 6)), ElementsAre("^-6", "^-5", "^-4", "^-3"));
  EXPECT_THAT(labels(log_axis(0.1, 5, 6)), ElementsAre("0.1", "0.2", "0.5", "1", "2", "5"));
  EXPECT_THAT(labels(log_axis(1e-12, 1, 4)), ElementsAre("^-12", "^-8", "^-4", "^0"));
}

TEST(Ticks, any_axis_has_increasing_ticks_inside_its_range) {
  check_property("ticks lie inside, increase, and are about as many as asked for", [] {
    const double scale = std::pow(10.0, *rc::gen::inRange(-30, 30));
    const double lower = *rc::gen::inRange(-1000, 1000) * scale, upper = lower + *rc::gen::inRange(1, 2000) * scale;
    const int count = *rc::gen::inRange(2, 9);
    const Axis axis = linear_axis(lower, upper, count);
    RC_ASSERT(axis.ticks.size() >= 1u);
    RC_ASSERT(axis.ticks.size() <= static_cast<std::size_t>(count) + 1);
    for (std::size_t i = 0; i < axis.ticks.size(); ++i) {
      const double at = axis.position(axis.ticks[i].value);
      RC_ASSERT(at > -1e-6);  // rounding of the range's ends
      RC_ASSERT(at < 1 + 1e-6);
      if (i == 0) continue;
      RC_ASSERT(axis.ticks[i].label != axis.ticks[i - 1].label);
      RC_ASSERT(axis.ticks[i].value > axis.ticks[i - 1].value);
    }
    const double low = std::abs(lower) + scale;
    const Axis log = log_axis(low, low * std::pow(10.0, *rc::gen::inRange(1, 200) / 20.0), count);
    for (std::size_t i = 1; i < log.ticks.size(); ++i) RC_ASSERT(log.ticks[i].value > log.ticks[i - 1].value);
  });
}

TEST(Ticks, a_range_of_one_value_is_widened_and_zero_is_shown_when_near) {
  EXPECT_LT(eos::io::comfortable(3, 3, false, 0.05).lower, 3);
  EXPECT_GT(eos::io::comfortable(0, 0, false, 0.05).upper, 0);
  EXPECT_EQ(eos::io::comfortable(0.1, 1, false, 0.05).lower, 0);
  EXPECT_GT(eos::io::comfortable(0.8, 1, false, 0.05).lower, 0.7);
  EXPECT_GT(eos::io::comfortable(1e-3, 1, true, 0.05).lower, 0);
}

/// Width and height in the header of a PNG.
std::pair<int, int> size_of(const std::string& png) {
  const auto word = [&](std::size_t at) {
    int value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value * 256 + static_cast<unsigned char>(png.at(at + i));
    return value;
  };
  EXPECT_EQ(png.substr(0, 8), "\x89PNG\r\n\x1a\n");
  return {word(16), word(20)};
}

Panel panel(int points) {
  Panel p;
  p.title = "loss";
  p.x_label = "epoch", p.y_label = "loss";
  Line line;
  line.label = "dense";
  for (int i = 0; i < points; ++i) line.x.push_back(i), line.y.push_back(1.0 / (i + 1));
  p.lines.push_back(line);
  return p;
}

TEST(Plot, a_grid_of_panels_is_as_wide_as_its_columns) {
  Figure figure;
  figure.panels = {panel(5), panel(5), panel(5)};
  const auto [two_wide, two_high] = size_of(eos::io::to_png(figure));
  figure.columns = 1;
  const auto [one_wide, one_high] = size_of(eos::io::to_png(figure));
  figure.columns = 3;
  const auto [three_wide, three_high] = size_of(eos::io::to_png(figure));
  EXPECT_LT(one_wide, two_wide);
  EXPECT_LT(two_wide, three_wide);
  EXPECT_GT(one_high, two_high);
  EXPECT_GT(two_high, three_high);
  EXPECT_GT(two_wide, 1400);  // two pixels per point
}

TEST(Plot, the_same_figure_gives_the_same_bytes) {
  Figure figure;
  figure.panels = {panel(50)};
  EXPECT_EQ(eos::io::to_png(figure), eos::io::to_png(figure));
  Figure other = figure;
  other.panels[0].lines[0].y[10] += 0.1;
  EXPECT_NE(eos::io::to_png(figure), eos::io::to_png(other));
}

TEST(Plot, numbers_that_cannot_be_drawn_are_gaps) {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::nan("");
  for (const bool log : {false, true}) {
    Figure figure;
    Panel p = panel(0);
    p.log_x = p.log_y = log;
    p.lines[0].x = {0, 1, 2, 3, -1, 1e300, inf, nan, 5e-324};
    p.lines[0].y = {nan, inf, -inf, 1, 0, -1e300, 1, 1, 5e-324};
    p.lines[0].error = {1, 1, nan, inf, 1, 0, 0, 0, 1e308};
    p.lines[0].points = true;
    p.x_range = {{-1, nan}};
    p.y_range = {{1, 0}};
    figure.panels = {p, Panel{}};
    EXPECT_GT(eos::io::to_png(figure).size(), 1000u);
  }
  Figure bars;
  Panel p;
  p.bars = {{"a", "b"}, {"x"}, {{nan, -1}}};
  bars.panels = {p};
  EXPECT_GT(eos::io::to_png(bars).size(), 1000u);
}

TEST(Plot, long_names_and_many_lines_still_fit) {
  Figure figure;
  figure.title = fmt::format("{:W>400} and some more words {:i>2000}", "", "");
  Panel p = panel(3);
  p.title = p.x_label = p.y_label = std::string(300, 'M');
  for (int i = 0; i < 40; ++i) {
    p.lines.push_back(p.lines[0]);
    p.lines.back().label = std::string(static_cast<std::size_t>(5 * i), 'x');
    p.lines.back().label += '\xCE';  // half of a letter
  }
  Panel bars;
  for (int i = 0; i < 30; ++i) bars.bars.categories.push_back(std::string(80, 'm'));
  bars.bars.parts = {"only"};
  bars.bars.values = {std::vector<double>(30, 1.5)};
  figure.panels = {p, bars};
  EXPECT_GT(size_of(eos::io::to_png(figure)).first, 1400);
}

TEST(Plot, lists_of_different_length_are_a_mistake) {
  Figure figure;
  figure.panels = {panel(3)};
  figure.panels[0].lines[0].y.pop_back();
  EXPECT_EQ(code_of([&] { eos::io::to_png(figure); }), "E190");
  figure.panels[0].lines[0].steps = true;  // one x more than y is right for steps
  EXPECT_GT(eos::io::to_png(figure).size(), 1000u);
  figure.panels[0].bars.parts = {"a"};
  EXPECT_EQ(code_of([&] { eos::io::to_png(figure); }), "E190");
}

TEST(Plot, a_picture_is_written_whole_or_not_at_all) {
  const Scratch scratch;
  Figure figure;
  figure.panels = {panel(3)};
  eos::io::write_png(scratch / "a.png", figure);
  EXPECT_EQ(slurp(scratch / "a.png"), eos::io::to_png(figure));
  EXPECT_EQ(scratch.files(), 1u);
  EXPECT_EQ(code_of([&] { eos::io::write_png(scratch / "no/a.png", figure); }), "E301");
}

}  // namespace
