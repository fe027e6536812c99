#include "eos/kernels/device_identity.hpp"

#include "device_identity_cuda.hpp"

namespace eos::kernels {

DeviceIdentity device_identity(const Context& context) {
  if (context.backend() == Backend::cpu) return {};
  return cuda::device_identity(*context.cuda_state());
}

}  // namespace eos::kernels
