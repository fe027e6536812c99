// The handle of the CPU, and the one place where memory calls are sent to the CPU or to CUDA.
#include <fmt/format.h>

#include <cstdlib>
#include <cstring>
#include <new>

#include "cuda_backend.hpp"
#include "eos/core/error.hpp"
#include "eos/kernels/device.hpp"

namespace eos::kernels {

namespace {

constexpr std::size_t k_alignment = 64;
constexpr std::size_t k_address_space = std::size_t{1} << 47;  ///< more bytes than any process can map

void* allocate_host(std::size_t bytes) {
  if (bytes == 0) return nullptr;
  const std::size_t rounded = (bytes + k_alignment - 1) / k_alignment * k_alignment;
  void* memory = bytes > k_address_space ? nullptr : std::aligned_alloc(k_alignment, rounded);
  if (memory == nullptr) {
    throw core::Error("E304", fmt::format("cannot allocate {} bytes of host memory", bytes),
                      "reduce the number of replicas, the batch or the data set");
  }
  return memory;
}

}  // namespace

Context Context::cpu(int threads) {
  if (threads < 1) {
    throw core::Error("E104", fmt::format("a CPU context was asked for {} threads", threads), "use 1 or more threads");
  }
  Context context;
  context.threads_ = threads;
  return context;
}

Context Context::named(const std::string& device, int threads) {
  const DeviceName name = parse_device(device);
  if (name.backend == Backend::cpu && !(name.automatic && cuda_available())) return cpu(threads);
  const Context context = cuda(name.index);
  set_products(context, name.products);
  return context;
}

void Context::synchronise() const {
  if (backend_ == Backend::cuda) cuda::synchronise(*cuda_);
}

void* Context::allocate(std::size_t bytes) const {
  return backend_ == Backend::cuda ? cuda::allocate(*cuda_, bytes) : allocate_host(bytes);
}

void Context::release(void* memory) const noexcept {
  if (backend_ == Backend::cuda) return cuda::release(*cuda_, memory);
  std::free(memory);
}

void Context::copy_in(void* to, const void* from_host, std::size_t bytes) const {
  if (bytes == 0) return;
  if (backend_ == Backend::cuda) return cuda::copy_in(*cuda_, to, from_host, bytes);
  std::memcpy(to, from_host, bytes);
}

void Context::copy_out(void* to_host, const void* from, std::size_t bytes) const {
  if (bytes == 0) return;
  if (backend_ == Backend::cuda) return cuda::copy_out(*cuda_, to_host, from, bytes);
  std::memcpy(to_host, from, bytes);
}

void Context::fill_zero(void* memory, std::size_t bytes) const {
  if (bytes == 0) return;
  if (backend_ == Backend::cuda) return cuda::fill_zero(*cuda_, memory, bytes);
  std::memset(memory, 0, bytes);
}

void Context::copy(void* to, const void* from, std::size_t bytes) const {
  if (bytes == 0) return;
  if (backend_ == Backend::cuda) return cuda::copy(*cuda_, to, from, bytes);
  std::memcpy(to, from, bytes);
}

}  // namespace eos::kernels
