#include "eos/theory/ledger.hpp"

#include <utility>

namespace eos::theory {

Ledger& Ledger::operator+=(const Ledger& other) {
  samples_offered += other.samples_offered;
  samples_seen += other.samples_seen;
  samples_backward += other.samples_backward;
  steps += other.steps;
  forward_macs += other.forward_macs;
  scoring_macs += other.scoring_macs;
  backward_macs += other.backward_macs;
  writes += other.writes;
  path_length += other.path_length;
  path_squared += other.path_squared;
  transient_path += other.transient_path;
  accumulator_updates += other.accumulator_updates;
  maintenance += other.maintenance;
  weight_reads += other.weight_reads;
  input_bytes += other.input_bytes;
  return *this;
}

std::vector<std::pair<std::string, double>> terms(const Energy& e) {
  return {{"forward", e.forward},
          {"scoring", e.scoring},
          {"backward", e.backward},
          {"write", e.write},
          {"path", e.path},
          {"transient", e.transient},
          {"accumulator", e.accumulator},
          {"maintenance", e.maintenance},
          {"read", e.read},
          {"input", e.input},
          {"upkeep", e.upkeep}};
}

Energy energy(const Ledger& ledger, const PriceList& prices) {
  Energy e;
  e.forward = prices.mac * static_cast<double>(ledger.forward_macs);
  e.scoring = prices.scoring_mac * static_cast<double>(ledger.scoring_macs);
  e.backward = prices.mac * static_cast<double>(ledger.backward_macs);
  e.write = prices.write * static_cast<double>(ledger.writes);
  e.path = prices.path * ledger.path_length + prices.path_squared * ledger.path_squared;
  e.transient = prices.transient_path * ledger.transient_path;
  e.accumulator = prices.accumulator * static_cast<double>(ledger.accumulator_updates);
  e.maintenance = prices.maintenance * ledger.maintenance;
  e.read = prices.weight_read * static_cast<double>(ledger.weight_reads);
  e.input = prices.input_byte * static_cast<double>(ledger.input_bytes);
  e.upkeep = prices.sample * static_cast<double>(ledger.samples_seen);
  return e;
}

NetworkCounts mlp_counts(const std::vector<int>& widths, bool biases) {
  NetworkCounts counts;
  if (widths.empty()) return counts;
  counts.input_bytes = widths.front();
  for (std::size_t layer = 0; layer + 1 < widths.size(); ++layer) {
    const auto weights = static_cast<std::int64_t>(widths[layer]) * widths[layer + 1];
    counts.parameters += weights + (biases ? widths[layer + 1] : 0);
    counts.forward_macs += weights;
    counts.backward_macs += layer == 0 ? weights : 2 * weights;  // nobody needs the gradient of the input data
  }
  return counts;
}

}  // namespace eos::theory
