#include "cuda_backend.hpp"
#include "no_cuda.hpp"

namespace eos::kernels::cuda {
void gather_images(const Context&, const std::uint8_t*, ImageShape, const std::int32_t*, int, ImageTransform,
                   Augmentation, float*) {
  no_cuda();
}
}  // namespace eos::kernels::cuda
