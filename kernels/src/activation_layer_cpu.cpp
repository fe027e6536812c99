// Activation layers on the CPU: one vectorised loop a function.
#include "activation_formula.hpp"
#include "cuda_backend.hpp"
#include "eos/kernels/activation_layer.hpp"
#include "eos/kernels/gelu.hpp"
#include "for_values.hpp"

namespace eos::kernels {

void activation_forward(const Context& context, std::int64_t size, ActivationSpec spec, const float* z, float* y) {
  if (spec.kind == Activation::gelu) return gelu_forward(context, size, z, y);
  if (context.backend() == Backend::cuda) return cuda::activation_forward(context, size, spec, z, y);
  for_values(context, size, [=](std::int64_t begin, std::int64_t end) {
    formula::with_kind(spec.kind, [=](auto constant) {
      const float leak = spec.leak;
      map_values(
          begin, end, y, [leak](float value) { return formula::activate<decltype(constant)::kind>(value, leak); }, z);
    });
  });
}

void activation_backward(const Context& context, std::int64_t size, ActivationSpec spec, const float* kept,
                         const float* dy, float* dz) {
  if (spec.kind == Activation::gelu) return gelu_backward(context, size, kept, dy, dz);
  if (context.backend() == Backend::cuda) return cuda::activation_backward(context, size, spec, kept, dy, dz);
  for_values(context, size, [=](std::int64_t begin, std::int64_t end) {
    formula::with_kind(spec.kind, [=](auto constant) {
      const float leak = spec.leak;
      map_values(
          begin, end, dz,
          [leak](float y, float error) { return error * formula::slope<decltype(constant)::kind>(y, leak); }, kept, dy);
    });
  });
}

}  // namespace eos::kernels
