#include "cuda_backend.hpp"
#include "no_cuda.hpp"

namespace eos::kernels::cuda {
void select_threshold(const Context&, const float*, Segments, const std::int64_t*, Selection*) { no_cuda(); }
void select_threshold_thrust(const Context&, const float*, Segments, const std::int64_t*, Selection*) { no_cuda(); }
}  // namespace eos::kernels::cuda
