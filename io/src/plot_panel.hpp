// One panel of a figure. Private to io/.
#pragma once

#include "eos/io/plot.hpp"
#include "plot_canvas.hpp"
#include "plot_ticks.hpp"

namespace eos::io {

/// Draws title, legend, axes and data within `area`.
void draw_panel(Canvas& canvas, const Panel& panel, const Box& area);

/// An entry of the legend.
struct Entry {
  std::string label;
  Colour colour;
  enum class Shape { line, dashed, points, block } shape;
};

inline constexpr double k_tick_size = 9, k_label_size = 10, k_legend_size = 9, k_panel_title_size = 11;

/// Draws the legend in rows from the top of `area` and returns the height it took.
double draw_legend(Canvas& canvas, const std::vector<Entry>& entries, const Box& area);

/// Axes around `plot`: grid, ticks, labels. The x axis may have its own labels (categories).
void draw_axes(Canvas& canvas, const Box& plot, const Axis& x, const Axis& y, const std::string& x_label,
               const std::string& y_label);

/// Bars with their axes within `area`; returns nothing to draw further.
void draw_bars(Canvas& canvas, const Panel& panel, const Box& area);

/// The widest label of an axis, with its factor of ten.
double label_width(const Canvas& canvas, const Axis& axis);
/// An axis over an interval with as many labelled ticks as fit into `length` along the axis.
Axis fitting_axis(const Canvas& canvas, Interval range, bool log, double length, bool horizontal);

}  // namespace eos::io
