#include "cuda_backend.hpp"
#include "no_cuda.hpp"

namespace eos::kernels::cuda {
void add(const Context&, std::int64_t, const float*, const float*, float*) { no_cuda(); }
void multiply(const Context&, std::int64_t, const float*, const float*, float*) { no_cuda(); }
}  // namespace eos::kernels::cuda
