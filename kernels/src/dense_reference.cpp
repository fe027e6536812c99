// The dense layer as plain loops that accumulate in double: what every fast version is held to.
#include "eos/kernels/dense.hpp"
#include "reference_activation.hpp"

namespace eos::kernels::reference {

void dense_forward(DenseShape shape, const float* x, const float* w, const float* b, ActivationSpec activation,
                   float* y) {
  const std::int64_t rows = shape.rows, in = shape.in, out = shape.out;
  for (std::int64_t r = 0; r < shape.replicas; ++r) {
    for (std::int64_t i = 0; i < rows; ++i) {
      const float* x_row = x + (r * rows + i) * in;
      for (std::int64_t o = 0; o < out; ++o) {
        double sum = b != nullptr ? b[r * shape.bias_stride() + o] : 0.0f;
        for (std::int64_t k = 0; k < in; ++k) sum += static_cast<double>(x_row[k]) * w[r * shape.weight_stride() + k * out + o];
        y[(r * rows + i) * out + o] = static_cast<float>(activate(activation, sum));
      }
    }
  }
}

void dense_backward_weights(DenseShape shape, const float* x, const float* dz, float* dw, float* db) {
  const std::int64_t rows = shape.rows, in = shape.in, out = shape.out;
  for (std::int64_t r = 0; r < shape.replicas; ++r) {
    const float* dz_r = dz + r * rows * out;
    for (std::int64_t o = 0; o < out; ++o) {
      double bias_sum = 0;
      for (std::int64_t i = 0; i < rows; ++i) bias_sum += dz_r[i * out + o];
      if (db != nullptr) db[r * shape.bias_stride() + o] = static_cast<float>(bias_sum);
      for (std::int64_t k = 0; k < in; ++k) {
        double sum = 0;
        for (std::int64_t i = 0; i < rows; ++i) {
          sum += static_cast<double>(x[(r * rows + i) * in + k]) * dz_r[i * out + o];
        }
        dw[r * shape.weight_stride() + k * out + o] = static_cast<float>(sum);
      }
    }
  }
}

void dense_backward_inputs(DenseShape shape, const float* dz, const float* w, const float* x,
                           ActivationSpec activation_of_x, float* dx) {
  const std::int64_t rows = shape.rows, in = shape.in, out = shape.out;
  for (std::int64_t r = 0; r < shape.replicas; ++r) {
    for (std::int64_t i = 0; i < rows; ++i) {
      const std::int64_t row = r * rows + i;
      for (std::int64_t k = 0; k < in; ++k) {
        double sum = 0;
        for (std::int64_t o = 0; o < out; ++o) {
          sum += static_cast<double>(dz[row * out + o]) * w[r * shape.weight_stride() + k * out + o];
        }
        dx[row * in + k] = static_cast<float>(sum * slope(activation_of_x, x[row * in + k]));
      }
    }
  }
}

}  // namespace eos::kernels::reference
