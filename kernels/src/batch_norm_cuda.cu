// Batch normalisation on CUDA: sums over rows by column_sums.cuh, then one element-wise pass.
#include "batch_norm_formula.hpp"
#include "column_sums.cuh"

namespace eos::kernels::cuda {

namespace {

/// Of which replica and channel an entry is.
struct Place {
  std::int64_t replica;
  int channel;
};
__device__ Place place_of(BatchNormShape shape, std::int64_t at) {
  return {at / (shape.rows * shape.channels), static_cast<int>(at % shape.channels)};
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
  float *saved, *running;
  __device__ void operator()(int replica, int channel, TwoSums sums) const {
    formula::finish_statistics(sums.first, sums.second, static_cast<double>(shape.rows), spec, shape.channels,
                               saved + 2 * std::int64_t{replica} * shape.channels + channel,
                               running == nullptr ? nullptr : running + replica * shape.running_stride() + channel);
  }
};

__global__ void copy_statistics(BatchNormShape shape, float epsilon, const float* running, float* saved) {
  const std::int64_t size = 2 * std::int64_t{shape.replicas} * shape.channels;
  for (std::int64_t i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; i < size;
       i += std::int64_t{gridDim.x} * blockDim.x) {
    const std::int64_t replica = i / (2 * shape.channels), j = i % (2 * shape.channels);
    const float value = running[replica * shape.running_stride() + j];
    saved[i] = j < shape.channels ? value : formula::inverse_deviation(value, epsilon);
  }
}

struct Norm {
  BatchNormShape shape;
  bool relu;
  const float *gains, *biases, *saved;

  __device__ float mean(Place p) const { return saved[2 * p.replica * shape.channels + p.channel]; }
  __device__ float inverse(Place p) const { return saved[(2 * p.replica + 1) * shape.channels + p.channel]; }
  __device__ float scale(Place p) const { return gains[p.replica * shape.parameter_stride() + p.channel] * inverse(p); }
  __device__ float sum(float x, Place p) const {
    return formula::batch_norm_sum(x, mean(p), scale(p), biases[p.replica * shape.parameter_stride() + p.channel]);
  }
  __device__ float normalised(float x, Place p) const { return (x - mean(p)) * inverse(p); }
  __device__ float error(float x, float dy, Place p) const { return relu && !(sum(x, p) > 0.0f) ? 0.0f : dy; }
};

__global__ void normalise_kernel(std::int64_t size, Norm norm, const float* x, float* y) {
  for (std::int64_t i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; i < size;
       i += std::int64_t{gridDim.x} * blockDim.x) {
    const float z = norm.sum(x[i], place_of(norm.shape, i));
    y[i] = norm.relu && z < 0.0f ? 0.0f : z;
  }
}

struct GradientTerm {
  Norm norm;
  const float *x, *dy;
  __device__ TwoSums operator()(int replica, std::int64_t row, int channel) const {
    const std::int64_t at = (replica * norm.shape.rows + row) * norm.shape.channels + channel;
    const Place place{replica, channel};
    const float error = norm.error(x[at], dy[at], place);
    return {static_cast<double>(error), static_cast<double>(error * norm.normalised(x[at], place))};
  }
};

struct StoreGradients {
  BatchNormShape shape;
  StatisticsOf statistics;
  NormGradients gradients;
  float *bias_part, *gain_part;
  __device__ void operator()(int replica, int channel, TwoSums sums) const {
    const std::int64_t j = std::int64_t{replica} * shape.channels + channel;
    const std::int64_t parameter = replica * shape.parameter_stride() + channel;
    const auto n = static_cast<double>(shape.rows);
    if (gradients.dbiases != nullptr) gradients.dbiases[parameter] = static_cast<float>(sums.first);
    if (gradients.dgains != nullptr) gradients.dgains[parameter] = static_cast<float>(sums.second);
    bias_part[j] = statistics == StatisticsOf::batch ? static_cast<float>(sums.first / n) : 0.0f;
    gain_part[j] = statistics == StatisticsOf::batch ? static_cast<float>(sums.second / n) : 0.0f;
  }
};

__global__ void dx_kernel(std::int64_t size, Norm norm, const float* x, const float* dy, const float* bias_part,
                          const float* gain_part, float* dx) {
  for (std::int64_t i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; i < size;
       i += std::int64_t{gridDim.x} * blockDim.x) {
    const Place place = place_of(norm.shape, i);
    const std::int64_t j = place.replica * norm.shape.channels + place.channel;
    dx[i] = norm.scale(place) *
            (norm.error(x[i], dy[i], place) - bias_part[j] - norm.normalised(x[i], place) * gain_part[j]);
  }
}

std::int64_t channels_of(BatchNormShape shape) { return std::int64_t{shape.replicas} * shape.channels; }

float* kept(Context::Cuda& state, BatchNormShape shape, float* saved) {
  if (saved != nullptr) return saved;
  const auto size = 2 * static_cast<std::size_t>(channels_of(shape));
  return static_cast<float*>(state.scratch(Scratch::norm_statistics, size * sizeof(float)));
}

void normalise(Context::Cuda& state, const Norm& norm, const float* x, float* y) {
  const std::int64_t size = channels_of(norm.shape) * norm.shape.rows;
  normalise_kernel<<<grid_size(size), k_threads, 0, state.stream>>>(size, norm, x, y);
  EOS_CUDA_CHECK(cudaGetLastError());
}

}  // namespace

void batch_norm_train(const Context& context, BatchNormShape shape, const BatchNormSpec& spec, const float* x,
                      const float* gains, const float* biases, float* y, float* saved, float* running) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  if (channels_of(shape) == 0 || shape.rows == 0) return;
  float* statistics = kept(state, shape, saved);
  column_sums(state, {shape.replicas, shape.rows, shape.channels}, StatisticsTerm{shape, x},
              StoreStatistics{shape, spec, statistics, running});
  normalise(state, {shape, spec.activation.kind == Activation::relu, gains, biases, statistics}, x, y);
}

void batch_norm_evaluate(const Context& context, BatchNormShape shape, const BatchNormSpec& spec, const float* x,
                         const float* gains, const float* biases, const float* running, float* y, float* saved) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  const std::int64_t channels = channels_of(shape);
  if (channels == 0) return;
  float* statistics = kept(state, shape, saved);
  copy_statistics<<<grid_size(2 * channels), k_threads, 0, state.stream>>>(shape, spec.epsilon, running, statistics);
  EOS_CUDA_CHECK(cudaGetLastError());
  if (shape.rows == 0) return;
  normalise(state, {shape, spec.activation.kind == Activation::relu, gains, biases, statistics}, x, y);
}

void batch_norm_backward(const Context& context, BatchNormShape shape, const BatchNormSpec& spec,
                         StatisticsOf statistics, const float* x, const float* gains, const float* biases,
                         const float* saved, const float* dy, NormGradients gradients) {
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
