// What of a spec the batched engine needs, and which specs can share a batch.
#pragma once

#include <optional>
#include <string>

#include "eos/kernels/replica_step.hpp"
#include "network.hpp"
#include "open_loop.hpp"

namespace eos::sim {

struct BatchForm {
  BatchForm(const theory::TrainingSpec& s, int train_samples, int predictions_of_a_row);

  theory::TrainingSpec spec;
  theory::SelectionSpec selection;    ///< effective
  theory::PlasticitySpec plasticity;  ///< effective
  OpenLoop open_loop;
  int predictions = 1;  ///< of a sample

  kernels::StepDecision decision() const;
  kernels::ReplicaUpdate update() const;
  kernels::ReplicaConstants constants(std::uint64_t seed) const;
  /// A velocity or a first moment.
  bool has_velocity() const;
  /// Specs of one network with the same words take the same sequence of kernel calls.
  std::string shape() const;
};

/// Why a spec cannot be trained in a batch, "" if it can, as far as the spec alone says.
std::string reason_against_batch(const theory::TrainingSpec& spec);
/// The same with the network and the data at hand.
std::string reason_against_batch(const BatchForm& form, const Network& layout);

}  // namespace eos::sim
