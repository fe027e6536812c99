#include "epoch_row.hpp"

#include <cmath>
#include <limits>

namespace eos::sim {

namespace {

double ratio(double part, double whole) { return whole > 0 ? part / whole : 0.0; }

}  // namespace

EpochRow make_row(const RowFacts& f) {
  const auto seen = static_cast<double>(f.now.samples_seen - f.last.samples_seen);
  const auto offered = static_cast<double>(f.now.samples_offered - f.last.samples_offered);
  const auto steps = static_cast<double>(f.now.steps - f.last.steps);
  EpochRow row;
  row.epoch = f.epoch;
  row.step = static_cast<double>(f.now.steps);
  row.train_loss =
      f.forwarded > 0 ? f.loss_sum / static_cast<double>(f.forwarded) : std::numeric_limits<double>::quiet_NaN();
  row.validation_loss = f.validation.loss, row.validation_accuracy = f.validation.accuracy;
  row.test_loss = f.test.loss, row.test_accuracy = f.test.accuracy;
  row.data_fraction = ratio(static_cast<double>(f.kept), seen);
  row.present_fraction = ratio(seen, offered);
  row.weight_fraction =
      ratio(static_cast<double>(f.now.writes - f.last.writes), steps * static_cast<double>(f.parameters));
  row.learning_rate = f.learning_rate;
  for (const DirectCost& layer : f.direct)
    row.direct_writes += static_cast<double>(layer.writes), row.direct_path += layer.path;
  row.seconds = f.seconds;
  row.ledger = f.now;
  return row;
}

std::vector<DirectCost> direct_costs(const std::vector<std::int64_t>& offsets, const std::vector<float>& initial,
                                     const std::vector<float>& weights) {
  std::vector<DirectCost> layers(offsets.size() - 1);
  for (std::size_t l = 0; l < layers.size(); ++l) {
    for (auto i = static_cast<std::size_t>(offsets[l]); i < static_cast<std::size_t>(offsets[l + 1]); ++i) {
      layers[l].writes += weights[i] != initial[i] ? 1 : 0;
      layers[l].path += std::abs(static_cast<double>(weights[i]) - initial[i]);
    }
  }
  return layers;
}

}  // namespace eos::sim
