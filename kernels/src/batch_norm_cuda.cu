// Batch normalisation on CUDA: sums over rows by column_sums.cuh, then one element-wise pass.
#include "batch_norm_formula.hpp"
#include "column_sums.cuh"

namespace eos::kernels::cuda {

namespace {

/// Index of the channel among all channels of all replicas.
__device__ std::int64_t channel_of(BatchNormShape shape, std::int64_t at) {
  return at / (shape.rows * shape.channels) * shape.channels + at % shape.channels;
}

struct StatisticsTerm {
  BatchNormShape shape;
  const float* x;
  __device__ TwoSums operator()(int replica, std::int64_t row, int channel) const {
    const double value = x[(replica * shape.rows + row) * shape.channels + channel];
    return {value, value * value};
  }
};

struct StoreStatistics {
  BatchNormShape shape;
  BatchNormSpec spec;
  NormStatistics saved;
  RunningStatistics running;
  __device__ void operator()(int replica, int channel, TwoSums sums) const {
    formula::finish_statistics(sums.first, sums.second, static_cast<double>(shape.rows), spec,
                               std::int64_t{replica} * shape.channels + channel, saved, running);
  }
};

__global__ void copy_statistics(std::int64_t size, float epsilon, const float* mean, const float* variance,
                                NormStatistics out) {
  for (std::int64_t j = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; j < size;
       j += std::int64_t{gridDim.x} * blockDim.x) {
    out.mean[j] = mean[j];
    out.inverse_deviation[j] = formula::inverse_deviation(variance[j], epsilon);
  }
}

struct Norm {
  BatchNormShape shape;
  bool relu;
  const float *gains, *biases;
  NormStatistics statistics;

  __device__ float sum(float x, std::int64_t j) const {
    return formula::batch_norm_sum(x, statistics.mean[j], gains[j] * statistics.inverse_deviation[j], biases[j]);
  }
  __device__ float normalised(float x, std::int64_t j) const {
    return (x - statistics.mean[j]) * statistics.inverse_deviation[j];
  }
  __device__ float error(float x, float dy, std::int64_t j) const { return relu && !(sum(x, j) > 0.0f) ? 0.0f : dy; }
};

__global__ void normalise_kernel(std::int64_t size, Norm norm, const float* x, float* y) {
  for (std::int64_t i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; i < size;
       i += std::int64_t{gridDim.x} * blockDim.x) {
    const float z = norm.sum(x[i], channel_of(norm.shape, i));
    y[i] = norm.relu && z < 0.0f ? 0.0f : z;
  }
}

struct GradientTerm {
  Norm norm;
  const float *x, *dy;
  __device__ TwoSums operator()(int replica, std::int64_t row, int channel) const {
    const std::int64_t at = (replica * norm.shape.rows + row) * norm.shape.channels + channel;
    const std::int64_t j = std::int64_t{replica} * norm.shape.channels + channel;
    const float error = norm.error(x[at], dy[at], j);
    return {static_cast<double>(error), static_cast<double>(error * norm.normalised(x[at], j))};
  }
};

struct StoreGradients {
  BatchNormShape shape;
  StatisticsOf statistics;
  NormGradients gradients;
  float *bias_part, *gain_part;
  __device__ void operator()(int replica, int channel, TwoSums sums) const {
    const std::int64_t j = std::int64_t{replica} * shape.channels + channel;
    const auto n = static_cast<double>(shape.rows);
    if (gradients.dbiases != nullptr) gradients.dbiases[j] = static_cast<float>(sums.first);
    if (gradients.dgains != nullptr) gradients.dgains[j] = static_cast<float>(sums.second);
    bias_part[j] = statistics == StatisticsOf::batch ? static_cast<float>(sums.first / n) : 0.0f;
    gain_part[j] = statistics == StatisticsOf::batch ? static_cast<float>(sums.second / n) : 0.0f;
  }
};

__global__ void dx_kernel(std::int64_t size, Norm norm, const float* x, const float* dy, const float* bias_part,
                          const float* gain_part, float* dx) {
  for (std::int64_t i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; i < size;
       i += std::int64_t{gridDim.x} * blockDim.x) {
    const std::int64_t j = channel_of(norm.shape, i);
    const float scale = norm.gains[j] * norm.statistics.inverse_deviation[j];
    dx[i] = scale * (norm.error(x[i], dy[i], j) - bias_part[j] - norm.normalised(x[i], j) * gain_part[j]);
  }
}

std::int64_t channels_of(BatchNormShape shape) { return std::int64_t{shape.replicas} * shape.channels; }

NormStatistics kept(Context::Cuda& state, BatchNormShape shape, NormStatistics saved) {
  const auto size = static_cast<std::size_t>(channels_of(shape));
  auto* own = static_cast<float*>(state.scratch(Scratch::norm_statistics, 2 * size * sizeof(float)));
  return {saved.mean != nullptr ? saved.mean : own,
          saved.inverse_deviation != nullptr ? saved.inverse_deviation : own + size};
}

void normalise(Context::Cuda& state, const Norm& norm, const float* x, float* y) {
  const std::int64_t size = channels_of(norm.shape) * norm.shape.rows;
  normalise_kernel<<<grid_size(size), k_threads, 0, state.stream>>>(size, norm, x, y);
  EOS_CUDA_CHECK(cudaGetLastError());
}

}  // namespace

void batch_norm_train(const Context& context, BatchNormShape shape, const BatchNormSpec& spec, const float* x,
                      const float* gains, const float* biases, float* y, NormStatistics saved,
                      RunningStatistics running) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  if (channels_of(shape) == 0 || shape.rows == 0) return;
  const NormStatistics statistics = kept(state, shape, saved);
  column_sums(state, {shape.replicas, shape.rows, shape.channels}, StatisticsTerm{shape, x},
              StoreStatistics{shape, spec, statistics, running});
  normalise(state, {shape, spec.activation.kind == Activation::relu, gains, biases, statistics}, x, y);
}

void batch_norm_evaluate(const Context& context, BatchNormShape shape, const BatchNormSpec& spec, const float* x,
                         const float* gains, const float* biases, const float* running_mean,
                         const float* running_variance, float* y, NormStatistics saved) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  const std::int64_t channels = channels_of(shape);
  if (channels == 0) return;
  const NormStatistics statistics = kept(state, shape, saved);
  copy_statistics<<<grid_size(channels), k_threads, 0, state.stream>>>(channels, spec.epsilon, running_mean,
                                                                       running_variance, statistics);
  EOS_CUDA_CHECK(cudaGetLastError());
  if (shape.rows == 0) return;
  normalise(state, {shape, spec.activation.kind == Activation::relu, gains, biases, statistics}, x, y);
}

void batch_norm_backward(const Context& context, BatchNormShape shape, const BatchNormSpec& spec,
                         StatisticsOf statistics, const float* x, const float* gains, const float* biases,
                         NormStatistics saved, const float* dy, NormGradients gradients) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  const std::int64_t channels = channels_of(shape), size = channels * shape.rows;
  if (channels == 0) return;
  auto* parts =
      static_cast<float*>(state.scratch(Scratch::norm_parts, 2 * static_cast<std::size_t>(channels) * sizeof(float)));
  const Norm norm{shape, spec.activation.kind == Activation::relu, gains, biases, saved};
  column_sums(state, {shape.replicas, shape.rows, shape.channels}, GradientTerm{norm, x, dy},
              StoreGradients{shape, statistics, gradients, parts, parts + channels});
  if (gradients.dx == nullptr || size == 0) return;
  dx_kernel<<<grid_size(size), k_threads, 0, state.stream>>>(size, norm, x, dy, parts, parts + channels, gradients.dx);
  EOS_CUDA_CHECK(cudaGetLastError());
}

}  // namespace eos::kernels::cuda
