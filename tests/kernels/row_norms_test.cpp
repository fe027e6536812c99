#include "eos/kernels/row_norms.hpp"

#include <cmath>
#include <limits>

#include "kernel_test.hpp"

namespace eos::kernels {
namespace {

using test::bits;
using test::normals;
using test::OnCuda;

std::vector<float> norms_of(const Context& context, int rows, int columns, const std::vector<float>& values) {
  const Buffer<float> in(context, values);
  Buffer<float> out(context, static_cast<std::size_t>(rows));
  row_norms(context, rows, columns, in.data(), out.data());
  return out.get();
}

void expect_norms(const Context& context) {
  for (const int columns : {1, 7, 32, 33, 384, 1000}) {
    const int rows = 41;
    std::vector<float> values = normals(static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns), 1);
    std::fill_n(values.begin() + 5 * columns, columns, 0.0f);
    std::vector<float> expected(rows);
    reference::row_norms(rows, columns, values.data(), expected.data());
    const std::vector<float> got = norms_of(context, rows, columns, values);
    for (int i = 0; i < rows; ++i)  // sums in double, rounded once
      EXPECT_NEAR(got[static_cast<std::size_t>(i)], expected[static_cast<std::size_t>(i)],
                  1e-6 * expected[static_cast<std::size_t>(i)]);
    EXPECT_EQ(got[5], 0.0f);
    EXPECT_EQ(bits(got), bits(norms_of(Context::cpu(), rows, columns, values))) << "another backend, other bits";
  }
}

void expect_small_and_broken_values(const Context& context) {
  const float tiny = std::numeric_limits<float>::denorm_min(), nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> got = norms_of(context, 4, 3, {3, 0, -4, 0, tiny, 0, 0, -0.0f, 0, 1, nan, 0});
  EXPECT_EQ(got[0], 5.0f);
  EXPECT_EQ(got[1], tiny) << "not 0: there is an error";
  EXPECT_EQ(got[2], 0.0f);
  EXPECT_TRUE(std::isnan(got[3]));
}

TEST(RowNorms, are_square_roots_of_sums_of_squares) { expect_norms(Context::cpu()); }
TEST(RowNorms, are_0_for_zeros_alone) { expect_small_and_broken_values(Context::cpu()); }

class RowNormsOnCuda : public OnCuda {};
TEST_F(RowNormsOnCuda, have_the_bits_of_the_cpu) { expect_norms(Context::cuda()); }
TEST_F(RowNormsOnCuda, are_0_for_zeros_alone) { expect_small_and_broken_values(Context::cuda()); }

}  // namespace
}  // namespace eos::kernels
