// What every CUDA entry point does in a build without CUDA.
#pragma once

#include "eos/core/error.hpp"

namespace eos::kernels {

[[noreturn]] inline void no_cuda() {
  throw core::Error("E302", "this build has no CUDA backend",
                    "use --device cpu or auto, or configure with -DEOS_CUDA=ON and nvcc on PATH");
}

}  // namespace eos::kernels
