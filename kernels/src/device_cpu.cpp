#include <unistd.h>

#include "eos/kernels/device.hpp"
#include "replica_backend.hpp"

namespace eos::kernels {

void set_products(const Context& context, Products products) {
  if (context.backend() == Backend::cuda) cuda::set_products(*context.cuda_state(), products);
}

Products products(const Context& context) {
  return context.backend() == Backend::cuda ? cuda::products(*context.cuda_state()) : Products::fp32;
}

std::size_t free_bytes(const Context& context) {
  if (context.backend() == Backend::cuda) return cuda::free_bytes(*context.cuda_state());
  const long pages = sysconf(_SC_AVPHYS_PAGES), size = sysconf(_SC_PAGESIZE);
  return pages > 0 && size > 0 ? static_cast<std::size_t>(pages) * static_cast<std::size_t>(size) : SIZE_MAX / 2;
}

}  // namespace eos::kernels
