// Draw figures as PNG without a notebook: panels of lines, points and bars, with axes, units and legends (Cairo).
//
// Conventions. Colours are Okabe & Ito's, which every kind of colour vision can tell apart; the image has two pixels
// per point. Put units into the labels: "energy (J)". Axes choose their own range and ticks; legends stand above the
// axes, so that they never hide data. Text is UTF-8.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace eos::io {

struct Line {
  std::string label;
  std::vector<double> x, y;
  std::vector<double> error;  ///< half-width of a band around y; empty: none
  bool points = false;        ///< markers
  bool line = true;
  bool dashed = false;
  int colour = -1;     ///< index into the palette (colour-blind safe), -1: next
  bool steps = false;  ///< piecewise constant: y[i] holds from x[i] to x[i+1]; x may have one value more than y
};
/// Stacked bars; the value axis is labelled with the panel's y_label, the categories with its x_label. The bars lie
/// down when the category names would not fit beneath standing ones.
struct Bars {
  std::vector<std::string> categories;      ///< one bar each
  std::vector<std::string> parts;           ///< stacked parts, legend
  std::vector<std::vector<double>> values;  ///< [parts][categories]
};
struct Panel {
  std::string title, x_label, y_label;
  bool log_x = false, log_y = false;
  std::vector<Line> lines;
  Bars bars;
  std::optional<std::pair<double, double>> x_range, y_range;
};
struct Figure {
  std::string title, caption;
  std::vector<Panel> panels;
  int columns = 2;
};

/// Writes a PNG atomically. Points that are not finite, or not positive on a logarithmic axis, are gaps.
/// throws Error E301 (cannot write), E190 (lists of different length).
void write_png(const std::string& path, const Figure& figure);
/// The same bytes in memory.
std::string to_png(const Figure& figure);

}  // namespace eos::io
