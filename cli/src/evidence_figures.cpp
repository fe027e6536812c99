// Figures of a comparison.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "evidence_file.hpp"
#include "evidence_report.hpp"
#include "evidence_results.hpp"
#include "run_columns.hpp"

namespace eos::cli {

namespace {

/// Methods that a figure shows for a price list: plain and best dense, the best of each axis, all joint ones.
std::vector<std::string> shown_methods(const EvidenceReader& e, std::size_t task, std::size_t list) {
  std::vector<std::string> shown{"dense"};
  const auto add = [&](const std::string& method) {
    if (!method.empty() && std::find(shown.begin(), shown.end(), method) == shown.end()) shown.push_back(method);
  };
  const std::size_t here = task * e.lists.size() + list;
  add(e.word("best_dense", here));
  for (const char* axis : {"data", "write", "stacked"}) add(e.word(fmt::format("best_{}", axis), here));
  for (std::size_t m = 0; m < e.methods.size(); ++m)
    if (e.axes[m] == "joint" && e.word("method_status", task * e.methods.size() + m) == "complete") add(e.methods[m]);
  return shown;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double x : values) sum += x;
  return sum / static_cast<double>(values.size());
}
double standard_error(const std::vector<double>& values) {
  if (values.size() < 2) return 0;
  const double m = mean(values), n = static_cast<double>(values.size());
  double squares = 0;
  for (const double x : values) squares += (x - m) * (x - m);
  return std::sqrt(squares / (n - 1) / n);
}

/// Test quality against energy over horizons, means and standard errors over seeds.
io::Line front(const EvidenceReader& e, std::size_t task, const Course& course, const theory::PriceList& prices) {
  io::Line line;
  line.label = course.method, line.points = true;
  for (const std::vector<FinishedRun>& horizon : course.runs) {
    std::vector<double> quality, energy;
    for (const FinishedRun& run : horizon) {
      if (!run.complete) continue;
      quality.push_back(e.accuracy(task) ? 100 * run.test_quality : -run.test_quality);
      energy.push_back(theory::energy(run.ledger, prices).total());
    }
    if (quality.empty()) continue;
    line.x.push_back(mean(energy)), line.y.push_back(mean(quality)), line.error.push_back(standard_error(quality));
  }
  return line;
}

ReportFigure pareto_figure(const EvidenceReader& e, std::size_t task, const std::vector<Course>& courses) {
  ReportFigure f{group_name(e.tasks[task]) + "_pareto",
                 "Test quality against energy: one point a horizon, mean and standard error over seeds. Shown are dense training, "
                 "the best of each axis on validation data, and all joint methods.",
                 {}};
  f.figure.title = e.word("task_title", task);
  for (std::size_t list = 0; list < e.lists.size(); ++list) {
    const theory::PriceList prices = prices_in(e.file, task, list);
    io::Panel panel;
    panel.title = e.lists[list];
    panel.x_label = "energy (J)", panel.y_label = e.accuracy(task) ? "test accuracy (%)" : "test loss";
    panel.log_x = true;
    int colour = 0;
    for (const std::string& method : shown_methods(e, task, list)) {
      const double stands = e.number("configuration", e.at(task, e.method(method), list));
      for (const Course& course : courses) {
        if (course.method != method || course.configuration != static_cast<int>(stands)) continue;
        io::Line line = front(e, task, course, prices);
        line.colour = colour++;
        panel.lines.push_back(std::move(line));
      }
    }
    const double target = e.number("task_target", task) * (e.accuracy(task) ? 100 : 1);
    double low = std::numeric_limits<double>::infinity(), high = 0;
    for (const io::Line& line : panel.lines)
      for (const double x : line.x) low = std::min(low, x), high = std::max(high, x);
    if (high > 0) {
      io::Line goal;
      goal.label = "target", goal.dashed = true, goal.colour = 7;
      goal.x = {low, high}, goal.y = {target, target};
      panel.lines.push_back(std::move(goal));
    }
    f.figure.panels.push_back(std::move(panel));
  }
  return f;
}

/// Energy by term of dense training, the best competitor and the best joint method.
ReportFigure energy_figure(const EvidenceReader& e, std::size_t task) {
  ReportFigure f{group_name(e.tasks[task]) + "_energy",
                 "Where the energy goes at equal quality, as a share of that of plain dense training.", {}};
  f.figure.title = e.word("task_title", task);
  const std::vector<std::string> terms = e.file.strings("term");
  for (std::size_t list = 0; list < e.lists.size(); ++list) {
    const std::size_t here = task * e.lists.size() + list;
    io::Panel panel;
    panel.title = e.lists[list], panel.y_label = "share of dense training's energy";
    std::vector<std::vector<double>> values(terms.size());
    double whole = 0;
    for (std::size_t k = 0; k < terms.size(); ++k)
      whole += e.number("energy_by_term", e.at(task, e.method("dense"), list) * terms.size() + k);
    for (const std::string& method : {std::string("dense"), e.word("best_competitor", here), e.word("best_joint", here)}) {
      if (method.empty()) continue;
      panel.bars.categories.push_back(method);
      for (std::size_t k = 0; k < terms.size(); ++k)
        values[k].push_back(e.number("energy_by_term", e.at(task, e.method(method), list) * terms.size() + k) / whole);
    }
    for (std::size_t k = 0; k < terms.size(); ++k) {
      if (*std::max_element(values[k].begin(), values[k].end()) < 1e-4) continue;
      panel.bars.parts.push_back(terms[k]);
      panel.bars.values.push_back(values[k]);
    }
    if (std::isfinite(whole) && whole > 0 && !panel.bars.parts.empty()) f.figure.panels.push_back(std::move(panel));
  }
  return f;
}

/// Means over the seeds of the runs of one configuration at its own horizon, along the share of the horizon that has passed.
class Schedules {
 public:
  Schedules(const EvidenceReader& e, std::size_t task) : table_(*e.group(task, "runs")), columns_(table_) {
    methods_ = table_.strings("run_method");
  }
  template <class Value>
  io::Line line(const std::string& method, int configuration, const Value& value) {
    io::Line line;
    line.label = method;
    double runs = 0;
    for (std::size_t i = 0; i < methods_.size(); ++i) {
      const bool own = methods_[i] == method && static_cast<int>(columns_.last("run_configuration", i)) == configuration &&
                       columns_.last("run_factor", i) == 1 && columns_.rows(i) > 0;
      if (!own) continue;
      ++runs;
      line.x.resize(columns_.rows(i)), line.y.resize(columns_.rows(i));
      for (std::size_t row = 0; row < columns_.rows(i); ++row) {
        line.x[row] = columns_.at("samples_offered", i, row) / columns_.last("samples_offered", i);
        line.y[row] += value(columns_, i, row);
      }
    }
    for (double& y : line.y) y /= runs;
    line.points = line.x.size() < 2;
    return line;
  }

 private:
  const core::Dataset& table_;
  RunColumns columns_;
  std::vector<std::string> methods_;
};

ReportFigure schedule_figure(const EvidenceReader& e, std::size_t task) {
  ReportFigure f{group_name(e.tasks[task]) + "_schedules",
                 "What runs at their own horizon do over time, means over seeds: samples back-propagated as a share of the stream, weights "
                 "written as a share of all, and the learning rate. Shown are the methods that are best under any price list.",
                 {}};
  f.figure.title = e.word("task_title", task);
  std::map<std::string, int> methods;
  for (std::size_t list = 0; list < e.lists.size(); ++list)
    for (const std::string& method : shown_methods(e, task, list))
      if (const double c = e.number("configuration", e.at(task, e.method(method), list)); !std::isnan(c))
        methods.try_emplace(method, static_cast<int>(c));
  Schedules schedules(e, task);
  io::Panel data, weights, rate;
  data.title = "Samples learned", weights.title = "Weights written", rate.title = "Learning rate";
  data.y_label = weights.y_label = "share", rate.y_label = "rate";
  data.log_y = weights.log_y = true;
  int colour = 0;
  for (const auto& [method, configuration] : methods) {
    const auto add = [&](io::Panel& panel, const auto& value) {
      io::Line line = schedules.line(method, configuration, value);
      line.colour = colour;
      if (!line.x.empty()) panel.lines.push_back(std::move(line));
    };
    add(data, [](RunColumns& c, std::size_t i, std::size_t row) {
      return c.at("data_fraction", i, row) * c.at("present_fraction", i, row);
    });
    add(weights, [](RunColumns& c, std::size_t i, std::size_t row) { return c.at("weight_fraction", i, row); });
    add(rate, [](RunColumns& c, std::size_t i, std::size_t row) { return c.at("learning_rate", i, row); });
    ++colour;
  }
  for (io::Panel* panel : {&data, &weights, &rate}) {
    panel->x_label = "share of the horizon";
    f.figure.panels.push_back(std::move(*panel));
  }
  return f;
}

ReportFigure prediction_figure(const EvidenceReader& e, std::size_t task) {
  ReportFigure f{group_name(e.tasks[task]) + "_prediction", "Validation loss as foretold (lines) and measured (points, means over seeds).", {}};
  f.figure.title = e.word("task_title", task);
  const core::Dataset* p = e.group(task, "prediction");
  if (p == nullptr) return f;
  const auto names = p->strings("prediction");
  const auto part = [&](const char* name, std::size_t i) {
    const std::vector<double> all = p->numbers(name);
    const auto length = static_cast<std::ptrdiff_t>(all.size() / names.size()), at = static_cast<std::ptrdiff_t>(i) * length;
    return std::vector<double>(all.begin() + at, all.begin() + at + length);
  };
  for (std::size_t i = 0; i < names.size(); ++i) {
    io::Panel panel;
    panel.title = names[i], panel.x_label = "epoch", panel.y_label = "validation loss";
    io::Line foretold, measured;
    foretold.label = "foretold", foretold.x = part("foretold_epoch", i), foretold.y = part("foretold_loss", i);
    measured.label = "measured", measured.x = part("measured_epoch", i), measured.y = part("measured_loss", i);
    measured.points = true, measured.line = false;
    panel.lines = {std::move(foretold), std::move(measured)};
    f.figure.panels.push_back(std::move(panel));
  }
  return f;
}

}  // namespace

std::vector<ReportFigure> task_figures(const EvidenceReader& e, std::size_t task) {
  if (e.group(task, "runs") == nullptr) return {};
  std::vector<ReportFigure> figures{pareto_figure(e, task, courses_of(runs_in(e.file, task))), energy_figure(e, task),
                                    schedule_figure(e, task), prediction_figure(e, task)};
  std::erase_if(figures, [](const ReportFigure& f) { return f.figure.panels.empty(); });
  return figures;
}

}  // namespace eos::cli
