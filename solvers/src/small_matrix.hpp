// Dense kernels on small row-major matrices. Dimensions that are constants at the call are unrolled by the compiler.
#pragma once

#include <cmath>
#include <utility>

namespace eos::solvers::small {

/// c = a b; a [rows][inner], b [inner][columns].
inline void multiply(const double* a, const double* b, double* __restrict c, int rows, int inner, int columns) {
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < columns; ++j) c[i * columns + j] = 0;
    for (int k = 0; k < inner; ++k)
      for (int j = 0; j < columns; ++j) c[i * columns + j] += a[i * inner + k] * b[k * columns + j];
  }
}

/// inverse = a^-1 by Gauss-Jordan with row exchanges; a is destroyed. false when singular or not finite.
inline bool invert(double* __restrict a, double* __restrict inverse, int n) {
  for (int i = 0; i < n * n; ++i) inverse[i] = 0;
  for (int i = 0; i < n; ++i) inverse[i * n + i] = 1;
  for (int c = 0; c < n; ++c) {
    int pivot = c;
    for (int i = c + 1; i < n; ++i)
      if (std::fabs(a[i * n + c]) > std::fabs(a[pivot * n + c])) pivot = i;
    const double scale = 1 / a[pivot * n + c];
    if (!std::isfinite(scale)) return false;
    if (pivot != c)
      for (int j = 0; j < n; ++j) {
        std::swap(a[pivot * n + j], a[c * n + j]);
        std::swap(inverse[pivot * n + j], inverse[c * n + j]);
      }
    for (int j = 0; j < n; ++j) a[c * n + j] *= scale, inverse[c * n + j] *= scale;
    for (int i = 0; i < n; ++i) {
      if (i == c) continue;
      const double f = a[i * n + c];
      for (int j = 0; j < n; ++j) a[i * n + j] -= f * a[c * n + j], inverse[i * n + j] -= f * inverse[c * n + j];
    }
  }
  return true;
}

/// Lower factor in place, the diagonal inverted. false when a pivot is not positive relative to its diagonal.
inline bool cholesky(double* a, int n) {
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < i; ++j) {
      double sum = a[i * n + j];
      for (int k = 0; k < j; ++k) sum -= a[i * n + k] * a[j * n + k];
      a[i * n + j] = sum * a[j * n + j];
    }
    double sum = a[i * n + i];
    const double size = std::fabs(sum);
    for (int k = 0; k < i; ++k) sum -= a[i * n + k] * a[i * n + k];
    if (!(sum > 1e-15 * size) || !(sum < 1e300)) return false;
    a[i * n + i] = 1 / std::sqrt(sum);
  }
  return true;
}

/// x := (L L')^-1 x for x [n][columns].
inline void cholesky_solve(const double* l, double* __restrict x, int n, int columns) {
  for (int i = 0; i < n; ++i)
    for (int c = 0; c < columns; ++c) {
      double sum = x[i * columns + c];
      for (int k = 0; k < i; ++k) sum -= l[i * n + k] * x[k * columns + c];
      x[i * columns + c] = sum * l[i * n + i];
    }
  for (int i = n - 1; i >= 0; --i)
    for (int c = 0; c < columns; ++c) {
      double sum = x[i * columns + c];
      for (int k = i + 1; k < n; ++k) sum -= l[k * n + i] * x[k * columns + c];
      x[i * columns + c] = sum * l[i * n + i];
    }
}

}  // namespace eos::solvers::small
