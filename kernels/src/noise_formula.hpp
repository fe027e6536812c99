// Where the noise of a sample begins in its table.
#pragma once

#include "eos/core/philox.hpp"
#include "eos/kernels/gather.hpp"

namespace eos::kernels::formula {

EOS_HD inline std::int64_t noise_offset(const InputNoise& noise, std::int32_t sample) {
  const core::Words words =
      core::draw(noise.seed, {noise.run, noise.step, core::Purpose::input_noise, static_cast<std::uint32_t>(sample)});
  return core::uniform_int(words.v[0], static_cast<std::uint32_t>(noise.pool_size));
}

}  // namespace eos::kernels::formula
