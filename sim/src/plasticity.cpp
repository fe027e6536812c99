#include "plasticity.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "eos/core/philox.hpp"
#include "eos/kernels/mask_columns.hpp"
#include "eos/kernels/muon.hpp"

namespace eos::sim {

using kernels::Mask;
using theory::OptimiserKind;
using theory::RankBy;
using theory::RankWithin;
using theory::WriteRule;

namespace {

/// Matrices of hidden layers: dense and convolutional weights, by choice without those of the first and of the output
/// layer. Gains, biases, embeddings, positions and class tokens are none.
std::vector<int> blocks_for_muon(const Network& network, const theory::MuonSpec& spec) {
  int output = -1;  // stays -1 where the output layer shares the table of an embedding
  for (auto node = network.graph.nodes.rbegin(); node != network.graph.nodes.rend(); ++node) {
    if (node->block < 0 && node->shared < 0) continue;
    output = node->block;
    break;
  }
  std::vector<int> blocks;
  for (int l = 0; l < network.layers(); ++l) {
    const theory::Node& node = network.graph.nodes[static_cast<std::size_t>(network.block(l).node)];
    const theory::LayerKind kind = node.spec.kind;
    if (kind != theory::LayerKind::dense && kind != theory::LayerKind::conv2d) continue;
    if ((l == 0 && !spec.first) || (l == output && !spec.output)) continue;
    blocks.push_back(l);
  }
  return blocks;
}

kernels::MuonShape matrix_of(const theory::Block& block) {
  return {1, static_cast<int>(block.rows), static_cast<int>(block.columns), 0};
}

}  // namespace

Plasticity::Plasticity(const kernels::Context& context, const theory::OptimiserSpec& optimiser,
                       const theory::PlasticitySpec& plasticity, double upkeep, const Network& layout,
                       std::uint64_t seed, bool masked)
    : context_(context),
      optimiser_(optimiser),
      spec_(plasticity),
      layout_(layout),
      seed_(seed),
      device_counts_(context, static_cast<std::size_t>(layout.layers())),
      counts_(static_cast<std::size_t>(layout.layers())),
      cache_(context, plasticity.cache, upkeep, layout) {
  for (int l = 0; l < layout.layers(); ++l) sizes_.push_back(layout.offsets[l + 1] - layout.offsets[l]);
  const auto size = static_cast<std::size_t>(layout.parameters());
  const bool muon = optimiser.kind == OptimiserKind::muon, sgd = optimiser.kind == OptimiserKind::sgd;
  const bool adam = (muon ? optimiser.muon.rest : optimiser.kind) == OptimiserKind::adamw;
  // Plain SGD that writes everything makes and writes its changes in one pass; a mask comes between.
  if (!sgd || spec_.rule != WriteRule::all || masked) delta_ = kernels::Buffer<float>(context, size);
  if (!sgd || optimiser.momentum > 0) velocity_ = kernels::Buffer<float>(context, size);
  if (adam) second_moment_ = kernels::Buffer<float>(context, size);
  if (muon) muon_blocks_ = blocks_for_muon(layout, optimiser.muon);
  std::int64_t words = 0;
  for (const int l : muon_blocks_) words = std::max(words, kernels::muon_workspace(matrix_of(layout.block(l))));
  if (words > 0) muon_ = kernels::Buffer<float>(context, static_cast<std::size_t>(words));
  if (optimiser.clip > 0) clipped_ = kernels::Buffer<kernels::ClipResult>(context, 1);
  if (spec_.threshold_from == theory::ThresholdFrom::energy)
    measured_ = kernels::Buffer<kernels::ClipResult>(context, 3);
  if (spec_.accumulate) accumulator_ = kernels::Buffer<float>(context, size);
  if (spec_.rule == WriteRule::top_k)
    selection_ = kernels::Buffer<kernels::Selection>(context, static_cast<std::size_t>(layout.layers()));
}

std::vector<std::pair<std::string, kernels::Buffer<float>*>> Plasticity::state() {
  std::vector<std::pair<std::string, kernels::Buffer<float>*>> all;
  if (velocity_.size() > 0) all.emplace_back("velocity", &velocity_);
  if (second_moment_.size() > 0) all.emplace_back("second_moment", &second_moment_);
  if (accumulator_.size() > 0) all.emplace_back("accumulator", &accumulator_);
  return all;
}

void Plasticity::clip(float* gradient, int first_layer) {
  if (clipped_.size() == 0) return;
  const std::int64_t begin = layout_.offsets[first_layer];
  kernels::clip_gradient(context_, {1, layout_.parameters() - begin, 0}, optimiser_.clip, gradient + begin,
                         clipped_.data());
}

// Norms are by-products of clipping: here at a limit that changes nothing.
void Plasticity::measure(float* gradient, int first_layer) {
  if (measured_.size() == 0) return;
  constexpr double k_no_limit = std::numeric_limits<double>::max();
  const std::int64_t begin = layout_.offsets[first_layer];
  const kernels::ClipShape shape{1, layout_.parameters() - begin, 0};
  float* const arrays[] = {gradient, accumulator_.data(), delta_.data()};
  const int count = optimiser_.kind == OptimiserKind::sgd ? 2 : 3;
  for (int i = 0; i < count; ++i)
    kernels::clip_gradient(context_, shape, k_no_limit, arrays[i] + begin, measured_.data() + i);
  kernels::ClipResult results[3];
  context_.copy_out(results, measured_.data(), static_cast<std::size_t>(count) * sizeof results[0]);
  norms_ = {results[0].norm, results[2].norm, results[1].norm};
  if (!std::isfinite(norms_.gradient + norms_.change + norms_.held)) norms_ = {};
}

kernels::SgdParameters Plasticity::sgd(float rate) const {
  return {rate, static_cast<float>(optimiser_.momentum), static_cast<float>(optimiser_.weight_decay),
          optimiser_.nesterov};
}

/// Parameters [begin, end) by a rule that treats each alone.
void Plasticity::make_entry_delta(OptimiserKind kind, float rate, std::int64_t step, std::int64_t begin,
                                  std::int64_t end, const float* gradient, const float* weights) {
  const std::int64_t size = end - begin;
  float* velocity = velocity_.size() > 0 ? velocity_.data() + begin : nullptr;
  if (kind == OptimiserKind::sgd) {
    kernels::sgd_delta(context_, size, sgd(rate), gradient + begin, weights + begin, velocity, delta_.data() + begin);
    return;
  }
  const kernels::AdamParameters p{rate,
                                  static_cast<float>(optimiser_.beta1),
                                  static_cast<float>(optimiser_.beta2),
                                  static_cast<float>(optimiser_.epsilon),
                                  static_cast<float>(optimiser_.weight_decay),
                                  step};
  kernels::adamw_delta(context_, size, p, gradient + begin, weights + begin, velocity, second_moment_.data() + begin,
                       delta_.data() + begin);
}

/// Matrices by Muon, what lies between them by the other rule.
void Plasticity::make_muon_delta(const float* gradient, WriteControls controls, const float* weights) {
  const theory::MuonSpec& spec = optimiser_.muon;
  const kernels::MuonParameters p{static_cast<float>(controls.learning_rate), static_cast<float>(spec.momentum),
                                  static_cast<float>(optimiser_.weight_decay), spec.nesterov, spec.steps};
  const auto rest_rate = static_cast<float>(controls.learning_rate * spec.rest_rate);
  std::int64_t done = layout_.offsets[controls.first_layer];
  for (const int l : muon_blocks_) {
    if (l < controls.first_layer) continue;
    const theory::Block& block = layout_.block(l);
    make_entry_delta(spec.rest, rest_rate, controls.step, done, block.offset, gradient, weights);
    kernels::muon_delta(context_, matrix_of(block), p, gradient + block.offset, weights + block.offset,
                        velocity_.data() + block.offset, delta_.data() + block.offset, muon_.data());
    done = layout_.bias_offset(l);
  }
  make_entry_delta(spec.rest, rest_rate, controls.step, done, layout_.parameters(), gradient, weights);
}

void Plasticity::make_delta(const float* gradient, WriteControls controls, const float* weights) {
  const std::int64_t begin = layout_.offsets[controls.first_layer], end = layout_.parameters();
  if (optimiser_.kind == OptimiserKind::muon)
    make_muon_delta(gradient, controls, weights);
  else
    make_entry_delta(optimiser_.kind, static_cast<float>(controls.learning_rate), controls.step, begin, end, gradient,
                     weights);
  if (controls.learning == nullptr) return;
  float* delta = delta_.data() + begin;
  kernels::apply_masks(context_, {1, end - begin}, controls.learning + begin, nullptr, delta, delta);
}

/// How many weights of each layer, or of each neuron of a layer, to write; rounded without bias, so that a small layer
/// is not frozen by a small fraction.
std::vector<std::int64_t> Plasticity::ranks(WriteControls controls) const {
  const std::vector<double> fractions = theory::layer_fractions(spec_.layer_share, controls.weight_fraction, sizes_);
  std::vector<std::int64_t> k;
  for (std::size_t l = 0; l < sizes_.size(); ++l) {
    const std::int64_t among =
        spec_.rank_within == RankWithin::layer ? sizes_[l] : sizes_[l] / layout_.columns(static_cast<int>(l));
    const double offset = core::uniform(seed_, {1, static_cast<std::uint32_t>(controls.step),
                                                core::Purpose::weight_mask, static_cast<std::uint32_t>(l)});
    k.push_back(static_cast<std::int64_t>(std::floor(fractions[l] * static_cast<double>(among) + offset)));
  }
  return k;
}

// Ranks that masked_update cannot follow: changes that do not come first in their order become zero.
void Plasticity::keep_first(WriteControls controls, const float* weights) {
  const bool by_weight = spec_.rank == RankBy::largest_weight || spec_.rank == RankBy::smallest_weight;
  const bool smallest = spec_.rank == RankBy::smallest_update || spec_.rank == RankBy::smallest_weight;
  const std::vector<std::int64_t> k = ranks(controls);  // of a layer, or of each neuron
  for (auto l = static_cast<std::size_t>(controls.first_layer); l < sizes_.size(); ++l) {
    float* delta = delta_.data() + layout_.offsets[l];
    const float* keys = by_weight ? weights + layout_.offsets[l] : delta;
    const kernels::Keep keep = smallest ? kernels::Keep::smallest : kernels::Keep::largest;
    if (spec_.rank_within == RankWithin::layer) {
      kernels::keep_ranked(context_, {1, sizes_[l]}, keys, {keep, k[l], false}, delta);
    } else {
      const std::int64_t neurons = layout_.columns(static_cast<int>(l)), incoming = sizes_[l] / neurons;
      kernels::keep_ranked_columns(context_, {static_cast<int>(incoming), neurons}, keys, {keep, k[l], false}, delta);
    }
  }
}

// Draws have the address of the weight in the whole array, so that layers can have their own fractions. A fixed mask is
// that of update 0, which no update has.
void Plasticity::write_drawn(WriteControls controls, kernels::MaskedUpdate update, float* weights) {
  const std::vector<double> fractions = theory::layer_fractions(spec_.layer_share, controls.weight_fraction, sizes_);
  update.mask = Mask::random;
  update.seed = seed_;
  update.step = spec_.rule == WriteRule::fixed ? 0 : static_cast<std::uint32_t>(controls.step);
  for (auto l = static_cast<std::size_t>(controls.first_layer); l < sizes_.size(); ++l) {
    update.probability = static_cast<float>(fractions[l]);
    kernels::masked_update(context_, {1, layout_.offsets.data() + l}, delta_.data(), update, weights,
                           device_counts_.data() + l);
  }
}

void Plasticity::write(const float* gradient, WriteControls controls, float* weights) {
  const int first = controls.first_layer;
  const kernels::Segments learning{layout_.layers() - first, layout_.offsets.data() + first};
  if (delta_.size() == 0) {
    kernels::sgd_update_dense(context_, learning, sgd(static_cast<float>(controls.learning_rate)), gradient, weights,
                              velocity_.data(), device_counts_.data() + first);
    return;
  }
  make_delta(gradient, controls, weights);
  kernels::MaskedUpdate update;
  const float* delta = delta_.data();
  update.accumulator = spec_.accumulate && !controls.plain ? accumulator_.data() : nullptr;
  switch (controls.plain ? WriteRule::all : spec_.rule) {
    case WriteRule::all:
      break;
    case WriteRule::top_k:
      if (spec_.rank != RankBy::largest_update || spec_.rank_within != RankWithin::layer) {
        keep_first(controls, weights);
        break;
      }
      update.mask = Mask::selection;
      if (spec_.accumulate) {
        const std::int64_t begin = layout_.offsets[first];
        kernels::accumulate(context_, layout_.parameters() - begin, delta + begin, accumulator_.data() + begin);
        delta = nullptr;  // it is in the accumulator now
      }
      kernels::select_threshold(context_, spec_.accumulate ? accumulator_.data() : delta, learning,
                                ranks(controls).data() + first, selection_.data() + first);
      update.selection = selection_.data() + first;
      break;
    case WriteRule::threshold:
      update.mask = Mask::threshold;
      update.threshold = static_cast<float>(controls.theta);
      break;
    case WriteRule::random:
    case WriteRule::fixed:
      return write_drawn(controls, update, weights);
  }
  kernels::masked_update(context_, learning, delta, update, weights, device_counts_.data() + first);
}

void Plasticity::apply(float* gradient, WriteControls controls, float* weights) {
  clip(gradient, controls.first_layer);
  write(gradient, controls, weights);
  measure(gradient, controls.first_layer);
  context_.copy_out(counts_.data(), device_counts_.data(), counts_.size() * sizeof(kernels::UpdateCounts));
  std::fill_n(counts_.begin(), controls.first_layer, kernels::UpdateCounts{});  // left from before they froze
  note(counts_, controls);
}

void Plasticity::note(const std::vector<kernels::UpdateCounts>& counts, const WriteControls& controls) {
  counts_ = counts;
  changes_.assign(sizes_.size(), {});
  for (std::size_t l = 0; l < sizes_.size(); ++l) {
    changes_[l].writes = counts_[l].writes;
    changes_[l].path_length = counts_[l].path;
    changes_[l].path_squared = counts_[l].squared;
    const bool rests = static_cast<int>(l) < controls.first_layer ||
                       (controls.resting != nullptr && !controls.resting->empty() && (*controls.resting)[l] != 0);
    if (spec_.accumulate && !controls.plain && !rests) changes_[l].accumulator_updates = sizes_[l];
  }
}

void Plasticity::skip() {
  norms_ = {};
  std::fill(counts_.begin(), counts_.end(), kernels::UpdateCounts{});
  changes_.assign(sizes_.size(), {});
}

void Plasticity::settle(bool updated, std::int64_t presentations, float* weights) {
  if (!caches()) return;
  changes_.assign(sizes_.size(), {});
  cache_.step(updated ? &counts_ : nullptr, presentations, weights, changes_);
}

}  // namespace eos::sim
