#include "plot_panel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace eos::io {

namespace {

constexpr double k_tick_length = 3.5, k_line_width = 1.7, k_dot = 2.6;

/// x of every value of a line; steps get the end of their interval.
struct Curve {
  std::vector<double> x, y, error;
};

Curve curve_of(const Line& line) {
  if (!line.steps) return {line.x, line.y, line.error};
  Curve c;
  for (std::size_t i = 0; i < line.y.size(); ++i) {
    const double end = i + 1 < line.x.size() ? line.x[i + 1] : line.x[i];
    c.x.insert(c.x.end(), {line.x[i], end});
    c.y.insert(c.y.end(), {line.y[i], line.y[i]});
    if (!line.error.empty()) c.error.insert(c.error.end(), {line.error[i], line.error[i]});
  }
  return c;
}

class Extent {
 public:
  explicit Extent(bool log) : log_(log) {}
  void add(double v) {
    if (!std::isfinite(v) || (log_ && v <= 0)) return;
    low_ = std::min(low_, v), high_ = std::max(high_, v);
  }
  bool empty() const { return !(low_ <= high_); }
  /// The shown range: given, or comfortable around the data.
  Interval range(const std::optional<std::pair<double, double>>& given, double room) const {
    const bool usable = given.has_value() && given->second > given->first && (!log_ || given->first > 0) &&
                        std::isfinite(given->first) && std::isfinite(given->second);
    if (usable) return {given->first, given->second};
    if (empty()) return log_ ? Interval{0.1, 10} : Interval{0, 1};
    return comfortable(low_, high_, log_, room);
  }

 private:
  bool log_;
  double low_ = std::numeric_limits<double>::infinity(), high_ = -low_;
};

void draw_band(Canvas& canvas, const std::vector<Point>& upper, const std::vector<Point>& lower, Colour colour) {
  colour.alpha = 0.18;
  std::vector<Point> outline, back;
  const auto flush = [&] {
    outline.insert(outline.end(), back.rbegin(), back.rend());
    if (outline.size() > 3) canvas.area(outline, colour);
    outline.clear(), back.clear();
  };
  for (std::size_t i = 0; i < upper.size(); ++i) {
    if (std::isfinite(upper[i].x) && std::isfinite(upper[i].y) && std::isfinite(lower[i].y))
      outline.push_back(upper[i]), back.push_back(lower[i]);
    else
      flush();
  }
  flush();
}

void draw_line(Canvas& canvas, const Line& line, const Curve& curve, Colour colour, const Box& plot, const Axis& x,
               const Axis& y) {
  const auto place = [&](double u, double v) {
    const double px = x.position(u), py = y.position(v);
    // far outside is as good as outside, and keeps Cairo's fixed-point coordinates in range
    return Point{plot.left + std::clamp(px, -9.0, 9.0) * plot.width,
                 plot.bottom() - std::clamp(py, -9.0, 9.0) * plot.height};
  };
  std::vector<Point> points, upper, lower;
  for (std::size_t i = 0; i < curve.x.size(); ++i) {
    points.push_back(place(curve.x[i], curve.y[i]));
    if (curve.error.empty()) continue;
    upper.push_back(place(curve.x[i], curve.y[i] + curve.error[i]));
    const double low = curve.y[i] - curve.error[i];
    lower.push_back(place(curve.x[i], y.log && low <= 0 ? y.lower : low));
  }
  draw_band(canvas, upper, lower, colour);
  if (line.line) canvas.path(points, k_line_width, colour, line.dashed);
  if (line.points)
    for (const Point& p : points) canvas.dot(p, k_dot, colour);
}

}  // namespace

double label_width(const Canvas& canvas, const Axis& axis) {
  double width = 0;
  for (const Tick& tick : axis.ticks) width = std::max(width, canvas.text_width(tick.label, k_tick_size));
  return width;
}

Axis fitting_axis(const Canvas& canvas, Interval range, bool log, double length, bool horizontal) {
  Axis axis;
  for (int count = 6; count >= 1; --count) {
    axis = log ? log_axis(range.lower, range.upper, count) : linear_axis(range.lower, range.upper, count);
    const double gap = horizontal ? 10 : 6;
    double last_end = -1e9;
    bool fits = true;
    for (const Tick& tick : axis.ticks) {
      if (tick.label.empty()) continue;
      const double half = 0.5 * (horizontal ? canvas.text_width(tick.label, k_tick_size) : k_tick_size);
      const double at = axis.position(tick.value) * length;
      fits = fits && at - half >= last_end + gap;
      last_end = at + half;
    }
    if (fits) break;
  }
  return axis;
}

double draw_legend(Canvas& canvas, const std::vector<Entry>& entries, const Box& area) {
  constexpr double k_row = 14, k_key = 20, k_space = 14;
  double x = area.left, y = area.top;
  constexpr std::size_t k_most = 12;
  for (std::size_t i = 0; i < entries.size() && i < k_most; ++i) {
    const bool rest = i + 1 == k_most && entries.size() > k_most;
    const Entry entry =
        rest ? Entry{fmt::format("and {} more", entries.size() - i), k_grey, Entry::Shape::line} : entries[i];
    const std::string label = shortened(canvas, entry.label, k_legend_size, area.width - k_key - 5);
    const double width = k_key + 5 + canvas.text_width(label, k_legend_size);
    if (x > area.left && x + width > area.right()) x = area.left, y += k_row;
    const double middle = y + 0.5 * k_row;
    switch (entry.shape) {
      case Entry::Shape::block:
        canvas.box({x + 4, middle - 4.5, 12, 9}, entry.colour);
        break;
      case Entry::Shape::points:
        canvas.dot({x + 0.5 * k_key, middle}, k_dot + 0.3, entry.colour);
        break;
      default:
        canvas.path({{x, middle}, {x + k_key - 2, middle}}, k_line_width + 0.3, entry.colour,
                    entry.shape == Entry::Shape::dashed);
    }
    canvas.text({x + k_key + 3, middle + 0.35 * k_legend_size}, label, k_legend_size, Align::left);
    x += width + k_space;
  }
  return entries.empty() ? 0 : y + k_row - area.top;
}

void draw_axes(Canvas& canvas, const Box& plot, const Axis& x, const Axis& y, const std::string& x_label,
               const std::string& y_label) {
  for (const Tick& tick : y.ticks) {
    const double at = plot.bottom() - y.position(tick.value) * plot.height;
    if (!tick.label.empty()) {
      canvas.line({plot.left, at}, {plot.right(), at}, 0.7, k_faint);
      canvas.text({plot.left - k_tick_length - 3, at + 0.36 * k_tick_size}, tick.label, k_tick_size, Align::right,
                  k_ink);
    }
    canvas.line({plot.left - (tick.label.empty() ? 0.6 : 1) * k_tick_length, at}, {plot.left, at}, 0.8, k_ink);
  }
  for (const Tick& tick : x.ticks) {
    const double at = plot.left + x.position(tick.value) * plot.width;
    if (!tick.label.empty())
      canvas.text({at, plot.bottom() + k_tick_length + 3 + 0.8 * k_tick_size}, tick.label, k_tick_size, Align::centre,
                  k_ink);
    canvas.line({at, plot.bottom()}, {at, plot.bottom() + (tick.label.empty() ? 0.6 : 1) * k_tick_length}, 0.8, k_ink);
  }
  canvas.line({plot.left, plot.top}, {plot.left, plot.bottom()}, 0.9, k_ink);
  canvas.line({plot.left, plot.bottom()}, {plot.right(), plot.bottom()}, 0.9, k_ink);
  const auto factor = [&](Point where, int exponent, Align align) {
    const std::string power = fmt::format("^{}", exponent);
    const double width = canvas.text_width("\u00D7", k_tick_size) + canvas.text_width(power, k_tick_size);
    const double left = align == Align::right ? where.x - width : where.x;
    canvas.text({left, where.y}, "\u00D7", k_tick_size, Align::left, k_grey);
    canvas.text({left + canvas.text_width("\u00D7", k_tick_size), where.y}, power, k_tick_size, Align::left, k_grey);
  };
  const double label_y = plot.bottom() + k_tick_length + 2.1 * k_tick_size + k_label_size;
  canvas.text({plot.left + 0.5 * plot.width, label_y}, shortened(canvas, x_label, k_label_size, plot.width),
              k_label_size, Align::centre);
  if (x.exponent != 0) factor({plot.right(), label_y}, x.exponent, Align::right);
  canvas.vertical_text({plot.left - k_tick_length - 10 - label_width(canvas, y), plot.top + 0.5 * plot.height},
                       shortened(canvas, y_label, k_label_size, plot.height), k_label_size);
  if (y.exponent != 0) factor({plot.left - k_tick_length, plot.top - 4}, y.exponent, Align::left);
}

void draw_panel(Canvas& canvas, const Panel& panel, const Box& area) {
  Box inner = area;
  const auto shift = [&](double height) { inner.top += height, inner.height -= height; };
  for (const std::string& line : wrap(canvas, panel.title, k_panel_title_size, area.width, true)) {
    canvas.text({inner.left, inner.top + k_panel_title_size}, line, k_panel_title_size, Align::left, k_ink, true);
    shift(1.35 * k_panel_title_size);
  }
  shift(3);
  if (!panel.bars.categories.empty()) return draw_bars(canvas, panel, inner);

  std::vector<Entry> entries;
  std::vector<Curve> curves;
  std::vector<Colour> colours;
  Extent x_extent(panel.log_x), y_extent(panel.log_y);
  int next = 0;
  bool only_lines = true;
  for (const Line& line : panel.lines) {
    colours.push_back(palette(line.colour >= 0 ? line.colour : next++));
    curves.push_back(curve_of(line));
    const Curve& c = curves.back();
    only_lines = only_lines && !line.points;
    for (std::size_t i = 0; i < c.x.size(); ++i) {
      if (!std::isfinite(c.y[i]) || (panel.log_y && c.y[i] <= 0)) continue;
      x_extent.add(c.x[i]);
      y_extent.add(c.y[i]);
      if (!c.error.empty()) y_extent.add(c.y[i] + c.error[i]), y_extent.add(c.y[i] - c.error[i]);
    }
    const Entry::Shape shape = !line.line    ? Entry::Shape::points
                               : line.dashed ? Entry::Shape::dashed
                                             : Entry::Shape::line;
    if (!line.label.empty()) entries.push_back({line.label, colours.back(), shape});
  }
  shift(draw_legend(canvas, entries, inner));
  shift(9);
  const Interval y_range = y_extent.range(panel.y_range, 0.05),
                 x_range = x_extent.range(panel.x_range, only_lines ? 0 : 0.03);
  const double below = k_tick_length + 2.1 * k_tick_size + (panel.x_label.empty() ? 0 : k_label_size + 4);
  Axis y = fitting_axis(canvas, y_range, panel.log_y, inner.height - below, false);
  if (y.exponent != 0) shift(9);  // the factor of ten stands above the axis
  const double beside = label_width(canvas, y) + k_tick_length + 3 + (panel.y_label.empty() ? 0 : k_label_size + 8);
  const Box plot{inner.left + beside, inner.top, inner.width - beside - 10, inner.height - below};
  const Axis x = fitting_axis(canvas, x_range, panel.log_x, plot.width, true);
  y = fitting_axis(canvas, y_range, panel.log_y, plot.height, false);
  draw_axes(canvas, plot, x, y, panel.x_label, panel.y_label);
  canvas.clip({plot.left - 3, plot.top - 3, plot.width + 6, plot.height + 6});
  for (std::size_t i = 0; i < panel.lines.size(); ++i)
    draw_line(canvas, panel.lines[i], curves[i], colours[i], plot, x, y);
  canvas.unclip();
  if (x_extent.empty())
    canvas.text({plot.left + 0.5 * plot.width, plot.top + 0.5 * plot.height}, "no data", k_label_size, Align::centre,
                k_grey);
}

}  // namespace eos::io
