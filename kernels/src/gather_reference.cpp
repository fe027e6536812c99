// Sample movement as plain loops.
#include "eos/kernels/gather.hpp"
#include "noise_formula.hpp"

namespace eos::kernels::reference {

void gather_rows(const std::uint8_t* source, int columns, const std::int32_t* index, int rows, InputTransform transform,
                 float* out) {
  const InputNoise& noise = transform.noise;
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::uint8_t* from = source + static_cast<std::int64_t>(index[i]) * columns;
    const std::int64_t offset = noise.sigma != 0 ? formula::noise_offset(noise, index[i]) : 0;
    for (int c = 0; c < columns; ++c) {
      float value = transform.scale * static_cast<float>(from[c]) - transform.shift;
      if (noise.sigma != 0) value += noise.sigma * noise.pool[(offset + c) % noise.pool_size];
      out[i * columns + c] = value;
    }
  }
}

void compact_rows(const float* in, int columns, const std::int32_t* index, int rows, float* out) {
  for (std::int64_t j = 0; j < rows; ++j) {
    for (int c = 0; c < columns; ++c) out[j * columns + c] = in[static_cast<std::int64_t>(index[j]) * columns + c];
  }
}

void scatter_rows(const float* in, int columns, const std::int32_t* index, int kept, int rows, float* out) {
  for (std::int64_t i = 0; i < std::int64_t{rows} * columns; ++i) out[i] = 0;
  for (std::int64_t j = 0; j < kept; ++j) {
    for (int c = 0; c < columns; ++c) out[static_cast<std::int64_t>(index[j]) * columns + c] = in[j * columns + c];
  }
}

int compact_flags(const std::uint8_t* keep, int rows, std::int32_t* index) {
  int kept = 0;
  for (int i = 0; i < rows; ++i) {
    if (keep[i] != 0) index[kept++] = i;
  }
  return kept;
}

}  // namespace eos::kernels::reference
