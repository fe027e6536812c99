#include "cuda_backend.hpp"
#include "no_cuda.hpp"

namespace eos::kernels::cuda {
void dense_forward(const Context&, DenseShape, const float*, const float*, const float*, ActivationSpec, float*) {
  no_cuda();
}
void dense_backward_weights(const Context&, DenseShape, const float*, const float*, float*, float*) { no_cuda(); }
void dense_backward_inputs(const Context&, DenseShape, const float*, const float*, const float*, ActivationSpec,
                           float*) {
  no_cuda();
}
}  // namespace eos::kernels::cuda
