#include "cuda_backend.hpp"
#include "no_cuda.hpp"

namespace eos::kernels::cuda {
void add_positions(const Context&, TokensShape, const float*, const float*, float*) { no_cuda(); }
void add_positions_backward(const Context&, TokensShape, const float*, float*) { no_cuda(); }
void prepend_token(const Context&, TokensShape, const float*, const float*, float*) { no_cuda(); }
void prepend_token_backward(const Context&, TokensShape, const float*, float*, float*) { no_cuda(); }
void select_first_token(const Context&, TokensShape, const float*, float*) { no_cuda(); }
void select_first_token_backward(const Context&, TokensShape, const float*, float*) { no_cuda(); }
}  // namespace eos::kernels::cuda
