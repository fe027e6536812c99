// Formulas from text and back.
#include <fmt/format.h>

#include <cctype>
#include <cstdlib>
#include <numbers>

#include "eos/core/error.hpp"
#include "expression_node.hpp"

namespace eos::theory {

namespace {

constexpr int k_deepest = 200;                // nested brackets, signs and powers
constexpr std::size_t k_longest = 1'000'000;  // characters

struct Function {
  const char* name;
  Op op;
};
constexpr Function k_functions[] = {
    {"pow", Op::power},   {"min", Op::minimum}, {"max", Op::maximum},     {"sqrt", Op::sqrt},
    {"exp", Op::exp},     {"log", Op::log},     {"sin", Op::sin},         {"cos", Op::cos},
    {"tan", Op::tan},     {"asin", Op::asin},   {"acos", Op::acos},       {"atan", Op::atan},
    {"sinh", Op::sinh},   {"cosh", Op::cosh},   {"tanh", Op::tanh},       {"asinh", Op::asinh},
    {"acosh", Op::acosh}, {"atanh", Op::atanh}, {"erf", Op::erf},         {"abs", Op::abs},
    {"sign", Op::sign},   {"step", Op::step},   {"capture", Op::capture}, {"threshold", Op::threshold}};

const Function* find_function(std::string_view name) {
  for (const Function& f : k_functions)
    if (name == f.name) return &f;
  return nullptr;
}

const char* name_of(Op op) {
  for (const Function& f : k_functions)
    if (f.op == op) return f.name;
  return "?";
}

/// Thrown inside the parser at the first syntax error; never leaves this file.
struct Stop {};

/// sum := term (('+'|'-') term)*;  term := sign (('*'|'/') sign)*;  sign := ('+'|'-') sign | power;
/// power := atom (('^'|'**') sign)?;  atom := number | name | name '(' sum (',' sum)* ')' | '(' sum ')'
class Parser {
 public:
  Parser(std::string_view text, const SymbolTable& symbols, std::vector<ExpressionProblem>& problems)
      : text_(text), symbols_(symbols), problems_(problems) {}

  Expr run() {
    const std::size_t before = problems_.size();
    try {
      if (text_.size() > k_longest)
        fail(0, 1, fmt::format("the formula is longer than {} characters", k_longest), "use named definitions");
      const Expr y = sum();
      if (!at_end()) fail_here("an operator (+ - * / ^) or the end of the formula");
      return problems_.size() == before ? y : Expr(0);
    } catch (const Stop&) {
      return 0;
    }
  }

 private:
  [[noreturn]] void fail(std::size_t position, std::size_t length, std::string message, std::string help = {}) {
    problems_.push_back({position, length, std::move(message), std::move(help)});
    throw Stop{};
  }
  [[noreturn]] void fail_here(const std::string& expected) {
    skip();
    if (at_end()) fail(text_.size(), 1, fmt::format("the formula ends where {} is expected", expected));
    std::size_t length = 1;  // a whole UTF-8 character
    while (at_ + length < text_.size() && (static_cast<unsigned char>(text_[at_ + length]) & 0xC0u) == 0x80u) ++length;
    fail(at_, length, fmt::format("'{}' where {} is expected", text_.substr(at_, length), expected),
         text_[at_] == '=' ? "a formula is one value; conditions are written with step(), min() and max()" : "");
  }
  void skip() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }
  bool at_end() {
    skip();
    return at_ >= text_.size();
  }
  bool accept(char c) {
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  /// Counts nesting while it lives.
  struct Depth {
    Depth(Parser& p) : parser(p) {
      if (++parser.depth_ > k_deepest)
        parser.fail(parser.at_, 1, fmt::format("more than {} nested brackets, signs or powers", k_deepest),
                    "use named definitions");
    }
    ~Depth() { --parser.depth_; }
    Parser& parser;
  };

  Expr sum() {
    Depth depth(*this);
    Expr y = term();
    for (;;) {
      if (accept('+'))
        y += term();
      else if (accept('-'))
        y -= term();
      else
        return y;
    }
  }
  Expr term() {
    Expr y = signed_power();
    for (;;) {
      if (accept('*'))
        y *= signed_power();
      else if (accept('/'))
        y /= signed_power();
      else
        return y;
    }
  }
  Expr signed_power() {
    Depth depth(*this);
    if (accept('-')) return -signed_power();
    if (accept('+')) return signed_power();
    const Expr base = atom();
    if (accept_power()) return pow(base, signed_power());
    return base;
  }
  bool accept_power() {
    if (accept('^')) return true;
    if (at_end() || text_.substr(at_, 2) != "**") return false;
    at_ += 2;
    return true;
  }
  Expr atom() {
    skip();
    if (accept('(')) {
      const Expr y = sum();
      if (!accept(')')) fail_here("')'");
      return y;
    }
    if (at_end()) fail_here("a number, a name or '('");
    const char c = text_[at_];
    if (std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '.') return number();
    if (std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_') return named();
    fail_here("a number, a name or '('");
  }
  Expr number() {
    const std::string rest(text_.substr(at_, 64));
    char* end = nullptr;
    const bool hexadecimal = rest.size() > 1 && rest[0] == '0' && (rest[1] == 'x' || rest[1] == 'X');
    const double value = hexadecimal ? 0 : std::strtod(rest.c_str(), &end);
    if (hexadecimal || end == rest.c_str()) fail_here("a number");
    if (!std::isfinite(value)) fail(at_, static_cast<std::size_t>(end - rest.c_str()), "the number is not finite");
    at_ += static_cast<std::size_t>(end - rest.c_str());
    return value;
  }
  std::string_view word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '_' ||
                                  (text_[at_] == '.' && at_ > begin)))
      ++at_;
    return text_.substr(begin, at_ - begin);
  }
  Expr named() {
    const std::size_t begin = at_;
    const std::string_view name = word();
    skip();
    const bool call = at_ < text_.size() && text_[at_] == '(';
    if (const auto found = symbols_.names.find(name); found != symbols_.names.end()) {
      if (call) fail(begin, name.size(), fmt::format("'{}' is a value, not a function", name), "write * to multiply");
      return found->second;
    }
    if (call) return function(begin, name);
    if (name == "pi") return std::numbers::pi;
    std::vector<std::string> candidates{"pi"};
    for (const auto& [known, ignored] : symbols_.names) candidates.push_back(known);
    const bool is_function = find_function(name) != nullptr;
    problems_.push_back({begin, name.size(),
                         is_function ? fmt::format("'{}' is a function and needs its argument", name)
                                     : fmt::format("'{}' is not defined", name),
                         is_function ? fmt::format("write {}(...)", name) : core::suggest(name, candidates)});
    return 1;
  }
  Expr function(std::size_t begin, std::string_view name) {
    if (const auto found = symbols_.of_name.find(name); found != symbols_.of_name.end())
      return function_of_name(name, found->second);
    const Function* f = find_function(name);
    if (f == nullptr)
      fail(begin, name.size(), fmt::format("'{}' is not a function", name), core::suggest(name, names()));
    accept('(');
    std::vector<Expr> arguments{sum()};
    while (accept(',')) arguments.push_back(sum());
    if (!accept(')')) fail_here("',' or ')'");
    const std::size_t wanted = is_binary(f->op) ? 2 : 1;
    if (arguments.size() != wanted)
      fail(begin, name.size(),
           fmt::format("'{}' takes {} argument{}, got {}", name, wanted, wanted == 1 ? "" : "s", arguments.size()));
    return wanted == 2 ? Expr::apply(f->op, arguments[0], arguments[1]) : Expr::apply(f->op, arguments[0]);
  }
  Expr function_of_name(std::string_view function, const std::map<std::string, Expr, std::less<>>& names) {
    accept('(');
    skip();
    const std::size_t begin = at_;
    const std::string_view name = word();
    const auto found = names.find(name);
    if (found == names.end()) {
      std::vector<std::string> candidates;
      for (const auto& [known, ignored] : names) candidates.push_back(known);
      fail(begin, std::max<std::size_t>(1, name.size()), fmt::format("'{}' of {}() is not a state", name, function),
           core::suggest(name, candidates));
    }
    if (!accept(')')) fail_here("')'");
    return found->second;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> all = function_names();
    for (const auto& [name, ignored] : symbols_.of_name) all.push_back(name);
    return all;
  }

  std::string_view text_;
  const SymbolTable& symbols_;
  std::vector<ExpressionProblem>& problems_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

int precedence(Op op) {
  switch (op) {
    case Op::add:
    case Op::subtract:
      return 1;
    case Op::multiply:
    case Op::divide:
      return 2;
    case Op::negate:
      return 3;
    case Op::power:
      return 4;
    default:
      return 5;
  }
}

/// A constant that reads back: what is not finite is written as the quotient that gives it.
std::string text_of(double x) {
  if (std::isnan(x)) return "(0/0)";
  if (std::isinf(x)) return x > 0 ? "(1/0)" : "(-1/0)";
  return fmt::format("{}", x);
}

/// Writes a formula from left to right without recursion: formulas may be deep.
class Printer {
 public:
  Printer(const std::vector<std::string>& names) : names_(names) {}

  std::string run(const Expr::Node* root) {
    todo_.push_back({root, 0, {}});
    while (!todo_.empty()) {
      const Piece piece = std::move(todo_.back());
      todo_.pop_back();
      if (piece.node == nullptr)
        text_ += piece.literal;
      else
        print(*piece.node, piece.least);
    }
    return std::move(text_);
  }

 private:
  struct Piece {
    const Expr::Node* node;  ///< null: the literal
    int least;               ///< in brackets when the formula binds less
    std::string literal;
  };

  void print(const Expr::Node& y, int least) {
    if (y.op == Op::constant) {
      text_ += y.value < 0 && least > 1 && std::isfinite(y.value) ? fmt::format("({})", y.value) : text_of(y.value);
      return;
    }
    if (y.op == Op::input) {
      const auto i = static_cast<std::size_t>(y.index);
      text_ += i < names_.size() && !names_[i].empty() ? names_[i] : fmt::format("x{}", i);
      return;
    }
    // Squares and cubes are products that share their factor; written as products they would double at each level.
    const bool square = y.op == Op::multiply && same(y.a.get(), y.b.get());
    const bool cube = y.op == Op::multiply && y.a->op == Op::multiply && same(y.a->a.get(), y.b.get()) &&
                      same(y.a->b.get(), y.b.get());
    const int own = square || cube ? precedence(Op::power) : precedence(y.op);
    const bool brackets = own < least;
    if (brackets) text_ += '(';
    if (brackets) later(")");
    if (square || cube) {
      later(square ? "^2" : "^3");
      later(y.b.get(), 5);
    } else if (own == 5) {
      later(")");
      if (y.b) later(y.b.get(), 0), later(", ");
      later(y.a.get(), 0);
      later(fmt::format("{}(", name_of(y.op)));
    } else if (y.op == Op::negate) {
      later(y.a.get(), 3);
      later("-");
    } else {
      infix(y);
    }
  }
  static bool same(const Expr::Node* a, const Expr::Node* b) {
    return a == b || (a->op == Op::input && b->op == Op::input && a->index == b->index);
  }
  void infix(const Expr::Node& y) {
    const bool power = y.op == Op::power;
    const int own = precedence(y.op);
    later(y.b.get(), power ? own : own + 1);
    later(y.op == Op::add ? " + " : y.op == Op::subtract ? " - " : y.op == Op::multiply ? "*" : power ? "^" : "/");
    later(y.a.get(), power ? own + 1 : own);
  }
  /// What is pushed last is written first.
  void later(const Expr::Node* node, int least) { todo_.push_back({node, least, {}}); }
  void later(std::string literal) { todo_.push_back({nullptr, 0, std::move(literal)}); }

  const std::vector<std::string>& names_;
  std::vector<Piece> todo_;
  std::string text_;
};

}  // namespace

const std::vector<std::string>& function_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Function& f : k_functions) all.emplace_back(f.name);
    return all;
  }();
  return names;
}

bool is_symbol(std::string_view name) {
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0])) != 0) return false;
  for (const char c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_') return false;
  return name != "pi" && find_function(name) == nullptr;
}

Expr parse_expression(std::string_view text, const SymbolTable& symbols, std::vector<ExpressionProblem>& problems) {
  return Parser(text, symbols, problems).run();
}

std::string to_string(const Expr& y, const std::vector<std::string>& names) { return Printer(names).run(y.node()); }

}  // namespace eos::theory
