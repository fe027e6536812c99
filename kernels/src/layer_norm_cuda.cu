// Layer normalisation on CUDA: one warp a row; sums over rows by column_sums.cuh.
#include "column_sums.cuh"
#include "warp.cuh"

namespace eos::kernels::cuda {

namespace {

struct Forward {
  LayerNormShape shape;
  float epsilon;
  const float *x, *gains, *biases;
  float* y;
  float* saved;
};

struct Backward {
  LayerNormShape shape;
  const float *x, *gains;
  const float* saved;
  const float* dy;
  float* dx;
};

__device__ void run_row(const Forward& call, std::int64_t i, int lane) {
  const int width = call.shape.width;
  const float* x = call.x + i * width;
  const float* gains = call.gains + i / call.shape.rows * call.shape.parameter_stride();
  const float* biases = call.biases + i / call.shape.rows * call.shape.parameter_stride();
  float sum = 0, squares = 0;
  for (int c = lane; c < width; c += k_warp) sum += x[c];
  const float mean = sum_over_lanes(sum) / width;
  for (int c = lane; c < width; c += k_warp) squares += (x[c] - mean) * (x[c] - mean);
  const float inverse = 1.0f / sqrtf(sum_over_lanes(squares) / width + call.epsilon);
  if (lane == 0 && call.saved != nullptr) call.saved[2 * i] = mean, call.saved[2 * i + 1] = inverse;
  for (int c = lane; c < width; c += k_warp) {
    call.y[i * width + c] = (x[c] - mean) * inverse * gains[c] + biases[c];
  }
}

__device__ void run_row(const Backward& call, std::int64_t i, int lane) {
  const int width = call.shape.width;
  const float *x = call.x + i * width, *dy = call.dy + i * width;
  const float* gains = call.gains + i / call.shape.rows * call.shape.parameter_stride();
  const float m = call.saved[2 * i], s = call.saved[2 * i + 1];
  float mean = 0, correlation = 0;
  for (int c = lane; c < width; c += k_warp) {
    const float g = dy[c] * gains[c];
    mean += g, correlation += g * ((x[c] - m) * s);
  }
  mean = sum_over_lanes(mean) / width;
  correlation = sum_over_lanes(correlation) / width;
  for (int c = lane; c < width; c += k_warp) {
    call.dx[i * width + c] = s * (dy[c] * gains[c] - mean - (x[c] - m) * s * correlation);
  }
}

template <class Call>
__global__ void row_kernel(std::int64_t rows, Call call) {
  const int lane = threadIdx.x % k_warp;
  const std::int64_t warps = std::int64_t{gridDim.x} * (blockDim.x / k_warp);
  for (std::int64_t i = (blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x) / k_warp; i < rows; i += warps) {
    run_row(call, i, lane);
  }
}

struct GradientTerm {
  LayerNormShape shape;
  const float *x, *dy, *saved;
  __device__ TwoSums operator()(int replica, std::int64_t row, int column) const {
    const std::int64_t i = replica * shape.rows + row, at = i * shape.width + column;
    return {static_cast<double>(dy[at] * ((x[at] - saved[2 * i]) * saved[2 * i + 1])), static_cast<double>(dy[at])};
  }
};

struct StoreGradients {
  LayerNormShape shape;
  NormGradients gradients;
  __device__ void operator()(int replica, int column, TwoSums sums) const {
    gradients.dgains[replica * shape.parameter_stride() + column] = static_cast<float>(sums.first);
    gradients.dbiases[replica * shape.parameter_stride() + column] = static_cast<float>(sums.second);
  }
};

}  // namespace

void layer_norm_forward(const Context& context, LayerNormShape shape, float epsilon, const float* x, const float* gains,
                        const float* biases, float* y, float* saved) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  const std::int64_t rows = shape.replicas * shape.rows;
  if (rows == 0 || shape.width == 0) return;
  const Forward call{shape, epsilon, x, gains, biases, y, saved};
  row_kernel<<<grid_size(rows * k_warp), k_threads, 0, state.stream>>>(rows, call);
  EOS_CUDA_CHECK(cudaGetLastError());
}

void layer_norm_backward(const Context& context, LayerNormShape shape, const float* x, const float* gains,
                         const float* saved, const float* dy, NormGradients gradients) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  if (gradients.dgains != nullptr) {  // before dx, which may be dy
    column_sums(state, {shape.replicas, shape.rows, shape.width}, GradientTerm{shape, x, dy, saved},
                StoreGradients{shape, gradients});
  }
  const std::int64_t rows = shape.replicas * shape.rows;
  if (rows == 0 || shape.width == 0 || gradients.dx == nullptr) return;
  const Backward call{shape, x, gains, saved, dy, gradients.dx};
  row_kernel<<<grid_size(rows * k_warp), k_threads, 0, state.stream>>>(rows, call);
  EOS_CUDA_CHECK(cudaGetLastError());
}

}  // namespace eos::kernels::cuda
