// Softmax cross-entropy on CUDA: one warp a sample; sums over classes in lanes and a fixed tree.
#include <cstdint>

#include "cuda_state.hpp"
#include "exp_formula.hpp"
#include "warp.cuh"

namespace eos::kernels::cuda {

namespace {

struct Call {
  std::int64_t samples;
  int classes;
  const float* logits;
  const std::int32_t* labels;
  const float* weight;
  float scale;
  SoftmaxOutputs out;
  float smoothing;
};

__device__ void run_sample(const Call& call, std::int64_t i, int lane) {
  const float* z = call.logits + i * call.classes;
  const int label = call.labels[i];
  const int winner = first_maximum(z, call.classes, lane);
  const float top = z[winner], at_label = z[label];
  float rest = 0, squares = 0, below = 0;  // without the winner, without the true class: see the CPU version
  for (int c = lane; c < call.classes; c += k_warp) {
    const float e = formula::exp_of_nonpositive(z[c] - top);
    rest += c == winner ? e - 1.0f : e;  // 0, or NaN, which must reach the loss
    squares += c == label ? 0.0f : e * e;
    below += z[c] - top;
  }
  rest = sum_over_lanes(rest);
  squares = sum_over_lanes(squares);
  if (call.smoothing != 0) below = sum_over_lanes(below) / call.classes;
  const float total = 1.0f + rest;
  const float e_label = formula::exp_of_nonpositive(at_label - top);
  const float others = label == winner ? rest : total - e_label;
  const SoftmaxOutputs& out = call.out;
  if (lane == 0) {
    if (out.loss != nullptr && call.smoothing == 0) out.loss[i] = log1pf(rest) - (at_label - top);
    if (out.loss != nullptr && call.smoothing != 0) {
      out.loss[i] = log1pf(rest) - ((1 - call.smoothing) * (at_label - top) + call.smoothing * below);
    }
    if (out.p_true != nullptr) out.p_true[i] = e_label / total;
    if (out.residual != nullptr) out.residual[i] = sqrtf(squares + others * others) / total;
    if (out.correct != nullptr) out.correct[i] = winner == label;
  }
  if (out.dz == nullptr) return;
  const float scale = call.scale * (call.weight != nullptr ? call.weight[i] : 1.0f), factor = scale / total;
  const float share = scale * (call.smoothing / call.classes);
  __syncwarp();  // dz may be the logits: all lanes have read top and at_label; below each reads only what it overwrites
  for (int c = lane; c < call.classes; c += k_warp) {
    const float e = c == label ? -others : formula::exp_of_nonpositive(z[c] - top);
    float dz = factor * e;
    if (call.smoothing != 0) {  // p - onehot becomes p - q
      dz -= share;
      if (c == label) dz += scale * call.smoothing;
    }
    out.dz[i * call.classes + c] = dz;
  }
}

__global__ void softmax_kernel(Call call) {
  const int lane = threadIdx.x % k_warp;
  const std::int64_t warps = std::int64_t{gridDim.x} * (blockDim.x / k_warp);
  for (std::int64_t i = (blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x) / k_warp; i < call.samples; i += warps) {
    run_sample(call, i, lane);
  }
}

}  // namespace

void softmax_xent(const Context& context, SoftmaxShape shape, const float* logits, const std::int32_t* labels,
                  const float* weight, float scale, SoftmaxOutputs out, float smoothing) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  const std::int64_t samples = std::int64_t{shape.replicas} * shape.rows;
  if (samples == 0 || shape.classes == 0) return;
  const Call call{samples, shape.classes, logits, labels, weight, scale, out, smoothing};
  softmax_kernel<<<grid_size(samples * k_warp), k_threads, 0, state.stream>>>(call);
  EOS_CUDA_CHECK(cudaGetLastError());
}

}  // namespace eos::kernels::cuda
