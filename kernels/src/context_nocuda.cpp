// A build without CUDA: says so.
#include "cuda_backend.hpp"
#include "eos/kernels/device.hpp"
#include "no_cuda.hpp"

namespace eos::kernels {

struct Context::Cuda {};

Context Context::cuda(int) { no_cuda(); }
bool cuda_in_build() { return false; }
bool cuda_available() { return false; }
int cuda_devices() { return 0; }
std::vector<std::string> describe_cuda() {
  return {"built without CUDA (configure with -DEOS_CUDA=ON and nvcc on PATH)"};
}

namespace cuda {
void synchronise(Context::Cuda&) { no_cuda(); }
void* allocate(Context::Cuda&, std::size_t) { no_cuda(); }
void release(Context::Cuda&, void*) noexcept {}
void copy(Context::Cuda&, void*, const void*, std::size_t) { no_cuda(); }
void copy_in(Context::Cuda&, void*, const void*, std::size_t) { no_cuda(); }
void copy_out(Context::Cuda&, void*, const void*, std::size_t) { no_cuda(); }
void fill_zero(Context::Cuda&, void*, std::size_t) { no_cuda(); }
}  // namespace cuda

}  // namespace eos::kernels
