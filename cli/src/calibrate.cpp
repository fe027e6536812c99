// eos calibrate: measure, fit, tell, store.
#include "eos/sim/calibrate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "commands.hpp"
#include "eos/core/error.hpp"
#include "eos/io/convert.hpp"
#include "eos/io/hdf5.hpp"
#include "eos/io/plot.hpp"
#include "eos/io/toml.hpp"
#include "eos/solvers/fit.hpp"
#include "figures.hpp"
#include "files.hpp"

namespace eos::cli {

namespace {

theory::TrainingSpec dense_spec(Session& session) {
  const Arguments& arguments = session.arguments;
  const std::string path = arguments.text("FILE.toml");
  require_kind(path, io::FileKind::training, "eos calibrate");
  theory::TrainingSpec spec = io::read_training(path, {arguments.list("set")});
  if (spec.selection.method != "all" || spec.plasticity.method != "all")
    session.note("the probes are dense: selection and plasticity of the file are set aside");
  spec.selection = theory::selection_preset("all");
  spec.plasticity = theory::plasticity_preset("all");
  return spec;
}

/// "0.43 ± 0.01" at the tabulated fraction nearest to `fraction`.
std::string value_near(const theory::MeasuredCurve& curve, double fraction) {
  if (curve.fraction.empty()) return "–";
  const auto nearest = std::min_element(curve.fraction.begin(), curve.fraction.end(), [fraction](double a, double b) {
    return std::abs(std::log(a / fraction)) < std::abs(std::log(b / fraction));
  });
  const auto i = static_cast<std::size_t>(nearest - curve.fraction.begin());
  return curve.error.size() > i ? fmt::format("{:.3f} ± {:.3f}", curve.value[i], curve.error[i])
                                : fmt::format("{:.3f}", curve.value[i]);
}

constexpr double k_shown_fractions[] = {0.03, 0.1, 0.3};

std::vector<Cell> curve_row(const std::string& what, double epoch, const theory::MeasuredCurve& curve) {
  std::vector<Cell> row = {what, epoch};
  for (const double fraction : k_shown_fractions) row.emplace_back(value_near(curve, fraction));
  return row;
}

/// Mean over layers, weighted by their parameters; errors as of independent layers.
theory::MeasuredCurve mean_curve(const std::vector<theory::MeasuredCurve>& layers,
                                 const std::vector<std::int64_t>& parameters) {
  theory::MeasuredCurve mean;
  if (layers.empty() || layers.size() != parameters.size()) return mean;
  mean.fraction = layers.front().fraction;
  mean.value.assign(mean.fraction.size(), 0.0);
  mean.error = mean.value;
  double total = 0;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const auto weight = static_cast<double>(parameters[l]);
    total += weight;
    for (std::size_t k = 0; k < mean.value.size(); ++k) {
      mean.value[k] += weight * layers[l].value[k];
      mean.error[k] += std::pow(weight * layers[l].error[k], 2);
    }
  }
  for (std::size_t k = 0; k < mean.value.size(); ++k) {
    mean.value[k] /= total;
    mean.error[k] = std::sqrt(mean.error[k]) / total;
  }
  return mean;
}

void add_captures(Document& document, const theory::Calibration& c) {
  std::vector<Column> columns = {{"quantity", "captured share"}, {"epoch", "epoch", Style::number}};
  for (const double fraction : k_shown_fractions)
    columns.push_back({fmt::format("at_{:g}", fraction), fmt::format("by {:g} %", 100 * fraction), Style::shown});
  Table& table =
      document.table("capture", "Captured by the hardest samples and the largest updates (± standard error)", columns);
  for (const theory::CaptureSnapshot& snapshot : c.snapshots) {
    table.add(curve_row("samples, residual²", snapshot.epoch, snapshot.residual));
    table.add(curve_row("samples, signal", snapshot.epoch, snapshot.signal));
    table.add(curve_row("samples, noise", snapshot.epoch, snapshot.noise));
    if (!snapshot.token_signal.fraction.empty()) {
      table.add(curve_row("tokens, signal", snapshot.epoch, snapshot.token_signal));
      table.add(curve_row("tokens, noise", snapshot.epoch, snapshot.token_noise));
    }
    table.add(curve_row("writes", snapshot.epoch, mean_curve(snapshot.write, c.block_parameters)));
    table.add(curve_row("writes, signal", snapshot.epoch, mean_curve(snapshot.write_signal, c.block_parameters)));
  }
  table.add(curve_row("clock, hardest samples", std::nan(""), c.selection_clock));
  table.add(curve_row("clock, accumulated writes", std::nan(""), c.accumulator_clock));
}

std::string with_error(double value, double error) { return fmt::format("{:.3g} ± {:.2g}", value, error); }

/// Layers at one moment: signal to noise, and what the hardest samples and the largest updates carry there.
void add_layers(Document& document, const theory::Calibration& c) {
  if (c.snapshots.empty()) return;
  const theory::CaptureSnapshot& s = c.snapshots.back();
  Table& table = document.table("layers", fmt::format("Layers at epoch {:g} (± standard error)", s.epoch),
                                {{"layer", "layer"},
                                 {"parameters", "parameters", Style::count},
                                 {"noise_scale", "noise scale tr Σ/|G|²", Style::shown},
                                 {"signal", "signal of the hardest 30 %", Style::shown},
                                 {"noise", "their noise", Style::shown},
                                 {"write", "update in the largest 1 %", Style::shown},
                                 {"write_signal", "its signal", Style::shown}});
  for (std::size_t l = 0; l < s.write.size() && l < c.block_names.size(); ++l)
    table.add({c.block_names[l], c.block_parameters[l], with_error(s.simple_noise_scale[l], s.noise_scale_error[l]),
               value_near(s.layer_signal[l], 0.3), value_near(s.layer_noise[l], 0.3), value_near(s.write[l], 0.01),
               value_near(s.write_signal[l], 0.01)});
}

void add_drift(Document& document, const theory::Calibration& c) {
  Table& table = document.table("drift", "Drift during training (± standard error)",
                                {{"epoch", "epoch", Style::number},
                                 {"residual_variance", "mean residual²", Style::number},
                                 {"benefit_exponent", "benefit exponent q", Style::shown},
                                 {"effective_rank", "effective rank of gradients", Style::number},
                                 {"exponent", "exponent of eigenvalues", Style::shown},
                                 {"largest", "largest eigenvalue / residual²", Style::number}});
  for (const theory::CaptureSnapshot& s : c.snapshots)
    table.add({s.epoch, s.residual_variance, with_error(s.benefit_exponent, s.benefit_exponent_error),
               s.spectrum.effective_rank, with_error(s.spectrum.exponent, s.spectrum.exponent_error),
               s.spectrum.largest / s.residual_variance});
  document.set("benefit_exponent", c.benefit_exponent(), "selection.ratio_exponent", Style::number);
  document.set("benefit_exponent_error", c.benefit_exponent_error(), "its standard error", Style::number);
}

void add_reuse(Document& document, const theory::Calibration& c) {
  if (c.reuse.empty()) return;
  Table& table = document.table("reuse", fmt::format("Passes over {:.0f} % of the samples", 100 * c.reuse_share),
                                {{"passes", "passes", Style::number},
                                 {"seen", "loss of seen samples", Style::shown},
                                 {"unseen", "loss of unseen samples", Style::shown}});
  for (const theory::ReusePoint& p : c.reuse)
    table.add({p.passes, with_error(p.seen_loss, p.seen_error), with_error(p.unseen_loss, p.unseen_error)});
  document.set("reuse_clock", c.reuse_clock, "clock of repeated samples", Style::number);
  if (c.label_noise.predictions == 0) return;
  document.set("label_noise", c.label_noise.rate, "label noise", Style::percent);
  document.set("label_noise_low", c.label_noise.low, "95 % interval from", Style::percent);
  document.set("label_noise_high", c.label_noise.high, "to", Style::percent);
}

void add_fit(Document& document, const theory::FittedModel& fit) {
  Table& table = document.table(
      "fit", "Mode model fitted to the probes' loss curves",
      {{"parameter", "parameter"}, {"value", "value", Style::number}, {"stderr", "± standard error", Style::number}});
  double initial_loss = 0, variance = 0;
  std::int64_t active = 0;
  for (std::size_t j = 0; j < fit.lambda.size(); ++j) {
    initial_loss += 0.5 * fit.lambda[j] * fit.initial[j];
    variance += j < fit.initial_error.size() ? std::pow(0.5 * fit.lambda[j] * fit.initial_error[j], 2) : 0;
    active += fit.initial[j] > 0 ? 1 : 0;
  }
  table.add({std::string("excess loss at the start"), initial_loss, std::sqrt(variance)});
  table.add({std::string("irreducible loss"), fit.loss_offset, fit.loss_offset_error});
  table.add({std::string("noise variance σ²"), fit.noise_variance, fit.noise_variance_error});
  table.add({std::string("noise scale ν"), fit.noise_scale, fit.noise_scale_error});
  document.set("modes_active", active, "modes in use");
  document.set("fit_residual_rms", fit.residual_rms, "residual of the fit (loss)", Style::number);
  document.set("held_out_error", fit.held_out_error, "error on the probe left out", Style::percent);
}

}  // namespace

void add_calibration(Document& document, const theory::Calibration& calibration) {
  document.set("network_parameters", calibration.counts.parameters, "parameters", Style::count);
  document.set("train_samples", std::int64_t{calibration.train_samples}, "training samples", Style::count);
  document.set("forward_macs", calibration.counts.forward_macs, "forward MACs a sample", Style::count);
  document.set("backward_macs", calibration.counts.backward_macs, "backward MACs a sample", Style::count);
  document.set("dense_write_share", calibration.dense_write_share, "written by a dense update", Style::percent);
  document.set("dense_path_per_step", calibration.dense_path_per_step, "path of a dense update / rate", Style::number);
  add_captures(document, calibration);
  add_layers(document, calibration);
  add_drift(document, calibration);
  add_reuse(document, calibration);
  add_fit(document, calibration.fit);
}

int run_calibrate(Session& session) {
  const Arguments& arguments = session.arguments;
  const theory::TrainingSpec spec = dense_spec(session);
  if (arguments.has("out")) require_writable(arguments.text("out"));
  const sim::TaskData data = sim::load_data(spec.data);
  session.detail(fmt::format("data: {} from {}", data.name, data.origin));
  sim::CalibrateOptions options;
  options.probe_epochs = arguments.number("probe-epochs");
  options.capture_samples = static_cast<int>(arguments.integer("capture-samples"));
  options.threads = session.threads();
  theory::Calibration calibration = sim::measure(spec, data, session.progress(), options);
  session.progress().finish();
  calibration.fit = solvers::fit_model(calibration);
  if (arguments.has("out")) {
    core::Dataset table = io::to_dataset(calibration);
    add_origin(table, "calibration of " + data.name, io::to_toml(spec), arguments.command_line);
    io::write_hdf5(arguments.text("out"), table);
  }
  if (arguments.has("plot")) io::write_png(arguments.text("plot"), calibration_figure(calibration));
  Document document("eos.calibration/1");
  add_calibration(document, calibration);
  if (arguments.has("out"))
    document.note(
        fmt::format("Stored in {}. Next: eos plan {} --prices metabolic-m0 --target-loss L --epochs E -o plan.h5",
                    arguments.text("out"), arguments.text("out")));
  session.print(document);
  return k_done;
}

}  // namespace eos::cli
