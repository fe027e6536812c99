// Draw random numbers by address: the same (seed, run, step, purpose, index) gives the same bits on every machine,
// for any number of threads, order of work, packing of replicas, or kill and resume.
//
// Generator: Philox4x32-10 of Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11;
// held to that paper's known answers and to the Random123 library in tests/core/philox_test.cpp.
//
// Address layout, version 1 (an on-disk contract): key = seed (low word, high word);
// counter = (index, step, purpose, run). One address yields four 32-bit words.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>

#include "eos/core/host_device.hpp"

namespace eos::core {

inline constexpr int k_philox_layout_version = 1;

/// What a draw is for. Values are stored nowhere but fix the streams: never renumber.
enum class Purpose : std::uint32_t {
  initial_weights = 1,
  shuffle = 2,
  selection = 3,
  presentation = 4,
  weight_mask = 5,
  label_noise = 6,
  teacher_weights = 7,
  teacher_inputs = 8,
  split = 9,
  bootstrap = 10,
  solver_start = 11,
  fly_day = 12,
  patterns = 13,
  targets = 14,
  input_noise = 16,
  noise_pool = 17,
  unit_errors = 20,
  unit_choice = 21,
  topology = 22,
  augmentation = 23,
  teacher_data = 24,
  dropout = 25,
  design = 26,
  test = 99
};

struct Address {
  std::uint32_t run = 0;
  std::uint32_t step = 0;
  Purpose purpose = Purpose::test;
  std::uint32_t index = 0;
};

struct Words {
  std::uint32_t v[4];
};

/// The bijection Philox4x32 with 10 rounds.
EOS_HD inline Words philox4x32_10(Words counter, std::uint32_t key0, std::uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = 0xD2511F53ull * counter.v[0];
    const std::uint64_t p1 = 0xCD9E8D57ull * counter.v[2];
    counter = Words{{static_cast<std::uint32_t>(p1 >> 32) ^ counter.v[1] ^ key0, static_cast<std::uint32_t>(p1),
                     static_cast<std::uint32_t>(p0 >> 32) ^ counter.v[3] ^ key1, static_cast<std::uint32_t>(p0)}};
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  return counter;
}

/// The four words at an address.
EOS_HD inline Words draw(std::uint64_t seed, Address a) {
  return philox4x32_10(Words{{a.index, a.step, static_cast<std::uint32_t>(a.purpose), a.run}},
                       static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32));
}

/// Uniform on (0, 1), 24 bits, exactly representable in float: (word >> 8 + 1/2) 2^-24.
EOS_HD inline double uniform(std::uint32_t word) { return ((word >> 8) + 0.5) * (1.0 / 16777216.0); }
EOS_HD inline double uniform(std::uint64_t seed, Address a) { return uniform(draw(seed, a).v[0]); }

/// Uniform integer on [0, n) by multiply-shift; bias below n 2^-32.
EOS_HD inline std::uint32_t uniform_int(std::uint32_t word, std::uint32_t n) {
  return static_cast<std::uint32_t>((static_cast<std::uint64_t>(word) * n) >> 32);
}

/// Two independent standard normals from one address (Box & Muller 1958). Bits depend on libm's log and cos.
inline std::array<double, 2> normal_pair(std::uint64_t seed, Address a) {
  const Words w = draw(seed, a);
  const double r = std::sqrt(-2.0 * std::log(uniform(w.v[0])));
  const double angle = 6.283185307179586 * uniform(w.v[1]);
  return {r * std::cos(angle), r * std::sin(angle)};
}

}  // namespace eos::core
