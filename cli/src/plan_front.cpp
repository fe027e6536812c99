#include "plan_front.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "eos/core/error.hpp"
#include "eos/io/convert.hpp"
#include "plan_sweep.hpp"
#include "sweep_axes.hpp"

namespace eos::cli {

namespace {

/// Columns of the report, where the table has them.
struct Shown {
  const char *name, *title;
  Style style;
};
constexpr Shown k_shown[] = {{"loss_term", "loss term (J)", Style::precise},
                             {"energy_term", "energy", Style::energy},
                             {"terminal_loss", "final excess loss", Style::precise},
                             {"scaled_term", "amount", Style::precise},
                             {"rest", "other terms", Style::precise},
                             {"objective", "objective", Style::precise},
                             {"envelope_residual", "envelope", Style::number}};

constexpr const char* k_default_factors = "0.1:10:21:log";

core::Variable over_runs(const char* name, std::vector<double> values, const char* units, std::string meaning) {
  core::Variable v;
  v.name = name, v.values = std::move(values), v.units = units, v.long_name = std::move(meaning);
  return v;
}

std::vector<double> column(const std::vector<solvers::FrontPoint>& points, double solvers::FrontPoint::*field) {
  std::vector<double> values;
  for (const solvers::FrontPoint& p : points) values.push_back(p.*field);
  return values;
}

core::Dataset table_of(const std::vector<solvers::FrontPoint>& points, const std::string& term) {
  using Point = solvers::FrontPoint;
  std::vector<core::Dataset> plans;
  std::vector<double> hull;
  for (const Point& p : points) plans.push_back(io::to_dataset(p.plan)), hull.push_back(p.on_hull ? 1 : 0);
  core::Dataset table =
      stack_plans(std::move(plans),
                  {over_runs("factor", column(points, &Point::factor), "1", "factor on the term '" + term + "'"),
                   over_runs("loss_term", column(points, &Point::loss), "J", "what the loss costs, at its own weights"),
                   over_runs("energy_term", column(points, &Point::energy), "J", "energy spent, at its own prices"),
                   over_runs("scaled_term", column(points, &Point::term), "J", "amount of the scaled term, unscaled"),
                   over_runs("envelope_residual", column(points, &Point::envelope_residual), "1",
                             "|dJ/dfactor - amount| / amount, 0 by the envelope theorem"),
                   over_runs("on_hull", hull, "1", "1 where no other point shows that this is not a global optimum")});
  table.attributes["kind"] = std::string("pareto front");
  table.attributes["term"] = term;
  return table;
}

}  // namespace

FrontRequest parse_front(const std::string& request) {
  const std::size_t equals = request.find('=');
  const std::string term = request.substr(0, equals);
  const SweepAxis axis =
      parse_axis(term + "=" + (equals == std::string::npos ? k_default_factors : request.substr(equals + 1)));
  if (axis.numbers.empty())
    throw core::Error("E104", fmt::format("--pareto {}: factors must be numbers", request),
                      "e.g. --pareto energy=0.1:10:21:log");
  return {term, axis.numbers};
}

Budget parse_budget(const std::string& request) {
  const SweepAxis axis = parse_axis(request);
  if (axis.numbers.size() != 1)
    throw core::Error("E104", fmt::format("--budget {}: one number is needed", request), "e.g. --budget energy=0.05");
  return {axis.key, axis.numbers.front()};
}

Front trace(const theory::ModeProblem& problem, const std::string& request, Session& session) {
  const FrontRequest wanted = parse_front(request);
  const auto points = solvers::trace_front(problem, wanted.term, wanted.factors, {}, session.threads());
  return {wanted.term, table_of(points, wanted.term)};
}

Document front_report(const Front& front) {
  Document document("eos.front/1");
  std::vector<Column> columns{{"factor", "factor on " + front.term, Style::number}};
  std::vector<std::vector<double>> values{front.table.numbers("factor")};
  for (const Shown& shown : k_shown)
    if (const core::Variable* v = front.table.find(shown.name); v != nullptr && v->dims.size() == 1) {
      columns.push_back({shown.name, shown.title, shown.style});
      values.push_back(front.table.numbers(shown.name));
    }
  columns.push_back({"global", "on the hull", Style::text});
  Table& table = document.table("front", "Pareto front: every row costs least at its factor", std::move(columns));
  const std::vector<double> hull = front.table.numbers("on_hull"), envelope = front.table.numbers("envelope_residual");
  for (std::size_t i = 0; i < hull.size(); ++i) {
    std::vector<Cell> row;
    for (const std::vector<double>& column : values) row.push_back(column[i]);
    row.push_back(std::string(hull[i] > 0 ? "yes" : "NO"));
    table.add(std::move(row));
  }
  document.set("term", front.term);
  document.set("worst_envelope_residual", *std::max_element(envelope.begin(), envelope.end()),
               "largest deviation from the envelope theorem", Style::number);
  return document;
}

io::Figure front_figure(const Front& front) {
  const std::string scaled = "factor on " + front.term;
  const std::vector<double> factor = front.table.numbers("factor"), term = front.table.numbers("scaled_term");
  const auto panel = [](const std::string& title, const std::string& x, const std::string& y, std::vector<double> xs,
                        std::vector<double> ys, bool log_x) {
    io::Panel p;
    p.title = title, p.x_label = x, p.y_label = y, p.log_x = log_x;
    io::Line line;
    line.x = std::move(xs), line.y = std::move(ys), line.points = true;
    p.lines = {line};
    return p;
  };
  io::Figure figure;
  figure.title = "Pareto front: " + front.table.text("title", "plan");
  if (front.table.has("loss_term")) {
    const std::vector<double> energy = front.table.numbers("energy_term");
    figure.panels = {panel("Loss against energy", "energy (J)", "final excess loss", energy,
                           front.table.numbers("terminal_loss"), false),
                     panel("Cost of the loss against energy", "energy (J)", "loss term (J)", energy,
                           front.table.numbers("loss_term"), false),
                     panel("Energy", scaled, "energy (J)", factor, energy, true)};
  } else {
    figure.panels = {panel("The other terms against " + front.term, front.term, "weighted sum of the other terms", term,
                           front.table.numbers("rest"), false)};
  }
  figure.panels.push_back(panel("Amount of " + front.term, scaled, front.term, factor, term, true));
  figure.panels.push_back(panel("Objective", scaled, "J", factor, front.table.numbers("objective"), true));
  return figure;
}

solvers::BudgetPlan plan_within(const theory::ModeProblem& problem, const std::string& request) {
  const Budget budget = parse_budget(request);
  solvers::BudgetPlan plan = solvers::solve_with_budget(problem, budget.term, budget.limit);
  if (!plan.feasible)
    throw core::Error("E401", fmt::format("--budget {}: {}", request, plan.message),
                      "raise the budget, or lower what every plan has to spend (bounds, upkeep, phases with all data)");
  return plan;
}

}  // namespace eos::cli
