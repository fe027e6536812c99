#include "cuda_backend.hpp"
#include "no_cuda.hpp"

namespace eos::kernels::cuda {
void conv2d_forward(const Context&, ConvShape, const float*, const float*, const float*, ActivationSpec, float*,
                    std::uint8_t*) {
  no_cuda();
}
void conv2d_backward_weights(const Context&, ConvShape, const float*, const float*, const std::uint8_t*, float*,
                             float*) {
  no_cuda();
}
void conv2d_backward_inputs(const Context&, ConvShape, const float*, const std::uint8_t*, const float*, const float*,
                            ActivationSpec, float*) {
  no_cuda();
}
}  // namespace eos::kernels::cuda
