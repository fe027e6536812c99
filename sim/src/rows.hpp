// Presented samples and what is known about them, between stream, gate and replica.
#pragma once

#include <cstdint>
#include <vector>

namespace eos::sim {

/// One presented sample.
struct Row {
  std::int32_t sample = 0;
  float weight = 1;   ///< of its loss
  bool sure = false;  ///< kept whatever the gate says: a phase on all data, or decided already
  /// Low bits of the stream position at which it is presented: how its input is augmented, however often it is
  /// forwarded.
  std::uint32_t view = 0;
};

/// What a forward pass said about rows, on the host.
struct Scores {
  std::vector<float> loss, p_true, residual;
  std::vector<float> gap;  ///< largest probability minus the second; only for Gate::gap
  std::vector<std::uint8_t> correct;
  std::vector<float> curvature;  ///< mean |second difference| of the loss; only for Gate::flat
  void resize(std::size_t rows) {
    for (auto* values : {&loss, &p_true, &residual, &gap}) values->resize(rows);
    correct.resize(rows);
  }
};

}  // namespace eos::sim
