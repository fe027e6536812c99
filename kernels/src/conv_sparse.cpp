#include "conv_sparse.hpp"

#include <algorithm>

#include "host_scratch.hpp"
#include "nonzeros.hpp"
#include "simd.hpp"

namespace eos::kernels {

namespace {

using simd::Floats;

constexpr std::int64_t k_registers = 12;        ///< of sums: they cover the latency of two FMA units
constexpr std::int64_t k_most_rows = 4;         ///< of a slab
constexpr std::int64_t k_l1_floats = 7 * 1024;  ///< what an operand may take of the L1 cache (32 kB)
constexpr std::int64_t k_slack = 8;             ///< floats that the last register of a row may reach beyond it

std::int64_t up_to_8(std::int64_t size) { return (size + 7) / 8 * 8; }

/// Entries (value, place) of several sums, one list after the other.
struct Lists {
  std::int64_t count;
  const std::int32_t* begin;   ///< [count + 1]
  const std::int32_t* target;  ///< where the sums of each list lie
  const float* value;
  const std::int32_t* place;  ///< where the operand of each entry lies
};

/// Sums and operands of a slab: `pitch` floats from row to row.
struct Rows {
  float* sums;
  std::int64_t sums_pitch;
  const float* operand;
  std::int64_t operand_pitch;
};

/// For each list: sums[target] += value * operand[place], summed over its entries. Slabs of few registers are summed in
/// several ways at once, because a chain of multiply-adds alone waits for itself.
template <int rows, int registers>
void add_lists(const Lists& lists, const Rows& slab) {
  constexpr int ways = rows * registers >= 6 ? 1 : rows * registers >= 3 ? 2 : 4;
  for (std::int64_t l = 0; l < lists.count; ++l) {
    std::int64_t e = lists.begin[l];
    const std::int64_t end = lists.begin[l + 1];
    if (e == end) continue;
    float* to = slab.sums + lists.target[l];
    Floats sum[ways][rows][registers] = {};
#pragma GCC unroll 12
    for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 12
      for (int j = 0; j < registers; ++j) sum[0][i][j] = simd::load(to + i * slab.sums_pitch + 8 * j);
    }
    for (; e + ways <= end; e += ways) {
#pragma GCC unroll 4
      for (int way = 0; way < ways; ++way) {
        const Floats factor = simd::broadcast(lists.value[e + way]);
        const float* from = slab.operand + lists.place[e + way];
#pragma GCC unroll 12
        for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 12
          for (int j = 0; j < registers; ++j) {
            sum[way][i][j] =
                simd::multiply_add(factor, simd::load(from + i * slab.operand_pitch + 8 * j), sum[way][i][j]);
          }
        }
      }
    }
    for (; ways > 1 && e < end; ++e) {
      const Floats factor = simd::broadcast(lists.value[e]);
      const float* from = slab.operand + lists.place[e];
#pragma GCC unroll 12
      for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 12
        for (int j = 0; j < registers; ++j) {
          sum[0][i][j] = simd::multiply_add(factor, simd::load(from + i * slab.operand_pitch + 8 * j), sum[0][i][j]);
        }
      }
    }
#pragma GCC unroll 12
    for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 12
      for (int j = 0; j < registers; ++j) {
#pragma GCC unroll 4
        for (int way = 1; way < ways; ++way) sum[0][i][j] += sum[way][i][j];
        simd::store(to + i * slab.sums_pitch + 8 * j, sum[0][i][j]);
      }
    }
  }
}

template <int rows, int registers = static_cast<int>(k_registers) / rows>
void add_rows(std::int64_t wanted, const Lists& lists, const Rows& slab) {
  if (wanted == registers) return add_lists<rows, registers>(lists, slab);
  if constexpr (registers > 1) add_rows<rows, registers - 1>(wanted, lists, slab);
}

void add(const ConvSlab& slab, const Lists& lists, const Rows& memory) {
  switch (slab.rows) {
    case 4:
      return add_rows<4>(slab.registers, lists, memory);
    case 3:
      return add_rows<3>(slab.registers, lists, memory);
    case 2:
      return add_rows<2>(slab.registers, lists, memory);
    default:
      return add_rows<1>(slab.registers, lists, memory);
  }
}

/// Where the sums of a place begin in a padded image: of place (0, 0) with pooling, winners are further on.
std::int64_t place_offset(const ConvGeometry& g, const ConvSlabs& cut, std::int64_t i, std::int64_t j) {
  const std::int64_t step = g.pooled ? 2 * g.stride : g.stride;
  return i * step * cut.pitch + j * step * cut.block;
}

struct WinnerOffsets {
  std::int32_t of[4];
};
WinnerOffsets winner_offsets(const ConvGeometry& g, const ConvSlabs& cut) {
  const auto right = static_cast<std::int32_t>(g.stride * cut.block),
             down = static_cast<std::int32_t>(g.stride * cut.pitch);
  return {{0, right, down, down + right}};
}

/// The memory of a padded image in blocks, with slack.
std::int64_t image_floats(const ConvSlabs& cut) { return cut.blocks * cut.plane; }

/// Lists of the non-zero derivatives of each output channel: images [0, images), rows [i0, i1) of places.
struct ChannelLists {
  std::int32_t* begin;
  std::int32_t* target;
  float* value;
  std::int32_t* place;
};

Lists list_by_channel(const ConvGeometry& g, const ConvSlabs& cut, const float* dz, const std::uint8_t* winners,
                      std::int64_t images, std::int64_t i0, std::int64_t i1, const ChannelLists& to) {
  const WinnerOffsets offsets = winner_offsets(g, cut);
  std::int64_t count = 0;
  for (std::int64_t o = 0; o < g.out; ++o) {
    to.begin[o] = static_cast<std::int32_t>(count);
    for (std::int64_t image = 0; image < images; ++image) {
      for (std::int64_t i = i0; i < i1; ++i) {
        auto base = static_cast<std::int32_t>(image * image_floats(cut) + place_offset(g, cut, i, 0));
        const auto step = static_cast<std::int32_t>(place_offset(g, cut, 0, 1));
        const std::int64_t at = i * g.out_width * g.out + o;
        const float* value = dz + image * g.outputs() + at;
        const std::uint8_t* winner = winners == nullptr ? nullptr : winners + image * g.winner_bytes() + at;
        for (std::int64_t j = 0; j < g.out_width; ++j, base += step) {
          to.value[count] = value[j * g.out];
          to.place[count] = winner == nullptr ? base : base + offsets.of[winner[j * g.out]];
          count += value[j * g.out] != 0 ? 1 : 0;
        }
      }
    }
  }
  to.begin[g.out] = static_cast<std::int32_t>(count);
  return {g.out, to.begin, to.target, to.value, to.place};
}

/// dw from slabs of sums, each [out][size].
void turn_back(const ConvGeometry& g, const ConvSlabs& cut, const float* sums, float* dw) {
  for (std::int64_t s = 0; s < cut.count; ++s) {
    const ConvSlab& slab = cut.slabs[s];
    for (std::int64_t i = 0; i < slab.rows; ++i) {
      for (std::int64_t t = 0; t < std::min(slab.registers * 8, cut.row - slab.first); ++t) {
        const std::int64_t channel = slab.block * cut.block + (slab.first + t) % cut.block;
        if (channel >= g.in) continue;
        const std::int64_t column = (slab.first + t) / cut.block;
        float* to = dw + (((slab.kernel_row + i) * g.kernel_w + column) * g.in + channel) * g.out;
        const float* from = sums + slab.begin * g.out + i * slab.registers * 8 + t;
        for (std::int64_t o = 0; o < g.out; ++o) to[o] = from[o * slab.size()];
      }
    }
  }
}

}  // namespace

ConvSlabs cut_slabs(const ConvGeometry& g) {
  ConvSlabs cut;
  cut.block = g.in, cut.blocks = 1;
  if (g.in % 8 == 0) {
    const std::int64_t most = std::max<std::int64_t>(8, k_registers * 8 / g.kernel_w / 8 * 8);
    cut.blocks = (g.in + most - 1) / most;
    cut.block = up_to_8((g.in + cut.blocks - 1) / cut.blocks);
    cut.blocks = (g.in + cut.block - 1) / cut.block;
  }
  cut.pitch = g.padded_width() * cut.block, cut.plane = g.padded_height() * cut.pitch;
  cut.row = g.kernel_w * cut.block;
  const std::int64_t registers = up_to_8(cut.row) / 8, pieces = (registers + k_registers - 1) / k_registers;
  const std::int64_t together = std::clamp<std::int64_t>(k_registers / registers, 1, k_most_rows);
  auto* slabs = host_scratch<struct SlabTag, ConvSlab>(static_cast<std::size_t>(cut.blocks * g.kernel_h * pieces));
  for (std::int64_t block = 0; block < cut.blocks; ++block) {
    for (std::int64_t row = 0; row < g.kernel_h; row += together) {
      for (std::int64_t piece = 0; piece < pieces; ++piece) {
        const std::int64_t first = registers * piece / pieces, next = registers * (piece + 1) / pieces;
        slabs[cut.count] = {block, row, std::min(together, g.kernel_h - row), 8 * first, next - first, cut.floats};
        cut.floats += slabs[cut.count++].size();
      }
    }
  }
  cut.slabs = slabs;
  return cut;
}

void sparse_weights(const ConvGeometry& g, const float* x, const float* dz, const std::uint8_t* winners,
                    std::int64_t begin, std::int64_t end, float* dw) {
  const ConvSlabs cut = cut_slabs(g);
  const std::int64_t together =
      std::clamp<std::int64_t>(k_l1_floats / cut.plane, 1, std::max<std::int64_t>(1, end - begin));
  const std::int64_t bands =
      std::clamp<std::int64_t>(cut.plane / k_l1_floats, 1, std::max<std::int64_t>(1, g.out_height));
  const std::int64_t band = (g.out_height + bands - 1) / bands;
  const auto entries = static_cast<std::size_t>(together * band * g.out_width * g.out + 8);
  const ChannelLists memory{host_scratch<struct BeginTag, std::int32_t>(static_cast<std::size_t>(g.out + 1)),
                            host_scratch<struct TargetTag, std::int32_t>(static_cast<std::size_t>(g.out)),
                            host_scratch<struct ValueTag, float>(entries),
                            host_scratch<struct PlaceTag, std::int32_t>(entries)};
  float* images =
      host_scratch<struct ImageTag, float>(static_cast<std::size_t>(together * image_floats(cut) + k_slack));
  std::fill_n(images + together * image_floats(cut), k_slack, 0.0f);
  float* sums = host_scratch<struct SumTag, float>(static_cast<std::size_t>(cut.floats * g.out));
  std::fill_n(sums, cut.floats * g.out, 0.0f);
  for (std::int64_t image = begin; image < end; image += together) {
    const std::int64_t here = std::min(together, end - image);
    for (std::int64_t i = 0; i < here; ++i)
      pad_image(g.padded(), x + (image + i) * g.image(), cut.block, images + i * image_floats(cut));
    for (std::int64_t row = 0; row < g.out_height; row += band) {
      const std::int64_t at = image * g.outputs();
      const Lists lists =
          list_by_channel(g, cut, dz + at, winners == nullptr ? nullptr : winners + image * g.winner_bytes(), here, row,
                          std::min(row + band, g.out_height), memory);
      for (std::int64_t s = 0; s < cut.count; ++s) {
        const ConvSlab& slab = cut.slabs[s];
        for (std::int64_t o = 0; o < g.out; ++o) memory.target[o] = static_cast<std::int32_t>(o * slab.size());
        add(slab, lists,
            {sums + slab.begin * g.out, slab.registers * 8,
             images + slab.block * cut.plane + slab.kernel_row * cut.pitch + slab.first, cut.pitch});
      }
    }
  }
  turn_back(g, cut, sums, dw);
}

std::int64_t turned_size(const ConvGeometry& g) { return cut_slabs(g).floats * g.out; }

void turn_weights(const ConvGeometry& g, const float* w, float* turned) {
  const ConvSlabs cut = cut_slabs(g);
  std::fill_n(turned, cut.floats * g.out, 0.0f);
  for (std::int64_t s = 0; s < cut.count; ++s) {
    const ConvSlab& slab = cut.slabs[s];
    for (std::int64_t i = 0; i < slab.rows; ++i) {
      for (std::int64_t t = 0; t < std::min(slab.registers * 8, cut.row - slab.first); ++t) {
        const std::int64_t channel = slab.block * cut.block + (slab.first + t) % cut.block;
        if (channel >= g.in) continue;
        const std::int64_t column = (slab.first + t) / cut.block;
        const float* from = w + (((slab.kernel_row + i) * g.kernel_w + column) * g.in + channel) * g.out;
        float* to = turned + slab.begin * g.out + i * slab.registers * 8 + t;
        for (std::int64_t o = 0; o < g.out; ++o) to[o * slab.size()] = from[o];
      }
    }
  }
}

double density_of(const float* values, std::int64_t size) {
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < size; ++i) count += values[i] != 0 ? 1 : 0;
  return size == 0 ? 0.0 : static_cast<double>(count) / static_cast<double>(size);
}

namespace {

/// Entries of a row whose winner is `which` (all of them without winners) and that are not zero; see list_nonzeros.
std::int64_t list_won(const float* row, const std::uint8_t* winners, std::uint8_t which, std::int64_t size,
                      std::int32_t* place, float* value) {
  std::int64_t count = 0, t = 0;
#if defined(__AVX2__)
  __m256i at = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const __m256i ahead = _mm256_set1_epi32(8), wanted = _mm256_set1_epi32(which);
  for (; t + 8 <= size; t += 8, at = _mm256_add_epi32(at, ahead)) {
    const __m256 v = _mm256_loadu_ps(row + t);
    const __m256i winner = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(winners + t)));
    const __m256 mask = _mm256_and_ps(_mm256_cmp_ps(v, _mm256_setzero_ps(), _CMP_NEQ_UQ),
                                      _mm256_castsi256_ps(_mm256_cmpeq_epi32(winner, wanted)));
    const auto bits = static_cast<std::size_t>(_mm256_movemask_ps(mask));
    const __m256i lanes = _mm256_load_si256(reinterpret_cast<const __m256i*>(k_lane_table.lanes[bits].data()));
    _mm256_storeu_ps(value + count, _mm256_permutevar8x32_ps(v, lanes));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(place + count), _mm256_permutevar8x32_epi32(at, lanes));
    count += std::popcount(bits);
  }
#endif
  for (; t < size; ++t) {
    value[count] = row[t];
    place[count] = static_cast<std::int32_t>(t);
    count += row[t] != 0 && winners[t] == which ? 1 : 0;
  }
  return count;
}

/// Lists of the non-zero channels in [o0, o1) at each place before pooling. Places are channels from o0.
Lists list_by_place(const ConvGeometry& g, const ConvSlabs& cut, const float* dz, const std::uint8_t* winners,
                    std::int64_t o0, std::int64_t o1, const ChannelLists& to) {
  const WinnerOffsets offsets = winner_offsets(g, cut);
  std::int64_t count = 0, list = 0;
  for (std::int64_t i = 0; i < g.out_height; ++i) {
    for (std::int64_t j = 0; j < g.out_width; ++j) {
      const std::int64_t at = (i * g.out_width + j) * g.out + o0;
      for (std::uint8_t which = 0; which < (g.pooled ? 4 : 1); ++which, ++list) {
        to.begin[list] = static_cast<std::int32_t>(count);
        to.target[list] = static_cast<std::int32_t>(place_offset(g, cut, i, j)) + offsets.of[which];
        count += g.pooled ? list_won(dz + at, winners + at, which, o1 - o0, to.place + count, to.value + count)
                          : list_nonzeros(dz + at, o1 - o0, 1, to.value + count, to.place + count);
      }
    }
  }
  to.begin[list] = static_cast<std::int32_t>(count);
  return {list, to.begin, to.target, to.value, to.place};
}

/// Takes the padding off again.
void unpad_image(const ConvGeometry& g, const ConvSlabs& cut, const float* from, float* dx) {
  for (std::int64_t block = 0; block < cut.blocks; ++block) {
    const std::int64_t channel = block * cut.block, here = std::min(cut.block, g.in - channel);
    for (std::int64_t i = 0; i < g.height; ++i) {
      const float* pixel = from + block * cut.plane + (i + g.padding) * cut.pitch + g.padding * cut.block;
      float* to = dx + i * g.width * g.in + channel;
      if (here == g.in) {
        std::copy_n(pixel, g.width * g.in, to);
        continue;
      }
      for (std::int64_t j = 0; j < g.width; ++j, pixel += cut.block, to += g.in) std::copy_n(pixel, here, to);
    }
  }
}

}  // namespace

void sparse_inputs(const ConvGeometry& g, const float* dz, const std::uint8_t* winners, const float* turned,
                   float* dx) {
  const ConvSlabs cut = cut_slabs(g);
  const std::int64_t lists = g.places() * (g.pooled ? 4 : 1);
  const auto entries = static_cast<std::size_t>(g.outputs() + 16);
  const ChannelLists memory{host_scratch<struct BeginTag, std::int32_t>(static_cast<std::size_t>(lists + 1)),
                            host_scratch<struct TargetTag, std::int32_t>(static_cast<std::size_t>(lists)),
                            host_scratch<struct ValueTag, float>(entries),
                            host_scratch<struct PlaceTag, std::int32_t>(entries)};
  float* image = host_scratch<struct ImageTag, float>(static_cast<std::size_t>(image_floats(cut) + k_slack));
  std::fill_n(image, image_floats(cut) + k_slack, 0.0f);
  std::int64_t largest = 8;
  for (std::int64_t s = 0; s < cut.count; ++s) largest = std::max(largest, cut.slabs[s].size());
  const std::int64_t most = std::max<std::int64_t>(8, k_l1_floats / largest / 8 * 8);
  for (std::int64_t o = 0; o < g.out; o += most) {
    const Lists found = list_by_place(g, cut, dz, winners, o, std::min(o + most, g.out), memory);
    std::int64_t unit = 1;  // floats that one step of an entry's place stands for
    for (std::int64_t s = 0; s < cut.count; ++s) {
      const ConvSlab& slab = cut.slabs[s];
      if (slab.size() != unit) {
        for (std::int64_t e = 0; e < found.begin[found.count]; ++e)
          memory.place[e] = static_cast<std::int32_t>(memory.place[e] / unit * slab.size());
        unit = slab.size();
      }
      add(slab, found,
          {image + slab.block * cut.plane + slab.kernel_row * cut.pitch + slab.first, cut.pitch,
           turned + slab.begin * g.out + o * slab.size(), slab.registers * 8});
    }
  }
  unpad_image(g, cut, image, dx);
}

}  // namespace eos::kernels
