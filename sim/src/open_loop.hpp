// What a spec fixes beforehand about every stream position: phase, learning rate, fractions.
//
// A position is one place of the data stream, offered to the run whether or not it is presented; an epoch is as many
// positions as there are training samples, and the horizon is epochs times that, rounded.
#pragma once

#include <cstdint>

#include "eos/theory/training_spec.hpp"

namespace eos::sim {

/// `spec.selection` with a schedule's data rule applied: `random` presents a random subset, `all` does not select.
theory::SelectionSpec effective_selection(const theory::TrainingSpec& spec);
/// `spec.plasticity` with a schedule's weight rule applied.
theory::PlasticitySpec effective_plasticity(const theory::TrainingSpec& spec);

class OpenLoop {
 public:
  OpenLoop(const theory::TrainingSpec& spec, int train_samples);

  std::int64_t samples() const { return samples_; }
  std::int64_t positions() const { return positions_; }
  int batch() const { return spec_.batch; }
  double epoch(std::int64_t position) const { return static_cast<double>(position) / static_cast<double>(samples_); }
  double progress(std::int64_t position) const {
    return static_cast<double>(position) / static_cast<double>(positions_);
  }
  /// True in the first start_epochs and in the final phase: all data are presented and kept.
  bool all_data(std::int64_t position) const { return position < start_end_ || position >= revision_begin_; }

  /// Rate of an update whose batch began at position `begin` and ended before `end`. The law sees the beginning, so the
  /// last update of a law that falls to zero is not wasted; the warm-up factor sees the end, so the first one is not.
  /// `performance`: running training accuracy, for law effort.
  double learning_rate(std::int64_t begin, std::int64_t end, double performance) const;
  /// The eta_0 that write thresholds refer to: the largest rate of the law.
  double reference_rate() const;
  theory::Order order() const { return spec_.data.order; }
  /// fraction(t) of a spec; FractionSource::adaptive: its start.
  double data_fraction(std::int64_t position) const;
  double tau(std::int64_t position) const { return theory::threshold_tau(spec_.selection, progress(position)); }
  double weight_fraction(std::int64_t position) const;

 private:
  double law(double epoch, double progress, double performance) const;

  theory::TrainingSpec spec_;
  std::int64_t samples_ = 0, positions_ = 0, start_end_ = 0, revision_begin_ = 0;
};

}  // namespace eos::sim
