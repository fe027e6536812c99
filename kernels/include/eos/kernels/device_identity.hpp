// Which physical device a context computes on, so that other interfaces (NVML, job schedulers) can be asked about the
// same one: their order of devices differs from CUDA's.
#pragma once

#include <string>

#include "eos/kernels/context.hpp"

namespace eos::kernels {

struct DeviceIdentity {
  std::string uuid;        ///< "GPU-xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"; empty for the CPU
  std::string pci_bus_id;  ///< "0000:3B:00.0"; empty for the CPU
};

/// throws Error E303 when the driver does not answer.
DeviceIdentity device_identity(const Context& context);

}  // namespace eos::kernels
