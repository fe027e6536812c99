// Attention on CUDA: one block of 16 x 16 threads for a head and a tile of queries (of keys, for the gradients of keys
// and values), which passes over tiles of the other side in shared memory. Single precision throughout, no atomics.
//
// Forward: online softmax (Dao et al. 2022, FlashAttention, algorithm 1): with a new tile the maximum m of a row moves
// to m', and sums so far are multiplied by exp(m - m'). Backward in two kernels that recompute probabilities from the
// log-sum-exp, so that each sum has one owner and one order. Heads are padded with zeros to 32, 64 or 128 columns.
#include <cmath>
#include <cstdint>

#include "cuda_state.hpp"
#include "exp_formula.hpp"

namespace eos::kernels::cuda {

namespace {

constexpr int k_side = 16;  ///< threads along each side of a block

struct Call {
  std::int64_t heads_in_all;  ///< replicas * rows * heads
  int tokens, heads, size, width;
  bool causal;
  float scale;
  const float* qkv;
  float *out, *lse;
  const float *forward_out, *forward_lse, *dout;
  float* dqkv;
};

/// What a block works on: arrays of its head, rows of qkv `stride` apart, rows of out `width` apart.
struct Head {
  std::int64_t stride, place;
  const float *q, *k, *v;
  __device__ Head(const Call& call, std::int64_t index) {
    const std::int64_t sample = index / call.heads, h = index - sample * call.heads;
    stride = 3 * static_cast<std::int64_t>(call.width);
    place = sample * call.tokens * call.width + h * call.size;
    q = call.qkv + sample * call.tokens * stride + h * call.size;
    k = q + call.width, v = k + call.width;
  }
};

/// A tile of tokens [rows][columns] in shared memory, four floats longer a row, so that rows begin at other banks.
template <int rows, int columns>
struct Tile {
  static constexpr int k_line = columns + 4;
  float at[rows * k_line];

  /// Tokens [first, first + rows) of an array; zeros beyond its end and beyond the head's `size` columns.
  __device__ void load(const float* from, std::int64_t stride, int first, int tokens, int size) {
    for (int e = threadIdx.y * k_side + threadIdx.x; e < rows * columns; e += k_side * k_side) {
      const int i = e / columns, c = e - i * columns;
      at[i * k_line + c] = first + i < tokens && c < size ? from[(first + i) * stride + c] : 0.0f;
    }
  }
  __device__ const float* row(int i) const { return at + i * k_line; }
};

/// This thread's sums of a product: rows threadIdx.y + 16 i, columns threadIdx.x + 16 j.
template <int height, int width>
struct Sums {
  float of[height][width];
  __device__ void clear() {
    for (int i = 0; i < height; ++i) {
      for (int j = 0; j < width; ++j) of[i][j] = 0;
    }
  }
};

/// a b^T over the columns of two tiles.
template <int tile, int columns>
__device__ void multiply_rows(const Tile<tile, columns>& a, const Tile<tile, columns>& b,
                              Sums<tile / k_side, tile / k_side>& sums) {
  constexpr int n = tile / k_side;
  sums.clear();
#pragma unroll 4
  for (int c = 0; c < columns; c += 4) {
    float4 left[n], right[n];
#pragma unroll
    for (int i = 0; i < n; ++i) left[i] = *reinterpret_cast<const float4*>(a.row(threadIdx.y + k_side * i) + c);
#pragma unroll
    for (int j = 0; j < n; ++j) right[j] = *reinterpret_cast<const float4*>(b.row(threadIdx.x + k_side * j) + c);
#pragma unroll
    for (int i = 0; i < n; ++i) {
#pragma unroll
      for (int j = 0; j < n; ++j) {
        float sum = fmaf(left[i].x, right[j].x, sums.of[i][j]);
        sum = fmaf(left[i].y, right[j].y, sum);
        sum = fmaf(left[i].z, right[j].z, sum);
        sums.of[i][j] = fmaf(left[i].w, right[j].w, sum);
      }
    }
  }
}

/// Adds p b, or p^T b, with p a tile of probabilities.
template <bool transposed, int tile, int columns>
__device__ void add_product(const Tile<tile, tile>& p, const Tile<tile, columns>& b,
                            Sums<tile / k_side, columns / k_side>& sums) {
  constexpr int n = tile / k_side, m = columns / k_side;
  for (int t = 0; t < tile; ++t) {
    float right[m];
#pragma unroll
    for (int j = 0; j < m; ++j) right[j] = b.row(t)[threadIdx.x + k_side * j];
#pragma unroll
    for (int i = 0; i < n; ++i) {
      const int own = threadIdx.y + k_side * i;
      const float left = transposed ? p.row(t)[own] : p.row(own)[t];
#pragma unroll
      for (int j = 0; j < m; ++j) sums.of[i][j] = fmaf(left, right[j], sums.of[i][j]);
    }
  }
}

/// Over the 16 threads that share a row of sums: lanes of one half of a warp.
__device__ float row_maximum(float value) {
  for (int offset = k_side / 2; offset > 0; offset /= 2)
    value = fmaxf(value, __shfl_xor_sync(0xFFFFFFFFu, value, offset));
  return value;
}
__device__ float row_sum(float value) {
  for (int offset = k_side / 2; offset > 0; offset /= 2) value += __shfl_xor_sync(0xFFFFFFFFu, value, offset);
  return value;
}

/// Writes this thread's sums times factor to tokens [first, ...) of an array.
template <int tile, int columns>
__device__ void store(const Sums<tile / k_side, columns / k_side>& sums, float factor, int first, const Call& call,
                      float* to, std::int64_t stride) {
#pragma unroll
  for (int i = 0; i < tile / k_side; ++i) {
    const int token = first + threadIdx.y + k_side * i;
#pragma unroll
    for (int j = 0; j < columns / k_side; ++j) {
      const int c = threadIdx.x + k_side * j;
      if (token < call.tokens && c < call.size) to[token * stride + c] = factor * sums.of[i][j];
    }
  }
}

__device__ bool sees(const Call& call, int query, int key) {
  return query < call.tokens && key < call.tokens && (!call.causal || key <= query);
}

template <int tile, int columns>
struct ForwardMemory {
  Tile<tile, columns> q, k, v;
  Tile<tile, tile> p;
};

template <int tile, int columns>
__global__ void forward_kernel(Call call) {
  extern __shared__ float4 memory[];
  auto& m = *reinterpret_cast<ForwardMemory<tile, columns>*>(memory);
  constexpr int n = tile / k_side;
  const Head head(call, blockIdx.y);
  const int first = blockIdx.x * tile;
  Sums<n, n> scores;
  Sums<n, columns / k_side> out;
  float top[n], sum[n];
  out.clear();
  for (int i = 0; i < n; ++i) top[i] = -INFINITY, sum[i] = 0;
  m.q.load(head.q, head.stride, first, call.tokens, call.size);
  const int end = call.causal && first + tile < call.tokens ? first + tile : call.tokens;
  for (int key = 0; key < end; key += tile) {
    __syncthreads();
    m.k.load(head.k, head.stride, key, call.tokens, call.size);
    m.v.load(head.v, head.stride, key, call.tokens, call.size);
    __syncthreads();
    multiply_rows(m.q, m.k, scores);
#pragma unroll
    for (int i = 0; i < n; ++i) {
      const int query = first + threadIdx.y + k_side * i;
      float best = top[i], added = 0;
#pragma unroll
      for (int j = 0; j < n; ++j) {
        float& s = scores.of[i][j];
        s = sees(call, query, key + threadIdx.x + k_side * j) ? s * call.scale : -INFINITY;
        best = fmaxf(best, s);
      }
      best = row_maximum(best);
      // A row beyond the last token sees nothing: its maximum stays minus infinity, and 0 stands for it.
      const float shift = best == -INFINITY ? 0.0f : best;
      const float shrink = formula::exp_of_nonpositive(top[i] - shift);
      top[i] = best;
#pragma unroll
      for (int j = 0; j < n; ++j) {
        const float p = formula::exp_of_nonpositive(scores.of[i][j] - shift);
        m.p.at[(threadIdx.y + k_side * i) * m.p.k_line + threadIdx.x + k_side * j] = p;
        added += p;
      }
      sum[i] = sum[i] * shrink + row_sum(added);
#pragma unroll
      for (int j = 0; j < columns / k_side; ++j) out.of[i][j] *= shrink;
    }
    __syncthreads();
    add_product<false>(m.p, m.v, out);
  }
#pragma unroll
  for (int i = 0; i < n; ++i) {
    const int query = first + threadIdx.y + k_side * i;
#pragma unroll
    for (int j = 0; j < columns / k_side; ++j) out.of[i][j] /= sum[i];
    if (threadIdx.x == 0 && query < call.tokens)
      call.lse[std::int64_t{blockIdx.y} * call.tokens + query] = top[i] + logf(sum[i]);
  }
  store<tile, columns>(out, 1.0f, first, call, call.out + head.place, call.width);
}

template <int tile, int columns>
struct BackwardMemory {
  Tile<tile, columns> q, k, v, dout;
  Tile<tile, tile> p, d;
  float lse[tile], mean[tile];

  /// Queries [first, first + tile): q, dout, their log-sum-exp and sum_c dout_c out_c.
  __device__ void load_queries(const Call& call, const Head& head, int first) {
    q.load(head.q, head.stride, first, call.tokens, call.size);
    dout.load(call.dout + head.place, call.width, first, call.tokens, call.size);
    for (int i = threadIdx.y; i < tile; i += k_side) {
      const int query = first + i;
      float sum = 0;
      if (query < call.tokens) {
        const std::int64_t place = head.place + std::int64_t{query} * call.width;
        for (int c = threadIdx.x; c < call.size; c += k_side) sum += call.dout[place + c] * call.forward_out[place + c];
      }
      sum = row_sum(sum);
      if (threadIdx.x != 0) continue;
      mean[i] = sum;
      lse[i] = query < call.tokens ? call.forward_lse[std::int64_t{blockIdx.y} * call.tokens + query] : 0.0f;
    }
  }
  __device__ void load_keys(const Call& call, const Head& head, int first) {
    k.load(head.k, head.stride, first, call.tokens, call.size);
    v.load(head.v, head.stride, first, call.tokens, call.size);
  }
  /// p and d = p (dout . v - mean) of the tile of queries and keys that are loaded; 0 where a key is not seen.
  __device__ void differentiate(const Call& call, int query0, int key0) {
    constexpr int n = tile / k_side;
    Sums<n, n> scores, slopes;
    multiply_rows(q, k, scores);
    multiply_rows(dout, v, slopes);
#pragma unroll
    for (int i = 0; i < n; ++i) {
      const int row = threadIdx.y + k_side * i;
#pragma unroll
      for (int j = 0; j < n; ++j) {
        const int column = threadIdx.x + k_side * j;
        const bool seen = sees(call, query0 + row, key0 + column);
        const float value = seen ? formula::exp_of_nonpositive(scores.of[i][j] * call.scale - lse[row]) : 0.0f;
        p.at[row * p.k_line + column] = value;
        d.at[row * d.k_line + column] = seen ? value * (slopes.of[i][j] - mean[row]) : 0.0f;
      }
    }
  }
};

template <int tile, int columns>
__global__ void query_kernel(Call call) {
  extern __shared__ float4 memory[];
  auto& m = *reinterpret_cast<BackwardMemory<tile, columns>*>(memory);
  const Head head(call, blockIdx.y);
  const int first = blockIdx.x * tile;
  Sums<tile / k_side, columns / k_side> dq;
  dq.clear();
  m.load_queries(call, head, first);
  const int end = call.causal && first + tile < call.tokens ? first + tile : call.tokens;
  for (int key = 0; key < end; key += tile) {
    __syncthreads();
    m.load_keys(call, head, key);
    __syncthreads();
    m.differentiate(call, first, key);
    __syncthreads();
    add_product<false>(m.d, m.k, dq);
  }
  store<tile, columns>(dq, call.scale, first, call, call.dqkv + (head.q - call.qkv), head.stride);
}

template <int tile, int columns>
__global__ void key_kernel(Call call) {
  extern __shared__ float4 memory[];
  auto& m = *reinterpret_cast<BackwardMemory<tile, columns>*>(memory);
  const Head head(call, blockIdx.y);
  const int first = blockIdx.x * tile;
  Sums<tile / k_side, columns / k_side> dk, dv;
  dk.clear(), dv.clear();
  m.load_keys(call, head, first);
  for (int query = call.causal ? first : 0; query < call.tokens; query += tile) {
    __syncthreads();
    m.load_queries(call, head, query);
    __syncthreads();
    m.differentiate(call, query, first);
    __syncthreads();
    add_product<true>(m.p, m.dout, dv);
    add_product<true>(m.d, m.q, dk);
  }
  store<tile, columns>(dk, call.scale, first, call, call.dqkv + (head.k - call.qkv), head.stride);
  store<tile, columns>(dv, 1.0f, first, call, call.dqkv + (head.v - call.qkv), head.stride);
}

/// Starts a kernel with more shared memory than is given unasked, in portions of heads that a grid can count.
void launch(Context::Cuda& state, void (*kernel)(Call), std::size_t bytes, int tile, Call call) {
  EOS_CUDA_CHECK(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes)));
  constexpr std::int64_t k_most = 65535;
  const std::int64_t samples = call.heads_in_all / call.heads, portion = k_most / call.heads;
  const std::int64_t values = std::int64_t{call.tokens} * call.width, rows = std::int64_t{call.tokens} * call.heads;
  for (std::int64_t begin = 0; begin < samples; begin += portion) {
    const std::int64_t count = samples - begin < portion ? samples - begin : portion;
    Call part = call;
    part.qkv += begin * 3 * values;
    if (call.out != nullptr) part.out += begin * values, part.lse += begin * rows;
    if (call.dqkv != nullptr) {
      part.forward_out += begin * values, part.forward_lse += begin * rows;
      part.dout += begin * values, part.dqkv += begin * 3 * values;
    }
    const dim3 grid(static_cast<unsigned>((call.tokens + tile - 1) / tile), static_cast<unsigned>(count * call.heads));
    kernel<<<grid, dim3(k_side, k_side), bytes, state.stream>>>(part);
    EOS_CUDA_CHECK(cudaGetLastError());
  }
}

template <int tile, int columns>
void launch_forward(Context::Cuda& state, const Call& call) {
  launch(state, forward_kernel<tile, columns>, sizeof(ForwardMemory<tile, columns>), tile, call);
}

template <int tile, int columns>
void launch_backward(Context::Cuda& state, const Call& call) {
  constexpr std::size_t bytes = sizeof(BackwardMemory<tile, columns>);
  launch(state, query_kernel<tile, columns>, bytes, tile, call);
  launch(state, key_kernel<tile, columns>, bytes, tile, call);
}

Call call_of(AttentionShape shape, const float* qkv) {
  Call call{};
  call.heads_in_all = std::int64_t{shape.replicas} * shape.rows * shape.heads;
  call.tokens = shape.tokens, call.heads = shape.heads, call.width = shape.width, call.causal = shape.causal;
  call.size = shape.width / shape.heads;
  call.scale = 1.0f / sqrtf(static_cast<float>(call.size));
  call.qkv = qkv;
  return call;
}

}  // namespace

// Tiles of 32 tokens where heads are wide keep shared memory below the 99 kB that every device since compute
// capability 8.0 gives a block.
void attention_forward(const Context& context, AttentionShape shape, const float* qkv, float* out, float* lse) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  Call call = call_of(shape, qkv);
  if (call.heads_in_all == 0 || call.tokens == 0 || call.width == 0) return;
  call.out = out, call.lse = lse;
  if (call.size <= 32) return launch_forward<64, 32>(state, call);
  if (call.size <= 64) return launch_forward<64, 64>(state, call);
  launch_forward<32, 128>(state, call);
}

void attention_backward(const Context& context, AttentionShape shape, const float* qkv, const float* out,
                        const float* lse, const float* dout, float* dqkv) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  Call call = call_of(shape, qkv);
  if (call.heads_in_all == 0 || call.tokens == 0 || call.width == 0) return;
  call.forward_out = out, call.forward_lse = lse, call.dout = dout, call.dqkv = dqkv;
  if (call.size <= 32) return launch_backward<64, 32>(state, call);
  if (call.size <= 64) return launch_backward<32, 64>(state, call);
  launch_backward<32, 128>(state, call);
}

}  // namespace eos::kernels::cuda
