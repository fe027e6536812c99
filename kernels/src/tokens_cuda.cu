// Positions, class token and choice of the first token on CUDA: one thread an entry, sums over samples in order.
#include <cstdint>

#include "cuda_state.hpp"

namespace eos::kernels::cuda {

namespace {

/// Calls body(entry) for entries [0, size), a grid-stride loop.
template <class Body>
__global__ void entry_kernel(std::int64_t size, Body body) {
  for (std::int64_t e = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; e < size;
       e += std::int64_t{gridDim.x} * blockDim.x) {
    body(e);
  }
}

template <class Body>
void for_entries(const Context& context, std::int64_t size, Body body) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  if (size == 0) return;
  entry_kernel<<<grid_size(size), k_threads, 0, state.stream>>>(size, body);
  EOS_CUDA_CHECK(cudaGetLastError());
}

struct AddPositions {
  std::int64_t rows, sample, stride;
  const float *in, *table;
  float* out;
  __device__ void operator()(std::int64_t e) const { out[e] = in[e] + table[e / sample / rows * stride + e % sample]; }
};

/// sums[r][c] = sum over samples of the first `size` entries of samples `sample` long.
struct SumSamples {
  std::int64_t rows, sample, size, stride;
  const float* values;
  float* sums;
  __device__ void operator()(std::int64_t e) const {
    const std::int64_t r = e / size, c = e - r * size;
    float sum = 0;
    for (std::int64_t i = r * rows; i < (r + 1) * rows; ++i) sum += values[i * sample + c];
    sums[r * stride + c] = sum;
  }
};

struct Prepend {
  std::int64_t rows, sample, width, stride;  ///< sample: entries of an input sample
  const float *in, *token;
  float* out;
  __device__ void operator()(std::int64_t e) const {
    const std::int64_t i = e / (sample + width), c = e - i * (sample + width);
    out[e] = c < width ? token[i / rows * stride + c] : in[i * sample + c - width];
  }
};

/// Entries of samples without the `skipped` first.
struct CopyBehind {
  std::int64_t sample, skipped;  ///< sample: entries of a sample that is copied
  const float* from;
  float* to;
  __device__ void operator()(std::int64_t e) const { to[e] = from[e + (e / sample + 1) * skipped]; }
};

struct SelectFirst {
  std::int64_t sample, width;
  const float* in;
  float* out;
  __device__ void operator()(std::int64_t e) const { out[e] = in[e / width * sample + e % width]; }
};

struct SpreadFirst {
  std::int64_t sample, width;
  const float* dout;
  float* din;
  __device__ void operator()(std::int64_t e) const {
    const std::int64_t i = e / sample, c = e - i * sample;
    din[e] = c < width ? dout[i * width + c] : 0.0f;
  }
};

std::int64_t sample_size(TokensShape shape) { return std::int64_t{shape.tokens} * shape.width; }
std::int64_t samples(TokensShape shape) { return std::int64_t{shape.replicas} * shape.rows; }

}  // namespace

void add_positions(const Context& context, TokensShape shape, const float* in, const float* table, float* out) {
  const std::int64_t size = sample_size(shape);
  for_entries(context, samples(shape) * size, AddPositions{shape.rows, size, shape.table_stride(), in, table, out});
}

void add_positions_backward(const Context& context, TokensShape shape, const float* dout, float* dtable) {
  const std::int64_t size = sample_size(shape);
  for_entries(context, shape.replicas * size, SumSamples{shape.rows, size, size, shape.table_stride(), dout, dtable});
}

void prepend_token(const Context& context, TokensShape shape, const float* in, const float* token, float* out) {
  const std::int64_t size = sample_size(shape), width = shape.width;
  for_entries(context, samples(shape) * (size + width),
              Prepend{shape.rows, size, width, shape.token_stride(), in, token, out});
}

void prepend_token_backward(const Context& context, TokensShape shape, const float* dout, float* dtoken, float* din) {
  const std::int64_t size = sample_size(shape), width = shape.width;
  if (dtoken != nullptr)
    for_entries(context, shape.replicas * width,
                SumSamples{shape.rows, size + width, width, shape.token_stride(), dout, dtoken});
  if (din != nullptr) for_entries(context, samples(shape) * size, CopyBehind{size, width, dout, din});
}

void select_first_token(const Context& context, TokensShape shape, const float* in, float* out) {
  for_entries(context, samples(shape) * shape.width, SelectFirst{sample_size(shape), shape.width, in, out});
}

void select_first_token_backward(const Context& context, TokensShape shape, const float* dout, float* din) {
  const std::int64_t size = sample_size(shape);
  for_entries(context, samples(shape) * size, SpreadFirst{size, shape.width, dout, din});
}

}  // namespace eos::kernels::cuda
