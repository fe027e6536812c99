// Stacked bars, standing or lying.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plot_panel.hpp"

namespace eos::io {

namespace {

constexpr double k_tick_length = 3.5;

/// Height of a value that can be drawn: what is not finite or negative counts as nothing.
double drawable(double v) { return std::isfinite(v) && v > 0 ? v : 0; }

std::vector<double> totals(const Bars& bars) {
  std::vector<double> sums(bars.categories.size(), 0);
  for (const auto& part : bars.values)
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += drawable(part[i]);
  return sums;
}

/// Category names in at most two lines each of the given width; empty when one does not fit.
std::vector<std::vector<std::string>> fitted_names(const Canvas& canvas, const Bars& bars, double width) {
  std::vector<std::vector<std::string>> names;
  for (const std::string& category : bars.categories) {
    names.push_back(wrap(canvas, category, k_tick_size, width));
    const bool fits =
        names.back().size() <= 2 && std::all_of(names.back().begin(), names.back().end(), [&](const std::string& line) {
          return canvas.text_width(line, k_tick_size) <= width;
        });
    if (!fits) return {};
  }
  return names;
}

/// Total at the end of a bar, three digits.
std::string total_label(double total, const Axis& axis) {
  return fmt::format("{:.3g}", total / std::pow(10.0, axis.exponent));
}

Axis value_axis(const Canvas& canvas, const Bars& bars, const Panel& panel, double length, bool horizontal) {
  const std::vector<double> sums = totals(bars);
  const double largest = sums.empty() ? 0 : *std::max_element(sums.begin(), sums.end());
  Interval range{0, largest > 0 ? 1.12 * largest : 1};
  if (panel.y_range.has_value() && panel.y_range->second > panel.y_range->first)
    range = {panel.y_range->first, panel.y_range->second};
  return fitting_axis(canvas, range, false, length, horizontal);
}

void draw_standing(Canvas& canvas, const Panel& panel, const Box& area,
                   const std::vector<std::vector<std::string>>& names) {
  const Bars& bars = panel.bars;
  std::size_t lines = 1;
  for (const auto& name : names) lines = std::max(lines, name.size());
  const double below = k_tick_length + 6 + static_cast<double>(lines) * 1.2 * k_tick_size +
                       (panel.x_label.empty() ? 0 : k_label_size + 6);
  Box inner = area;
  Axis y = value_axis(canvas, bars, panel, inner.height - below, false);
  if (y.exponent != 0) inner.top += 9, inner.height -= 9;
  const double beside = label_width(canvas, y) + k_tick_length + 3 + (panel.y_label.empty() ? 0 : k_label_size + 8);
  const Box plot{inner.left + beside, inner.top, inner.width - beside - 6, inner.height - below};
  y = value_axis(canvas, bars, panel, plot.height, false);
  draw_axes(canvas, plot, Axis{}, y, "", panel.y_label);
  const double slot = plot.width / static_cast<double>(bars.categories.size()), width = std::min(0.62 * slot, 46.0);
  const std::vector<double> sums = totals(bars);
  const auto height = [&](double v) { return std::clamp(y.position(v), 0.0, 1.0) * plot.height; };
  for (std::size_t i = 0; i < bars.categories.size(); ++i) {
    const double middle = plot.left + (static_cast<double>(i) + 0.5) * slot;
    double base = 0;
    for (std::size_t p = 0; p < bars.values.size(); ++p) {
      const double top = base + drawable(bars.values[p][i]);
      canvas.box({middle - 0.5 * width, plot.bottom() - height(top), width, height(top) - height(base)},
                 palette(static_cast<int>(p)));
      base = top;
    }
    canvas.text({middle, plot.bottom() - height(sums[i]) - 4}, total_label(sums[i], y), k_tick_size - 0.5,
                Align::centre, k_grey);
    for (std::size_t l = 0; l < names[i].size(); ++l)
      canvas.text({middle, plot.bottom() + k_tick_length + 2 + (static_cast<double>(l) + 0.9) * 1.2 * k_tick_size},
                  names[i][l], k_tick_size, Align::centre);
  }
  canvas.text({plot.left + 0.5 * plot.width, area.bottom() - 3}, panel.x_label, k_label_size, Align::centre);
  canvas.line({plot.left, plot.bottom()}, {plot.right(), plot.bottom()}, 0.9, k_ink);
}

void draw_lying(Canvas& canvas, const Panel& panel, const Box& area) {
  const Bars& bars = panel.bars;
  const double limit = 0.45 * area.width;
  double beside = 0;
  std::vector<std::vector<std::string>> names;
  for (const std::string& category : bars.categories) {
    names.push_back(wrap(canvas, category, k_tick_size, limit));
    for (const std::string& line : names.back())
      beside = std::max(beside, std::min(limit, canvas.text_width(line, k_tick_size)));
  }
  const double below = k_tick_length + 2.1 * k_tick_size + (panel.y_label.empty() ? 0 : k_label_size + 4);
  const Box plot{area.left + beside + 8, area.top, area.width - beside - 18, area.height - below};
  const Axis x = value_axis(canvas, bars, panel, plot.width, true);
  for (const Tick& tick : x.ticks) {
    const double at = plot.left + x.position(tick.value) * plot.width;
    if (!tick.label.empty()) canvas.line({at, plot.top}, {at, plot.bottom()}, 0.7, k_faint);
  }
  draw_axes(canvas, plot, x, Axis{}, panel.y_label, "");
  const double slot = plot.height / static_cast<double>(bars.categories.size()), thick = std::min(0.66 * slot, 26.0);
  const std::vector<double> sums = totals(bars);
  const auto length = [&](double v) { return std::clamp(x.position(v), 0.0, 1.0) * plot.width; };
  for (std::size_t i = 0; i < bars.categories.size(); ++i) {
    const double middle = plot.top + (static_cast<double>(i) + 0.5) * slot;
    double base = 0;
    for (std::size_t p = 0; p < bars.values.size(); ++p) {
      const double end = base + drawable(bars.values[p][i]);
      canvas.box({plot.left + length(base), middle - 0.5 * thick, length(end) - length(base), thick},
                 palette(static_cast<int>(p)));
      base = end;
    }
    canvas.text({plot.left + length(sums[i]) + 4, middle + 0.34 * k_tick_size}, total_label(sums[i], x),
                k_tick_size - 0.5, Align::left, k_grey);
    const double first = middle + 0.36 * k_tick_size - 0.6 * k_tick_size * static_cast<double>(names[i].size() - 1);
    for (std::size_t l = 0; l < names[i].size(); ++l)
      canvas.text({plot.left - 6, first + 1.2 * k_tick_size * static_cast<double>(l)},
                  shortened(canvas, names[i][l], k_tick_size, limit), k_tick_size, Align::right);
  }
  canvas.line({plot.left, plot.top}, {plot.left, plot.bottom()}, 0.9, k_ink);
}

}  // namespace

void draw_bars(Canvas& canvas, const Panel& panel, const Box& area) {
  std::vector<Entry> entries;
  for (std::size_t p = 0; p < panel.bars.parts.size(); ++p)
    if (!panel.bars.parts[p].empty())
      entries.push_back({panel.bars.parts[p], palette(static_cast<int>(p)), Entry::Shape::block});
  Box inner = area;
  const double legend = draw_legend(canvas, entries, inner) + 9;
  inner.top += legend, inner.height -= legend;
  const double slot = 0.84 * inner.width / static_cast<double>(panel.bars.categories.size());
  const auto names = fitted_names(canvas, panel.bars, slot - 6);
  if (names.empty())
    draw_lying(canvas, panel, inner);
  else
    draw_standing(canvas, panel, inner, names);
}

}  // namespace eos::io
