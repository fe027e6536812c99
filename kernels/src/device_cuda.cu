// Questions to a CUDA device.
#include "cuda_state.hpp"
#include "replica_backend.hpp"

namespace eos::kernels::cuda {

void set_products(Context::Cuda& state, Products products) { state.products = products; }

Products products(const Context::Cuda& state) { return state.products; }

std::size_t free_bytes(Context::Cuda& state) {
  state.use();
  std::size_t free = 0, total = 0;
  EOS_CUDA_CHECK(cudaMemGetInfo(&free, &total));
  // What the pool keeps and nobody uses can be had again without asking the driver.
  cudaMemPool_t pool = nullptr;
  std::uint64_t reserved = 0, used = 0;
  EOS_CUDA_CHECK(cudaDeviceGetDefaultMemPool(&pool, state.device));
  EOS_CUDA_CHECK(cudaMemPoolGetAttribute(pool, cudaMemPoolAttrReservedMemCurrent, &reserved));
  EOS_CUDA_CHECK(cudaMemPoolGetAttribute(pool, cudaMemPoolAttrUsedMemCurrent, &used));
  return free + static_cast<std::size_t>(reserved - used);
}

}  // namespace eos::kernels::cuda
