// Pooling on the CPU: one thread an image, loops over channels innermost.
#include <fmt/format.h>

#include <algorithm>

#include "activation_pass.hpp"
#include "cuda_backend.hpp"
#include "eos/core/error.hpp"
#include "eos/core/parallel.hpp"

namespace eos::kernels {

namespace {

void check_pool(const PoolShape& s) {
  const bool sizes = s.images >= 0 && s.height >= 1 && s.width >= 1 && s.channels >= 0;
  const bool window = s.kernel_h >= 1 && s.kernel_w >= 1 && s.stride >= 1 && s.padding >= 0 &&
                      s.padding < std::min(s.kernel_h, s.kernel_w) && s.kernel_h <= s.height + 2 * s.padding &&
                      s.kernel_w <= s.width + 2 * s.padding;
  if (sizes && window) return;
  throw core::Error("E901",
                    fmt::format("impossible pooling: {} images of {} x {} x {}, kernel {} x {}, stride {}, padding {}",
                                s.images, s.height, s.width, s.channels, s.kernel_h, s.kernel_w, s.stride, s.padding),
                    "the kernel must fit the padded image, padding must be smaller than the kernel");
}

constexpr std::int64_t k_values_a_task = 64 * 1024;

/// Calls body(image) for all images, several a task.
template <class Body>
void for_images(const Context& context, const PoolShape& s, Body body) {
  const std::int64_t size = std::max<std::int64_t>(1, std::int64_t{s.height} * s.width * s.channels);
  const std::int64_t a_task = std::max<std::int64_t>(1, k_values_a_task / size);
  const std::int64_t tasks = (s.images + a_task - 1) / a_task;
  const auto run = [&](std::int64_t task) {
    for (std::int64_t i = task * a_task; i < std::min((task + 1) * a_task, s.images); ++i) body(i);
  };
  if (context.threads() == 1 || tasks <= 1) {
    for (std::int64_t task = 0; task < tasks; ++task) run(task);
    return;
  }
  core::parallel_for(static_cast<std::size_t>(tasks), context.threads(),
                     [&](std::size_t task) { run(static_cast<std::int64_t>(task)); });
}

struct Sizes {
  explicit Sizes(const PoolShape& s)
      : channels(s.channels),
        input(std::int64_t{s.height} * s.width * s.channels),
        output(std::int64_t{s.out_height()} * s.out_width() * s.channels) {}
  std::int64_t channels, input, output;
};

/// Calls body(place, pixel, place within the window), in order of places and of pixels in their windows; places and
/// pixels are positions of channel 0.
template <class Body>
void for_windows(const PoolShape& s, Body body) {
  std::int64_t at = 0;
  for (int i = 0; i < s.out_height(); ++i) {
    for (int j = 0; j < s.out_width(); ++j, at += s.channels) {
      const int top = i * s.stride - s.padding, left = j * s.stride - s.padding;
      for (int u = std::max(0, -top); u < std::min(s.kernel_h, s.height - top); ++u) {
        for (int v = std::max(0, -left); v < std::min(s.kernel_w, s.width - left); ++v)
          body(at, (std::int64_t{top + u} * s.width + left + v) * s.channels, u * s.kernel_w + v);
      }
    }
  }
}

void max_of_image(const PoolShape& s, const float* x, float* y, std::int32_t* winners) {
  std::int64_t begun = -1;
  for_windows(s, [&](std::int64_t at, std::int64_t pixel, int k) {
    const float* __restrict from = x + pixel;
    float* __restrict to = y + at;
    std::int32_t* __restrict winner = winners + at;
    if (at != begun) {
      std::copy_n(from, s.channels, to);
      std::fill_n(winner, s.channels, k);
      begun = at;
      return;
    }
    for (int c = 0; c < s.channels; ++c) {
      const bool wins = from[c] > to[c] || from[c] != from[c];
      to[c] = wins ? from[c] : to[c];
      winner[c] = wins ? k : winner[c];
    }
  });
}

void scatter_to_winners(const PoolShape& s, const float* dy, const std::int32_t* winners, float* dx) {
  std::int64_t at = 0;
  for (int i = 0; i < s.out_height(); ++i) {
    for (int j = 0; j < s.out_width(); ++j) {
      const int top = i * s.stride - s.padding, left = j * s.stride - s.padding;
      for (int c = 0; c < s.channels; ++c, ++at) {
        const int u = winners[at] / s.kernel_w, v = winners[at] % s.kernel_w;
        dx[(std::int64_t{top + u} * s.width + left + v) * s.channels + c] += dy[at];
      }
    }
  }
}

void add_channels(int channels, const float* __restrict from, float* __restrict to) {
  for (int c = 0; c < channels; ++c) to[c] += from[c];
}

void add_channels(int channels, float factor, const float* __restrict from, float* __restrict to) {
  for (int c = 0; c < channels; ++c) to[c] += factor * from[c];
}

}  // namespace

void max_pool_forward(const Context& context, PoolShape shape, const float* x, float* y, std::int32_t* winners) {
  check_pool(shape);
  if (context.backend() == Backend::cuda) return cuda::max_pool_forward(context, shape, x, y, winners);
  const Sizes size(shape);
  for_images(context, shape, [&](std::int64_t image) {
    max_of_image(shape, x + image * size.input, y + image * size.output, winners + image * size.output);
  });
}

void max_pool_backward(const Context& context, PoolShape shape, const float* dy, const std::int32_t* winners,
                       const float* x, ActivationSpec activation_of_x, float* dx) {
  check_pool(shape);
  if (context.backend() == Backend::cuda)
    return cuda::max_pool_backward(context, shape, dy, winners, x, activation_of_x, dx);
  const Sizes size(shape);
  for_images(context, shape, [&](std::int64_t image) {
    float* to = dx + image * size.input;
    std::fill_n(to, size.input, 0.0f);
    scatter_to_winners(shape, dy + image * size.output, winners + image * size.output, to);
    multiply_by_slope(activation_of_x, size.input, x + image * size.input, to);
  });
}

void average_pool_forward(const Context& context, PoolShape shape, const float* x, float* y) {
  check_pool(shape);
  if (context.backend() == Backend::cuda) return cuda::average_pool_forward(context, shape, x, y);
  const Sizes size(shape);
  const auto cells = static_cast<float>(shape.kernel_h * shape.kernel_w);
  for_images(context, shape, [&](std::int64_t image) {
    const float* from = x + image * size.input;
    float* to = y + image * size.output;
    std::fill_n(to, size.output, 0.0f);
    for_windows(shape,
                [&](std::int64_t at, std::int64_t pixel, int) { add_channels(shape.channels, from + pixel, to + at); });
    for (std::int64_t i = 0; i < size.output; ++i) to[i] /= cells;
  });
}

void average_pool_backward(const Context& context, PoolShape shape, const float* dy, const float* x,
                           ActivationSpec activation_of_x, float* dx) {
  check_pool(shape);
  if (context.backend() == Backend::cuda)
    return cuda::average_pool_backward(context, shape, dy, x, activation_of_x, dx);
  const Sizes size(shape);
  const float share = 1.0f / static_cast<float>(shape.kernel_h * shape.kernel_w);
  for_images(context, shape, [&](std::int64_t image) {
    const float* from = dy + image * size.output;
    float* to = dx + image * size.input;
    std::fill_n(to, size.input, 0.0f);
    for_windows(shape, [&](std::int64_t at, std::int64_t pixel, int) {
      add_channels(shape.channels, share, from + at, to + pixel);
    });
    multiply_by_slope(activation_of_x, size.input, x + image * size.input, to);
  });
}

}  // namespace eos::kernels
