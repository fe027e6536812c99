// Recordings on the CPU are the calls themselves.
#include <utility>

#include "replica_backend.hpp"

namespace eos::kernels {

Recording::Recording(const Context& context, std::function<void()> calls, int times)
    : context_(context), calls_(std::move(calls)), times_(times) {
  if (context.backend() == Backend::cuda) graph_ = cuda::record(*context.cuda_state(), calls_, times);
}

void Recording::replay() const {
  if (graph_) return cuda::replay(*context_.cuda_state(), *graph_);
  for (int i = 0; i < times_; ++i) calls_();
}

}  // namespace eos::kernels
