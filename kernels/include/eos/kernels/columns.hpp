// Take some columns of a matrix, and put them back: what lets a layer compute the weight gradient of some units alone.
//
// gather_columns:  out[i][j] = in[i][columns[j]]            in [rows][width], out [rows][count]
// scatter_columns: out[i][columns[j]] = in[i][j], 0 elsewhere
// columns [count] in the context's memory, increasing. Guarantees: copies, so the same bits everywhere. Thread-safe,
// allocates nothing. Example: tests/kernels/columns_test.cpp.
#pragma once

#include <cstdint>

#include "eos/kernels/context.hpp"

namespace eos::kernels {

void gather_columns(const Context& context, std::int64_t rows, int width, const std::int32_t* columns, int count,
                    const float* in, float* out);
void gather_columns(const Context& context, std::int64_t rows, int width, const std::int32_t* columns, int count,
                    const std::uint8_t* in, std::uint8_t* out);
void scatter_columns(const Context& context, std::int64_t rows, int width, const std::int32_t* columns, int count,
                     const float* in, float* out);

}  // namespace eos::kernels
