#include "cuda_backend.hpp"

namespace eos::kernels {

void select_threshold(const Context& context, const float* values, Segments segments, const std::int64_t* k,
                      Selection* selection) {
  if (context.backend() == Backend::cuda) return cuda::select_threshold(context, values, segments, k, selection);
  reference::select_threshold(values, segments, k, selection);
}

void select_threshold_thrust(const Context& context, const float* values, Segments segments, const std::int64_t* k,
                             Selection* selection) {
  if (context.backend() == Backend::cuda) return cuda::select_threshold_thrust(context, values, segments, k, selection);
  reference::select_threshold(values, segments, k, selection);
}

}  // namespace eos::kernels
