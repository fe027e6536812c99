// Augmented images pixel by pixel.
#include "augment_formula.hpp"
#include "noise_formula.hpp"

namespace eos::kernels::reference {

void gather_images(const std::uint8_t* source, ImageShape shape, const std::int32_t* index, int rows,
                   ImageTransform transform, Augmentation augmentation, float* out) {
  const InputNoise& noise = transform.noise;
  const std::uint32_t limit = formula::draw_limit(augmentation.flip);
  for (int i = 0; i < rows; ++i) {
    const std::uint8_t* image = source + index[i] * shape.size();
    formula::View view;
    if (augmentation.view != nullptr) view = formula::image_view(augmentation, limit, shape, i, index[i]);
    const std::int64_t offset = noise.sigma != 0 ? formula::noise_offset(noise, index[i]) : 0;
    for (std::int64_t k = 0; k < shape.size(); ++k) {
      const int c = static_cast<int>(k % shape.channels), x = static_cast<int>(k / shape.channels % shape.width);
      const int y = static_cast<int>(k / shape.channels / shape.width);
      const int from_y = y + view.dy, from_x = (view.flip ? shape.width - 1 - x : x) + view.dx;
      const bool inside = from_y >= 0 && from_y < shape.height && from_x >= 0 && from_x < shape.width;
      const std::uint8_t byte =
          inside ? image[(std::int64_t{from_y} * shape.width + from_x) * shape.channels + c] : std::uint8_t{0};
      float value = transform.scale[c] * static_cast<float>(byte) - transform.shift[c];
      if (noise.sigma != 0) value += noise.sigma * noise.pool[(offset + k) % noise.pool_size];
      out[i * shape.size() + k] = view.cuts(y, x) ? 0.0f : value;
    }
  }
}

}  // namespace eos::kernels::reference
