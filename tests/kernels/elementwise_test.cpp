#include "eos/kernels/elementwise.hpp"

#include "kernel_test.hpp"

namespace eos::kernels {
namespace {

using test::bits;
using test::normals;
using test::OnCuda;

using Function = void (*)(const Context&, std::int64_t, const float*, const float*, float*);
using Reference = void (*)(std::int64_t, const float*, const float*, float*);

void expect_equals(const Context& context, Function function, Reference by_reference) {
  for (const std::size_t size : {0, 1, 7, 64, 1003, 200001}) {
    const std::vector<float> a = normals(size, 1), b = normals(size, 2);
    std::vector<float> expected(size);
    by_reference(static_cast<std::int64_t>(size), a.data(), b.data(), expected.data());
    const Buffer<float> left(context, a);
    Buffer<float> right(context, b), y(context, size);
    function(context, static_cast<std::int64_t>(size), left.data(), right.data(), y.data());
    EXPECT_EQ(bits(y.get()), bits(expected));
    function(context, static_cast<std::int64_t>(size), right.data(), left.data(), right.data());
    EXPECT_EQ(bits(right.get()), bits(expected));
  }
}

TEST(Add, has_the_bits_of_the_reference_also_in_place) {
  expect_equals(Context::cpu(1), add, reference::add);
  expect_equals(Context::cpu(2), add, reference::add);
}
TEST(Multiply, has_the_bits_of_the_reference_also_in_place) {
  expect_equals(Context::cpu(1), multiply, reference::multiply);
  expect_equals(Context::cpu(2), multiply, reference::multiply);
}
TEST_F(OnCuda, add_has_the_bits_of_the_reference_also_in_place) { expect_equals(Context::cuda(), add, reference::add); }
TEST_F(OnCuda, multiply_has_the_bits_of_the_reference_also_in_place) {
  expect_equals(Context::cuda(), multiply, reference::multiply);
}

}  // namespace
}  // namespace eos::kernels
