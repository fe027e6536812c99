// Move samples: gather rows of a byte data set into a float batch, and compact the rows that selection kept.
//
// gather_rows:   out[i][c] = scale * source[index[i]][c]             source uint8 [samples][columns]
// compact_rows:  out[j][c] = in[index[j]][c]                         float, index strictly increasing
// compact_flags: index of the non-zero flags in increasing order (a stable stream compaction); Thrust copy_if is its
// reference. Guarantees: pure copies, bit-identical everywhere.
#pragma once

#include <cstdint>

#include "eos/kernels/context.hpp"

namespace eos::kernels {

void gather_rows(const Context& context, const std::uint8_t* source, int columns, const std::int32_t* index, int rows,
                 float scale, float* out);
void compact_rows(const Context& context, const float* in, int columns, const std::int32_t* index, int rows,
                  float* out);
/// Returns the number of kept rows; index must hold `rows` entries. Synchronises on CUDA.
int compact_flags(const Context& context, const std::uint8_t* keep, int rows, std::int32_t* index);
int compact_flags_thrust(const Context& context, const std::uint8_t* keep, int rows, std::int32_t* index);

namespace reference {
void gather_rows(const std::uint8_t* source, int columns, const std::int32_t* index, int rows, float scale, float* out);
void compact_rows(const float* in, int columns, const std::int32_t* index, int rows, float* out);
int compact_flags(const std::uint8_t* keep, int rows, std::int32_t* index);
}  // namespace reference

}  // namespace eos::kernels
