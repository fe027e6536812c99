// Gaussian error linear units on the CPU: one vectorised loop each.
#include "cuda_backend.hpp"
#include "eos/kernels/gelu.hpp"
#include "for_values.hpp"
#include "gelu_formula.hpp"
#include "gelu_pass.hpp"

namespace eos::kernels {

void gelu_forward(const Context& context, std::int64_t size, const float* z, float* y) {
  if (context.backend() == Backend::cuda) return cuda::gelu_forward(context, size, z, y);
  for_values(context, size, [=](std::int64_t begin, std::int64_t end) {
    map_values(
        begin, end, y, [](float value) { return formula::gelu(value); }, z);
  });
}

void gelu_backward(const Context& context, std::int64_t size, const float* z, const float* dy, float* dz) {
  if (context.backend() == Backend::cuda) return cuda::gelu_backward(context, size, z, dy, dz);
  for_values(context, size, [=](std::int64_t begin, std::int64_t end) {
    map_values(
        begin, end, dz, [](float value, float error) { return error * formula::gelu_slope(value); }, z, dy);
  });
}

void gelu_forward_with_slopes(const Context& context, std::int64_t size, float* z, float* y) {
  if (context.backend() == Backend::cuda) return cuda::gelu_forward_with_slopes(context, size, z, y);
  for_values(context, size,
             [=](std::int64_t begin, std::int64_t end) { gelu_with_slopes(end - begin, z + begin, y + begin); });
}

void gelu_tanh_forward(const Context& context, std::int64_t size, const float* z, float* y) {
  if (context.backend() == Backend::cuda) return cuda::gelu_tanh_forward(context, size, z, y);
  for_values(context, size, [=](std::int64_t begin, std::int64_t end) {
    map_values(
        begin, end, y, [](float value) { return formula::gelu_tanh(value); }, z);
  });
}

void gelu_tanh_backward(const Context& context, std::int64_t size, const float* z, const float* dy, float* dz) {
  if (context.backend() == Backend::cuda) return cuda::gelu_tanh_backward(context, size, z, dy, dz);
  for_values(context, size, [=](std::int64_t begin, std::int64_t end) {
    map_values(
        begin, end, dz, [](float value, float error) { return error * formula::gelu_tanh_slope(value); }, z, dy);
  });
}

}  // namespace eos::kernels
