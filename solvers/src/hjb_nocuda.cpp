// The CUDA entry point in a build without CUDA.
#include "eos/core/error.hpp"
#include "hjb_scheme.hpp"

namespace eos::solvers {

void march_on_device(const HjbWork&, std::vector<double>&, double, std::int64_t) {
  throw core::Error("E302", "this build has no CUDA backend",
                    "use device = cpu, or configure with -DEOS_CUDA=ON and nvcc on PATH");
}

bool hjb_cuda_available() { return false; }

}  // namespace eos::solvers
