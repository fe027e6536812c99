// From the texts of a control problem to its formulas, with every problem placed at its character.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "toml_control.hpp"

namespace eos::io {

using theory::ControlProblem;
using theory::Expr;
using theory::Interval;
using theory::k_infinity;
using theory::SymbolTable;

namespace {

/// The names that a formula uses: whatever looks like one and is not part of a number.
std::vector<std::string> names_in(std::string_view text) {
  const auto letter = [](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; };
  const auto digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '.'; };
  std::vector<std::string> names;
  std::size_t i = 0;
  while (i < text.size()) {
    const std::size_t begin = i;
    if (letter(text[i])) {
      while (i < text.size() && (letter(text[i]) || digit(text[i]))) ++i;
      names.emplace_back(text.substr(begin, i - begin));
    } else if (digit(text[i])) {
      while (i < text.size() && digit(text[i])) ++i;
      const bool exponent = i < text.size() && (text[i] == 'e' || text[i] == 'E');
      const std::size_t sign = exponent && i + 1 < text.size() && (text[i + 1] == '+' || text[i + 1] == '-') ? 1 : 0;
      if (exponent && i + 1 + sign < text.size() && std::isdigit(static_cast<unsigned char>(text[i + 1 + sign])) != 0)
        i += 2 + sign;
    } else {
      ++i;
    }
  }
  return names;
}

/// An order in which each named text comes after those it uses. `cycle`: names around a circle, if there is one; then
/// the order lacks what depends on it.
std::vector<std::size_t> dependency_order(const std::vector<std::pair<std::string, std::string>>& texts,
                                          std::vector<std::string>& cycle) {
  std::map<std::string, std::size_t> index;
  for (std::size_t i = 0; i < texts.size(); ++i) index.emplace(texts[i].first, i);
  std::vector<std::set<std::size_t>> uses(texts.size()), used_by(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i)
    for (const std::string& name : names_in(texts[i].second))
      if (const auto found = index.find(name); found != index.end())
        uses[i].insert(found->second), used_by[found->second].insert(i);
  std::vector<std::size_t> order, missing(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    missing[i] = uses[i].size();
    if (missing[i] == 0) order.push_back(i);
  }
  for (std::size_t k = 0; k < order.size(); ++k)
    for (const std::size_t user : used_by[order[k]])
      if (--missing[user] == 0) order.push_back(user);
  if (order.size() == texts.size()) return order;
  std::size_t at = 0;
  while (missing[at] == 0) ++at;
  std::vector<std::size_t> walk;
  while (std::find(walk.begin(), walk.end(), at) == walk.end()) {
    walk.push_back(at);
    at = *std::find_if(uses[at].begin(), uses[at].end(), [&](std::size_t u) { return missing[u] > 0; });
  }
  for (auto w = std::find(walk.begin(), walk.end(), at); w != walk.end(); ++w) cycle.push_back(texts[*w].first);
  return order;
}

class Compiler {
 public:
  Compiler(Reading& reading, const ControlText& text) : reading_(reading), text_(text) {}

  ControlProblem run() {
    declare_names();
    declare_slots();
    read_parameters();
    declare_symbols();
    read_definitions();
    p_.title = text_.title, p_.source = text_.source, p_.maximise = text_.maximise;
    p_.time_name = text_.time, p_.time_unit = text_.time_unit;
    read_horizon();
    for (std::size_t i = 0; i < text_.states.size(); ++i) read_state(text_.states[i], p_.states[i]);
    for (std::size_t j = 0; j < text_.controls.size(); ++j) read_control(text_.controls[j], p_.controls[j]);
    for (std::size_t k = 0; k < text_.costs.size(); ++k) read_cost(text_.costs[k], p_.costs[k]);
    for (const ConstraintText& c : text_.path) p_.path.push_back(constraint(c, "path", path_));
    for (const ConstraintText& c : text_.ends) p_.ends.push_back(constraint(c, "ends", ends_));
    return std::move(p_);
  }

 private:
  // Names.

  void declare_names() {
    names_["pi"] = "the constant";
    names_["horizon"] = "the end of time";
    names_["initial"] = names_["final"] = "a value at the ends";
    for (const std::string& name : theory::function_names()) names_[name] = "a function";
    declare({text_.time, -1}, "control_problem.time", "the time", false);
    for (const NamedText& k : text_.parameters) declare(k, "parameters." + k.name, "a parameter", true);
    for (const NamedText& s : text_.states) declare(s, "states." + s.name, "a state", false);
    for (const NamedText& c : text_.controls) declare(c, "controls." + c.name, "a control", false);
    for (const NamedText& d : text_.definitions) declare(d, "definitions." + d.name, "a definition", false);
  }

  void declare(const NamedText& named, const std::string& key, const char* what, bool parts) {
    const auto clash = names_.find(named.name);
    if (clash != names_.end()) {
      reading_.report(reading_.place(named.place), "E107",
                      fmt::format("{}: '{}' is already the name of {}", key, named.name, clash->second),
                      "choose another name");
      return;
    }
    bool good = !named.name.empty() && named.name.back() != '.';
    for (std::size_t begin = 0; begin < named.name.size();) {
      const std::size_t end = parts ? std::min(named.name.find('.', begin), named.name.size()) : named.name.size();
      good = good && theory::is_symbol(named.name.substr(begin, end - begin));
      begin = end + 1;
    }
    if (!good)
      reading_.report(reading_.place(named.place), "E109", fmt::format("{}: formulas cannot use this name", key),
                      "start with a letter and go on with letters, digits and _");
    names_[named.name] = what;
  }

  void declare_slots() {
    for (const StateText& s : text_.states) p_.add_state(s.name, {});
    for (const ControlVariableText& c : text_.controls) p_.add_control(c.name, {});
    for (const ParameterText& k : text_.parameters) {
      p_.add_parameter(k.name, 0, k.meaning);
      p_.parameters.back().unit = k.unit;
    }
    for (const CostText& c : text_.costs) {
      const int shared = p_.find_parameter(c.weight.text);
      p_.add_cost(c.name, 0);
      if (shared < 0) continue;
      p_.parameters.pop_back();
      p_.costs.back().weight = shared;
    }
  }

  void declare_symbols() {
    path_.names[text_.time] = p_.time();
    ends_.names["T"] = ends_.names["horizon"] = p_.duration();  // a state or parameter T hides the first name
    final_.names[text_.time] = p_.duration(), start_.names[text_.time] = 0;
    for (std::size_t i = 0; i < p_.states.size(); ++i) {
      const auto n = static_cast<int>(i);
      const std::string& name = p_.states[i].name;
      path_.names[name] = p_.x(n);
      ends_.names[name] = ends_.of_name["final"][name] = final_.names[name] = p_.x_final(n);
      ends_.of_name["initial"][name] = start_.names[name] = p_.x_initial(n);
    }
    for (std::size_t j = 0; j < p_.controls.size(); ++j) path_.names[p_.controls[j].name] = p_.u(static_cast<int>(j));
    for (std::size_t k = 0; k < p_.parameters.size(); ++k) {
      const auto n = static_cast<int>(k);
      const std::string& name = p_.parameters[k].name;
      path_.names[name] = constants_.names[name] = p_.parameter(n);
      ends_.names[name] = final_.names[name] = start_.names[name] = p_.end_parameter(n);
    }
  }

  // Formulas.

  Expr parse(const Formula& f, const SymbolTable& symbols, const std::string& key) {
    if (f.number.has_value()) {
      if (!std::isfinite(*f.number))
        reading_.report(reading_.place(f.place), "E104", fmt::format("{} = {} is not finite", key, *f.number));
      return *f.number;
    }
    if (!f.given()) return 0;
    std::vector<theory::ExpressionProblem> problems;
    const Expr y = theory::parse_expression(f.text, symbols, problems);
    for (const theory::ExpressionProblem& problem : problems)
      reading_.report_in_text(f.place, problem.position, "E109", fmt::format("{}: {}", key, problem.message),
                              help_for(f, problem, symbols));
    if (problems.empty() && y.is_constant() && !std::isfinite(y.constant()))
      reading_.report(reading_.place(f.place), "E104", fmt::format("{} = \"{}\" is not a finite number", key, f.text));
    return y;
  }

  /// A name that exists, but not in this place, deserves to be told so.
  std::string help_for(const Formula& f, const theory::ExpressionProblem& problem, const SymbolTable& symbols) const {
    const std::string name = f.text.substr(std::min(problem.position, f.text.size()), problem.length);
    if (&symbols == &ends_ && p_.find_control(name) >= 0)
      return fmt::format("'{}' is a control, which has no value at an end; use states, parameters and T", name);
    if (&symbols == &ends_ && name == text_.time) return "at the ends, T is the horizon";
    if (&symbols == &path_ && name == "T") return "T is known at the ends only";
    if (&symbols != &path_ && path_.names.count(name) != 0)
      return fmt::format("'{}' changes over time, and this is {}", name,
                         &symbols == &ends_ ? "a value at the ends" : "one number: use parameters");
    return problem.help;
  }

  std::vector<std::size_t> ordered(const std::vector<std::pair<std::string, std::string>>& texts, const char* table,
                                   const std::function<int(std::size_t)>& place) {
    std::vector<std::string> cycle;
    const std::vector<std::size_t> order = dependency_order(texts, cycle);
    if (cycle.empty()) return order;
    const auto first =
        std::find_if(texts.begin(), texts.end(), [&](const auto& t) { return t.first == cycle.front(); });
    cycle.push_back(cycle.front());
    if (cycle.size() > 12) cycle.erase(cycle.begin() + 5, cycle.end() - 5), cycle.insert(cycle.begin() + 5, "...");
    reading_.report(reading_.place(place(static_cast<std::size_t>(first - texts.begin()))), "E107",
                    fmt::format("{} use each other in a circle: {}", table, fmt::join(cycle, " -> ")),
                    "write one of them without the others");
    return order;
  }

  void read_parameters() {
    std::vector<std::pair<std::string, std::string>> texts;
    for (const ParameterText& k : text_.parameters) texts.emplace_back(k.name, k.value.text);
    SymbolTable known;
    for (const std::size_t k :
         ordered(texts, "parameters", [&](std::size_t i) { return text_.parameters[i].value.place; })) {
      const Expr y = parse(text_.parameters[k].value, known, "parameters." + text_.parameters[k].name);
      p_.parameters[k].value = y.is_constant() ? y.constant() : 0;
      known.names[text_.parameters[k].name] = y;
    }
  }

  void read_definitions() {
    std::vector<std::pair<std::string, std::string>> texts;
    for (const DefinitionText& d : text_.definitions) texts.emplace_back(d.name, d.formula.text);
    std::set<std::string> moving, chosen;  // what changes over time, and what depends on a control
    for (const auto& [name, y] : final_.names)
      if (constants_.names.count(name) == 0) moving.insert(name);
    for (const theory::ControlVariable& c : p_.controls) moving.insert(c.name), chosen.insert(c.name);
    for (const std::size_t d :
         ordered(texts, "definitions", [&](std::size_t i) { return text_.definitions[i].place; })) {
      const auto& [name, text] = texts[d];
      const Formula& formula = text_.definitions[d].formula;
      for (const std::string& used : names_in(text)) {
        if (moving.count(used) != 0) moving.insert(name);
        if (chosen.count(used) != 0) chosen.insert(name);
      }
      path_.names[name] = parse(formula, path_, "definitions." + name);
      if (moving.count(name) == 0) constants_.names[name] = path_.names[name];
      if (chosen.count(name) != 0) continue;
      ends_.names[name] = ends_.of_name["final"][name] = final_.names[name] = parse_again(formula, final_);
      ends_.of_name["initial"][name] = start_.names[name] = parse_again(formula, start_);
    }
    for (const DefinitionText& d : text_.definitions) path_.names.try_emplace(d.name, 1);  // those on a circle
  }
  /// A formula whose problems are known already.
  static Expr parse_again(const Formula& f, const SymbolTable& symbols) {
    std::vector<theory::ExpressionProblem> known;
    return f.number.has_value() ? Expr(*f.number) : theory::parse_expression(f.text, symbols, known);
  }

  // Numbers.

  double value(const Formula& f, const std::string& key, double absent) {
    if (!f.given()) return absent;
    if (f.number.has_value()) return *f.number;  // infinite bounds are none; check() refuses NaN
    const Expr y = parse(f, constants_, key);
    std::vector<double> at(static_cast<std::size_t>(p_.path_slots()));
    for (std::size_t k = 0; k < p_.parameters.size(); ++k)
      at[static_cast<std::size_t>(p_.parameter_slot(static_cast<int>(k)))] = p_.parameters[k].value;
    double x = 0;
    theory::Program(std::vector<Expr>{y}, p_.path_slots())(at.data(), &x);
    if (!std::isfinite(x) && !y.is_constant())
      reading_.report(reading_.place(f.place), "E104", fmt::format("{} = \"{}\" gives {}", key, f.text, x));
    return x;
  }
  std::optional<double> optional_value(const Formula& f, const std::string& key) {
    if (!f.given()) return std::nullopt;
    const double x = value(f, key, 0);
    if (!std::isfinite(x)) reading_.report(reading_.place(f.place), "E104", fmt::format("{} is not finite", key));
    return x;
  }
  Interval interval(const IntervalText& i, const std::string& key, const std::string& prefix) {
    if (i.point.text == "free") return {};
    if (i.point.given()) {
      const double x = *optional_value(i.point, key);
      return Interval::point(x);
    }
    return {value(i.lower, prefix + ".lower", -k_infinity), value(i.upper, prefix + ".upper", k_infinity)};
  }

  void read_horizon() {
    theory::Horizon& h = p_.horizon;
    const std::string key = "control_problem.horizon";
    if (text_.horizon.given()) {
      h.value = value(text_.horizon, key, 1);
      return;
    }
    h.free = text_.horizon_free;
    h.bounds = {value(text_.horizon_lower, key + ".lower", h.bounds.lower),
                value(text_.horizon_upper, key + ".upper", h.bounds.upper)};
    const double usual =
        h.bounds.lower > 0 ? std::clamp(1.0, h.bounds.lower, std::max(h.bounds.lower, h.bounds.upper)) : 1.0;
    h.value = value(text_.horizon_guess, key + ".guess", usual);
  }

  void read_state(const StateText& from, theory::StateVariable& to) {
    const std::string key = "states." + from.name;
    to.dynamics = parse(from.dynamics, path_, key + ".dynamics");
    to.initial = interval(from.initial, key + ".initial", key + ".initial");
    to.final = interval(from.final, key + ".final", key + ".final");
    to.bounds = interval(from.bounds, key, key);
    to.guess = optional_value(from.guess, key + ".guess");
    to.unit = from.unit, to.meaning = from.meaning;
  }

  void read_control(const ControlVariableText& from, theory::ControlVariable& to) {
    const std::string key = "controls." + from.name;
    to.bounds = {value(from.lower, key + ".lower", -k_infinity), value(from.upper, key + ".upper", k_infinity)};
    to.guess = optional_value(from.guess, key + ".guess");
    const bool moved = from.guess.place < 0 && to.bounds.lower <= to.bounds.upper;  // bounds of a model were changed
    if (to.guess.has_value() && moved) to.guess = std::clamp(*to.guess, to.bounds.lower, to.bounds.upper);
    to.unit = from.unit, to.meaning = from.meaning;
  }

  void read_cost(const CostText& from, theory::CostTerm& to) {
    const std::string key = "cost." + from.name;
    if (!from.running.given() && !from.terminal.given())
      reading_.report(reading_.place(from.place), "E105", fmt::format("{} has neither running nor terminal", key),
                      "add e.g. `running = \"u^2\"`");
    to.running = parse(from.running, path_, key + ".running");
    to.terminal = parse(from.terminal, ends_, key + ".terminal");
    to.unit = from.unit;
    if (from.weight.given() && p_.find_parameter(from.weight.text) < 0)
      p_.parameters[static_cast<std::size_t>(to.weight)].value = *optional_value(from.weight, key + ".weight");
  }

  theory::Constraint constraint(const ConstraintText& from, const std::string& table, const SymbolTable& symbols) {
    const std::string key = table + "." + from.name;
    theory::Constraint to{from.name, parse(from.expression, symbols, key + ".expression"), {}};
    const bool sides = from.lower.given() || from.upper.given();
    if (from.equals.given() == sides)
      reading_.report(
          reading_.place(from.place), sides ? "E107" : "E105",
          fmt::format("{} needs a lower or upper bound, or `equals`{}", key, sides ? ", but not both" : ""));
    to.bounds = interval({from.equals, from.lower, from.upper}, key + ".equals", key);
    return to;
  }

  Reading& reading_;
  const ControlText& text_;
  ControlProblem p_;
  std::map<std::string, std::string> names_;
  SymbolTable path_, ends_, constants_;
  SymbolTable final_, start_;  ///< for definitions at both ends
};

}  // namespace

ControlProblem compile(Reading& reading, const ControlText& text) { return Compiler(reading, text).run(); }

}  // namespace eos::io
