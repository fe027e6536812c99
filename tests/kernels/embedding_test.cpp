#include "eos/kernels/embedding.hpp"

#include <cmath>

#include "kernel_test.hpp"

namespace eos::kernels {
namespace {

using test::bits;
using test::normals;
using test::OnCuda;

struct Problem {
  EmbeddingShape shape;
  std::vector<float> tokens, table, dout;
  explicit Problem(EmbeddingShape s) : shape(s) {
    const auto places = static_cast<std::size_t>(s.replicas * s.rows * s.tokens);
    for (const std::int32_t id : test::labels(places, s.vocabulary, 1)) tokens.push_back(static_cast<float>(id));
    table = normals(static_cast<std::size_t>(s.replicas) * static_cast<std::size_t>(s.table_stride()), 2);
    dout = normals(places * static_cast<std::size_t>(s.width), 3);
  }
};

struct Answer {
  std::vector<float> out, dtable;
};

Answer run(const Context& context, const Problem& problem) {
  const Buffer<float> tokens(context, problem.tokens), table(context, problem.table), dout(context, problem.dout);
  Buffer<float> out(context, problem.dout.size()), dtable(context, problem.table);  // holds other values before
  embedding_forward(context, problem.shape, tokens.data(), table.data(), out.data());
  embedding_backward(context, problem.shape, tokens.data(), dout.data(), dtable.data());
  return {out.get(), dtable.get()};
}

Answer run_reference(const Problem& problem) {
  Answer answer{std::vector<float>(problem.dout.size()), problem.table};
  reference::embedding_forward(problem.shape, problem.tokens.data(), problem.table.data(), answer.out.data());
  reference::embedding_backward(problem.shape, problem.tokens.data(), problem.dout.data(), answer.dtable.data());
  return answer;
}

/// Fewer than 400 summands of order 1 in single precision: below 400 half units of their partial sums, of order 20.
void expect_matches_reference(const Context& context, EmbeddingShape shape) {
  const Problem problem(shape);
  const Answer got = run(context, problem), exact = run_reference(problem);
  EXPECT_EQ(bits(got.out), bits(exact.out));
  for (std::size_t i = 0; i < got.dtable.size(); ++i) ASSERT_NEAR(got.dtable[i], exact.dtable[i], 1e-4) << i;
}

const std::vector<EmbeddingShape> k_shapes = {
    {1, 3, 5, 7, 4}, {2, 4, 90, 2, 33}, {3, 2, 6, 20, 300}, {1, 0, 4, 3, 2}, {2, 3, 4, 5, 6, 41}};

TEST(Embedding, matches_the_reference_on_the_cpu) {
  for (const EmbeddingShape& shape : k_shapes) expect_matches_reference(Context::cpu(), shape);
}

TEST_F(OnCuda, embedding_matches_the_reference) {
  for (const EmbeddingShape& shape : k_shapes) expect_matches_reference(Context::cuda(), shape);
}

TEST_F(OnCuda, embedding_has_the_bits_of_the_cpu) {
  const Problem problem({2, 8, 40, 11, 70});
  EXPECT_EQ(bits(run(Context::cuda(), problem).dtable), bits(run(Context::cpu(), problem).dtable));
}

TEST(Embedding, adds_in_order_of_the_tokens_for_any_number_of_threads) {
  const Problem problem({3, 4, 30, 5, 3});
  const Answer one = run(Context::cpu(1), problem), two = run(Context::cpu(2), problem);
  EXPECT_EQ(bits(one.out), bits(two.out));
  EXPECT_EQ(bits(one.dtable), bits(two.dtable));
  float sum = 0;  // replica 1, token 2, column 1
  for (std::size_t i = 120; i < 240; ++i) {
    if (problem.tokens[i] == 2.0f) sum += problem.dout[i * 3 + 1];
  }
  EXPECT_EQ(one.dtable[15 + 2 * 3 + 1], sum);
}

TEST(Embedding, gradient_of_the_reference_equals_central_differences_in_double) {
  const EmbeddingShape shape{1, 2, 6, 4, 3};
  const Problem problem(shape);
  const std::vector<double> tokens(problem.tokens.begin(), problem.tokens.end());
  std::vector<double> table(problem.table.begin(), problem.table.end());
  const std::vector<double> dout(problem.dout.begin(), problem.dout.end());
  std::vector<double> out(dout.size()), dtable(table.size());
  reference::embedding_backward(shape, tokens.data(), dout.data(), dtable.data());
  const auto loss = [&] {
    reference::embedding_forward(shape, tokens.data(), table.data(), out.data());
    double sum = 0;
    for (std::size_t i = 0; i < out.size(); ++i) sum += dout[i] * out[i];
    return sum;
  };
  for (std::size_t i = 0; i < table.size(); ++i) {
    const double step = 1e-4, before = table[i];
    table[i] = before + step;
    const double up = loss();
    table[i] = before - step;
    const double slope = (up - loss()) / (2 * step);
    table[i] = before;
    EXPECT_NEAR(dtable[i], slope, 1e-6 * (1 + std::fabs(slope))) << i;
  }
}

/// Worked out by hand: ids 2, 0, 2 look up rows of the table 0.5 i; row 2 gets the sum of two rows of errors, row 1 none.
TEST(Embedding, looks_up_rows_and_sums_the_errors_of_each) {
  const EmbeddingShape shape{1, 1, 3, 3, 2};
  const std::vector<float> tokens{2, 0, 2}, table{0, 0.5f, 1, 1.5f, 2, 2.5f}, dout{1, 2, 3, 4, 5, 6};
  std::vector<float> out(6), dtable(6);
  embedding_forward(Context::cpu(), shape, tokens.data(), table.data(), out.data());
  embedding_backward(Context::cpu(), shape, tokens.data(), dout.data(), dtable.data());
  EXPECT_EQ(out, (std::vector<float>{2, 2.5f, 0, 0.5f, 2, 2.5f}));
  EXPECT_EQ(dtable, (std::vector<float>{3, 4, 0, 0, 6, 8}));
}

}  // namespace
}  // namespace eos::kernels
