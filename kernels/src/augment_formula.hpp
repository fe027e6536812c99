// What augmentation does to one presentation of an image, on host and device: the one place where draws are read.
#pragma once

#include <cstdint>

#include "eos/core/philox.hpp"
#include "eos/kernels/augment.hpp"
#include "update_formula.hpp"

namespace eos::kernels::formula {

struct View {
  bool flip = false;
  int dy = 0, dx = 0;
  int top = 0, left = 0, side = 0;  ///< of the square of zeros

  EOS_HD bool cuts(int y, int x) const { return y >= top && y < top + side && x >= left && x < left + side; }
};

/// Of a row; flip_limit: draw_limit(a.flip)
EOS_HD inline View image_view(const Augmentation& a, std::uint32_t flip_limit, ImageShape shape, std::int64_t row,
                              std::int32_t sample) {
  const std::uint64_t seed = a.replicas == nullptr ? a.seed : a.replicas[row / a.rows_of_replica].seed;
  const core::Words w =
      core::draw(seed, {a.run, a.view[row], core::Purpose::augmentation, static_cast<std::uint32_t>(sample)});
  const auto shift = [&](std::uint32_t word) {
    return static_cast<int>(core::uniform_int(word, 2 * static_cast<std::uint32_t>(a.translate) + 1)) - a.translate;
  };
  const auto middle =
      static_cast<int>(core::uniform_int(w.v[3], static_cast<std::uint32_t>(shape.height * shape.width)));
  return {(w.v[0] >> 8) < flip_limit,          shift(w.v[1]), shift(w.v[2]), middle / shape.width - a.cutout / 2,
          middle % shape.width - a.cutout / 2, a.cutout};
}

}  // namespace eos::kernels::formula
