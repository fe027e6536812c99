// Scores of sequences on CUDA: one warp a sequence; sums over tokens in lanes and a fixed tree.
#include "cuda_state.hpp"
#include "exp_formula.hpp"
#include "warp.cuh"

namespace eos::kernels::cuda {

namespace {

template <class Number>
__device__ Number sum_of_lanes(Number value) {
  for (int offset = k_warp / 2; offset > 0; offset /= 2) value += __shfl_xor_sync(k_all_lanes, value, offset);
  return value;
}

__global__ void scores_kernel(TokenShape shape, TokenValues values, TokenScores scores) {
  const int lane = threadIdx.x % k_warp;
  const std::int64_t sequences = std::int64_t{shape.replicas} * shape.rows;
  const std::int64_t warps = std::int64_t{gridDim.x} * (blockDim.x / k_warp);
  const double size = shape.tokens > 0 ? shape.tokens : 1;
  for (std::int64_t i = (blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x) / k_warp; i < sequences; i += warps) {
    double loss = 0, squares = 0;
    int correct = 0;
    for (int t = lane; t < shape.tokens; t += k_warp) {
      const std::int64_t at = i * shape.tokens + t;
      if (values.loss != nullptr) loss += static_cast<double>(values.loss[at]);
      if (values.residual != nullptr) squares += static_cast<double>(values.residual[at]) * values.residual[at];
      if (values.correct != nullptr) correct += values.correct[at];
    }
    const double mean = sum_of_lanes(loss) / size;
    squares = sum_of_lanes(squares);
    correct = sum_of_lanes(correct);
    if (lane != 0) continue;
    if (scores.loss != nullptr) scores.loss[i] = static_cast<float>(mean);
    if (scores.p_true != nullptr) scores.p_true[i] = formula::exp_of_nonpositive(static_cast<float>(-mean));
    if (scores.residual != nullptr) scores.residual[i] = static_cast<float>(sqrt(squares / size));
    if (scores.correct != nullptr) scores.correct[i] = correct;
  }
}

}  // namespace

void token_scores(const Context& context, TokenShape shape, TokenValues values, TokenScores scores) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  const std::int64_t sequences = std::int64_t{shape.replicas} * shape.rows;
  if (sequences == 0) return;
  scores_kernel<<<grid_size(sequences * k_warp), k_threads, 0, state.stream>>>(shape, values, scores);
  EOS_CUDA_CHECK(cudaGetLastError());
}

}  // namespace eos::kernels::cuda
