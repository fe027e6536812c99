// Skipping zeros in the dense layer changes the time, never a bit.
#include <gtest/gtest.h>

#include "../../kernels/src/sgemm.hpp"
#include "eos/kernels/dense.hpp"
#include "kernel_test.hpp"

namespace eos::kernels {
namespace {

using test::bits;
using test::normals;

std::vector<float> with_zeros(std::size_t size, double density, std::uint32_t stream) {
  std::vector<float> values = normals(size, stream);
  const std::vector<float> coin = normals(size, stream + 100);
  // Every other zero is negative: -0 is a zero too.
  for (std::size_t i = 0; i < size; ++i)
    if (0.5 * std::erfc(-coin[i] / std::sqrt(2.0)) >= density) values[i] = i % 2 == 0 ? 0.0f : -0.0f;
  return values;
}

struct Case {
  bool transpose_a;
  std::int64_t m, n, k;
  double density;
};

TEST(SkippingZeros, gives_the_bits_of_the_dense_kernel) {
  if (!sgemm_is_splittable()) GTEST_SKIP() << "this build has no AVX2 kernel";
  for (const Case& c : {Case{false, 128, 256, 784, 0.5}, Case{false, 128, 256, 784, 0.0}, Case{false, 37, 64, 785, 0.2},
                        Case{false, 9, 128, 5, 0.1}, Case{true, 784, 256, 128, 0.2}, Case{true, 67, 64, 113, 0.3},
                        Case{true, 8, 192, 224, 0.9}, Case{false, 64, 64, 1, 0.5}, Case{true, 12, 64, 7, 1.0}}) {
    const std::vector<float> a = with_zeros(static_cast<std::size_t>(c.m * c.k), c.density, 1);
    const std::vector<float> b = normals(static_cast<std::size_t>(c.k * c.n), 2),
                             bias = normals(static_cast<std::size_t>(c.n), 3);
    for (bool epilogue : {false, true}) {
      Sgemm p;
      p.transpose_a = c.transpose_a;
      p.m = c.m, p.n = c.n, p.k = c.k;
      p.a = a.data(), p.lda = c.transpose_a ? c.m : c.k;
      p.b = b.data(), p.ldb = c.n;
      p.bias = epilogue ? bias.data() : nullptr;
      p.relu = epilogue;
      std::vector<float> dense(static_cast<std::size_t>(c.m * c.n), -1.0f), skipping = dense;
      p.c = dense.data(), p.ldc = c.n;
      sgemm_all_terms(p);
      p.c = skipping.data();
      sgemm_zeros(p);
      EXPECT_EQ(bits(skipping), bits(dense)) << c.m << " x " << c.n << " x " << c.k << " density " << c.density;
    }
  }
}

TEST(SkippingZeros, is_chosen_for_dark_images_and_not_for_full_ones) {
  if (!sgemm_is_splittable()) GTEST_SKIP() << "this build has no AVX2 kernel";
  const auto pays = [](double density, bool transposed, std::int64_t n) {
    const std::vector<float> a = with_zeros(128 * 784, density, 1);
    Sgemm p;
    p.transpose_a = transposed;
    p.m = transposed ? 784 : 128, p.k = transposed ? 128 : 784, p.n = n;
    p.a = a.data(), p.lda = 784;
    return sgemm_zeros_pay(p);
  };
  EXPECT_TRUE(pays(0.2, false, 256));
  EXPECT_TRUE(pays(0.2, true, 256));
  EXPECT_TRUE(pays(0.5, false, 256));
  EXPECT_FALSE(pays(0.95, false, 256));
  EXPECT_FALSE(pays(0.95, true, 256));
  EXPECT_FALSE(pays(0.2, false, 10)) << "the last layer is too narrow";
}

}  // namespace
}  // namespace eos::kernels
