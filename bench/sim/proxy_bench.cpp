// One dense training step of each proxy: forward, cross-entropy, backward, momentum SGD, with counts of writes.
//
// The networks and batches of bench/peers/proxies_torch.py. Counters: flop = 2 MACs of the step; gflops.
#include <benchmark/benchmark.h>

#include <string>
#include <thread>

#include "../../sim/src/network.hpp"
#include "../../sim/src/outputs.hpp"
#include "../../sim/src/plasticity.hpp"
#include "eos/core/philox.hpp"

namespace {

using namespace eos;
using namespace eos::sim;
using theory::Architecture;

struct Proxy {
  std::string name;
  theory::NetworkSpec network;
  theory::DataShape data;
  int batch = 128;
};

Proxy mlp(std::string name, int inputs, std::vector<int> hidden, int batch) {
  Proxy p{std::move(name), {}, {{1, 1, inputs, false}, 10, false}, batch};
  p.network.hidden = std::move(hidden);
  return p;
}

Proxy of(std::string name, Architecture architecture, theory::DataShape data, int batch) {
  Proxy p{std::move(name), {}, data, batch};
  p.network.architecture = architecture;
  return p;
}

const std::vector<Proxy>& proxies() {
  static const std::vector<Proxy> all{mlp("mlp", 784, {256, 256}, 128), mlp("tiny", 32, {64, 64}, 32),
                                      of("cnn", Architecture::cnn, {{32, 32, 3, false}, 10, false}, 128),
                                      of("vit", Architecture::vit, {{32, 32, 3, false}, 10, false}, 64),
                                      of("gpt", Architecture::gpt, {{128, 1, 1, false}, 256, true}, 16)};
  return all;
}

/// A network with its buffers and one batch.
class Step {
 public:
  explicit Step(const Proxy& p)
      : context_(kernels::Context::cpu()),
        network_(p.network, p.data),
        batch_(p.batch),
        weights_(context_, initial_weights(network_, p.network, 1)),
        gradient_(context_, weights_.size()),
        a_(context_, network_, p.batch),
        backward_(context_, network_, p.batch),
        scorer_(context_, p.network, network_, p.batch),
        optimiser_(momentum()),
        plasticity_(context_, optimiser_, {}, 0, network_, 1),
        dz_(context_, static_cast<std::size_t>(p.batch) * network_.predictions() * network_.classes()) {
    const auto inputs = static_cast<std::size_t>(p.batch) * network_.inputs();
    for (std::size_t i = 0; i < inputs; ++i) {
      const double u = core::uniform(7, {0, 0, core::Purpose::teacher_inputs, static_cast<std::uint32_t>(i)});
      a_.row(0, 0)[i] = static_cast<float>(p.data.tokens ? static_cast<int>(256 * u) : u);
    }
    for (int i = 0; i < p.batch * network_.predictions(); ++i) labels_.push_back(i % network_.classes());
  }

  void run() {
    const Pass pass{0, batch_, Mode::train};
    forward(context_, network_, weights_.data(), a_, pass);
    OutputScores scores;
    scores.dz = dz_.data();
    scorer_.score(batch_, a_.row(network_.nodes(), 0), labels_.data(), nullptr, 1.0f / static_cast<float>(batch_),
                  scores);
    backward_.run(context_, network_, weights_.data(), a_, pass, dz_.data(), dz_.data(), gradient_.data());
    WriteControls controls;
    controls.learning_rate = 1e-6;
    plasticity_.apply(gradient_.data(), controls, weights_.data());
  }

  double flop() const {
    const theory::NetworkCounts c = theory::graph_counts(network_.graph, 0);
    return 2.0 * static_cast<double>(c.forward_macs + c.backward_macs) * batch_;
  }

 private:
  static theory::OptimiserSpec momentum() {
    theory::OptimiserSpec o;
    o.momentum = 0.9;
    return o;
  }

  kernels::Context context_;
  Network network_;
  int batch_;
  kernels::Buffer<float> weights_, gradient_;
  Activations a_;
  Backward backward_;
  OutputScorer scorer_;
  theory::OptimiserSpec optimiser_;
  Plasticity plasticity_;
  kernels::Buffer<float> dz_;
  std::vector<std::int32_t> labels_;
};

void step(benchmark::State& state, const Proxy& proxy) {
  Step one(proxy);
  for (auto _ : state) one.run();
  state.counters["flop"] = one.flop();
  state.counters["gflops"] = benchmark::Counter(one.flop() * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

const bool registered = [] {
  for (const Proxy& proxy : proxies()) {
    const std::string name = "proxy_step/" + proxy.name;
    benchmark::RegisterBenchmark(name.c_str(), [&proxy](benchmark::State& state) { step(state, proxy); })
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime();
    // Independent runs, one on each core.
    benchmark::RegisterBenchmark((name + "/two_runs").c_str(),
                                 [&proxy](benchmark::State& state) { step(state, proxy); })
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime()
        ->Threads(2);
  }
  return true;
}();

}  // namespace
