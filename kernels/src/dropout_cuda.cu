// Dropout on CUDA: one thread a counter, that is four entries eight apart; 32 threads cover 128 entries in a row.
#include "cuda_state.hpp"
#include "dropout_formula.hpp"

namespace eos::kernels::cuda {

namespace {

__global__ void dropout_kernel(DropoutShape shape, DropoutLayer layer, std::int64_t counters, const DropoutDraw* draws,
                               const std::int32_t* samples, const float* x, float* y) {
  const std::int64_t row = blockIdx.x;
  const core::Words key = formula::dropout_key(draws[row / shape.rows], samples[row]);
  const std::uint32_t threshold = formula::dropout_threshold(layer.rate);
  const float scale = formula::dropout_scale(layer.rate);
  for (std::int64_t counter = blockIdx.y * std::int64_t{blockDim.x} + threadIdx.x; counter < counters;
       counter += std::int64_t{gridDim.y} * blockDim.x) {
    const core::Words words = formula::dropout_words(key, layer.site, static_cast<std::uint32_t>(counter));
    const std::int64_t first =
        counter / formula::k_dropout_lanes * formula::k_dropout_group + counter % formula::k_dropout_lanes;
    for (int w = 0; w < 4; ++w) {
      const std::int64_t e = first + w * formula::k_dropout_lanes, at = row * shape.width + e;
      if (e < shape.width) y[at] = words.v[w] >= threshold ? x[at] * scale : 0.0f;
    }
  }
}

}  // namespace

void dropout(const Context& context, DropoutShape shape, DropoutLayer layer, const DropoutDraw* draws,
             const std::int32_t* samples, const float* x, float* y) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  const std::int64_t rows = std::int64_t{shape.replicas} * shape.rows;
  if (rows == 0 || shape.width == 0) return;
  const std::int64_t groups = (shape.width + formula::k_dropout_group - 1) / formula::k_dropout_group;
  const std::int64_t counters = groups * formula::k_dropout_lanes;
  const std::int64_t blocks = (counters + k_threads - 1) / k_threads;
  const dim3 grid(static_cast<unsigned>(rows), static_cast<unsigned>(blocks < 1024 ? blocks : 1024));
  dropout_kernel<<<grid, k_threads, 0, state.stream>>>(shape, layer, counters, draws, samples, x, y);
  EOS_CUDA_CHECK(cudaGetLastError());
}

}  // namespace eos::kernels::cuda
