// Online training of 784-100-10: one sample forward, loss, backward, update with counts. The byte roof is the one that
// binds where no input is zero: the weights lie in the L2 cache and every one is read twice and written once.
// Peer: bench/peers/online_torch.py.
#include "bench_support.hpp"
#include "eos/kernels/outer_update.hpp"
#include "eos/kernels/softmax_xent.hpp"

namespace eos::bench {

namespace {

using namespace eos::kernels;

constexpr int k_in = 784, k_hidden = 100, k_out = 10;

class OnlineStep {
 public:
  explicit OnlineStep(float density) : context_(Context::cpu()), x_(normals(k_in, 1)) {
    std::vector<float> w = normals((k_in + 1) * k_hidden + (k_hidden + 1) * k_out, 2);
    for (float& value : w) value *= 0.05f;
    weights_ = Buffer<float>(context_, w);
    for (std::size_t i = 0; i < x_.size(); ++i) {
      const core::Address at{3, 0, core::Purpose::test, static_cast<std::uint32_t>(i)};
      if (core::uniform(3, at) >= density) x_[i] = 0;
      nonzero_ += x_[i] != 0 ? 1 : 0;
    }
  }

  void run() {
    float* w1 = weights_.data();
    float* b1 = w1 + k_in * k_hidden;
    float* w2 = b1 + k_hidden;
    float* b2 = w2 + k_hidden * k_out;
    dense_forward(context_, k_first, x_.data(), w1, b1, Activation::relu, h_);
    dense_forward(context_, k_second, h_, w2, b2, Activation::identity, z_);
    softmax_xent(context_, {1, 1, k_out}, z_, &label_, nullptr, 1, {&loss_, nullptr, nullptr, nullptr, dz_});
    dense_backward_inputs(context_, k_second, dz_, w2, h_, Activation::relu, dh_);
    outer_update(context_, k_second, k_update, h_, dz_, w2, b2, counts_ + 1);
    outer_update(context_, k_first, k_update, x_.data(), dh_, w1, b1, counts_);
    label_ = (label_ + 1) % k_out;
  }

  /// Two operations a multiply-add; an update takes three, its counts four.
  double flops() const { return 9.0 * nonzero_ * k_hidden + 11.0 * k_hidden * k_out; }
  double bytes() const { return 12.0 * nonzero_ * k_hidden + 16.0 * k_hidden * k_out; }

 private:
  static constexpr DenseShape k_first{1, 1, k_in, k_hidden}, k_second{1, 1, k_hidden, k_out};
  static constexpr OuterUpdate k_update{1e-5f, true, 0};

  Context context_;
  std::vector<float> x_;
  Buffer<float> weights_;
  float h_[k_hidden]{}, z_[k_out]{}, dz_[k_out]{}, dh_[k_hidden]{}, loss_ = 0;
  UpdateCounts counts_[2];
  std::int32_t label_ = 0;
  double nonzero_ = 0;
};

/// Share of inputs that are not zero: 19 % in MNIST, all where the mean is subtracted.
void online_step(benchmark::State& state) {
  OnlineStep step(static_cast<float>(state.range(0)) / 100);
  measure(state, step.flops(), step.bytes(), 1, [&] { step.run(); });
  state.counters["samples/s"] = 1e6 / state.counters["min_us"];
}
BENCHMARK(online_step)->ArgName("density%")->Arg(19)->Arg(100)->UseManualTime();

}  // namespace
}  // namespace eos::bench
