#include "train_fly.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "eos/io/hdf5.hpp"
#include "eos/io/toml.hpp"
#include "eos/sim/fly.hpp"
#include "files.hpp"

namespace eos::cli {

namespace {

using sim::FlyResult;
using theory::FlySpec;

/// "or, E > 0.8, |dR| > 0.1": the thresholds of a gate in words.
std::string thresholds_of(const FlySpec& spec, std::size_t gate, FlyResult::Thresholds t) {
  const theory::FlyGate g = spec.gates[gate];
  std::string text;
  if (theory::uses_energy_threshold(g)) text = fmt::format("c0 = {:.4g}", spec.energy_thresholds[t.c0]);
  if (theory::uses_error_threshold(g))
    text += fmt::format("{}c1 = {:.4g}", text.empty() ? "" : ", ", spec.error_thresholds[t.c1]);
  return text.empty() ? "–" : text;
}

/// One row per hazard, one column per gate: the table of the paper.
void add_lifetimes(Document& document, const FlyResult& r) {
  std::vector<Column> columns{{"hazard", "hazard", Style::number}};
  for (const theory::FlyGate gate : r.spec.gates) {
    columns.push_back({"lifetime_" + theory::name_of(gate), theory::name_of(gate), Style::number});
    columns.push_back({"stderr_" + theory::name_of(gate), "±", Style::number});
  }
  Table& table = document.table("lifetimes", "Mean lifetime (days), at the best thresholds for each hazard", columns);
  for (std::size_t h = 0; h < r.spec.hazards.size(); ++h) {
    std::vector<Cell> row{r.spec.hazards[h]};
    for (std::size_t g = 0; g < r.spec.gates.size(); ++g) {
      const FlyResult::Thresholds t = r.best(h, g);
      const sim::FlyLives& life = r.at(h, g, t.c0, t.c1);
      row.insert(row.end(), {life.lifetime, life.lifetime_error});
    }
    table.add(std::move(row));
  }
}

/// What the best flies do: thresholds, reserve paid, punished days.
void add_habits(Document& document, const FlyResult& r) {
  Table& table = document.table("habits", "How the longest lives are led",
                                {{"hazard", "hazard", Style::number},
                                 {"gate", "gate"},
                                 {"thresholds", "best thresholds"},
                                 {"ltm_reserve", "reserve for LTM", Style::number},
                                 {"punished_days", "punished days", Style::number},
                                 {"survivors", "alive at the end", Style::percent}});
  for (std::size_t h = 0; h < r.spec.hazards.size(); ++h)
    for (std::size_t g = 0; g < r.spec.gates.size(); ++g) {
      const FlyResult::Thresholds t = r.best(h, g);
      const sim::FlyLives& life = r.at(h, g, t.c0, t.c1);
      table.add({r.spec.hazards[h], theory::name_of(r.spec.gates[g]), thresholds_of(r.spec, g, t), life.ltm_reserve,
                 life.punished, life.survivors});
    }
}

/// One setting for all hazards.
void add_common(Document& document, const FlyResult& r) {
  if (r.spec.hazards.size() < 2) return;
  Table& table = document.table(
      "common", "One pair of thresholds for all hazards",
      {{"gate", "gate"}, {"thresholds", "best thresholds"}, {"lifetime", "mean lifetime (days)", Style::precise}});
  for (std::size_t g = 0; g < r.spec.gates.size(); ++g) {
    const FlyResult::Thresholds t = r.best_for_all(g);
    table.add({theory::name_of(r.spec.gates[g]), thresholds_of(r.spec, g, t), r.mean_over_hazards(g, t)});
  }
}

FlySpec read_spec(const Arguments& arguments) {
  FlySpec spec = io::read_fly(arguments.text("FILE.toml"), {arguments.list("set")});
  if (arguments.has("seed")) spec.seed = arguments.seed("seed");
  return spec;
}

/// values[hazard][gate] of a variable as one curve per gate.
std::vector<io::Line> by_gate(const core::Dataset& data, const std::string& name, const std::string& error = {}) {
  const std::vector<double> hazard = data.numbers("hazard"), values = data.numbers(name);
  const std::vector<double> errors = error.empty() ? std::vector<double>() : data.numbers(error);
  const std::vector<std::string> gates = data.strings("gate");
  std::vector<io::Line> lines(gates.size());
  for (std::size_t g = 0; g < gates.size(); ++g) {
    lines[g].label = gates[g];
    lines[g].points = true;
    for (std::size_t h = 0; h < hazard.size(); ++h) {
      lines[g].x.push_back(hazard[h]);
      lines[g].y.push_back(values[h * gates.size() + g]);
      if (!errors.empty()) lines[g].error.push_back(errors[h * gates.size() + g]);
    }
  }
  return lines;
}

io::Panel hazard_panel(const std::string& title, const std::string& y_label, std::vector<io::Line> lines) {
  io::Panel panel;
  panel.title = title, panel.x_label = "hazard of the punished odour (1/day)", panel.y_label = y_label;
  panel.lines = std::move(lines);
  return panel;
}

/// Lifetime against c0 of the last gate that has one, at its best c1, one curve per hazard.
void add_threshold_panel(io::Figure& figure, const core::Dataset& data) {
  const std::vector<double> hazard = data.numbers("hazard"), c0 = data.numbers("energy_threshold"),
                            c1 = data.numbers("error_threshold"), best_c0 = data.numbers("best_energy_threshold"),
                            grid = data.numbers("lifetime_grid");
  const std::vector<std::string> gates = data.strings("gate");
  std::size_t gate = gates.size();
  for (std::size_t g = 0; g < gates.size(); ++g)
    if (!std::isnan(best_c0[g])) gate = g;
  if (gate == gates.size() || c0.size() < 2) return;
  io::Panel panel;
  panel.title = fmt::format("Gate '{}' at its best c1", gates[gate]);
  panel.x_label = "threshold c0 on the reserve", panel.y_label = "mean lifetime (days)";
  for (std::size_t h = 0; h < hazard.size(); ++h) {
    io::Line line;
    line.label = fmt::format("hazard {:.3g}", hazard[h]);
    for (std::size_t i = 0; i < c0.size(); ++i) {
      const auto first =
          grid.begin() + static_cast<std::ptrdiff_t>(((h * gates.size() + gate) * c0.size() + i) * c1.size());
      line.x.push_back(c0[i]);
      line.y.push_back(*std::max_element(first, first + static_cast<std::ptrdiff_t>(c1.size())));
    }
    panel.lines.push_back(std::move(line));
  }
  figure.panels.push_back(std::move(panel));
}

}  // namespace

io::Figure fly_figure(const core::Dataset& data) {
  io::Figure figure;
  figure.title = data.text("title", "flies");
  figure.panels = {
      hazard_panel("How long flies live", "mean lifetime (days)", by_gate(data, "lifetime", "lifetime_stderr")),
      hazard_panel("What they pay for memory", "share of the full reserve", by_gate(data, "ltm_reserve")),
      hazard_panel("How often they are punished", "days in a life", by_gate(data, "punished_days"))};
  add_threshold_panel(figure, data);
  return figure;
}

int run_fly(Session& session) {
  const Arguments& arguments = session.arguments;
  const std::string out = arguments.text("out");
  const FlySpec spec = read_spec(arguments);
  require_writable(out);
  const auto start = std::chrono::steady_clock::now();
  const FlyResult result = sim::simulate_flies(spec, session.progress(), session.threads());
  session.progress().finish();
  core::Dataset table = sim::to_dataset(result);
  add_origin(table, spec.title.empty() ? "flies" : spec.title, io::to_toml(spec), arguments.command_line);
  io::write_hdf5(out, table);
  session.detail(fmt::format("{} in {:.1f} s", out,
                             std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count()));
  if (arguments.has("plot")) {
    io::write_png(arguments.text("plot"), fly_figure(table));
    session.note("drawn in " + arguments.text("plot"));
  }
  Document document("eos.fly/1");
  document.set("output", out);
  document.set("title", spec.title, spec.title.empty() ? "" : "run");
  document.set("flies", std::int64_t{spec.flies}, "flies in each cell", Style::count);
  add_lifetimes(document, result);
  add_habits(document, result);
  add_common(document, result);
  document.set("content_sha256", core::content_sha256(table), "content hash");
  document.note(fmt::format("Stored in {}. Next: eos show {} --plot flies.png", out, out));
  session.print(document);
  return k_done;
}

}  // namespace eos::cli
