#include "eos/kernels/columns.hpp"

#include "kernel_test.hpp"

namespace eos::kernels {
namespace {

using test::bits;
using test::normals;
using test::OnCuda;

void expect_columns_come_and_go(const Context& context) {
  const std::int64_t rows = 37;
  const int width = 21;
  const std::vector<std::int32_t> chosen{0, 3, 4, 11, 20};
  const std::vector<float> values = normals(static_cast<std::size_t>(rows * width), 1);
  const Buffer<float> in(context, values);
  const Buffer<std::int32_t> columns(context, chosen);
  const auto count = static_cast<int>(chosen.size());
  Buffer<float> taken(context, static_cast<std::size_t>(rows * count));
  Buffer<float> back(context, normals(values.size(), 2));
  gather_columns(context, rows, width, columns.data(), count, in.data(), taken.data());
  scatter_columns(context, rows, width, columns.data(), count, taken.data(), back.data());
  std::vector<float> expected(values.size(), 0.0f);
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (const std::int32_t c : chosen)
      if (static_cast<std::int32_t>(i % width) == c) expected[i] = values[i];
  }
  EXPECT_EQ(bits(back.get()), bits(expected));
  std::vector<std::uint8_t> bytes(values.size());
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 7);
  const Buffer<std::uint8_t> raw(context, bytes);
  Buffer<std::uint8_t> some(context, taken.size());
  gather_columns(context, rows, width, columns.data(), count, raw.data(), some.data());
  const std::vector<std::uint8_t> got = some.get();
  for (std::size_t i = 0; i < got.size(); ++i)
    EXPECT_EQ(got[i], bytes[i / chosen.size() * width + static_cast<std::size_t>(chosen[i % chosen.size()])]);
}

TEST(Columns, come_and_go) { expect_columns_come_and_go(Context::cpu()); }

class ColumnsOnCuda : public OnCuda {};
TEST_F(ColumnsOnCuda, come_and_go) { expect_columns_come_and_go(Context::cuda()); }

}  // namespace
}  // namespace eos::kernels
