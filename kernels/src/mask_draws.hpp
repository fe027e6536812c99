// Random draws of Mask::random for a run of entries on the CPU.
#pragma once

#include <cstdint>

#include "eos/kernels/update.hpp"

namespace eos::kernels {

/// draws[i] = upper 24 bits of the word of entry begin + i, to be compared with formula::draw_limit.
void draw_mask(const MaskedUpdate& update, std::int64_t begin, std::int64_t size, std::int32_t* draws);

}  // namespace eos::kernels
