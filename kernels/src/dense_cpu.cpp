// Dense layer on the CPU: each matrix product runs on one thread with its epilogue fused; replicas, or blocks of the
// result when there is one replica, are spread over threads.
#include <fmt/format.h>

#include <algorithm>

#include "activation_formula.hpp"
#include "cuda_backend.hpp"
#include "elementwise_pass.hpp"
#include "eos/core/error.hpp"
#include "eos/core/parallel.hpp"
#include "gelu_pass.hpp"
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

/// Calls done(first row, rows) for all rows of the product, when they are complete.
template <class Done>
void set_then(Sgemm& p, const Done& done) {
  p.what = &done;
  p.then = [](const void* what, std::int64_t row, std::int64_t rows) { (*static_cast<const Done*>(what))(row, rows); };
}

/// One product, split along the longer side of its result; what follows it is split by rows.
void multiply(const Sgemm& p, int threads) {
  if (threads == 1 || !sgemm_is_splittable() || p.m * p.n * p.k < k_worth_threads) return sgemm(p);
  const auto pieces = [threads](std::int64_t size, std::int64_t unit, auto body) {  // whole register blocks
    const std::int64_t piece = ((size + threads - 1) / threads + unit - 1) / unit * unit;
    core::parallel_for(static_cast<std::size_t>((size + piece - 1) / piece), threads, [&](std::size_t i) {
      const std::int64_t begin = static_cast<std::int64_t>(i) * piece;
      body(begin, std::min(piece, size - begin));
    });
  };
  const auto by_rows = [&p](std::int64_t begin, std::int64_t rows) { return p.block(begin, rows, 0, p.n); };
  if (p.m >= p.n) return pieces(p.m, 6, [&](std::int64_t begin, std::int64_t rows) { sgemm(by_rows(begin, rows)); });
  Sgemm product = p;
  product.then = nullptr;
  pieces(p.n, 16, [&](std::int64_t begin, std::int64_t columns) { sgemm(product.block(0, p.m, begin, columns)); });
  if (p.then == nullptr) return;
  pieces(p.m, 6, [&](std::int64_t begin, std::int64_t rows) { by_rows(begin, rows).finish_rows(); });
}

/// Calls body(replica, threads for this replica).
template <class Body>
void for_replicas(const Context& context, int replicas, Body body) {
  if (replicas == 1) return body(std::int64_t{0}, context.threads());
  core::parallel_for(static_cast<std::size_t>(replicas), context.threads(),
                     [&](std::size_t r) { body(static_cast<std::int64_t>(r), 1); });
}

/// What the product does itself.
bool is_fused(Activation kind) { return kind == Activation::identity || kind == Activation::relu; }

void activate(ActivationSpec spec, std::int64_t size, float* __restrict y) {
  formula::with_kind(spec.kind, [=](auto constant) {
    for (std::int64_t i = 0; i < size; ++i) y[i] = formula::activate<constant.kind>(y[i], spec.leak);
  });
}

void multiply_by_slope(ActivationSpec spec, std::int64_t size, const float* __restrict x, float* __restrict dx) {
  if (spec.kind == Activation::gelu) return multiply_values(size, dx, x, dx);
  formula::with_kind(spec.kind, [=](auto constant) {
    for (std::int64_t i = 0; i < size; ++i) dx[i] *= formula::slope<constant.kind>(x[i], spec.leak);
  });
}

/// The product itself and what follows are kernels of their own.
void forward_on_cuda(const Context& context, DenseShape shape, const float* x, const float* w, const float* b,
                     ActivationSpec activation, float* y, DenseTail tail) {
  const std::int64_t size = std::int64_t{shape.replicas} * shape.rows * shape.out;
  if (activation.kind == Activation::gelu) {
    cuda::dense_forward(context, shape, x, w, b, {}, tail.slopes);
    cuda::gelu_forward_with_slopes(context, size, tail.slopes, y);
  } else {
    cuda::dense_forward(context, shape, x, w, b, activation, y);
  }
  if (tail.summand != nullptr) cuda::add(context, size, y, tail.summand, y);
}

}  // namespace

void dense_forward(const Context& context, DenseShape shape, const float* x, const float* w, const float* b,
                   ActivationSpec activation, float* y, DenseTail tail) {
  check(shape);
  const bool gelu = activation.kind == Activation::gelu;
  if (gelu && tail.slopes == nullptr)
    throw core::Error("E901", "a dense layer with gelu has nowhere to keep its slopes");
  if (context.backend() == Backend::cuda) return forward_on_cuda(context, shape, x, w, b, activation, y, tail);
  const std::int64_t rows = shape.rows, in = shape.in, out = shape.out;
  for_replicas(context, shape.replicas, [&](std::int64_t r, int threads) {
    Sgemm p;
    p.m = rows, p.n = out, p.k = in;
    p.a = x + r * rows * in, p.lda = in;
    p.b = w + r * shape.weight_stride(), p.ldb = out;
    p.c = (gelu ? tail.slopes : y) + r * rows * out, p.ldc = out;
    if (b != nullptr) p.bias = b + r * shape.bias_stride();
    p.relu = activation.kind == Activation::relu;
    const auto follow = [&](std::int64_t row, std::int64_t count) {
      const std::int64_t at = (r * rows + row) * out, size = count * out;
      if (gelu) {
        gelu_with_slopes(size, tail.slopes + at, y + at);
      } else if (!is_fused(activation.kind)) {
        activate(activation, size, y + at);
      }
      if (tail.summand != nullptr) add_values(size, y + at, tail.summand + at, y + at);
    };
    if (!is_fused(activation.kind) || tail.summand != nullptr) set_then(p, follow);
    multiply(p, threads);
  });
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
  const bool gelu = activation_of_x.kind == Activation::gelu;
  if (context.backend() == Backend::cuda) {
    cuda::dense_backward_inputs(context, shape, dz, w, x, gelu ? ActivationSpec{} : activation_of_x, dx);
    if (gelu) cuda::multiply(context, std::int64_t{shape.replicas} * shape.rows * shape.in, dx, x, dx);
    return;
  }
  const std::int64_t rows = shape.rows, in = shape.in, out = shape.out;
  for_replicas(context, shape.replicas, [&](std::int64_t r, int threads) {
    Sgemm p;
    p.transpose_b = true;
    p.m = rows, p.n = in, p.k = out;
    p.a = dz + r * rows * out, p.lda = out;
    p.b = w + r * shape.weight_stride(), p.ldb = out;
    p.c = dx + r * rows * in, p.ldc = in;
    if (activation_of_x.kind == Activation::relu) p.gate = x + r * rows * in;
    const auto follow = [&](std::int64_t row, std::int64_t count) {
      const std::int64_t at = (r * rows + row) * in;
      multiply_by_slope(activation_of_x, count * in, x + at, dx + at);
    };
    if (!is_fused(activation_of_x.kind)) set_then(p, follow);
    multiply(p, threads);
  });
}

}  // namespace eos::kernels
