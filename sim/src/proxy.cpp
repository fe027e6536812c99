#include "proxy.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "eos/core/philox.hpp"
#include "eos/kernels/gather.hpp"
#include "outputs.hpp"

namespace eos::sim {
namespace {

std::vector<int> proxy_widths(const theory::SelectionSpec& selection, int inputs, int classes) {
  std::vector<int> widths{inputs};
  widths.insert(widths.end(), selection.proxy_hidden.begin(), selection.proxy_hidden.end());
  widths.push_back(classes);
  return widths;
}

/// Its draws must not repeat those of the first network: run 1 of the address, where that one has run 0.
std::uint64_t proxy_seed(std::uint64_t seed) {
  const core::Words words = core::draw(seed, {1, 0, core::Purpose::initial_weights, 0});
  return words.v[0] | std::uint64_t{words.v[1]} << 32;
}

}  // namespace

Proxy::Proxy(const kernels::Context& context, const theory::TrainingSpec& spec, int inputs, int classes, int capacity,
             std::uint64_t seed)
    : context_(context),
      spec_(spec),
      layout_(proxy_widths(spec.selection, inputs, classes), spec.network),
      counts_(theory::mlp_counts(layout_.widths, spec.network.biases)),
      plasticity_(context, spec.optimiser, theory::PlasticitySpec{}, 0.0, layout_, proxy_seed(seed)),
      chunk_(context, layout_, capacity),
      batch_(context, layout_, capacity),
      backward_(context, layout_, capacity),
      weights_(context, initial_weights(layout_, spec.network, proxy_seed(seed))),
      gradient_(context, static_cast<std::size_t>(layout_.parameters())) {
  const auto rows = static_cast<std::size_t>(capacity);
  dz_ = kernels::Buffer<float>(context, rows * static_cast<std::size_t>(classes));
  if (!spec.network.output_slope) sent_ = kernels::Buffer<float>(context, dz_.size());
  scores_ = kernels::Buffer<float>(context, 3 * rows);
  correct_ = kernels::Buffer<std::uint8_t>(context, rows);
  labels_ = kernels::Buffer<std::int32_t>(context, rows);
  index_ = kernels::Buffer<std::int32_t>(context, rows);
  words_.resize(3 * rows);
}

void Proxy::score(const std::vector<std::int32_t>& labels, Scores& scores, theory::Ledger& ledger) {
  const std::size_t n = labels.size(), capacity = words_.size() / 3;
  const auto rows = static_cast<int>(n);
  forward(context_, layout_, weights_.data(), chunk_, 0, rows);
  context_.copy_in(labels_.data(), labels.data(), n * sizeof(std::int32_t));
  OutputScores out;
  out.loss = scores_.data();
  out.p_true = scores_.data() + capacity;
  out.residual = scores_.data() + 2 * capacity;
  out.correct = correct_.data();
  score_outputs(context_, spec_.network, rows, layout_.classes(), chunk_.row(layout_.layers(), 0), labels_.data(),
                nullptr, 1.0f, out);
  scores.resize(n);
  context_.copy_out(words_.data(), scores_.data(), words_.size() * sizeof(float));
  context_.copy_out(scores.correct.data(), correct_.data(), n);
  for (std::size_t i = 0; i < n; ++i) {
    const bool known = std::isfinite(words_[i]);
    scores.loss[i] = known ? words_[i] : std::numeric_limits<float>::infinity();
    scores.p_true[i] = known ? words_[capacity + i] : 0.0f;
    scores.residual[i] = known ? words_[2 * capacity + i] : std::numeric_limits<float>::infinity();
  }
  ledger.scoring_macs += rows * counts_.forward_macs;
  ledger.weight_reads += counts_.parameters;
}

void Proxy::learn(const std::vector<std::int32_t>& kept, const std::vector<std::int32_t>& labels, double learning_rate,
                  theory::Ledger& ledger) {
  if (kept.empty()) return;
  const auto rows = static_cast<int>(kept.size());
  context_.copy_in(index_.data(), kept.data(), kept.size() * sizeof(std::int32_t));
  for (int level = 0; level <= layout_.layers(); ++level)
    kernels::compact_rows(context_, chunk_.row(level, 0), static_cast<int>(chunk_.level_size(level)), index_.data(),
                          rows, batch_.row(level, 0));
  std::vector<std::int32_t> kept_labels;
  for (const std::int32_t i : kept) kept_labels.push_back(labels[static_cast<std::size_t>(i)]);
  context_.copy_in(labels_.data(), kept_labels.data(), kept_labels.size() * sizeof(std::int32_t));
  OutputScores out;
  out.dz = dz_.data();
  if (!spec_.network.output_slope) out.sent = sent_.data();
  score_outputs(context_, spec_.network, rows, layout_.classes(), batch_.row(layout_.layers(), 0), labels_.data(),
                nullptr, 1.0f / static_cast<float>(rows), out);
  backward_.run(context_, layout_, weights_.data(), batch_, Pass{0, rows}, dz_.data(),
                spec_.network.output_slope ? dz_.data() : sent_.data(), gradient_.data());
  WriteControls controls;
  controls.step = ++steps_;
  controls.learning_rate = learning_rate * spec_.selection.proxy_rate;
  plasticity_.apply(gradient_.data(), controls, weights_.data());
  for (const theory::Ledger& layer : plasticity_.changes()) ledger += layer;
  ledger.scoring_macs += rows * counts_.backward_macs;
  ledger.weight_reads += 2 * counts_.parameters;
}

std::vector<std::pair<std::string, kernels::Buffer<float>*>> Proxy::state() {
  std::vector<std::pair<std::string, kernels::Buffer<float>*>> arrays{{"proxy_weights", &weights_}};
  for (auto& [name, buffer] : plasticity_.state()) arrays.emplace_back("proxy_" + name, buffer);
  return arrays;
}

}  // namespace eos::sim
