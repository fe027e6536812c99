// Augmented images on the CPU: a line of pixels is put together as bytes and then converted in one pass.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "augment_formula.hpp"
#include "cuda_backend.hpp"
#include "eos/core/error.hpp"
#include "eos/core/parallel.hpp"
#include "host_scratch.hpp"
#include "noise_formula.hpp"

namespace eos::kernels {

namespace {

constexpr std::int64_t k_values_a_task = 256 * 1024;

/// Scale and shift of every entry of a line, so that the conversion is one loop over entries.
struct Line {
  const float* scale;
  const float* shift;
};

Line make_line(ImageShape shape, ImageTransform transform) {
  const std::int64_t length = std::int64_t{shape.width} * shape.channels;
  float* scale = host_scratch<struct LineTag, float>(static_cast<std::size_t>(2 * length));
  for (std::int64_t i = 0; i < length; ++i) {
    scale[i] = transform.scale[i % shape.channels];
    scale[length + i] = transform.shift[i % shape.channels];
  }
  return {scale, scale + length};
}

/// The bytes of line y of the view, put together in `line` where they do not lie side by side in the image.
const std::uint8_t* line_of(const std::uint8_t* image, ImageShape shape, const formula::View& view, int y,
                            std::uint8_t* line) {
  const std::int64_t channels = shape.channels, length = shape.width * channels;
  const int from_y = y + view.dy;
  if (from_y < 0 || from_y >= shape.height) {
    std::memset(line, 0, static_cast<std::size_t>(length));
    return line;
  }
  const std::uint8_t* from = image + from_y * length;
  if (!view.flip && view.dx == 0) return from;
  // Columns begin <= x < end of the view lie in the image; reflected, x shows width - 1 - x + dx.
  const int shift = view.flip ? -view.dx : view.dx;
  const int begin = std::clamp(-shift, 0, shape.width), end = std::clamp(shape.width - shift, begin, shape.width);
  std::memset(line, 0, static_cast<std::size_t>(length));
  if (!view.flip) {
    std::memcpy(line + begin * channels, from + (begin + shift) * channels,
                static_cast<std::size_t>((end - begin) * channels));
    return line;
  }
  for (int x = begin; x < end; ++x) {
    const std::uint8_t* pixel = from + (shape.width - 1 - x - shift) * channels;
    for (std::int64_t c = 0; c < channels; ++c) line[x * channels + c] = pixel[c];
  }
  return line;
}

void add_noise(const InputNoise& noise, std::int32_t sample, std::int64_t size, float* to) {
  std::int64_t at = formula::noise_offset(noise, sample);
  for (std::int64_t i = 0; i < size; ++i) {
    to[i] += noise.sigma * noise.pool[at];
    if (++at == noise.pool_size) at = 0;
  }
}

void cut(ImageShape shape, const formula::View& view, float* to) {
  const int top = std::max(view.top, 0), bottom = std::min(view.top + view.side, shape.height);
  const int left = std::max(view.left, 0), right = std::min(view.left + view.side, shape.width);
  for (int y = top; y < bottom; ++y) {
    std::fill(to + (std::int64_t{y} * shape.width + left) * shape.channels,
              to + (std::int64_t{y} * shape.width + std::max(left, right)) * shape.channels, 0.0f);
  }
}

void gather_image(const std::uint8_t* image, ImageShape shape, const formula::View& view, Line line, float* to) {
  const std::int64_t length = std::int64_t{shape.width} * shape.channels;
  std::uint8_t* bytes = host_scratch<struct ByteTag, std::uint8_t>(static_cast<std::size_t>(length));
  const float* __restrict scale = line.scale;
  const float* __restrict shift = line.shift;
  for (int y = 0; y < shape.height; ++y, to += length) {
    const std::uint8_t* __restrict from = line_of(image, shape, view, y, bytes);
    float* __restrict out = to;
    for (std::int64_t i = 0; i < length; ++i) out[i] = scale[i] * static_cast<float>(from[i]) - shift[i];
  }
}

void check(ImageShape shape, int rows, const ImageTransform& transform, const Augmentation& a) {
  if (shape.height < 1 || shape.width < 1 || shape.channels < 1 || rows < 0 || a.translate < 0 || a.cutout < 0) {
    throw core::Error("E901", fmt::format("gather_images was given {} images of {} x {} x {}, translate {}, cutout {}",
                                          rows, shape.height, shape.width, shape.channels, a.translate, a.cutout));
  }
  if (transform.scale == nullptr || transform.shift == nullptr)
    throw core::Error("E901", "gather_images was given no scale or no shift of the channels");
  if (transform.noise.sigma != 0 && (transform.noise.pool == nullptr || transform.noise.pool_size <= 0))
    throw core::Error("E901", "gather_images was asked for noise but was given no pool");
}

}  // namespace

void gather_images(const Context& context, const std::uint8_t* source, ImageShape shape, const std::int32_t* index,
                   int rows, ImageTransform transform, Augmentation augmentation, float* out) {
  check(shape, rows, transform, augmentation);
  if (context.backend() == Backend::cuda)
    return cuda::gather_images(context, source, shape, index, rows, transform, augmentation, out);
  const Line line = make_line(shape, transform);
  const std::uint32_t limit = formula::draw_limit(augmentation.flip);
  const int a_task = static_cast<int>(std::max<std::int64_t>(1, k_values_a_task / shape.size()));
  core::parallel_for(static_cast<std::size_t>((rows + a_task - 1) / a_task), context.threads(), [=](std::size_t task) {
    const int begin = static_cast<int>(task) * a_task, end = std::min(begin + a_task, rows);
    for (int i = begin; i < end; ++i) {
      float* to = out + i * shape.size();
      formula::View view;
      if (augmentation.view != nullptr) view = formula::image_view(augmentation, limit, shape, i, index[i]);
      gather_image(source + index[i] * shape.size(), shape, view, line, to);
      if (transform.noise.sigma != 0) add_noise(transform.noise, index[i], shape.size(), to);
      if (view.side > 0) cut(shape, view, to);
    }
  });
}

}  // namespace eos::kernels
