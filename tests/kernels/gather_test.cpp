#include "eos/kernels/gather.hpp"

#include <gmock/gmock.h>

#include <algorithm>

#include "eos/core/error.hpp"
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

InputTransform noisy(const float* pool, std::int32_t size) { return {1 / 255.0f, 0.13f, {0.01f, pool, size, 5, 1, 9}}; }

// Pools shorter and longer than a row, with and without a wrap inside it.
void expect_gathers_with_noise(const Context& context) {
  const int columns = 784, rows = 50, samples = 300;
  const std::vector<std::uint8_t> source = bytes(static_cast<std::size_t>(samples) * columns);
  const std::vector<std::int32_t> index = test::labels(rows, samples, 9);
  for (const int size : {1, 100, 785, 4096}) {
    const std::vector<float> pool = noise_pool(3, size);
    std::vector<float> expected(static_cast<std::size_t>(rows) * columns);
    reference::gather_rows(source.data(), columns, index.data(), rows, noisy(pool.data(), size), expected.data());
    const Buffer<std::uint8_t> from(context, source);
    const Buffer<std::int32_t> list(context, index);
    const Buffer<float> table(context, pool);
    Buffer<float> out(context, expected.size());
    gather_rows(context, from.data(), columns, list.data(), rows, noisy(table.data(), size), out.data());
    EXPECT_EQ(bits(out.get()), bits(expected)) << size;
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

void expect_scatters_rows(const Context& context) {
  const int rows = 500, columns = 37;
  for (const int step : {1, 3, 499}) {
    std::vector<std::int32_t> index;
    for (int i = step == 1 ? 0 : 1; i < rows; i += step) index.push_back(i);
    const auto kept = static_cast<int>(index.size());
    const std::vector<float> in = normals(index.size() * columns, 1);
    std::vector<float> expected(static_cast<std::size_t>(rows) * columns);
    reference::scatter_rows(in.data(), columns, index.data(), kept, rows, expected.data());
    const Buffer<float> from(context, in);
    const Buffer<std::int32_t> list(context, index);
    Buffer<float> out(context, normals(expected.size(), 2));
    scatter_rows(context, from.data(), columns, list.data(), kept, rows, out.data());
    EXPECT_EQ(bits(out.get()), bits(expected));
    scatter_rows(context, from.data(), columns, list.data(), 0, rows, out.data());
    EXPECT_EQ(bits(out.get()), bits(std::vector<float>(expected.size()))) << "no row, all zeros";
  }
}

TEST(ScatterRows, has_the_bits_of_the_reference) { expect_scatters_rows(Context::cpu()); }
TEST_F(OnCuda, scatter_rows_has_the_bits_of_the_reference) { expect_scatters_rows(Context::cuda()); }

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

TEST(GatherRows, with_noise_has_the_bits_of_the_reference) {
  expect_gathers_with_noise(Context::cpu(1));
  expect_gathers_with_noise(Context::cpu(2));
}
TEST_F(OnCuda, gather_rows_with_noise_has_the_bits_of_the_reference) { expect_gathers_with_noise(Context::cuda()); }

TEST(GatherRows, noise_of_a_sample_depends_on_the_sample_and_the_step_alone) {
  const std::vector<std::uint8_t> source(4 * 16, 0);
  const std::vector<float> pool = noise_pool(3, 1000);
  InputTransform transform{1.0f, 0.0f, {1.0f, pool.data(), 1000, 5, 0, 0}};
  const auto row = [&](std::vector<std::int32_t> index, int which) {
    std::vector<float> out(index.size() * 16);
    gather_rows(Context::cpu(), source.data(), 16, index.data(), static_cast<int>(index.size()), transform, out.data());
    return std::vector<float>(out.begin() + which * 16, out.begin() + (which + 1) * 16);
  };
  const std::vector<float> alone = row({2}, 0);
  EXPECT_EQ(alone, row({1, 3, 2}, 2));
  EXPECT_NE(alone, row({1}, 0));
  transform.noise.step = 1;
  EXPECT_NE(alone, row({2}, 0));
}

TEST(GatherRows, noise_pool_holds_standard_normals) {
  // Mean and variance of 100 000 normals lie within 4 standard errors: 4 / sqrt(n) and 4 sqrt(2 / n).
  const std::vector<float> pool = noise_pool(3, 100000);
  double sum = 0, squares = 0;
  for (const float value : pool) sum += value, squares += static_cast<double>(value) * value;
  EXPECT_NEAR(sum / 1e5, 0, 0.0127);
  EXPECT_NEAR(squares / 1e5, 1, 0.0179);
  EXPECT_EQ(noise_pool(3, 101), std::vector<float>(pool.begin(), pool.begin() + 101));
}

TEST(GatherRows, noise_without_a_pool_is_an_error) {
  const std::uint8_t source = 0;
  const std::int32_t index = 0;
  float out = 0;
  InputTransform transform{1.0f, 0.0f, {1.0f, nullptr, 0, 5, 0, 0}};
  EXPECT_THROW(gather_rows(Context::cpu(), &source, 1, &index, 1, transform, &out), core::Error);
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
