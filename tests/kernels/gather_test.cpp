#include "eos/kernels/gather.hpp"

#include <gmock/gmock.h>

#include <algorithm>

#include "eos/kernels/update.hpp"
#include "kernel_test.hpp"

namespace eos::kernels {
namespace {

using test::bits;
using test::normals;
using test::OnCuda;

std::vector<std::uint8_t> bytes(std::size_t size) {
  std::vector<std::uint8_t> values(size);
  for (std::size_t i = 0; i < size; ++i) values[i] = static_cast<std::uint8_t>(core::draw(7, test::at(8, i)).v[0]);
  return values;
}

void expect_gathers(const Context& context) {
  for (const auto& [columns, rows] : {std::pair{784, 128}, {1, 5}, {33, 0}, {31, 1}, {784, 2000}}) {
    const int samples = 300;
    const std::vector<std::uint8_t> source = bytes(static_cast<std::size_t>(samples) * columns);
    const std::vector<std::int32_t> index = test::labels(rows, samples, 9);
    std::vector<float> expected(static_cast<std::size_t>(rows) * columns);
    reference::gather_rows(source.data(), columns, index.data(), rows, 1 / 255.0f, expected.data());
    const Buffer<std::uint8_t> from(context, source);
    const Buffer<std::int32_t> list(context, index);
    Buffer<float> out(context, expected.size());
    gather_rows(context, from.data(), columns, list.data(), rows, 1 / 255.0f, out.data());
    EXPECT_EQ(bits(out.get()), bits(expected)) << columns << " x " << rows;
  }
}

std::vector<std::uint8_t> flags(int rows, std::uint32_t one_in) {
  std::vector<std::uint8_t> keep(static_cast<std::size_t>(rows));
  for (int i = 0; i < rows; ++i)
    keep[i] = static_cast<std::uint8_t>(core::draw(7, test::at(10, i)).v[0] % one_in == 0 ? 1 + i % 255 : 0);
  return keep;
}

using Compact = int (*)(const Context&, const std::uint8_t*, int, std::int32_t*);

void expect_compacts(Compact compact, const Context& context) {
  for (const int rows : {0, 1, 2, 31, 1000, 100003}) {
    for (const std::uint32_t one_in : {1u, 3u, 1000u}) {
      const std::vector<std::uint8_t> keep = flags(rows, one_in);
      std::vector<std::int32_t> expected(static_cast<std::size_t>(rows));
      const int kept = reference::compact_flags(keep.data(), rows, expected.data());
      expected.resize(static_cast<std::size_t>(kept));
      const Buffer<std::uint8_t> k(context, keep);
      Buffer<std::int32_t> index(context, static_cast<std::size_t>(rows));
      EXPECT_EQ(compact(context, k.data(), rows, index.data()), kept);
      std::vector<std::int32_t> got = index.get();
      got.resize(static_cast<std::size_t>(kept));
      EXPECT_EQ(got, expected) << rows << " rows, one in " << one_in;
    }
  }
}

void expect_compacts_rows(const Context& context) {
  const int rows = 500, columns = 37;
  const std::vector<float> in = normals(static_cast<std::size_t>(rows) * columns, 1);
  std::vector<std::int32_t> index;
  for (int i = 0; i < rows; i += 3) index.push_back(i);
  std::vector<float> expected(index.size() * columns);
  reference::compact_rows(in.data(), columns, index.data(), static_cast<int>(index.size()), expected.data());
  const Buffer<float> from(context, in);
  const Buffer<std::int32_t> list(context, index);
  Buffer<float> out(context, expected.size());
  compact_rows(context, from.data(), columns, list.data(), static_cast<int>(index.size()), out.data());
  EXPECT_EQ(bits(out.get()), bits(expected));
}

TEST(GatherRows, has_the_bits_of_the_reference) {
  expect_gathers(Context::cpu(1));
  expect_gathers(Context::cpu(2));
}
TEST_F(OnCuda, gather_rows_has_the_bits_of_the_reference) { expect_gathers(Context::cuda()); }

TEST(GatherRows, scales_bytes_to_the_unit_interval) {
  const std::vector<std::uint8_t> source{0, 255, 51, 102};
  const std::vector<std::int32_t> index{1, 0};
  std::vector<float> out(4);
  gather_rows(Context::cpu(), source.data(), 2, index.data(), 2, 1 / 255.0f, out.data());
  EXPECT_THAT(
      out, ::testing::ElementsAre(::testing::FloatEq(0.2f), ::testing::FloatEq(0.4f), 0.0f, ::testing::FloatEq(1.0f)));
}

TEST(CompactRows, has_the_bits_of_the_reference) {
  expect_compacts_rows(Context::cpu(1));
  expect_compacts_rows(Context::cpu(2));
}
TEST_F(OnCuda, compact_rows_has_the_bits_of_the_reference) { expect_compacts_rows(Context::cuda()); }

TEST(CompactFlags, lists_kept_rows_in_order) { expect_compacts(compact_flags, Context::cpu()); }
TEST(CompactFlags, by_thrust_lists_the_same) {
  expect_compacts(compact_flags_thrust, Context::cpu(1));
  expect_compacts(compact_flags_thrust, Context::cpu(2));
}
TEST_F(OnCuda, compact_flags_lists_kept_rows_in_order) { expect_compacts(compact_flags, Context::cuda()); }
TEST_F(OnCuda, compact_flags_by_thrust_lists_the_same) { expect_compacts(compact_flags_thrust, Context::cuda()); }

}  // namespace
}  // namespace eos::kernels
