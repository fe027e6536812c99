#include "eos/kernels/dense.hpp"

#include <cmath>
#include <utility>

#include "eos/core/error.hpp"
#include "eos/kernels/device.hpp"
#include "eos/kernels/elementwise.hpp"
#include "eos/kernels/gelu.hpp"
#include "kernel_test.hpp"

namespace eos::kernels {
namespace {

using test::bits;
using test::normals;
using test::OnCuda;

struct Layer {
  DenseShape shape;
  std::vector<float> x, w, b, dz;

  explicit Layer(DenseShape s) : shape(s) {
    const std::size_t r = s.replicas, rows = s.rows, in = s.in, out = s.out;
    x = normals(r * rows * in, 1);
    for (float& value : x) value = value > -0.5f ? value : 0.0f;  // as after a rectifier: some exact zeros
    w = normals(r * in * out, 2);
    b = normals(r * out, 3);
    dz = normals(r * rows * out, 4);
  }
};

struct LayerResult {
  std::vector<float> y, dw, db, dx;
};

LayerResult run(const Context& context, const Layer& layer, Activation activation) {
  const Buffer<float> x(context, layer.x), w(context, layer.w), b(context, layer.b), dz(context, layer.dz);
  Buffer<float> y(context, layer.dz.size()), dw(context, layer.w.size()), db(context, layer.b.size()),
      dx(context, layer.x.size());
  dense_forward(context, layer.shape, x.data(), w.data(), b.data(), activation, y.data());
  dense_backward_weights(context, layer.shape, x.data(), dz.data(), dw.data(), db.data());
  dense_backward_inputs(context, layer.shape, dz.data(), w.data(), x.data(), activation, dx.data());
  return {y.get(), dw.get(), db.get(), dx.get()};
}

LayerResult run_reference(const Layer& layer, Activation activation) {
  LayerResult result{std::vector<float>(layer.dz.size()), std::vector<float>(layer.w.size()),
                     std::vector<float>(layer.b.size()), std::vector<float>(layer.x.size())};
  reference::dense_forward(layer.shape, layer.x.data(), layer.w.data(), layer.b.data(), activation, result.y.data());
  reference::dense_backward_weights(layer.shape, layer.x.data(), layer.dz.data(), result.dw.data(), result.db.data());
  reference::dense_backward_inputs(layer.shape, layer.dz.data(), layer.w.data(), layer.x.data(), activation,
                                   result.dx.data());
  return result;
}

Layer absolute(Layer layer) {
  for (auto* array : {&layer.x, &layer.w, &layer.b, &layer.dz}) {
    for (float& value : *array) value = std::fabs(value);
  }
  return layer;
}

/// A sum of k products in single precision differs from the exact one by at most (k + 1) 2^-24 sum |terms| to first
/// order (Higham, Accuracy and Stability of Numerical Algorithms, 2002, eq. 3.5); twice that leaves room for the rest.
/// Where both factors of a term are rounded first, each by at most `factor` of itself, the term is off by another
/// (1 + factor)^2 - 1.
void expect_within_rounding(const std::vector<float>& got, const std::vector<float>& exact,
                            const std::vector<float>& terms, int k, const char* what, double factor = 0) {
  ASSERT_EQ(got.size(), exact.size());
  const double bound = 2.0 * (k + 1) * std::ldexp(1.0, -24) + factor * (2 + factor);
  for (std::size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], exact[i], bound * terms[i]) << what << " " << i;
}

void expect_matches_reference(const Context& context, DenseShape shape) {
  const Layer layer(shape);
  for (const Activation activation :
       {Activation::identity, Activation::relu, Activation::leaky_relu, Activation::logistic, Activation::tanh}) {
    SCOPED_TRACE(::testing::Message() << "replicas " << shape.replicas << " rows " << shape.rows << " in " << shape.in
                                      << " out " << shape.out << " activation " << static_cast<int>(activation));
    const LayerResult got = run(context, layer, activation), exact = run_reference(layer, activation);
    LayerResult terms = run_reference(absolute(layer), Activation::identity);
    const bool smooth = activation == Activation::logistic || activation == Activation::tanh;
    // These functions add a few units in the last place of y; their slopes are polynomials of x below 1 + |x| + x^2.
    for (std::size_t i = 0; smooth && i < terms.y.size(); ++i) terms.y[i] += 2 * std::fabs(exact.y[i]);
    for (std::size_t i = 0; smooth && i < terms.dx.size(); ++i)
      terms.dx[i] *= 2 * (1 + std::fabs(layer.x[i]) * (1 + std::fabs(layer.x[i])));
    expect_within_rounding(got.y, exact.y, terms.y, shape.in, "y");
    expect_within_rounding(got.dw, exact.dw, terms.dw, shape.rows, "dw");
    expect_within_rounding(got.db, exact.db, terms.db, shape.rows, "db");
    expect_within_rounding(got.dx, exact.dx, terms.dx, shape.out, "dx");
  }
}

const std::vector<DenseShape> k_shapes = {{1, 0, 5, 4},    {1, 1, 1, 1},    {1, 1, 9, 17},    {3, 2, 7, 5},
                                          {1, 13, 31, 10}, {3, 11, 20, 33}, {1, 32, 100, 48}, {2, 7, 401, 16},
                                          {1, 65, 17, 2},  {1, 10, 3, 801}, {3, 9, 5, 8},     {1, 128, 256, 10}};

TEST(Dense, matches_the_reference_on_the_cpu) {
  for (const DenseShape& shape : k_shapes) expect_matches_reference(Context::cpu(), shape);
}

TEST(Dense, matches_the_reference_where_long_sums_and_many_rows_are_split) {
  expect_matches_reference(Context::cpu(), {1, 300, 1000, 20});
  expect_matches_reference(Context::cpu(), {1, 900, 12, 530});
}

TEST_F(OnCuda, dense_matches_the_reference) {
  for (const DenseShape& shape : k_shapes) expect_matches_reference(Context::cuda(), shape);
}

// Rounding to p significant bits changes a number by at most 2^-p of itself: p = 11 for TF32, 8 for bfloat16. The bound
// grows with the length of the sums through single precision alone.
TEST_F(OnCuda, dense_in_reduced_precision_is_off_by_the_rounding_of_its_factors) {
  for (const auto& [mode, factor] : {std::pair{Products::tf32, 0x1p-11}, {Products::bf16, 0x1p-8}}) {
    for (const DenseShape shape : {DenseShape{1, 32, 100, 48}, {3, 64, 401, 16}, {2, 128, 2000, 256}, {1, 7, 64, 64}}) {
      SCOPED_TRACE(to_string(mode));
      const Context context = Context::cuda();
      set_products(context, mode);
      const Layer layer(shape);
      const LayerResult got = run(context, layer, Activation::relu), exact = run_reference(layer, Activation::relu);
      const LayerResult terms = run_reference(absolute(layer), Activation::identity);
      expect_within_rounding(got.y, exact.y, terms.y, shape.in, "y", factor);
      expect_within_rounding(got.dw, exact.dw, terms.dw, shape.rows, "dw", factor);
      expect_within_rounding(got.db, exact.db, terms.db, shape.rows, "db");
      expect_within_rounding(got.dx, exact.dx, terms.dx, shape.out, "dx", factor);
      const std::vector<float> single = run(Context::cuda(), layer, Activation::relu).y;
      if (shape.rows == 7) {
        EXPECT_EQ(got.y, single) << "too small for tensor cores";
      } else if (shape.rows == 128) {
        EXPECT_NE(got.y, single) << "the mode is in force";
      }
    }
  }
}

TEST(Dense, overwrites_gradients_and_gives_zeros_without_samples) {
  const Context context = Context::cpu();
  const std::vector<float> x(1), dz(1);
  std::vector<float> dw(6, NAN), db(3, NAN);
  dense_backward_weights(context, {1, 0, 2, 3}, x.data(), dz.data(), dw.data(), db.data());
  EXPECT_EQ(dw, std::vector<float>(6, 0.0f));
  EXPECT_EQ(db, std::vector<float>(3, 0.0f));
}

TEST(Dense, has_the_same_bits_for_one_and_several_threads) {
  for (const DenseShape shape :
       {DenseShape{1, 128, 784, 256}, DenseShape{1, 128, 256, 256}, DenseShape{3, 33, 50, 20}}) {
    const Layer layer(shape);
    const LayerResult one = run(Context::cpu(1), layer, Activation::relu);
    for (const int threads : {2, 3}) {
      const LayerResult many = run(Context::cpu(threads), layer, Activation::relu);
      EXPECT_EQ(bits(one.y), bits(many.y));
      EXPECT_EQ(bits(one.dw), bits(many.dw));
      EXPECT_EQ(bits(one.db), bits(many.db));
      EXPECT_EQ(bits(one.dx), bits(many.dx));
    }
  }
}

#if defined(__AVX2__) && defined(__FMA__)
TEST(Dense, element_is_one_chain_of_fused_multiply_adds) {
  const Layer layer({1, 14, 900, 21});
  const LayerResult got = run(Context::cpu(), layer, Activation::identity);
  for (int i = 0; i < 14; ++i) {
    for (int o = 0; o < 21; ++o) {
      float sum = 0;
      for (int k = 0; k < 900; ++k) sum = std::fma(layer.x[i * 900 + k], layer.w[k * 21 + o], sum);
      ASSERT_EQ(got.y[i * 21 + o], sum + layer.b[o]);
    }
  }
}

TEST(Dense, sample_has_the_same_bits_alone_and_in_any_batch) {
  for (const int rows : {29, 331}) {
    const Layer batch({1, rows, 70, 37});
    const LayerResult together = run(Context::cpu(), batch, Activation::relu);
    for (int i = 0; i < rows; ++i) {
      Layer alone({1, 1, 70, 37});
      alone.w = batch.w, alone.b = batch.b;
      alone.x.assign(batch.x.begin() + i * 70, batch.x.begin() + (i + 1) * 70);
      const LayerResult single = run(Context::cpu(), alone, Activation::relu);
      const std::vector<float> row(together.y.begin() + i * 37, together.y.begin() + (i + 1) * 37);
      ASSERT_EQ(bits(single.y), bits(row)) << "row " << i;
    }
  }
}
#endif

/// What a product does while its rows are in the caches, by kernels of their own.
void expect_tail_has_the_bits_of_separate_kernels(const Context& context, DenseShape shape) {
  SCOPED_TRACE(::testing::Message() << "replicas " << shape.replicas << " rows " << shape.rows << " threads "
                                    << context.threads());
  const Layer layer(shape);
  const std::size_t outputs = layer.dz.size(), inputs = layer.x.size();
  const Buffer<float> x(context, layer.x), w(context, layer.w), b(context, layer.b), dz(context, layer.dz);
  Buffer<float> z(context, outputs), y(context, outputs), slopes(context, outputs), expected(context, outputs);
  const auto size = static_cast<std::int64_t>(outputs), in_size = static_cast<std::int64_t>(inputs);
  dense_forward(context, shape, x.data(), w.data(), b.data(), Activation::identity, z.data());

  dense_forward(context, shape, x.data(), w.data(), b.data(), Activation::identity, y.data(), {dz.data(), nullptr});
  add(context, size, z.data(), dz.data(), expected.data());
  EXPECT_EQ(bits(y.get()), bits(expected.get()));

  dense_forward(context, shape, x.data(), w.data(), b.data(), Activation::gelu, y.data(), {nullptr, slopes.data()});
  gelu_forward_with_slopes(context, size, z.data(), expected.data());
  EXPECT_EQ(bits(y.get()), bits(expected.get()));
  EXPECT_EQ(bits(slopes.get()), bits(z.get()));

  Buffer<float> dx(context, inputs), plain(context, inputs);
  dense_backward_inputs(context, shape, dz.data(), w.data(), x.data(), Activation::gelu, dx.data());
  dense_backward_inputs(context, shape, dz.data(), w.data(), nullptr, Activation::identity, plain.data());
  multiply(context, in_size, plain.data(), x.data(), plain.data());
  EXPECT_EQ(bits(dx.get()), bits(plain.get()));
}

const std::vector<DenseShape> k_tail_shapes = {{1, 1, 64, 20}, {3, 7, 30, 17}, {1, 331, 90, 70}, {1, 40, 300, 400}};

TEST(Dense, summand_and_gelu_have_the_bits_of_separate_kernels) {
  for (const DenseShape& shape : k_tail_shapes) {
    for (const int threads : {1, 3}) expect_tail_has_the_bits_of_separate_kernels(Context::cpu(threads), shape);
  }
}

TEST_F(OnCuda, dense_summand_and_gelu_have_the_bits_of_separate_kernels) {
  for (const DenseShape& shape : k_tail_shapes) expect_tail_has_the_bits_of_separate_kernels(Context::cuda(), shape);
}

TEST(Dense, refuses_gelu_without_a_place_for_slopes) {
  std::vector<float> one(1);
  EXPECT_THROW(
      dense_forward(Context::cpu(), {1, 1, 1, 1}, one.data(), one.data(), nullptr, Activation::gelu, one.data()),
      core::Error);
}

TEST(Dense, lets_nan_through_the_rectifier_so_that_divergence_is_seen) {
  const Context context = Context::cpu();
  const std::vector<float> x{NAN}, w{1.0f}, b{0.0f};
  std::vector<float> y{0.0f};
  dense_forward(context, {1, 1, 1, 1}, x.data(), w.data(), b.data(), Activation::relu, y.data());
  EXPECT_TRUE(std::isnan(y[0]));
}

}  // namespace
}  // namespace eos::kernels
