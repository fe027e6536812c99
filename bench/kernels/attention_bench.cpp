// Attention of the language-model proxy (16 samples of 128 tokens, causal) and of the vision proxy (64 of 65): four
// heads of 32 columns. Operations are those of the pairs of tokens that see each other.
#include "bench_support.hpp"
#include "eos/kernels/attention.hpp"

namespace eos::bench {

namespace {

using namespace eos::kernels;

struct Layer {
  AttentionShape shape;
  std::vector<float> qkv, dout, out, lse, dqkv;
  explicit Layer(const benchmark::State& state)
      : shape{1, static_cast<int>(state.range(0)), static_cast<int>(state.range(1)), 4, 128, state.range(2) != 0} {
    const auto tokens = static_cast<std::size_t>(state.range(0) * state.range(1));
    qkv = normals(tokens * 384, 1), dout = normals(tokens * 128, 2);
    out.resize(tokens * 128), lse.resize(tokens * 4), dqkv.resize(tokens * 384);
    attention_forward(Context::cpu(), shape, qkv.data(), out.data(), lse.data());
  }
  /// Of one of the matrix products: two forward, five backward.
  double product_flops() const {
    const double t = shape.tokens, pairs = shape.causal ? t * (t + 1) / 2 : t * t;
    return 2 * shape.rows * pairs * shape.width;
  }
};

void attention_forward_pass(benchmark::State& state) {
  Layer l(state);
  const Context context = Context::cpu();
  measure(state, 2 * l.product_flops(), 0, 1,
          [&] { attention_forward(context, l.shape, l.qkv.data(), l.out.data(), l.lse.data()); });
}
void attention_backward_pass(benchmark::State& state) {
  Layer l(state);
  const Context context = Context::cpu();
  measure(state, 5 * l.product_flops(), 0, 1, [&] {
    attention_backward(context, l.shape, l.qkv.data(), l.out.data(), l.lse.data(), l.dout.data(), l.dqkv.data());
  });
}

void shapes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"rows", "tokens", "causal"})->UseManualTime()->Args({16, 128, 1})->Args({64, 65, 0});
}
BENCHMARK(attention_forward_pass)->Apply(shapes);
BENCHMARK(attention_backward_pass)->Apply(shapes);

}  // namespace
}  // namespace eos::bench
