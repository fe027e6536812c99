// Rank-one update on the CPU: a pass over the rows of W whose input is not zero.
#include <algorithm>
#include <cmath>

#include "cuda_backend.hpp"
#include "eos/core/error.hpp"
#include "eos/core/parallel.hpp"
#include "host_scratch.hpp"
#include "nonzeros.hpp"
#include "simd.hpp"

namespace eos::kernels {

namespace {

constexpr std::int64_t k_counted = 4096;          ///< entries whose counts are summed in float; fixed, so that bits are
constexpr std::int64_t k_entries_a_task = 65536;  ///< what a thread takes at a time

template <int lanes>
struct Pack {
  typedef float Floats __attribute__((vector_size(4 * lanes)));
  typedef std::int32_t Ints __attribute__((vector_size(4 * lanes)));
};

/// What is constant over a layer.
struct Layer {
  OuterUpdate update;
  std::int64_t out;
  const float* dz;
  float* w;
};

/// Writes, path and squared path of `lanes` neighbours in many rows.
template <int lanes>
struct Tally {
  using Floats = typename Pack<lanes>::Floats;
  using Ints = typename Pack<lanes>::Ints;
  Ints writes{};
  Floats path{}, squared{};

  void add_to(UpdateCounts& total) const {
    for (int lane = 0; lane < lanes; ++lane) {
      total.writes += writes[lane];
      total.path += static_cast<double>(path[lane]);
      total.squared += static_cast<double>(squared[lane]);
    }
  }
};

/// sum + x^2, in one instruction where there is one: the counts need not have the same bits in every build.
template <class Floats>
[[gnu::always_inline]] inline Floats add_square(Floats sum, Floats x) {
#if defined(__FMA__)
  if constexpr (sizeof(Floats) == sizeof(simd::Floats)) return _mm256_fmadd_ps(x, x, sum);
#endif
  return sum + x * x;
}

template <int lanes, bool all>
[[gnu::always_inline]] inline void write(float x, float minus_rate, float threshold, const float* dz, float* w,
                                         Tally<lanes>& tally) {
  using Floats = typename Pack<lanes>::Floats;
  using Ints = typename Pack<lanes>::Ints;
  Floats gradient, before;
  std::memcpy(&gradient, dz, sizeof gradient);
  std::memcpy(&before, w, sizeof before);
  const Floats change = minus_rate * (x * gradient);
  Floats after = before + change;
  if constexpr (!all) {
    const Ints size = reinterpret_cast<Ints>(change) & 0x7FFFFFFF;
    after = reinterpret_cast<Floats>(size) > threshold ? after : before;
  }
  std::memcpy(w, &after, sizeof after);
  const Floats moved = after - before;
  const Ints magnitude = reinterpret_cast<Ints>(moved) & 0x7FFFFFFF;
  tally.writes -= after != before;
  tally.path += reinterpret_cast<Floats>(magnitude);
  tally.squared = add_square(tally.squared, moved);
}

/// Columns [column, column + columns) of `rows` rows with the factors x.
template <bool all>
UpdateCounts write_rows(const Layer& layer, std::int64_t rows, const float* x, const std::int32_t* place,
                        std::int64_t column, std::int64_t columns) {
  Tally<8> eights, others;  // two, because a sum waits for the one before
  Tally<4> fours;
  Tally<1> ones;
  const float* dz = layer.dz + column;
  const float minus_rate = -layer.update.learning_rate, threshold = layer.update.threshold;
  for (std::int64_t i = 0; i < rows; ++i) {
    const float factor = x[i];
    float* w = layer.w + place[i] * layer.out + column;
    std::int64_t o = 0;
    for (; o + 16 <= columns; o += 16) {
      write<8, all>(factor, minus_rate, threshold, dz + o, w + o, eights);
      write<8, all>(factor, minus_rate, threshold, dz + o + 8, w + o + 8, others);
    }
    if (o + 8 <= columns) write<8, all>(factor, minus_rate, threshold, dz + o, w + o, eights), o += 8;
    if (o + 4 <= columns) write<4, all>(factor, minus_rate, threshold, dz + o, w + o, fours), o += 4;
    for (; o < columns; ++o) write<1, all>(factor, minus_rate, threshold, dz + o, w + o, ones);
  }
  UpdateCounts total;
  eights.add_to(total);
  others.add_to(total);
  fours.add_to(total);
  ones.add_to(total);
  return total;
}

void add(const UpdateCounts& more, UpdateCounts& total) {
  total.writes += more.writes;
  total.path += more.path;
  total.squared += more.squared;
}

/// Any number of rows, in pieces of at most k_counted entries a lane sum.
UpdateCounts write_piece(const Layer& layer, std::int64_t rows, const float* x, const std::int32_t* place) {
  UpdateCounts total;
  if (layer.out == 0) return total;
  const std::int64_t columns = std::min(layer.out, k_counted),
                     at_a_time = std::max<std::int64_t>(1, k_counted / columns);
  for (std::int64_t first = 0; first < rows; first += at_a_time) {
    const std::int64_t some = std::min(at_a_time, rows - first);
    for (std::int64_t column = 0; column < layer.out; column += columns) {
      const std::int64_t width = std::min(columns, layer.out - column);
      add(layer.update.all ? write_rows<true>(layer, some, x + first, place + first, column, width)
                           : write_rows<false>(layer, some, x + first, place + first, column, width),
          total);
    }
  }
  return total;
}

UpdateCounts update_layer(const Context& context, const Layer& layer, std::int64_t in, const float* x) {
  const auto room = static_cast<std::size_t>(in + 8);
  float* value = host_scratch<struct OuterValueTag, float>(room);
  auto* place = host_scratch<struct OuterPlaceTag, std::int32_t>(room);
  const std::int64_t rows = list_nonzeros(x, in, 1, value, place);
  const std::int64_t a_task = std::max<std::int64_t>(1, k_entries_a_task / std::max<std::int64_t>(1, layer.out));
  const auto tasks = static_cast<std::size_t>((rows + a_task - 1) / a_task);
  UpdateCounts* counts = host_scratch<struct OuterCountsTag, UpdateCounts>(tasks);
  core::parallel_for(tasks, context.threads(), [&](std::size_t task) {
    const std::int64_t first = static_cast<std::int64_t>(task) * a_task;
    counts[task] = write_piece(layer, std::min(a_task, rows - first), value + first, place + first);
  });
  UpdateCounts total;
  for (std::size_t task = 0; task < tasks; ++task) add(counts[task], total);
  return total;
}

}  // namespace

void outer_update(const Context& context, DenseShape shape, OuterUpdate update, const float* x, const float* dz,
                  float* w, float* b, UpdateCounts* counts) {
  if (shape.rows != 1)
    throw core::Error("E901", "outer_update was given " + std::to_string(shape.rows) + " rows; it takes one sample");
  if (context.backend() == Backend::cuda) return cuda::outer_update(context, shape, update, x, dz, w, b, counts);
  const std::int64_t in = shape.in, out = shape.out;
  const float one = 1;
  const std::int32_t first_row = 0;
  for (std::int64_t r = 0; r < shape.replicas; ++r) {
    counts[r] = update_layer(context, {update, out, dz + r * out, w + r * in * out}, in, x + r * in);
    if (b == nullptr) continue;
    add(write_piece({update, out, dz + r * out, b + r * out}, 1, &one, &first_row), counts[r]);  // the bias: input 1
  }
}

}  // namespace eos::kernels
