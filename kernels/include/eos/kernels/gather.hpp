// Move samples: gather rows of a byte data set into a float batch, and compact the rows that selection kept.
//
// gather_rows:   out[i][c] = scale * source[index[i]][c] - shift + sigma * pool[(offset_i + c) mod pool_size]
//                source uint8 [samples][columns]; offset_i is drawn at (run, step, input_noise, index[i])
// compact_rows:  out[j][c] = in[index[j]][c]                         float, index strictly increasing
// scatter_rows:  out[index[j]][c] = in[j][c], 0 in all other rows     the way back
// compact_flags: index of the non-zero flags in increasing order (a stable stream compaction); Thrust copy_if is its
// reference. Guarantees: bit-identical everywhere; a sample has the same noise whenever it is gathered in one step.
#pragma once

#include <cstdint>
#include <vector>

#include "eos/kernels/context.hpp"

namespace eos::kernels {

/// Noise from a fixed table that starts at another place for every sample and step.
struct InputNoise {
  float sigma = 0;              ///< 0: none
  const float* pool = nullptr;  ///< [pool_size] in the context's memory, e.g. noise_pool()
  std::int32_t pool_size = 0;
  std::uint64_t seed = 0;
  std::uint32_t run = 0, step = 0;
};

/// From bytes to inputs. Converts from the scale alone.
struct InputTransform {
  float scale = 1;
  float shift = 0;  ///< e.g. the global mean of scaled inputs
  InputNoise noise;

  InputTransform(float byte_scale) : scale(byte_scale) {}  // NOLINT: a scale is a transform
  InputTransform(float byte_scale, float subtracted, InputNoise added = {})
      : scale(byte_scale), shift(subtracted), noise(added) {}
};

/// throws Error E901 for noise without a pool.
void gather_rows(const Context& context, const std::uint8_t* source, int columns, const std::int32_t* index, int rows,
                 InputTransform transform, float* out);
/// Standard normals for InputNoise: the same table for the same seed and size.
std::vector<float> noise_pool(std::uint64_t seed, std::int32_t size);
void compact_rows(const Context& context, const float* in, int columns, const std::int32_t* index, int rows,
                  float* out);
/// `kept` rows of `in` to their places among the `rows` of out; index as in compact_rows.
void scatter_rows(const Context& context, const float* in, int columns, const std::int32_t* index, int kept, int rows,
                  float* out);
/// Returns the number of kept rows; index must hold `rows` entries. Synchronises on CUDA.
int compact_flags(const Context& context, const std::uint8_t* keep, int rows, std::int32_t* index);
int compact_flags_thrust(const Context& context, const std::uint8_t* keep, int rows, std::int32_t* index);

namespace reference {
void gather_rows(const std::uint8_t* source, int columns, const std::int32_t* index, int rows, InputTransform transform,
                 float* out);
void compact_rows(const float* in, int columns, const std::int32_t* index, int rows, float* out);
void scatter_rows(const float* in, int columns, const std::int32_t* index, int kept, int rows, float* out);
int compact_flags(const std::uint8_t* keep, int rows, std::int32_t* index);
}  // namespace reference

}  // namespace eos::kernels
