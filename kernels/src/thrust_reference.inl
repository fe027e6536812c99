// Selection, compaction and change counts as Thrust algorithms: short enough to be checked by eye, the reference of the
// fast kernels and their benchmark peer. One source for two builds: g++ with the OpenMP system, nvcc with CUDA.
// Including Thrust costs 16 s of compile time under nvcc, so this is included by exactly one file per backend, which
// defines EOS_THRUST_NAMESPACE and thrust_policy(context) first.
#include <thrust/copy.h>
#include <thrust/count.h>
#include <thrust/device_ptr.h>
#include <thrust/device_vector.h>
#include <thrust/functional.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/sequence.h>
#include <thrust/sort.h>
#include <thrust/transform.h>
#include <thrust/transform_reduce.h>

#include "cuda_backend.hpp"
#include "select_key.hpp"

namespace eos::kernels::EOS_THRUST_NAMESPACE {

namespace {

// Functors and not lambdas: with CCCL under g++ __host__ and __device__ are undefined, EOS_HD is right in both builds.

struct KeyOf {
  EOS_HD std::uint32_t operator()(float value) const { return magnitude_key(value); }
};

struct IsKept {
  EOS_HD bool operator()(std::uint8_t flag) const { return flag != 0; }
};

struct ChangeAt {
  const float* before;
  const float* after;
  EOS_HD UpdateCounts operator()(std::int64_t i) const {
    const double moved = static_cast<double>(after[i]) - static_cast<double>(before[i]);
    return UpdateCounts{moved != 0 ? 1 : 0, moved < 0 ? -moved : moved, moved * moved};
  }
};

struct AddCounts {
  EOS_HD UpdateCounts operator()(UpdateCounts a, UpdateCounts b) const {
    return UpdateCounts{a.writes + b.writes, a.path + b.path, a.squared + b.squared};
  }
};

}  // namespace

void select_threshold_thrust(const Context& context, const float* values, Segments segments, const std::int64_t* k,
                             Selection* selection) {
  const auto policy = thrust_policy(context);
  for (int s = 0; s < segments.count; ++s) {
    const std::int64_t begin = segments.offsets[s], size = segments.offsets[s + 1] - begin;
    const std::int64_t wanted = k[s] < size ? k[s] : size;
    Selection result;
    if (wanted > 0) {
      thrust::device_vector<std::uint32_t> keys(size);
      thrust::device_vector<std::int64_t> index(size);
      const thrust::device_ptr<const float> from = thrust::device_pointer_cast(values + begin);
      thrust::transform(policy, from, from + size, keys.begin(), KeyOf());
      thrust::sequence(policy, index.begin(), index.end());
      thrust::stable_sort_by_key(policy, keys.begin(), keys.end(), index.begin(), thrust::greater<std::uint32_t>());
      result.threshold = keys[wanted - 1];
      result.ties =
          static_cast<std::uint32_t>(thrust::count(policy, keys.begin(), keys.begin() + wanted, result.threshold));
    }
    context.copy_in(selection + s, &result, sizeof result);
  }
  context.synchronise();
}

int compact_flags_thrust(const Context& context, const std::uint8_t* keep, int rows, std::int32_t* index) {
  const thrust::counting_iterator<std::int32_t> first(0);
  const auto flags = thrust::device_pointer_cast(keep);
  const auto to = thrust::device_pointer_cast(index);
  return static_cast<int>(thrust::copy_if(thrust_policy(context), first, first + rows, flags, to, IsKept()) - to);
}

UpdateCounts count_changes_thrust(const Context& context, std::int64_t size, const float* before, const float* after) {
  const thrust::counting_iterator<std::int64_t> first(0);
  return thrust::transform_reduce(thrust_policy(context), first, first + size, ChangeAt{before, after}, UpdateCounts{},
                                  AddCounts());
}

}  // namespace eos::kernels::EOS_THRUST_NAMESPACE
