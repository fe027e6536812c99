#include "eos/core/philox.hpp"

#include <gtest/gtest.h>

#include <Random123/philox.h>

#include <cmath>
#include <set>
#include <vector>

using namespace eos::core;

namespace {

void expect_words(Words got, std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  EXPECT_EQ(got.v[0], a);
  EXPECT_EQ(got.v[1], b);
  EXPECT_EQ(got.v[2], c);
  EXPECT_EQ(got.v[3], d);
}

TEST(Philox, gives_the_published_known_answers) {
  // Salmon et al. (2011), test vectors distributed with Random123: counter zero, all ones, and digits of pi.
  const std::uint32_t ones = 0xffffffffu;
  expect_words(philox4x32_10(Words{{0, 0, 0, 0}}, 0, 0), 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8);
  expect_words(philox4x32_10(Words{{ones, ones, ones, ones}}, ones, ones), 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd);
  expect_words(philox4x32_10(Words{{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}}, 0xa4093822, 0x299f31d0), 0xd16cfe09,
               0x94fdcceb, 0x5001e420, 0x24126ea1);
}

TEST(Philox, equals_random123_for_many_addresses) {
  for (std::uint32_t i = 0; i < 20000; ++i) {
    const Words chosen = draw(7, {i, i * 2654435761u, Purpose::test, i ^ 0x9e3779b9u});  // pseudo-random inputs
    const std::uint64_t seed = (static_cast<std::uint64_t>(chosen.v[3]) << 32) | chosen.v[2];
    const Address address{chosen.v[0], chosen.v[1], Purpose::selection, i};
    const Words got = draw(seed, address);
    const r123::Philox4x32::ctr_type counter = {{i, chosen.v[1], static_cast<std::uint32_t>(Purpose::selection), chosen.v[0]}};
    const r123::Philox4x32::key_type key = {{chosen.v[2], chosen.v[3]}};
    const r123::Philox4x32::ctr_type expected = r123::Philox4x32()(counter, key);
    expect_words(got, expected[0], expected[1], expected[2], expected[3]);
  }
}

TEST(Philox, gives_every_part_of_the_address_its_own_stream) {
  std::set<std::uint32_t> seen;
  seen.insert(draw(1, {0, 0, Purpose::test, 0}).v[0]);
  seen.insert(draw(2, {0, 0, Purpose::test, 0}).v[0]);
  seen.insert(draw(1ull << 32, {0, 0, Purpose::test, 0}).v[0]);
  seen.insert(draw(1, {1, 0, Purpose::test, 0}).v[0]);
  seen.insert(draw(1, {0, 1, Purpose::test, 0}).v[0]);
  seen.insert(draw(1, {0, 0, Purpose::shuffle, 0}).v[0]);
  seen.insert(draw(1, {0, 0, Purpose::test, 1}).v[0]);
  EXPECT_EQ(seen.size(), 7u);
}

TEST(Philox, uniforms_lie_strictly_inside_the_unit_interval_and_fill_it) {
  EXPECT_GT(uniform(0u), 0.0);
  EXPECT_LT(uniform(0xffffffffu), 1.0);
  const int n = 100000;
  double sum = 0, squares = 0;
  for (int i = 0; i < n; ++i) {
    const double u = uniform(3, {0, 0, Purpose::test, static_cast<std::uint32_t>(i)});
    sum += u;
    squares += u * u;
  }
  // Standard errors 1/sqrt(12 n) and sqrt(4/45 / n): 5 of them, a false alarm in 2e6 for the fixed seed.
  EXPECT_NEAR(sum / n, 0.5, 5 * std::sqrt(1.0 / 12 / n));
  EXPECT_NEAR(squares / n, 1.0 / 3, 5 * std::sqrt(4.0 / 45 / n));
}

TEST(Philox, normals_have_the_moments_of_a_standard_normal) {
  const int n = 50000;
  double moment[5] = {0, 0, 0, 0, 0};
  for (int i = 0; i < n; ++i)
    for (const double z : normal_pair(5, {0, 0, Purpose::test, static_cast<std::uint32_t>(i)}))
      for (int k = 1; k <= 4; ++k) moment[k] += std::pow(z, k) / (2 * n);
  const double se = 1 / std::sqrt(2.0 * n);
  EXPECT_NEAR(moment[1], 0, 5 * se);
  EXPECT_NEAR(moment[2], 1, 5 * se * std::sqrt(2.0));
  EXPECT_NEAR(moment[3], 0, 5 * se * std::sqrt(15.0));
  EXPECT_NEAR(moment[4], 3, 5 * se * std::sqrt(96.0));
}

TEST(Philox, bounded_integers_cover_the_range_and_stay_inside) {
  std::vector<int> count(7);
  for (std::uint32_t i = 0; i < 7000; ++i) ++count.at(uniform_int(draw(1, {0, 0, Purpose::test, i}).v[0], 7));
  for (const int c : count) EXPECT_NEAR(c, 1000, 5 * std::sqrt(1000.0 * 6 / 7));
  EXPECT_EQ(uniform_int(0xffffffffu, 7), 6u);
}

}  // namespace
