#include "eos/kernels/tokens.hpp"

#include <cmath>
#include <functional>

#include "kernel_test.hpp"

namespace eos::kernels {
namespace {

using test::bits;
using test::normals;
using test::OnCuda;

struct Problem {
  TokensShape shape;
  std::vector<float> in, table, token, dout, dlonger, dfirst;
  explicit Problem(TokensShape s) : shape(s) {
    const auto samples = static_cast<std::size_t>(s.replicas * s.rows), width = static_cast<std::size_t>(s.width);
    const auto size = static_cast<std::size_t>(s.tokens) * width;
    in = normals(samples * size, 1), dout = normals(samples * size, 2);
    dlonger = normals(samples * (size + width), 3), dfirst = normals(samples * width, 4);
    table = normals(static_cast<std::size_t>(s.replicas * s.table_stride()), 5);
    token = normals(static_cast<std::size_t>(s.replicas * s.token_stride()), 6);
  }
};

struct Answer {
  std::vector<float> placed, dtable, longer, dtoken, din, first, spread;
};

Answer run(const Context& context, const Problem& p) {
  const Buffer<float> in(context, p.in), table(context, p.table), token(context, p.token), dout(context, p.dout),
      dlonger(context, p.dlonger), dfirst(context, p.dfirst);
  Buffer<float> placed(context, p.in.size()), dtable(context, p.table), longer(context, p.dlonger.size()),
      dtoken(context, p.token), din(context, p.in.size()), first(context, p.dfirst.size()), spread(context, p.in);
  add_positions(context, p.shape, in.data(), table.data(), placed.data());
  add_positions_backward(context, p.shape, dout.data(), dtable.data());
  prepend_token(context, p.shape, in.data(), token.data(), longer.data());
  prepend_token_backward(context, p.shape, dlonger.data(), dtoken.data(), din.data());
  select_first_token(context, p.shape, in.data(), first.data());
  select_first_token_backward(context, p.shape, dfirst.data(), spread.data());
  return {placed.get(), dtable.get(), longer.get(), dtoken.get(), din.get(), first.get(), spread.get()};
}

Answer run_reference(const Problem& p) {
  Answer a{p.in, p.table, p.dlonger, p.token, p.in, p.dfirst, p.in};
  reference::add_positions(p.shape, p.in.data(), p.table.data(), a.placed.data());
  reference::add_positions_backward(p.shape, p.dout.data(), a.dtable.data());
  reference::prepend_token(p.shape, p.in.data(), p.token.data(), a.longer.data());
  reference::prepend_token_backward(p.shape, p.dlonger.data(), a.dtoken.data(), a.din.data());
  reference::select_first_token(p.shape, p.in.data(), a.first.data());
  reference::select_first_token_backward(p.shape, p.dfirst.data(), a.spread.data());
  return a;
}

void expect_matches_reference(const Context& context, TokensShape shape) {
  const Problem problem(shape);
  const Answer got = run(context, problem), exact = run_reference(problem);
  EXPECT_EQ(bits(got.placed), bits(exact.placed));
  EXPECT_EQ(bits(got.longer), bits(exact.longer));
  EXPECT_EQ(bits(got.din), bits(exact.din));
  EXPECT_EQ(bits(got.first), bits(exact.first));
  EXPECT_EQ(bits(got.spread), bits(exact.spread));
  // At most ten summands of order 1, each sum rounded by half a unit of at most 2^-21.
  for (std::size_t i = 0; i < got.dtable.size(); ++i) ASSERT_NEAR(got.dtable[i], exact.dtable[i], 5e-6) << i;
  for (std::size_t i = 0; i < got.dtoken.size(); ++i) ASSERT_NEAR(got.dtoken[i], exact.dtoken[i], 5e-6) << i;
}

const std::vector<TokensShape> k_shapes = {{1, 3, 5, 7}, {2, 10, 3, 33}, {3, 2, 65, 4}, {1, 0, 4, 3}, {2, 3, 4, 5, 31}};

TEST(Tokens, match_the_reference_on_the_cpu) {
  for (const TokensShape& shape : k_shapes) expect_matches_reference(Context::cpu(), shape);
}

TEST_F(OnCuda, tokens_match_the_reference) {
  for (const TokensShape& shape : k_shapes) expect_matches_reference(Context::cuda(), shape);
}

TEST_F(OnCuda, tokens_have_the_bits_of_the_cpu) {
  const Problem problem({2, 30, 7, 50});
  const Answer device = run(Context::cuda(), problem), host = run(Context::cpu(), problem);
  EXPECT_EQ(bits(device.dtable), bits(host.dtable));
  EXPECT_EQ(bits(device.dtoken), bits(host.dtoken));
}

TEST(Tokens, have_the_same_bits_for_one_and_two_threads) {
  const Problem problem({3, 5, 6, 9});
  const Answer one = run(Context::cpu(1), problem), two = run(Context::cpu(2), problem);
  EXPECT_EQ(bits(one.placed), bits(two.placed));
  EXPECT_EQ(bits(one.dtable), bits(two.dtable));
  EXPECT_EQ(bits(one.longer), bits(two.longer));
  EXPECT_EQ(bits(one.dtoken), bits(two.dtoken));
  EXPECT_EQ(bits(one.spread), bits(two.spread));
}

TEST(Tokens, positions_may_be_added_in_place) {
  const Problem problem({2, 3, 4, 5});
  std::vector<float> in_place = problem.in;
  add_positions(Context::cpu(), problem.shape, in_place.data(), problem.table.data(), in_place.data());
  EXPECT_EQ(in_place, run(Context::cpu(), problem).placed);
}

TEST(Tokens, gradients_may_be_left_out) {
  const Problem problem({1, 3, 4, 5});
  const Answer both = run(Context::cpu(), problem);
  std::vector<float> dtoken(problem.token.size()), din(problem.in.size());
  prepend_token_backward(Context::cpu(), problem.shape, problem.dlonger.data(), dtoken.data(), nullptr);
  prepend_token_backward(Context::cpu(), problem.shape, problem.dlonger.data(), nullptr, din.data());
  EXPECT_EQ(dtoken, both.dtoken);
  EXPECT_EQ(din, both.din);
}

/// Derivatives of sum(factors * output) by all of `values`, by central differences.
std::vector<double> differences(std::vector<double>& values, const std::function<double()>& loss) {
  std::vector<double> slopes;
  for (double& value : values) {
    const double step = 1e-4, before = value;
    value = before + step;
    const double up = loss();
    value = before - step;
    slopes.push_back((up - loss()) / (2 * step));
    value = before;
  }
  return slopes;
}

double weighted(const std::vector<double>& out, const std::vector<double>& factors) {
  double sum = 0;
  for (std::size_t i = 0; i < out.size(); ++i) sum += out[i] * factors[i];
  return sum;
}

void expect_near(const std::vector<double>& got, const std::vector<double>& slopes, const char* what) {
  ASSERT_EQ(got.size(), slopes.size());
  for (std::size_t i = 0; i < got.size(); ++i)
    ASSERT_NEAR(got[i], slopes[i], 1e-6 * (1 + std::fabs(slopes[i]))) << what;
}

std::vector<double> doubles(const std::vector<float>& values) { return {values.begin(), values.end()}; }

TEST(Tokens, gradients_of_the_reference_equal_central_differences_in_double) {
  const Problem p({2, 3, 4, 5});
  std::vector<double> in = doubles(p.in), table = doubles(p.table), token = doubles(p.token);
  const std::vector<double> dout = doubles(p.dout), dlonger = doubles(p.dlonger), dfirst = doubles(p.dfirst);
  std::vector<double> placed(in.size()), longer(dlonger.size()), first(dfirst.size());
  std::vector<double> dtable(table.size()), dtoken(token.size()), din(in.size()), spread(in.size());
  reference::add_positions_backward(p.shape, dout.data(), dtable.data());
  reference::prepend_token_backward(p.shape, dlonger.data(), dtoken.data(), din.data());
  reference::select_first_token_backward(p.shape, dfirst.data(), spread.data());
  const auto with_positions = [&] {
    reference::add_positions(p.shape, in.data(), table.data(), placed.data());
    return weighted(placed, dout);
  };
  const auto with_token = [&] {
    reference::prepend_token(p.shape, in.data(), token.data(), longer.data());
    return weighted(longer, dlonger);
  };
  const auto chosen = [&] {
    reference::select_first_token(p.shape, in.data(), first.data());
    return weighted(first, dfirst);
  };
  expect_near(dtable, differences(table, with_positions), "positions");
  expect_near(dout, differences(in, with_positions), "input of positions");
  expect_near(dtoken, differences(token, with_token), "class token");
  expect_near(din, differences(in, with_token), "input of the class token");
  expect_near(spread, differences(in, chosen), "first token");
}

}  // namespace
}  // namespace eos::kernels
