#include "cuda_backend.hpp"
#include "no_cuda.hpp"

namespace eos::kernels::cuda {
void gather_rows(const Context&, const std::uint8_t*, int, const std::int32_t*, int, InputTransform, float*) {
  no_cuda();
}
void compact_rows(const Context&, const float*, int, const std::int32_t*, int, float*) { no_cuda(); }
void scatter_rows(const Context&, const float*, int, const std::int32_t*, int, int, float*) { no_cuda(); }
int compact_flags(const Context&, const std::uint8_t*, int, std::int32_t*) { no_cuda(); }
int compact_flags_thrust(const Context&, const std::uint8_t*, int, std::int32_t*) { no_cuda(); }
}  // namespace eos::kernels::cuda
