#include "conv_direct.hpp"

#include <algorithm>

#include "simd.hpp"

namespace eos::kernels {

namespace {

using simd::Floats;
constexpr int k_places = 6;
constexpr std::int64_t k_columns = 16;

/// Places of the next block: 6, but the rest is shared out so that no block is too thin to cover the FMA latency.
int next_places(std::int64_t left) {
  if (left <= 5) return static_cast<int>(left);
  if (left == 7 || left == 8) return 4;
  if (left == 9 || left == 10) return 5;
  return k_places;
}

/// Sums of 8 channels, of which `count` exist.
[[gnu::always_inline]] inline void finish(const DirectConv& p, std::int64_t channel, std::int64_t count, Floats sum,
                                          float* to) {
  const Floats zero{};
  if (count >= 8) {
    if (p.bias != nullptr) sum += simd::load(p.bias + channel);
    if (p.relu) sum = sum < zero ? zero : sum;
    return simd::store(to, sum);
  }
  for (std::int64_t i = 0; i < count; ++i) {
    float value = sum[i];
    if (p.bias != nullptr) value += p.bias[channel + i];
    to[i] = p.relu && value < 0.0f ? 0.0f : value;
  }
}

template <int places>
void convolve_block(const DirectConv& p, std::int64_t place, std::int64_t channel, const float* panel) {
  const float* from[places];
#pragma GCC unroll 6
  for (int i = 0; i < places; ++i) from[i] = p.image + p.offsets[place + i];
  Floats sum[places][2] = {};
  for (std::int64_t piece = 0; piece < p.pieces; ++piece) {
#pragma GCC unroll 2
    for (std::int64_t t = 0; t < p.length; ++t) {
      const Floats low = simd::load(panel), high = simd::load(panel + 8);
#pragma GCC unroll 6
      for (int i = 0; i < places; ++i) {
        const Floats factor = simd::broadcast(from[i][t]);
        sum[i][0] = simd::multiply_add(factor, low, sum[i][0]);
        sum[i][1] = simd::multiply_add(factor, high, sum[i][1]);
      }
      panel += k_columns;
    }
#pragma GCC unroll 6
    for (int i = 0; i < places; ++i) from[i] += p.pitch;
  }
  const std::int64_t left = p.out - channel;
#pragma GCC unroll 6
  for (int i = 0; i < places; ++i) {
    float* to = p.result + (place + i) * p.out + channel;
    finish(p, channel, left, sum[i][0], to);
    finish(p, channel + 8, left - 8, sum[i][1], to + 8);
  }
}

}  // namespace

void direct_conv(const DirectConv& p) {
  const std::int64_t patch = p.pieces * p.length;
  for (std::int64_t channel = 0; channel < p.out; channel += k_columns) {
    const float* panel = p.panels + channel * patch;
    for (std::int64_t place = 0; place < p.places;) {
      const int places = next_places(p.places - place);
      switch (places) {
        case 6:
          convolve_block<6>(p, place, channel, panel);
          break;
        case 5:
          convolve_block<5>(p, place, channel, panel);
          break;
        case 4:
          convolve_block<4>(p, place, channel, panel);
          break;
        case 3:
          convolve_block<3>(p, place, channel, panel);
          break;
        case 2:
          convolve_block<2>(p, place, channel, panel);
          break;
        default:
          convolve_block<1>(p, place, channel, panel);
      }
      place += places;
    }
  }
}

std::int64_t packed_size(std::int64_t patch, std::int64_t out) {
  return patch * ((out + k_columns - 1) / k_columns) * k_columns;
}

void pack_panels(const float* w, std::int64_t patch, std::int64_t out, float* panels) {
  for (std::int64_t channel = 0; channel < out; channel += k_columns) {
    const std::int64_t here = std::min(k_columns, out - channel);
    for (std::int64_t t = 0; t < patch; ++t) {
      panels = std::copy_n(w + t * out + channel, here, panels);
      panels = std::fill_n(panels, k_columns - here, 0.0f);
    }
  }
}

}  // namespace eos::kernels
