// Building formulas with folding of constants, and differentiating them.
#include "eos/theory/expression.hpp"

#include <numbers>
#include <unordered_map>

#include "expression_node.hpp"

namespace eos::theory {

namespace {

using NodePtr = std::shared_ptr<const Expr::Node>;

Expr make(Op op, double value, int index, NodePtr a = nullptr, NodePtr b = nullptr) {
  return Expr(std::make_shared<const Expr::Node>(op, value, index, std::move(a), std::move(b)));
}

/// x op y where one of them is neutral or absorbing; null when nothing can be simplified.
const Expr* neutral(Op op, const Expr& a, const Expr& b) {
  if (op == Op::add) return a.is_constant(0) ? &b : b.is_constant(0) ? &a : nullptr;
  if (op == Op::subtract) return b.is_constant(0) ? &a : nullptr;
  if (op == Op::multiply) {
    if (a.is_constant(0) || b.is_constant(1)) return &a;
    if (b.is_constant(0) || a.is_constant(1)) return &b;
  }
  if (op == Op::divide && (b.is_constant(1) || a.is_constant(0))) return &a;
  if (op == Op::power && b.is_constant(1)) return &a;
  return nullptr;
}

/// d op / d a and d op / d b at the node y = op(a, b).
struct Partials {
  Expr a, b;
};

Partials of_power(const Expr& y, const Expr& a, const Expr& b) {
  if (b.is_constant()) return {b * pow(a, b.constant() - 1), 0};
  return {b * pow(a, b - 1), y * log(a)};
}

Expr of_function(Op op, const Expr& y, const Expr& a) {
  switch (op) {
    case Op::negate:
      return -1;
    case Op::sqrt:
      return 0.5 / y;
    case Op::exp:
      return y;
    case Op::log:
      return 1 / a;
    case Op::sin:
      return cos(a);
    case Op::cos:
      return -sin(a);
    case Op::tan:
      return 1 + y * y;
    case Op::asin:
      return 1 / sqrt(1 - a * a);
    case Op::acos:
      return -1 / sqrt(1 - a * a);
    case Op::atan:
      return 1 / (1 + a * a);
    case Op::sinh:
      return cosh(a);
    case Op::cosh:
      return sinh(a);
    case Op::tanh:
      return 1 - y * y;
    case Op::asinh:
      return 1 / sqrt(1 + a * a);
    case Op::acosh:
      return 1 / sqrt(a * a - 1);
    case Op::atanh:
      return 1 / (1 - a * a);
    case Op::erf:
      return 2 * std::numbers::inv_sqrtpi * exp(-(a * a));
    case Op::abs:
      return sign(a);
    case Op::capture:
      return threshold(a) * threshold(a);  // for any density
    case Op::threshold:
      return -std::sqrt(std::numbers::pi / 2) * exp(0.5 * y * y);  // 2 Phibar(a_u) = u
    default:
      return 0;  // sign, step
  }
}

Partials partials(const Expr& y) {
  const Expr a = y.first();
  switch (y.op()) {
    case Op::add:
      return {1, 1};
    case Op::subtract:
      return {1, -1};
    case Op::multiply:
      return {y.second(), a};
    case Op::divide:
      return {1 / y.second(), -(y / y.second())};
    case Op::power:
      return of_power(y, a, y.second());
    case Op::minimum:
      return {step(y.second() - a), 1 - step(y.second() - a)};
    case Op::maximum:
      return {step(a - y.second()), 1 - step(a - y.second())};
    default:
      return {of_function(y.op(), y, a), 0};
  }
}

/// Calls visit(node) once per node, operands first, without recursion: formulas may be deep.
template <class Visit>
void for_each_node(const Expr& y, Visit&& visit) {
  std::vector<std::pair<const Expr::Node*, bool>> stack{{y.node(), false}};
  std::unordered_map<const Expr::Node*, bool> done;
  while (!stack.empty()) {
    const auto [node, expanded] = stack.back();
    stack.pop_back();
    if (done[node]) continue;
    if (expanded) {
      done[node] = true;
      visit(node);
      continue;
    }
    stack.push_back({node, true});
    if (node->b) stack.push_back({node->b.get(), false});
    if (node->a) stack.push_back({node->a.get(), false});
  }
}

Expr share(const Expr::Node* node) { return Expr(node->shared_from_this()); }

}  // namespace

// Releases chains of nodes one by one: the default would recurse as deep as the formula.
Expr::Node::~Node() {
  if (!a) return;
  std::vector<NodePtr> stack;
  stack.push_back(std::move(a));
  stack.push_back(std::move(b));
  while (!stack.empty()) {
    NodePtr node = std::move(stack.back());
    stack.pop_back();
    if (!node || node.use_count() > 1) continue;
    stack.push_back(std::move(node->a));
    stack.push_back(std::move(node->b));
  }
}

bool is_binary(Op op) { return op >= Op::add && op <= Op::maximum; }

Expr::Expr(double constant) : Expr(make(Op::constant, constant, -1)) {}

Expr Expr::input(int index) { return make(Op::input, 0, index); }

Expr Expr::apply(Op op, const Expr& a) {
  if (a.is_constant()) return compute(op, a.constant(), 0);
  if (op == Op::negate && a.op() == Op::negate) return a.first();
  return make(op, 0, -1, a.node_);
}

Expr Expr::apply(Op op, const Expr& a, const Expr& b) {
  if (a.is_constant() && b.is_constant()) return compute(op, a.constant(), b.constant());
  if (const Expr* simple = neutral(op, a, b)) return *simple;
  if (op == Op::subtract && a.is_constant(0)) return -b;
  if (op == Op::multiply && a.is_constant(-1)) return -b;
  if (op == Op::multiply && b.is_constant(-1)) return -a;
  if (op == Op::power && b.is_constant(0)) return 1;
  if (op == Op::power && b.is_constant(2)) return a * a;
  if (op == Op::power && b.is_constant(3)) return a * a * a;
  if (op == Op::power && b.is_constant(0.5)) return sqrt(a);
  return make(op, 0, -1, a.node_, b.node_);
}

Op Expr::op() const { return node_->op; }
double Expr::constant() const { return node_->value; }
int Expr::index() const { return node_->index; }
Expr Expr::first() const { return Expr(node_->a); }
Expr Expr::second() const { return Expr(node_->b); }
Expr& Expr::operator+=(const Expr& b) { return *this = *this + b; }
Expr& Expr::operator-=(const Expr& b) { return *this = *this - b; }
Expr& Expr::operator*=(const Expr& b) { return *this = *this * b; }
Expr& Expr::operator/=(const Expr& b) { return *this = *this / b; }

Expr operator+(const Expr& a, const Expr& b) { return Expr::apply(Op::add, a, b); }
Expr operator-(const Expr& a, const Expr& b) { return Expr::apply(Op::subtract, a, b); }
Expr operator*(const Expr& a, const Expr& b) { return Expr::apply(Op::multiply, a, b); }
Expr operator/(const Expr& a, const Expr& b) { return Expr::apply(Op::divide, a, b); }
Expr operator-(const Expr& a) { return Expr::apply(Op::negate, a); }
Expr operator+(const Expr& a) { return a; }
Expr pow(const Expr& a, const Expr& b) { return Expr::apply(Op::power, a, b); }
Expr min(const Expr& a, const Expr& b) { return Expr::apply(Op::minimum, a, b); }
Expr max(const Expr& a, const Expr& b) { return Expr::apply(Op::maximum, a, b); }
Expr sqrt(const Expr& a) { return Expr::apply(Op::sqrt, a); }
Expr exp(const Expr& a) { return Expr::apply(Op::exp, a); }
Expr log(const Expr& a) { return Expr::apply(Op::log, a); }
Expr sin(const Expr& a) { return Expr::apply(Op::sin, a); }
Expr cos(const Expr& a) { return Expr::apply(Op::cos, a); }
Expr tan(const Expr& a) { return Expr::apply(Op::tan, a); }
Expr asin(const Expr& a) { return Expr::apply(Op::asin, a); }
Expr acos(const Expr& a) { return Expr::apply(Op::acos, a); }
Expr atan(const Expr& a) { return Expr::apply(Op::atan, a); }
Expr sinh(const Expr& a) { return Expr::apply(Op::sinh, a); }
Expr cosh(const Expr& a) { return Expr::apply(Op::cosh, a); }
Expr tanh(const Expr& a) { return Expr::apply(Op::tanh, a); }
Expr asinh(const Expr& a) { return Expr::apply(Op::asinh, a); }
Expr acosh(const Expr& a) { return Expr::apply(Op::acosh, a); }
Expr atanh(const Expr& a) { return Expr::apply(Op::atanh, a); }
Expr erf(const Expr& a) { return Expr::apply(Op::erf, a); }
Expr abs(const Expr& a) { return Expr::apply(Op::abs, a); }
Expr sign(const Expr& a) { return Expr::apply(Op::sign, a); }
Expr step(const Expr& a) { return Expr::apply(Op::step, a); }
Expr capture(const Expr& u) { return Expr::apply(Op::capture, u); }
Expr threshold(const Expr& u) { return Expr::apply(Op::threshold, u); }

Expr differentiate(const Expr& y, int input) {
  std::unordered_map<const Expr::Node*, Expr> derivative;
  for_each_node(y, [&](const Expr::Node* node) {
    if (!node->a) {
      derivative.emplace(node, node->op == Op::input && node->index == input ? 1.0 : 0.0);
      return;
    }
    const Expr& da = derivative.at(node->a.get());
    const Expr db = node->b ? derivative.at(node->b.get()) : Expr(0);
    if (da.is_constant(0) && db.is_constant(0)) {
      derivative.emplace(node, 0);
      return;
    }
    const Partials by = partials(share(node));
    derivative.emplace(node, by.a * da + by.b * db);
  });
  return derivative.at(y.node());
}

std::vector<Expr> gradient(const Expr& y, std::span<const int> inputs) {
  std::vector<const Expr::Node*> order;
  for_each_node(y, [&](const Expr::Node* node) { order.push_back(node); });
  std::unordered_map<const Expr::Node*, Expr> adjoint;
  std::map<int, Expr> by_input;
  adjoint[y.node()] = 1;
  for (auto at = order.rbegin(); at != order.rend(); ++at) {
    const auto found = adjoint.find(*at);
    if (found == adjoint.end() || found->second.is_constant(0)) continue;
    const Expr bar = found->second;
    if ((*at)->op == Op::input) by_input[(*at)->index] += bar;
    if (!(*at)->a) continue;
    const Partials by = partials(share(*at));
    adjoint[(*at)->a.get()] += bar * by.a;
    if ((*at)->b) adjoint[(*at)->b.get()] += bar * by.b;
  }
  std::vector<Expr> result;
  for (const int input : inputs) result.push_back(by_input.count(input) != 0 ? by_input[input] : Expr(0));
  return result;
}

bool depends_on(const Expr& y, int input) {
  bool found = false;
  for_each_node(y, [&](const Expr::Node* node) { found |= node->op == Op::input && node->index == input; });
  return found;
}

Expr substitute(const Expr& y, const std::map<int, Expr>& replacements) {
  std::unordered_map<const Expr::Node*, Expr> now;
  for_each_node(y, [&](const Expr::Node* node) {
    if (node->op == Op::input) {
      const auto found = replacements.find(node->index);
      now.emplace(node, found == replacements.end() ? share(node) : found->second);
    } else if (!node->a) {
      now.emplace(node, share(node));
    } else if (node->b) {
      now.emplace(node, Expr::apply(node->op, now.at(node->a.get()), now.at(node->b.get())));
    } else {
      now.emplace(node, Expr::apply(node->op, now.at(node->a.get())));
    }
  });
  return now.at(y.node());
}

}  // namespace eos::theory
