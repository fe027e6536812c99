// Draw figures as PNG without a notebook: panels of lines, points and bars, with axes, units and legends (Cairo).
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace eos::io {

struct Line {
  std::string label;
  std::vector<double> x, y;
  std::vector<double> error;   ///< half-width of a band around y; empty: none
  bool points = false;         ///< markers
  bool line = true;
  bool dashed = false;
  int colour = -1;             ///< index into the palette (colour-blind safe), -1: next
};
struct Bars {
  std::vector<std::string> categories;            ///< one bar each
  std::vector<std::string> parts;                 ///< stacked parts, legend
  std::vector<std::vector<double>> values;        ///< [parts][categories]
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

/// Writes a PNG atomically. throws Error E301; NaN points are gaps.
void write_png(const std::string& path, const Figure& figure);

}  // namespace eos::io
