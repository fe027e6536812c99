#include "markov.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "eos/core/error.hpp"

namespace eos::sim {
namespace {

enum Stream : std::uint32_t { k_start, k_text };

/// ln of a gamma variate of the given shape: Marsaglia & Tsang (ACM Trans. Math. Softw. 26, 363, 2000), below shape 1
/// as Gamma(a + 1) U^(1/a), in logarithms so that small shapes do not underflow. Attempt k is drawn at step k.
double log_gamma_variate(std::uint64_t seed, std::uint32_t index, double shape) {
  const double boosted = shape < 1 ? shape + 1 : shape;
  const double d = boosted - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (std::uint32_t attempt = 0;; ++attempt) {
    const auto address = [&](std::uint32_t run) {
      return core::Address{run, attempt, core::Purpose::teacher_weights, index};
    };
    const double x = core::normal_pair(seed, address(1))[0];
    const core::Words w = core::draw(seed, address(2));
    const double v = std::pow(1 + c * x, 3);
    if (v <= 0 || std::log(core::uniform(w.v[0])) >= 0.5 * x * x + d - d * v + d * std::log(v)) continue;
    const double log_value = std::log(d * v);
    return shape < 1 ? log_value + std::log(core::uniform(w.v[1])) / shape : log_value;
  }
}

double entropy(const double* p, std::size_t size) {
  double sum = 0;
  for (std::size_t i = 0; i < size; ++i)
    if (p[i] > 0) sum -= p[i] * std::log(p[i]);
  return sum;
}

/// First index whose cumulative sum exceeds u times the last one.
std::size_t pick(const double* sums, std::size_t size, double u) {
  const double* found = std::upper_bound(sums, sums + size, u * sums[size - 1]);
  return std::min(size - 1, static_cast<std::size_t>(found - sums));
}

}  // namespace

MarkovChain::MarkovChain(const theory::MarkovSpec& spec)
    : vocabulary_(static_cast<std::size_t>(spec.vocabulary)), contexts_(1), order_(spec.order) {
  for (int i = 0; i < order_; ++i) contexts_ *= vocabulary_;
  draw_transitions(spec);
  find_stationary();
  transition_sums_ = transitions_;
  for (std::size_t c = 0; c < contexts_; ++c) {
    const auto row = transition_sums_.begin() + static_cast<std::ptrdiff_t>(c * vocabulary_);
    std::partial_sum(row, row + static_cast<std::ptrdiff_t>(vocabulary_), row);
  }
  stationary_sums_.resize(contexts_);
  std::partial_sum(stationary_.begin(), stationary_.end(), stationary_sums_.begin());
}

std::size_t MarkovChain::successor(std::size_t context, std::size_t token) const {
  return context % (contexts_ / vocabulary_) * vocabulary_ + token;
}

void MarkovChain::draw_transitions(const theory::MarkovSpec& spec) {
  transitions_.resize(contexts_ * vocabulary_);
  for (std::size_t c = 0; c < contexts_; ++c) {
    double* row = transitions_.data() + c * vocabulary_;
    for (std::size_t x = 0; x < vocabulary_; ++x)
      row[x] = log_gamma_variate(spec.seed, static_cast<std::uint32_t>(c * vocabulary_ + x), spec.concentration);
    const double largest = *std::max_element(row, row + vocabulary_);
    double sum = 0;
    for (std::size_t x = 0; x < vocabulary_; ++x) sum += row[x] = std::exp(row[x] - largest);
    for (std::size_t x = 0; x < vocabulary_; ++x) row[x] /= sum;
  }
}

// Power iteration of (1 + P) / 2: the same fixed point, and no cycle can trap it.
void MarkovChain::find_stationary() {
  constexpr int k_iterations = 100000;
  constexpr double k_tolerance = 1e-12;  // change of the distribution in one step, sum of absolute values
  stationary_.assign(contexts_, 1.0 / static_cast<double>(contexts_));
  std::vector<double> next(contexts_);
  for (int i = 0; i < k_iterations; ++i) {
    for (std::size_t c = 0; c < contexts_; ++c) next[c] = stationary_[c] / 2;
    for (std::size_t c = 0; c < contexts_; ++c)
      for (std::size_t x = 0; x < vocabulary_; ++x)
        next[successor(c, x)] += stationary_[c] / 2 * transitions_[c * vocabulary_ + x];
    double change = 0;
    for (std::size_t c = 0; c < contexts_; ++c) change += std::abs(next[c] - stationary_[c]);
    stationary_.swap(next);
    if (change < k_tolerance) return;
  }
  throw core::Error("E107",
                    fmt::format("data.markov: the chain forgets its start too slowly: its stationary "
                                "distribution is not found in {} steps",
                                k_iterations),
                    "raise data.markov.concentration, or choose another seed");
}

double MarkovChain::entropy_rate() const {
  double rate = 0;
  for (std::size_t c = 0; c < contexts_; ++c)
    rate += stationary_[c] * entropy(transitions_.data() + c * vocabulary_, vocabulary_);
  return rate;
}

double MarkovChain::block_entropy(int tokens) const {
  const int inside = std::min(tokens, order_);
  std::size_t blocks = 1;
  for (int i = 0; i < inside; ++i) blocks *= vocabulary_;
  std::vector<double> marginal(blocks, 0.0);
  for (std::size_t c = 0; c < contexts_; ++c) marginal[c / (contexts_ / blocks)] += stationary_[c];
  return entropy(marginal.data(), blocks) + (tokens - inside) * entropy_rate();
}

void MarkovChain::draw(const SampleDraws& draws, std::vector<std::uint8_t>& tokens) const {
  std::size_t context = pick(stationary_sums_.data(), contexts_, draws.uniform(k_start, 0));
  std::size_t digit = contexts_;
  for (std::size_t t = 0; t < tokens.size(); ++t) {
    if (digit > 1) {  // still inside the first context
      digit /= vocabulary_;
      tokens[t] = static_cast<std::uint8_t>(context / digit % vocabulary_);
      continue;
    }
    const double u = draws.uniform(k_text, static_cast<std::uint32_t>(t));
    const std::size_t token = pick(transition_sums_.data() + context * vocabulary_, vocabulary_, u);
    tokens[t] = static_cast<std::uint8_t>(token);
    context = successor(context, token);
  }
}

void generate_markov(const theory::DataSpec& spec, TaskData& task) {
  const MarkovChain chain(spec.markov);
  task.tokens = true;
  task.inputs = task.height = task.labels_per_sample = spec.sequence;
  task.channels = 1;
  task.classes = spec.markov.vocabulary;
  task.loss_floor = (chain.block_entropy(spec.sequence + 1) - chain.block_entropy(1)) / spec.sequence;
  std::vector<std::uint8_t> text(static_cast<std::size_t>(spec.sequence) + 1);
  generate_samples(spec, task, [&](const SampleDraws& draws, std::uint8_t* inputs, std::int32_t* labels) {
    chain.draw(draws, text);
    std::copy(text.begin(), text.end() - 1, inputs);
    std::copy(text.begin() + 1, text.end(), labels);
  });
}

}  // namespace eos::sim
