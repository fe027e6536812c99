// Captures against per-sample gradients written out in double precision; probes against runs of the engine.
#include "eos/sim/calibrate.hpp"

#include <algorithm>
#include <numeric>

#include "../../sim/src/calibrate_capture.hpp"
#include "support.hpp"

namespace eos::sim::testing {
namespace {

using theory::MeasuredCurve;

/// A task of which every sample is used by capture(), weights after a little training, and all per-sample gradients.
class PerSampleGradients : public ::testing::Test {
 protected:
  void SetUp() override {
    data = small_task(60);
    spec = small_spec(data);
    spec.epochs = 0.3;  // little, so that the mean gradient stands out from the noise in every layer
    weights = run(spec, data).replicas.front().weights;
    layout = Network(widths_of(spec, data));
    PlainNetwork network(layout.widths, weights);
    for (int i = 0; i < data.train.samples; ++i) {
      network.loss_and_gradient(data.train, {i}, {1}, 1);
      gradients.push_back(network.gradient);
      const std::vector<double> p = network.probabilities(data.train, i);
      double squared = 0;
      for (std::size_t c = 0; c < p.size(); ++c) {
        const double r = p[c] - (static_cast<int>(c) == data.train.labels[static_cast<std::size_t>(i)] ? 1 : 0);
        squared += r * r;
      }
      residual_squared.push_back(squared);
    }
    settings.samples = data.train.samples;
    settings.batch = 5;
    settings.bootstrap = 20;
  }
  double dot(std::size_t i, std::size_t j, std::size_t begin, std::size_t end) const {
    double sum = 0;
    for (std::size_t k = begin; k < end; ++k) sum += gradients[i][k] * gradients[j][k];
    return sum;
  }
  double dot(std::size_t i, std::size_t j) const { return dot(i, j, 0, gradients[i].size()); }
  std::vector<std::size_t> hardest(std::size_t count) const {
    std::vector<std::size_t> order(residual_squared.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return residual_squared[a] > residual_squared[b]; });
    order.resize(count);
    return order;
  }

  TaskData data;
  theory::TrainingSpec spec;
  Network layout;
  std::vector<float> weights;
  std::vector<std::vector<double>> gradients;
  std::vector<double> residual_squared;
  CaptureSettings settings;
};

TEST_F(PerSampleGradients, give_the_same_captures_as_the_gram_matrix) {
  const theory::CaptureSnapshot snapshot = capture({spec, data, layout}, weights, settings);
  const std::size_t n = gradients.size();
  double all_pairs = 0, all_squares = 0, all_residuals = 0;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) all_pairs += i == j ? 0 : dot(i, j);
    all_squares += dot(i, i);
    all_residuals += residual_squared[i];
  }
  for (std::size_t k = 0; k < snapshot.signal.fraction.size(); ++k) {
    const auto count = static_cast<std::size_t>(std::lround(snapshot.signal.fraction[k] * static_cast<double>(n)));
    double pairs = 0, squares = 0, residuals = 0;
    for (std::size_t i : hardest(count)) {
      for (std::size_t j = 0; j < n; ++j) pairs += i == j ? 0 : dot(i, j);
      squares += dot(i, i);
      residuals += residual_squared[i];
    }
    // Single precision of the Gram matrix, amplified where pairs nearly cancel.
    EXPECT_NEAR(snapshot.signal.value[k], pairs / all_pairs, 1e-4) << count;
    EXPECT_NEAR(snapshot.noise.value[k], squares / all_squares, 1e-5) << count;
    EXPECT_NEAR(snapshot.residual.value[k], residuals / all_residuals, 1e-5) << count;
  }
}

TEST_F(PerSampleGradients, give_the_same_simple_noise_scale_by_layer) {
  const theory::CaptureSnapshot snapshot = capture({spec, data, layout}, weights, settings);
  ASSERT_EQ(snapshot.simple_noise_scale.size(), 3u);
  const auto n = static_cast<double>(gradients.size());
  for (std::size_t l = 0; l < 3; ++l) {
    const auto begin = static_cast<std::size_t>(layout.offsets[l]),
               end = static_cast<std::size_t>(layout.offsets[l + 1]);
    double pairs = 0, squares = 0;
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      for (std::size_t j = 0; j < gradients.size(); ++j) (i == j ? squares : pairs) += dot(i, j, begin, end);
    }
    const double mean_squared = pairs / (n * (n - 1)), second = squares / n;
    ASSERT_GT(mean_squared, 1e-6 * second) << "the floor would hide the comparison";
    const double expected = (second - mean_squared) / mean_squared;
    EXPECT_NEAR(snapshot.simple_noise_scale[l] / expected, 1, 1e-3) << "layer " << l;
  }
}

TEST(SampleShares, of_repeated_samples_are_those_of_the_pairs_of_distinct_ones) {
  const std::vector<float> gram{2, 1, -1, 1, 3, .5f, -1, .5f, 4}, residual{.9f, .5f, .1f};
  // Sample 0 twice, 1 not at all, 2 once: pairs (0, 2) and (2, 0), each with weight 2 * 1.
  const SampleShares s = sample_shares(gram, residual, {2, 0, 1}, {2.0 / 3, 1});
  EXPECT_NEAR(s.signal[0], (2 * 1 * -1.0) / (2 * (2 * 1 * -1.0)), 1e-6);
  EXPECT_NEAR(s.noise[0], 2 * 2.0 / (2 * 2.0 + 4), 1e-6);
  EXPECT_NEAR(s.residual[0], 2 * .81 / (2 * .81 + .01), 1e-6);
  EXPECT_EQ(s.signal[1], 1);
}

CalibrateOptions short_probes() {
  CalibrateOptions options;
  options.probe_epochs = 4;
  options.horizons = {0.25, 0.5, 1};
  options.selection_fractions = {0.3, 0.6};
  options.accumulator_fractions = {0.02, 0.2};
  options.capture_samples = 80;
  options.validation_samples = 30;
  options.bootstrap = 10;
  return options;
}

theory::Calibration measured(const theory::TrainingSpec& spec, const TaskData& data, const CalibrateOptions& options) {
  core::Progress silent;
  return measure(spec, data, silent, options);
}

TEST(Measure, does_not_depend_on_threads) {
  const TaskData data = small_task(400);
  const theory::TrainingSpec spec = small_spec(data);
  CalibrateOptions options = short_probes();
  const theory::Calibration one = measured(spec, data, options);
  options.threads = 3;
  const theory::Calibration three = measured(spec, data, options);
  ASSERT_EQ(one.probes.size(), three.probes.size());
  for (std::size_t i = 0; i < one.probes.size(); ++i) EXPECT_EQ(one.probes[i].loss, three.probes[i].loss) << i;
  EXPECT_EQ(one.selection_clock.value, three.selection_clock.value);
  EXPECT_EQ(one.accumulator_clock.value, three.accumulator_clock.value);
  EXPECT_EQ(one.snapshots.back().signal.value, three.snapshots.back().signal.value);
  EXPECT_EQ(one.snapshots.back().signal.error, three.snapshots.back().signal.error);
}

TEST(Measure, describes_each_dense_probe_by_its_annealed_run) {
  const TaskData data = small_task(400);
  const theory::TrainingSpec spec = small_spec(data);
  const theory::Calibration c = measured(spec, data, short_probes());
  std::vector<theory::ProbePoint> ends;
  for (std::size_t i = 0; i < c.probes.size(); ++i) {
    if (i + 1 == c.probes.size() || c.probes[i + 1].probe != c.probes[i].probe) ends.push_back(c.probes[i]);
  }
  ASSERT_EQ(ends.size(), 5u);
  // Constant to 0.75, then linear: the mean rate is 0.75 + 0.25 / 2 of the peak.
  EXPECT_NEAR(ends[4].clock, 0.875 * 0.2 * 4 * 400 / 16, 1e-9);
  EXPECT_DOUBLE_EQ(ends[4].learning_rate, 0);
  ends.pop_back();
  const double epochs[4] = {1, 2, 4, 4}, rate[4] = {0.2, 0.2, 0.2, 0.4};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_DOUBLE_EQ(ends[i].learning_rate, 0);
    EXPECT_NEAR(ends[i].clock, 0.5 * rate[i] * epochs[i] * 400 / 16, 1e-9);
    theory::TrainingSpec alone = spec;
    alone.epochs = epochs[i];
    alone.optimiser.learning_rate = rate[i];
    const EpochRow last = run(alone, data).replicas.front().epochs.back();
    EXPECT_NEAR(ends[i].loss, last.validation_loss, 1e-6) << i;  // on all validation samples, not the subset
    EXPECT_DOUBLE_EQ(ends[i].accuracy, last.validation_accuracy);
  }
  EXPECT_EQ(c.counts.parameters, (12 + 1) * 10 + (10 + 1) * 7 + (7 + 1) * 3);
  EXPECT_EQ(c.train_samples, 400);
}

TEST(Measure, takes_counts_of_updates_from_the_ledger) {
  const TaskData data = small_task(400);
  theory::TrainingSpec spec = small_spec(data);
  const theory::Calibration c = measured(spec, data, short_probes());
  spec.epochs = 4;
  spec.evaluate_every = 1;
  const std::vector<EpochRow> rows = run(spec, data).replicas.front().epochs;
  const theory::Ledger &first = rows[0].ledger, &second = rows[1].ledger, &last = rows[3].ledger;
  EXPECT_DOUBLE_EQ(c.dense_write_share, static_cast<double>(last.writes) / (static_cast<double>(last.steps) *
                                                                            static_cast<double>(c.counts.parameters)));
  // Path in the second quarter of the run, over the rates summed there: 100 steps, s - s^2/2 from .25 to .5.
  const double clock = 0.2 * 100 * ((.5 - .5 * .5 * .5) - (.25 - .5 * .25 * .25));
  EXPECT_NEAR(c.dense_path_per_step / ((second.path_length - first.path_length) / clock), 1, 1e-9);
  EXPECT_LT(c.accumulator_path.value.front(), c.accumulator_path.value[1]);  // fewer writes, shorter path
  EXPECT_LT(c.accumulator_path.value[1], 1);
}

TEST(Measure, finds_that_everything_runs_at_the_dense_clock_when_everything_is_used) {
  const TaskData data = small_task(400);
  CalibrateOptions options = short_probes();
  options.selection_fractions = {0.999};  // of chunks of up to 128 rows: all but rounding
  options.accumulator_fractions = {0.9999};
  const theory::Calibration c = measured(small_spec(data), data, options);
  EXPECT_NEAR(c.selection_clock.value[0], 1, 0.05);
  EXPECT_NEAR(c.accumulator_clock.value[0], 1, 0.02);
  EXPECT_NEAR(c.accumulator_path.value[0], 1, 0.02);
  EXPECT_EQ(c.selection_clock.fraction.back(), 1);
  EXPECT_EQ(c.selection_clock.value.back(), 1);
}

TEST(Measure, tells_what_is_missing_or_wrong) {
  TaskData data = small_task(200);
  const theory::TrainingSpec spec = small_spec(data);
  CalibrateOptions options = short_probes();
  options.horizons = {0.5, 0.25, 1};
  EXPECT_EQ(error_code([&] { measured(spec, data, options); }), "E104");
  theory::TrainingSpec wild = spec;
  wild.optimiser.learning_rate = 1e6;
  EXPECT_EQ(error_code([&] { measured(wild, data, short_probes()); }), "E402");
  theory::TrainingSpec normed = spec;  // single samples of a batch-norm network have no gradient of their own
  normed.network = {};
  normed.network.architecture = theory::Architecture::layers;
  normed.network.layers.resize(3);
  normed.network.layers[0].width = 8;
  normed.network.layers[1].kind = theory::LayerKind::batch_norm;
  normed.network.layers[2].width = 3;
  EXPECT_EQ(error_code([&] { measured(normed, data, short_probes()); }), "E107");
  theory::TrainingSpec ending = spec;
  ending.goal.accuracy = 0.9;
  EXPECT_EQ(error_code([&] { measured(ending, data, short_probes()); }), "E107");
  data.validation = {};
  EXPECT_EQ(error_code([&] { measured(spec, data, short_probes()); }), "E104");
}

TEST(Measure, stops_when_asked_to) {
  struct Stopping : core::Progress {
    bool stop_requested() const override { return true; }
  } stopping;
  const TaskData data = small_task(200);
  EXPECT_EQ(error_code([&] { measure(small_spec(data), data, stopping, short_probes()); }), "E402");
}

}  // namespace
}  // namespace eos::sim::testing
