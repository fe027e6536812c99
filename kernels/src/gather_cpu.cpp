// Sample movement on the CPU.
#include <algorithm>
#include <cstring>

#include "cuda_backend.hpp"
#include "eos/core/error.hpp"
#include "eos/core/parallel.hpp"
#include "noise_formula.hpp"

namespace eos::kernels {

namespace {

constexpr std::int64_t k_values_a_task = 256 * 1024;
constexpr int k_rows_ahead = 4;  ///< rows are scattered over a data set larger than the caches: ask for them early

/// Calls body(begin, end) on pieces of the rows.
template <class Body>
void for_rows(const Context& context, int rows, int columns, Body body) {
  const std::int64_t a_task = std::max<std::int64_t>(1, k_values_a_task / std::max(1, columns));
  core::parallel_for(static_cast<std::size_t>((rows + a_task - 1) / a_task), context.threads(), [&](std::size_t task) {
    const std::int64_t begin = static_cast<std::int64_t>(task) * a_task;
    body(begin, std::min<std::int64_t>(begin + a_task, rows));
  });
}

/// to[c] += sigma pool[(offset + c) mod size], in stretches without a wrap.
void add_noise(const InputNoise& noise, std::int32_t sample, int columns, float* __restrict to) {
  std::int64_t at = formula::noise_offset(noise, sample);
  for (std::int64_t done = 0; done < columns; at = 0) {
    const std::int64_t stretch = std::min<std::int64_t>(columns - done, noise.pool_size - at);
    const float* __restrict from = noise.pool + at;
    for (std::int64_t c = 0; c < stretch; ++c) to[done + c] += noise.sigma * from[c];
    done += stretch;
  }
}

}  // namespace

std::vector<float> noise_pool(std::uint64_t seed, std::int32_t size) {
  std::vector<float> pool(static_cast<std::size_t>(size));
  for (std::size_t i = 0; i < pool.size(); i += 2) {
    const auto pair = core::normal_pair(seed, {0, 0, core::Purpose::noise_pool, static_cast<std::uint32_t>(i / 2)});
    pool[i] = static_cast<float>(pair[0]);
    if (i + 1 < pool.size()) pool[i + 1] = static_cast<float>(pair[1]);
  }
  return pool;
}

void gather_rows(const Context& context, const std::uint8_t* source, int columns, const std::int32_t* index, int rows,
                 InputTransform transform, float* out) {
  const InputNoise noise = transform.noise;
  if (noise.sigma != 0 && (noise.pool == nullptr || noise.pool_size <= 0))
    throw core::Error("E901", "gather_rows was asked for noise but was given no pool");
  if (context.backend() == Backend::cuda)
    return cuda::gather_rows(context, source, columns, index, rows, transform, out);
  const float scale = transform.scale, shift = transform.shift;
  for_rows(context, rows, columns, [=](std::int64_t begin, std::int64_t end) {
    const auto row_of = [=](std::int64_t i) { return source + static_cast<std::int64_t>(index[i]) * columns; };
    for (std::int64_t i = begin; i < end; ++i) {
      if (i + k_rows_ahead < end) {
        for (int c = 0; c < columns; c += 64) __builtin_prefetch(row_of(i + k_rows_ahead) + c);
      }
      const std::uint8_t* __restrict from = row_of(i);
      float* __restrict to = out + i * columns;
      for (int c = 0; c < columns; ++c) to[c] = scale * static_cast<float>(from[c]) - shift;
      if (noise.sigma != 0) add_noise(noise, index[i], columns, to);
    }
  });
}

void compact_rows(const Context& context, const float* in, int columns, const std::int32_t* index, int rows,
                  float* out) {
  if (context.backend() == Backend::cuda) return cuda::compact_rows(context, in, columns, index, rows, out);
  const std::size_t bytes = static_cast<std::size_t>(columns) * sizeof(float);
  for_rows(context, rows, columns, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t j = begin; j < end; ++j) {
      std::memcpy(out + j * columns, in + static_cast<std::int64_t>(index[j]) * columns, bytes);
    }
  });
}

void scatter_rows(const Context& context, const float* in, int columns, const std::int32_t* index, int kept, int rows,
                  float* out) {
  if (context.backend() == Backend::cuda) return cuda::scatter_rows(context, in, columns, index, kept, rows, out);
  const std::size_t bytes = static_cast<std::size_t>(columns) * sizeof(float);
  int next = 0;  // row from which on nothing is written yet
  const auto clear_until = [&](int end) {
    if (end > next) std::memset(out + std::int64_t{next} * columns, 0, static_cast<std::size_t>(end - next) * bytes);
    next = end + 1;
  };
  for (int j = 0; j < kept; ++j) {
    clear_until(index[j]);
    std::memcpy(out + std::int64_t{index[j]} * columns, in + std::int64_t{j} * columns, bytes);
  }
  clear_until(rows);
}

int compact_flags(const Context& context, const std::uint8_t* keep, int rows, std::int32_t* index) {
  if (context.backend() == Backend::cuda) return cuda::compact_flags(context, keep, rows, index);
  int kept = 0;
  for (int i = 0; i < rows; ++i) {  // without a branch: flags are hard to predict
    index[kept] = i;
    kept += keep[i] != 0;
  }
  return kept;
}

}  // namespace eos::kernels
