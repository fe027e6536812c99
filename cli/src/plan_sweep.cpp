#include "plan_sweep.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <atomic>

#include "eos/core/parallel.hpp"
#include "eos/io/hdf5.hpp"
#include "eos/io/stack.hpp"
#include "files.hpp"

namespace eos::cli {

namespace {

/// Numbers over `run` alone that a reader wants to see, in this order.
std::vector<const core::Variable*> headline(const core::Dataset& sweep) {
  std::vector<const core::Variable*> shown;
  for (const char* name : {"objective", "terminal_loss", "energy_total", "energy_efficiency", "horizon"})
    if (const core::Variable* v = sweep.find(name); v != nullptr && v->dims.size() == 1) shown.push_back(v);
  return shown;
}

bool logarithmic(const std::vector<double>& values) {
  return values.size() > 2 && values.front() > 0 && values.back() / values.front() >= 30;
}

}  // namespace

core::Dataset sweep_plans(const std::vector<SweepAxis>& axes, const SolvePoint& solve, core::Progress& progress,
                          int threads) {
  const std::vector<std::vector<std::string>> points = combinations(axes);
  std::vector<core::Dataset> tables(points.size());
  std::atomic<std::size_t> done{0};
  progress.begin("plans", static_cast<double>(points.size()), "plans");
  core::parallel_for(points.size(), threads, [&](std::size_t i) {
    tables[i] = solve(points[i]);
    progress.update("plans", static_cast<double>(++done));
  });
  progress.end("plans");
  core::Dataset sweep = io::stack(tables, axis_variables(axes));
  sweep.attributes["kind"] = std::string("plan sweep");
  return sweep;
}

core::Dataset sweep_in_batch(const std::vector<SweepAxis>& axes,
                             const std::function<theory::ModeProblem(const std::vector<std::string>&)>& read,
                             const solvers::BatchOptions& options) {
  std::vector<theory::ModeProblem> problems;
  for (const std::vector<std::string>& point : combinations(axes)) problems.push_back(read(point));
  const solvers::BatchResult r = solvers::solve_batch(problems, options);
  const auto runs = static_cast<std::int64_t>(problems.size());
  core::Dataset table;
  table.attributes["title"] = problems.front().title.empty() ? std::string("sweep") : problems.front().title;
  table.attributes["kind"] = std::string("plan sweep");
  table.add_dim("run", runs, "run");
  std::vector<double> middle;
  for (int i = 0; i < r.intervals; ++i) middle.push_back((i + 0.5) / r.intervals);
  table.add_dim("interval", middle, "1", "share of the horizon, middle of an interval of constant controls");
  std::string along;
  for (const core::Variable& v : axis_variables(axes)) {
    table.add(v.name, {"run"}, v.values, v.units, v.long_name).attributes = v.attributes;
    along += (along.empty() ? "" : " ") + v.name;
  }
  std::vector<std::string> status;
  for (const theory::SolveStatus s : r.status) status.push_back(theory::to_string(s));
  const auto add = [&](const char* name, std::vector<std::string> over, core::Array values, const char* units,
                       const char* meaning) {
    table.add(name, std::move(over), std::move(values), units, meaning).attributes["coordinates"] = along;
  };
  add("data_fraction", {"run", "interval"}, r.data_fraction, "1", "fraction of the samples that is learned");
  add("weight_fraction", {"run", "interval"}, r.weight_fraction, "1", "fraction of the weights that is written");
  add("learning_rate", {"run", "interval"}, r.learning_rate, "1", "learning rate");
  add("objective", {"run"}, r.objective, "J", "minimised objective J");
  add("terminal_loss", {"run"}, r.terminal_loss, "1", "excess loss at the horizon");
  add("energy_total", {"run"}, r.energy, "J", "energy spent over the horizon");
  add("solve_status", {"run"}, status, "1", "how the solver ended");
  return table;
}

Document sweep_report(const core::Dataset& sweep, const std::vector<SweepAxis>& axes) {
  constexpr std::size_t k_rows_in_text = 40;
  Document document("eos.plan_sweep/1");
  std::vector<Column> columns;
  const std::vector<core::Variable> along = axis_variables(axes);
  for (std::size_t a = 0; a < axes.size(); ++a)
    columns.push_back({along[a].name, axes[a].key, axes[a].numbers.empty() ? Style::text : Style::number});
  const std::vector<const core::Variable*> values = headline(sweep);
  for (const core::Variable* v : values)
    columns.push_back({v->name, v->name, v->units == "J" && v->name != "objective" ? Style::energy : Style::precise});
  columns.push_back({"status", "status", Style::text});
  Table& table = document.table("runs", "", columns);
  table.text_rows = k_rows_in_text;
  const std::vector<std::string> status =
      sweep.has("solve_status") ? sweep.strings("solve_status") : std::vector<std::string>{};
  for (std::size_t i = 0; i < static_cast<std::size_t>(sweep.dims.at("run")); ++i) {
    std::vector<Cell> row;
    for (const core::Variable& v : along) {
      const auto* words = std::get_if<std::vector<std::string>>(&v.values);
      row.push_back(words != nullptr ? Cell((*words)[i]) : Cell(std::get<std::vector<double>>(v.values)[i]));
    }
    for (const core::Variable* v : values) row.push_back(sweep.numbers(v->name)[i]);
    row.push_back(i < status.size() ? Cell(status[i]) : Cell{});
    table.add(std::move(row));
  }
  return document;
}

io::Figure sweep_figure(const core::Dataset& sweep, const std::vector<SweepAxis>& axes) {
  io::Figure figure;
  figure.title = sweep.text("title", "sweep");
  const SweepAxis& first = axes.front();
  std::size_t inner = 1;  // runs per value of the first axis
  for (std::size_t a = 1; a < axes.size(); ++a) inner *= axes[a].words.size();
  const std::vector<std::vector<std::string>> labels = combinations({axes.begin() + 1, axes.end()});
  for (const core::Variable* v : headline(sweep)) {
    io::Panel panel;
    panel.title = v->long_name;
    panel.x_label = first.key;
    panel.y_label = v->name + (v->units == "1" ? "" : " (" + v->units + ")");
    panel.log_x = logarithmic(first.numbers);
    const std::vector<double> all = sweep.numbers(v->name);
    for (std::size_t k = 0; k < inner; ++k) {
      io::Line line;
      line.label = labels[k].empty() ? "" : fmt::format("{}", fmt::join(labels[k], ", "));
      line.points = true;
      for (std::size_t i = 0; i < first.words.size(); ++i) {
        line.x.push_back(first.numbers.empty() ? static_cast<double>(i) : first.numbers[i]);
        line.y.push_back(all[i * inner + k]);
      }
      panel.lines.push_back(std::move(line));
    }
    figure.panels.push_back(std::move(panel));
  }
  return figure;
}

int finish_plans(Session& session, core::Dataset& table, Document document, const io::Figure& figure) {
  const Arguments& arguments = session.arguments;
  add_origin(table, table.text("title", "plans"), "", arguments.command_line);
  if (arguments.has("out")) io::write_hdf5(arguments.text("out"), table);
  if (arguments.has("plot")) io::write_png(arguments.text("plot"), figure);
  if (arguments.has("out")) document.note(fmt::format("Stored in {}.", arguments.text("out")));
  session.print(document);
  return k_done;
}

}  // namespace eos::cli
