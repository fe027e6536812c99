#include "calibrate_probes.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>

#include "calibrate_reuse.hpp"
#include "eos/core/error.hpp"
#include "eos/core/parallel.hpp"
#include "sample_gradients.hpp"

namespace eos::sim {
namespace {

using theory::TrainingSpec;

TrainingSpec base_spec(const TrainingSpec& dense, const CalibrateOptions& options) {
  TrainingSpec spec = dense;
  spec.selection = theory::selection_preset("all");
  spec.plasticity = theory::plasticity_preset("all");
  spec.schedule = {};
  spec.optimiser.law = theory::RateLaw::linear;
  spec.optimiser.warmup_epochs = std::min(spec.optimiser.warmup_epochs, 0.1 * options.probe_epochs);
  spec.seeds.resize(1);
  spec.epochs = options.probe_epochs;
  spec.evaluate_every = options.probe_epochs;
  spec.checkpoint_seconds = 0;
  spec.record_every = 0;
  return spec;
}

Probe dense_probe(const TrainingSpec& base, double epochs, double rate, const CalibrateOptions& options) {
  Probe probe{ProbeKind::dense, 1, 1, 0, base};
  probe.spec.epochs = epochs;
  probe.spec.optimiser.warmup_epochs = std::min(base.optimiser.warmup_epochs, 0.5 * epochs);
  probe.spec.optimiser.learning_rate = rate;
  probe.spec.evaluate_every = std::min(options.probe_epochs / options.points, epochs / 3);
  return probe;
}

/// Constant for a while, then in steps along a straight line to 0.
Probe plateau_probe(const TrainingSpec& base, double rate, const CalibrateOptions& options) {
  constexpr int k_falling = 5;
  Probe probe = dense_probe(base, base.epochs, rate, options);
  probe.plateau = k_plateau;
  probe.spec.optimiser.law = theory::RateLaw::schedule;
  theory::Schedule& s = probe.spec.schedule;
  s.edges = {0};
  for (int i = 0; i <= k_falling; ++i) {
    s.edges.push_back(k_plateau + (1 - k_plateau) * i / k_falling);
    s.data_fraction.push_back(1);
    s.weight_fraction.push_back(1);
    s.learning_rate.push_back(rate * (i == 0 ? 1 : 1 - (i - 0.5) / k_falling));
  }
  return probe;
}

/// Rows at a quarter and half of the horizon, where path lengths are compared, and about `points` in all.
double row_interval(const TrainingSpec& base, const CalibrateOptions& options) {
  return base.epochs / (4 * ((options.points + 3) / 4));
}

Probe selection_probe(const TrainingSpec& base, double rho, const CalibrateOptions& options) {
  Probe probe{ProbeKind::selection, rho, 1, 0, base};
  probe.spec.evaluate_every = row_interval(base, options);
  probe.spec.selection = theory::selection_preset("schedule");
  probe.spec.selection.floor = std::min(probe.spec.selection.floor, rho);
  probe.spec.schedule.edges = {0, k_full_data_start, 1 - k_full_data_end, 1};
  probe.spec.schedule.data_fraction = {1, rho, 1};
  probe.spec.schedule.weight_fraction = {1, 1, 1};
  probe.spec.schedule.weight_rule = theory::Rule::all;
  return probe;
}

Probe accumulator_probe(const TrainingSpec& base, double kappa, const CalibrateOptions& options) {
  Probe probe{ProbeKind::accumulator, kappa, 1, 0, base};
  probe.spec.plasticity = theory::plasticity_preset("top-k");
  probe.spec.plasticity.accumulate = true;
  probe.spec.plasticity.fraction = kappa;
  probe.spec.evaluate_every = row_interval(base, options);
  return probe;
}

/// As many updates as the longest dense probe has, on a part of the samples.
Probe reuse_probe(const TrainingSpec& base, int train_samples, const CalibrateOptions& options) {
  Probe probe{ProbeKind::reuse, 1, options.reuse_divisor, 0, base};
  probe.spec.data.train_samples = (train_samples + options.reuse_divisor - 1) / options.reuse_divisor;
  probe.spec.epochs = base.epochs * train_samples / probe.spec.data.train_samples;
  probe.spec.evaluate_every = probe.spec.epochs / 4;
  return probe;
}

/// Adds the progress of runs that go on at the same time to one task.
class JointProgress {
 public:
  JointProgress(core::Progress& parent, std::vector<double> totals) : parent_(&parent), done_(totals.size(), 0.0) {
    parent.begin("probes", std::accumulate(totals.begin(), totals.end(), 0.0), "epochs");
  }
  ~JointProgress() { parent_->end("probes"); }
  JointProgress(const JointProgress&) = delete;
  JointProgress& operator=(const JointProgress&) = delete;

  void update(std::size_t run, double done) {
    const std::lock_guard<std::mutex> guard(lock_);
    done_[run] = done;
    parent_->update("probes", std::accumulate(done_.begin(), done_.end(), 0.0));
  }
  bool stop_requested() const { return parent_->stop_requested(); }

 private:
  core::Progress* parent_;
  std::vector<double> done_;
  std::mutex lock_;
};

class OneOfMany : public core::Progress {
 public:
  /// share: of an epoch of the calibrated task in one epoch of this run
  OneOfMany(JointProgress& joint, std::size_t run, double share) : joint_(&joint), run_(run), share_(share) {}
  void update(const std::string&, double done, const std::string&) override { joint_->update(run_, share_ * done); }
  bool stop_requested() const override { return joint_->stop_requested(); }

 private:
  JointProgress* joint_;
  std::size_t run_;
  double share_;
};

/// The data with a shorter validation set for the curves, and without test data, which no calibration may see.
TaskData curve_data(const TaskData& data, int samples) {
  TaskData result = data;
  LabelledSet& v = result.validation;
  v.samples = std::min(v.samples, samples);
  v.inputs.resize(static_cast<std::size_t>(v.samples) * static_cast<std::size_t>(data.inputs));
  v.labels.resize(static_cast<std::size_t>(v.samples) * static_cast<std::size_t>(data.labels_per_sample));
  result.test = {};
  return result;
}

void evaluate_end(const TrainingSpec& spec, const TaskData& data, ProbeOutcome& outcome) {
  const Network network(spec.network, data.shape());
  SampleGradients scorer(spec, data, network, outcome.weights);
  std::vector<std::int32_t> all(static_cast<std::size_t>(data.validation.samples));
  std::iota(all.begin(), all.end(), 0);
  const SampleGradients::Scores scores = scorer.score(data.validation, all);
  outcome.losses.assign(scores.loss.begin(), scores.loss.end());
  outcome.loss = std::accumulate(outcome.losses.begin(), outcome.losses.end(), 0.0) / static_cast<double>(all.size());
  const auto right = std::count_if(scores.agrees.begin(), scores.agrees.end(), [](auto c) { return c != 0; });
  outcome.accuracy = static_cast<double>(right) / static_cast<double>(scores.agrees.size());
}

}  // namespace

std::vector<Probe> make_probes(const TrainingSpec& dense, int train_samples, const CalibrateOptions& options) {
  const TrainingSpec base = base_spec(dense, options);
  const double rate = base.optimiser.learning_rate;
  std::vector<Probe> probes;
  for (double share : options.horizons) probes.push_back(dense_probe(base, share * base.epochs, rate, options));
  probes.push_back(dense_probe(base, base.epochs, options.rate_factor * rate, options));
  probes.push_back(plateau_probe(base, rate, options));
  for (double rho : options.selection_fractions) probes.push_back(selection_probe(base, rho, options));
  for (double kappa : options.accumulator_fractions) probes.push_back(accumulator_probe(base, kappa, options));
  if (options.reuse_divisor > 1 && train_samples >= 2 * options.reuse_divisor)
    probes.push_back(reuse_probe(base, train_samples, options));
  return probes;
}

std::vector<ProbeOutcome> run_probes(const std::vector<Probe>& probes, const TaskData& data, core::Progress& progress,
                                     const CalibrateOptions& options) {
  const TaskData curves = curve_data(data, options.validation_samples);
  std::vector<double> totals;
  for (const Probe& probe : probes) totals.push_back(probe.spec.epochs / probe.divisor);
  // The longest first, so that no thread is left with a long one at the end.
  std::vector<std::size_t> order(probes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return totals[a] > totals[b]; });
  JointProgress joint(progress, totals);
  std::vector<ProbeOutcome> outcomes(probes.size());
  core::parallel_for(probes.size(), options.threads, [&](std::size_t i) {
    const std::size_t run = order[i];
    OneOfMany own(joint, run, 1.0 / probes[run].divisor);
    TrainOptions train_options;
    const bool reuse = probes[run].kind == ProbeKind::reuse;
    train_options.keep_weights = reuse || probes[run].kind == ProbeKind::dense;
    TrainResult result =
        train(probes[run].spec, reuse ? every_nth(curves, probes[run].divisor) : curves, own, train_options);
    ReplicaResult& replica = result.replicas.front();
    ProbeOutcome& outcome = outcomes[run];
    outcome.status = replica.status;
    outcome.rows = std::move(replica.epochs);
    outcome.weights = std::move(replica.weights);
    outcome.weights_at = std::move(replica.weights_at);
    if (outcome.status == RunStatus::complete) {
      evaluate_end(probes[run].spec, data, outcome);
    }
    joint.update(run, totals[run]);
  });
  for (const ProbeOutcome& outcome : outcomes) {
    if (outcome.status == RunStatus::stopped) {
      throw core::Error("E402", "the calibration was interrupted before its probes ended", "run it again");
    }
  }
  return outcomes;
}

}  // namespace eos::sim
