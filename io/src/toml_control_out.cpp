// From a control problem to the texts of its TOML file.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <unordered_map>

#include "toml_control.hpp"
#include "toml_writer.hpp"

namespace eos::io {

using theory::ControlProblem;
using theory::Expr;
using theory::Interval;
using theory::Op;

namespace {

Formula number(double x) { return {{}, x, -1}; }
Formula finite(double x) { return std::isfinite(x) ? number(x) : Formula{}; }
Formula text(std::string formula) { return {std::move(formula), std::nullopt, -1}; }

IntervalText interval(const Interval& i) {
  if (i.fixed()) return {number(i.lower), {}, {}};
  return {{}, finite(i.lower), finite(i.upper)};
}

/// Operands first, each node once, without recursion.
std::vector<Expr> nodes_of(const std::vector<Expr>& formulas) {
  std::vector<Expr> order;
  std::set<const Expr::Node*> done;
  std::vector<std::pair<Expr, bool>> stack;
  for (auto y = formulas.rbegin(); y != formulas.rend(); ++y) stack.emplace_back(*y, false);
  while (!stack.empty()) {
    const auto [y, expanded] = stack.back();
    stack.pop_back();
    if (done.count(y.node()) != 0) continue;
    if (expanded || y.op() == Op::constant || y.op() == Op::input) {
      done.insert(y.node());
      order.push_back(y);
      continue;
    }
    stack.emplace_back(y, true);
    if (y.second().node() != nullptr) stack.emplace_back(y.second(), false);
    stack.emplace_back(y.first(), false);
  }
  return order;
}

bool has_second(const Expr& y) { return y.second().node() != nullptr; }

/// Formulas as text; parts that they share become definitions when writing them out would be long.
class FormulaWriter {
 public:
  explicit FormulaWriter(const ControlProblem& p) {
    path_.resize(static_cast<std::size_t>(p.path_slots()));
    ends_.resize(static_cast<std::size_t>(p.end_slots()));
    at(path_, p.time_slot()) = p.time_name, at(ends_, p.horizon_slot()) = "horizon";
    for (std::size_t i = 0; i < p.states.size(); ++i) {
      const auto n = static_cast<int>(i);
      at(path_, p.state_slot(n)) = at(ends_, p.final_slot(n)) = p.states[i].name;
      at(ends_, p.initial_slot(n)) = fmt::format("initial({})", p.states[i].name);
    }
    for (std::size_t j = 0; j < p.controls.size(); ++j)
      at(path_, p.control_slot(static_cast<int>(j))) = p.controls[j].name;
    for (std::size_t k = 0; k < p.parameters.size(); ++k) {
      const auto n = static_cast<int>(k);
      at(path_, p.parameter_slot(n)) = at(ends_, p.end_parameter_slot(n)) = p.parameters[k].name;
    }
    if (std::find(path_.begin(), path_.end(), "T") == path_.end()) at(ends_, p.horizon_slot()) = "T";
    share(p);
  }

  Formula path(const Expr& y) const {
    const auto found = rewritten_.find(y.node());
    return written(found == rewritten_.end() ? y : found->second, path_);
  }
  Formula end(const Expr& y) const {
    if (length(nodes_of({y})).at(y.node()) > k_longest_end)
      throw core::Error("E104", "a formula at the ends is too long to be written as text");
    return written(y, ends_);
  }
  const std::vector<DefinitionText>& definitions() const { return definitions_; }

 private:
  static constexpr double k_short = 400;  ///< operations in all formulas together, written out
  static constexpr double k_part = 6;     ///< operations that are worth a definition
  static constexpr double k_longest_end = 1e5;

  static std::string& at(std::vector<std::string>& names, int slot) { return names[static_cast<std::size_t>(slot)]; }
  static Formula written(const Expr& y, const std::vector<std::string>& names) {
    if (y.is_constant() && std::isfinite(y.constant())) return number(y.constant());
    return text(theory::to_string(y, names));
  }
  /// Operations of each node when written out.
  static std::unordered_map<const Expr::Node*, double> length(const std::vector<Expr>& nodes) {
    std::unordered_map<const Expr::Node*, double> size;
    for (const Expr& y : nodes) {
      const bool leaf = y.op() == Op::constant || y.op() == Op::input;
      size[y.node()] = leaf ? 0 : 1 + size.at(y.first().node()) + (has_second(y) ? size.at(y.second().node()) : 0);
    }
    return size;
  }

  void share(const ControlProblem& p) {
    std::vector<Expr> formulas;
    for (const theory::StateVariable& s : p.states) formulas.push_back(s.dynamics);
    for (const theory::CostTerm& c : p.costs) formulas.push_back(c.running);
    for (const theory::Constraint& c : p.path) formulas.push_back(c.expression);
    const std::vector<Expr> nodes = nodes_of(formulas);
    const auto full = length(nodes);
    double total = 0;
    std::unordered_map<const Expr::Node*, int> uses;
    for (const Expr& y : formulas) total += full.at(y.node()), ++uses[y.node()];
    if (total <= k_short) return;
    for (const Expr& y : nodes) {
      if (y.op() == Op::constant || y.op() == Op::input) continue;
      ++uses[y.first().node()];
      if (has_second(y) && y.second().node() != y.first().node()) ++uses[y.second().node()];
    }
    std::set<std::string> taken(path_.begin(), path_.end());
    std::unordered_map<const Expr::Node*, double> size;
    int next = 1;
    for (const Expr& y : nodes) {
      const bool leaf = y.op() == Op::constant || y.op() == Op::input;
      double own = leaf ? 0 : 1;
      Expr now = y;
      if (!leaf) {
        own += size[y.first().node()] + (has_second(y) ? size[y.second().node()] : 0);
        const Expr& a = rewritten_.at(y.first().node());
        now = has_second(y) ? Expr::apply(y.op(), a, rewritten_.at(y.second().node())) : Expr::apply(y.op(), a);
      }
      if (own >= k_part && uses[y.node()] > 1) {
        std::string name;
        do name = fmt::format("part{}", next++);
        while (taken.count(name) != 0);
        DefinitionText part;
        part.name = name, part.formula = written(now, path_);
        definitions_.push_back(std::move(part));
        now = Expr::input(static_cast<int>(path_.size())), own = 0;
        path_.push_back(name);
      }
      rewritten_.emplace(y.node(), now);
      size[y.node()] = own;
    }
  }

  std::vector<std::string> path_, ends_;
  std::vector<DefinitionText> definitions_;
  std::unordered_map<const Expr::Node*, Expr> rewritten_;
};

void describe_variables(const ControlProblem& p, const FormulaWriter& write, ControlText& t) {
  for (const theory::StateVariable& s : p.states) {
    StateText to;
    to.name = s.name, to.unit = s.unit, to.meaning = s.meaning;
    to.dynamics = write.path(s.dynamics);
    to.initial = interval(s.initial), to.final = interval(s.final);
    to.bounds = {{}, finite(s.bounds.lower), finite(s.bounds.upper)};
    if (s.guess.has_value()) to.guess = number(*s.guess);
    t.states.push_back(std::move(to));
  }
  for (const theory::ControlVariable& c : p.controls) {
    ControlVariableText to;
    to.name = c.name, to.unit = c.unit, to.meaning = c.meaning;
    to.lower = finite(c.bounds.lower), to.upper = finite(c.bounds.upper);
    if (c.guess.has_value()) to.guess = number(*c.guess);
    t.controls.push_back(std::move(to));
  }
}

void describe_costs(const ControlProblem& p, const FormulaWriter& write, ControlText& t) {
  for (const theory::CostTerm& c : p.costs) {
    const theory::Parameter& weight = p.parameters.at(static_cast<std::size_t>(c.weight));
    CostText to;
    to.name = c.name, to.unit = c.unit;
    if (!c.running.is_constant(0) || c.terminal.is_constant(0)) to.running = write.path(c.running);
    if (!c.terminal.is_constant(0)) to.terminal = write.end(c.terminal);
    to.weight = weight.name == "weight." + c.name ? number(weight.value) : text(weight.name);
    t.costs.push_back(std::move(to));
  }
}

ConstraintText constraint(const theory::Constraint& c, Formula expression) {
  ConstraintText to;
  to.name = c.name, to.expression = std::move(expression);
  const IntervalText i = interval(c.bounds);
  to.equals = i.point, to.lower = i.lower, to.upper = i.upper;
  if (c.bounds.free()) to.upper = number(theory::k_infinity);
  return to;
}

}  // namespace

ControlText text_of(const ControlProblem& p) {
  const FormulaWriter write(p);
  ControlText t;
  t.title = p.title, t.source = p.source, t.time = p.time_name, t.time_unit = p.time_unit, t.maximise = p.maximise;
  if (p.horizon.free) {
    t.horizon_guess = number(p.horizon.value);
    t.horizon_lower = number(p.horizon.bounds.lower), t.horizon_upper = number(p.horizon.bounds.upper);
  } else {
    t.horizon = number(p.horizon.value);
  }
  for (const theory::Parameter& k : p.parameters) {
    bool is_weight = false;
    for (const theory::CostTerm& c : p.costs) is_weight = is_weight || k.name == "weight." + c.name;
    if (is_weight) continue;
    ParameterText to;
    to.name = k.name, to.value = number(k.value), to.unit = k.unit, to.meaning = k.meaning;
    t.parameters.push_back(std::move(to));
  }
  t.definitions = write.definitions();
  describe_variables(p, write, t);
  describe_costs(p, write, t);
  for (const theory::Constraint& c : p.path) t.path.push_back(constraint(c, write.path(c.expression)));
  for (const theory::Constraint& c : p.ends) t.ends.push_back(constraint(c, write.end(c.expression)));
  return t;
}

std::string to_toml(const ControlProblem& problem) {
  TomlWriter writer;
  ControlText text = text_of(problem);
  bind(writer, text);
  return "# Control problem: effective configuration, defaults included. Solve it with `eos plan FILE`.\n" +
         writer.str();
}

}  // namespace eos::io
