#include "perceptron_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "eos/theory/interval.hpp"

namespace eos::cli {

namespace {

using theory::Interval;

/// A cell of the grid by its coordinates.
struct Cell4 {
  double patterns = 0, decay = 0, setting = 0, maintenance = 0;
};

class GridView {
 public:
  explicit GridView(const core::Dataset& data) : data_(data) {
    for (const char* name : {"threshold", "scale", "interval"})
      if (data.has(name)) setting_ = name;
    const std::vector<double> none{0};
    const auto axis = [&](const char* name) { return data.has(name) ? data.numbers(name) : none; };
    for (const double p : axis("patterns"))
      for (const double tau : axis("decay"))
        for (const double s : setting_.empty() ? none : data.numbers(setting_))
          for (const double c : axis("maintenance")) cells_.push_back({p, tau, s, c});
    replicas_ = static_cast<std::size_t>(data.dims.at("replica"));
    converged_ = data.numbers("converged");
  }

  const std::vector<Cell4>& cells() const { return cells_; }
  bool cached() const { return !setting_.empty(); }
  const std::string& setting() const { return setting_; }
  std::size_t replicas() const { return replicas_; }
  std::size_t converged(std::size_t cell) const {
    const auto begin = converged_.begin() + static_cast<std::ptrdiff_t>(cell * replicas_);
    return static_cast<std::size_t>(std::count(begin, begin + static_cast<std::ptrdiff_t>(replicas_), 1));
  }

  /// Mean over the replicas of a cell that converged; entry k of variables along one more dimension.
  Interval mean(const std::string& name, std::size_t cell, std::size_t k = 0) const {
    const std::vector<double> values = data_.numbers(name);
    const std::size_t size = values.size() / converged_.size();
    std::vector<double> chosen;
    for (std::size_t r = cell * replicas_; r < (cell + 1) * replicas_; ++r)
      if (converged_[r] == 1) chosen.push_back(values[r * size + k]);
    return theory::mean_interval(chosen);
  }

 private:
  const core::Dataset& data_;
  std::string setting_;
  std::vector<Cell4> cells_;
  std::size_t replicas_ = 0;
  std::vector<double> converged_;
};

/// "75.5 ± 0.9": the interval with two digits, the mean as far as it reaches.
std::string with_interval(const Interval& x) {
  if (!std::isfinite(x.mean)) return "–";
  if (!(x.half > 0)) return fmt::format("{:.4g}", x.mean);
  const double largest = std::max(std::fabs(x.mean), x.half);
  if (largest >= 1e5) {
    const int power = static_cast<int>(std::floor(std::log10(largest)));
    const double unit = std::pow(10, power);
    const int digits = std::clamp(1 - static_cast<int>(std::floor(std::log10(x.half / unit))), 0, 6);
    return fmt::format("({:.{}f} ± {:.{}f})e{}", x.mean / unit, digits, x.half / unit, digits, power);
  }
  const int digits = std::clamp(1 - static_cast<int>(std::floor(std::log10(x.half))), 0, 6);
  return fmt::format("{:.{}f} ± {:.{}f}", x.mean, digits, x.half, digits);
}

/// A quantity with a title in text; key and key_interval are numbers in JSON and CSV.
struct Quantity {
  const char* name;
  std::string key, title;
  std::size_t entry = 0;
};

std::vector<Quantity> quantities_of(const core::Dataset& data, const GridView& grid) {
  std::vector<Quantity> list{{"epochs", "epochs", "epochs"}, {"updates", "updates", "updates K"}};
  const std::vector<double> alphas = data.numbers("alpha");
  for (std::size_t a = 0; a < alphas.size(); ++a) {
    const std::string suffix = alphas.size() == 1 && alphas[a] == 1 ? "" : fmt::format("_alpha_{:g}", alphas[a]);
    const std::string title = suffix.empty() ? "inefficiency" : fmt::format("inefficiency, α = {:g}", alphas[a]);
    list.push_back({"inefficiency", "inefficiency" + suffix, title, a});
  }
  if (!grid.cached()) return list;
  list.push_back({"m_cons", "m_cons", "M_cons"});
  list.push_back({"m_trans", "m_trans", "M_trans"});
  list.push_back({"m_cache", "m_cache", "M_cache"});
  list.push_back({"theory_m_cache", "theory_m_cache", "closed form"});
  return list;
}

std::vector<Column> columns_of(const GridView& grid, const std::vector<Quantity>& quantities) {
  std::vector<Column> columns;
  const auto coordinate = [&](const std::string& key, const std::string& title) {
    columns.push_back({key, "", Style::number});
    columns.push_back({"", title, Style::shown});
  };
  coordinate("patterns", "P");
  if (grid.cached())
    coordinate("decay", "τ"), coordinate(grid.setting(), grid.setting()), coordinate("maintenance", "c");
  coordinate("converged", "converged");
  for (const Quantity& q : quantities) {
    columns.push_back({q.key, "", Style::number});
    columns.push_back({q.key + "_interval", "", Style::number});
    columns.push_back({"", q.title, Style::shown});
  }
  return columns;
}

Cell finite(double value) { return std::isfinite(value) ? Cell{value} : Cell{}; }

/// For every price c, the setting of least energy.
void add_best(Document& document, const GridView& grid) {
  std::vector<double> prices;
  for (const Cell4& cell : grid.cells())
    if (std::find(prices.begin(), prices.end(), cell.maintenance) == prices.end()) prices.push_back(cell.maintenance);
  if (grid.cells().size() == prices.size()) return;
  for (const double c : prices) {
    std::size_t best = grid.cells().size();
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < grid.cells().size(); ++i) {
      const bool all = grid.converged(i) == grid.replicas();
      if (grid.cells()[i].maintenance != c || !all || grid.mean("m_cache", i).mean >= least) continue;
      least = grid.mean("m_cache", i).mean, best = i;
    }
    if (best == grid.cells().size()) continue;
    const Cell4& cell = grid.cells()[best];
    document.note(fmt::format("- least energy at c = {:g}: M_cache = {} at {} {:g}{}", c,
                              with_interval(grid.mean("m_cache", best)), grid.setting(), cell.setting,
                              cell.decay > 0 ? fmt::format(", τ = {:g}", cell.decay) : ""));
  }
}

io::Line line_over(const GridView& grid, const std::vector<std::size_t>& cells, const std::string& variable,
                   const std::string& label, double Cell4::*x, std::size_t entry = 0) {
  io::Line line;
  line.label = label;
  for (const std::size_t c : cells) {
    const Interval y = grid.mean(variable, c, entry);
    line.x.push_back(grid.cells()[c].*x), line.y.push_back(y.mean);
    line.error.push_back(std::isfinite(y.half) ? y.half : 0);
  }
  line.points = true;
  return line;
}

io::Panel panel_of(const std::string& title, const std::string& x, const std::string& y, bool log_y) {
  io::Panel panel;
  panel.title = title, panel.x_label = x, panel.y_label = y, panel.log_y = log_y;
  return panel;
}

io::Panel inefficiency_panel(const core::Dataset& data, const GridView& grid) {
  std::vector<std::size_t> cells(grid.cells().size());
  for (std::size_t c = 0; c < cells.size(); ++c) cells[c] = c;
  io::Panel panel = panel_of("Inefficiency", "patterns P", "M / M_min", true);
  const std::vector<double> alphas = data.numbers("alpha");
  const auto one = std::find(alphas.begin(), alphas.end(), 1);
  const std::size_t entry = one == alphas.end() ? 0 : static_cast<std::size_t>(one - alphas.begin());
  panel.lines.push_back(line_over(grid, cells, "inefficiency", "measured", &Cell4::patterns, entry));
  io::Line theory;
  theory.label = "√(πP)/(2 − P/N)", theory.dashed = true;
  theory.x = data.numbers("patterns"), theory.y = data.numbers("theory_inefficiency");
  panel.lines.push_back(theory);
  return panel;
}

io::Panel alpha_panel(const core::Dataset& data, const GridView& grid) {
  io::Panel panel = panel_of("Exponent", "α", "M_α / M_min", true);
  const std::vector<double> alphas = data.numbers("alpha");
  for (std::size_t c = 0; c < grid.cells().size() && c < 6; ++c) {
    io::Line line;
    line.label = fmt::format("P = {:g}", grid.cells()[c].patterns), line.points = true;
    for (std::size_t a = 0; a < alphas.size(); ++a) {
      line.x.push_back(alphas[a]);
      line.y.push_back(grid.mean("inefficiency", c, a).mean);
    }
    panel.lines.push_back(line);
  }
  return panel;
}

/// Energy against the setting of the trigger, one line a price, at the first P and tau.
io::Panel energy_panel(const GridView& grid) {
  io::Panel panel = panel_of("Energy with a cache", grid.setting(), "M_cache", true);
  const Cell4& first = grid.cells().front();
  std::vector<std::pair<double, std::vector<std::size_t>>> by_price;
  for (std::size_t i = 0; i < grid.cells().size(); ++i) {
    const Cell4& cell = grid.cells()[i];
    if (cell.patterns != first.patterns || cell.decay != first.decay) continue;
    auto found = std::find_if(by_price.begin(), by_price.end(), [&](auto& p) { return p.first == cell.maintenance; });
    if (found == by_price.end()) found = by_price.insert(by_price.end(), {cell.maintenance, {}});
    found->second.push_back(i);
  }
  for (const auto& [price, cells] : by_price)
    panel.lines.push_back(line_over(grid, cells, "m_cache", fmt::format("c = {:g}", price), &Cell4::setting));
  return panel;
}

io::Panel course_panel(const core::Dataset& data, const GridView& grid) {
  io::Panel panel = panel_of("First cell, by epoch", "epoch", "power per epoch", false);
  const std::vector<double> epochs = data.numbers("epoch");
  const auto add = [&](const char* name, const char* label) {
    io::Line line;
    line.label = label;
    for (std::size_t e = 0; e < epochs.size(); ++e)
      line.x.push_back(epochs[e]), line.y.push_back(grid.mean(name, 0, e).mean);
    panel.lines.push_back(line);
  };
  if (grid.cached()) {
    add("power_consolidation", "consolidation");
    add("power_maintenance", "maintenance");
  } else {
    panel.y_label = "errors per presentation";
    add("error_rate", "p");
  }
  return panel;
}

}  // namespace

bool is_perceptron_grid(const core::Dataset& data) { return data.text("kind") == "perceptrons"; }

void add_perceptron_table(Document& document, const core::Dataset& data) {
  const GridView grid(data);
  const std::vector<Quantity> quantities = quantities_of(data, grid);
  Table& table = document.table("cells", "Means over converged runs ± 95 % interval", columns_of(grid, quantities));
  table.text_rows = 120;
  std::size_t missing = 0;
  for (std::size_t c = 0; c < grid.cells().size(); ++c) {
    const Cell4& cell = grid.cells()[c];
    std::vector<Cell> row;
    std::vector<double> place{cell.patterns};
    if (grid.cached()) place.insert(place.end(), {cell.decay, cell.setting, cell.maintenance});
    for (const double x : place) row.insert(row.end(), {Cell{x}, Cell{fmt::format("{:g}", x)}});
    row.push_back(static_cast<double>(grid.converged(c)));
    row.push_back(fmt::format("{}/{}", grid.converged(c), grid.replicas()));
    missing += grid.replicas() - grid.converged(c);
    for (const Quantity& q : quantities) {
      const Interval x = grid.mean(q.name, c, q.entry);
      row.insert(row.end(), {finite(x.mean), finite(x.half), Cell{with_interval(x)}});
    }
    table.add(std::move(row));
  }
  document.set("runs", static_cast<std::int64_t>(grid.cells().size() * grid.replicas()));
  document.set("not_converged", static_cast<std::int64_t>(missing));
  if (grid.cached()) add_best(document, grid);
  if (missing > 0)
    document.note(fmt::format("- {} of {} runs did not converge within max_epochs and are left out of the means",
                              missing, grid.cells().size() * grid.replicas()));
}

io::Figure perceptron_figure(const core::Dataset& data) {
  const GridView grid(data);
  io::Figure figure;
  figure.title = data.text("title");
  if (grid.cached()) {
    figure.panels.push_back(energy_panel(grid));
  } else {
    if (data.numbers("patterns").size() > 1) figure.panels.push_back(inefficiency_panel(data, grid));
    if (data.numbers("alpha").size() > 1) figure.panels.push_back(alpha_panel(data, grid));
  }
  if (data.has("epoch")) figure.panels.push_back(course_panel(data, grid));
  return figure;
}

}  // namespace eos::cli
