#include "plan_front.hpp"

#include <fmt/format.h>

#include <cmath>

#include "eos/core/error.hpp"
#include "eos/io/convert.hpp"
#include "eos/io/stack.hpp"
#include "sweep_axes.hpp"

namespace eos::cli {

namespace {

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
  core::Dataset table = io::stack(
      plans, {over_runs("factor", column(points, &Point::factor), "1", "factor on the term '" + term + "'"),
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

Front trace(const theory::ModeProblem& problem, const std::string& request, Session& session) {
  const std::size_t equals = request.find('=');
  const std::string term = request.substr(0, equals);
  const SweepAxis axis =
      parse_axis(term + "=" + (equals == std::string::npos ? k_default_factors : request.substr(equals + 1)));
  if (axis.numbers.empty())
    throw core::Error("E104", fmt::format("--pareto {}: factors must be numbers", request),
                      "e.g. --pareto energy=0.1:10:21:log");
  const auto points = solvers::trace_front(problem, term, axis.numbers, {}, session.threads());
  return {term, table_of(points, term)};
}

Document front_report(const Front& front) {
  Document document("eos.front/1");
  Table& table = document.table("front", "Pareto front: every row costs least at its factor",
                                {{"factor", "factor on " + front.term, Style::number},
                                 {"loss_term", "loss term (J)", Style::precise},
                                 {"energy_term", "energy", Style::energy},
                                 {"terminal_loss", "final excess loss", Style::precise},
                                 {"envelope_residual", "envelope", Style::number},
                                 {"global", "on the hull", Style::text}});
  std::vector<std::vector<double>> columns;
  for (const char* name : {"factor", "loss_term", "energy_term", "terminal_loss", "envelope_residual", "on_hull"})
    columns.push_back(front.table.numbers(name));
  double worst = 0;
  for (std::size_t i = 0; i < columns[0].size(); ++i) {
    table.add({columns[0][i], columns[1][i], columns[2][i], columns[3][i], columns[4][i],
               std::string(columns[5][i] > 0 ? "yes" : "NO")});
    worst = std::max(worst, columns[4][i]);
  }
  document.set("term", front.term);
  document.set("worst_envelope_residual", worst, "largest |dJ/dfactor - term| / term", Style::number);
  return document;
}

io::Figure front_figure(const Front& front) {
  const std::vector<double> factor = front.table.numbers("factor"), loss = front.table.numbers("loss_term"),
                            energy = front.table.numbers("energy_term"),
                            final_loss = front.table.numbers("terminal_loss");
  const auto panel = [](const char* title, const std::string& x, const char* y, std::vector<double> xs,
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
  const std::string scaled = "factor on " + front.term;
  figure.panels = {panel("Loss against energy", "energy (J)", "final excess loss", energy, final_loss, false),
                   panel("Cost of the loss against energy", "energy (J)", "loss term (J)", energy, loss, false),
                   panel("Energy", scaled, "energy (J)", factor, energy, true),
                   panel("Final excess loss", scaled, "excess loss", factor, final_loss, true)};
  return figure;
}

solvers::BudgetPlan plan_within(const theory::ModeProblem& problem, const std::string& request) {
  const SweepAxis axis = parse_axis(request);
  if (axis.numbers.size() != 1)
    throw core::Error("E104", fmt::format("--budget {}: one number is needed", request), "e.g. --budget energy=0.05");
  solvers::BudgetPlan plan = solvers::solve_with_budget(problem, axis.key, axis.numbers.front());
  if (!plan.feasible)
    throw core::Error("E401", fmt::format("--budget {}: {}", request, plan.message),
                      "raise the budget, or lower what every plan has to spend (bounds, upkeep, phases with all data)");
  return plan;
}

}  // namespace eos::cli
