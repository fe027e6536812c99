// Names of the physical device behind a context.
#include <cstdio>

#include "cuda_state.hpp"
#include "device_identity_cuda.hpp"

namespace eos::kernels::cuda {

DeviceIdentity device_identity(Context::Cuda& state) {
  cudaDeviceProp properties;
  EOS_CUDA_CHECK(cudaGetDeviceProperties(&properties, state.device));
  DeviceIdentity identity;
  identity.uuid = "GPU-";
  for (int i = 0; i < 16; ++i) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned char>(properties.uuid.bytes[i]));
    if (i == 4 || i == 6 || i == 8 || i == 10) identity.uuid += '-';
    identity.uuid += digits;
  }
  char bus[32] = {};
  EOS_CUDA_CHECK(cudaDeviceGetPCIBusId(bus, sizeof bus, state.device));
  identity.pci_bus_id = bus;
  return identity;
}

}  // namespace eos::kernels::cuda
