// Exact selection on CUDA: three radix passes over all segments, without host synchronisation.
//
// Pass 1 reads all values and finds the leading 11 bits of each threshold. Pass 2 reads them again, finds the next 10
// bits and copies the keys that share the leading ones. Pass 3 reads those few and finds the last 10 bits. Histograms
// are of integers, so the order in which blocks add does not matter; the last block of a segment to arrive finds the
// digit. The scheme is that of Zhang et al., "Parallel top-k algorithms on GPU", SC'23 (AIR top-k), made deterministic.
#include <algorithm>
#include <cstdint>

#include "cuda_state.hpp"
#include "replica_backend.hpp"
#include "select_key.hpp"

namespace eos::kernels::cuda {

namespace {

constexpr int k_most_bins = 2048;
constexpr int k_segments_a_launch = 256;  ///< ranks travel as kernel arguments: 2 kB

struct SelectState {
  unsigned long long rank;        ///< rank of the threshold among the keys that share its prefix; 0: select nothing
  unsigned long long candidates;  ///< keys copied by pass 2
  std::uint32_t prefix;
  std::uint32_t arrived[3];  ///< blocks that have finished pass 1, 2, 3
  std::uint32_t histogram[k_most_bins];
};

struct Ranks {
  std::int64_t k[k_segments_a_launch];
};

/// A whole block clears the state of its segment and sets its rank.
__device__ void begin_segment(int s, std::int64_t k, const std::int64_t* offsets, SelectState* states,
                              Selection* selection) {
  SelectState& state = states[s];
  for (int bin = threadIdx.x; bin < k_most_bins; bin += blockDim.x) state.histogram[bin] = 0;
  if (threadIdx.x != 0) return;
  const std::int64_t size = offsets[s + 1] - offsets[s];
  state.rank = static_cast<unsigned long long>(k < 0 ? 0 : k < size ? k : size);
  state.candidates = 0;
  state.prefix = 0;
  for (std::uint32_t& count : state.arrived) count = 0;
  selection[s] = Selection{};
}

__global__ void begin_select(Ranks ranks, int first, const std::int64_t* offsets, SelectState* states,
                             Selection* selection) {
  begin_segment(first + static_cast<int>(blockIdx.x), ranks.k[blockIdx.x], offsets, states, selection);
}

/// Ranks in device memory; a replica that rests or was refused selects nothing.
__global__ void begin_select_replicas(const std::int64_t* ranks, const ReplicaRule* rules, int segments_a_replica,
                                      const std::int64_t* offsets, SelectState* states, Selection* selection) {
  const int s = static_cast<int>(blockIdx.x);
  const ReplicaRule& rule = rules[s / segments_a_replica];
  const bool selects = rule.writes != 0 && rule.refused == 0;
  begin_segment(s, selects ? ranks[s] : 0, offsets, states, selection);
}

/// Digit of a pass: pass 1 has 11 bits, passes 2 and 3 have 10.
template <int pass>
struct Digit {
  static constexpr int k_shift = pass == 1 ? 20 : pass == 2 ? 10 : 0;
  static constexpr int k_bins = pass == 1 ? 2048 : 1024;
};

/// The whole block finds the bin that holds the rank, counted from the largest key, and leaves the histogram empty.
template <int pass>
__device__ void find_digit(SelectState& state, Selection& selection) {
  constexpr int k_bins = Digit<pass>::k_bins, k_share = k_bins / k_threads;
  __shared__ unsigned long long above[k_threads + 1];  // keys in the bins of this thread and all higher ones
  const int t = threadIdx.x;
  std::uint32_t count[k_share];
  unsigned long long sum = 0;
  for (int i = 0; i < k_share; ++i) {
    count[i] = __ldcg(&state.histogram[t * k_share + i]);
    sum += count[i];
    state.histogram[t * k_share + i] = 0;
  }
  above[t] = sum;
  if (t == 0) above[k_threads] = 0;
  __syncthreads();
  for (int offset = 1; offset < k_threads; offset *= 2) {
    const unsigned long long more = t + offset < k_threads ? above[t + offset] : 0;
    __syncthreads();
    above[t] += more;
    __syncthreads();
  }
  unsigned long long rank = state.rank;
  __syncthreads();  // one thread changes the rank below
  if (rank > above[t] || rank <= above[t + 1]) return;
  rank -= above[t + 1];
  int i = k_share - 1;
  for (; i > 0 && rank > count[i]; --i) rank -= count[i];
  const auto bin = static_cast<std::uint32_t>(t * k_share + i);
  state.prefix = pass == 1 ? bin : state.prefix << 10 | bin;
  state.rank = rank;
  if (pass == 3) selection = Selection{state.prefix, static_cast<std::uint32_t>(rank)};
}

/// Appends the keys of the lanes that keep theirs; the order of candidates does not matter.
__device__ void append(bool keep, std::uint32_t key, SelectState& state, std::uint32_t* candidates) {
  const unsigned active = __activemask();
  const unsigned keepers = __ballot_sync(active, keep);
  if (!keep) return;
  const int lane = threadIdx.x % 32, leader = __ffs(static_cast<int>(keepers)) - 1;
  unsigned long long place = 0;
  if (lane == leader) place = atomicAdd(&state.candidates, static_cast<unsigned long long>(__popc(keepers)));
  place = __shfl_sync(keepers, place, leader);
  candidates[place + __popc(keepers & ((1u << lane) - 1))] = key;
}

/// grid: (blocks, segments). Passes 1 and 2 read values; pass 3 reads the candidates of pass 2.
template <int pass>
__global__ void radix_pass(const float* values, const std::int64_t* offsets, SelectState* states,
                           std::uint32_t* candidates, Selection* selection, volatile std::uint32_t* fault) {
  constexpr int k_bins = Digit<pass>::k_bins, k_shift = Digit<pass>::k_shift;
  const int s = static_cast<int>(blockIdx.y);
  SelectState& state = states[s];
  if (state.rank == 0) return;
  __shared__ std::uint32_t histogram[k_bins];
  __shared__ bool is_last;
  for (int bin = threadIdx.x; bin < k_bins; bin += blockDim.x) histogram[bin] = 0;
  __syncthreads();
  const std::int64_t begin = offsets[s];
  const std::int64_t size = pass == 3 ? static_cast<std::int64_t>(state.candidates) : offsets[s + 1] - begin;
  const std::uint32_t prefix = state.prefix;
  for (std::int64_t i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; i < size;
       i += std::int64_t{gridDim.x} * blockDim.x) {
    const std::uint32_t key = pass == 3 ? candidates[begin + i] : magnitude_key(values[begin + i]);
    if (pass == 1 && key > k_infinity_key) *fault = 1;
    const bool counts = pass == 1 || key >> (k_shift + 10) == prefix;
    if (counts) atomicAdd(&histogram[(key >> k_shift) & (k_bins - 1)], 1u);
    if (pass == 2) append(counts, key, state, candidates + begin);
  }
  __syncthreads();
  for (int bin = threadIdx.x; bin < k_bins; bin += blockDim.x) {
    if (histogram[bin] != 0) atomicAdd(&state.histogram[bin], histogram[bin]);
  }
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) is_last = atomicAdd(&state.arrived[pass - 1], 1u) + 1 == gridDim.x;
  __syncthreads();
  if (!is_last) return;
  __threadfence();
  find_digit<pass>(state, selection[s]);
}

std::int64_t largest_segment(Segments segments) {
  std::int64_t largest = 0;
  for (int s = 0; s < segments.count; ++s) largest = std::max(largest, segments.offsets[s + 1] - segments.offsets[s]);
  return largest;
}

/// What the passes work on.
struct Work {
  Context::Cuda& state;
  Segments segments;
  const std::int64_t* offsets;
  SelectState* states;
  std::uint32_t* candidates;
};

Work make_work(const Context& context, Segments segments) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  const std::int64_t* offsets = state.device_offsets(segments);
  auto* states = static_cast<SelectState*>(
      state.scratch(Scratch::select_states, static_cast<std::size_t>(segments.count) * sizeof(SelectState)));
  auto* candidates = static_cast<std::uint32_t*>(state.scratch(
      Scratch::select_candidates, static_cast<std::size_t>(segments.offsets[segments.count]) * sizeof(std::uint32_t)));
  return {state, segments, offsets, states, candidates};
}

void run_passes(const Work& work, const float* values, Selection* selection) {
  // About 16 values a thread, and not many more blocks than the device holds at once.
  const std::int64_t wanted = (largest_segment(work.segments) + 16 * k_threads - 1) / (16 * k_threads);
  const std::int64_t most = std::max<std::int64_t>(1, 2 * 132 * 8 / work.segments.count);
  const dim3 grid(static_cast<unsigned>(std::clamp<std::int64_t>(wanted, 1, most)),
                  static_cast<unsigned>(work.segments.count));
  const auto run = [&](auto pass) {
    pass<<<grid, k_threads, 0, work.state.stream>>>(values, work.offsets, work.states, work.candidates, selection,
                                                    work.state.fault);
    EOS_CUDA_CHECK(cudaGetLastError());
  };
  run(radix_pass<1>);
  run(radix_pass<2>);
  run(radix_pass<3>);
}

}  // namespace

void select_threshold(const Context& context, const float* values, Segments segments, const std::int64_t* k,
                      Selection* selection) {
  if (segments.count == 0) return;
  const Work work = make_work(context, segments);
  for (int first = 0; first < segments.count; first += k_segments_a_launch) {
    const int count = std::min(k_segments_a_launch, segments.count - first);
    Ranks ranks{};
    std::copy_n(k + first, count, ranks.k);
    begin_select<<<static_cast<unsigned>(count), k_threads, 0, work.state.stream>>>(ranks, first, work.offsets,
                                                                                    work.states, selection);
    EOS_CUDA_CHECK(cudaGetLastError());
  }
  run_passes(work, values, selection);
}

void select_replicas(const Context& context, const float* values, Segments segments, int segments_a_replica,
                     const std::int64_t* ranks, const ReplicaRule* rules, Selection* selection) {
  if (segments.count == 0) return;
  const Work work = make_work(context, segments);
  begin_select_replicas<<<static_cast<unsigned>(segments.count), k_threads, 0, work.state.stream>>>(
      ranks, rules, segments_a_replica, work.offsets, work.states, selection);
  EOS_CUDA_CHECK(cudaGetLastError());
  run_passes(work, values, selection);
}

}  // namespace eos::kernels::cuda
