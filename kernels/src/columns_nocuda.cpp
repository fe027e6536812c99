#include "cuda_backend.hpp"
#include "no_cuda.hpp"

namespace eos::kernels::cuda {

void gather_columns(const Context&, std::int64_t, int, const std::int32_t*, int, const float*, float*) { no_cuda(); }
void gather_columns(const Context&, std::int64_t, int, const std::int32_t*, int, const std::uint8_t*, std::uint8_t*) {
  no_cuda();
}
void scatter_columns(const Context&, std::int64_t, int, const std::int32_t*, int, const float*, float*) { no_cuda(); }

}  // namespace eos::kernels::cuda
