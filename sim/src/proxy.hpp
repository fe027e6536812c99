// A small second network that learns beside the first and scores samples for it (Score::proxy).
//
// After airbench96_faster (Jordan, github.com/KellerJordan/cifar10-airbench, 2024): the proxy forwards the whole
// stream, the large network trains on what the proxy finds hard, and the proxy trains on the same rows at every n-th
// chunk. All its multiply-adds are scoring; its reads, writes and path are charged like those of the first network.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "network.hpp"
#include "plasticity.hpp"
#include "rows.hpp"

namespace eos::sim {

class Proxy {
 public:
  Proxy(const kernels::Context& context, const theory::TrainingSpec& spec, int inputs, int classes, int capacity,
        std::uint64_t seed);

  /// Where the inputs of the rows to score belong, [capacity][inputs].
  float* inputs() { return chunk_.row(0, 0); }
  /// Scores of rows [0, labels.size()) of inputs(); a loss that is no number counts as infinite.
  void score(const std::vector<std::int32_t>& labels, Scores& scores, theory::Ledger& ledger);
  /// True when this chunk is one it learns from; counts the chunks.
  bool learns() { return chunks_++ % spec_.selection.proxy_every == 0; }
  /// One update from the mean gradient of `kept`, increasing rows of those last scored.
  void learn(const std::vector<std::int32_t>& kept, const std::vector<std::int32_t>& labels, double learning_rate,
             theory::Ledger& ledger);

  std::int64_t parameters() const { return layout_.parameters(); }
  /// Arrays and counters that must survive a checkpoint.
  std::vector<std::pair<std::string, kernels::Buffer<float>*>> state();
  std::int64_t& chunks() { return chunks_; }
  std::int64_t& steps() { return steps_; }

 private:
  kernels::Context context_;
  theory::TrainingSpec spec_;
  Network layout_;
  theory::NetworkCounts counts_;
  Plasticity plasticity_;
  Activations chunk_, batch_;
  Backward backward_;
  kernels::Buffer<float> weights_, gradient_, dz_, sent_, scores_;
  kernels::Buffer<std::uint8_t> correct_;
  kernels::Buffer<std::int32_t> labels_, index_;
  std::vector<float> words_;
  std::int64_t chunks_ = 0, steps_ = 0;
};

}  // namespace eos::sim
