// Pooling as plain loops that accumulate in double: what every fast version is held to.
#include <vector>

#include "eos/kernels/pool.hpp"
#include "reference_activation.hpp"

namespace eos::kernels::reference {

namespace {

/// Calls body(position in y, position in x, place within the window) for the places of all windows inside the image.
template <class Body>
void for_windows(PoolShape s, Body body) {
  std::int64_t at = 0;
  for (std::int64_t image = 0; image < s.images; ++image) {
    for (int i = 0; i < s.out_height(); ++i) {
      for (int j = 0; j < s.out_width(); ++j) {
        for (int c = 0; c < s.channels; ++c, ++at) {
          for (int k = 0; k < s.kernel_h * s.kernel_w; ++k) {
            const int row = i * s.stride + k / s.kernel_w - s.padding,
                      column = j * s.stride + k % s.kernel_w - s.padding;
            if (row < 0 || row >= s.height || column < 0 || column >= s.width) continue;
            body(at, ((image * s.height + row) * s.width + column) * s.channels + c, k);
          }
        }
      }
    }
  }
}

std::size_t outputs(PoolShape s) {
  return static_cast<std::size_t>(s.images * s.out_height() * s.out_width() * s.channels);
}
std::size_t inputs(PoolShape s) { return static_cast<std::size_t>(s.images * s.height * s.width * s.channels); }

template <class Real>
void finish(const std::vector<double>& sum, const Real* x, ActivationSpec activation_of_x, Real* dx) {
  for (std::size_t i = 0; i < sum.size(); ++i) dx[i] = static_cast<Real>(sum[i] * slope(activation_of_x, x[i]));
}

}  // namespace

template <class Real>
void max_pool_forward(PoolShape s, const Real* x, Real* y, std::int32_t* winners) {
  std::vector<char> begun(outputs(s));
  for_windows(s, [&](std::int64_t at, std::int64_t from, int k) {
    char& seen = begun[static_cast<std::size_t>(at)];
    if (seen == 0 || x[from] > y[at] || x[from] != x[from]) y[at] = x[from], winners[at] = k;
    seen = 1;
  });
}

template <class Real>
void max_pool_backward(PoolShape s, const Real* dy, const std::int32_t* winners, const Real* x,
                       ActivationSpec activation_of_x, Real* dx) {
  std::vector<double> sum(inputs(s));
  for_windows(s, [&](std::int64_t at, std::int64_t to, int k) {
    if (winners[at] == k) sum[static_cast<std::size_t>(to)] += dy[at];
  });
  finish(sum, x, activation_of_x, dx);
}

template <class Real>
void average_pool_forward(PoolShape s, const Real* x, Real* y) {
  std::vector<double> sum(outputs(s));
  for_windows(s, [&](std::int64_t at, std::int64_t from, int) { sum[static_cast<std::size_t>(at)] += x[from]; });
  for (std::size_t i = 0; i < sum.size(); ++i) y[i] = static_cast<Real>(sum[i] / (s.kernel_h * s.kernel_w));
}

template <class Real>
void average_pool_backward(PoolShape s, const Real* dy, const Real* x, ActivationSpec activation_of_x, Real* dx) {
  std::vector<double> sum(inputs(s));
  for_windows(s, [&](std::int64_t at, std::int64_t to, int) {
    sum[static_cast<std::size_t>(to)] += static_cast<double>(dy[at]) / (s.kernel_h * s.kernel_w);
  });
  finish(sum, x, activation_of_x, dx);
}

#define EOS_INSTANTIATE(Real)                                                                                       \
  template void max_pool_forward(PoolShape, const Real*, Real*, std::int32_t*);                                     \
  template void max_pool_backward(PoolShape, const Real*, const std::int32_t*, const Real*, ActivationSpec, Real*); \
  template void average_pool_forward(PoolShape, const Real*, Real*);                                                \
  template void average_pool_backward(PoolShape, const Real*, const Real*, ActivationSpec, Real*);
EOS_INSTANTIATE(float)
EOS_INSTANTIATE(double)
#undef EOS_INSTANTIATE

}  // namespace eos::kernels::reference
