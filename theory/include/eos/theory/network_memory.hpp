// How much memory one training run of a network needs, in words of four bytes.
#pragma once

#include <cstdint>

#include "eos/theory/graph.hpp"
#include "eos/theory/training_spec.hpp"

namespace eos::theory {

/// Large arrays of one replica. Kernels have scratch memory besides, and data sets are shared by all replicas.
struct NetworkMemory {
  std::int64_t weights = 0;      ///< parameters and running statistics
  std::int64_t gradient = 0;     ///< of the parameters
  std::int64_t optimiser = 0;    ///< momentum, second moments, changes not yet written, transient parts, flags
  std::int64_t activations = 0;  ///< of a batch: outputs of all layers and what they keep for the backward pass
  std::int64_t scoring = 0;      ///< activations of the rows that are forwarded and judged before they join a batch
  std::int64_t errors = 0;  ///< gradients of activations, of a batch, in shared slots; second gradients; of the outputs;
                            ///< of rows that a gate keeps

  std::int64_t total() const { return weights + gradient + optimiser + activations + scoring + errors; }
};
/// Rows that are forwarded at once to be scored, and to be evaluated: chains of dense layers reach their full speed
/// with many, layers with many positions a sample reach it with any batch, and their activations are large.
int chunk_rows(const Graph& graph, int batch);
/// Words for the second gradient of a level, or of a shared table, until it is added to the first; 0 where none has
/// two.
std::int64_t second_gradient_words(const Graph& graph, int batch);
/// Words of the activations of `rows` samples, with what nodes keep for the backward pass.
std::int64_t activation_memory(const Graph& graph, int rows);
/// Words of the gradients of `rows` samples: shared slots and second gradients.
std::int64_t gradient_memory(const Graph& graph, int rows);
/// What the backward pass of single rows of dense layers (SelectionSpec::row_gate) copies, per sample: rows, and words
/// of their inputs and errors, each of the layer that has most.
struct RowWords {
  std::int64_t rows = 0, inputs = 0, errors = 0;
};
RowWords row_words(const Graph& graph);
NetworkMemory network_memory(const TrainingSpec& spec, const Graph& graph);

}  // namespace eos::theory
