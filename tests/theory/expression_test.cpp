#include "eos/theory/expression.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "eos/theory/dual.hpp"

namespace {

using namespace eos::theory;

SymbolTable xyz() { return {{{"x", Expr::input(0)}, {"y", Expr::input(1)}, {"z", Expr::input(2)}}, {}}; }

Expr parse(const std::string& text) {
  std::vector<ExpressionProblem> problems;
  const Expr e = parse_expression(text, xyz(), problems);
  EXPECT_TRUE(problems.empty()) << text << ": " << (problems.empty() ? "" : problems[0].message);
  return e;
}

double value(const Expr& e, std::array<double, 3> at) {
  double y = 0;
  Program(std::array{e}, 3)(at.data(), &y);
  return y;
}

TEST(Expression, obeys_the_precedence_of_mathematics) {
  EXPECT_EQ(value(parse("-x^2"), {3, 0, 0}), -9);
  EXPECT_EQ(value(parse("2^3^2"), {}), 512);
  EXPECT_EQ(value(parse("x - y - z"), {10, 3, 2}), 5);
  EXPECT_EQ(value(parse("x / y / z"), {12, 3, 2}), 2);
  EXPECT_EQ(value(parse("2**-1*x"), {8, 0, 0}), 4);
  EXPECT_EQ(value(parse("-(x+1)*-y"), {1, 2, 0}), 4);
  EXPECT_DOUBLE_EQ(value(parse("1.5e-3*x + .5"), {2, 0, 0}), .503);
}

/// One formula that uses every function, as a template: the same for numbers, duals and expressions.
template <class T>
T everything(const T& x, const T& y, const T& z) {
  using std::acos, std::acosh, std::asin, std::asinh, std::atan, std::atanh, std::cos, std::cosh, std::erf, std::exp,
      std::log, std::pow, std::sin, std::sinh, std::sqrt, std::tan, std::tanh;
  return sqrt(x) * exp(-y) + log(x + z) / (y + 2.0) + sin(x * y) * cos(z) + tan(0.3 * x) + asin(0.4 * y) +
         acos(0.2 * z) + atan(x - z) + sinh(0.5 * y) - cosh(z) * tanh(x) + asinh(y * z) + acosh(1.0 + x) +
         atanh(0.3 * z) + erf(x * z) + pow(x, 2.5) / z - pow(y, -1.0) * (x - 3.0);
}

TEST(Expression, derivatives_equal_those_of_dual_numbers_and_finite_differences) {
  const std::array<double, 3> at{.7, .9, 1.3};
  const Expr e = everything(Expr::input(0), Expr::input(1), Expr::input(2));
  const int inputs[] = {0, 1, 2};
  const std::vector<Expr> g = gradient(e, inputs);
  using D = Dual2<3>;
  const D d = everything(D::variable(at[0], 0), D::variable(at[1], 1), D::variable(at[2], 2));
  EXPECT_NEAR(value(e, at), d.v, 1e-15);
  for (int i = 0; i < 3; ++i) {
    auto up = at, down = at;
    const double h = 1e-5;
    up[i] += h, down[i] -= h;
    EXPECT_NEAR(value(g[i], at), (everything(up[0], up[1], up[2]) - everything(down[0], down[1], down[2])) / (2 * h),
                1e-8);
    EXPECT_NEAR(value(g[i], at), d.g[i], 1e-13 * (1 + std::fabs(d.g[i])));
    EXPECT_NEAR(value(differentiate(e, i), at), d.g[i], 1e-13 * (1 + std::fabs(d.g[i])));
    for (int j = 0; j < 3; ++j) {
      EXPECT_NEAR(value(differentiate(g[i], j), at), d.second(i, j), 1e-12 * (1 + std::fabs(d.second(i, j)))) << i << j;
      EXPECT_NEAR((value(g[j], up) - value(g[j], down)) / (2 * h), d.second(i, j), 1e-7) << i << j;
    }
  }
}

TEST(Expression, text_reads_back_as_the_same_formula) {
  for (const char* text : {"-x^2", "(x + y)*z", "x - (y - z)", "x/(y*z)", "(-x)^3", "2^(-x)", "min(x, max(y, z))^2",
                           "-(x*y)", "(x^y)^z", "x^y^z", "abs(x - 2.5)/step(y)"}) {
    const Expr e = parse(text), again = parse(to_string(e, {"x", "y", "z"}));
    EXPECT_EQ(value(e, {1.2, .7, 1.9}), value(again, {1.2, .7, 1.9}))
        << text << " -> " << to_string(e, {"x", "y", "z"});
  }
}

TEST(Expression, capture_has_the_squared_threshold_as_slope) {
  const Expr e = capture(Expr::input(0));
  EXPECT_NEAR(value(e, {.1, 0, 0}), .4393, 5e-5);
  const double slope = value(differentiate(e, 0), {.1, 0, 0}),
               bend = value(differentiate(differentiate(e, 0), 0), {.1, 0, 0});
  EXPECT_NEAR(slope, (value(e, {.1 + 1e-6, 0, 0}) - value(e, {.1 - 1e-6, 0, 0})) / 2e-6, 1e-6);
  const Expr d = differentiate(e, 0);
  EXPECT_NEAR(bend, (value(d, {.1 + 1e-6, 0, 0}) - value(d, {.1 - 1e-6, 0, 0})) / 2e-6, 1e-5);
}

TEST(Expression, programs_give_the_same_value_alone_and_in_a_batch) {
  const std::array<Expr, 2> outputs{everything(Expr::input(0), Expr::input(1), Expr::input(2)), Expr(4)};
  const Program program(outputs, 3);
  constexpr std::size_t lanes = 77, stride = 80;
  std::vector<double> in(3 * stride), out(2 * stride);
  for (std::size_t k = 0; k < lanes; ++k) {
    in[k] = .3 + .01 * static_cast<double>(k), in[stride + k] = .5, in[2 * stride + k] = 1;
  }
  program.evaluate(in.data(), out.data(), lanes, stride);
  for (std::size_t k = 0; k < lanes; ++k) {
    const double point[3] = {in[k], in[stride + k], in[2 * stride + k]};
    double y[2];
    program(point, y);
    EXPECT_EQ(y[0], out[k]);
    EXPECT_EQ(out[stride + k], 4);
  }
  double constant = 0;
  EXPECT_TRUE(program.is_constant(1, &constant));
  EXPECT_EQ(constant, 4);
  EXPECT_FALSE(program.is_constant(0));
}

TEST(Expression, problems_point_at_the_character) {
  const auto problem = [](const std::string& text) {
    std::vector<ExpressionProblem> problems;
    parse_expression(text, xyz(), problems);
    EXPECT_EQ(problems.size(), 1u) << text;
    return problems.empty() ? ExpressionProblem{} : problems[0];
  };
  EXPECT_EQ(problem("x + yy*2").position, 4u);
  EXPECT_EQ(problem("x + yy*2").length, 2u);
  EXPECT_NE(problem("x + yy*2").help.find("'y'"), std::string::npos);
  EXPECT_EQ(problem("x + * 2").position, 4u);
  EXPECT_EQ(problem("(x + 2").position, 6u);
  EXPECT_EQ(problem("sin(x, y)").position, 0u);
  EXPECT_EQ(problem("sinn(x)").position, 0u);
  EXPECT_EQ(problem("x = 2").position, 2u);
  EXPECT_EQ(problem("").position, 0u);
  EXPECT_EQ(problem(std::string(1000, '(')).message.substr(0, 9), "more than");
}

}  // namespace
