#include "eos/kernels/elementwise.hpp"

namespace eos::kernels::reference {

void add(std::int64_t size, const float* a, const float* b, float* y) {
  for (std::int64_t i = 0; i < size; ++i) y[i] = a[i] + b[i];
}
void multiply(std::int64_t size, const float* a, const float* b, float* y) {
  for (std::int64_t i = 0; i < size; ++i) y[i] = a[i] * b[i];
}

}  // namespace eos::kernels::reference
