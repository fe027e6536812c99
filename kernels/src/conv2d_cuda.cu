// Convolution on CUDA: matrices of patches for a bounded number of images of all replicas at a time, products over the
// replicas (matmul_cuda.hpp), and kernels for pooling, its reverse, and the sum of overlapping patches.
//
// Grouped cuDNN convolutions may be faster for large kernels; these products are the route that is the same for all
// shapes. With pooling only the sums inside whole windows are computed.
#include <algorithm>
#include <cstdint>

#include "activation_formula.hpp"
#include "eos/kernels/conv2d.hpp"
#include "matmul_cuda.hpp"

namespace eos::kernels::cuda {

namespace {

constexpr std::int64_t k_patch_bytes = std::int64_t{256} << 20;  ///< of patches at a time, if one image fits
constexpr int k_slices = 64;                                     ///< in which the bias gradient is summed

/// Sizes in 64 bits. The grid of sums is that of whole pooling windows where there is pooling.
struct Sizes {
  std::int64_t replicas, rows, height, width, in, out, kernel_h, kernel_w, stride, padding;
  std::int64_t grid_h, grid_w, places;  ///< sums of an image
  std::int64_t outputs;                 ///< values of y of an image
  std::int64_t patch;
  bool pooled;
};

Sizes sizes_of(const ConvShape& s) {
  const bool pooled = s.pool == 2;
  const std::int64_t grid_h = pooled ? 2 * s.out_height() : s.out_height();
  const std::int64_t grid_w = pooled ? 2 * s.out_width() : s.out_width();
  return {s.replicas,
          s.rows,
          s.height,
          s.width,
          s.in,
          s.out,
          s.kernel_h,
          s.kernel_w,
          s.stride,
          s.padding,
          grid_h,
          grid_w,
          grid_h * grid_w,
          std::int64_t{s.out_height()} * s.out_width() * s.out,
          std::int64_t{s.kernel_h} * s.kernel_w * s.in,
          pooled};
}

/// Images of each replica that are worked on together: [first, first + count).
struct Images {
  std::int64_t first, count;
};

std::int64_t images_at_a_time(const Sizes& s) {
  const std::int64_t bytes = s.replicas * s.places * s.patch * static_cast<std::int64_t>(sizeof(float));
  return std::clamp<std::int64_t>(k_patch_bytes / std::max<std::int64_t>(1, bytes), 1, s.rows);
}

__device__ std::int64_t first_index() { return blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; }
__device__ std::int64_t index_step() { return std::int64_t{gridDim.x} * blockDim.x; }

/// patches [replicas][count][places][patch]
__global__ void write_patches(Sizes s, Images images, const float* x, float* patches) {
  const std::int64_t size = s.replicas * images.count * s.places * s.patch;
  for (std::int64_t at = first_index(); at < size; at += index_step()) {
    std::int64_t left = at;
    const std::int64_t c = left % s.in;
    left /= s.in;
    const std::int64_t v = left % s.kernel_w;
    left /= s.kernel_w;
    const std::int64_t u = left % s.kernel_h;
    left /= s.kernel_h;
    const std::int64_t j = left % s.grid_w;
    left /= s.grid_w;
    const std::int64_t i = left % s.grid_h;
    left /= s.grid_h;
    const std::int64_t image = left / images.count * s.rows + images.first + left % images.count;
    const std::int64_t row = i * s.stride + u - s.padding, column = j * s.stride + v - s.padding;
    const bool inside = row >= 0 && row < s.height && column >= 0 && column < s.width;
    patches[at] = inside ? x[((image * s.height + row) * s.width + column) * s.in + c] : 0.0f;
  }
}

/// Positions of pooled value `at` of [replicas][count][out_h][out_w][out] in y and among the winners, and of its
/// window's first sum in [replicas][count][places][out].
struct Window {
  std::int64_t y, winner, sum;
};
__device__ Window window_of(const Sizes& s, Images images, std::int64_t at) {
  const std::int64_t half_w = s.grid_w / 2, half_h = s.grid_h / 2;
  const std::int64_t o = at % s.out, j = at / s.out % half_w, i = at / s.out / half_w % half_h;
  const std::int64_t image = at / s.outputs;  // among replicas * count
  const std::int64_t image_of_y = image / images.count * s.rows + images.first + image % images.count;
  return {image_of_y * s.outputs + at % s.outputs, image_of_y * ((s.outputs + 3) / 4 * 4) + at % s.outputs,
          ((image * s.grid_h + 2 * i) * s.grid_w + 2 * j) * s.out + o};
}

template <Activation kind>
__global__ void pool_sums(Sizes s, Images images, float leak, const float* sums, float* y, std::uint8_t* winners) {
  const std::int64_t size = s.replicas * images.count * s.outputs;
  for (std::int64_t at = first_index(); at < size; at += index_step()) {
    const Window window = window_of(s, images, at);
    float best = formula::activate<kind>(sums[window.sum], leak);
    int winner = 0;
    for (int k = 1; k < 4; ++k) {
      const float other = formula::activate<kind>(sums[window.sum + (k / 2 * s.grid_w + k % 2) * s.out], leak);
      if (other > best || other != other) best = other, winner = k;
    }
    y[window.y] = best;
    winners[window.winner] = static_cast<std::uint8_t>(winner);
  }
}

/// Derivatives of all sums from those of the winners.
__global__ void unpool(Sizes s, Images images, const float* dz, const std::uint8_t* winners, float* sums) {
  const std::int64_t size = s.replicas * images.count * s.outputs;
  for (std::int64_t at = first_index(); at < size; at += index_step()) {
    const Window window = window_of(s, images, at);
    const float value = dz[window.y];
    const int winner = winners[window.winner];
    for (int k = 0; k < 4; ++k) sums[window.sum + (k / 2 * s.grid_w + k % 2) * s.out] = k == winner ? value : 0.0f;
  }
}

/// dx of the images from the gradients of patches [replicas][count][places][patch]: one thread a value, in order of the
/// kernel's taps.
template <Activation kind>
__global__ void add_patches(Sizes s, Images images, float leak, const float* patches, const float* x, float* dx) {
  const std::int64_t pixels = s.height * s.width, size = s.replicas * images.count * pixels * s.in;
  for (std::int64_t at = first_index(); at < size; at += index_step()) {
    const std::int64_t c = at % s.in, column = at / s.in % s.width, row = at / s.in / s.width % s.height;
    const std::int64_t image = at / s.in / pixels;  // among replicas * count
    float sum = 0;
    for (std::int64_t u = 0; u < s.kernel_h; ++u) {
      const std::int64_t below = row + s.padding - u;
      if (below < 0 || below % s.stride != 0 || below / s.stride >= s.grid_h) continue;
      for (std::int64_t v = 0; v < s.kernel_w; ++v) {
        const std::int64_t right = column + s.padding - v;
        if (right < 0 || right % s.stride != 0 || right / s.stride >= s.grid_w) continue;
        const std::int64_t place = (image * s.grid_h + below / s.stride) * s.grid_w + right / s.stride;
        sum += patches[place * s.patch + (u * s.kernel_w + v) * s.in + c];
      }
    }
    const std::int64_t image_of_x = image / images.count * s.rows + images.first + image % images.count;
    const std::int64_t to = (image_of_x * pixels + row * s.width + column) * s.in + c;
    if constexpr (kind == Activation::relu) {
      dx[to] = x[to] > 0 ? sum : 0.0f;  // assigned, not multiplied: 0 also where the gradient is infinite
    } else {
      dx[to] = sum * formula::slope<kind>(x[to], leak);
    }
  }
}

template <Activation kind>
__global__ void activate(std::int64_t size, float leak, float* y) {
  for (std::int64_t i = first_index(); i < size; i += index_step()) y[i] = formula::activate<kind>(y[i], leak);
}

/// Column sums of a slice of dz [rows][out] of each replica: 32 columns a block, 8 rows of threads, added in order.
__global__ void sum_slices(std::int64_t rows, std::int64_t out, const float* dz, float* parts) {
  __shared__ float partial[8][32];
  const int lane = threadIdx.x % 32, part = threadIdx.x / 32;
  const std::int64_t column = blockIdx.x * std::int64_t{32} + lane;
  const std::int64_t begin = rows * blockIdx.z / gridDim.z, end = rows * (blockIdx.z + 1) / gridDim.z;
  const float* from = dz + blockIdx.y * rows * out;
  float sum = 0;
  for (std::int64_t i = begin + part; column < out && i < end; i += 8) sum += from[i * out + column];
  partial[part][lane] = sum;
  __syncthreads();
  if (part != 0 || column >= out) return;
  for (int p = 1; p < 8; ++p) sum += partial[p][lane];
  parts[(std::int64_t{blockIdx.z} * gridDim.y + blockIdx.y) * out + column] = sum;
}

__global__ void add_slices(std::int64_t size, std::int64_t out, std::int64_t stride, const float* parts, float* db) {
  for (std::int64_t i = first_index(); i < size; i += index_step()) {
    float sum = 0;
    for (int s = 0; s < k_slices; ++s) sum += parts[s * size + i];
    db[i / out * stride + i % out] = sum;
  }
}

void sum_derivatives(Context::Cuda& state, const Sizes& s, const float* dz, float* db, std::int64_t stride) {
  const std::int64_t rows = s.rows * s.outputs / s.out, size = s.replicas * s.out;
  auto* parts = static_cast<float*>(
      state.scratch(Scratch::conv_bias_parts, static_cast<std::size_t>(k_slices * size) * sizeof(float)));
  const dim3 blocks(static_cast<unsigned>((s.out + 31) / 32), static_cast<unsigned>(s.replicas), k_slices);
  sum_slices<<<blocks, k_threads, 0, state.stream>>>(rows, s.out, dz, parts);
  EOS_CUDA_CHECK(cudaGetLastError());
  add_slices<<<grid_size(size), k_threads, 0, state.stream>>>(size, s.out, stride, parts, db);
  EOS_CUDA_CHECK(cudaGetLastError());
}

float* patch_memory(Context::Cuda& state, const Sizes& s) {
  const std::int64_t size = s.replicas * images_at_a_time(s) * s.places * s.patch;
  return static_cast<float*>(state.scratch(Scratch::conv_patches, static_cast<std::size_t>(size) * sizeof(float)));
}

float* sum_memory(Context::Cuda& state, const Sizes& s) {
  const std::int64_t size = s.pooled ? s.replicas * images_at_a_time(s) * s.places * s.out : 0;
  if (size == 0) return nullptr;
  return static_cast<float*>(state.scratch(Scratch::conv_sums, static_cast<std::size_t>(size) * sizeof(float)));
}

void make_patches(Context::Cuda& state, const Sizes& s, Images images, const float* x, float* patches) {
  const std::int64_t size = s.replicas * images.count * s.places * s.patch;
  write_patches<<<grid_size(size), k_threads, 0, state.stream>>>(s, images, x, patches);
  EOS_CUDA_CHECK(cudaGetLastError());
}

/// Derivatives of the sums of some images, and their stride from replica to replica.
struct Derivatives {
  const float* values;
  std::int64_t stride;
};

Derivatives derivatives_of(Context::Cuda& state, const Sizes& s, Images images, const float* dz,
                           const std::uint8_t* winners, float* sums) {
  if (!s.pooled) return {dz + images.first * s.outputs, s.rows * s.outputs};
  const std::int64_t size = s.replicas * images.count * s.outputs;
  unpool<<<grid_size(size), k_threads, 0, state.stream>>>(s, images, dz, winners, sums);
  EOS_CUDA_CHECK(cudaGetLastError());
  return {sums, images.count * s.places * s.out};
}

/// Calls body(images) for pieces of the batch.
template <class Body>
void for_pieces(const Sizes& s, Body body) {
  const std::int64_t step = images_at_a_time(s);
  for (std::int64_t first = 0; first < s.rows; first += step) body(Images{first, std::min(step, s.rows - first)});
}

}  // namespace

void conv2d_forward(const Context& context, ConvShape shape, const float* x, const float* w, const float* b,
                    ActivationSpec activation, float* y, std::uint8_t* winners) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  const Sizes s = sizes_of(shape);
  const std::int64_t outputs = s.replicas * s.rows * s.outputs;
  if (outputs == 0) return;
  float* patches = patch_memory(state, s);
  float* sums = sum_memory(state, s);
  const bool relu = !s.pooled && activation.kind == Activation::relu;
  for_pieces(s, [&](Images images) {
    make_patches(state, s, images, x, patches);
    // sums^T = w^T patches^T
    Product p{shape.replicas,
              s.out,
              images.count * s.places,
              s.patch,
              CUBLAS_OP_N,
              CUBLAS_OP_N,
              w,
              patches,
              sums,
              b,
              shape.weight_stride(),
              images.count * s.places * s.patch,
              images.count * s.places * s.out,
              shape.bias_stride(),
              relu};
    if (!s.pooled) p.d = y + images.first * s.outputs, p.d_stride = s.rows * s.outputs;
    multiply(state, p);
    if (!s.pooled) return;
    formula::with_kind(activation.kind, [&](auto constant) {
      pool_sums<decltype(constant)::kind>
          <<<grid_size(s.replicas * images.count * s.outputs), k_threads, 0, state.stream>>>(s, images, activation.leak,
                                                                                             sums, y, winners);
    });
    EOS_CUDA_CHECK(cudaGetLastError());
  });
  if (s.pooled || relu || activation.kind == Activation::identity) return;
  formula::with_kind(activation.kind, [&](auto constant) {
    activate<decltype(constant)::kind><<<grid_size(outputs), k_threads, 0, state.stream>>>(outputs, activation.leak, y);
  });
  EOS_CUDA_CHECK(cudaGetLastError());
}

void conv2d_backward_weights(const Context& context, ConvShape shape, const float* x, const float* dz,
                             const std::uint8_t* winners, float* dw, float* db) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  const Sizes s = sizes_of(shape);
  if (s.replicas == 0) return;
  if (s.rows * s.outputs == 0) {
    for (int r = 0; r < shape.replicas; ++r) {
      const auto weights = static_cast<std::size_t>(s.patch * s.out), biases = static_cast<std::size_t>(s.out);
      EOS_CUDA_CHECK(cudaMemsetAsync(dw + r * shape.weight_stride(), 0, weights * sizeof *dw, state.stream));
      if (db == nullptr) continue;
      EOS_CUDA_CHECK(cudaMemsetAsync(db + r * shape.bias_stride(), 0, biases * sizeof *db, state.stream));
    }
    return;
  }
  if (db != nullptr) sum_derivatives(state, s, dz, db, shape.bias_stride());
  float* patches = patch_memory(state, s);
  float* sums = sum_memory(state, s);
  for_pieces(s, [&](Images images) {
    make_patches(state, s, images, x, patches);
    const Derivatives d = derivatives_of(state, s, images, dz, winners, sums);
    // dw^T = dz^T patches
    multiply(state,
             {shape.replicas, s.out, s.patch, images.count * s.places, CUBLAS_OP_N, CUBLAS_OP_T, d.values, patches, dw,
              nullptr, d.stride, images.count * s.places * s.patch, shape.weight_stride(), 0, false, images.first > 0});
  });
}

void conv2d_backward_inputs(const Context& context, ConvShape shape, const float* dz, const std::uint8_t* winners,
                            const float* w, const float* x, ActivationSpec activation_of_x, float* dx) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  const Sizes s = sizes_of(shape);
  const std::int64_t pixels = s.height * s.width;
  if (s.replicas * s.rows == 0) return;
  if (s.outputs == 0) {
    const std::int64_t size = s.replicas * s.rows * pixels * s.in;
    EOS_CUDA_CHECK(cudaMemsetAsync(dx, 0, static_cast<std::size_t>(size) * sizeof *dx, state.stream));
    return;
  }
  float* patches = patch_memory(state, s);
  float* sums = sum_memory(state, s);
  for_pieces(s, [&](Images images) {
    const Derivatives d = derivatives_of(state, s, images, dz, winners, sums);
    // gradients of patches^T = w dz^T
    multiply(state, {shape.replicas, s.patch, images.count * s.places, s.out, CUBLAS_OP_T, CUBLAS_OP_N, w, d.values,
                     patches, nullptr, shape.weight_stride(), d.stride, images.count * s.places * s.patch});
    formula::with_kind(activation_of_x.kind, [&](auto constant) {
      add_patches<decltype(constant)::kind>
          <<<grid_size(s.replicas * images.count * pixels * s.in), k_threads, 0, state.stream>>>(
              s, images, activation_of_x.leak, patches, x, dx);
    });
    EOS_CUDA_CHECK(cudaGetLastError());
  });
}

}  // namespace eos::kernels::cuda
