#include "plan_sweep.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <atomic>

#include "eos/core/hash.hpp"
#include "eos/core/parallel.hpp"
#include "eos/io/hdf5.hpp"
#include "eos/io/run_stack.hpp"
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

/// The coordinates of plan `i`, in front of what the plan says: names in the order in which a reader wants them.
std::string label(core::Dataset& plan, std::size_t i, const std::vector<core::Variable>& along) {
  constexpr std::size_t k_id_digits = 16;
  std::string text = plan.has("problem_toml") ? plan.strings("problem_toml").front() : "",
              names = "run_id design_index";
  const auto index = static_cast<std::int64_t>(i);
  std::vector<core::Variable> labels;
  for (const core::Variable& v : along) {
    core::Variable one{v.name, {}, {}, v.units, v.long_name, v.attributes};
    std::visit(
        [&](const auto& values) {
          one.values = std::decay_t<decltype(values)>{values.at(i)};
          text += fmt::format("{} = {}\n", v.name, values.at(i));
        },
        v.values);
    labels.push_back(std::move(one));
    names += " " + v.name;
  }
  plan.add("run_id", {}, std::vector<std::string>{core::sha256_hex(text).substr(0, k_id_digits)}, "1",
           "hash of the problem and what was varied");
  plan.add("design_index", {}, std::vector<std::int64_t>{index}, "1", "point of the design");
  plan.add("plan_index", {}, std::vector<std::int64_t>{index}, "1", "place among all plans of the sweep");
  for (core::Variable& v : labels) {
    std::erase_if(plan.variables, [&](const core::Variable& own) { return own.name == v.name; });  // the axis says it
    plan.variables.push_back(std::move(v));
  }
  return names;
}

}  // namespace

core::Dataset stack_plans(std::vector<core::Dataset> plans, const std::vector<core::Variable>& along) {
  for (std::size_t i = 0; i < plans.size(); ++i) plans[i].attributes["run_coordinates"] = label(plans[i], i, along);
  core::Dataset table = io::stack_runs(plans);
  std::string axes;
  for (const core::Variable& v : along) axes += (axes.empty() ? "" : " ") + v.name;
  table.attributes["sweep_axes"] = axes;
  table.attributes["planned_runs"] = static_cast<std::int64_t>(plans.size());
  return table;
}

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
  return stack_plans(std::move(tables), axis_variables(axes));
}

core::Dataset sweep_in_batch(const std::vector<SweepAxis>& axes,
                             const std::function<theory::ModeProblem(const std::vector<std::string>&)>& read,
                             const solvers::BatchOptions& options) {
  std::vector<theory::ModeProblem> problems;
  for (const std::vector<std::string>& point : combinations(axes)) problems.push_back(read(point));
  const solvers::BatchResult r = solvers::solve_batch(problems, options);
  const auto n = static_cast<std::size_t>(r.intervals);
  std::vector<double> middle;
  for (int i = 0; i < r.intervals; ++i) middle.push_back((i + 0.5) / r.intervals);
  std::vector<core::Dataset> plans(problems.size());
  for (std::size_t k = 0; k < plans.size(); ++k) {
    core::Dataset& plan = plans[k];
    plan.attributes["title"] = problems.front().title.empty() ? std::string("sweep") : problems.front().title;
    plan.attributes["kind"] = std::string("plan");
    plan.add_dim("interval", middle, "1", "share of the horizon, middle of an interval of constant controls");
    const auto curve = [&](const char* name, const std::vector<double>& all, const char* meaning) {
      const auto begin = all.begin() + static_cast<std::ptrdiff_t>(k * n);
      plan.add(name, {"interval"}, std::vector<double>(begin, begin + static_cast<std::ptrdiff_t>(n)), "1", meaning);
    };
    const auto scalar = [&](const char* name, double value, const char* units, const char* meaning) {
      plan.add(name, {}, std::vector<double>{value}, units, meaning);
    };
    curve("data_fraction", r.data_fraction, "fraction of the samples that is learned");
    curve("weight_fraction", r.weight_fraction, "fraction of the weights that is written");
    curve("learning_rate", r.learning_rate, "learning rate");
    scalar("objective", r.objective[k], "J", "minimised objective J");
    scalar("terminal_loss", r.terminal_loss[k], "1", "excess loss at the horizon");
    scalar("energy_total", r.energy[k], "J", "energy spent over the horizon");
    plan.add("solve_status", {}, std::vector<std::string>{theory::to_string(r.status[k])}, "1", "how the solver ended");
  }
  return stack_plans(std::move(plans), axis_variables(axes));
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
