// The dense training step of the MLP 784-256-256-10: forward, loss, backward, SGD. Peer: bench/peers/mlp_step_torch.py.
#include "bench_support.hpp"
#include "eos/kernels/dense.hpp"
#include "eos/kernels/softmax_xent.hpp"
#include "eos/kernels/update.hpp"

namespace eos::bench {

namespace {

using namespace eos::kernels;

constexpr int k_width[] = {784, 256, 256, 10};
constexpr int k_layers = 3;

class MlpStep {
 public:
  MlpStep(int batch, float momentum, bool two_pass, int threads)
      : context_(Context::cpu(threads)), batch_(batch), momentum_(momentum), two_pass_(two_pass) {
    for (int l = 0; l < k_layers; ++l) {
      offsets_.push_back(offsets_.back() + k_width[l] * k_width[l + 1]);
      offsets_.push_back(offsets_.back() + k_width[l + 1]);
    }
    std::vector<float> w = normals(parameters(), 1);
    for (float& value : w) value *= 0.05f;
    weights_ = Buffer<float>(context_, w);
    gradient_ = Buffer<float>(context_, parameters());
    velocity_ = Buffer<float>(context_, parameters());
    delta_ = Buffer<float>(context_, parameters());
    counts_ = Buffer<UpdateCounts>(context_, 2 * k_layers);
    for (int l = 0; l <= k_layers; ++l) {
      activation_[l] = Buffer<float>(context_, normals(static_cast<std::size_t>(batch) * k_width[l], 2));
      error_[l] = Buffer<float>(context_, static_cast<std::size_t>(batch) * k_width[l]);
    }
    std::vector<std::int32_t> labels(static_cast<std::size_t>(batch));
    for (int i = 0; i < batch; ++i) labels[i] = i % 10;
    labels_ = Buffer<std::int32_t>(context_, labels);
    loss_ = Buffer<float>(context_, static_cast<std::size_t>(batch));
  }

  void run() {
    for (int l = 0; l < k_layers; ++l) {
      dense_forward(context_, shape(l), activation_[l].data(), w(l), b(l),
                    l + 1 < k_layers ? Activation::relu : Activation::identity, activation_[l + 1].data());
    }
    softmax_xent(context_, {1, batch_, 10}, activation_[k_layers].data(), labels_.data(), nullptr,
                 1.0f / static_cast<float>(batch_), {loss_.data(), nullptr, nullptr, nullptr, error_[k_layers].data()});
    for (int l = k_layers - 1; l >= 0; --l) {
      float* dw = gradient_.data() + offsets_[2 * l];
      dense_backward_weights(context_, shape(l), activation_[l].data(), error_[l + 1].data(), dw,
                             dw + k_width[l] * k_width[l + 1]);
      if (l == 0) break;
      dense_backward_inputs(context_, shape(l), error_[l + 1].data(), w(l), activation_[l].data(), Activation::relu,
                            error_[l].data());
    }
    update();
  }

  std::size_t parameters() const { return static_cast<std::size_t>(offsets_.back()); }
  /// Multiply-adds of all products, two operations each; no input gradient of the first layer.
  double flops() const {
    double macs = 0;
    for (int l = 0; l < k_layers; ++l) macs += (l == 0 ? 2.0 : 3.0) * k_width[l] * k_width[l + 1];
    return 2 * macs * batch_;
  }

 private:
  void update() {
    const Segments segments{2 * k_layers, offsets_.data()};
    const SgdParameters p{1e-3f, momentum_, 0};
    float* velocity = momentum_ > 0 ? velocity_.data() : nullptr;
    if (!two_pass_)
      return sgd_update_dense(context_, segments, p, gradient_.data(), weights_.data(), velocity, counts_.data());
    sgd_delta(context_, offsets_.back(), p, gradient_.data(), weights_.data(), velocity, delta_.data());
    masked_update(context_, segments, delta_.data(), {}, weights_.data(), counts_.data());
  }
  DenseShape shape(int l) const { return {1, batch_, k_width[l], k_width[l + 1]}; }
  const float* w(int l) const { return weights_.data() + offsets_[2 * l]; }
  const float* b(int l) const { return weights_.data() + offsets_[2 * l + 1]; }

  Context context_;
  int batch_;
  float momentum_;
  bool two_pass_;
  std::vector<std::int64_t> offsets_{0};
  Buffer<float> weights_, gradient_, velocity_, delta_, activation_[k_layers + 1], error_[k_layers + 1], loss_;
  Buffer<UpdateCounts> counts_;
  Buffer<std::int32_t> labels_;
};

/// batch, momentum in percent, threads
void mlp_step(benchmark::State& state) {
  MlpStep step(static_cast<int>(state.range(0)), static_cast<float>(state.range(1)) / 100, false,
               static_cast<int>(state.range(2)));
  measure(state, step.flops(), 0, static_cast<int>(state.range(2)), [&] { step.run(); });
}
BENCHMARK(mlp_step)
    ->ArgNames({"batch", "momentum%", "threads"})
    ->Args({128, 90, 1})
    ->Args({128, 0, 1})
    ->Args({32, 90, 1})
    ->Args({32, 0, 1})
    ->Args({128, 90, 2})
    ->UseManualTime();

/// The same with sgd_delta and masked_update instead of the fused update.
void mlp_step_two_pass_update(benchmark::State& state) {
  MlpStep step(static_cast<int>(state.range(0)), 0.9f, true, 1);
  measure(state, step.flops(), 0, 1, [&] { step.run(); });
}
BENCHMARK(mlp_step_two_pass_update)->ArgName("batch")->Arg(128)->Arg(32)->UseManualTime();

}  // namespace
}  // namespace eos::bench
