#include "eos/kernels/mask_columns.hpp"

#include <cmath>

#include "kernel_test.hpp"

namespace eos::kernels {
namespace {

using test::bits;
using test::normals;
using test::OnCuda;

std::vector<float> run(const Context& context, RowShape shape, const std::vector<float>& keys, Ranking ranking,
                       const std::vector<float>& values) {
  const Buffer<float> from(context, keys);
  Buffer<float> kept(context, values);
  keep_ranked_columns(context, shape, from.data(), ranking, kept.data());
  return kept.get();
}

/// Normals with many equal magnitudes and zeros.
std::vector<float> coarse(std::size_t size, std::uint32_t stream) {
  std::vector<float> values = normals(size, stream);
  for (float& v : values) v = std::round(3 * v) / 4;
  return values;
}

void expect_matches_reference(const Context& context) {
  const std::pair<int, std::int64_t> shapes[] = {{1, 1}, {5, 8}, {785, 100}, {101, 10}, {64, 33}, {3, 300}, {0, 4}};
  for (const auto& [rows, width] : shapes) {
    const std::size_t size = static_cast<std::size_t>(rows) * static_cast<std::size_t>(width);
    for (const Keep keep : {Keep::largest, Keep::smallest}) {
      for (const int k : {0, 1, rows / 3, rows - 1, rows, rows + 5}) {
        for (const auto& keys : {normals(size, 1), coarse(size, 2)}) {
          const std::vector<float> values = normals(size, 3);
          std::vector<float> expected = values;
          const Ranking ranking{keep, k, false};
          reference::keep_ranked_columns({rows, width}, keys.data(), ranking, expected.data());
          EXPECT_EQ(bits(run(context, {rows, width}, keys, ranking, values)), bits(expected))
              << rows << " x " << width << " k " << k << " keep " << static_cast<int>(keep);
        }
      }
    }
  }
}

TEST(MaskColumns, matches_the_reference) {
  expect_matches_reference(Context::cpu(1));
  expect_matches_reference(Context::cpu(3));
}
TEST_F(OnCuda, mask_columns_matches_the_reference) { expect_matches_reference(Context::cuda()); }

TEST(MaskColumns, keeps_the_first_of_equal_entries_in_each_column) {
  //                              column 0: 2 wins, then the first 1; column 1: all equal
  const std::vector<float> values{1, 5, -1, -5, -2, 5};
  EXPECT_EQ(run(Context::cpu(), {3, 2}, values, {Keep::largest, 2, false}, values),
            (std::vector<float>{1, 5, 0, -5, -2, 0}));
  EXPECT_EQ(run(Context::cpu(), {3, 2}, values, {Keep::smallest, 1, false}, values),
            (std::vector<float>{1, 5, 0, 0, 0, 0}));
}

TEST(MaskColumns, ranks_by_another_array_than_the_one_it_keeps) {
  const std::vector<float> weights{0.1f, -3, 2}, changes{7, 8, 9};
  EXPECT_EQ(run(Context::cpu(), {3, 1}, weights, {Keep::largest, 1, false}, changes), (std::vector<float>{0, 8, 0}));
  EXPECT_EQ(run(Context::cpu(), {3, 1}, weights, {Keep::smallest, 2, false}, changes), (std::vector<float>{7, 0, 9}));
}

void expect_in_place(const Context& context) {
  const std::vector<float> values = coarse(50 * 21, 4);
  std::vector<float> expected = values;
  reference::keep_ranked_columns({50, 21}, values.data(), {Keep::largest, 7, false}, expected.data());
  Buffer<float> both(context, values);
  keep_ranked_columns(context, {50, 21}, both.data(), {Keep::largest, 7, false}, both.data());
  EXPECT_EQ(bits(both.get()), bits(expected));
}

TEST(MaskColumns, takes_keys_that_are_the_values) { expect_in_place(Context::cpu()); }
TEST_F(OnCuda, mask_columns_takes_keys_that_are_the_values) { expect_in_place(Context::cuda()); }

}  // namespace
}  // namespace eos::kernels
