// Exact selection on the CPU: a small sample brackets the threshold, one pass over the values collects the keys inside
// the bracket and counts those above it, and a radix select of those few finishes. The sample decides speed, never the
// result.
#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <functional>

#if defined(__AVX2__) && defined(__BMI2__)
#include <immintrin.h>
#endif

#include "cuda_backend.hpp"
#include "eos/core/error.hpp"
#include "eos/core/parallel.hpp"
#include "host_scratch.hpp"
#include "select_key.hpp"

namespace eos::kernels {

namespace {

constexpr std::int64_t k_small = 4096;      ///< up to this size a partial sort of a copy is fastest
constexpr std::int64_t k_chunk = 65536;     ///< values a thread takes at a time
constexpr std::int64_t k_sample_runs = 64;  ///< the sample: runs of consecutive values, evenly spread
constexpr std::int64_t k_sample_run = 64;
constexpr int k_first_shift = 20;  ///< 31-bit keys in digits of 11, 10 and 10 bits
constexpr std::uint32_t k_bins = 2048;

/// Keys in [low, high) may hold the threshold.
struct Bracket {
  std::uint32_t low = 0, high = k_magnitude_mask + 1;
};

/// Part of a large segment: its keys inside the bracket lie in the scratch array from `begin` on.
struct Chunk {
  std::int64_t begin = 0, end = 0;
  int segment = 0;
  Bracket bracket;
  std::int64_t above = 0, inside = 0;
};

[[noreturn]] void refuse_nan() {
  throw core::Error("E901", "select_threshold was given a NaN", "check the loss for divergence before selecting");
}

/// The highest and the lowest bin of the histogram that can hold the key of rank `k` (1: largest) of a sample's parent.
Bracket bracket_of_sample(const float* values, std::int64_t size, std::int64_t k) {
  std::uint32_t histogram[k_bins] = {};
  const std::int64_t stride = size / k_sample_runs;
  for (std::int64_t run = 0; run < k_sample_runs; ++run) {
    for (std::int64_t i = 0; i < k_sample_run; ++i)
      ++histogram[magnitude_key(values[run * stride + i]) >> k_first_shift];
  }
  // The rank of the k-th largest in the sample is binomial; six standard deviations make a miss rare.
  const double share = static_cast<double>(k) / static_cast<double>(size);
  const double sample = static_cast<double>(k_sample_runs * k_sample_run);
  const double margin = 6 * std::sqrt(share * (1 - share) * sample) + 6;
  const double first = share * sample - margin, last = share * sample + margin;
  Bracket bracket;
  double seen = 0;
  for (std::uint32_t bin = k_bins; bin-- > 0;) {
    const double before = seen;
    seen += histogram[bin];
    if (before <= first && seen > first) bracket.high = (bin + 1) << k_first_shift;
    if (seen >= last) {
      bracket.low = bin << k_first_shift;
      break;
    }
  }
  return bracket;
}

/// Collects one chunk; returns false on a NaN. Plain version, also for the rest after the last full vector.
bool collect_plain(const float* values, std::int64_t begin, std::int64_t end, std::uint32_t* keys, Chunk& chunk) {
  bool good = true;
  std::int64_t above = 0, inside = chunk.inside;
  for (std::int64_t i = begin; i < end; ++i) {
    const std::uint32_t key = magnitude_key(values[i]);
    good &= key <= k_infinity_key;
    above += key >= chunk.bracket.high;
    keys[inside] = key;
    inside += key >= chunk.bracket.low && key < chunk.bracket.high;
  }
  chunk.above += above;
  chunk.inside = inside;
  return good;
}

#if defined(__AVX2__) && defined(__BMI2__)

/// Eight keys at a time; those inside the bracket are packed to the front by a permutation computed from their mask.
bool collect(const float* values, std::uint32_t* keys, Chunk& chunk) {
  const __m256i magnitude = _mm256_set1_epi32(static_cast<int>(k_magnitude_mask));
  const __m256i infinity = _mm256_set1_epi32(static_cast<int>(k_infinity_key));
  const __m256i below_low = _mm256_set1_epi32(static_cast<int>(chunk.bracket.low) - 1);
  const __m256i below_high = _mm256_set1_epi32(static_cast<int>(chunk.bracket.high - 1));
  __m256i above = _mm256_setzero_si256(), nan = above;
  std::int64_t i = chunk.begin;
  std::uint32_t* to = keys;
  for (; i + 8 <= chunk.end; i += 8) {
    const __m256i key = _mm256_and_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(values + i)), magnitude);
    const __m256i is_above = _mm256_cmpgt_epi32(key, below_high);
    const __m256i is_inside = _mm256_andnot_si256(is_above, _mm256_cmpgt_epi32(key, below_low));
    above = _mm256_sub_epi32(above, is_above);
    nan = _mm256_or_si256(nan, _mm256_cmpgt_epi32(key, infinity));
    const auto mask = static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(is_inside)));
    const std::uint64_t bytes = _pdep_u64(mask, 0x0101010101010101u) * 0xFFu;
    const std::uint64_t lanes = _pext_u64(0x0706050403020100u, bytes);
    const __m256i order = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(static_cast<long long>(lanes)));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_permutevar8x32_epi32(key, order));
    to += std::popcount(mask);
  }
  alignas(32) std::uint32_t lanes_above[8];
  _mm256_store_si256(reinterpret_cast<__m256i*>(lanes_above), above);
  for (const std::uint32_t count : lanes_above) chunk.above += count;
  chunk.inside = to - keys;
  const bool good = _mm256_testz_si256(nan, nan) != 0;
  return collect_plain(values, i, chunk.end, keys, chunk) && good;
}

#else

bool collect(const float* values, std::uint32_t* keys, Chunk& chunk) {
  return collect_plain(values, chunk.begin, chunk.end, keys, chunk);
}

#endif

/// The bin that holds rank k (1: largest) of a histogram; k becomes the rank within the bin.
std::uint32_t bin_of_rank(const std::uint32_t* histogram, std::uint32_t bins, std::int64_t& k) {
  std::uint32_t bin = bins - 1;
  for (; bin > 0 && k > histogram[bin]; --bin) k -= histogram[bin];
  return bin;
}

/// Radix select over keys in several chunks, most significant digit first. The keys are overwritten by candidates.
Selection radix_select(std::uint32_t* keys, const Chunk* chunks, std::size_t count, std::int64_t base, std::int64_t k) {
  std::uint32_t histogram[4][k_bins] = {};  // four, so that equal keys in a row do not wait for each other
  for (const Chunk* c = chunks; c != chunks + count; ++c) {
    const std::uint32_t* from = keys + (c->begin - base);
    for (std::int64_t i = 0; i < c->inside; ++i) ++histogram[i & 3][from[i] >> k_first_shift];
  }
  for (std::uint32_t bin = 0; bin < k_bins; ++bin) {
    histogram[0][bin] += histogram[1][bin] + histogram[2][bin] + histogram[3][bin];
  }
  const std::uint32_t first = bin_of_rank(histogram[0], k_bins, k);
  std::int64_t candidates = 0;
  for (const Chunk* c = chunks; c != chunks + count; ++c) {
    const std::uint32_t* from = keys + (c->begin - base);
    for (std::int64_t i = 0; i < c->inside; ++i) {
      const std::uint32_t key = from[i];
      keys[candidates] = key;
      candidates += key >> k_first_shift == first;
    }
  }
  std::uint32_t prefix = first;
  for (const int shift : {10, 0}) {
    std::fill_n(histogram[0], 1024, 0u);
    for (std::int64_t i = 0; i < candidates; ++i) ++histogram[0][(keys[i] >> shift) & 1023];
    const std::uint32_t bin = bin_of_rank(histogram[0], 1024, k);
    prefix = prefix << 10 | bin;
    std::int64_t kept = 0;
    for (std::int64_t i = 0; i < candidates; ++i) {
      const std::uint32_t key = keys[i];
      keys[kept] = key;
      kept += key >> shift == prefix;
    }
    candidates = kept;
  }
  return {prefix, static_cast<std::uint32_t>(k)};
}

Selection select_small(const float* values, std::int64_t size, std::int64_t k) {
  std::uint32_t keys[k_small];
  std::uint32_t largest = 0;
  for (std::int64_t i = 0; i < size; ++i) largest = std::max(largest, keys[i] = magnitude_key(values[i]));
  if (largest > k_infinity_key) refuse_nan();
  std::nth_element(keys, keys + (k - 1), keys + size, std::greater<>());
  const std::uint32_t threshold = keys[k - 1];
  // What lies before position k is at least the threshold: those equal to it are the ties to take.
  return {threshold, static_cast<std::uint32_t>(std::count(keys, keys + k, threshold))};
}

/// Chunks of one large segment, after collection. A bracket that missed is replaced by the full range of keys.
Selection finish_large(const float* values, std::uint32_t* keys, Chunk* chunks, std::size_t count, std::int64_t k) {
  std::int64_t above = 0, inside = 0;
  for (const Chunk* c = chunks; c != chunks + count; ++c) above += c->above, inside += c->inside;
  const std::int64_t base = chunks->begin;
  if (above >= k || above + inside < k) {
    above = 0;
    for (Chunk* c = chunks; c != chunks + count; ++c) {
      *c = Chunk{c->begin, c->end, c->segment, Bracket{}, 0, 0};
      collect(values, keys + (c->begin - base), *c);
    }
  }
  return radix_select(keys, chunks, count, base, k - above);
}

std::int64_t segment_size(Segments segments, std::size_t s) { return segments.offsets[s + 1] - segments.offsets[s]; }

bool is_large(Segments segments, std::size_t s, const std::int64_t* k) {
  return segment_size(segments, s) > k_small && k[s] > 0;
}

/// Chunks of all large segments with their brackets; the array belongs to the calling thread.
Chunk* make_chunks(const float* values, Segments segments, const std::int64_t* k, std::size_t& count) {
  count = 0;
  for (int s = 0; s < segments.count; ++s) {
    if (is_large(segments, s, k))
      count += static_cast<std::size_t>((segment_size(segments, s) + k_chunk - 1) / k_chunk);
  }
  Chunk* chunks = host_scratch<struct ChunkTag, Chunk>(count);
  Chunk* next = chunks;
  for (int s = 0; s < segments.count; ++s) {
    if (!is_large(segments, s, k)) continue;
    const std::int64_t begin = segments.offsets[s], end = segments.offsets[s + 1];
    const Bracket bracket = bracket_of_sample(values + begin, end - begin, std::min(k[s], end - begin));
    for (std::int64_t from = begin; from < end; from += k_chunk) {
      *next++ = Chunk{from, std::min(from + k_chunk, end), s, bracket, 0, 0};
    }
  }
  return chunks;
}

}  // namespace

void select_threshold(const Context& context, const float* values, Segments segments, const std::int64_t* k,
                      Selection* selection) {
  if (context.backend() == Backend::cuda) return cuda::select_threshold(context, values, segments, k, selection);
  if (segments.count == 0) return;
  std::size_t count = 0;
  Chunk* chunks = make_chunks(values, segments, k, count);
  const std::int64_t first = segments.offsets[0], last = segments.offsets[segments.count];
  // Each chunk has room for all its keys where its values lie; memory that is never touched costs nothing.
  std::uint32_t* keys =
      host_scratch<struct KeyTag, std::uint32_t>(count == 0 ? 0 : static_cast<std::size_t>(last - first));
  std::atomic<bool> good = true;
  core::parallel_for(count, context.threads(), [&](std::size_t c) {
    if (!collect(values, keys + (chunks[c].begin - first), chunks[c])) good = false;
  });
  if (!good) refuse_nan();
  core::parallel_for(static_cast<std::size_t>(segments.count), context.threads(), [&](std::size_t s) {
    const std::int64_t begin = segments.offsets[s], size = segment_size(segments, s);
    const std::int64_t wanted = std::min(k[s], size);
    if (wanted <= 0) {
      selection[s] = Selection{};
    } else if (is_large(segments, s, k)) {
      Chunk* from = std::find_if(chunks, chunks + count, [&](const Chunk& c) { return c.begin == begin; });
      const auto chunk_count = static_cast<std::size_t>((size + k_chunk - 1) / k_chunk);
      selection[s] = finish_large(values, keys + (begin - first), from, chunk_count, wanted);
    } else {
      selection[s] = select_small(values + begin, size, wanted);
    }
  });
}

}  // namespace eos::kernels
