#include "cuda_backend.hpp"
#include "no_cuda.hpp"

namespace eos::kernels::cuda {
void max_pool_forward(const Context&, PoolShape, const float*, float*, std::int32_t*) { no_cuda(); }
void max_pool_backward(const Context&, PoolShape, const float*, const std::int32_t*, const float*, ActivationSpec,
                       float*) {
  no_cuda();
}
void average_pool_forward(const Context&, PoolShape, const float*, float*) { no_cuda(); }
void average_pool_backward(const Context&, PoolShape, const float*, const float*, ActivationSpec, float*) { no_cuda(); }
}  // namespace eos::kernels::cuda
