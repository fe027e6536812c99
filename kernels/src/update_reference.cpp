// Updates one parameter after the other, counts in double.
#include <cmath>

#include "eos/kernels/update.hpp"
#include "select_key.hpp"
#include "update_formula.hpp"

namespace eos::kernels::reference {

void sgd_delta(std::int64_t size, SgdParameters p, const float* gradient, const float* weights, float* velocity,
               float* delta) {
  for (std::int64_t i = 0; i < size; ++i) {
    const float v = formula::sgd_velocity<float>(p, gradient[i], weights[i], velocity != nullptr ? velocity[i] : 0.0f);
    if (velocity != nullptr) velocity[i] = v;
    delta[i] = -p.learning_rate * formula::sgd_direction<float>(p, gradient[i], weights[i], v);
  }
}

void adamw_delta(std::int64_t size, AdamParameters p, const float* gradient, const float* weights, float* first_moment,
                 float* second_moment, float* delta) {
  const formula::AdamCorrection correction = formula::adam_correction(p);
  for (std::int64_t i = 0; i < size; ++i) {
    delta[i] = formula::adamw_step(p, correction, gradient[i], weights[i], first_moment[i], second_moment[i]);
  }
}

namespace {

bool is_selected(const MaskedUpdate& u, float change, std::int64_t position, Selection selection,
                 std::uint32_t& ties_left) {
  switch (u.mask) {
    case Mask::all:
      return true;
    case Mask::threshold:
      return std::fabs(change) > u.threshold;
    case Mask::random: {
      const formula::MaskDraw d = formula::mask_draw(u, position);
      return core::uniform(formula::mask_words(u, d.run, d.index).v[d.word]) < u.probability;
    }
    case Mask::selection:
      break;
  }
  const std::uint32_t key = magnitude_key(change);
  if (key == selection.threshold && ties_left > 0) return --ties_left, key != 0;
  return key > selection.threshold;
}

}  // namespace

void masked_update(Segments segments, const float* delta, MaskedUpdate update, float* weights, UpdateCounts* counts) {
  float* acc = update.accumulator;
  for (int s = 0; s < segments.count; ++s) {
    const Selection selection = update.mask == Mask::selection ? update.selection[s] : Selection{};
    std::uint32_t ties_left = selection.ties;
    UpdateCounts total;
    for (std::int64_t i = segments.offsets[s]; i < segments.offsets[s + 1]; ++i) {
      float change = delta != nullptr ? delta[i] : 0.0f;
      if (acc != nullptr && delta != nullptr) change = acc[i] + delta[i];
      if (acc != nullptr && delta == nullptr) change = acc[i];
      const bool selected = is_selected(update, change, i, selection, ties_left);
      if (acc != nullptr) acc[i] = selected ? 0.0f : change;
      if (!selected) continue;
      const float before = weights[i];
      weights[i] = before + change;
      const double moved = static_cast<double>(weights[i]) - before;
      total.writes += weights[i] != before;
      total.path += std::fabs(moved);
      total.squared += moved * moved;
    }
    counts[s] = total;
  }
}

}  // namespace eos::kernels::reference
