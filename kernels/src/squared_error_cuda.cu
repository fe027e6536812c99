// Squared error on CUDA: one warp a sample; sums over classes in lanes and a fixed tree.
#include <climits>
#include <cstdint>

#include "activation_formula.hpp"
#include "cuda_state.hpp"
#include "warp.cuh"

namespace eos::kernels::cuda {

namespace {

struct Call {
  std::int64_t samples;
  int classes;
  SquaredErrorTargets targets;
  float leak;
  const float* y;
  const std::int32_t* labels;
  const float* weight;
  float scale;
  SquaredErrorOutputs out;
};

template <Activation kind>
__device__ void run_sample(const Call& call, std::int64_t i, int lane) {
  const float* y = call.y + i * call.classes;
  const int label = call.labels[i];
  const int winner = first_maximum(y, call.classes, lane);
  const float at_label = y[label];
  const float factor = call.scale * (call.weight != nullptr ? call.weight[i] : 1.0f);
  const SquaredErrorOutputs& out = call.out;
  __syncwarp();  // dz or error may be y: all lanes have read winner and at_label
  float squares = 0;
  for (int c = lane; c < call.classes; c += k_warp) {
    const float output = y[c];
    const float residual = output - (c == label ? call.targets.high : call.targets.low);
    squares += residual * residual;
    const float error = factor * residual;
    if (out.error != nullptr) out.error[i * call.classes + c] = error;
    if (out.dz != nullptr) out.dz[i * call.classes + c] = error * formula::slope<kind>(output, call.leak);
  }
  squares = sum_over_lanes(squares);
  if (lane != 0) return;
  if (out.loss != nullptr) out.loss[i] = 0.5f * squares;
  if (out.p_true != nullptr) out.p_true[i] = at_label < 0.0f ? 0.0f : at_label > 1.0f ? 1.0f : at_label;
  if (out.residual != nullptr) out.residual[i] = sqrtf(squares);
  if (out.correct != nullptr) out.correct[i] = winner == label;
}

template <Activation kind>
__global__ void squared_error_kernel(Call call) {
  const int lane = threadIdx.x % k_warp;
  const std::int64_t warps = std::int64_t{gridDim.x} * (blockDim.x / k_warp);
  for (std::int64_t i = (blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x) / k_warp; i < call.samples; i += warps) {
    run_sample<kind>(call, i, lane);
  }
}

}  // namespace

void squared_error(const Context& context, SquaredErrorShape shape, SquaredErrorTargets targets,
                   ActivationSpec activation_of_y, const float* y, const std::int32_t* labels, const float* weight,
                   float scale, SquaredErrorOutputs out) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  const std::int64_t samples = std::int64_t{shape.replicas} * shape.rows;
  if (samples == 0 || shape.classes == 0) return;
  const Call call{samples, shape.classes, targets, activation_of_y.leak, y, labels, weight, scale, out};
  formula::with_kind(activation_of_y.kind, [&](auto constant) {
    squared_error_kernel<decltype(constant)::kind><<<grid_size(samples * k_warp), k_threads, 0, state.stream>>>(call);
  });
  EOS_CUDA_CHECK(cudaGetLastError());
}

}  // namespace eos::kernels::cuda
