// Activation layers on CUDA.
#include "activation_formula.hpp"
#include "map_values.cuh"

namespace eos::kernels::cuda {

namespace {

template <Activation kind>
struct Activate {
  float leak;
  __device__ float operator()(float z) const { return formula::activate<kind>(z, leak); }
  __device__ float operator()(float y, float dy) const { return dy * formula::slope<kind>(y, leak); }
};

}  // namespace

void activation_forward(const Context& context, std::int64_t size, ActivationSpec spec, const float* z, float* y) {
  formula::with_kind(spec.kind, [&](auto constant) {
    map_values(context, size, y, Activate<decltype(constant)::kind>{spec.leak}, z);
  });
}

void activation_backward(const Context& context, std::int64_t size, ActivationSpec spec, const float* kept,
                         const float* dy, float* dz) {
  formula::with_kind(spec.kind, [&](auto constant) {
    map_values(context, size, dz, Activate<decltype(constant)::kind>{spec.leak}, kept, dy);
  });
}

}  // namespace eos::kernels::cuda
