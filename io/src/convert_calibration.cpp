// Calibrations as EOS-1 tables and back. Curves may have different lengths: they are padded with NaN along `point`.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "eos/core/error.hpp"
#include "eos/io/convert.hpp"
#include "eos/io/toml.hpp"

namespace eos::io {

using core::Dataset;
using core::Error;
using theory::Calibration;
using theory::CaptureSnapshot;
using theory::MeasuredCurve;

namespace {

using Curves = std::vector<const MeasuredCurve*>;  ///< row-major over the dimensions before `point`

constexpr double k_nan = std::numeric_limits<double>::quiet_NaN();

std::size_t longest(const Calibration& c) {
  std::size_t n = 0;
  for (const CaptureSnapshot& s : c.snapshots) {
    for (const MeasuredCurve* curve : {&s.residual, &s.signal, &s.noise}) n = std::max(n, curve->fraction.size());
    for (const MeasuredCurve* curve : {&s.token_signal, &s.token_noise}) n = std::max(n, curve->fraction.size());
    for (const auto* layers : {&s.write, &s.write_signal, &s.layer_signal, &s.layer_noise})
      for (const MeasuredCurve& curve : *layers) n = std::max(n, curve.fraction.size());
  }
  return n;
}

void add_curves(Dataset& d, const std::string& name, std::vector<std::string> dims, const Curves& curves,
                std::size_t points, const std::string& meaning) {
  std::vector<double> fraction(curves.size() * points, k_nan), value = fraction, error = fraction;
  for (std::size_t i = 0; i < curves.size(); ++i) {
    const auto at = static_cast<std::ptrdiff_t>(i * points);
    const auto copy = [&](const std::vector<double>& from, std::vector<double>& to) {
      std::copy_n(from.begin(), std::min(from.size(), points), to.begin() + at);
    };
    copy(curves[i]->fraction, fraction), copy(curves[i]->value, value), copy(curves[i]->error, error);
  }
  dims.emplace_back("point");
  d.add(name, dims, value, "1", meaning);
  d.add(name + "_stderr", dims, error, "1", "standard error of " + name);
  d.add(name + "_fraction", dims, fraction, "1", "fraction of the carriers, for " + name);
}

std::vector<MeasuredCurve> read_curves(const Dataset& d, const std::string& name, std::size_t count,
                                       std::size_t points) {
  const std::vector<double> fraction = d.numbers(name + "_fraction"), value = d.numbers(name),
                            error = d.numbers(name + "_stderr");
  std::vector<MeasuredCurve> curves(count);
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t k = i * points; k < (i + 1) * points && !std::isnan(fraction.at(k)); ++k) {
      curves[i].fraction.push_back(fraction[k]);
      curves[i].value.push_back(value.at(k));
      if (!std::isnan(error.at(k))) curves[i].error.push_back(error[k]);
    }
  return curves;
}

struct CurveColumn {
  const char* name;
  MeasuredCurve CaptureSnapshot::*curve;
  const char* meaning;
};
constexpr CurveColumn k_sample_curves[] = {
    {"residual_capture", &CaptureSnapshot::residual, "share of squared residuals in the hardest fraction"},
    {"signal_capture", &CaptureSnapshot::signal, "share of the mean gradient carried by the hardest fraction"},
    {"noise_capture", &CaptureSnapshot::noise, "share of the gradients' second moment in the hardest fraction"},
    {"token_signal_capture", &CaptureSnapshot::token_signal, "signal_capture of the hardest fraction of tokens"},
    {"token_noise_capture", &CaptureSnapshot::token_noise, "noise_capture of the hardest fraction of tokens"}};

struct LayerCurveColumn {
  const char* name;
  std::vector<MeasuredCurve> CaptureSnapshot::*curves;
  const char* meaning;
};
constexpr LayerCurveColumn k_layer_curves[] = {
    {"write_capture", &CaptureSnapshot::write, "share of the squared update in the largest fraction of weights"},
    {"write_signal_capture", &CaptureSnapshot::write_signal,
     "share of the product of a batch's gradient with the mean gradient in the largest fraction of weights"},
    {"layer_signal_capture", &CaptureSnapshot::layer_signal, "signal_capture of each layer"},
    {"layer_noise_capture", &CaptureSnapshot::layer_noise, "noise_capture of each layer"}};

struct NumberColumn {
  const char* name;
  std::function<double&(CaptureSnapshot&)> value;
  const char* meaning;
};
const std::vector<NumberColumn>& snapshot_numbers() {
  static const std::vector<NumberColumn> columns{
      {"residual_variance", [](auto& s) -> double& { return s.residual_variance; }, "mean squared residual"},
      {"benefit_exponent", [](auto& s) -> double& { return s.benefit_exponent; }, "q of signal ~ residual^q"},
      {"benefit_exponent_stderr", [](auto& s) -> double& { return s.benefit_exponent_error; },
       "standard error of benefit_exponent"},
      {"spectrum_trace", [](auto& s) -> double& { return s.spectrum.trace; }, "mean squared norm of gradients"},
      {"spectrum_largest", [](auto& s) -> double& { return s.spectrum.largest; },
       "largest eigenvalue of the gradients' second moment"},
      {"spectrum_effective_rank", [](auto& s) -> double& { return s.spectrum.effective_rank; },
       "(tr C)^2 / tr C^2 of the gradients' second moment"},
      {"spectrum_exponent", [](auto& s) -> double& { return s.spectrum.exponent; },
       "exponent of the power law of its eigenvalues"},
      {"spectrum_exponent_stderr", [](auto& s) -> double& { return s.spectrum.exponent_error; },
       "standard error of spectrum_exponent"}};
  return columns;
}

void add_layers(Dataset& d, const Calibration& c, std::size_t layers) {
  d.add_dim("layer", static_cast<std::int64_t>(layers), "layer, from the input");
  if (c.block_names.size() != layers || layers == 0) return;
  d.add("layer_name", {"layer"}, c.block_names, "1", "name of the layer");
  d.add("layer_parameters", {"layer"}, c.block_parameters, "1", "weights and biases of the layer");
}

void add_snapshots(Dataset& d, const Calibration& c) {
  const std::size_t points = longest(c);
  const std::size_t layers = c.snapshots.empty() ? 0 : c.snapshots.front().write.size();
  std::vector<double> epochs, noise_scale, noise_scale_error;
  for (const CaptureSnapshot& s : c.snapshots) {
    if (s.write.size() != layers || s.simple_noise_scale.size() != layers)
      throw Error("E190", "capture snapshots of a calibration have different numbers of layers");
    epochs.push_back(s.epoch);
    noise_scale.insert(noise_scale.end(), s.simple_noise_scale.begin(), s.simple_noise_scale.end());
    noise_scale_error.insert(noise_scale_error.end(), s.noise_scale_error.begin(), s.noise_scale_error.end());
  }
  d.add_dim("snapshot", epochs, "1", "epoch of the snapshot");
  add_layers(d, c, layers);
  d.add_dim("point", static_cast<std::int64_t>(points), "point of a capture curve");
  for (const CurveColumn& column : k_sample_curves) {
    Curves curves;
    for (const CaptureSnapshot& s : c.snapshots) curves.push_back(&(s.*column.curve));
    add_curves(d, column.name, {"snapshot"}, curves, points, column.meaning);
  }
  for (const LayerCurveColumn& column : k_layer_curves) {
    Curves curves;
    for (const CaptureSnapshot& s : c.snapshots)
      for (const MeasuredCurve& curve : s.*column.curves) curves.push_back(&curve);
    if (curves.size() == layers * c.snapshots.size())
      add_curves(d, column.name, {"snapshot", "layer"}, curves, points, column.meaning);
  }
  d.add("simple_noise_scale", {"snapshot", "layer"}, noise_scale, "1", "tr Sigma / |G|^2 of each layer");
  if (noise_scale_error.size() == noise_scale.size())
    d.add("simple_noise_scale_stderr", {"snapshot", "layer"}, noise_scale_error, "1",
          "standard error of simple_noise_scale");
  for (const NumberColumn& column : snapshot_numbers()) {
    std::vector<double> values;
    for (CaptureSnapshot s : c.snapshots) values.push_back(column.value(s));
    d.add(column.name, {"snapshot"}, std::move(values), "1", column.meaning);
  }
}

void add_clock(Dataset& d, const std::string& name, const MeasuredCurve& curve, const std::string& meaning) {
  const std::string dim = name + "_fraction";
  d.add_dim(dim, curve.fraction, "1", "fraction, for " + name);
  d.add(name, {dim}, curve.value, "1", meaning);
  if (!curve.error.empty()) d.add(name + "_stderr", {dim}, curve.error, "1", "standard error of " + name);
}

MeasuredCurve read_clock(const Dataset& d, const std::string& name) {
  MeasuredCurve curve{d.numbers(name + "_fraction"), d.numbers(name), {}};
  if (d.has(name + "_stderr")) curve.error = d.numbers(name + "_stderr");
  return curve;
}

struct ProbeColumn {
  const char* name;
  double theory::ProbePoint::*value;
  const char* meaning;
};
constexpr ProbeColumn k_probe_columns[] = {
    {"_step", &theory::ProbePoint::step, "updates so far"},
    {"_clock", &theory::ProbePoint::clock, "sum of learning rates so far"},
    {"_learning_rate", &theory::ProbePoint::learning_rate, "learning rate"},
    {"_loss", &theory::ProbePoint::loss, "validation loss"},
    {"_loss_stderr", &theory::ProbePoint::loss_error, "standard error of the validation loss"},
    {"_accuracy", &theory::ProbePoint::accuracy, "validation accuracy"},
    {"_data_fraction", &theory::ProbePoint::data_fraction, "share of the samples between the phases with all data"},
    {"_weight_fraction", &theory::ProbePoint::weight_fraction, "share of the weights written per update"}};

/// Curves of probes under names that begin with `prefix`.
void add_probes(Dataset& d, const std::string& prefix, const std::vector<theory::ProbePoint>& probes) {
  const std::string dim = prefix + "_point";
  d.add_dim(dim, static_cast<std::int64_t>(probes.size()), "point of a loss curve, " + prefix + " runs");
  std::vector<std::int64_t> index;
  for (const theory::ProbePoint& p : probes) index.push_back(p.probe);
  d.add(prefix, {dim}, index, "1", "index of the probe run");
  for (const ProbeColumn& column : k_probe_columns) {
    std::vector<double> values;
    for (const theory::ProbePoint& p : probes) values.push_back(p.*column.value);
    d.add(prefix + column.name, {dim}, std::move(values), "1", column.meaning);
  }
}

std::vector<theory::ProbePoint> read_probes(const Dataset& d, const std::string& prefix) {
  std::vector<theory::ProbePoint> points;
  for (double index : d.numbers(prefix)) {
    points.emplace_back();
    points.back().probe = static_cast<int>(index);
  }
  for (const ProbeColumn& column : k_probe_columns) {
    const std::vector<double> values = d.numbers(prefix + column.name);
    for (std::size_t i = 0; i < points.size(); ++i) points[i].*column.value = values.at(i);
  }
  return points;
}

struct ReuseColumn {
  const char* name;
  double theory::ReusePoint::*value;
  const char* meaning;
};
constexpr ReuseColumn k_reuse_columns[] = {
    {"seen_loss", &theory::ReusePoint::seen_loss, "loss of samples that were trained on"},
    {"seen_loss_stderr", &theory::ReusePoint::seen_error, "standard error of seen_loss"},
    {"unseen_loss", &theory::ReusePoint::unseen_loss, "loss of training samples that were left out"},
    {"unseen_loss_stderr", &theory::ReusePoint::unseen_error, "standard error of unseen_loss"}};

struct ScalarColumn {
  const char* name;
  std::function<double&(Calibration&)> value;
  const char* meaning;
};
const std::vector<ScalarColumn>& scalars() {
  static const std::vector<ScalarColumn> columns{
      {"dense_write_share", [](auto& c) -> double& { return c.dense_write_share; },
       "share of parameters that a dense update changes"},
      {"dense_path_per_step", [](auto& c) -> double& { return c.dense_path_per_step; },
       "path length of a dense update divided by the learning rate"},
      {"full_data_start", [](auto& c) -> double& { return c.full_data_start; },
       "share of the selection probes at their begin with all data"},
      {"full_data_end", [](auto& c) -> double& { return c.full_data_end; },
       "share of the selection probes at their end with all data"},
      {"largest_stable_rate", [](auto& c) -> double& { return c.largest_stable_rate; },
       "largest probed learning rate that did not do worse"},
      {"reuse_share", [](auto& c) -> double& { return c.reuse_share; },
       "share of the data that the reuse probe repeats"},
      {"reuse_clock", [](auto& c) -> double& { return c.reuse_clock; }, "relative clock rate of the reuse probe"},
      {"reuse_clock_stderr", [](auto& c) -> double& { return c.reuse_clock_error; }, "standard error of reuse_clock"},
      {"scaling_floor", [](auto& c) -> double& { return c.fit.scaling.floor; }, "irreducible loss of the scaling law"},
      {"scaling_amplitude", [](auto& c) -> double& { return c.fit.scaling.amplitude; }, "amplitude of the scaling law"},
      {"scaling_exponent", [](auto& c) -> double& { return c.fit.scaling.exponent; }, "exponent of the scaling law"},
      {"scaling_clock", [](auto& c) -> double& { return c.fit.scaling.clock; },
       "summed learning rate that is the unit of time of the scaling law"},
      {"scaling_noise", [](auto& c) -> double& { return c.fit.scaling.noise; }, "noise of the scaling law"},
      {"scaling_residual_rms", [](auto& c) -> double& { return c.fit.scaling.residual_rms; },
       "root mean square residual of the scaling law, in loss"},
      {"scaling_held_out_error", [](auto& c) -> double& { return c.fit.scaling.held_out_error; },
       "median relative error of the scaling law on the probe that was left out"},
      {"label_noise", [](auto& c) -> double& { return c.label_noise.rate; },
       "share of labels of unseen samples that contradict the most confident predictions"},
      {"label_noise_low", [](auto& c) -> double& { return c.label_noise.low; }, "lower end of its 95 % interval"},
      {"label_noise_high", [](auto& c) -> double& { return c.label_noise.high; }, "upper end of its 95 % interval"},
      {"label_noise_confidence", [](auto& c) -> double& { return c.label_noise.confidence; },
       "least confidence of the predictions that count for it"}};
  return columns;
}

void add_fit(Dataset& d, const theory::FittedModel& f) {
  d.add_dim("mode", static_cast<std::int64_t>(f.lambda.size()), "mode of the fitted spectrum");
  d.add("lambda", {"mode"}, f.lambda, "1", "eigenvalue");
  if (!f.multiplicity.empty()) d.add("multiplicity", {"mode"}, f.multiplicity, "1", "number of equal modes");
  d.add("initial", {"mode"}, f.initial, "1", "initial mean squared error of the mode");
  if (!f.initial_error.empty()) d.add("initial_stderr", {"mode"}, f.initial_error, "1", "standard error of initial");
  const auto scalar = [&](const char* name, double value, const char* meaning) {
    d.add(name, {}, std::vector<double>{value}, "1", meaning);
  };
  scalar("noise_variance", f.noise_variance, "fitted label noise sigma^2");
  scalar("noise_variance_stderr", f.noise_variance_error, "standard error of noise_variance");
  scalar("noise_scale", f.noise_scale, "fitted factor nu of the gradient noise");
  scalar("noise_scale_stderr", f.noise_scale_error, "standard error of noise_scale");
  scalar("loss_offset", f.loss_offset, "fitted irreducible loss");
  scalar("loss_offset_stderr", f.loss_offset_error, "standard error of loss_offset");
  scalar("residual_rms", f.residual_rms, "root mean square residual of the fit, in loss");
  scalar("held_out_error", f.held_out_error, "median relative error of the loss on the probe that was left out");
}

theory::FittedModel read_fit(const Dataset& d) {
  theory::FittedModel f;
  f.lambda = d.numbers("lambda"), f.initial = d.numbers("initial");
  if (d.has("multiplicity")) f.multiplicity = d.numbers("multiplicity");
  if (d.has("initial_stderr")) f.initial_error = d.numbers("initial_stderr");
  f.noise_variance = d.number("noise_variance"), f.noise_variance_error = d.number("noise_variance_stderr");
  f.noise_scale = d.number("noise_scale"), f.noise_scale_error = d.number("noise_scale_stderr");
  f.loss_offset = d.number("loss_offset"), f.loss_offset_error = d.number("loss_offset_stderr");
  f.residual_rms = d.number("residual_rms"), f.held_out_error = d.number("held_out_error");
  return f;
}

void read_layer_curves(const Dataset& d, const LayerCurveColumn& column, std::size_t layers, std::size_t points,
                       std::vector<CaptureSnapshot>& snapshots) {
  if (!d.has(column.name)) return;
  const auto curves = read_curves(d, column.name, snapshots.size() * layers, points);
  for (std::size_t i = 0; i < curves.size(); ++i) (snapshots[i / layers].*column.curves).push_back(curves[i]);
}

void read_snapshots(const Dataset& d, Calibration& c) {
  const std::vector<double> epochs = d.numbers("snapshot"), noise_scale = d.numbers("simple_noise_scale");
  const auto layers = static_cast<std::size_t>(d.dims.at("layer")),
             points = static_cast<std::size_t>(d.dims.at("point"));
  c.snapshots.resize(epochs.size());
  for (std::size_t i = 0; i < epochs.size(); ++i) c.snapshots[i].epoch = epochs[i];
  for (const CurveColumn& column : k_sample_curves) {
    const auto curves = read_curves(d, column.name, epochs.size(), points);
    for (std::size_t i = 0; i < epochs.size(); ++i) c.snapshots[i].*column.curve = curves[i];
  }
  for (const LayerCurveColumn& column : k_layer_curves) read_layer_curves(d, column, layers, points, c.snapshots);
  std::vector<double> error;
  if (d.has("simple_noise_scale_stderr")) error = d.numbers("simple_noise_scale_stderr");
  for (std::size_t i = 0; i < epochs.size() * layers; ++i) {
    c.snapshots[i / layers].simple_noise_scale.push_back(noise_scale.at(i));
    if (!error.empty()) c.snapshots[i / layers].noise_scale_error.push_back(error.at(i));
  }
  for (const NumberColumn& column : snapshot_numbers()) {
    const std::vector<double> values = d.numbers(column.name);
    for (std::size_t i = 0; i < epochs.size(); ++i) column.value(c.snapshots[i]) = values.at(i);
  }
  if (!d.has("layer_name")) return;
  c.block_names = d.strings("layer_name");
  for (double size : d.numbers("layer_parameters")) c.block_parameters.push_back(static_cast<std::int64_t>(size));
}

void read_reuse(const Dataset& d, Calibration& c) {
  const std::vector<double> passes = d.numbers("reuse_passes");
  c.reuse.resize(passes.size());
  for (std::size_t i = 0; i < passes.size(); ++i) c.reuse[i].passes = passes[i];
  for (const ReuseColumn& column : k_reuse_columns) {
    const std::vector<double> values = d.numbers(column.name);
    for (std::size_t i = 0; i < passes.size(); ++i) c.reuse[i].*column.value = values.at(i);
  }
  c.label_noise.predictions = static_cast<int>(d.number("label_noise_predictions"));
}

void add_reuse(Dataset& d, const Calibration& c) {
  std::vector<double> passes;
  for (const theory::ReusePoint& p : c.reuse) passes.push_back(p.passes);
  d.add_dim("reuse_passes", passes, "1", "passes over the repeated part of the data");
  for (const ReuseColumn& column : k_reuse_columns) {
    std::vector<double> values;
    for (const theory::ReusePoint& p : c.reuse) values.push_back(p.*column.value);
    d.add(column.name, {"reuse_passes"}, std::move(values), "1", column.meaning);
  }
  d.add("label_noise_predictions", {}, std::vector<std::int64_t>{c.label_noise.predictions}, "1",
        "number of predictions that count for label_noise");
}

}  // namespace

Dataset to_dataset(const Calibration& c) {
  Dataset d;
  d.attributes["title"] = c.spec.title.empty() ? std::string("calibration") : c.spec.title;
  d.attributes["kind"] = std::string("calibration");
  add_snapshots(d, c);
  add_clock(d, "accumulator_clock", c.accumulator_clock,
            "relative clock rate when the top fraction of an accumulator is written");
  add_clock(d, "selection_clock", c.selection_clock,
            "relative clock rate when the hardest fraction is learned in full batches");
  if (!c.accumulator_path.fraction.empty())
    add_clock(d, "accumulator_path", c.accumulator_path,
              "path length when the top fraction of an accumulator is written, relative to dense updates");
  if (!c.accumulator_held.fraction.empty())
    add_clock(d, "accumulator_held", c.accumulator_held,
              "mean sum of |accumulator| over presentations per unit of learning rate");
  add_probes(d, "probe", c.probes);
  add_probes(d, "gated_probe", c.gated_probes);
  add_reuse(d, c);
  add_fit(d, c.fit);
  const auto count = [&](const char* name, std::int64_t value, const char* meaning) {
    d.add(name, {}, std::vector<std::int64_t>{value}, "1", meaning);
  };
  count("parameters", c.counts.parameters, "weights and biases of the network");
  count("forward_macs", c.counts.forward_macs, "multiply-adds of a forward pass per sample");
  count("backward_macs", c.counts.backward_macs, "multiply-adds of a backward pass per sample");
  count("input_bytes", c.counts.input_bytes, "bytes per sample");
  count("train_samples", c.train_samples, "training samples");
  Calibration values = c;
  for (const ScalarColumn& column : scalars())
    d.add(column.name, {}, std::vector<double>{column.value(values)}, "1", column.meaning);
  d.add("spec_toml", {}, std::vector<std::string>{to_toml(c.spec)}, "1", "the run that was probed, as TOML");
  return d;
}

Calibration calibration_from(const Dataset& d) {
  try {
    Calibration c;
    c.spec = parse_training(d.strings("spec_toml").at(0), "spec_toml");
    c.counts = {static_cast<std::int64_t>(d.number("parameters")), static_cast<std::int64_t>(d.number("forward_macs")),
                static_cast<std::int64_t>(d.number("backward_macs")),
                static_cast<std::int64_t>(d.number("input_bytes"))};
    c.train_samples = static_cast<int>(d.number("train_samples"));
    for (const ScalarColumn& column : scalars()) column.value(c) = d.number(column.name);
    read_snapshots(d, c);
    c.accumulator_clock = read_clock(d, "accumulator_clock");
    c.selection_clock = read_clock(d, "selection_clock");
    if (d.has("accumulator_path")) c.accumulator_path = read_clock(d, "accumulator_path");
    if (d.has("accumulator_held")) c.accumulator_held = read_clock(d, "accumulator_held");
    c.probes = read_probes(d, "probe");
    c.gated_probes = read_probes(d, "gated_probe");
    read_reuse(d, c);
    c.fit = read_fit(d);
    return c;
  } catch (const Error& error) {
    if (error.diagnostics().front().code != "E191") throw;
    throw Error("E402", fmt::format("this is not a complete calibration: {}", error.diagnostics().front().message),
                "run `eos calibrate` again with this version");
  } catch (const std::out_of_range&) {
    throw Error("E402", "this is not a complete calibration: its tables have different lengths",
                "run `eos calibrate` again with this version");
  }
}

}  // namespace eos::io
