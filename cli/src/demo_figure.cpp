// The picture of the demonstration.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "demo.hpp"
#include "figures.hpp"

namespace eos::cli {

namespace {

io::Line line(const std::string& label, std::vector<double> x, std::vector<double> y, int colour, bool dashed) {
  io::Line result;
  result.label = label;
  result.x = std::move(x), result.y = std::move(y);
  result.colour = colour;
  result.dashed = dashed;
  return result;
}

io::Panel schedule_panel(const DemoResult& result) {
  io::Panel panel;
  panel.title = "Which share is learned and written";
  panel.x_label = "epoch", panel.y_label = "share";
  panel.log_y = true;
  const std::vector<double>& edges = result.predictions[1].epoch;
  const auto steps = [&](const std::string& label, const std::vector<double>& values, int colour) {
    io::Line curve = line(label, edges, values, colour, false);
    curve.steps = true;
    panel.lines.push_back(std::move(curve));
  };
  steps("samples ρ, plan", result.plan.trajectory.data_fraction, 0);
  steps("weights κ, plan", result.plan.trajectory.weight_fraction, 1);
  const RunSummary& law = result.summaries[result.feedback];
  panel.lines.push_back(line("samples, feedback law", law.epoch, law.data_fraction, 0, true));
  panel.lines.push_back(line("weights, feedback law", law.epoch, law.weight_fraction, 1, true));
  return panel;
}

io::Panel loss_panel(const DemoResult& result) {
  io::Panel panel;
  panel.title = "Foretold (lines) and measured (points)";
  panel.x_label = "epoch", panel.y_label = "validation loss";
  const auto add = [&](const Prediction& prediction, const std::string& label, int colour) {
    panel.lines.push_back(line(label + ", foretold", prediction.epoch, prediction.loss_curve, colour, false));
    const RunSummary& summary = result.summaries[prediction.run];
    io::Line measured = line(label + ", measured", summary.epoch, summary.validation_loss, colour, false);
    measured.points = true, measured.line = false;
    panel.lines.push_back(std::move(measured));
  };
  add(result.predictions[0], "dense", 0);
  add(result.predictions[1], "plan", 1);
  return panel;
}

}  // namespace

io::Figure demo_figure(const DemoSetup& setup, const DemoResult& result) {
  io::Figure figure;
  figure.title = fmt::format("What a given accuracy costs: {}", result.data_name);
  std::vector<int> widths = setup.base.network.hidden;
  figure.caption = fmt::format("hidden layers {}, batch {}, {:g} epochs, seed {}, prices {}: {}",
                               fmt::join(widths, "-"), setup.base.batch, setup.base.epochs, setup.base.seeds.front(),
                               setup.base.prices.name, setup.base.prices.title);
  figure.panels = {accuracy_energy_panel(result.summaries, result.is_baseline, setup.base.prices),
                   schedule_panel(result), loss_panel(result), energy_bars(result.summaries, setup.base.prices)};
  return figure;
}

}  // namespace eos::cli
