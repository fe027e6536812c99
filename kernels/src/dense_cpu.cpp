// Dense layer on the CPU: oneDNN's sgemm, one thread a call, bias and activation in one pass over the result.
#include <omp.h>

#include <algorithm>
#include <cstring>

#include <dnnl.h>
#include <fmt/format.h>

#include "cuda_backend.hpp"
#include "eos/core/error.hpp"
#include "eos/core/parallel.hpp"

namespace eos::kernels {

namespace {

/// oneDNN's OpenMP pool belongs to the calling thread: keep it at one thread for the duration of a call.
class OneOpenMpThread {
 public:
  OneOpenMpThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~OneOpenMpThread() { omp_set_num_threads(before_); }
  OneOpenMpThread(const OneOpenMpThread&) = delete;
  OneOpenMpThread& operator=(const OneOpenMpThread&) = delete;

 private:
  int before_;
};

/// Row-major C [m][n] = op(A) op(B).
void sgemm(char transpose_a, char transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, const float* a,
           std::int64_t lda, const float* b, std::int64_t ldb, float* c, std::int64_t ldc) {
  const OneOpenMpThread guard;
  const dnnl_status_t status = dnnl_sgemm(transpose_a, transpose_b, m, n, k, 1.0f, a, lda, b, ldb, 0.0f, c, ldc);
  if (status != dnnl_success) {
    throw core::Error("E306", fmt::format("oneDNN sgemm of {} x {} x {} failed with status {}", m, n, k, static_cast<int>(status)));
  }
}

void add_bias_and_activate(std::int64_t rows, std::int64_t out, const float* b, Activation activation, float* y) {
  const float floor = activation == Activation::relu ? 0.0f : -std::numeric_limits<float>::infinity();
  for (std::int64_t i = 0; i < rows; ++i) {
    float* row = y + i * out;
    for (std::int64_t o = 0; o < out; ++o) {
      const float z = row[o] + b[o];
      row[o] = z < floor ? floor : z;
    }
  }
}

void check(DenseShape shape) {
  if (shape.replicas < 0 || shape.rows < 0 || shape.in < 0 || shape.out < 0) {
    throw core::Error("E901", fmt::format("dense layer of negative size: replicas {}, rows {}, in {}, out {}",
                                          shape.replicas, shape.rows, shape.in, shape.out));
  }
}

}  // namespace

void dense_forward(const Context& context, DenseShape shape, const float* x, const float* w, const float* b,
                   Activation activation, float* y) {
  check(shape);
  if (context.backend() == Backend::cuda) return cuda::dense_forward(context, shape, x, w, b, activation, y);
  const std::int64_t rows = shape.rows, in = shape.in, out = shape.out;
  if (rows == 0 || out == 0) return;
  core::parallel_for(shape.replicas, context.threads(), [&](std::size_t r) {
    float* y_r = y + r * rows * out;
    sgemm('N', 'N', rows, out, in, x + r * rows * in, in, w + r * in * out, out, y_r, out);
    add_bias_and_activate(rows, out, b + r * out, activation, y_r);
  });
}

void dense_backward_weights(const Context& context, DenseShape shape, const float* x, const float* dz, float* dw,
                            float* db) {
  check(shape);
  if (context.backend() == Backend::cuda) return cuda::dense_backward_weights(context, shape, x, dz, dw, db);
  const std::int64_t rows = shape.rows, in = shape.in, out = shape.out;
  core::parallel_for(shape.replicas, context.threads(), [&](std::size_t r) {
    const float* dz_r = dz + r * rows * out;
    std::fill_n(db + r * out, out, 0.0f);
    std::fill_n(dw + r * in * out, rows == 0 ? in * out : 0, 0.0f);
    if (rows == 0 || out == 0 || in == 0) return;
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t o = 0; o < out; ++o) db[r * out + o] += dz_r[i * out + o];
    }
    sgemm('T', 'N', in, out, rows, x + r * rows * in, in, dz_r, out, dw + r * in * out, out);
  });
}

void dense_backward_inputs(const Context& context, DenseShape shape, const float* dz, const float* w, const float* x,
                           Activation activation_of_x, float* dx) {
  check(shape);
  if (context.backend() == Backend::cuda) return cuda::dense_backward_inputs(context, shape, dz, w, x, activation_of_x, dx);
  const std::int64_t rows = shape.rows, in = shape.in, out = shape.out;
  if (rows == 0 || in == 0) return;
  core::parallel_for(shape.replicas, context.threads(), [&](std::size_t r) {
    float* dx_r = dx + r * rows * in;
    sgemm('N', 'T', rows, in, out, dz + r * rows * out, out, w + r * in * out, out, dx_r, in);
    if (activation_of_x == Activation::identity) return;
    const float* x_r = x + r * rows * in;
    for (std::int64_t j = 0; j < rows * in; ++j) dx_r[j] = x_r[j] > 0 ? dx_r[j] : 0.0f;
  });
}

}  // namespace eos::kernels
