// Element-wise maps on CUDA: out[i] = f(in[i]...). `out` may be one of the inputs.
#pragma once

#include <cstdint>

#include "cuda_state.hpp"

namespace eos::kernels::cuda {

template <class F, class... In>
__global__ void map_kernel(std::int64_t size, float* out, F f, const In*... in) {
  for (std::int64_t i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; i < size;
       i += std::int64_t{gridDim.x} * blockDim.x) {
    out[i] = f(in[i]...);
  }
}

/// F is a plain struct with a __device__ operator().
template <class F, class... In>
void map_values(const Context& context, std::int64_t size, float* out, F f, const In*... in) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  if (size <= 0) return;
  map_kernel<<<grid_size(size), k_threads, 0, state.stream>>>(size, out, f, in...);
  EOS_CUDA_CHECK(cudaGetLastError());
}

}  // namespace eos::kernels::cuda
