// A build without CUDA: says so.
#include "batch_setup.hpp"
#include "eos/core/error.hpp"

namespace eos::solvers {

namespace {
constexpr const char* k_why = "this build has no CUDA backend";
}

bool batch_cuda_available(std::string* reason) {
  if (reason != nullptr) *reason = k_why;
  return false;
}

namespace batch {
std::vector<LaneResult> run_cuda(const Setup&, std::span<const Lane>, double, int) {
  throw core::Error("E302", k_why, "configure with -DEOS_CUDA=ON and nvcc on PATH, or use the CPU");
}
}  // namespace batch

}  // namespace eos::solvers
