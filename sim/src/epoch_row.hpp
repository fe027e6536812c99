// The row of an evaluation, from what a run has counted; runs alone and runs of a batch make it here.
#pragma once

#include <cstdint>
#include <vector>

#include "eos/sim/train.hpp"

namespace eos::sim {

/// Mean loss and accuracy on one set.
struct SetScore {
  double loss = 0, accuracy = 0;
};

struct RowFacts {
  double epoch = 0, learning_rate = 0, seconds = 0;
  const theory::Ledger& now;
  // Since the last row:
  const theory::Ledger& last;
  std::int64_t kept = 0;       ///< for back-propagation
  std::int64_t forwarded = 0;  ///< rows that loss_sum is over
  double loss_sum = 0;
  // Now:
  std::int64_t parameters = 0;
  SetScore validation, test;
  const std::vector<DirectCost>& direct;
};

EpochRow make_row(const RowFacts& facts);

/// The straight way of every layer; offsets as Network::offsets.
std::vector<DirectCost> direct_costs(const std::vector<std::int64_t>& offsets, const std::vector<float>& initial,
                                     const std::vector<float>& weights);

}  // namespace eos::sim
