// Keep some entries of each row and set the others to zero: masks on back-propagated errors, on changes and on weights.
//
// apply_masks:       out[r][i] = masks[t(r)][i] != 0 ? in[r][i] : 0            t(r) = mask_of_row[r], or 0 for all rows
// keep_ranked:       values[r][i] stays where i is among the k entries of keys[r] with the largest (smallest)
// magnitude,
//                    ties by index; else 0. keys may be the values themselves, or one row for all.
// add_masked:        out[r][i] += masks[0][i] != 0 ? scale * in[r][i] : 0
// column_magnitudes: sums[i] = sum_r |values[r][i]|, added in float in order of r
// Shapes: row-major [rows][width]; masks [masks][width] bytes. Guarantees: bit-identical on every backend and for any
// number of threads. A NaN ranks above infinity and is no error here. No allocation after the first calls. Thread-safe.
// Plain reference: namespace reference below. Bytes per entry: 9 (apply_masks), 8 (keep_ranked, rows that fit the
// caches), 4 (column_magnitudes). Example: tests/kernels/mask_test.cpp.
#pragma once

#include <cstdint>

#include "eos/kernels/context.hpp"

namespace eos::kernels {

struct RowShape {
  int rows = 0;
  std::int64_t width = 0;
};

enum class Keep { largest, smallest };

/// What keep_ranked keeps of each row.
struct Ranking {
  Keep keep = Keep::largest;
  std::int64_t k = 0;        ///< clamped to [0, width]
  bool one_for_all = false;  ///< keys is one row [width], and every row keeps the same entries
};

/// In place (in = out) is allowed. mask_of_row [rows] in the context's memory, or null.
void apply_masks(const Context& context, RowShape shape, const std::uint8_t* masks, const std::int32_t* mask_of_row,
                 const float* in, float* out);
void add_masked(const Context& context, RowShape shape, const std::uint8_t* mask, float scale, const float* in,
                float* out);
void keep_ranked(const Context& context, RowShape shape, const float* keys, Ranking ranking, float* values);
void column_magnitudes(const Context& context, RowShape shape, const float* values, float* sums);

namespace reference {
void apply_masks(RowShape shape, const std::uint8_t* masks, const std::int32_t* mask_of_row, const float* in,
                 float* out);
void add_masked(RowShape shape, const std::uint8_t* mask, float scale, const float* in, float* out);
void keep_ranked(RowShape shape, const float* keys, Ranking ranking, float* values);
void column_magnitudes(RowShape shape, const float* values, float* sums);
}  // namespace reference

}  // namespace eos::kernels
