// Dense layer on the CPU: each matrix product runs on one thread with its epilogue fused; replicas, or blocks of the
// result when there is one replica, are spread over threads.
#include <fmt/format.h>

#include <algorithm>

#include "activation_formula.hpp"
#include "cuda_backend.hpp"
#include "eos/core/error.hpp"
#include "eos/core/parallel.hpp"
#include "for_values.hpp"
#include "sgemm.hpp"

namespace eos::kernels {

namespace {

/// Below this many multiply-adds starting threads costs more than it saves.
constexpr std::int64_t k_worth_threads = 2'000'000;

void check(DenseShape shape) {
  if (shape.replicas < 0 || shape.rows < 0 || shape.in < 0 || shape.out < 0) {
    throw core::Error("E901", fmt::format("dense layer of negative size: replicas {}, rows {}, in {}, out {}",
                                          shape.replicas, shape.rows, shape.in, shape.out));
  }
}

/// One product, split along the longer side of its result.
void multiply(const Sgemm& p, int threads) {
  if (threads == 1 || !sgemm_is_splittable() || p.m * p.n * p.k < k_worth_threads) return sgemm(p);
  const bool by_rows = p.m >= p.n;
  const std::int64_t size = by_rows ? p.m : p.n, unit = by_rows ? 6 : 16;  // whole register blocks
  const std::int64_t piece = ((size + threads - 1) / threads + unit - 1) / unit * unit;
  core::parallel_for(static_cast<std::size_t>((size + piece - 1) / piece), threads, [&](std::size_t i) {
    const std::int64_t begin = static_cast<std::int64_t>(i) * piece, length = std::min(piece, size - begin);
    sgemm(by_rows ? p.block(begin, length, 0, p.n) : p.block(0, p.m, begin, length));
  });
}

/// Calls body(replica, threads for this replica).
template <class Body>
void for_replicas(const Context& context, int replicas, Body body) {
  if (replicas == 1) return body(std::int64_t{0}, context.threads());
  core::parallel_for(static_cast<std::size_t>(replicas), context.threads(),
                     [&](std::size_t r) { body(static_cast<std::int64_t>(r), 1); });
}

/// What the product does itself needs no second pass.
bool is_fused(Activation kind) { return kind == Activation::identity || kind == Activation::relu; }

void activate(const Context& context, ActivationSpec spec, std::int64_t size, float* __restrict y) {
  if (is_fused(spec.kind)) return;
  for_values(context, size, [=](std::int64_t begin, std::int64_t end) {
    formula::with_kind(spec.kind, [=](auto constant) {
      for (std::int64_t i = begin; i < end; ++i) y[i] = formula::activate<constant.kind>(y[i], spec.leak);
    });
  });
}

void multiply_by_slope(const Context& context, ActivationSpec spec, std::int64_t size, const float* __restrict x,
                       float* __restrict dx) {
  if (is_fused(spec.kind)) return;
  for_values(context, size, [=](std::int64_t begin, std::int64_t end) {
    formula::with_kind(spec.kind, [=](auto constant) {
      for (std::int64_t i = begin; i < end; ++i) dx[i] *= formula::slope<constant.kind>(x[i], spec.leak);
    });
  });
}

}  // namespace

void dense_forward(const Context& context, DenseShape shape, const float* x, const float* w, const float* b,
                   ActivationSpec activation, float* y) {
  check(shape);
  if (context.backend() == Backend::cuda) return cuda::dense_forward(context, shape, x, w, b, activation, y);
  const std::int64_t rows = shape.rows, in = shape.in, out = shape.out;
  for_replicas(context, shape.replicas, [&](std::int64_t r, int threads) {
    Sgemm p;
    p.m = rows, p.n = out, p.k = in;
    p.a = x + r * rows * in, p.lda = in;
    p.b = w + r * shape.weight_stride(), p.ldb = out;
    p.c = y + r * rows * out, p.ldc = out;
    if (b != nullptr) p.bias = b + r * shape.bias_stride();
    p.relu = activation.kind == Activation::relu;
    multiply(p, threads);
  });
  activate(context, activation, shape.replicas * rows * out, y);
}

void dense_backward_weights(const Context& context, DenseShape shape, const float* x, const float* dz, float* dw,
                            float* db) {
  check(shape);
  if (context.backend() == Backend::cuda) return cuda::dense_backward_weights(context, shape, x, dz, dw, db);
  const std::int64_t rows = shape.rows, in = shape.in, out = shape.out;
  for_replicas(context, shape.replicas, [&](std::int64_t r, int threads) {
    Sgemm p;
    p.transpose_a = true;
    p.m = in, p.n = out, p.k = rows;
    p.a = x + r * rows * in, p.lda = in;
    p.b = dz + r * rows * out, p.ldb = out;
    p.c = dw + r * shape.weight_stride(), p.ldc = out;
    if (db != nullptr) p.b_sums = db + r * shape.bias_stride();
    multiply(p, threads);
  });
}

void dense_backward_inputs(const Context& context, DenseShape shape, const float* dz, const float* w, const float* x,
                           ActivationSpec activation_of_x, float* dx) {
  check(shape);
  if (context.backend() == Backend::cuda)
    return cuda::dense_backward_inputs(context, shape, dz, w, x, activation_of_x, dx);
  const std::int64_t rows = shape.rows, in = shape.in, out = shape.out;
  for_replicas(context, shape.replicas, [&](std::int64_t r, int threads) {
    Sgemm p;
    p.transpose_b = true;
    p.m = rows, p.n = in, p.k = out;
    p.a = dz + r * rows * out, p.lda = out;
    p.b = w + r * shape.weight_stride(), p.ldb = out;
    p.c = dx + r * rows * in, p.ldc = in;
    if (activation_of_x.kind == Activation::relu) p.gate = x + r * rows * in;
    multiply(p, threads);
  });
  multiply_by_slope(context, activation_of_x, shape.replicas * rows * in, x, dx);
}

}  // namespace eos::kernels
