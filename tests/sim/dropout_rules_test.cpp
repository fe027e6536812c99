// The rules of data dropout against plain loops over the published decisions, on toy scores.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "../../sim/src/gate.hpp"
#include "../../sim/src/shallow.hpp"
#include "../../sim/src/stream.hpp"
#include "eos/core/philox.hpp"

namespace eos::sim {
namespace {

using theory::selection_preset;

/// Scores that look like those of a half-trained network, fixed by a seed.
Scores random_scores(std::size_t n, std::uint64_t seed) {
  Scores s;
  s.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    const auto index = static_cast<std::uint32_t>(i);
    const double p = core::uniform(seed, {0, 0, core::Purpose::test, index});
    s.p_true[i] = static_cast<float>(p);
    s.loss[i] = static_cast<float>(-std::log(p));
    s.residual[i] = static_cast<float>(std::sqrt(2.0) * (1 - p));
    s.gap[i] = static_cast<float>(std::abs(2 * p - 1));
    s.correct[i] = p > 0.5;
  }
  return s;
}

class Decisions : public ::testing::Test {
 protected:
  std::vector<std::uint8_t> decide(const theory::SelectionSpec& selection, const Scores& scores, Moment now = {}) {
    spec_.selection = selection;
    const OpenLoop loop(spec_, 100);
    Gate gate(selection, loop, {}, 7);
    std::vector<std::uint8_t> keep;
    gate.decide(std::vector<Row>(scores.loss.size()), scores, now, {}, keep);
    return keep;
  }
  theory::TrainingSpec spec_;
};

TEST_F(Decisions, lazy_with_margin_adds_unsure_right_answers) {
  const Scores s = random_scores(300, 1);
  theory::SelectionSpec selection = selection_preset("lazy-margin");
  selection.margin = 0.7;
  const auto keep = decide(selection, s);
  for (std::size_t i = 0; i < 300; ++i) EXPECT_EQ(keep[i], s.correct[i] == 0 || s.p_true[i] < 0.7) << i;
  selection.margin = 0;
  EXPECT_EQ(decide(selection, s), decide(selection_preset("lazy"), s));
}

TEST_F(Decisions, gap_keeps_wrong_and_undecided_answers) {
  const Scores s = random_scores(300, 2);
  const auto keep = decide(selection_preset("dbpd-gap"), s);
  for (std::size_t i = 0; i < 300; ++i) EXPECT_EQ(keep[i], s.correct[i] == 0 || s.gap[i] < 0.1f) << i;
}

TEST_F(Decisions, tau_follows_its_course_over_the_run) {
  const Scores s = random_scores(300, 3);
  theory::SelectionSpec selection = selection_preset("tau-rising");
  spec_.epochs = 10;
  for (const std::int64_t position : {0, 250, 999}) {
    const auto keep = decide(selection, s, {position, 1, 0});
    const double tau = 0.1 + 0.8 * static_cast<double>(position) / 1000;
    for (std::size_t i = 0; i < 300; ++i) EXPECT_EQ(keep[i], s.p_true[i] < tau);
  }
}

TEST_F(Decisions, kakurenbo_hides_low_losses_that_are_surely_right) {
  const Scores s = random_scores(200, 4);
  const theory::SelectionSpec selection = selection_preset("kakurenbo");
  const auto keep = decide(selection, s, {0, 0.7, 5});
  std::vector<std::size_t> by_loss(200);
  std::iota(by_loss.begin(), by_loss.end(), 0);
  std::sort(by_loss.begin(), by_loss.end(), [&](std::size_t a, std::size_t b) { return s.loss[a] < s.loss[b]; });
  int hidden = 0;
  for (std::size_t rank = 0; rank < 200; ++rank) {
    const std::size_t i = by_loss[rank];
    const bool hide = rank < 60 && s.correct[i] != 0 && s.p_true[i] >= 0.7f;  // 30 % of 200, rounded exactly
    EXPECT_EQ(keep[i], !hide) << rank;
    hidden += hide;
  }
  EXPECT_GT(hidden, 40);
  theory::SelectionSpec strict = selection;
  strict.confidence = 0.99;
  const auto fewer = decide(strict, s, {0, 0.7, 5});
  EXPECT_LT(std::count(fewer.begin(), fewer.end(), 0), hidden);
}

TEST_F(Decisions, selective_backprop_keeps_with_the_power_of_the_rank_of_the_loss) {
  theory::SelectionSpec selection = selection_preset("selective-backprop");
  selection.chance_power = 2;
  const std::size_t n = 400;
  const Scores s = random_scores(n, 5);
  const auto keep = decide(selection, s, {0, 1, 9});
  double expected = 0, variance = 0;
  for (std::size_t i = 0; i < n; ++i) {
    double below = 0;
    for (std::size_t j = 0; j < n; ++j) below += s.loss[j] <= s.loss[i];
    const double p = std::pow(below / static_cast<double>(n), 2);
    const double draw = core::uniform(7, {0, 9, core::Purpose::selection, static_cast<std::uint32_t>(i + 1)});
    EXPECT_EQ(keep[i], draw < p) << i;
    expected += p, variance += p * (1 - p);
  }
  EXPECT_NEAR(expected / static_cast<double>(n), 1.0 / 3, 1.0 / static_cast<double>(n)) << "1 / (power + 1)";
  EXPECT_NEAR(static_cast<double>(std::count(keep.begin(), keep.end(), 1)), expected, 5 * std::sqrt(variance));
}

TEST(SelectiveBackprop, ranks_among_the_recent_losses_only) {
  theory::TrainingSpec spec;
  spec.selection = selection_preset("selective-backprop");
  spec.selection.chance_window = 50;
  const OpenLoop loop(spec, 100);
  Gate gate(spec.selection, loop, {}, 7);
  std::vector<float> history;
  for (std::uint32_t chunk = 0; chunk < 6; ++chunk) {
    const Scores s = random_scores(20, 30 + chunk);
    history.insert(history.end(), s.loss.begin(), s.loss.end());
    const std::vector<float> recent(history.end() - std::min<std::ptrdiff_t>(50, std::ssize(history)), history.end());
    std::vector<std::uint8_t> keep;
    gate.decide(std::vector<Row>(20), s, {0, 1, chunk}, {}, keep);
    for (std::size_t i = 0; i < 20; ++i) {
      const auto below = std::count_if(recent.begin(), recent.end(), [&](float l) { return l <= s.loss[i]; });
      const double draw = core::uniform(7, {0, chunk, core::Purpose::selection, static_cast<std::uint32_t>(i + 1)});
      EXPECT_EQ(keep[i], draw < static_cast<double>(below) / static_cast<double>(recent.size()));
    }
  }
}

/// A stream whose samples are remembered with the losses of `loss(sample, epoch)`, hidden ones too (refresh_epochs 1).
class Epochs {
 public:
  explicit Epochs(const theory::SelectionSpec& selection, double epochs, int samples)
      : spec_(make(selection, epochs)),
        loop_(spec_, samples),
        gate_(selection, loop_, {}, 3),
        stream_(spec_.selection, loop_, gate_, 3),
        samples_(samples) {}

  template <class Loss>
  std::vector<std::uint8_t> pass(Loss loss) {
    std::vector<std::uint8_t> presented(static_cast<std::size_t>(samples_), 0);
    const std::int64_t epoch = stream_.state.position / samples_, end = (epoch + 1) * samples_;
    while (stream_.state.position < std::min(end, loop_.positions())) {
      std::vector<Row> rows;
      stream_.take(7, {}, rows);
      for (const Row& row : rows) presented[static_cast<std::size_t>(row.sample)] = 1, learn(row.sample, loss, epoch);
      if (stream_.refresh_due())
        for (const std::int32_t sample : stream_.hidden()) learn(sample, loss, epoch), ++refreshed;
    }
    return presented;
  }
  Stream& stream() { return stream_; }
  int refreshed = 0;

 private:
  static theory::TrainingSpec make(const theory::SelectionSpec& selection, double epochs) {
    theory::TrainingSpec spec;
    spec.selection = selection, spec.epochs = epochs;
    return spec;
  }
  template <class Loss>
  void learn(std::int32_t sample, Loss loss, std::int64_t epoch) {
    Scores s;
    s.resize(1);
    s.loss[0] = static_cast<float>(loss(sample, epoch));
    s.p_true[0] = std::exp(-s.loss[0]);
    s.correct[0] = s.p_true[0] > 0.5f;
    s.residual[0] = 1 - s.p_true[0];
    stream_.remember({sample}, s, 0, {});
  }
  theory::TrainingSpec spec_;
  OpenLoop loop_;
  Gate gate_;
  Stream stream_;
  int samples_;
};

TEST(Stale, hides_by_the_last_score_and_refreshes_every_nth_epoch) {
  theory::SelectionSpec selection = selection_preset("dbpd+stale");
  selection.refresh_epochs = 2;
  Epochs run(selection, 6, 50);
  // Odd samples are hard in even epochs only, even ones always.
  const auto loss = [](std::int32_t sample, std::int64_t epoch) {
    return sample % 2 == 0 || epoch % 2 == 0 ? 3.0 : 0.1;
  };
  std::vector<float> last(50, 1e9f);
  for (std::int64_t epoch = 0; epoch < 6; ++epoch) {
    const auto presented = run.pass(loss);
    for (std::int32_t i = 0; i < 50; ++i) {
      const auto s = static_cast<std::size_t>(i);
      EXPECT_EQ(presented[s], std::exp(-last[s]) < 0.3f) << "epoch " << epoch << " sample " << i;
      const bool refresh = (epoch + 1) % 2 == 0 && epoch < 5;
      if (presented[s] != 0 || refresh) last[s] = static_cast<float>(loss(i, epoch));
    }
  }
  EXPECT_GT(run.refreshed, 0);
}

TEST(Kakurenbo, hides_by_lagging_losses_at_its_milestones_and_compensates_the_rate) {
  const int n = 100;
  theory::SelectionSpec selection = selection_preset("kakurenbo");
  Epochs run(selection, 10, n);
  const auto loss = [](std::int32_t sample, std::int64_t) { return 0.001 * (sample + 1); };  // all right, all sure
  const double factors[] = {1, 1, 1, .8, .8, .8, .6, .6, .4, .4};
  for (int epoch = 0; epoch < 10; ++epoch) {
    const auto presented = run.pass(loss);
    const int hidden = epoch == 0 ? 0 : static_cast<int>(std::lround(n * 0.3 * factors[epoch]));
    for (int i = 0; i < n; ++i) EXPECT_EQ(presented[static_cast<std::size_t>(i)], i >= hidden) << epoch << " " << i;
    EXPECT_DOUBLE_EQ(run.stream().rate_factor(epoch * n), 1 / (1 - 0.3 * factors[epoch]));
  }
  EXPECT_EQ(run.refreshed, 30 + 30 + 24 + 24 + 24 + 18 + 18 + 12) << "not after the last epoch";
  selection.rate_compensation = theory::RateCompensation::realised;
  Epochs realised(selection, 10, n);
  realised.pass(loss);
  EXPECT_EQ(realised.stream().rate_factor(0), 1) << "nothing is hidden yet";
  realised.pass(loss);
  EXPECT_DOUBLE_EQ(realised.stream().rate_factor(n), 100.0 / 70);
}

TEST(InstanceDependentEarlyStopping, drops_what_stopped_bending_and_takes_it_back) {
  const int n = 60;
  theory::SelectionSpec selection = selection_preset("ies");
  selection.flatness = 0.01;
  Epochs run(selection, 14, n);
  // A straight line, a slow curve, a fast curve, and a line that breaks at epoch 8.
  const auto loss = [](std::int32_t sample, std::int64_t t) {
    const double e = static_cast<double>(t);
    switch (sample % 4) {
      case 0:
        return 5 - 0.1 * e;
      case 1:
        return 5 * std::exp(-0.02 * e);
      case 2:
        return 5 * std::exp(-0.5 * e);
      default:
        return t < 8 ? 4.0 : 4.0 + 0.5 * (e - 8) * (e - 8);
    }
  };
  for (std::int64_t epoch = 0; epoch < 14; ++epoch) {
    const auto presented = run.pass(loss);
    for (std::int32_t i = 0; i < n; ++i) {
      double bend = 0;
      for (std::int64_t t = epoch - 3; t < epoch; ++t)
        bend += t < 2 ? 1e9 : std::abs(loss(i, t) - 2 * loss(i, t - 1) + loss(i, t - 2)) / 3;
      EXPECT_EQ(presented[static_cast<std::size_t>(i)], !(bend < 0.01)) << "epoch " << epoch << " sample " << i;
    }
  }
}

TEST(Adaptive, falls_while_the_training_accuracy_rises_and_rises_otherwise) {
  theory::SelectionSpec selection = selection_preset("adaptive");
  selection.revision_epochs = 0;
  const int n = 200;
  Epochs run(selection, 8, n);
  double fraction = 1, before = -1, least = 1;
  for (std::int64_t epoch = 0; epoch < 8; ++epoch) {
    // Accuracy rises until epoch 4, then falls.
    const auto loss = [&](std::int32_t sample, std::int64_t t) {
      const int right = static_cast<int>(t < 4 ? 20 + 20 * t : 100 - 10 * t) * 2;
      return sample < right ? 0.1 : 3.0;
    };
    const auto presented = run.pass(loss);
    const auto count = std::count(presented.begin(), presented.end(), 1);
    EXPECT_NEAR(static_cast<double>(count), fraction * n, 1) << epoch;
    double right = 0;
    for (std::int32_t i = 0; i < n; ++i) right += presented[static_cast<std::size_t>(i)] != 0 && loss(i, epoch) < 0.5;
    const double accuracy = right / static_cast<double>(count);
    if (before >= 0) {
      const double draw =
          core::uniform(3, {0, static_cast<std::uint32_t>(epoch + 1), core::Purpose::presentation, 0xFFFFFFFEu});
      fraction += (accuracy - before > selection.adaptive_tolerance ? -1 : 1) * selection.adaptive_step * draw;
      fraction = std::clamp(fraction, selection.floor, 1.0);
      least = std::min(least, fraction);
    }
    before = accuracy;
  }
  EXPECT_LT(least, 0.95);
  EXPECT_GT(fraction, least);
}

TEST(Rounding, floors_of_every_batch_lose_samples_as_the_published_program_does) {
  // gamma 0.95, 30 epochs, one of them full, 50 000 samples, batch 32: 16.09 effective epochs instead of 16.48.
  theory::TrainingSpec spec;
  spec.epochs = 30;
  spec.batch = 32;
  const int n = 50000;
  for (const auto& [method, expected] : {std::pair{"srd", 16.48}, std::pair{"srd-floor", 16.09}}) {
    spec.selection = selection_preset(method);
    const OpenLoop loop(spec, n);
    Gate gate(spec.selection, loop, {}, 1);
    Stream stream(spec.selection, loop, gate, 1);
    double presented = 0;
    std::vector<Row> rows;
    while (!stream.exhausted())
      rows.clear(), stream.take(1000, {}, rows), presented += static_cast<double>(rows.size());
    EXPECT_NEAR(presented / n, expected, 0.005) << method;
  }
}

TEST(ShallowDensity, is_the_inverse_of_the_kernel_sum) {
  const int width = 3;
  ShallowDensity density(5, 4, 100, width);
  ASSERT_EQ(density.centres().size(), 4u);
  const std::vector<float> centres{0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3};
  density.put_centres(centres);
  // squared distances between the centres: 1, 4, 9, 5, 10, 13
  const double h2 = (1 + 4 + 9 + 5 + 10 + 13) / 6.0;
  const std::vector<float> x{0, 0, 0, 5, 5, 5};
  Scores s;
  density.score(x, 2, s);
  const double near = 1 + std::exp(-1 / (2 * h2)) + std::exp(-4 / (2 * h2)) + std::exp(-9 / (2 * h2));
  EXPECT_NEAR(s.loss[0], 1 / near, 1e-6);
  const double far =
      std::exp(-75 / (2 * h2)) + std::exp(-66 / (2 * h2)) + std::exp(-59 / (2 * h2)) + std::exp(-54 / (2 * h2));
  EXPECT_NEAR(s.residual[1] * far, 1, 1e-6);
  EXPECT_EQ(density.row_macs(), 12);
  EXPECT_EQ(density.bandwidth_macs(), 18);
}

}  // namespace
}  // namespace eos::sim
