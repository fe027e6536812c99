// Compiling formulas to register code and running it over many points.
#include <array>
#include <bit>
#include <cstring>
#include <unordered_map>

#include "expression_node.hpp"

namespace eos::theory {

namespace {

constexpr std::size_t k_block = 32;  // points per pass: registers of a pass stay in the first-level cache

struct Key {
  Op op;
  int a, b;
  std::uint64_t bits;
  bool operator==(const Key&) const = default;
};
struct KeyHash {
  std::size_t operator()(const Key& k) const {
    std::uint64_t h = k.bits * 0x9e3779b97f4a7c15u + static_cast<std::uint64_t>(k.op);
    h = (h ^ static_cast<std::uint64_t>(k.a + 1)) * 0xbf58476d1ce4e5b9u;
    h = (h ^ static_cast<std::uint64_t>(k.b + 1)) * 0x94d049bb133111ebu;
    return h ^ (h >> 29);
  }
};

/// Formulas as a list without repetitions, operands before their users.
struct Flat {
  std::vector<Key> nodes;
  std::vector<int> roots;
};

class Flattener {
 public:
  Flat run(std::span<const Expr> outputs) {
    for (const Expr& y : outputs) flat_.roots.push_back(visit(y.node()));
    return std::move(flat_);
  }

 private:
  int visit(const Expr::Node* root) {
    std::vector<const Expr::Node*> stack{root};
    while (!stack.empty()) {
      const Expr::Node* node = stack.back();
      if (number_.count(node) != 0) {
        stack.pop_back();
      } else if (node->a && number_.count(node->a.get()) == 0) {
        stack.push_back(node->a.get());
      } else if (node->b && number_.count(node->b.get()) == 0) {
        stack.push_back(node->b.get());
      } else {
        stack.pop_back();
        number_[node] = intern(node);
      }
    }
    return number_.at(root);
  }
  int intern(const Expr::Node* node) {
    Key key{node->op, node->a ? number_.at(node->a.get()) : -1, node->b ? number_.at(node->b.get()) : -1, 0};
    if (node->op == Op::constant) key.bits = std::bit_cast<std::uint64_t>(node->value);
    if (node->op == Op::input) key.bits = static_cast<std::uint64_t>(node->index);
    if ((key.op == Op::add || key.op == Op::multiply) && key.a > key.b) std::swap(key.a, key.b);
    const auto [at, fresh] = known_.try_emplace(key, static_cast<int>(flat_.nodes.size()));
    if (fresh) flat_.nodes.push_back(key);
    return at->second;
  }
  std::unordered_map<const Expr::Node*, int> number_;
  std::unordered_map<Key, int, KeyHash> known_;
  Flat flat_;
};

/// The last instruction that reads each node; nodes.size() for outputs.
std::vector<std::size_t> last_uses(const Flat& flat) {
  std::vector<std::size_t> last(flat.nodes.size(), 0);
  for (std::size_t i = 0; i < flat.nodes.size(); ++i) {
    if (flat.nodes[i].a >= 0) last[flat.nodes[i].a] = i;
    if (flat.nodes[i].b >= 0) last[flat.nodes[i].b] = i;
  }
  for (const int root : flat.roots) last[root] = flat.nodes.size();
  return last;
}

/// One operation over a block of points. Separate loops, so that the compiler can use vector instructions.
void run(Op op, double* __restrict y, const double* a, const double* b, std::size_t n) {
  switch (op) {
    case Op::add:
      for (std::size_t i = 0; i < n; ++i) y[i] = a[i] + b[i];
      return;
    case Op::subtract:
      for (std::size_t i = 0; i < n; ++i) y[i] = a[i] - b[i];
      return;
    case Op::multiply:
      for (std::size_t i = 0; i < n; ++i) y[i] = a[i] * b[i];
      return;
    case Op::divide:
      for (std::size_t i = 0; i < n; ++i) y[i] = a[i] / b[i];
      return;
    case Op::negate:
      for (std::size_t i = 0; i < n; ++i) y[i] = -a[i];
      return;
    default:
      for (std::size_t i = 0; i < n; ++i) y[i] = compute(op, a[i], b[i]);
  }
}

std::vector<double>& scratch(std::size_t size) {
  thread_local std::vector<double> memory;
  if (memory.size() < size) memory.resize(size);
  return memory;
}

}  // namespace

Program::Program(std::span<const Expr> outputs, int inputs) : inputs_(inputs) {
  const Flat flat = Flattener().run(outputs);
  const std::vector<std::size_t> last = last_uses(flat);
  std::vector<int> place(flat.nodes.size(), -1), free;
  for (std::size_t i = 0; i < flat.nodes.size(); ++i)
    if (flat.nodes[i].op == Op::constant) {
      place[i] = inputs + static_cast<int>(constants_.size());
      constants_.push_back(std::bit_cast<double>(flat.nodes[i].bits));
    }
  registers_ = inputs + static_cast<int>(constants_.size());
  for (std::size_t i = 0; i < flat.nodes.size(); ++i) {
    const Key& node = flat.nodes[i];
    if (node.op == Op::constant) continue;
    if (node.op == Op::input) {
      place[i] = static_cast<int>(node.bits);
      continue;
    }
    const int fresh = free.empty() ? registers_++ : free.back();
    if (!free.empty()) free.pop_back();
    place[i] = fresh;
    code_.push_back({node.op, fresh, place[node.a], place[node.b >= 0 ? node.b : node.a]});
    // A register is given back after its last reader; the target never aliases an operand.
    for (const int operand : {node.a, node.b == node.a ? -1 : node.b})
      if (operand >= 0 && last[operand] == i && flat.nodes[operand].op != Op::constant &&
          flat.nodes[operand].op != Op::input)
        free.push_back(place[operand]);
  }
  for (const int root : flat.roots) output_.push_back(place[root]);
}

bool Program::is_constant(int output, double* value) const {
  const int place = output_[output];
  const bool constant = place >= inputs_ && place < inputs_ + static_cast<int>(constants_.size());
  if (constant && value != nullptr) *value = constants_[place - inputs_];
  return constant;
}

void Program::run_point(const double* in, double* out, double* r) const {
  std::memcpy(r, in, sizeof(double) * inputs_);
  std::memcpy(r + inputs_, constants_.data(), sizeof(double) * constants_.size());
  for (const Instruction& c : code_) {
    switch (c.op) {
      case Op::add:
        r[c.target] = r[c.a] + r[c.b];
        break;
      case Op::subtract:
        r[c.target] = r[c.a] - r[c.b];
        break;
      case Op::multiply:
        r[c.target] = r[c.a] * r[c.b];
        break;
      case Op::divide:
        r[c.target] = r[c.a] / r[c.b];
        break;
      case Op::negate:
        r[c.target] = -r[c.a];
        break;
      default:
        r[c.target] = compute(c.op, r[c.a], r[c.b]);
    }
  }
  for (std::size_t o = 0; o < output_.size(); ++o) out[o] = r[output_[o]];
}

void Program::run_block(const double* in, double* out, std::size_t lanes, std::size_t stride, double* r) const {
  const std::size_t constants = constants_.size();
  for (int i = 0; i < inputs_; ++i) std::memcpy(r + i * k_block, in + i * stride, sizeof(double) * lanes);
  for (std::size_t i = 0; i < constants; ++i) std::fill_n(r + (inputs_ + i) * k_block, lanes, constants_[i]);
  for (const Instruction& c : code_) run(c.op, r + c.target * k_block, r + c.a * k_block, r + c.b * k_block, lanes);
  for (std::size_t o = 0; o < output_.size(); ++o)
    std::memcpy(out + o * stride, r + output_[o] * k_block, sizeof(double) * lanes);
}

void Program::evaluate(const double* in, double* out, std::size_t lanes, std::size_t stride) const {
  if (lanes == 1 && stride == 1) return run_point(in, out, scratch(static_cast<std::size_t>(registers_) + 1).data());
  double* registers = scratch((static_cast<std::size_t>(registers_) + 1) * k_block).data();
  for (std::size_t begin = 0; begin < lanes; begin += k_block)
    run_block(in + begin, out + begin, std::min(k_block, lanes - begin), stride, registers);
}

}  // namespace eos::theory
