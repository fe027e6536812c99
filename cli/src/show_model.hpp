// eos show --model: the layers of a network, what they cost and how much memory they need, without training it.
#pragma once

#include "eos/theory/graph.hpp"
#include "eos/theory/training_spec.hpp"
#include "report.hpp"

namespace eos::cli {

class Session;

/// What the command line says about the data: --input 32x32x3, --classes, --tokens, --vocabulary; without them the data
/// of the run are looked at. throws Error E100 (options that contradict each other or are no sizes), E202 (no data).
theory::DataShape model_data(Session& session, const theory::TrainingSpec& spec);
/// Layers, costs of a sample and of a step, memory of a replica.
Document model_report(const theory::TrainingSpec& spec, const theory::Graph& graph);
int show_model(Session& session);

}  // namespace eos::cli
