#include "eos/kernels/token_scores.hpp"

#include <cmath>

#include "eos/kernels/softmax_xent.hpp"
#include "kernel_test.hpp"

namespace eos::kernels {
namespace {

using test::bits;
using test::normals;
using test::OnCuda;

struct Scores {
  std::vector<float> loss, p_true, residual;
  std::vector<std::int32_t> correct;
};

struct Tokens {
  TokenShape shape;
  std::vector<float> loss, residual;
  std::vector<std::uint8_t> correct;
};

Tokens make_tokens(TokenShape shape) {
  const auto size = static_cast<std::size_t>(shape.replicas * shape.rows * shape.tokens);
  Tokens tokens{shape, normals(size, 1), normals(size, 2), std::vector<std::uint8_t>(size)};
  for (std::size_t i = 0; i < size; ++i) {
    tokens.loss[i] = std::fabs(tokens.loss[i]);
    tokens.residual[i] = std::fabs(tokens.residual[i]);
    tokens.correct[i] = tokens.loss[i] < 0.5f;
  }
  return tokens;
}

Scores run(const Context& context, const Tokens& tokens) {
  const Buffer<float> loss(context, tokens.loss), residual(context, tokens.residual);
  const Buffer<std::uint8_t> correct(context, tokens.correct);
  const auto rows = static_cast<std::size_t>(tokens.shape.replicas * tokens.shape.rows);
  Buffer<float> l(context, rows), p(context, rows), r(context, rows);
  Buffer<std::int32_t> c(context, rows);
  token_scores(context, tokens.shape, {loss.data(), residual.data(), correct.data()},
               {l.data(), p.data(), r.data(), c.data()});
  return {l.get(), p.get(), r.get(), c.get()};
}

/// Sums in double are exact to a rounding of the result; the mean loss is rounded once more before the exponential.
void expect_matches_reference(const Context& context) {
  for (const TokenShape& shape : {TokenShape{1, 1, 1}, TokenShape{2, 5, 3}, TokenShape{1, 16, 128},
                                  TokenShape{3, 300, 33}, TokenShape{1, 2, 0}, TokenShape{1, 0, 5}}) {
    const Tokens tokens = make_tokens(shape);
    const Scores got = run(context, tokens);
    Scores exact = got;
    reference::token_scores(shape, {tokens.loss.data(), tokens.residual.data(), tokens.correct.data()},
                            {exact.loss.data(), exact.p_true.data(), exact.residual.data(), exact.correct.data()});
    for (std::size_t i = 0; i < got.loss.size(); ++i) {
      EXPECT_NEAR(got.loss[i], exact.loss[i], 2e-7 * exact.loss[i]);
      EXPECT_NEAR(got.p_true[i], exact.p_true[i], 1e-6 * exact.p_true[i]);
      EXPECT_NEAR(got.residual[i], exact.residual[i], 2e-7 * exact.residual[i]);
    }
    EXPECT_EQ(got.correct, exact.correct);
  }
}

TEST(TokenScores, match_the_reference) { expect_matches_reference(Context::cpu()); }
TEST_F(OnCuda, token_scores_match_the_reference) { expect_matches_reference(Context::cuda()); }

TEST(TokenScores, are_means_of_a_small_sequence) {
  // losses ln 2 and ln 8: mean ln 4, so p_true 1/4; residuals 3 and 4: sqrt(25 / 2)
  const std::vector<float> loss{std::log(2.0f), std::log(8.0f)}, residual{3, 4};
  const std::vector<std::uint8_t> correct{0, 1};
  float l = 0, p = 0, r = 0;
  std::int32_t c = 0;
  token_scores(Context::cpu(), {1, 1, 2}, {loss.data(), residual.data(), correct.data()}, {&l, &p, &r, &c});
  EXPECT_NEAR(l, std::log(4.0), 1e-6);
  EXPECT_NEAR(p, 0.25, 1e-6);
  EXPECT_NEAR(r, std::sqrt(12.5), 1e-6);
  EXPECT_EQ(c, 1);
}

TEST(TokenScores, have_the_same_bits_for_any_threads_and_alone_or_in_a_batch) {
  const Tokens tokens = make_tokens({1, 700, 60});
  const Scores one = run(Context::cpu(1), tokens), two = run(Context::cpu(2), tokens);
  EXPECT_EQ(bits(one.loss), bits(two.loss));
  EXPECT_EQ(bits(one.residual), bits(two.residual));
  const Tokens alone{{1, 1, 60},
                     {tokens.loss.begin() + 600, tokens.loss.begin() + 660},
                     {tokens.residual.begin() + 600, tokens.residual.begin() + 660},
                     {tokens.correct.begin() + 600, tokens.correct.begin() + 660}};
  EXPECT_EQ(bits(run(Context::cpu(), alone).loss), bits(std::vector<float>{one.loss[10]}));
  EXPECT_EQ(bits(run(Context::cpu(), alone).p_true), bits(std::vector<float>{one.p_true[10]}));
}

TEST(TokenScores, keep_flags_of_tokens_act_on_dz_alone) {
  const int tokens = 6, classes = 5;
  const std::vector<float> logits = normals(tokens * classes, 1);
  const std::vector<std::int32_t> labels = test::labels(tokens, classes, 2);
  const std::vector<float> keep{1, 0, 1, 0, 0, 1};
  std::vector<float> loss(tokens), kept_loss(tokens), dz(logits.size()), kept_dz(logits.size());
  softmax_xent(Context::cpu(), {1, tokens, classes}, logits.data(), labels.data(), nullptr, 1.0f / tokens,
               {loss.data(), nullptr, nullptr, nullptr, dz.data()});
  softmax_xent(Context::cpu(), {1, tokens, classes}, logits.data(), labels.data(), keep.data(), 1.0f / tokens,
               {kept_loss.data(), nullptr, nullptr, nullptr, kept_dz.data()});
  EXPECT_EQ(bits(loss), bits(kept_loss));
  for (int i = 0; i < tokens * classes; ++i) EXPECT_EQ(kept_dz[i], keep[i / classes] * dz[i]);
}

}  // namespace
}  // namespace eos::kernels
