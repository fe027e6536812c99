// Contradictions inside one part of a TrainingSpec.
#pragma once

#include "checker.hpp"
#include "eos/theory/training_spec.hpp"

namespace eos::theory {

void check_data(const DataSpec& data, Checker& checker);
void check_network(const TrainingSpec& spec, Checker& checker);
void check_selection(const TrainingSpec& spec, Checker& checker);
void check_plasticity(const TrainingSpec& spec, Checker& checker);
void check_structure(const TrainingSpec& spec, Checker& checker);

}  // namespace eos::theory
