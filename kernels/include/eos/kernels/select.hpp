// Exact top-k by magnitude, per segment, ties broken by index: which entries are the k largest in |value|.
//
// The result is a threshold, not a list: entry i of segment s is selected iff key(i) > threshold[s], or
// key(i) == threshold[s] and it is among the first ties[s] such entries in index order; key = bits of |value|
// (monotone for finite floats). So an update kernel can apply the selection while it streams over the data.
// Fast versions: radix histograms of 11, 10 and 10 bits over candidates only. On the CPU a small sample first brackets
// the threshold, so that one pass leaves a few percent of candidates (the sample decides speed, never the result); on
// CUDA three passes without host synchronisation. References: nth_element on the host, and a sort with Thrust
// (select_threshold_thrust), the same source for OpenMP and CUDA. Guarantees: bit-identical on every backend and for
// any number of threads. NaN in a segment with k > 0 is Error E901: at once on the CPU, at the next synchronise() or
// copy to the host on CUDA. Thread-safe; no allocation after the first calls on the CPU. Bytes: 4 per value. Example:
// tests/kernels/select_test.cpp.
#pragma once

#include <cstdint>

#include "eos/kernels/context.hpp"

namespace eos::kernels {

/// Segments tile an array: segment s is [offset[s], offset[s+1]); offsets is a host array of segments + 1 entries.
struct Segments {
  int count = 0;
  const std::int64_t* offsets = nullptr;
};

struct Selection {
  std::uint32_t threshold = 0xFFFFFFFFu;  ///< key of the k-th largest; 0xFFFFFFFF selects nothing (k = 0)
  std::uint32_t ties = 0;                 ///< how many entries with exactly this key are selected
};

/// k [segments] (host) is clamped to the segment's size; `selection` [segments] in the context's memory.
void select_threshold(const Context& context, const float* values, Segments segments, const std::int64_t* k,
                      Selection* selection);
/// The same by Thrust sort_by_key: the readable version, kept as reference and benchmark peer.
void select_threshold_thrust(const Context& context, const float* values, Segments segments, const std::int64_t* k,
                             Selection* selection);
/// Indices of selected entries in increasing order, host arrays; for tests and small problems.
std::vector<std::int64_t> selected_indices(const float* values, std::int64_t begin, std::int64_t end,
                                           Selection selection);

namespace reference {
void select_threshold(const float* values, Segments segments, const std::int64_t* k, Selection* selection);
}

}  // namespace eos::kernels
