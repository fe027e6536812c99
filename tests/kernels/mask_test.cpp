#include "eos/kernels/mask.hpp"

#include <gmock/gmock.h>

#include <limits>

#include "kernel_test.hpp"

namespace eos::kernels {
namespace {

using test::bits;
using test::normals;
using test::OnCuda;

const std::vector<RowShape> k_shapes{{1, 1}, {3, 17}, {128, 300}, {5, 1000}, {1, 9001}, {0, 8}};

/// Normals of which many are equal or zero, so that ties matter.
std::vector<float> coarse(std::size_t size, std::uint32_t stream) {
  std::vector<float> values = normals(size, stream);
  for (float& v : values) v = static_cast<float>(static_cast<int>(v * 4)) / 4;
  return values;
}

void expect_applies_masks(const Context& context) {
  for (const RowShape shape : k_shapes) {
    const std::size_t size = static_cast<std::size_t>(shape.rows * shape.width);
    const int tables = 4;
    std::vector<std::uint8_t> masks(static_cast<std::size_t>(tables * shape.width));
    for (std::size_t i = 0; i < masks.size(); ++i) masks[i] = core::draw(7, test::at(3, i)).v[0] % 3 == 0;
    const std::vector<std::int32_t> table = test::labels(static_cast<std::size_t>(shape.rows), tables, 4);
    const std::vector<float> in = normals(size, 1);
    const Buffer<std::uint8_t> m(context, masks);
    const Buffer<std::int32_t> t(context, table);
    for (const bool one : {false, true}) {
      std::vector<float> expected(size);
      reference::apply_masks(shape, masks.data(), one ? nullptr : table.data(), in.data(), expected.data());
      Buffer<float> values(context, in);
      apply_masks(context, shape, m.data(), one ? nullptr : t.data(), values.data(), values.data());
      EXPECT_EQ(bits(values.get()), bits(expected)) << shape.rows << " x " << shape.width;
    }
    std::vector<float> expected = normals(size, 2);
    Buffer<float> sums(context, expected);
    const Buffer<float> values(context, in);
    reference::add_masked(shape, masks.data(), 0.3f, in.data(), expected.data());
    add_masked(context, shape, m.data(), 0.3f, values.data(), sums.data());
    EXPECT_EQ(bits(sums.get()), bits(expected)) << shape.rows << " x " << shape.width;
  }
}

void expect_keeps_ranked(const Context& context) {
  for (const RowShape shape : k_shapes) {
    const std::size_t size = static_cast<std::size_t>(shape.rows * shape.width);
    for (const Keep keep : {Keep::largest, Keep::smallest}) {
      for (const std::int64_t k : {std::int64_t{0}, std::int64_t{1}, shape.width / 3, shape.width, shape.width + 1}) {
        for (const bool one : {false, true}) {
          const Ranking ranking{keep, k, one};
          const std::vector<float> keys = coarse(one ? static_cast<std::size_t>(shape.width) : size, 5);
          std::vector<float> expected = normals(size, 1);
          const Buffer<float> key(context, keys);
          Buffer<float> values(context, expected);
          reference::keep_ranked(shape, keys.data(), ranking, expected.data());
          keep_ranked(context, shape, key.data(), ranking, values.data());
          EXPECT_EQ(bits(values.get()), bits(expected)) << shape.rows << " x " << shape.width << ", k = " << k;
        }
        std::vector<float> own = coarse(size, 6);  // ranked by themselves
        Buffer<float> values(context, own);
        reference::keep_ranked(shape, own.data(), {keep, k, false}, own.data());
        keep_ranked(context, shape, values.data(), {keep, k, false}, values.data());
        EXPECT_EQ(bits(values.get()), bits(own)) << shape.rows << " x " << shape.width << ", k = " << k;
      }
    }
  }
}

void expect_sums_columns(const Context& context) {
  for (const RowShape shape : k_shapes) {
    const std::vector<float> in = normals(static_cast<std::size_t>(shape.rows * shape.width), 2);
    std::vector<float> expected(static_cast<std::size_t>(shape.width));
    reference::column_magnitudes(shape, in.data(), expected.data());
    const Buffer<float> values(context, in);
    Buffer<float> sums(context, expected.size());
    column_magnitudes(context, shape, values.data(), sums.data());
    EXPECT_EQ(bits(sums.get()), bits(expected)) << shape.rows << " x " << shape.width;
  }
}

TEST(ApplyMasks, has_the_bits_of_the_reference) {
  expect_applies_masks(Context::cpu(1));
  expect_applies_masks(Context::cpu(2));
}
TEST_F(OnCuda, apply_masks_has_the_bits_of_the_reference) { expect_applies_masks(Context::cuda()); }

TEST(KeepRanked, has_the_bits_of_the_reference) {
  expect_keeps_ranked(Context::cpu(1));
  expect_keeps_ranked(Context::cpu(2));
}
TEST_F(OnCuda, keep_ranked_has_the_bits_of_the_reference) { expect_keeps_ranked(Context::cuda()); }

TEST(KeepRanked, keeps_the_largest_and_takes_ties_in_order) {
  std::vector<float> values{1, -3, 2, -2, 3, 0};
  keep_ranked(Context::cpu(), {1, 6}, values.data(), {Keep::largest, 3, false}, values.data());
  EXPECT_THAT(values, ::testing::ElementsAre(0, -3, 2, 0, 3, 0));
  values = {1, -3, 2, -1, 3, 5};
  keep_ranked(Context::cpu(), {1, 6}, values.data(), {Keep::smallest, 1, false}, values.data());
  EXPECT_THAT(values, ::testing::ElementsAre(1, 0, 0, 0, 0, 0));
}

TEST(KeepRanked, a_nan_ranks_first_and_is_no_error) {
  std::vector<float> values{1, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()};
  keep_ranked(Context::cpu(), {1, 3}, values.data(), {Keep::largest, 1, false}, values.data());
  EXPECT_EQ(values[0], 0);
  EXPECT_TRUE(std::isnan(values[1]));
  EXPECT_EQ(values[2], 0);
}

TEST(ColumnMagnitudes, has_the_bits_of_the_reference) { expect_sums_columns(Context::cpu(2)); }
TEST_F(OnCuda, column_magnitudes_has_the_bits_of_the_reference) { expect_sums_columns(Context::cuda()); }

}  // namespace
}  // namespace eos::kernels
