// The Thrust references on CUDA.
#include <thrust/execution_policy.h>

#include "cuda_state.hpp"

#define EOS_THRUST_NAMESPACE cuda
namespace eos::kernels::cuda {
static auto thrust_policy(const Context& context) {
  context.cuda_state()->use();
  return thrust::cuda::par.on(context.cuda_state()->stream);
}
}  // namespace eos::kernels::cuda
#include "thrust_reference.inl"
