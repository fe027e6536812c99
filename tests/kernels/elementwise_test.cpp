#include "eos/kernels/elementwise.hpp"

#include "kernel_test.hpp"

namespace eos::kernels {
namespace {

using test::bits;
using test::normals;
using test::OnCuda;

void expect_adds(const Context& context) {
  for (const std::size_t size : {0, 1, 7, 64, 1003, 200001}) {
    const std::vector<float> a = normals(size, 1), b = normals(size, 2);
    std::vector<float> expected(size);
    reference::add(static_cast<std::int64_t>(size), a.data(), b.data(), expected.data());
    const Buffer<float> left(context, a);
    Buffer<float> right(context, b), y(context, size);
    add(context, static_cast<std::int64_t>(size), left.data(), right.data(), y.data());
    EXPECT_EQ(bits(y.get()), bits(expected));
    add(context, static_cast<std::int64_t>(size), right.data(), left.data(), right.data());  // right += left
    EXPECT_EQ(bits(right.get()), bits(expected));
  }
}

TEST(Add, has_the_bits_of_the_reference_also_in_place) {
  expect_adds(Context::cpu(1));
  expect_adds(Context::cpu(2));
}
TEST_F(OnCuda, add_has_the_bits_of_the_reference_also_in_place) { expect_adds(Context::cuda()); }

}  // namespace
}  // namespace eos::kernels
