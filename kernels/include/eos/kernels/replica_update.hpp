// The update of many replicas at once, each by its own rule: optimiser, write mask, accumulator and counts in one card.
//
// Statement: replica r with rules[r].writes != 0 makes changes from its gradient as update.hpp states, with its own
// rate, momentum, decay and threshold, adds them to its accumulator if there is one, and writes all of them, those
// above its threshold, or the ranks[r][l] largest of each segment l (select.hpp). Other replicas, and their counts,
// stay as they are. totals[r][l] += counts of the update, totals[r][L] += their sum over the segments.
// A NaN among the changes that Mask::selection ranks: the replica writes nothing, and its rule says refused. Shapes:
// arrays [R][parameters], segments of one replica tile its parameters. Guarantees: as masked_update; replica r gets the
// bits that the kernels of update.hpp and select.hpp give it alone. On CUDA Mask::all and Mask::threshold are one pass
// over the parameters, Mask::selection five (changes, three passes of the radix select, write), each followed by sums
// of a few words; nothing synchronises. No allocation after the first calls. Example:
// tests/kernels/replica_update_test.cpp.
#pragma once

#include <cstdint>

#include "eos/kernels/update.hpp"

namespace eos::kernels {

/// How a replica updates in the present step; in the context's memory.
struct ReplicaRule {
  std::int32_t writes = 0;   ///< 0: it rests
  std::int32_t refused = 0;  ///< set where there was a NaN among the changes to be ranked
  std::int64_t update = 1;   ///< number of the update, from 1
  float learning_rate = 0, momentum = 0, weight_decay = 0;
  float beta1 = 0.9f, beta2 = 0.999f, epsilon = 1e-8f;
  float threshold = 0;
};

enum class UpdateMethod { sgd, nesterov, adamw };

/// What all replicas have in common.
struct ReplicaUpdate {
  UpdateMethod method = UpdateMethod::sgd;
  Mask mask = Mask::all;  ///< all, threshold or selection
};

/// In the context's memory, [R][parameters] unless said otherwise.
struct ReplicaArrays {
  float* gradient = nullptr;  ///< Mask::selection: the changes take its place
  float* weights = nullptr;
  float* velocity = nullptr;            ///< null: no replica has momentum; adamw: first moment
  float* second_moment = nullptr;       ///< adamw
  float* accumulator = nullptr;         ///< null: what is not written is discarded
  const std::int64_t* ranks = nullptr;  ///< Mask::selection, [R][L]
  Selection* selection = nullptr;       ///< Mask::selection, scratch [R][L]
  UpdateCounts* counts = nullptr;       ///< [R][L] of this update
  UpdateCounts* totals = nullptr;       ///< [R][L + 1]
};

/// throws Error E901 for Mask::random, or for arrays that the mask or the method needs and that are missing.
void replica_update(const Context& context, int replicas, Segments segments, ReplicaUpdate update, ReplicaRule* rules,
                    ReplicaArrays arrays);

}  // namespace eos::kernels
