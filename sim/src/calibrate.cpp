#include "eos/sim/calibrate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "calibrate_capture.hpp"
#include "calibrate_probes.hpp"
#include "calibrate_reuse.hpp"
#include "eos/core/error.hpp"
#include "eos/core/parallel.hpp"

namespace eos::sim {
namespace {

using theory::Calibration;
using theory::MeasuredCurve;

/// Probes compare fixed horizons, and captures are those of fixed inputs and weights.
void check_network(const theory::TrainingSpec& s, const Network& network) {
  if (s.goal.accuracy > 0 || s.goal.patience > 0 || s.optimiser.law == theory::RateLaw::effort)
    throw core::Error("E107", "a calibration needs fixed horizons and rates: goal, patience and law effort are not",
                      "remove train.goal_accuracy and train.patience, and choose another optimiser.law");
  if (s.data.order != theory::Order::shuffled)
    throw core::Error("E107", "a calibration needs shuffled samples: probes of any length then see the same data",
                      "leave data.order at its default");
  if (network.graph.state > 0)
    throw core::Error("E107",
                      "a calibration measures gradients of single samples, which batch norm does not have: the network "
                      "has running statistics",
                      "use layer-norm, or an architecture without batch norm (mlp, cnn, vit, gpt)");
}

void check(const CalibrateOptions& o, const TaskData& data) {
  auto refuse = [](const std::string& what, const std::string& help = {}) { throw core::Error("E104", what, help); };
  if (data.validation.samples < 2) {
    refuse("a calibration needs validation samples", "set data.validation_samples, e.g. to 10000");
  }
  if (!(o.probe_epochs > 0)) refuse(fmt::format("probe_epochs = {} must be > 0", o.probe_epochs));
  if (o.points < 1 || o.capture_samples < 2 || o.validation_samples < 2 || o.bootstrap < 0) {
    refuse("points, capture_samples, validation_samples and bootstrap must be at least 1, 2, 2 and 0");
  }
  const bool shares = o.horizons.size() >= 2 && o.horizons.front() > 0 && o.horizons.back() == 1 &&
                      std::is_sorted(o.horizons.begin(), o.horizons.end());
  if (!shares) refuse("horizons must be two or more increasing shares of probe_epochs that end with 1");
  if (o.capture_moments.empty() || !std::is_sorted(o.capture_moments.begin(), o.capture_moments.end())) {
    refuse("capture_moments must be one or more increasing shares of probe_epochs");
  }
  for (const auto* fractions : {&o.selection_fractions, &o.accumulator_fractions}) {
    const bool good = std::is_sorted(fractions->begin(), fractions->end()) &&
                      std::all_of(fractions->begin(), fractions->end(), [](double u) { return u > 0 && u < 1; });
    if (!good) refuse("probed fractions must increase and lie between 0 and 1");
  }
}

/// Share of the peak rate at progress s, without warm-up: a plateau, then linear to 0.
double falling(double plateau, double s) { return s <= plateau ? 1 : (1 - s) / (1 - plateau); }

/// Sum of learning rates over the updates of a probe up to progress s, after a linear warm-up.
double clock_at(const Probe& probe, int train_samples, double s) {
  const theory::TrainingSpec& spec = probe.spec;
  const double steps = spec.epochs * train_samples / spec.batch;
  const double warm = spec.optimiser.warmup_epochs / spec.epochs, flat = probe.plateau;
  auto annealed = [flat](double x) {
    const double fall = std::max(0.0, x - flat);
    return x - 0.5 * fall * fall / (1 - flat);
  };
  // The warm-up is shorter than half of every horizon, hence than the plateau if there is one.
  auto warming = [&](double x) { return warm > 0 ? (0.5 * x * x - (flat > 0 ? 0 : x * x * x / 3)) / warm : 0.0; };
  const double share = s <= warm ? warming(s) : warming(warm) + annealed(s) - annealed(warm);
  return spec.optimiser.learning_rate * steps * share;
}

double rate_at(const Probe& probe, double s) {
  const double warm = probe.spec.optimiser.warmup_epochs / probe.spec.epochs;
  return probe.spec.optimiser.learning_rate * falling(probe.plateau, s) * (s < warm ? s / warm : 1);
}

double standard_error(const std::vector<double>& values, const std::vector<double>* minus = nullptr) {
  const auto n = static_cast<double>(values.size());
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double v = values[i] - (minus != nullptr ? (*minus)[i] : 0);
    sum += v;
    squares += v * v;
  }
  return std::sqrt(std::max(0.0, squares / n - sum * sum / (n * n)) / (n - 1));
}

/// Loss curve of one dense probe. The subset along the curve is the front of the validation set; what it deviates from
/// the whole at the end of the run is taken off everywhere.
void add_curve(const Probe& probe, const ProbeOutcome& outcome, int index, int subset, int train_samples,
               std::vector<theory::ProbePoint>& curve) {
  const double offset = outcome.loss - outcome.rows.back().validation_loss;
  const double spread = standard_error(outcome.losses) * std::sqrt(static_cast<double>(outcome.losses.size()));
  for (std::size_t i = 0; i < outcome.rows.size(); ++i) {
    const EpochRow& row = outcome.rows[i];
    const bool last = i + 1 == outcome.rows.size();
    const double s = std::min(1.0, row.epoch / probe.spec.epochs);
    theory::ProbePoint p;
    p.probe = index;
    p.step = row.step;
    p.clock = clock_at(probe, train_samples, s);
    p.learning_rate = rate_at(probe, s);
    p.loss = row.validation_loss + offset;
    p.loss_error = last ? standard_error(outcome.losses) : spread / std::sqrt(static_cast<double>(subset));
    p.accuracy = last ? outcome.accuracy : row.validation_accuracy;
    if (probe.kind == ProbeKind::selection) p.data_fraction = probe.fraction;
    if (probe.kind == ProbeKind::accumulator) p.weight_fraction = probe.fraction;
    curve.push_back(p);
  }
}

/// Annealed loss as a function of the horizon, a straight line in ln L over ln T between dense probes.
class AnnealedLoss {
 public:
  AnnealedLoss(const std::vector<Probe>& probes, const std::vector<ProbeOutcome>& outcomes, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      log_horizon_.push_back(std::log(probes[i].spec.epochs));
      log_loss_.push_back(std::log(outcomes[i].loss));
    }
  }
  /// ln T at which dense training ends with this loss.
  double log_horizon(double loss) const {
    const std::size_t i = segment(std::log(loss));
    return log_horizon_[i + 1] + (std::log(loss) - log_loss_[i + 1]) / slope(i);
  }
  /// d ln T / d L, absolute.
  double sensitivity(double loss) const { return -1 / (loss * slope(segment(std::log(loss)))); }

 private:
  /// Where longer training did not help, any clock fits: the slope is kept away from 0.
  double slope(std::size_t i) const {
    constexpr double k_flattest = -0.02;
    return std::min(k_flattest, (log_loss_[i + 1] - log_loss_[i]) / (log_horizon_[i + 1] - log_horizon_[i]));
  }
  std::size_t segment(double log_loss) const {
    std::size_t i = log_horizon_.size() - 2;
    while (i > 0 && log_loss > log_loss_[i]) --i;
    return i;
  }
  std::vector<double> log_horizon_, log_loss_;
};

void append(MeasuredCurve& curve, double fraction, double value, double error) {
  curve.fraction.push_back(fraction);
  curve.value.push_back(value);
  curve.error.push_back(error);
}

/// Share of the summed learning rate that falls between the full-data phases.
double middle_share(const Probe& probe, int train_samples) {
  return (clock_at(probe, train_samples, 1 - k_full_data_end) - clock_at(probe, train_samples, k_full_data_start)) /
         clock_at(probe, train_samples, 1);
}

/// The row nearest to a share of the probe's horizon.
const EpochRow& row_at(const Probe& probe, const ProbeOutcome& outcome, double share) {
  const double epoch = share * probe.spec.epochs;
  return *std::min_element(outcome.rows.begin(), outcome.rows.end(), [&](const auto& x, const auto& y) {
    return std::abs(x.epoch - epoch) < std::abs(y.epoch - epoch);
  });
}

/// Path length per summed learning rate in the middle of a probe.
double path_per_clock(const Probe& probe, const ProbeOutcome& outcome, int train_samples) {
  const EpochRow& begin = row_at(probe, outcome, theory::k_path_begin);
  const EpochRow& end = row_at(probe, outcome, theory::k_path_end);
  const double clock = clock_at(probe, train_samples, end.epoch / probe.spec.epochs) -
                       clock_at(probe, train_samples, begin.epoch / probe.spec.epochs);
  return (end.ledger.path_length - begin.ledger.path_length) / clock;
}

/// Reference runs and what is derived from the others by comparison with them.
class Clocks {
 public:
  Clocks(const std::vector<Probe>& probes, const std::vector<ProbeOutcome>& outcomes, std::size_t dense)
      : probes_(probes), outcomes_(outcomes), dense_(dense), annealed_(probes, outcomes, dense) {}

  void add(std::size_t i, Calibration& c) const {
    const Probe& probe = probes_[i];
    if (probe.kind == ProbeKind::dense) return;
    if (probe.kind == ProbeKind::reuse) return add_reuse_clock(outcomes_[i], c);
    const bool selection = probe.kind == ProbeKind::selection;
    const double share = selection ? middle_share(probe, c.train_samples) : 1;
    MeasuredCurve& curve = selection ? c.selection_clock : c.accumulator_clock;
    const ProbeOutcome& o = outcomes_[i];
    if (o.status == RunStatus::complete) {
      const double ratio = std::exp(annealed_.log_horizon(o.loss) - annealed_.log_horizon(reference().loss));
      const double error = ratio * annealed_.sensitivity(o.loss) * standard_error(o.losses, &reference().losses);
      append(curve, probe.fraction, 1 - (1 - ratio) / share, error / share);
    } else {
      append(curve, probe.fraction, 0, 1);  // diverged: no progress at this fraction
    }
    if (!selection) add_costs(i, c);
  }

 private:
  const ProbeOutcome& reference() const { return outcomes_[dense_ - 1]; }
  const theory::Ledger& ledger(std::size_t i) const { return outcomes_[i].rows.back().ledger; }

  void add_reuse_clock(const ProbeOutcome& o, Calibration& c) const {
    if (o.status != RunStatus::complete) return;
    c.reuse_clock = std::exp(annealed_.log_horizon(o.loss) - annealed_.log_horizon(reference().loss));
    c.reuse_clock_error = c.reuse_clock * annealed_.sensitivity(o.loss) * standard_error(o.losses, &reference().losses);
  }

  void add_costs(std::size_t i, Calibration& c) const {
    if (outcomes_[i].status != RunStatus::complete) return;
    const double clock = clock_at(probes_[i], c.train_samples, 1);
    const double fraction = probes_[i].fraction;
    append(c.accumulator_path, fraction,
           path_per_clock(probes_[i], outcomes_[i], c.train_samples) /
               path_per_clock(probes_[dense_ - 1], reference(), c.train_samples),
           0);
    // Each presentation holds sum |s|, which is proportional to the rate: mean over the run per mean rate.
    append(c.accumulator_held, fraction, ledger(i).maintenance / (clock * probes_[i].spec.batch), 0);
  }

  const std::vector<Probe>& probes_;
  const std::vector<ProbeOutcome>& outcomes_;
  std::size_t dense_;  // number of dense probes at the run's own rate; the last of them is the reference
  AnnealedLoss annealed_;
};

void add_dense_costs(const Probe& probe, const ProbeOutcome& outcome, Calibration& c) {
  const theory::Ledger& ledger = outcome.rows.back().ledger;
  c.dense_write_share = static_cast<double>(ledger.writes) /
                        (static_cast<double>(ledger.steps) * static_cast<double>(c.counts.parameters));
  c.dense_path_per_step = path_per_clock(probe, outcome, c.train_samples);
}

/// Annealed weights would not do: there the mean gradient vanishes, and with it the signal.
void add_snapshots(const Probe& probe, const ProbeOutcome& outcome, const Network& network, const TaskData& data,
                   const CalibrateOptions& options, Calibration& c) {
  std::vector<std::size_t> rows;
  for (double moment : options.capture_moments) {
    const auto row = static_cast<std::size_t>(&row_at(probe, outcome, moment) - outcome.rows.data());
    if (rows.empty() || rows.back() != row) rows.push_back(row);
  }
  c.snapshots.resize(rows.size());
  core::parallel_for(rows.size(), options.threads, [&](std::size_t i) {
    CaptureSettings settings;
    settings.samples = options.capture_samples;
    settings.batch = probe.spec.batch;
    settings.bootstrap = options.bootstrap;
    settings.seed = probe.spec.seeds.front();
    settings.snapshot = static_cast<std::uint32_t>(i);
    settings.singles = std::min(settings.singles, options.capture_samples / 4);
    c.snapshots[i] = capture({probe.spec, data, network}, outcome.weights_at[rows[i]], settings);
    c.snapshots[i].epoch = outcome.rows[rows[i]].epoch;
  });
}

void add_reuse(const Probe& probe, const ProbeOutcome& outcome, const TaskData& data, const CalibrateOptions& options,
               Calibration& c) {
  if (outcome.status != RunStatus::complete) return;
  c.reuse_share = 1.0 / probe.divisor;
  c.reuse = reuse_curve(probe, outcome, data, options.capture_samples / 2);
  if (data.labels_per_sample > 1) return;  // text that is hard to foretell is no noise
  c.label_noise = label_noise(probe, outcome, data, 4 * options.capture_samples);
}

}  // namespace

Calibration measure(const theory::TrainingSpec& dense, const TaskData& data, core::Progress& progress,
                    const CalibrateOptions& options) {
  check(options, data);
  dense.check();
  const Network network(dense.network, data.shape());
  check_network(dense, network);
  const std::vector<Probe> probes = make_probes(dense, data.train.samples, options);
  const std::vector<ProbeOutcome> outcomes = run_probes(probes, data, progress, options);
  const std::size_t count = options.horizons.size();
  Calibration c;
  c.spec = dense;
  c.spec.selection = theory::selection_preset("all");
  c.spec.plasticity = theory::plasticity_preset("all");
  c.counts = theory::graph_counts(network.graph, data.inputs);
  for (int b = 0; b < network.layers(); ++b) {
    c.block_names.push_back(network.block(b).name);
    c.block_parameters.push_back(network.block(b).size());
  }
  c.train_samples = data.train.samples;
  c.full_data_start = k_full_data_start;
  c.full_data_end = k_full_data_end;
  for (std::size_t i = 0; i < count; ++i) {
    if (outcomes[i].status == RunStatus::complete) continue;
    throw core::Error("E402",
                      fmt::format("a dense probe of {:g} epochs diverged at learning rate {:g}", probes[i].spec.epochs,
                                  dense.optimiser.learning_rate),
                      "lower optimiser.learning_rate");
  }
  const int subset = std::min(options.validation_samples, data.validation.samples);
  c.largest_stable_rate = dense.optimiser.learning_rate;
  for (std::size_t i = 0; i <= count + 1; ++i) {
    if (outcomes[i].status != RunStatus::complete) continue;  // only probes at higher rates may diverge
    add_curve(probes[i], outcomes[i], static_cast<int>(i), subset, c.train_samples, c.probes);
  }
  for (std::size_t i = count + 2; i < probes.size(); ++i) {
    if (outcomes[i].status != RunStatus::complete || probes[i].kind == ProbeKind::reuse) continue;
    add_curve(probes[i], outcomes[i], static_cast<int>(i), subset, c.train_samples, c.gated_probes);
  }
  const ProbeOutcome &base = outcomes[count - 1], &fast = outcomes[count];
  const double margin = 2 * (fast.losses.empty() ? 0 : standard_error(fast.losses, &base.losses));
  if (fast.status == RunStatus::complete && fast.loss <= base.loss + margin) {
    c.largest_stable_rate = probes[count].spec.optimiser.learning_rate;
  }
  add_dense_costs(probes[count - 1], outcomes[count - 1], c);
  const Clocks clocks(probes, outcomes, count);
  for (std::size_t i = 0; i < probes.size(); ++i) clocks.add(i, c);
  for (auto* curve : {&c.selection_clock, &c.accumulator_clock, &c.accumulator_path}) append(*curve, 1, 1, 0);
  append(c.accumulator_held, 1, 0, 0);
  add_snapshots(probes[count - 1], base, network, data, options, c);
  for (std::size_t i = count; i < probes.size(); ++i) {
    if (probes[i].kind == ProbeKind::reuse) add_reuse(probes[i], outcomes[i], data, options, c);
  }
  return c;
}

}  // namespace eos::sim
