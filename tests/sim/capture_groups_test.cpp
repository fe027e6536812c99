// Captures by groups of any network against single gradients summed by hand; statistics against closed forms.
#include <algorithm>
#include <numeric>

#include "../../sim/src/calibrate_capture.hpp"
#include "../../sim/src/calibrate_reuse.hpp"
#include "eos/core/philox.hpp"
#include "support.hpp"

namespace eos::sim::testing {
namespace {

using theory::Architecture;

double dot(const std::vector<float>& a, const std::vector<float>& b, std::int64_t begin, std::int64_t end) {
  double sum = 0;
  for (auto k = static_cast<std::size_t>(begin); k < static_cast<std::size_t>(end); ++k)
    sum += static_cast<double>(a[k]) * static_cast<double>(b[k]);
  return sum;
}

/// A little network of an architecture after a few updates, and the gradient of each of its capture samples.
class EveryArchitecture : public ::testing::TestWithParam<Architecture> {
 protected:
  void SetUp() override {
    data = task();
    spec = small_spec(data);
    spec.data.name = data.tokens ? "markov" : "auto";
    if (data.tokens) spec.data.sequence = 8, spec.data.markov.vocabulary = 12;
    const bool transformer = GetParam() == Architecture::vit || GetParam() == Architecture::gpt;
    if (GetParam() != Architecture::mlp) spec.network = {};
    spec.network.architecture = GetParam();
    spec.network.initialisation = theory::Initialisation::fan_in;
    if (GetParam() == Architecture::cnn) spec.network.channels = {4, 6};
    if (GetParam() == Architecture::gpt) spec.network.tied = true;
    if (transformer) {
      spec.network.width = 12, spec.network.depth = 1, spec.network.heads = 2;
      spec.optimiser.kind = theory::OptimiserKind::adamw, spec.optimiser.learning_rate = 5e-3;
    }
    spec.epochs = 0.5;
    weights = run(spec, data).replicas.front().weights;
    network = Network(spec.network, data.shape());
    settings.samples = 120;
    settings.batch = 10;
    settings.singles = 60;
    settings.folds = 4;
    settings.windows = 40;
    groups = groups_of(task_of(), weights, settings);
    SampleGradients alone(spec, data, network, weights, 1);
    for (std::int32_t sample : groups.carrier) {
      gradients.emplace_back(static_cast<std::size_t>(network.parameters()), 0.0f);
      alone.add(data.train, {sample}, {}, gradients.back());
    }
  }
  TaskData task() const {
    if (GetParam() != Architecture::gpt) {
      TaskData made = small_task(240, 64, 4);
      made.height = made.width = 8, made.channels = 1;
      return made;
    }
    theory::DataSpec text;
    text.name = "markov";
    text.train_samples = 240, text.validation_samples = text.test_samples = 40;
    text.sequence = 8, text.markov.vocabulary = 12;
    return load_data(text);
  }
  CaptureTask task_of() const { return {spec, data, network}; }
  /// sum over pairs of samples of different folds, the first of class c, of <g_i, g_j> in one block.
  double pairs(int c, std::int64_t begin, std::int64_t end) const {
    double sum = 0;
    for (std::size_t i = 0; i < gradients.size(); ++i)
      for (std::size_t j = 0; j < gradients.size(); ++j)
        if (groups.of_class[i] == c && groups.of_fold[i] != groups.of_fold[j])
          sum += dot(gradients[i], gradients[j], begin, end);
    return sum;
  }

  TaskData data;
  theory::TrainingSpec spec;
  Network network;
  std::vector<float> weights;
  CaptureSettings settings;
  CaptureGroups groups;
  std::vector<std::vector<float>> gradients;
};

TEST_P(EveryArchitecture, has_the_signal_of_its_single_gradients) {
  settings.gram = false;
  const theory::CaptureSnapshot snapshot = capture(task_of(), weights, settings);
  for (int block = -1; block < network.layers(); ++block) {
    const std::int64_t begin = block < 0 ? 0 : network.offsets[static_cast<std::size_t>(block)],
                       end = block < 0 ? network.parameters() : network.offsets[static_cast<std::size_t>(block) + 1];
    const theory::MeasuredCurve& curve =
        block < 0 ? snapshot.signal : snapshot.layer_signal[static_cast<std::size_t>(block)];
    std::vector<double> share;
    double size = 0;
    for (int c = 0; c < groups.classes(); ++c) share.push_back(pairs(c, begin, end)), size += std::abs(share.back());
    std::partial_sum(share.begin(), share.end(), share.begin());
    // Gradients and their sums are single precision; shares are large where the pairs nearly cancel.
    const double tolerance = 1e-4 * size / std::abs(share.back());
    for (std::size_t k = 0; k < share.size(); ++k)
      EXPECT_NEAR(curve.value[k], share[k] / share.back(), tolerance) << "block " << block << " class " << k;
  }
}

TEST_P(EveryArchitecture, has_the_noise_and_the_noise_scale_of_its_single_gradients) {
  settings.gram = false;
  const theory::CaptureSnapshot snapshot = capture(task_of(), weights, settings);
  for (int block = 0; block < network.layers(); ++block) {
    const auto b = static_cast<std::size_t>(block);
    double noise = 0, signal = 0, number = 0;
    std::vector<double> cumulated;
    for (int c = 0; c < groups.classes(); ++c) {
      double squares = 0, taken = 0, size = 0;
      for (std::size_t i = 0; i < gradients.size(); ++i) {
        if (groups.of_class[i] != c) continue;
        ++size;
        if (!std::binary_search(groups.singles.begin(), groups.singles.end(), i)) continue;
        ++taken;
        squares += dot(gradients[i], gradients[i], network.offsets[b], network.offsets[b + 1]);
      }
      noise += size * squares / taken;
      signal += pairs(c, network.offsets[b], network.offsets[b + 1]);
      cumulated.push_back(noise);
    }
    for (std::size_t i = 0; i < gradients.size(); ++i)
      for (std::size_t j = 0; j < gradients.size(); ++j) number += groups.of_fold[i] != groups.of_fold[j] ? 1 : 0;
    for (std::size_t k = 0; k < cumulated.size(); ++k)
      EXPECT_NEAR(snapshot.layer_noise[b].value[k], cumulated[k] / noise, 1e-4);
    const double second = noise / static_cast<double>(gradients.size()),
                 squared = std::max(signal / number, 1e-6 * second);
    // Rounding of the groups' sums is relative to |G|^2 + tr Sigma, not to |G|^2.
    const double scale = (second - squared) / squared;
    EXPECT_NEAR(snapshot.simple_noise_scale[b] / scale, 1, 1e-5 * (1 + scale)) << "block " << block;
  }
}

TEST_P(EveryArchitecture, has_the_write_captures_of_batches_against_the_other_folds) {
  const theory::CaptureSnapshot snapshot = capture(task_of(), weights, settings);
  const auto size = static_cast<std::size_t>(network.offsets[1]);
  double mean = 0, kept_signal = 0, all_signal = 0;
  for (int fold = 0; fold < 4; ++fold) {
    std::vector<std::pair<std::int32_t, std::size_t>> members;
    std::vector<double> g(size, 0.0), others(size, 0.0);
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      if (groups.of_fold[i] == fold) members.emplace_back(groups.carrier[i], i);
      for (std::size_t k = 0; groups.of_fold[i] != fold && k < size; ++k)
        others[k] += static_cast<double>(gradients[i][k]);
    }
    std::sort(members.begin(), members.end());
    for (std::size_t m = 0; m < 10; ++m)
      for (std::size_t k = 0; k < size; ++k) g[k] += static_cast<double>(gradients[members[m].second][k]);
    std::vector<std::size_t> order(size);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return std::abs(g[a]) > std::abs(g[b]); });
    const auto count = static_cast<std::size_t>(std::llround(0.3 * static_cast<double>(size)));
    double kept = 0, all = 0;
    for (std::size_t k = 0; k < size; ++k) {
      const std::size_t at = order[k];
      all += g[at] * g[at], all_signal += g[at] * others[at];
      if (k < count) kept += g[at] * g[at], kept_signal += g[at] * others[at];
    }
    mean += kept / all / 4;
  }
  ASSERT_EQ(snapshot.write.front().fraction[5], 0.3);
  EXPECT_NEAR(snapshot.write.front().value[5], mean, 1e-4);
  // Equal magnitudes at the edge may be taken in another order.
  EXPECT_NEAR(snapshot.write_signal.front().value[5], kept_signal / all_signal, 5e-3);
}

TEST_P(EveryArchitecture, keeps_token_captures_for_sequences_alone) {
  const theory::CaptureSnapshot snapshot = capture(task_of(), weights, settings);
  EXPECT_EQ(snapshot.token_signal.fraction.empty(), GetParam() != Architecture::gpt);
  if (GetParam() != Architecture::gpt) return;
  // All tokens of a window together make its gradient; those of distinct windows have the signal of windows.
  EXPECT_DOUBLE_EQ(snapshot.token_signal.value.back(), 1);
  SampleGradients g(spec, data, network, weights);
  std::vector<float> whole(gradients.front().size(), 0.0f), parts = whole;
  g.add(data.train, {5}, {}, whole);
  for (int t = 0; t < 8; ++t) {
    std::vector<float> one(8, 0.0f);
    one[static_cast<std::size_t>(t)] = 1;
    g.add(data.train, {5}, one, parts);
  }
  double norm = 0, difference = 0;
  for (std::size_t k = 0; k < whole.size(); ++k)
    norm += std::pow(static_cast<double>(whole[k]), 2),
        difference += std::pow(static_cast<double>(whole[k] - parts[k]), 2);
  EXPECT_LT(difference, 1e-10 * norm);
}

INSTANTIATE_TEST_SUITE_P(, EveryArchitecture,
                         ::testing::Values(Architecture::mlp, Architecture::cnn, Architecture::vit, Architecture::gpt));

TEST(CaptureGroups, agree_with_the_gram_matrix_of_a_chain_within_their_errors) {
  const TaskData data = small_task(1500, 20, 5);
  theory::TrainingSpec spec = small_spec(data);
  spec.epochs = 0.3;
  const std::vector<float> weights = run(spec, data).replicas.front().weights;
  const Network network(spec.network, data.shape());
  CaptureSettings settings;
  settings.samples = 1500;
  const theory::CaptureSnapshot gram = capture({spec, data, network}, weights, settings);
  settings.gram = false;
  const theory::CaptureSnapshot groups = capture({spec, data, network}, weights, settings);
  for (std::size_t k = 0; k < groups.signal.fraction.size(); ++k) {
    ASSERT_EQ(gram.signal.fraction[k], groups.signal.fraction[k]);
    // Three standard errors of either: both use the same samples, so they are closer than that.
    EXPECT_NEAR(groups.signal.value[k], gram.signal.value[k], 3 * groups.signal.error[k] + 1e-9);
    EXPECT_NEAR(groups.noise.value[k], gram.noise.value[k], 3 * groups.noise.error[k] + 1e-9);
    EXPECT_NEAR(groups.residual.value[k], gram.residual.value[k], 1e-6);
  }
  for (std::size_t l = 0; l < 3; ++l)
    EXPECT_NEAR(groups.simple_noise_scale[l], gram.simple_noise_scale[l], 3 * groups.noise_scale_error[l]);
}

TEST(CaptureGroups, leave_no_fold_and_no_class_empty) {
  std::vector<std::int32_t> carriers(203);
  std::iota(carriers.begin(), carriers.end(), 10);
  std::vector<float> rank;
  for (std::int32_t c : carriers) rank.push_back(std::sin(static_cast<float>(c)));
  const CaptureGroups g = capture_groups(carriers, rank, rank, {0.1, 0.4, 1}, 7, 30, 1, 0);
  const CaptureMoments m(g, 1);
  for (int f = 0; f < 7; ++f) {
    double in_fold = 0;
    for (int c = 0; c < 3; ++c) in_fold += m.count[static_cast<std::size_t>(c * 7 + f)];
    EXPECT_EQ(in_fold, 29);  // 203 / 7
  }
  EXPECT_EQ(m.class_size(0, -1), 20);
  EXPECT_EQ(m.class_size(1, -1), 61);
  EXPECT_TRUE(std::is_sorted(g.residual.rbegin(), g.residual.rend()));
  EXPECT_EQ(g.singles.size(), 30u);
  EXPECT_EQ(error_code([&] { capture_groups({1, 2, 3}, {1, 2, 3}, {1, 2, 3}, {0.1, 1}, 2, 2, 1, 0); }), "E104");
}

TEST(CaptureGroups, find_the_exponent_that_made_the_signal) {
  std::vector<std::int32_t> carriers(4000);
  std::iota(carriers.begin(), carriers.end(), 0);
  std::vector<float> residual;
  for (std::int32_t c : carriers) residual.push_back(1.4f * static_cast<float>(c) / 4000);
  const CaptureGroups g = capture_groups(carriers, residual, residual, capture_fractions(), 8, 512, 1, 0);
  for (const double q : {0.7, 1.0, 1.8, 2.5}) {
    CaptureMoments m(g, 1);
    for (std::size_t i = 0; i < g.residual.size(); ++i)
      for (int f = 0; f < 8; ++f)
        m.pair_at(0, g.of_class[i], g.of_fold[i], f) += std::pow(static_cast<double>(g.residual[i]), q);
    for (std::size_t i : g.singles)
      m.square_at(0, g.of_class[i], g.of_fold[i]) += std::pow(static_cast<double>(g.residual[i]), 2);
    EXPECT_NEAR(benefit_exponent(g, m, -1), q, 2e-3);
  }
}

TEST(Jackknife, of_a_mean_is_the_standard_error_of_the_mean) {
  const std::vector<double> x{1, 4, 2, 8, 5, 7};
  const Estimate e = jackknife(6, [&](int out) {
    double sum = 0, n = 0;
    for (int i = 0; i < 6; ++i)
      if (i != out) sum += x[static_cast<std::size_t>(i)], ++n;
    return std::vector{sum / n};
  });
  double mean = 27.0 / 6, squares = 0;
  for (double v : x) squares += (v - mean) * (v - mean);
  EXPECT_DOUBLE_EQ(e.value[0], mean);
  EXPECT_NEAR(e.error[0], std::sqrt(squares / 5 / 6), 1e-12);
}

TEST(LabelNoise, has_the_interval_of_wilson) {
  // 10 of 100: 0.0552 to 0.1744 (Newcombe, Stat. Med. 17:857, 1998, method 3).
  const theory::LabelNoise noise = wilson_interval(10, 100);
  EXPECT_DOUBLE_EQ(noise.rate, 0.1);
  EXPECT_NEAR(noise.low, 0.0552, 5e-5);
  EXPECT_NEAR(noise.high, 0.1744, 5e-5);
  EXPECT_EQ(wilson_interval(0, 50).low, 0);
}

/// The noise found by a short calibration of a teacher task with so many wrong labels.
theory::Calibration calibrated(double label_noise, int divisor) {
  theory::DataSpec task;
  task.name = "teacher";
  task.train_samples = 16000, task.validation_samples = 400, task.test_samples = 1;
  task.teacher.inputs = 16, task.teacher.classes = 4, task.teacher.hidden = 8;
  task.label_noise = label_noise;
  const TaskData data = load_data(task);
  theory::TrainingSpec spec = small_spec(data);
  spec.data = task;
  CalibrateOptions options;
  options.probe_epochs = 2;
  options.horizons = {0.5, 1};
  options.selection_fractions = {0.5};
  options.accumulator_fractions = {0.1};
  options.capture_samples = 1600;
  options.bootstrap = 0;
  options.reuse_divisor = divisor;
  core::Progress silent;
  return measure(spec, data, silent, options);
}

TEST(LabelNoise, is_found_in_a_task_with_known_noise) {
  for (const double q : {0.0, 0.1, 0.2}) {
    const theory::LabelNoise noise = calibrated(q, 2).label_noise;
    EXPECT_EQ(noise.predictions, 640);
    // The interval covers sampling; two points more for predictions that are confident and wrong.
    EXPECT_LE(noise.low, q + 0.02);
    EXPECT_GE(noise.high, q);
  }
}

TEST(Reuse, of_a_part_of_the_data_memorises_it) {
  const theory::Calibration c = calibrated(0.2, 20);
  EXPECT_EQ(c.reuse_share, 0.05);
  ASSERT_EQ(c.reuse.size(), 4u);
  EXPECT_DOUBLE_EQ(c.reuse.back().passes, 40);
  EXPECT_GT(c.reuse.back().unseen_loss, c.reuse.back().seen_loss + 3 * c.reuse.back().seen_error);
  EXPECT_LT(c.reuse_clock, 1 + 2 * c.reuse_clock_error);
}

TEST(Spectrum, of_independent_directions_is_their_second_moments) {
  // Gradients along k orthogonal axes of lengths a_k, n_k times each: eigenvalues n_k a_k^2 / n.
  const std::vector<double> length{3, 1, 0.5};
  const std::vector<int> times{2, 3, 5};
  std::vector<int> axis;
  for (std::size_t k = 0; k < 3; ++k) axis.insert(axis.end(), static_cast<std::size_t>(times[k]), static_cast<int>(k));
  std::vector<double> gram, weight(10, 0.1);
  for (int i : axis)
    for (int j : axis)
      gram.push_back(i == j ? length[static_cast<std::size_t>(i)] * length[static_cast<std::size_t>(i)] : 0);
  const theory::SpectrumSummary s = theory::summarise_spectrum(gram, weight);
  EXPECT_NEAR(s.trace, 0.2 * 9 + 0.3 + 0.5 * 0.25, 1e-12);
  EXPECT_NEAR(s.largest, 1.8, 1e-12);
  // Pairs of distinct samples: sum_k n_k (n_k - 1) a_k^4 / (n (n - 1)).
  EXPECT_NEAR(s.effective_rank, s.trace * s.trace / ((2 * 81 + 6 * 1 + 20 * 0.0625) / 90), 1e-9);
}

TEST(Spectrum, finds_the_exponent_of_a_power_law) {
  const std::size_t n = 200;
  std::vector<double> gram(n * n, 0.0), weight(n, 1.0 / n);
  for (std::size_t k = 0; k < n; ++k) gram[k * n + k] = std::pow(static_cast<double>(k + 1), -1.3);
  EXPECT_NEAR(theory::summarise_spectrum(gram, weight).exponent, 1.3, 1e-9);
}

}  // namespace
}  // namespace eos::sim::testing
