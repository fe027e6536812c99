// Ten training steps of small networks of every architecture against PyTorch, from identical weights and batches.
// The golden losses are those of tests/parity/torch_losses.py, which states the same networks in PyTorch.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "../../sim/src/network.hpp"
#include "../../sim/src/outputs.hpp"
#include "../../sim/src/plasticity.hpp"

namespace eos::sim {
namespace {

constexpr int k_batch = 12, k_steps = 10;

std::uint32_t hashed(std::uint64_t index) {
  std::uint64_t x = (index * 2654435761u + 12345u) & 0xFFFFFFFFu;
  x ^= x >> 15;
  x = (x * 2246822519u) & 0xFFFFFFFFu;
  return static_cast<std::uint32_t>(x ^ (x >> 13));
}
double unit(std::uint64_t index) { return hashed(index) / 4294967296.0; }

struct Case {
  std::string name;
  theory::NetworkSpec network;
  theory::DataShape data;
  theory::OptimiserSpec optimiser;
  std::vector<double> losses;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

theory::DataShape images(int height, int width, int channels) { return {{height, width, channels, false}, 5, false}; }

Case read(const nlohmann::json& j) {
  using theory::Architecture;
  Case c;
  c.name = j["name"];
  c.losses = j["losses"].get<std::vector<double>>();
  const std::string kind = j["network"];
  theory::NetworkSpec& n = c.network;
  if (j["activation"] == "gelu") n.activation = theory::Activation::gelu;
  n.label_smoothing = j["smoothing"];
  n.tied = j["tied"];
  n.width = 8, n.depth = 2, n.heads = 2, n.patch = 4;
  if (kind == "mlp") n.hidden = {16, 12}, c.data = images(4, 5, 1);
  if (kind == "cnn") n.architecture = Architecture::cnn, n.channels = {5, 7}, c.data = images(12, 12, 2);
  if (kind == "resnet") n.architecture = Architecture::resnet, n.channels = {4, 5, 6, 7}, c.data = images(16, 16, 3);
  if (kind == "vit") n.architecture = Architecture::vit, c.data = images(8, 8, 3);
  if (kind == "gpt") n.architecture = Architecture::gpt, c.data = {{9, 1, 1, false}, 11, true};
  theory::OptimiserSpec& o = c.optimiser;
  o.learning_rate = j["rate"], o.momentum = j["momentum"], o.weight_decay = j["decay"], o.clip = j["clip"];
  o.nesterov = j["optimiser"] == "nesterov";
  if (j["optimiser"] == "adamw") o.kind = theory::OptimiserKind::adamw;
  return c;
}

std::vector<Case> cases() {
  std::ifstream file(std::string(EOS_SOURCE_DIR) + "/tests/sim/golden/torch_losses.json");
  const nlohmann::json all = nlohmann::json::parse(file);
  std::vector<Case> list;
  for (const auto& j : all["cases"]) list.push_back(read(j));
  return list;
}

/// Weights, gains and biases as the script makes them.
std::vector<float> weights_of(const Network& network) {
  std::vector<float> w(static_cast<std::size_t>(network.parameters()));
  for (int l = 0; l < network.layers(); ++l) {
    const theory::Block& block = network.block(l);
    const theory::LayerKind kind = network.graph.nodes[static_cast<std::size_t>(block.node)].spec.kind;
    const bool norm = block.mean == 1;
    const bool product = kind == theory::LayerKind::dense || kind == theory::LayerKind::conv2d;
    const double scale = norm ? 0.1 : product ? 1 / std::sqrt(static_cast<double>(block.rows)) : 0.3;
    for (std::int64_t i = 0; i < block.size(); ++i) {
      const bool bias = i >= block.weights();
      const double centred = 2 * unit(static_cast<std::uint64_t>(block.offset + i)) - 1;
      w[static_cast<std::size_t>(block.offset + i)] =
          static_cast<float>((norm && !bias ? 1 : 0) + (bias ? 0.1 : scale) * centred);
    }
  }
  return w;
}

void fill_batch(const Case& c, int step, float* x, std::vector<std::int32_t>& labels) {
  const std::uint64_t shift = static_cast<std::uint64_t>(step) + 1;
  const auto size = static_cast<std::uint64_t>(c.data.input.size());
  labels.clear();
  if (!c.data.tokens) {
    for (std::uint64_t i = 0; i < k_batch * size; ++i) x[i] = static_cast<float>(unit(i + 104729 * shift));
    for (std::uint64_t i = 0; i < k_batch; ++i) labels.push_back(static_cast<int>(hashed(i + 15485863 * shift) % 5));
    return;
  }
  for (std::uint64_t row = 0; row < k_batch; ++row) {
    const auto id = [&](std::uint64_t t) { return hashed(row * (size + 1) + t + 7919 * shift) % 11; };
    for (std::uint64_t t = 0; t < size; ++t) {
      x[row * size + t] = static_cast<float>(id(t));
      labels.push_back(static_cast<int>(id(t + 1)));
    }
  }
}

std::vector<double> train(const Case& c) {
  const kernels::Context context = kernels::Context::cpu();
  const Network network(c.network, c.data);
  kernels::Buffer<float> weights(context, weights_of(network)), state(context, initial_state(network));
  kernels::Buffer<float> gradient(context, weights.size());
  Activations a(context, network, k_batch);
  Backward backward(context, network, k_batch);
  OutputScorer scorer(context, c.network, network, k_batch);
  Plasticity plasticity(context, c.optimiser, {}, 0, network, 1);
  kernels::Buffer<float> dz(context, static_cast<std::size_t>(k_batch * network.predictions() * network.classes()));
  std::vector<float> loss(k_batch);
  std::vector<std::int32_t> labels;
  std::vector<double> losses;
  for (int step = 0; step < k_steps; ++step) {
    fill_batch(c, step, a.row(0, 0), labels);
    const Pass pass{0, k_batch, Mode::train, state.data()};
    forward(context, network, weights.data(), a, pass);
    OutputScores scores;
    scores.loss = loss.data(), scores.dz = dz.data();
    scorer.score(k_batch, a.row(network.nodes(), 0), labels.data(), nullptr, 1.0f / k_batch, scores);
    backward.run(context, network, weights.data(), a, pass, dz.data(), dz.data(), gradient.data());
    WriteControls controls;
    controls.learning_rate = c.optimiser.learning_rate;
    controls.step = step + 1;
    plasticity.apply(gradient.data(), controls, weights.data());
    double sum = 0;
    for (const float value : loss) sum += value;
    losses.push_back(sum / k_batch);
  }
  return losses;
}

class Parity : public testing::TestWithParam<Case> {};

TEST_P(Parity, of_losses_with_pytorch_over_ten_steps) {
  const std::vector<double> ours = train(GetParam()), theirs = GetParam().losses;
  ASSERT_EQ(theirs.size(), static_cast<std::size_t>(k_steps));
  // Single precision in another order of summation; two versions of PyTorch differ by 2e-7.
  for (int step = 0; step < k_steps; ++step)
    EXPECT_NEAR(ours[static_cast<std::size_t>(step)] / theirs[static_cast<std::size_t>(step)], 1, 1e-5)
        << "step " << step;
}

INSTANTIATE_TEST_SUITE_P(OfNetworks, Parity, testing::ValuesIn(cases()), [](const auto& tested) {
  std::string name = tested.param.name;
  for (char& letter : name) letter = letter == '-' ? '_' : letter;
  return name;
});

}  // namespace
}  // namespace eos::sim
