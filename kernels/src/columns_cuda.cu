#include "cuda_backend.hpp"
#include "cuda_state.hpp"

namespace eos::kernels::cuda {

namespace {

template <class T>
__global__ void gather(std::int64_t size, int width, const std::int32_t* columns, int count, const T* in, T* out) {
  for (std::int64_t i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; i < size;
       i += std::int64_t{gridDim.x} * blockDim.x) {
    out[i] = in[i / count * width + columns[i % count]];
  }
}

__global__ void scatter(std::int64_t size, int width, const std::int32_t* columns, int count, const float* in,
                        float* out) {
  for (std::int64_t i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; i < size;
       i += std::int64_t{gridDim.x} * blockDim.x) {
    out[i / count * width + columns[i % count]] = in[i];
  }
}

template <class T>
void run_gather(const Context& context, std::int64_t rows, int width, const std::int32_t* columns, int count,
                const T* in, T* out) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  if (rows * count == 0) return;
  gather<<<grid_size(rows * count), k_threads, 0, state.stream>>>(rows * count, width, columns, count, in, out);
  EOS_CUDA_CHECK(cudaGetLastError());
}

}  // namespace

void gather_columns(const Context& context, std::int64_t rows, int width, const std::int32_t* columns, int count,
                    const float* in, float* out) {
  run_gather(context, rows, width, columns, count, in, out);
}

void gather_columns(const Context& context, std::int64_t rows, int width, const std::int32_t* columns, int count,
                    const std::uint8_t* in, std::uint8_t* out) {
  run_gather(context, rows, width, columns, count, in, out);
}

void scatter_columns(const Context& context, std::int64_t rows, int width, const std::int32_t* columns, int count,
                     const float* in, float* out) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  if (rows * count == 0) return;
  scatter<<<grid_size(rows * count), k_threads, 0, state.stream>>>(rows * count, width, columns, count, in, out);
  EOS_CUDA_CHECK(cudaGetLastError());
}

}  // namespace eos::kernels::cuda
