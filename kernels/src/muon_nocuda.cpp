#include "cuda_backend.hpp"
#include "no_cuda.hpp"

namespace eos::kernels::cuda {
void muon_direction(const Context&, MuonShape, MuonParameters, const float*, float*, float*) { no_cuda(); }
void muon_polynomial(const Context&, int, int, const float*, float*) { no_cuda(); }
void muon_finish(const Context&, MuonShape, MuonParameters, const float*, const float*, float*) { no_cuda(); }
}  // namespace eos::kernels::cuda
