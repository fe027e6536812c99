// Augmented images on CUDA: one thread block an image at a time.
#include <cstdint>

#include "augment_formula.hpp"
#include "cuda_state.hpp"
#include "noise_formula.hpp"

namespace eos::kernels::cuda {

namespace {

/// Every thread draws the view of the image itself: cheaper than to share it.
__global__ void gather_images_kernel(int rows, const std::uint8_t* source, ImageShape shape, const std::int32_t* index,
                                     ImageTransform transform, Augmentation augmentation, std::uint32_t flip_limit,
                                     float* out) {
  const InputNoise& noise = transform.noise;
  const int size = static_cast<int>(shape.size());
  for (std::int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    const std::int32_t sample = index[row];
    const std::uint8_t* image = source + sample * shape.size();
    formula::View view;
    if (augmentation.view != nullptr)
      view = formula::image_view(augmentation, flip_limit, shape, row, sample);
    const std::int64_t offset = noise.sigma != 0 ? formula::noise_offset(noise, sample) : 0;
    for (int k = static_cast<int>(threadIdx.x); k < size; k += k_threads) {
      const int c = k % shape.channels, x = k / shape.channels % shape.width, y = k / shape.channels / shape.width;
      const int from_y = y + view.dy, from_x = (view.flip ? shape.width - 1 - x : x) + view.dx;
      const bool inside = from_y >= 0 && from_y < shape.height && from_x >= 0 && from_x < shape.width;
      const std::uint8_t byte = inside ? image[(from_y * shape.width + from_x) * shape.channels + c] : std::uint8_t{0};
      float value = transform.scale[c] * static_cast<float>(byte) - transform.shift[c];
      if (noise.sigma != 0) value += noise.sigma * noise.pool[(offset + k) % noise.pool_size];
      out[row * size + k] = view.cuts(y, x) ? 0.0f : value;
    }
  }
}

}  // namespace

void gather_images(const Context& context, const std::uint8_t* source, ImageShape shape, const std::int32_t* index,
                   int rows, ImageTransform transform, Augmentation augmentation, float* out) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  if (rows == 0) return;
  const unsigned blocks = static_cast<unsigned>(rows < 4096 ? rows : 4096);
  gather_images_kernel<<<blocks, k_threads, 0, state.stream>>>(rows, source, shape, index, transform, augmentation,
                                                               formula::draw_limit(augmentation.flip), out);
  EOS_CUDA_CHECK(cudaGetLastError());
}

}  // namespace eos::kernels::cuda
