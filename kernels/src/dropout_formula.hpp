// The mask of a dropout layer: which word decides about an entry.
#pragma once

#include "eos/core/philox.hpp"
#include "eos/kernels/dropout.hpp"

namespace eos::kernels::formula {

/// Entries that eight counters decide about: word w of counter 8 g + l is for entry 32 g + 8 w + l.
inline constexpr int k_dropout_lanes = 8, k_dropout_group = 4 * k_dropout_lanes;

/// Key and counter that are common to a sample.
EOS_HD inline core::Words dropout_key(const DropoutDraw& draw, std::int32_t sample) {
  return core::draw(draw.seed, {draw.run, draw.step, core::Purpose::dropout, static_cast<std::uint32_t>(sample)});
}

EOS_HD inline core::Words dropout_words(const core::Words& key, std::uint32_t site, std::uint32_t counter) {
  return core::philox4x32_10({{counter, site, key.v[2], key.v[3]}}, key.v[0], key.v[1]);
}

/// Words below it drop.
EOS_HD inline std::uint32_t dropout_threshold(float rate) {
  return static_cast<std::uint32_t>(static_cast<double>(rate) * 4294967296.0);
}

EOS_HD inline float dropout_scale(float rate) { return 1.0f / (1.0f - rate); }

}  // namespace eos::kernels::formula
