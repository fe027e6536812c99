// Pooling on CUDA: one thread a value of the result; gradients gather from the windows that hold a pixel, in order.
#include <cstdint>

#include "activation_formula.hpp"
#include "cuda_state.hpp"
#include "eos/kernels/pool.hpp"

namespace eos::kernels::cuda {

namespace {

/// PoolShape with the sizes of the result.
struct Sizes {
  std::int64_t images, height, width, channels, kernel_h, kernel_w, stride, padding, out_height, out_width;
};

Sizes sizes_of(const PoolShape& s) {
  return {s.images,   s.height, s.width,   s.channels,     s.kernel_h,
          s.kernel_w, s.stride, s.padding, s.out_height(), s.out_width()};
}

__device__ std::int64_t first_index() { return blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; }
__device__ std::int64_t index_step() { return std::int64_t{gridDim.x} * blockDim.x; }

/// Calls body(position in x, place within the window) for the pixels of the window of value `at` of y.
template <class Body>
__device__ void for_pixels(const Sizes& s, std::int64_t at, Body body) {
  const std::int64_t c = at % s.channels, j = at / s.channels % s.out_width;
  const std::int64_t i = at / s.channels / s.out_width % s.out_height;
  const std::int64_t image = at / s.channels / s.out_width / s.out_height;
  for (std::int64_t u = 0; u < s.kernel_h; ++u) {
    const std::int64_t row = i * s.stride + u - s.padding;
    if (row < 0 || row >= s.height) continue;
    for (std::int64_t v = 0; v < s.kernel_w; ++v) {
      const std::int64_t column = j * s.stride + v - s.padding;
      if (column < 0 || column >= s.width) continue;
      body(((image * s.height + row) * s.width + column) * s.channels + c, static_cast<int>(u * s.kernel_w + v));
    }
  }
}

/// Calls body(position in y, place within the window) for the windows that hold value `at` of x, in order of windows.
template <class Body>
__device__ void for_windows(const Sizes& s, std::int64_t at, Body body) {
  const std::int64_t c = at % s.channels, column = at / s.channels % s.width + s.padding;
  const std::int64_t row = at / s.channels / s.width % s.height + s.padding;
  const std::int64_t image = at / s.channels / s.width / s.height;
  const std::int64_t i0 = row < s.kernel_h ? 0 : (row - s.kernel_h) / s.stride + 1;
  const std::int64_t j0 = column < s.kernel_w ? 0 : (column - s.kernel_w) / s.stride + 1;
  for (std::int64_t i = i0; i < s.out_height && i * s.stride <= row; ++i) {
    for (std::int64_t j = j0; j < s.out_width && j * s.stride <= column; ++j) {
      body(((image * s.out_height + i) * s.out_width + j) * s.channels + c,
           static_cast<int>((row - i * s.stride) * s.kernel_w + column - j * s.stride));
    }
  }
}

template <Activation kind>
__device__ float with_slope(float sum, float x, float leak) {
  if constexpr (kind == Activation::relu) return x > 0 ? sum : 0.0f;  // 0 also where the gradient is infinite
  return sum * formula::slope<kind>(x, leak);
}

__global__ void max_forward(Sizes s, std::int64_t size, const float* x, float* y, std::int32_t* winners) {
  for (std::int64_t at = first_index(); at < size; at += index_step()) {
    float best = 0;
    int winner = -1;
    for_pixels(s, at, [&](std::int64_t from, int k) {
      const float value = x[from];
      if (winner < 0 || value > best || value != value) best = value, winner = k;
    });
    y[at] = best;
    winners[at] = winner;
  }
}

template <Activation kind>
__global__ void max_backward(Sizes s, std::int64_t size, float leak, const float* dy, const std::int32_t* winners,
                             const float* x, float* dx) {
  for (std::int64_t at = first_index(); at < size; at += index_step()) {
    float sum = 0;
    for_windows(s, at, [&](std::int64_t from, int k) {
      if (winners[from] == k) sum += dy[from];
    });
    dx[at] = with_slope<kind>(sum, x[at], leak);
  }
}

__global__ void average_forward(Sizes s, std::int64_t size, const float* x, float* y) {
  for (std::int64_t at = first_index(); at < size; at += index_step()) {
    float sum = 0;
    for_pixels(s, at, [&](std::int64_t from, int) { sum += x[from]; });
    y[at] = sum / static_cast<float>(s.kernel_h * s.kernel_w);
  }
}

template <Activation kind>
__global__ void average_backward(Sizes s, std::int64_t size, float leak, const float* dy, const float* x, float* dx) {
  const float share = 1.0f / static_cast<float>(s.kernel_h * s.kernel_w);
  for (std::int64_t at = first_index(); at < size; at += index_step()) {
    float sum = 0;
    for_windows(s, at, [&](std::int64_t from, int) { sum += share * dy[from]; });
    dx[at] = with_slope<kind>(sum, x[at], leak);
  }
}

std::int64_t inputs(const Sizes& s) { return s.images * s.height * s.width * s.channels; }
std::int64_t outputs(const Sizes& s) { return s.images * s.out_height * s.out_width * s.channels; }

/// Calls launch(sizes, entries, stream) unless there is nothing to do.
template <class Launch>
void start(const Context& context, const PoolShape& shape, std::int64_t (*count)(const Sizes&), Launch launch) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  const Sizes s = sizes_of(shape);
  const std::int64_t size = count(s);
  if (size == 0) return;
  launch(s, size, state.stream);
  EOS_CUDA_CHECK(cudaGetLastError());
}

}  // namespace

void max_pool_forward(const Context& context, PoolShape shape, const float* x, float* y, std::int32_t* winners) {
  start(context, shape, outputs, [=](const Sizes& s, std::int64_t size, cudaStream_t stream) {
    max_forward<<<grid_size(size), k_threads, 0, stream>>>(s, size, x, y, winners);
  });
}

void max_pool_backward(const Context& context, PoolShape shape, const float* dy, const std::int32_t* winners,
                       const float* x, ActivationSpec activation_of_x, float* dx) {
  start(context, shape, inputs, [=](const Sizes& s, std::int64_t size, cudaStream_t stream) {
    formula::with_kind(activation_of_x.kind, [&](auto constant) {
      max_backward<decltype(constant)::kind>
          <<<grid_size(size), k_threads, 0, stream>>>(s, size, activation_of_x.leak, dy, winners, x, dx);
    });
  });
}

void average_pool_forward(const Context& context, PoolShape shape, const float* x, float* y) {
  start(context, shape, outputs, [=](const Sizes& s, std::int64_t size, cudaStream_t stream) {
    average_forward<<<grid_size(size), k_threads, 0, stream>>>(s, size, x, y);
  });
}

void average_pool_backward(const Context& context, PoolShape shape, const float* dy, const float* x,
                           ActivationSpec activation_of_x, float* dx) {
  start(context, shape, inputs, [=](const Sizes& s, std::int64_t size, cudaStream_t stream) {
    formula::with_kind(activation_of_x.kind, [&](auto constant) {
      average_backward<decltype(constant)::kind>
          <<<grid_size(size), k_threads, 0, stream>>>(s, size, activation_of_x.leak, dy, x, dx);
    });
  });
}

}  // namespace eos::kernels::cuda
