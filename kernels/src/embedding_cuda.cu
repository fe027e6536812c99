// Embedding on CUDA: a grid-stride copy forward; backward one block a row of the table, whose threads hold a column
// each and pass over all tokens in order.
#include <cstdint>

#include "cuda_state.hpp"

namespace eos::kernels::cuda {

namespace {

__global__ void forward_kernel(EmbeddingShape shape, std::int64_t stride, const float* tokens, const float* table,
                               float* out) {
  const std::int64_t width = shape.width, places = std::int64_t{shape.rows} * shape.tokens;
  const std::int64_t size = shape.replicas * places * width;
  for (std::int64_t e = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; e < size;
       e += std::int64_t{gridDim.x} * blockDim.x) {
    const std::int64_t i = e / width, row = static_cast<std::int64_t>(tokens[i]);
    out[e] = table[i / places * stride + row * width + (e - i * width)];
  }
}

/// Block (v, r). Tokens pass through shared memory; all threads take the same branch.
__global__ void backward_kernel(EmbeddingShape shape, std::int64_t stride, const float* tokens, const float* dout,
                                float* dtable) {
  __shared__ float some[k_threads];
  const std::int64_t width = shape.width, places = std::int64_t{shape.rows} * shape.tokens, r = blockIdx.y;
  const float own = static_cast<float>(blockIdx.x);
  tokens += r * places, dout += r * places * width;
  float* row = dtable + r * stride + blockIdx.x * width;
  for (std::int64_t c0 = 0; c0 < width; c0 += k_threads) {
    const std::int64_t c = c0 + threadIdx.x;
    float sum = 0;
    for (std::int64_t i0 = 0; i0 < places; i0 += k_threads) {
      const std::int64_t left = places - i0 < k_threads ? places - i0 : k_threads;
      __syncthreads();
      if (threadIdx.x < left) some[threadIdx.x] = tokens[i0 + threadIdx.x];
      __syncthreads();
      for (std::int64_t i = 0; i < left; ++i) {
        if (some[i] == own && c < width) sum += dout[(i0 + i) * width + c];
      }
    }
    if (c < width) row[c] = sum;
  }
}

}  // namespace

void embedding_forward(const Context& context, EmbeddingShape shape, const float* tokens, const float* table,
                       float* out) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  const std::int64_t size = std::int64_t{shape.replicas} * shape.rows * shape.tokens * shape.width;
  if (size == 0) return;
  forward_kernel<<<grid_size(size), k_threads, 0, state.stream>>>(shape, shape.table_stride(), tokens, table, out);
  EOS_CUDA_CHECK(cudaGetLastError());
}

void embedding_backward(const Context& context, EmbeddingShape shape, const float* tokens, const float* dout,
                        float* dtable) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  if (shape.replicas == 0 || shape.vocabulary == 0 || shape.width == 0) return;
  const dim3 grid(static_cast<unsigned>(shape.vocabulary), static_cast<unsigned>(shape.replicas));
  backward_kernel<<<grid, k_threads, 0, state.stream>>>(shape, shape.table_stride(), tokens, dout, dtable);
  EOS_CUDA_CHECK(cudaGetLastError());
}

}  // namespace eos::kernels::cuda
