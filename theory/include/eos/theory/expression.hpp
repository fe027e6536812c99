// State formulas as values: build them from C++ operators or parse them from text, differentiate them exactly, and run
// them as straight-line programs over many points at once.
//
// An Expr is an immutable formula over numbered inputs. Model formulas that are templates on their scalar type accept
// it, so one formula gives numbers (double), truncated derivatives (Dual) and programs with symbolic derivatives
// (Expr). Differentiation: chain rule on the graph, forward (differentiate) or reverse (gradient; Griewank & Walther
// 2008, ch. 3); shared subexpressions stay shared. min, max, abs, sign and step have the derivatives of their smooth
// pieces. Guarantees: values are shared and immutable, safe to read from several threads; evaluation never allocates
// after the first call of a thread; parsing any text ends with an Expr or with problems that carry a position.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace eos::theory {

/// Operations of a formula. `capture` is the Gaussian capture function phi(u), `threshold` its a_u (capture.hpp).
enum class Op : std::uint8_t {
  constant,
  input,
  add,
  subtract,
  multiply,
  divide,
  power,
  minimum,
  maximum,
  negate,
  sqrt,
  exp,
  log,
  sin,
  cos,
  tan,
  asin,
  acos,
  atan,
  sinh,
  cosh,
  tanh,
  asinh,
  acosh,
  atanh,
  erf,
  abs,
  sign,
  step,
  capture,
  threshold
};

class Expr {
 public:
  Expr(double constant = 0);  // NOLINT: numbers are formulas
  /// The value of slot `index` of a program's inputs.
  static Expr input(int index);
  static Expr apply(Op op, const Expr& a);
  static Expr apply(Op op, const Expr& a, const Expr& b);

  Op op() const;
  double constant() const;  ///< pre: op() == Op::constant
  int index() const;        ///< pre: op() == Op::input
  Expr first() const;       ///< pre: at least one operand
  Expr second() const;      ///< pre: two operands
  bool is_constant() const { return op() == Op::constant; }
  bool is_constant(double value) const { return is_constant() && constant() == value; }

  Expr& operator+=(const Expr& b);
  Expr& operator-=(const Expr& b);
  Expr& operator*=(const Expr& b);
  Expr& operator/=(const Expr& b);

  struct Node;
  const Node* node() const { return node_.get(); }
  explicit Expr(std::shared_ptr<const Node> node) : node_(std::move(node)) {}

 private:
  std::shared_ptr<const Node> node_;
};

Expr operator+(const Expr& a, const Expr& b);
Expr operator-(const Expr& a, const Expr& b);
Expr operator*(const Expr& a, const Expr& b);
Expr operator/(const Expr& a, const Expr& b);
Expr operator-(const Expr& a);
Expr operator+(const Expr& a);
Expr pow(const Expr& a, const Expr& b);
Expr min(const Expr& a, const Expr& b);
Expr max(const Expr& a, const Expr& b);
Expr sqrt(const Expr& a);
Expr exp(const Expr& a);
Expr log(const Expr& a);
Expr sin(const Expr& a);
Expr cos(const Expr& a);
Expr tan(const Expr& a);
Expr asin(const Expr& a);
Expr acos(const Expr& a);
Expr atan(const Expr& a);
Expr sinh(const Expr& a);
Expr cosh(const Expr& a);
Expr tanh(const Expr& a);
Expr asinh(const Expr& a);
Expr acosh(const Expr& a);
Expr atanh(const Expr& a);
Expr erf(const Expr& a);
Expr abs(const Expr& a);
Expr sign(const Expr& a);       ///< -1, 0, 1
Expr step(const Expr& a);       ///< 1 for a >= 0, else 0
Expr capture(const Expr& u);    ///< phi(u)
Expr threshold(const Expr& u);  ///< a_u

/// d y / d input.
Expr differentiate(const Expr& y, int input);
/// d y / d inputs, all in one reverse sweep: costs a small multiple of y, whatever the number of inputs.
std::vector<Expr> gradient(const Expr& y, std::span<const int> inputs);
bool depends_on(const Expr& y, int input);
/// y with inputs replaced; inputs that are not in the map stay.
Expr substitute(const Expr& y, const std::map<int, Expr>& replacements);
/// Infix text with the given names of inputs (x0, x1, ... where absent); parses back to an equal formula.
std::string to_string(const Expr& y, const std::vector<std::string>& names = {});

/// What is wrong with a text, and where: characters [position, position + length) counted from 0.
struct ExpressionProblem {
  std::size_t position = 0, length = 1;
  std::string message, help;
};

/// What names mean in a text. Functions of one or two arguments are those of Op; `pi` is known; `^` and `**` are powers
/// (right-associative, binding tighter than a sign: -x^2 = -(x^2)).
struct SymbolTable {
  std::map<std::string, Expr, std::less<>> names;
  /// Functions of a bare name, e.g. initial(x): function -> (name -> formula).
  std::map<std::string, std::map<std::string, Expr, std::less<>>, std::less<>> of_name;
};
/// Names that a text can call, for help and for refusing them as names of states.
const std::vector<std::string>& function_names();
/// Whether a formula can use the name for a value: a letter or _, then letters, digits and _; no function, not pi.
bool is_symbol(std::string_view name);
/// Parses; appends to `problems` what is wrong (undefined names all, syntax the first) and then returns 0.
Expr parse_expression(std::string_view text, const SymbolTable& symbols, std::vector<ExpressionProblem>& problems);

/// Formulas compiled to a list of operations on registers.
class Program {
 public:
  Program() = default;
  /// inputs: number of input slots. Common subexpressions are computed once.
  Program(std::span<const Expr> outputs, int inputs);

  int inputs() const { return inputs_; }
  int outputs() const { return static_cast<int>(output_.size()); }
  int operations() const { return static_cast<int>(code_.size()); }
  /// Values at `lanes` points: in[i * stride + lane] -> out[o * stride + lane]. pre: lanes <= stride.
  void evaluate(const double* in, double* out, std::size_t lanes, std::size_t stride) const;
  /// Values at one point.
  void operator()(const double* in, double* out) const { evaluate(in, out, 1, 1); }
  /// Output o does not depend on any input; its value.
  bool is_constant(int output, double* value = nullptr) const;

 private:
  struct Instruction {
    Op op;
    int target, a, b;
  };
  void run_block(const double* in, double* out, std::size_t lanes, std::size_t stride, double* registers) const;
  void run_point(const double* in, double* out, double* registers) const;

  int inputs_ = 0, registers_ = 0;
  std::vector<double> constants_;  // registers [inputs, inputs + constants)
  std::vector<Instruction> code_;
  std::vector<int> output_;
};

}  // namespace eos::theory
