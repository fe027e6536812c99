#include "cuda_backend.hpp"
#include "no_cuda.hpp"

namespace eos::kernels::cuda {
void token_scores(const Context&, TokenShape, TokenValues, TokenScores) { no_cuda(); }
}  // namespace eos::kernels::cuda
