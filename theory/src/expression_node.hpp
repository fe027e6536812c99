// The node behind an Expr, and what each operation computes. Private to theory/.
#pragma once

#include <algorithm>
#include <cmath>

#include "eos/theory/capture.hpp"
#include "eos/theory/expression.hpp"

namespace eos::theory {

struct Expr::Node : std::enable_shared_from_this<Expr::Node> {
  Node(Op o, double v, int i, std::shared_ptr<const Node> left, std::shared_ptr<const Node> right)
      : op(o), value(v), index(i), a(std::move(left)), b(std::move(right)) {}
  ~Node();
  Op op;
  double value;
  int index;
  mutable std::shared_ptr<const Node> a, b;  // mutable for the destructor alone
};

bool is_binary(Op op);

/// The value of an operation; b is ignored by functions of one variable.
inline double compute(Op op, double a, double b) {
  switch (op) {
    case Op::add:
      return a + b;
    case Op::subtract:
      return a - b;
    case Op::multiply:
      return a * b;
    case Op::divide:
      return a / b;
    case Op::power:
      return std::pow(a, b);
    case Op::minimum:
      return std::min(a, b);
    case Op::maximum:
      return std::max(a, b);
    case Op::negate:
      return -a;
    case Op::sqrt:
      return std::sqrt(a);
    case Op::exp:
      return std::exp(a);
    case Op::log:
      return std::log(a);
    case Op::sin:
      return std::sin(a);
    case Op::cos:
      return std::cos(a);
    case Op::tan:
      return std::tan(a);
    case Op::asin:
      return std::asin(a);
    case Op::acos:
      return std::acos(a);
    case Op::atan:
      return std::atan(a);
    case Op::sinh:
      return std::sinh(a);
    case Op::cosh:
      return std::cosh(a);
    case Op::tanh:
      return std::tanh(a);
    case Op::asinh:
      return std::asinh(a);
    case Op::acosh:
      return std::acosh(a);
    case Op::atanh:
      return std::atanh(a);
    case Op::erf:
      return std::erf(a);
    case Op::abs:
      return std::fabs(a);
    case Op::sign:
      return static_cast<double>(a > 0) - static_cast<double>(a < 0);
    case Op::step:
      return a >= 0 ? 1 : 0;
    case Op::capture:
      return gaussian_phi(std::clamp(a, 1e-300, 1.0));
    case Op::threshold:
      return gaussian_threshold(std::clamp(a, 1e-300, 1.0));
    case Op::constant:
    case Op::input:
      break;
  }
  return a;
}

}  // namespace eos::theory
