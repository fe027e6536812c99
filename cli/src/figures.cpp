#include "figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace eos::cli {

namespace {

io::Line curve(const std::string& label, std::vector<double> x, std::vector<double> y) {
  io::Line line;
  line.label = label;
  line.x = std::move(x), line.y = std::move(y);
  return line;
}

/// Controls are constant between the edges.
io::Line steps(const std::string& label, std::vector<double> edges, std::vector<double> values) {
  io::Line line = curve(label, std::move(edges), std::move(values));
  line.steps = true;
  return line;
}

io::Line points(const std::string& label, std::vector<double> x, std::vector<double> y) {
  io::Line line = curve(label, std::move(x), std::move(y));
  line.points = true, line.line = false;
  return line;
}

io::Panel panel(const std::string& title, const std::string& x, const std::string& y, std::vector<io::Line> lines) {
  io::Panel p;
  p.title = title, p.x_label = x, p.y_label = y;
  p.lines = std::move(lines);
  return p;
}

io::Line measured(const std::string& label, const theory::MeasuredCurve& curve_measured) {
  io::Line line = curve(label, curve_measured.fraction, curve_measured.value);
  line.error = curve_measured.error;
  line.points = true;
  return line;
}

/// Terms of energy that are not zero in every run.
std::vector<std::string> terms_in_use(const std::vector<RunSummary>& runs, const theory::PriceList& prices) {
  std::vector<std::string> names;
  for (const auto& [name, unused] : theory::terms(theory::Energy{})) {
    const bool used = std::any_of(runs.begin(), runs.end(), [&, term = name](const RunSummary& run) {
      for (const auto& [other, joules] : theory::terms(run.energy(prices)))
        if (other == term && joules > 0) return true;
      return false;
    });
    if (used) names.push_back(name);
  }
  return names;
}

/// The SI prefix that suits the largest value of an axis.
std::pair<double, std::string> energy_unit(double largest) {
  for (const auto& [scale, name] : {std::pair{1.0, "J"}, {1e-3, "mJ"}, {1e-6, "µJ"}, {1e-9, "nJ"}, {1e-12, "pJ"}})
    if (largest >= scale) return {scale, name};
  return {1e-15, "fJ"};
}

}  // namespace

io::Panel accuracy_energy_panel(const std::vector<RunSummary>& runs, const std::vector<bool>& is_baseline,
                                const theory::PriceList& prices) {
  double largest = 0;
  for (const RunSummary& run : runs) largest = std::max(largest, run.energy(prices).total());
  const auto [scale, unit] = energy_unit(largest);
  io::Panel p =
      panel("What accuracy costs", fmt::format("energy, {} ({})", prices.name, unit), "test accuracy (%)", {});
  p.log_x = true;
  std::vector<RunSummary> baseline;
  for (std::size_t i = 0; i < runs.size(); ++i)
    if (is_baseline[i]) baseline.push_back(runs[i]);
  if (!baseline.empty()) {
    io::Line line;
    line.label = "dense";
    const BaselineCurve dense = baseline_of(baseline, prices);
    for (const BaselineCurve::Point& point : dense.points()) {
      line.x.push_back(point.energy / scale);
      line.y.push_back(100 * point.accuracy);
    }
    line.points = true;
    p.lines.push_back(std::move(line));
  }
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (is_baseline[i]) continue;
    io::Line point = points(runs[i].label, {runs[i].energy(prices).total() / scale}, {100 * runs[i].accuracy});
    if (runs[i].seeds > 1) point.error = {100 * runs[i].accuracy_error};
    p.lines.push_back(std::move(point));
  }
  return p;
}

io::Panel energy_bars(const std::vector<RunSummary>& runs, const theory::PriceList& prices) {
  double largest = 0;
  for (const RunSummary& run : runs) largest = std::max(largest, run.energy(prices).total());
  const auto [scale, unit] = energy_unit(largest);
  io::Panel p = panel("Where the energy goes", "", fmt::format("energy, {} ({})", prices.name, unit), {});
  p.bars.parts = terms_in_use(runs, prices);
  p.bars.values.assign(p.bars.parts.size(), {});
  for (const RunSummary& run : runs) {
    p.bars.categories.push_back(run.label);
    for (const auto& [name, joules] : theory::terms(run.energy(prices)))
      for (std::size_t part = 0; part < p.bars.parts.size(); ++part)
        if (p.bars.parts[part] == name) p.bars.values[part].push_back(joules / scale);
  }
  return p;
}

io::Figure run_figure(const RunSummary& run) {
  io::Figure figure;
  figure.title = run.label;
  figure.caption = fmt::format("{}, {} seed(s), prices {}", label_of(run.spec), run.seeds, run.spec.prices.name);
  figure.panels.push_back(panel("Loss", "epoch", "cross-entropy",
                                {curve("training, samples presented", run.epoch, run.train_loss),
                                 curve("validation", run.epoch, run.validation_loss)}));
  io::Panel fractions = panel("Fractions", "epoch", "share",
                              {curve("samples back-propagated", run.epoch, run.data_fraction),
                               curve("weights written", run.epoch, run.weight_fraction)});
  fractions.log_y = true;
  figure.panels.push_back(std::move(fractions));
  figure.panels.push_back(panel("Learning rate", "epoch", "rate", {curve("", run.epoch, run.learning_rate)}));
  figure.panels.push_back(energy_bars({run}, run.spec.prices));
  return figure;
}

io::Figure plan_figure(const core::Dataset& plan) {
  const std::vector<double> time = plan.numbers("time");
  io::Figure figure;
  figure.title = plan.text("title", "plan");
  io::Panel fractions = panel("What is learned and written", "time (steps)", "share",
                              {steps("samples, ρ", time, plan.numbers("data_fraction")),
                               steps("weights, κ", time, plan.numbers("weight_fraction"))});
  fractions.log_y = true;
  figure.panels.push_back(std::move(fractions));
  figure.panels.push_back(
      panel("Learning rate", "time (steps)", "rate", {steps("", time, plan.numbers("learning_rate"))}));
  io::Panel loss = panel("Predicted excess loss", "time (steps)", "loss", {curve("", time, plan.numbers("loss"))});
  loss.log_y = true;
  figure.panels.push_back(std::move(loss));
  figure.panels.push_back(
      panel("Predicted energy", "time (steps)", "energy (J)", {curve("", time, plan.numbers("energy"))}));
  return figure;
}

io::Figure calibration_figure(const theory::Calibration& calibration) {
  io::Figure figure;
  figure.title = "Calibration";
  io::Panel samples = panel("Samples: captured by the hardest", "share of samples", "share captured", {});
  io::Panel weights = panel("Weights: captured by the largest", "share of weights", "share captured", {});
  samples.log_x = weights.log_x = true;
  int colour = 0;
  for (const theory::CaptureSnapshot& snapshot : calibration.snapshots) {
    io::Line signal = measured(fmt::format("signal, epoch {:.2g}", snapshot.epoch), snapshot.signal);
    io::Line noise = measured(fmt::format("noise, epoch {:.2g}", snapshot.epoch), snapshot.noise);
    signal.colour = noise.colour = colour++;
    noise.dashed = true;
    samples.lines.insert(samples.lines.end(), {std::move(signal), std::move(noise)});
  }
  if (!calibration.snapshots.empty()) {
    const theory::CaptureSnapshot& last = calibration.snapshots.back();
    for (std::size_t layer = 0; layer < last.write.size(); ++layer)
      weights.lines.push_back(
          measured(fmt::format("layer {}, epoch {:.2g}", layer + 1, last.epoch), last.write[layer]));
  }
  figure.panels = {std::move(samples), std::move(weights)};

  io::Panel clocks = panel("Clock rate relative to dense", "share", "rate of learning",
                           {measured("hardest samples", calibration.selection_clock),
                            measured("largest accumulators", calibration.accumulator_clock)});
  clocks.log_x = true;
  figure.panels.push_back(std::move(clocks));
  io::Panel losses = panel("Probes", "steps", "validation loss", {});
  for (const theory::ProbePoint& point : calibration.probes) {
    const auto index = static_cast<std::size_t>(point.probe);
    while (losses.lines.size() <= index)
      losses.lines.push_back(curve(fmt::format("probe {}", losses.lines.size() + 1), {}, {}));
    losses.lines[index].x.push_back(point.step);
    losses.lines[index].y.push_back(point.loss);
    losses.lines[index].error.push_back(point.loss_error);
  }
  losses.log_y = true;
  figure.panels.push_back(std::move(losses));
  return figure;
}

io::Figure comparison_figure(const std::vector<RunSummary>& runs, const std::vector<bool>& is_baseline,
                             const theory::PriceList& prices) {
  io::Figure figure;
  figure.title = "Runs compared";
  figure.caption = fmt::format("prices {}: {}", prices.name, prices.title);
  figure.panels = {accuracy_energy_panel(runs, is_baseline, prices), energy_bars(runs, prices)};
  return figure;
}

void add_epoch_table(Document& document, const RunSummary& run) {
  constexpr std::size_t k_rows_in_text = 10;
  Table& table = document.table("epochs", "",
                                {{"epoch", "epoch", Style::number},
                                 {"train_loss", "train loss", Style::number},
                                 {"validation_loss", "validation loss", Style::number},
                                 {"data_fraction", "back-propagated", Style::percent},
                                 {"weight_fraction", "written", Style::percent},
                                 {"learning_rate", "rate", Style::number},
                                 {"energy", "energy", Style::energy}});
  table.text_rows = k_rows_in_text;
  const std::vector<double> energy = run.energy_curve(run.spec.prices);
  for (std::size_t i = 0; i < run.epoch.size(); ++i)
    table.add({run.epoch[i], run.train_loss[i], run.validation_loss[i], run.data_fraction[i], run.weight_fraction[i],
               run.learning_rate[i], energy[i]});
}

}  // namespace eos::cli
