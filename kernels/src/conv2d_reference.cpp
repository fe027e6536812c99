// Convolution as plain loops that accumulate in double: what every fast version is held to.
#include <vector>

#include "eos/kernels/conv2d.hpp"
#include "reference_activation.hpp"

namespace eos::kernels::reference {

namespace {

/// Calls body(position in x, position in w without the output channel) for the taps of one place that lie in the image.
template <class Body>
void for_taps(ConvShape s, std::int64_t image, int i, int j, Body body) {
  for (int u = 0; u < s.kernel_h; ++u) {
    for (int v = 0; v < s.kernel_w; ++v) {
      const int row = i * s.stride + u - s.padding, column = j * s.stride + v - s.padding;
      if (row < 0 || row >= s.height || column < 0 || column >= s.width) continue;
      for (int c = 0; c < s.in; ++c) {
        body(((image * s.height + row) * s.width + column) * s.in + c,
             (static_cast<std::int64_t>(u) * s.kernel_w + v) * s.in + c);
      }
    }
  }
}

/// Calls body(replica, image, place row, place column, channel, position in dz): the sums that have a derivative.
template <class Body>
void for_derivatives(ConvShape s, const std::uint8_t* winners, Body body) {
  const int height = s.out_height(), width = s.out_width();
  const std::int64_t outputs = std::int64_t{height} * width * s.out;
  std::int64_t at = 0;
  for (std::int64_t image = 0; image < std::int64_t{s.replicas} * s.rows; ++image) {
    for (int i = 0; i < height; ++i) {
      for (int j = 0; j < width; ++j) {
        for (int o = 0; o < s.out; ++o, ++at) {
          const std::int64_t padding = image * (s.winner_bytes() - outputs);
          const int winner = s.pool == 2 ? winners[at + padding] : 0, step = s.pool == 2 ? 2 : 1;
          body(image / s.rows, image, step * i + winner / 2, step * j + winner % 2, o, at);
        }
      }
    }
  }
}

}  // namespace

template <class Real>
void conv2d_forward(ConvShape s, const Real* x, const Real* w, const Real* b, ActivationSpec activation, Real* y,
                    std::uint8_t* winners) {
  const auto value = [&](std::int64_t image, int i, int j, int o) {
    const std::int64_t r = image / s.rows;
    double sum = b == nullptr ? 0.0 : static_cast<double>(b[r * s.bias_stride() + o]);
    for_taps(s, image, i, j, [&](std::int64_t from, std::int64_t tap) {
      sum += static_cast<double>(x[from]) * w[r * s.weight_stride() + tap * s.out + o];
    });
    return static_cast<Real>(activate(activation, sum));
  };
  const std::int64_t outputs = std::int64_t{s.out_height()} * s.out_width() * s.out;
  std::int64_t at = 0;
  for (std::int64_t image = 0; image < std::int64_t{s.replicas} * s.rows; ++image) {
    for (int i = 0; i < s.out_height(); ++i) {
      for (int j = 0; j < s.out_width(); ++j) {
        for (int o = 0; o < s.out; ++o, ++at) {
          if (s.pool != 2) {
            y[at] = value(image, i, j, o);
            continue;
          }
          std::uint8_t& winner = winners[at + image * (s.winner_bytes() - outputs)];
          y[at] = value(image, 2 * i, 2 * j, o), winner = 0;
          for (std::uint8_t k = 1; k < 4; ++k) {
            const Real other = value(image, 2 * i + k / 2, 2 * j + k % 2, o);
            if (other > y[at] || other != other) y[at] = other, winner = k;
          }
        }
      }
    }
  }
}

template <class Real>
void conv2d_backward_weights(ConvShape s, const Real* x, const Real* dz, const std::uint8_t* winners, Real* dw,
                             Real* db) {
  const std::int64_t weights = std::int64_t{s.kernel_h} * s.kernel_w * s.in * s.out;
  std::vector<double> sum_w(static_cast<std::size_t>(weights * s.replicas)),
      sum_b(static_cast<std::size_t>(s.out) * s.replicas);
  for_derivatives(s, winners, [&](std::int64_t r, std::int64_t image, int i, int j, int o, std::int64_t at) {
    sum_b[static_cast<std::size_t>(r * s.out + o)] += dz[at];
    for_taps(s, image, i, j, [&](std::int64_t from, std::int64_t tap) {
      sum_w[static_cast<std::size_t>(r * weights + tap * s.out + o)] += static_cast<double>(x[from]) * dz[at];
    });
  });
  for (std::int64_t r = 0; r < s.replicas; ++r) {
    for (std::int64_t i = 0; i < weights; ++i)
      dw[r * s.weight_stride() + i] = static_cast<Real>(sum_w[static_cast<std::size_t>(r * weights + i)]);
    for (std::int64_t o = 0; o < s.out && db != nullptr; ++o)
      db[r * s.bias_stride() + o] = static_cast<Real>(sum_b[static_cast<std::size_t>(r * s.out + o)]);
  }
}

template <class Real>
void conv2d_backward_inputs(ConvShape s, const Real* dz, const std::uint8_t* winners, const Real* w, const Real* x,
                            ActivationSpec activation_of_x, Real* dx) {
  std::vector<double> sum(static_cast<std::size_t>(s.replicas) * s.rows * s.height * s.width * s.in);
  for_derivatives(s, winners, [&](std::int64_t r, std::int64_t image, int i, int j, int o, std::int64_t at) {
    for_taps(s, image, i, j, [&](std::int64_t to, std::int64_t tap) {
      sum[static_cast<std::size_t>(to)] += static_cast<double>(dz[at]) * w[r * s.weight_stride() + tap * s.out + o];
    });
  });
  for (std::size_t i = 0; i < sum.size(); ++i) dx[i] = static_cast<Real>(sum[i] * slope(activation_of_x, x[i]));
}

template void conv2d_forward(ConvShape, const float*, const float*, const float*, ActivationSpec, float*,
                             std::uint8_t*);
template void conv2d_forward(ConvShape, const double*, const double*, const double*, ActivationSpec, double*,
                             std::uint8_t*);
template void conv2d_backward_weights(ConvShape, const float*, const float*, const std::uint8_t*, float*, float*);
template void conv2d_backward_weights(ConvShape, const double*, const double*, const std::uint8_t*, double*, double*);
template void conv2d_backward_inputs(ConvShape, const float*, const std::uint8_t*, const float*, const float*,
                                     ActivationSpec, float*);
template void conv2d_backward_inputs(ConvShape, const double*, const std::uint8_t*, const double*, const double*,
                                     ActivationSpec, double*);

}  // namespace eos::kernels::reference
