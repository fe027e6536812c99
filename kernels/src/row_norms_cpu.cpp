#include <cmath>

#include "cuda_backend.hpp"
#include "eos/kernels/row_norms.hpp"

namespace eos::kernels {

namespace {

constexpr int k_lanes = 32;  // of a warp: row_norms_cuda.cu sums in the same order

double squares(int columns, const float* __restrict row) {
  double lanes[k_lanes] = {};
  int c = 0;
  for (; c + k_lanes <= columns; c += k_lanes) {
    for (int i = 0; i < k_lanes; ++i) {
      const double value = row[c + i];
      lanes[i] += value * value;  // exact in double, so a fused multiply-add has the same bits
    }
  }
  for (int i = 0; c < columns; ++c, ++i) lanes[i] += double{row[c]} * double{row[c]};
  for (int half = k_lanes / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  }
  return lanes[0];
}

}  // namespace

void row_norms(const Context& context, int rows, int columns, const float* values, float* norms) {
  if (context.backend() == Backend::cuda) return cuda::row_norms(context, rows, columns, values, norms);
  for (int i = 0; i < rows; ++i, values += columns) norms[i] = static_cast<float>(std::sqrt(squares(columns, values)));
}

void scale_rows(const Context& context, int rows, int columns, const float* factors, float* values) {
  if (context.backend() == Backend::cuda) return cuda::scale_rows(context, rows, columns, factors, values);
  for (int i = 0; i < rows; ++i, values += columns) {
    for (int c = 0; c < columns; ++c) values[c] *= factors[i];
  }
}

namespace reference {

void row_norms(int rows, int columns, const float* values, float* norms) {
  for (int i = 0; i < rows; ++i) {
    double sum = 0;
    for (int c = 0; c < columns; ++c) {
      const double value = values[std::int64_t{i} * columns + c];
      sum += value * value;
    }
    norms[i] = static_cast<float>(std::sqrt(sum));
  }
}

}  // namespace reference

}  // namespace eos::kernels
