// The CUDA half of device_identity.
#pragma once

#include "eos/kernels/device_identity.hpp"

namespace eos::kernels::cuda {

DeviceIdentity device_identity(Context::Cuda& state);

}  // namespace eos::kernels::cuda
