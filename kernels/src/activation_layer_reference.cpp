#include "eos/kernels/activation_layer.hpp"
#include "reference_activation.hpp"

namespace eos::kernels::reference {

void activation_forward(std::int64_t size, ActivationSpec spec, const double* z, double* y) {
  for (std::int64_t i = 0; i < size; ++i) y[i] = activate(spec, z[i]);
}

void activation_backward(std::int64_t size, ActivationSpec spec, const double* kept, const double* dy, double* dz) {
  for (std::int64_t i = 0; i < size; ++i) dz[i] = dy[i] * slope(spec, kept[i]);
}

}  // namespace eos::kernels::reference
