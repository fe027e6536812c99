// The Thrust references on the CPU: compiled by g++ with Thrust's OpenMP system (nvcc cannot build that one).
#include <omp.h>
#include <thrust/system/omp/execution_policy.h>

#include "eos/kernels/context.hpp"

#define EOS_THRUST_NAMESPACE host
namespace eos::kernels::host {
static auto thrust_policy(const Context&) { return thrust::omp::par; }
}  // namespace eos::kernels::host
#include "thrust_reference.inl"

namespace eos::kernels {

namespace {

/// Gives Thrust as many OpenMP threads as the context has.
class OpenMpThreads {
 public:
  explicit OpenMpThreads(const Context& context) : before_(omp_get_max_threads()) {
    omp_set_num_threads(context.threads());
  }
  ~OpenMpThreads() { omp_set_num_threads(before_); }
  OpenMpThreads(const OpenMpThreads&) = delete;
  OpenMpThreads& operator=(const OpenMpThreads&) = delete;

 private:
  int before_;
};

}  // namespace

void select_threshold_thrust(const Context& context, const float* values, Segments segments, const std::int64_t* k,
                             Selection* selection) {
  if (context.backend() == Backend::cuda) return cuda::select_threshold_thrust(context, values, segments, k, selection);
  const OpenMpThreads threads(context);
  host::select_threshold_thrust(context, values, segments, k, selection);
}

int compact_flags_thrust(const Context& context, const std::uint8_t* keep, int rows, std::int32_t* index) {
  if (context.backend() == Backend::cuda) return cuda::compact_flags_thrust(context, keep, rows, index);
  const OpenMpThreads threads(context);
  return host::compact_flags_thrust(context, keep, rows, index);
}

UpdateCounts count_changes_thrust(const Context& context, std::int64_t size, const float* before, const float* after) {
  if (context.backend() == Backend::cuda) return cuda::count_changes_thrust(context, size, before, after);
  const OpenMpThreads threads(context);
  return host::count_changes_thrust(context, size, before, after);
}

}  // namespace eos::kernels
