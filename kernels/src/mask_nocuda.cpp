#include "cuda_backend.hpp"
#include "no_cuda.hpp"

namespace eos::kernels::cuda {
void apply_masks(const Context&, RowShape, const std::uint8_t*, const std::int32_t*, const float*, float*) {
  no_cuda();
}
void add_masked(const Context&, RowShape, const std::uint8_t*, float, const float*, float*) { no_cuda(); }
void keep_ranked(const Context&, RowShape, const float*, Ranking, float*) { no_cuda(); }
void column_magnitudes(const Context&, RowShape, const float*, float*) { no_cuda(); }
}  // namespace eos::kernels::cuda
