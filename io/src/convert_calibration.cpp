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
    for (const MeasuredCurve& curve : s.write) n = std::max(n, curve.fraction.size());
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

void add_snapshots(Dataset& d, const Calibration& c) {
  const std::size_t points = longest(c);
  const std::size_t layers = c.snapshots.empty() ? 0 : c.snapshots.front().write.size();
  std::vector<double> epochs, noise_scale;
  Curves residual, signal, noise, write;
  for (const CaptureSnapshot& s : c.snapshots) {
    if (s.write.size() != layers || s.simple_noise_scale.size() != layers)
      throw Error("E190", "capture snapshots of a calibration have different numbers of layers");
    epochs.push_back(s.epoch);
    residual.push_back(&s.residual), signal.push_back(&s.signal), noise.push_back(&s.noise);
    for (const MeasuredCurve& curve : s.write) write.push_back(&curve);
    noise_scale.insert(noise_scale.end(), s.simple_noise_scale.begin(), s.simple_noise_scale.end());
  }
  d.add_dim("snapshot", epochs, "1", "epoch of the snapshot");
  d.add_dim("layer", static_cast<std::int64_t>(layers), "layer, from the input");
  d.add_dim("point", static_cast<std::int64_t>(points), "point of a capture curve");
  add_curves(d, "residual_capture", {"snapshot"}, residual, points,
             "share of squared residuals in the hardest fraction");
  add_curves(d, "signal_capture", {"snapshot"}, signal, points,
             "share of the mean gradient carried by the hardest fraction");
  add_curves(d, "noise_capture", {"snapshot"}, noise, points,
             "share of the gradients' second moment in the hardest fraction");
  add_curves(d, "write_capture", {"snapshot", "layer"}, write, points,
             "share of the squared update in the largest fraction of weights");
  d.add("simple_noise_scale", {"snapshot", "layer"}, noise_scale, "1", "tr Sigma / |G|^2 of each layer");
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

void add_probes(Dataset& d, const std::vector<theory::ProbePoint>& probes) {
  d.add_dim("probe_point", static_cast<std::int64_t>(probes.size()), "point of a probe's loss curve");
  const auto column = [&](const std::string& name, const std::function<double(const theory::ProbePoint&)>& get,
                          const std::string& meaning) {
    std::vector<double> values;
    for (const theory::ProbePoint& p : probes) values.push_back(get(p));
    d.add(name, {"probe_point"}, std::move(values), "1", meaning);
  };
  std::vector<std::int64_t> index;
  for (const theory::ProbePoint& p : probes) index.push_back(p.probe);
  d.add("probe", {"probe_point"}, index, "1", "index of the probe run");
  column(
      "probe_step", [](const auto& p) { return p.step; }, "updates so far");
  column(
      "probe_clock", [](const auto& p) { return p.clock; }, "sum of learning rates so far");
  column(
      "probe_learning_rate", [](const auto& p) { return p.learning_rate; }, "learning rate");
  column(
      "probe_loss", [](const auto& p) { return p.loss; }, "validation loss");
  column(
      "probe_loss_stderr", [](const auto& p) { return p.loss_error; }, "standard error of the validation loss");
  column(
      "probe_accuracy", [](const auto& p) { return p.accuracy; }, "validation accuracy");
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

void read_snapshots(const Dataset& d, Calibration& c) {
  const std::vector<double> epochs = d.numbers("snapshot"), noise_scale = d.numbers("simple_noise_scale");
  const auto layers = static_cast<std::size_t>(d.dims.at("layer")),
             points = static_cast<std::size_t>(d.dims.at("point"));
  const std::size_t n = epochs.size();
  const auto residual = read_curves(d, "residual_capture", n, points),
             signal = read_curves(d, "signal_capture", n, points), noise = read_curves(d, "noise_capture", n, points),
             write = read_curves(d, "write_capture", n * layers, points);
  for (std::size_t i = 0; i < n; ++i) {
    CaptureSnapshot s{epochs[i], residual[i], signal[i], noise[i], {}, {}};
    for (std::size_t k = i * layers; k < (i + 1) * layers; ++k) {
      s.write.push_back(write[k]);
      s.simple_noise_scale.push_back(noise_scale.at(k));
    }
    c.snapshots.push_back(std::move(s));
  }
}

std::vector<theory::ProbePoint> read_probes(const Dataset& d) {
  const std::vector<double> probe = d.numbers("probe"), step = d.numbers("probe_step"),
                            clock = d.numbers("probe_clock"), rate = d.numbers("probe_learning_rate"),
                            loss = d.numbers("probe_loss"), error = d.numbers("probe_loss_stderr"),
                            accuracy = d.numbers("probe_accuracy");
  std::vector<theory::ProbePoint> points;
  for (std::size_t i = 0; i < probe.size(); ++i)
    points.push_back(
        {static_cast<int>(probe[i]), step.at(i), clock.at(i), rate.at(i), loss.at(i), error.at(i), accuracy.at(i)});
  return points;
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
  add_probes(d, c.probes);
  add_fit(d, c.fit);
  const auto count = [&](const char* name, std::int64_t value, const char* meaning) {
    d.add(name, {}, std::vector<std::int64_t>{value}, "1", meaning);
  };
  count("parameters", c.counts.parameters, "weights and biases of the network");
  count("forward_macs", c.counts.forward_macs, "multiply-adds of a forward pass per sample");
  count("backward_macs", c.counts.backward_macs, "multiply-adds of a backward pass per sample");
  count("input_bytes", c.counts.input_bytes, "bytes per sample");
  count("train_samples", c.train_samples, "training samples");
  d.add("dense_write_share", {}, std::vector<double>{c.dense_write_share}, "1",
        "share of parameters that a dense update changes");
  d.add("dense_path_per_step", {}, std::vector<double>{c.dense_path_per_step}, "1",
        "path length of a dense update divided by the learning rate");
  d.add("full_data_start", {}, std::vector<double>{c.full_data_start}, "1",
        "share of the selection probes at their begin with all data");
  d.add("full_data_end", {}, std::vector<double>{c.full_data_end}, "1",
        "share of the selection probes at their end with all data");
  d.add("largest_stable_rate", {}, std::vector<double>{c.largest_stable_rate}, "1",
        "largest probed learning rate that did not do worse");
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
    c.dense_write_share = d.number("dense_write_share");
    c.dense_path_per_step = d.number("dense_path_per_step");
    c.full_data_start = d.number("full_data_start");
    c.full_data_end = d.number("full_data_end");
    c.largest_stable_rate = d.number("largest_stable_rate");
    read_snapshots(d, c);
    c.accumulator_clock = read_clock(d, "accumulator_clock");
    c.selection_clock = read_clock(d, "selection_clock");
    if (d.has("accumulator_path")) c.accumulator_path = read_clock(d, "accumulator_path");
    if (d.has("accumulator_held")) c.accumulator_held = read_clock(d, "accumulator_held");
    c.probes = read_probes(d);
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
