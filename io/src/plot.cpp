// Layout of a figure: title, panels in a grid, caption.
#include "eos/io/plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "eos/core/error.hpp"
#include "eos/io/atomic_file.hpp"
#include "plot_canvas.hpp"
#include "plot_panel.hpp"

namespace eos::io {

namespace {

constexpr double k_scale = 2;  ///< pixels per point
constexpr double k_panel_width = 400, k_panel_height = 300;
constexpr double k_margin = 16, k_gap = 20;
constexpr double k_title_size = 14.5, k_caption_size = 9;

void check(const Figure& figure) {
  const auto wrong = [](const std::string& what) { return core::Error("E190", "a figure is inconsistent: " + what); };
  for (const Panel& panel : figure.panels) {
    for (const Line& line : panel.lines) {
      const bool fits = line.x.size() == line.y.size() || (line.steps && line.x.size() == line.y.size() + 1);
      if (!fits) throw wrong(fmt::format("line '{}' has {} x and {} y", line.label, line.x.size(), line.y.size()));
      if (!line.error.empty() && line.error.size() != line.y.size())
        throw wrong(fmt::format("line '{}' has {} y and {} errors", line.label, line.y.size(), line.error.size()));
    }
    const Bars& bars = panel.bars;
    if (bars.values.size() != bars.parts.size()) throw wrong("bars have names for another number of parts");
    for (const auto& part : bars.values)
      if (part.size() != bars.categories.size())
        throw wrong("a part of the bars has another number of values than categories");
  }
}

}  // namespace

std::string to_png(const Figure& figure) {
  check(figure);
  const int n = std::max(1, static_cast<int>(figure.panels.size()));
  const int columns = std::clamp(figure.columns, 1, std::min(n, 8)), rows = (n + columns - 1) / columns;
  const double width = 2 * k_margin + columns * k_panel_width + (columns - 1) * k_gap;
  const Canvas ruler(1, 1, 1);
  const auto title = wrap(ruler, figure.title, k_title_size, width - 2 * k_margin, true);
  const auto caption = wrap(ruler, figure.caption, k_caption_size, width - 2 * k_margin);
  const double head = k_margin + static_cast<double>(title.size()) * 1.3 * k_title_size + (title.empty() ? 0 : 8);
  const double foot =
      static_cast<double>(caption.size()) * 1.35 * k_caption_size + (caption.empty() ? 0 : 10) + k_margin;
  Canvas canvas(width, head + rows * k_panel_height + (rows - 1) * k_gap + foot, k_scale);
  double y = k_margin;
  for (const std::string& line : title) {
    canvas.text({k_margin, y + k_title_size}, line, k_title_size, Align::left, k_ink, true);
    y += 1.3 * k_title_size;
  }
  for (std::size_t i = 0; i < figure.panels.size(); ++i) {
    const int row = static_cast<int>(i) / columns, column = static_cast<int>(i) % columns;
    draw_panel(canvas, figure.panels[i],
               {k_margin + column * (k_panel_width + k_gap), head + row * (k_panel_height + k_gap), k_panel_width,
                k_panel_height});
  }
  y = head + rows * k_panel_height + (rows - 1) * k_gap + 10;
  for (const std::string& line : caption) {
    canvas.text({k_margin, y + k_caption_size}, line, k_caption_size, Align::left, k_grey);
    y += 1.35 * k_caption_size;
  }
  return canvas.png();
}

void write_png(const std::string& path, const Figure& figure) { write_file(path, to_png(figure)); }

}  // namespace eos::io
