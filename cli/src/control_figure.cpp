// The picture of a solution of a control problem.
#include <fmt/format.h>

#include "eos/core/error.hpp"
#include "plan_control.hpp"

namespace eos::cli {

namespace {

/// One curve per row of a variable over (names, time).
std::vector<io::Line> rows(const core::Dataset& data, const std::string& variable, const std::string& names) {
  std::vector<io::Line> lines;
  if (!data.has(variable)) return lines;
  const std::vector<double> time = data.numbers("time"), values = data.numbers(variable);
  const std::vector<std::string> labels = data.strings(names);
  if (values.size() != labels.size() * time.size())
    throw core::Error("E191", fmt::format("{} does not lie along {} and time", variable, names));
  for (std::size_t i = 0; i < labels.size(); ++i) {
    io::Line line;
    line.label = labels[i];
    line.x = time;
    line.y.assign(values.begin() + static_cast<std::ptrdiff_t>(i * time.size()),
                  values.begin() + static_cast<std::ptrdiff_t>((i + 1) * time.size()));
    lines.push_back(std::move(line));
  }
  return lines;
}

/// " (m)" when all share one unit.
std::string common_unit(const core::Dataset& data, const std::string& units) {
  if (!data.has(units)) return {};
  const std::vector<std::string> all = data.strings(units);
  for (const std::string& unit : all)
    if (unit != all.front()) return {};
  return all.empty() || all.front() == "1" ? "" : fmt::format(" ({})", all.front());
}

}  // namespace

io::Figure control_figure(const core::Dataset& data) {
  io::Figure figure;
  figure.title = data.text("title", "control problem");
  const core::Variable* time = data.find("time");
  const std::string x_label = time == nullptr || time->units == "1" ? "time" : fmt::format("time ({})", time->units);
  const auto add = [&](const char* title, const std::string& y_label, std::vector<io::Line> lines) {
    if (lines.empty()) return;
    io::Panel panel;
    panel.title = title, panel.x_label = x_label, panel.y_label = y_label;
    panel.lines = std::move(lines);
    figure.panels.push_back(std::move(panel));
  };
  add("States", "value" + common_unit(data, "state_units"), rows(data, "x", "state"));
  add("Controls", "value" + common_unit(data, "control_units"), rows(data, "u", "control"));
  add("Costates", "dJ/dx", rows(data, "costate", "state"));
  add("Switching functions", "dH/du", rows(data, "switching", "control"));
  return figure;
}

}  // namespace eos::cli
