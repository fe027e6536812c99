// Convolution on the CPU: images are spread over threads, each is worked on by one. Which route a backward pass takes
// depends on the image itself (inputs) or on fixed groups of images (weights), never on threads or neighbours.
#include <fmt/format.h>

#include <algorithm>

#include "activation_pass.hpp"
#include "conv_direct.hpp"
#include "conv_sparse.hpp"
#include "cuda_backend.hpp"
#include "eos/core/error.hpp"
#include "eos/core/parallel.hpp"
#include "host_scratch.hpp"
#include "sgemm.hpp"
#include "simd.hpp"

namespace eos::kernels {

namespace {

constexpr std::int64_t k_images_a_group = 32;      ///< whose weight gradients are summed together
constexpr std::int64_t k_places_a_product = 256;   ///< of the dense weight gradient, at least
constexpr std::int64_t k_band_floats = 16 * 1024;  ///< of sums between convolution and pooling
/// Below this share of non-zero derivatives the sparse routes are taken: extrapolated from timings at two densities.
constexpr double k_sparse_weights = 0.4, k_sparse_inputs = 0.4;

void check(const ConvShape& s) {
  const bool sizes = s.replicas >= 0 && s.rows >= 0 && s.height >= 1 && s.width >= 1 && s.in >= 1 && s.out >= 1;
  const bool kernel = s.kernel_h >= 1 && s.kernel_w >= 1 && s.stride >= 1 && s.padding >= 0 &&
                      s.padding < std::min(s.kernel_h, s.kernel_w) && s.kernel_h <= s.height + 2 * s.padding &&
                      s.kernel_w <= s.width + 2 * s.padding;
  if (sizes && kernel && (s.pool == 0 || s.pool == 2)) return;
  throw core::Error(
      "E901",
      fmt::format("impossible convolution: replicas {}, rows {}, image {} x {} x {}, out {}, kernel {} x "
                  "{}, stride {}, padding {}, pool {}",
                  s.replicas, s.rows, s.height, s.width, s.in, s.out, s.kernel_h, s.kernel_w, s.stride, s.padding,
                  s.pool),
      "the kernel must fit the padded image, padding must be smaller than the kernel, pool must be 0 or 2");
}

/// Calls prepare(replica, memory) once a replica and then body(memory, replica, image) for its images.
template <class Prepare, class Body>
void for_images(const Context& context, const ConvShape& shape, std::int64_t memory_floats, Prepare prepare,
                Body body) {
  const auto size = static_cast<std::size_t>(memory_floats);
  const auto run = [&](std::int64_t r) {
    float* memory = host_scratch<struct PreparedTag, float>(size);
    prepare(r, memory);
    for (std::int64_t image = 0; image < shape.rows; ++image) body(memory, r, image);
  };
  if (context.threads() == 1 || shape.replicas * std::int64_t{shape.rows} <= 1) {
    for (std::int64_t r = 0; r < shape.replicas; ++r) run(r);
  } else if (shape.replicas > 1) {
    core::parallel_for(static_cast<std::size_t>(shape.replicas), context.threads(),
                       [&](std::size_t r) { run(static_cast<std::int64_t>(r)); });
  } else {
    float* memory = host_scratch<struct PreparedTag, float>(size);
    prepare(0, memory);
    const std::int64_t tasks = std::min<std::int64_t>(shape.rows, 4 * context.threads());
    core::parallel_for(static_cast<std::size_t>(tasks), context.threads(), [&](std::size_t task) {
      const auto t = static_cast<std::int64_t>(task);
      for (std::int64_t image = shape.rows * t / tasks; image < shape.rows * (t + 1) / tasks; ++image)
        body(memory, std::int64_t{0}, image);
    });
  }
}

/// Where the patch of each place of [height][width] begins in a padded image.
const std::int32_t* patch_offsets(std::int64_t height, std::int64_t width, std::int64_t stride, std::int64_t pitch,
                                  std::int64_t channels) {
  auto* offsets = host_scratch<struct OffsetTag, std::int32_t>(static_cast<std::size_t>(height * width));
  std::int32_t* at = offsets;
  for (std::int64_t i = 0; i < height; ++i) {
    for (std::int64_t j = 0; j < width; ++j)
      *at++ = static_cast<std::int32_t>(i * stride * pitch + j * stride * channels);
  }
  return offsets;
}

/// The image itself where nothing is added around it.
const float* padded(const PaddedImage& size, const float* image) {
  if (size.above == 0 && size.left == 0) return image;
  float* copy = host_scratch<struct PaddedTag, float>(static_cast<std::size_t>(size.size()));
  pad_image(size, image, size.channels, copy);
  return copy;
}

/// The largest of four values and which it was, for eight channels: the first of equals; NaN wins.
[[gnu::always_inline]] inline void pool_8(const float* const (&from)[4], std::int64_t o, float* y,
                                          std::uint8_t* winners) {
  simd::Floats best = simd::load(from[0] + o);
  simd::Ints which{};
#pragma GCC unroll 4
  for (int k = 1; k < 4; ++k) {
    const simd::Floats other = simd::load(from[k] + o);
    const simd::Ints wins = (other > best) | (other != other);
    best = wins ? other : best;
    which = wins ? simd::Ints{} + k : which;
  }
  simd::store(y + o, best);
  typedef std::uint8_t Bytes __attribute__((vector_size(8)));
  const Bytes bytes = __builtin_convertvector(which, Bytes);
  std::memcpy(winners + o, &bytes, sizeof bytes);
}

/// Two rows of sums, 2 * width places, to one of pooled values.
void pool_rows(const float* sums, std::int64_t width, std::int64_t out, float* y, std::uint8_t* winners) {
  for (std::int64_t j = 0; j < width; ++j, y += out, winners += out) {
    const float* upper = sums + 2 * j * out;
    const float* const from[4] = {upper, upper + out, upper + 2 * width * out, upper + (2 * width + 1) * out};
    std::int64_t o = 0;
    for (; o + 8 <= out; o += 8) pool_8(from, o, y, winners);
    for (; o < out; ++o) {
      y[o] = from[0][o], winners[o] = 0;
      for (std::uint8_t k = 1; k < 4; ++k) {
        if (from[k][o] > y[o] || from[k][o] != from[k][o]) y[o] = from[k][o], winners[o] = k;
      }
    }
  }
}

void forward_image(const ConvGeometry& g, const float* x, const float* panels, const float* b,
                   ActivationSpec activation, float* y, std::uint8_t* winners) {
  const std::int64_t width = g.pooled ? 2 * g.out_width : g.out_width,
                     height = g.pooled ? 2 * g.out_height : g.out_height;
  const std::int64_t pitch = g.padded_width() * g.in;
  DirectConv conv;
  conv.image = padded(g.padded(), x);
  const std::int32_t* offsets = patch_offsets(height, width, g.stride, pitch, g.in);
  conv.pieces = g.kernel_h, conv.length = g.kernel_w * g.in, conv.pitch = pitch;
  conv.panels = panels, conv.out = g.out, conv.bias = b, conv.relu = activation.kind == Activation::relu;
  const auto run = [&](std::int64_t first, std::int64_t places, float* to) {
    conv.offsets = offsets + first, conv.places = places, conv.result = to;
    direct_conv(conv);
    if (!conv.relu) activate_values(activation, places * g.out, to);
  };
  if (!g.pooled) return run(0, height * width, y);
  const std::int64_t band = std::max<std::int64_t>(2, k_band_floats / std::max<std::int64_t>(1, width * g.out) / 2 * 2);
  float* sums = host_scratch<struct BandTag, float>(static_cast<std::size_t>(std::min(band, height) * width * g.out));
  for (std::int64_t row = 0; row < height; row += band) {
    const std::int64_t rows = std::min(band, height - row);
    run(row * width, rows * width, sums);
    for (std::int64_t i = 0; i < rows; i += 2) {
      const std::int64_t to = (row + i) / 2 * g.out_width * g.out;
      pool_rows(sums + i * width * g.out, g.out_width, g.out, y + to, winners + to);
    }
  }
}

/// Rows of patches, one a place.
void write_patches(const ConvGeometry& g, const float* image, float* to) {
  const float* from = padded(g.padded(), image);
  const std::int64_t length = g.kernel_w * g.in, pitch = g.padded_width() * g.in;
  for (std::int64_t i = 0; i < g.sum_height; ++i) {
    for (std::int64_t j = 0; j < g.sum_width; ++j) {
      const float* patch = from + i * g.stride * pitch + j * g.stride * g.in;
      for (std::int64_t u = 0; u < g.kernel_h; ++u) to = std::copy_n(patch + u * pitch, length, to);
    }
  }
}

void add_to(std::int64_t size, const float* __restrict from, float* __restrict to) {
  for (std::int64_t i = 0; i < size; ++i) to[i] += from[i];
}

void sum_derivatives(const ConvGeometry& g, const float* dz, float* db) {
  std::fill_n(db, g.out, 0.0f);
  for (std::int64_t i = 0; i < g.rows * g.places(); ++i) add_to(g.out, dz + i * g.out, db);
}

/// dw of images [begin, end) without pooling, by products of patches and derivatives.
void dense_weights(const ConvGeometry& g, const float* x, const float* dz, std::int64_t begin, std::int64_t end,
                   float* dw) {
  const bool patches_are_pixels = g.patch() == g.in && g.stride == 1 && g.padding == 0;
  const std::int64_t together = std::max<std::int64_t>(1, k_places_a_product / g.places());
  float* part = host_scratch<struct PartTag, float>(static_cast<std::size_t>(g.weights()));
  std::fill_n(dw, g.weights(), 0.0f);
  for (std::int64_t image = begin; image < end; image += together) {
    const std::int64_t here = std::min(together, end - image), places = here * g.places();
    const float* patches = x + image * g.image();
    if (!patches_are_pixels) {
      float* rows = host_scratch<struct PatchTag, float>(static_cast<std::size_t>(together * g.places() * g.patch()));
      for (std::int64_t i = 0; i < here; ++i)
        write_patches(g, x + (image + i) * g.image(), rows + i * g.places() * g.patch());
      patches = rows;
    }
    const float* derivatives = dz + image * g.outputs();
    Sgemm p;
    p.transpose_a = true;
    p.m = g.patch(), p.n = g.out, p.k = places;
    p.a = patches, p.lda = g.patch();
    p.b = derivatives, p.ldb = g.out;
    p.c = image == begin ? dw : part, p.ldc = g.out;
    sgemm(p);
    if (image != begin) add_to(g.weights(), part, dw);
  }
}

/// dw of the images of one group.
void group_weights(const ConvGeometry& g, const float* x, const float* dz, const std::uint8_t* winners,
                   std::int64_t group, float* dw) {
  const std::int64_t begin = group * k_images_a_group, end = std::min(begin + k_images_a_group, g.rows);
  const std::int64_t size = (end - begin) * g.outputs();
  if (g.pooled || density_of(dz + begin * g.outputs(), size) < k_sparse_weights)
    return sparse_weights(g, x, dz, winners, begin, end, dw);
  dense_weights(g, x, dz, begin, end, dw);
}

/// [kernel_h][kernel_w][out][in], the kernel turned by half a turn: the derivative by the inputs is a convolution.
void turn_kernel(const ConvGeometry& g, const float* w, float* turned) {
  const std::int64_t taps = g.kernel_h * g.kernel_w;
  for (std::int64_t tap = 0; tap < taps; ++tap) {
    const float* from = w + (taps - 1 - tap) * g.in * g.out;
    for (std::int64_t o = 0; o < g.out; ++o) {
      for (std::int64_t c = 0; c < g.in; ++c) *turned++ = from[c * g.out + o];
    }
  }
}

/// dx of an image without pooling and with stride 1.
void direct_inputs(const ConvGeometry& g, const float* dz, const float* panels, float* dx) {
  const PaddedImage size{g.sum_height, g.sum_width, g.out, g.kernel_h - 1 - g.padding, g.kernel_w - 1 - g.padding};
  DirectConv conv;
  conv.image = padded(size, dz);
  conv.pieces = g.kernel_h, conv.length = g.kernel_w * g.out, conv.pitch = size.padded_width() * g.out;
  conv.offsets = patch_offsets(g.height, g.width, 1, conv.pitch, g.out);
  conv.places = g.height * g.width;
  conv.panels = panels, conv.out = g.in, conv.result = dx;
  direct_conv(conv);
}

/// dx of an image without pooling: gradients of patches, added where they overlap.
void patch_inputs(const ConvGeometry& g, const float* dz, const float* w, float* dx) {
  float* patches = host_scratch<struct PatchTag, float>(static_cast<std::size_t>(g.places() * g.patch()));
  Sgemm p;
  p.transpose_b = true;
  p.m = g.places(), p.n = g.patch(), p.k = g.out;
  p.a = dz, p.lda = g.out;
  p.b = w, p.ldb = g.out;
  p.c = patches, p.ldc = g.patch();
  sgemm(p);
  const PaddedImage size = g.padded();
  const std::int64_t pitch = size.padded_width() * g.in, length = g.kernel_w * g.in;
  float* image = host_scratch<struct PaddedTag, float>(static_cast<std::size_t>(size.size()));
  std::fill_n(image, size.size(), 0.0f);
  for (std::int64_t i = 0; i < g.sum_height; ++i) {
    for (std::int64_t j = 0; j < g.sum_width; ++j) {
      float* to = image + i * g.stride * pitch + j * g.stride * g.in;
      for (std::int64_t u = 0; u < g.kernel_h; ++u, patches += length) add_to(length, patches, to + u * pitch);
    }
  }
  for (std::int64_t i = 0; i < g.height; ++i)
    std::copy_n(image + (i + g.padding) * pitch + g.padding * g.in, g.width * g.in, dx + i * g.width * g.in);
}

}  // namespace

void conv2d_forward(const Context& context, ConvShape shape, const float* x, const float* w, const float* b,
                    ActivationSpec activation, float* y, std::uint8_t* winners) {
  check(shape);
  if (context.backend() == Backend::cuda) return cuda::conv2d_forward(context, shape, x, w, b, activation, y, winners);
  const ConvGeometry g(shape);
  for_images(
      context, shape, packed_size(g.patch(), g.out),
      [&](std::int64_t r, float* panels) { pack_panels(w + r * shape.weight_stride(), g.patch(), g.out, panels); },
      [&](const float* panels, std::int64_t r, std::int64_t image) {
        const std::int64_t at = r * g.rows + image;
        forward_image(g, x + at * g.image(), panels, b == nullptr ? nullptr : b + r * shape.bias_stride(), activation,
                      y + at * g.outputs(), g.pooled ? winners + at * g.winner_bytes() : nullptr);
      });
}

void conv2d_backward_weights(const Context& context, ConvShape shape, const float* x, const float* dz,
                             const std::uint8_t* winners, float* dw, float* db) {
  check(shape);
  if (context.backend() == Backend::cuda) return cuda::conv2d_backward_weights(context, shape, x, dz, winners, dw, db);
  const ConvGeometry g(shape);
  const std::int64_t groups = std::max<std::int64_t>(1, (g.rows + k_images_a_group - 1) / k_images_a_group);
  const std::int64_t size = g.weights();
  const auto one = [&](std::int64_t r, std::int64_t group, float* part) {
    const std::int64_t at = r * g.rows;
    group_weights(g, x + at * g.image(), dz + at * g.outputs(), g.pooled ? winners + at * g.winner_bytes() : nullptr,
                  group, part);
  };
  const auto replica = [&](std::int64_t r) {
    float* sum = dw + r * shape.weight_stride();
    if (db != nullptr) sum_derivatives(g, dz + r * g.rows * g.outputs(), db + r * shape.bias_stride());
    one(r, 0, sum);
    float* part = host_scratch<struct GroupTag, float>(static_cast<std::size_t>(size));
    for (std::int64_t group = 1; group < groups; ++group) {
      one(r, group, part);
      add_to(size, part, sum);
    }
  };
  if (context.threads() == 1 || (shape.replicas == 1 && groups == 1)) {
    for (std::int64_t r = 0; r < shape.replicas; ++r) replica(r);
  } else if (shape.replicas > 1) {
    core::parallel_for(static_cast<std::size_t>(shape.replicas), context.threads(),
                       [&](std::size_t r) { replica(static_cast<std::int64_t>(r)); });
  } else if (shape.replicas == 1) {
    if (db != nullptr) sum_derivatives(g, dz, db);
    float* parts = host_scratch<struct GroupTag, float>(static_cast<std::size_t>((groups - 1) * size));
    core::parallel_for(static_cast<std::size_t>(groups), context.threads(), [&](std::size_t task) {
      const auto group = static_cast<std::int64_t>(task);
      one(0, group, group == 0 ? dw : parts + (group - 1) * size);
    });
    for (std::int64_t group = 1; group < groups; ++group) add_to(size, parts + (group - 1) * size, dw);
  }
}

void conv2d_backward_inputs(const Context& context, ConvShape shape, const float* dz, const std::uint8_t* winners,
                            const float* w, const float* x, ActivationSpec activation_of_x, float* dx) {
  check(shape);
  if (context.backend() == Backend::cuda)
    return cuda::conv2d_backward_inputs(context, shape, dz, winners, w, x, activation_of_x, dx);
  const ConvGeometry g(shape);
  const bool direct = !g.pooled && g.stride == 1;
  const std::int64_t panels = direct ? packed_size(g.kernel_h * g.kernel_w * g.out, g.in) : 0;
  for_images(
      context, shape, panels + turned_size(g),
      [&](std::int64_t r, float* memory) {
        turn_weights(g, w + r * shape.weight_stride(), memory + panels);
        if (!direct) return;
        float* turned = host_scratch<struct TurnedTag, float>(static_cast<std::size_t>(g.weights()));
        turn_kernel(g, w + r * shape.weight_stride(), turned);
        pack_panels(turned, g.kernel_h * g.kernel_w * g.out, g.in, memory);
      },
      [&](const float* memory, std::int64_t r, std::int64_t image) {
        const std::int64_t at = r * g.rows + image;
        const float* dz_image = dz + at * g.outputs();
        float* dx_image = dx + at * g.image();
        if (g.pooled || density_of(dz_image, g.outputs()) < k_sparse_inputs) {
          sparse_inputs(g, dz_image, g.pooled ? winners + at * g.winner_bytes() : nullptr, memory + panels, dx_image);
        } else if (direct) {
          direct_inputs(g, dz_image, memory, dx_image);
        } else {
          patch_inputs(g, dz_image, w + r * shape.weight_stride(), dx_image);
        }
        multiply_by_slope(activation_of_x, g.image(), x + at * g.image(), dx_image);
      });
}

}  // namespace eos::kernels
