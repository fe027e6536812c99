// A build without CUDA: says so.
#include "device_identity_cuda.hpp"
#include "no_cuda.hpp"

namespace eos::kernels::cuda {

DeviceIdentity device_identity(Context::Cuda&) { no_cuda(); }

}  // namespace eos::kernels::cuda
