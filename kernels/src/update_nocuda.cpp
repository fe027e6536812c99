#include "cuda_backend.hpp"
#include "no_cuda.hpp"

namespace eos::kernels::cuda {
void sgd_delta(const Context&, std::int64_t, SgdParameters, const float*, const float*, float*, float*) { no_cuda(); }
void adamw_delta(const Context&, std::int64_t, AdamParameters, const float*, const float*, float*, float*, float*) {
  no_cuda();
}
void sgd_update_dense(const Context&, Segments, SgdParameters, const float*, float*, float*, UpdateCounts*) {
  no_cuda();
}
void masked_update(const Context&, Segments, const float*, MaskedUpdate, float*, UpdateCounts*) { no_cuda(); }
void accumulate(const Context&, std::int64_t, const float*, float*) { no_cuda(); }
UpdateCounts count_changes_thrust(const Context&, std::int64_t, const float*, const float*) { no_cuda(); }
}  // namespace eos::kernels::cuda
