// Softmax cross-entropy on the CPU.
#include <cmath>

#include "cuda_backend.hpp"

namespace eos::kernels {

void softmax_xent(const Context& context, SoftmaxShape shape, const float* logits, const std::int32_t* labels,
                  const float* weight, float scale, SoftmaxOutputs out) {
  if (context.backend() == Backend::cuda) return cuda::softmax_xent(context, shape, logits, labels, weight, scale, out);
  reference::softmax_xent(shape, logits, labels, weight, scale, out);
}

}  // namespace eos::kernels
