#include "cuda_backend.hpp"
#include "no_cuda.hpp"

namespace eos::kernels::cuda {
void layer_norm_forward(const Context&, LayerNormShape, float, const float*, const float*, const float*, float*,
                        float*) {
  no_cuda();
}
void layer_norm_backward(const Context&, LayerNormShape, const float*, const float*, const float*, const float*,
                         NormGradients) {
  no_cuda();
}
}  // namespace eos::kernels::cuda
