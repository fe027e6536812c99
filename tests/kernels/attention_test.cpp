#include "eos/kernels/attention.hpp"

#include <cmath>

#include "eos/core/error.hpp"
#include "kernel_test.hpp"

namespace eos::kernels {
namespace {

using test::bits;
using test::normals;
using test::OnCuda;

std::size_t tokens_of(AttentionShape s) {
  return static_cast<std::size_t>(s.replicas) * static_cast<std::size_t>(s.rows) * static_cast<std::size_t>(s.tokens);
}

struct Problem {
  AttentionShape shape;
  std::vector<float> qkv, dout;
  explicit Problem(AttentionShape s) : shape(s) {
    qkv = normals(tokens_of(s) * 3 * static_cast<std::size_t>(s.width), 1);
    dout = normals(tokens_of(s) * static_cast<std::size_t>(s.width), 2);
  }
};

template <class Scalar>
struct Answer {
  std::vector<Scalar> out, lse, dqkv;
  explicit Answer(AttentionShape s)
      : out(tokens_of(s) * static_cast<std::size_t>(s.width)),
        lse(tokens_of(s) * static_cast<std::size_t>(s.heads)),
        dqkv(3 * out.size()) {}
};

Answer<float> run(const Context& context, const Problem& problem) {
  Answer<float> answer(problem.shape);
  const Buffer<float> qkv(context, problem.qkv), dout(context, problem.dout);
  Buffer<float> out(context, answer.out.size()), lse(context, answer.lse.size()), dqkv(context, answer.dqkv.size());
  attention_forward(context, problem.shape, qkv.data(), out.data(), lse.data());
  attention_backward(context, problem.shape, qkv.data(), out.data(), lse.data(), dout.data(), dqkv.data());
  answer.out = out.get(), answer.lse = lse.get(), answer.dqkv = dqkv.get();
  return answer;
}

Answer<float> run_reference(const Problem& problem) {
  Answer<float> answer(problem.shape);
  reference::attention_forward(problem.shape, problem.qkv.data(), answer.out.data(), answer.lse.data());
  reference::attention_backward(problem.shape, problem.qkv.data(), answer.out.data(), answer.lse.data(),
                                problem.dout.data(), answer.dqkv.data());
  return answer;
}

/// Scores of standard normals are about 3 sqrt(d / 32) large at most, each with a rounding error of some d / 32 units
/// of 2^-24 of its terms; outputs and gradients are averages of values of order 1 with these weights. 1e-5 is about
/// fifty such units, and five times what is seen; a wrong index shows at order 1.
void expect_matches_reference(const Context& context, AttentionShape shape) {
  const Problem problem(shape);
  const Answer<float> got = run(context, problem), exact = run_reference(problem);
  SCOPED_TRACE(::testing::Message() << "tokens " << shape.tokens << " heads " << shape.heads << " width " << shape.width
                                    << " causal " << shape.causal);
  for (std::size_t i = 0; i < got.out.size(); ++i) ASSERT_NEAR(got.out[i], exact.out[i], 1e-5) << "out " << i;
  for (std::size_t i = 0; i < got.lse.size(); ++i) ASSERT_NEAR(got.lse[i], exact.lse[i], 1e-5) << "lse " << i;
  for (std::size_t i = 0; i < got.dqkv.size(); ++i) ASSERT_NEAR(got.dqkv[i], exact.dqkv[i], 1e-5) << "dqkv " << i;
}

const std::vector<AttentionShape> k_shapes = {
    {1, 0, 5, 1, 4, false},   {1, 1, 1, 1, 1, true},     {2, 3, 37, 3, 21, true},   {1, 2, 9, 2, 10, false},
    {1, 2, 50, 1, 128, true}, {1, 2, 65, 4, 128, false}, {2, 1, 128, 4, 128, true}, {1, 1, 200, 2, 96, false},
    {1, 2, 17, 2, 64, true},  {1, 1, 130, 1, 24, true},  {1, 1, 97, 1, 8, true}};

TEST(Attention, matches_the_reference_on_the_cpu) {
  for (const AttentionShape& shape : k_shapes) expect_matches_reference(Context::cpu(), shape);
  expect_matches_reference(Context::cpu(), {1, 1, 20, 1, 300, false});
}

TEST_F(OnCuda, attention_matches_the_reference) {
  for (const AttentionShape& shape : k_shapes) expect_matches_reference(Context::cuda(), shape);
}

TEST(Attention, gradient_of_the_reference_equals_central_differences_in_double) {
  for (const bool causal : {false, true}) {
    const AttentionShape shape{1, 2, 5, 2, 6, causal};
    const std::vector<float> start = normals(tokens_of(shape) * 18, 3), factors = normals(tokens_of(shape) * 6, 4);
    std::vector<double> qkv(start.begin(), start.end());
    const std::vector<double> dout(factors.begin(), factors.end());
    Answer<double> answer(shape);
    const auto loss = [&] {  // sum of the outputs times fixed factors, so that dout are these factors
      reference::attention_forward(shape, qkv.data(), answer.out.data(), answer.lse.data());
      double sum = 0;
      for (std::size_t i = 0; i < dout.size(); ++i) sum += dout[i] * answer.out[i];
      return sum;
    };
    loss();
    reference::attention_backward(shape, qkv.data(), answer.out.data(), answer.lse.data(), dout.data(),
                                  answer.dqkv.data());
    double error = 0, size = 0;
    for (std::size_t i = 0; i < qkv.size(); ++i) {
      const double step = 1e-5, before = qkv[i];
      qkv[i] = before + step;
      const double up = loss();
      qkv[i] = before - step;
      const double slope = (up - loss()) / (2 * step);
      qkv[i] = before;
      error += std::pow(slope - answer.dqkv[i], 2), size += slope * slope;
    }
    EXPECT_LE(std::sqrt(error / size), 1e-6) << "causal " << causal;
  }
}

/// PyTorch 2.15: scaled_dot_product_attention(is_causal=True) of inputs 1.5 sin(i + 1), gradients of sum(out * cos(i +
/// 1)), and logsumexp of the masked scores.
TEST(Attention, gives_the_numbers_of_pytorch) {
  Problem problem({1, 1, 3, 2, 4, true});
  for (std::size_t i = 0; i < problem.qkv.size(); ++i)
    problem.qkv[i] = static_cast<float>(1.5 * std::sin(static_cast<double>(i + 1)));
  for (std::size_t i = 0; i < problem.dout.size(); ++i)
    problem.dout[i] = static_cast<float>(std::cos(static_cast<double>(i + 1)));
  const std::vector<float> out{0.618178f,  -0.816032f, -1.499985f, -0.804859f, 0.823191f,  -0.557593f,
                               -1.412342f, -1.015179f, 0.980115f,  -0.258792f, -1.348318f, -1.02823f};
  const std::vector<float> lse{-1.688007f, -0.692876f, 0.53709f, -1.043745f, 0.704538f, 1.903598f};
  const std::vector<float> dqkv{
      0.0f,       0.0f,       0.0f,       0.0f,       -0.149595f, 0.11041f,   0.076842f,  0.051782f, 0.268346f,
      -0.19267f,  -0.519809f, -0.220395f, -0.000545f, -0.103882f, -0.032241f, -0.004858f, 0.110994f, 0.111998f,
      -0.036969f, -0.040487f, -0.17083f,  0.067698f,  0.287692f,  0.178854f,  -0.08578f,  0.272363f, 0.085761f,
      0.024515f,  0.038602f,  -0.222408f, -0.039874f, -0.011295f, -0.184682f, -0.170076f, 0.000452f, 0.086252f};
  const Answer<float> got = run(Context::cpu(), problem);
  const float printed = 2e-6f;  // six decimals, and a few units in the last place of order 1
  for (std::size_t i = 0; i < out.size(); ++i) EXPECT_NEAR(got.out[i], out[i], printed) << i;
  for (std::size_t i = 0; i < lse.size(); ++i) EXPECT_NEAR(got.lse[i], lse[i], printed) << i;
  for (std::size_t i = 0; i < dqkv.size(); ++i) EXPECT_NEAR(got.dqkv[i], dqkv[i], printed) << i;
}

template <class T>
std::vector<T> part(const std::vector<T>& values, std::size_t pieces, std::size_t which) {
  const std::size_t size = values.size() / pieces;
  return {values.begin() + static_cast<std::ptrdiff_t>(which * size),
          values.begin() + static_cast<std::ptrdiff_t>((which + 1) * size)};
}

void expect_samples_independent(const Context& context) {
  const Problem together({2, 3, 33, 2, 24, true});
  const Answer<float> all = run(context, together);
  for (std::size_t sample = 0; sample < 6; ++sample) {
    Problem alone({1, 1, 33, 2, 24, true});
    alone.qkv = part(together.qkv, 6, sample), alone.dout = part(together.dout, 6, sample);
    const Answer<float> one = run(context, alone);
    EXPECT_EQ(bits(one.out), bits(part(all.out, 6, sample)));
    EXPECT_EQ(bits(one.lse), bits(part(all.lse, 6, sample)));
    EXPECT_EQ(bits(one.dqkv), bits(part(all.dqkv, 6, sample)));
  }
}

TEST(Attention, sample_has_the_same_bits_alone_and_in_a_batch) { expect_samples_independent(Context::cpu()); }

TEST_F(OnCuda, attention_of_a_sample_has_the_same_bits_alone_and_in_a_batch) {
  expect_samples_independent(Context::cuda());
}

TEST(Attention, has_the_same_bits_for_one_and_two_threads) {
  for (const bool causal : {false, true}) {
    const Problem problem({1, 5, 41, 2, 32, causal});
    const Answer<float> one = run(Context::cpu(1), problem), two = run(Context::cpu(2), problem);
    EXPECT_EQ(bits(one.out), bits(two.out));
    EXPECT_EQ(bits(one.lse), bits(two.lse));
    EXPECT_EQ(bits(one.dqkv), bits(two.dqkv));
  }
}

void expect_causal(const Context& context) {
  const int tokens = 40, known = 23, width = 16;
  const Problem full({1, 1, tokens, 2, width, true});
  Problem other = full, start({1, 1, known, 2, width, true});
  const auto prefix = static_cast<std::size_t>(known * width);
  for (std::size_t i = 3 * prefix; i < other.qkv.size(); ++i) other.qkv[i] = 5 - other.qkv[i];
  start.qkv.assign(full.qkv.begin(), full.qkv.begin() + static_cast<std::ptrdiff_t>(3 * prefix));
  const std::vector<float> out = run(context, full).out, changed = run(context, other).out;
  const std::vector<float> cut = run(context, start).out;
  for (std::size_t i = 0; i < prefix; ++i) {
    ASSERT_EQ(out[i], changed[i]) << i;
    ASSERT_EQ(out[i], cut[i]) << i;
  }
  EXPECT_NE(out[prefix], changed[prefix]);
}

TEST(Attention, token_does_not_depend_on_later_tokens_where_causal) { expect_causal(Context::cpu()); }

TEST_F(OnCuda, token_does_not_depend_on_later_tokens_where_attention_is_causal) { expect_causal(Context::cuda()); }

TEST(Attention, stays_finite_for_large_scores_and_lets_nan_through) {
  Problem problem({1, 1, 9, 1, 8, false});
  for (float& value : problem.qkv) value *= 100;
  const Answer<float> large = run(Context::cpu(), problem);
  for (const float value : large.out) ASSERT_TRUE(std::isfinite(value));
  for (const float value : large.dqkv) ASSERT_TRUE(std::isfinite(value));
  problem.qkv[0] = NAN;
  EXPECT_TRUE(std::isnan(run(Context::cpu(), problem).out[0]));
}

TEST(Attention, refuses_a_width_that_heads_do_not_divide) {
  EXPECT_THROW(attention_forward(Context::cpu(), {1, 1, 2, 3, 8, false}, nullptr, nullptr, nullptr), core::Error);
}

}  // namespace
}  // namespace eos::kernels
