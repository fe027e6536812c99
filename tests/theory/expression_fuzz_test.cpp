// No text does more than end in a formula or in problems with a place; whatever parses can be written, read back, run
// and differentiated; derivatives of random formulas equal those of dual numbers. Seeded, so that a failure repeats.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>

#include "eos/core/philox.hpp"
#include "eos/theory/dual.hpp"
#include "eos/theory/expression.hpp"

namespace {

using namespace eos::theory;
using eos::core::draw;
using eos::core::Purpose;

const SymbolTable& symbols() {
  static const SymbolTable k_table{{{"x", Expr::input(0)}, {"y", Expr::input(1)}, {"z", Expr::input(2)}},
                                   {{"initial", {{"x", Expr::input(1)}}}}};
  return k_table;
}

double value(const Expr& e, const std::array<double, 3>& at) {
  double y = 0;
  Program(std::array{e}, 3)(at.data(), &y);
  return y;
}

/// Equal, or both not a number.
bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

/// Everything that may happen to a text; true when it is a formula.
bool survives(const std::string& text) {
  SCOPED_TRACE(text.substr(0, 200));
  std::vector<ExpressionProblem> problems;
  const Expr y = parse_expression(text, symbols(), problems);
  for (const ExpressionProblem& p : problems) {
    EXPECT_LE(p.position, text.size());
    EXPECT_GE(p.length, 1u);
    EXPECT_FALSE(p.message.empty());
  }
  if (!problems.empty()) return false;
  const std::array<double, 3> at{0.7, -1.3, 2.1};
  const std::string written = to_string(y, {"x", "y", "z"});
  const Expr again = parse_expression(written, symbols(), problems);
  EXPECT_TRUE(problems.empty());
  EXPECT_TRUE(same(value(y, at), value(again, at)));
  EXPECT_TRUE(to_string(again, {"x", "y", "z"}) == written) << written.substr(0, 200);
  const int inputs[] = {0, 1, 2};
  for (const Expr& g : gradient(y, inputs)) value(g, at);
  return true;
}

/// One to three edits: flip, delete, repeat, or splice in a piece that often causes trouble.
std::string mutate(std::string text, std::uint32_t trial) {
  static const std::vector<std::string> k_pieces{
      "(",    ")",   "^",        "**",  "-",     "--", "1e999", "1e308*", "1e-400", ",",    "sin(",
      "pow(", "x.y", "initial(", "pi",  " ",     "\t", "\n",    "\xff",   "λ",      "0x10", "1.2.3",
      "nan",  "inf", "/0",       "^-1", "min(x", "e",  ".",     "_",      "\x01",   "step("};
  const auto rounds = 1 + draw(21, {0, trial, Purpose::test, 0}).v[0] % 3;
  for (std::uint32_t r = 1; r <= rounds && !text.empty(); ++r) {
    const auto w = draw(21, {0, trial, Purpose::test, r});
    const std::size_t at = w.v[0] % text.size(), length = 1 + w.v[1] % 5;
    if (w.v[2] % 5 == 0)
      text[at] = static_cast<char>(text[at] ^ (1 << (w.v[3] % 8)));
    else if (w.v[2] % 5 == 1)
      text.erase(at, length);
    else if (w.v[2] % 5 == 2)
      text.insert(at, text.substr(w.v[3] % text.size(), length * 3));
    else
      text.insert(at, k_pieces[w.v[3] % k_pieces.size()]);
  }
  return text;
}

TEST(ExpressionFuzz, mutated_formulas_are_read_or_refused) {
  const std::vector<std::string> seeds{"mu*(1 - x^2)*x",
                                       "(3.5*u - 310*v^2*exp(-500*(r - 1)))/m - 1/r^2",
                                       "-x + y*(1.4 - .14*y^2) + 4*z",
                                       "min(x, max(y, abs(z)))*step(x - y)",
                                       "21.87*x/((x + 0.4)*(x + 62.5))",
                                       "initial(x)^2 + pow(y, 3)/sqrt(z*z + 1)",
                                       "capture(x) + threshold(y)*erf(z)",
                                       "2^-x^y",
                                       "x*y*z"};
  int accepted = 0;
  for (std::uint32_t trial = 0; trial < 70000; ++trial) {
    accepted += survives(mutate(seeds[trial % seeds.size()], trial)) ? 1 : 0;
    ASSERT_FALSE(::testing::Test::HasFailure()) << "trial " << trial;
  }
  EXPECT_GT(accepted, 2000);  // the edits are not all noise
}

TEST(ExpressionFuzz, random_texts_are_read_or_refused) {
  constexpr std::string_view k_alphabet = "xyz0123456789+-*/^().,e sincoexplgqrtabhmpw_";
  int accepted = 0;
  for (std::uint32_t trial = 0; trial < 40000; ++trial) {
    std::string text;
    const auto length = draw(22, {0, trial, Purpose::test, 0}).v[0] % 24;
    for (std::uint32_t i = 0; i < length; i += 4) {
      const auto w = draw(22, {0, trial, Purpose::test, i + 1});
      for (const std::uint32_t word : w.v)
        text += trial % 4 == 0 ? static_cast<char>(word) : k_alphabet[word % k_alphabet.size()];
    }
    accepted += survives(text) ? 1 : 0;
    ASSERT_FALSE(::testing::Test::HasFailure()) << "trial " << trial;
  }
  EXPECT_GT(accepted, 30);
}

std::string repeat(const std::string& piece, int n) {
  std::string text;
  for (int i = 0; i < n; ++i) text += piece;
  return text;
}

TEST(ExpressionFuzz, depth_and_length_do_not_exhaust_the_stack_or_the_memory) {
  for (const int n : {50, 199, 201, 5000, 90000}) {
    SCOPED_TRACE(n);
    survives(repeat("(", n) + "x" + repeat(")", n));
    survives(repeat("-", n) + "x");
    survives(repeat("x^", n) + "x");
    survives(repeat("sin(", n));
    survives(repeat("1/", n) + "x");
  }
  EXPECT_TRUE(survives("x" + repeat("+x*y", 20000)));
  EXPECT_TRUE(survives("x" + repeat("*x", 40000)));
  EXPECT_TRUE(survives(repeat("(", 60) + "x" + repeat("^2)", 60)));  // 2^60 factors, if it were written out
  EXPECT_TRUE(survives(repeat("(", 60) + "x+y" + repeat(")^3", 60)));
  EXPECT_FALSE(survives("x" + repeat("+x", 500000)));
}

TEST(ExpressionFuzz, numbers_at_the_edge_are_read_exactly_or_refused) {
  for (const char* text :
       {"1e308", "1e-308", "5e-324", "1e-400", "0.1", "123456789012345678901234567890", ".5", "5."}) {
    std::vector<ExpressionProblem> problems;
    const Expr y = parse_expression(text, {}, problems);
    EXPECT_TRUE(problems.empty()) << text;
    EXPECT_EQ(y.constant(), std::strtod(text, nullptr)) << text;
  }
  for (const char* text : {"1e309", "1e999999999", "0x1p3", "1.2.3", "1e", "1_000", ".", "inf", "nan", "1f"})
    EXPECT_FALSE(survives(text)) << text;
  EXPECT_TRUE(survives("1e308*10"));  // infinity, which is written as a quotient that gives it
  EXPECT_TRUE(survives("0/0 + x"));
  EXPECT_TRUE(survives("-1/0*x"));
}

/// A random formula as a list of steps on a stack, so that it can be built over any scalar type.
struct Step {
  std::uint32_t what;
  double number;
};
std::vector<Step> random_steps(std::uint32_t trial) {
  std::vector<Step> steps;
  for (std::uint32_t i = 0; i < 14; ++i) {
    const auto w = draw(23, {0, trial, Purpose::test, i});
    steps.push_back({w.v[0], 0.25 + 2.5 * static_cast<double>(w.v[1]) / 4294967296.0});
  }
  return steps;
}

template <class T>
T built(const std::vector<Step>& steps, const T& x, const T& y, const T& z) {
  using std::asinh, std::atan, std::cos, std::erf, std::exp, std::log, std::pow, std::sin, std::sqrt, std::tanh;
  std::vector<T> stack{x, y, z, x};
  const auto at = [&](std::uint32_t i) -> const T& { return stack[i % stack.size()]; };
  for (const Step& s : steps) {
    const T &a = at(s.what >> 8), &b = at(s.what >> 16);
    switch (s.what % 16) {
      case 0:
        stack.push_back(a + b);
        break;
      case 1:
        stack.push_back(a - b);
        break;
      case 2:
      case 3:
        stack.push_back(a * b);
        break;
      case 4:
        stack.push_back(a / (1.0 + b * b));
        break;
      case 5:
        stack.push_back(s.number * a);
        break;
      case 6:
        stack.push_back(sin(a));
        break;
      case 7:
        stack.push_back(cos(s.number + a));
        break;
      case 8:
        stack.push_back(tanh(a));
        break;
      case 9:
        stack.push_back(exp(-1.0 * (a * a)));
        break;
      case 10:
        stack.push_back(log(1.0 + a * a));
        break;
      case 11:
        stack.push_back(sqrt(s.number + b * b));
        break;
      case 12:
        stack.push_back(asinh(a) - s.number);
        break;
      case 13:
        stack.push_back(erf(a));
        break;
      case 14:
        stack.push_back(pow(1.0 + a * a, s.number));
        break;
      default:
        stack.push_back(atan(a) * b);
        break;
    }
  }
  return stack.back();
}

TEST(ExpressionFuzz, derivatives_of_random_formulas_equal_those_of_dual_numbers) {
  const std::array<double, 3> at{0.7, -0.9, 1.3};
  const int inputs[] = {0, 1, 2};
  int compared = 0;
  for (std::uint32_t trial = 0; trial < 2000; ++trial) {
    const std::vector<Step> steps = random_steps(trial);
    using D = Dual2<3>;
    const D d = built(steps, D::variable(at[0], 0), D::variable(at[1], 1), D::variable(at[2], 2));
    const Expr e = built(steps, Expr::input(0), Expr::input(1), Expr::input(2));
    double largest = std::fabs(d.v);
    for (const double g : d.g) largest = std::max(largest, std::fabs(g));
    for (const double h : d.h) largest = std::max(largest, std::fabs(h));
    if (!(largest < 1e6)) continue;
    ++compared;
    // The same sums in another order: 14 operations, each with a few rounding errors of terms up to `largest`.
    const double tolerance = 1e-12 * (1 + largest);
    const std::vector<Expr> g = gradient(e, inputs);
    ASSERT_NEAR(value(e, at), d.v, 1e-15 * (1 + std::fabs(d.v))) << trial;
    for (int i = 0; i < 3; ++i) {
      ASSERT_NEAR(value(g[i], at), d.g[i], tolerance) << trial;
      ASSERT_NEAR(value(differentiate(e, i), at), d.g[i], tolerance) << trial;
      for (int j = 0; j <= i; ++j) ASSERT_NEAR(value(differentiate(g[i], j), at), d.second(i, j), tolerance) << trial;
    }
  }
  EXPECT_GT(compared, 1800);
}

TEST(ExpressionFuzz, derivatives_of_random_formulas_equal_finite_differences) {
  const std::array<double, 3> at{0.4, 0.8, -0.6};
  int compared = 0;
  for (std::uint32_t trial = 0; trial < 500; ++trial) {
    const std::vector<Step> steps = random_steps(100000 + trial);
    const auto f = [&](std::array<double, 3> p, int i, double h) {
      p[i] += h;
      return built(steps, p[0], p[1], p[2]);
    };
    const Expr e = built(steps, Expr::input(0), Expr::input(1), Expr::input(2));
    for (int i = 0; i < 3; ++i) {
      // Central differences of orders 2 and 4: their gap estimates the error where the formula bends strongly.
      const double h = 1e-3, d1 = (f(at, i, h) - f(at, i, -h)) / (2 * h);
      const double d2 = (f(at, i, 2 * h) - f(at, i, -2 * h)) / (4 * h), d = (4 * d1 - d2) / 3;
      const double gap = std::fabs(d1 - d2);
      if (!(gap < 1e-3 * (1 + std::fabs(d)))) continue;
      ++compared;
      ASSERT_NEAR(value(differentiate(e, i), at), d, 0.02 * gap + 1e-10 * (1 + std::fabs(d))) << trial;
    }
  }
  EXPECT_GT(compared, 1000);
}

}  // namespace
