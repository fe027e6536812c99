#include "eos/theory/network_memory.hpp"

#include <algorithm>

namespace eos::theory {
namespace {

constexpr int k_comfortable_chunk = 128;  // rows at which matrix products reach their full speed

/// Some parameters do not learn at an update: each has a flag of one byte.
bool is_flagged(const PlasticitySpec& p) {
  return p.topology.rule != TopologyRule::dense || p.units.path > 0 || p.groups.rule != GroupRule::all;
}

/// Vectors as long as the parameters that an update rule and a policy keep.
int vectors(const TrainingSpec& s) {
  const OptimiserSpec& o = s.optimiser;
  const bool second =
      o.kind == OptimiserKind::adamw || (o.kind == OptimiserKind::muon && o.muon.rest == OptimiserKind::adamw);
  const bool velocity = second || o.momentum > 0 || o.kind == OptimiserKind::muon;
  const bool masked = s.plasticity.rule != WriteRule::all || is_flagged(s.plasticity);
  const bool changes = o.kind != OptimiserKind::sgd || masked;  // plain SGD writes them as it makes them
  return velocity + second + changes + s.plasticity.accumulate + (s.plasticity.cache.on() ? 2 : 0);
}

}  // namespace

int chunk_rows(const Graph& graph, int batch) {
  return graph.chain().empty() ? batch : std::max(batch, k_comfortable_chunk);
}

std::int64_t second_gradient_words(const Graph& graph, int batch) {
  std::vector<int> uses(static_cast<std::size_t>(graph.levels()), 0);
  std::int64_t words = 0;
  for (const Node& node : graph.nodes) {
    for (const int level : {node.from, node.with}) {
      if (level > 0 && ++uses[static_cast<std::size_t>(level)] > 1)
        words = std::max(words, graph.level(level).size() * batch);
    }
    if (node.shared >= 0) words = std::max(words, graph.blocks[static_cast<std::size_t>(node.shared)].size());
  }
  return words;
}

std::int64_t activation_memory(const Graph& graph, int rows) {
  std::int64_t notes = 0;
  for (const Node& node : graph.nodes) notes += node.notes;
  return activation_words(graph) * rows + notes;
}

std::int64_t gradient_memory(const Graph& graph, int rows) {
  return plan_gradients(graph).total() * rows + second_gradient_words(graph, rows);
}

RowWords row_words(const Graph& graph) {
  RowWords w;
  for (const Node& node : graph.nodes) {
    if (node.spec.kind != LayerKind::dense) continue;
    const std::int64_t rows = node.in.sequence ? node.in.positions() : 1;
    w.rows = std::max(w.rows, rows);
    w.inputs = std::max(w.inputs, node.in.size());
    w.errors = std::max(w.errors, rows * node.out.channels);
  }
  return w;
}

NetworkMemory network_memory(const TrainingSpec& spec, const Graph& graph) {
  NetworkMemory m;
  m.weights = graph.parameters + graph.state;
  m.gradient = graph.parameters;
  m.optimiser = vectors(spec) * graph.parameters + (is_flagged(spec.plasticity) ? graph.parameters / 4 : 0);
  m.activations = activation_memory(graph, spec.batch);
  m.scoring = activation_memory(graph, chunk_rows(graph, spec.batch));
  m.errors = gradient_memory(graph, spec.batch) + std::int64_t{graph.predictions()} * graph.data.outputs * spec.batch;
  if (spec.selection.row_gate != RowGate::none) {
    const RowWords rows = row_words(graph);
    m.errors += spec.batch * (2 * rows.inputs + rows.errors + 2 * rows.rows);
  }
  return m;
}

}  // namespace eos::theory
