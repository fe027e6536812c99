#include "cuda_backend.hpp"
#include "no_cuda.hpp"

namespace eos::kernels::cuda {
void row_norms(const Context&, int, int, const float*, float*) { no_cuda(); }
void scale_rows(const Context&, int, int, const float*, float*) { no_cuda(); }
}  // namespace eos::kernels::cuda
