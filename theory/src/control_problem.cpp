#include "eos/theory/control_problem.hpp"

#include <fmt/format.h>

#include <set>

#include "eos/core/error.hpp"

namespace eos::theory {

namespace {

template <class List>
int find_named(const List& list, std::string_view name) {
  for (std::size_t i = 0; i < list.size(); ++i)
    if (list[i].name == name) return static_cast<int>(i);
  return -1;
}

/// Collects problems; the message begins with the key, so that a reader of files can place it.
class Check {
 public:
  void fail(const char* code, std::string message, std::string help = {}) {
    core::Diagnostic d;
    d.code = code, d.message = std::move(message), d.help = std::move(help);
    problems_.push_back(std::move(d));
  }
  void interval(const std::string& what, const Interval& i) {
    if (std::isnan(i.lower) || std::isnan(i.upper))
      fail("E104", fmt::format("{} is not a number", what));
    else if (i.lower > i.upper)
      fail("E104", fmt::format("{} is reversed: lower {} is above upper {}", what, i.lower, i.upper),
           "exchange lower and upper");
    else if (i.lower == k_infinity || i.upper == -k_infinity)
      fail("E104", fmt::format("{} holds no number: [{}, {}]", what, i.lower, i.upper));
  }
  /// `inner` and `outer` must have a number in common.
  void meets(const std::string& what, const Interval& inner, const Interval& outer) {
    if (inner.lower > outer.upper || inner.upper < outer.lower)
      fail("E107",
           fmt::format("{} [{}, {}] lies outside the bounds [{}, {}]", what, inner.lower, inner.upper, outer.lower,
                       outer.upper),
           "widen the bounds or move the value");
  }
  void formula(const std::string& what, const Expr& y, int slots) {
    for (int slot = slots; slot < slots + 64; ++slot)
      if (depends_on(y, slot)) {
        fail("E401", fmt::format("{} uses slot {}, but there are {}", what, slot, slots),
             "declare all states, controls and parameters before the formulas");
        return;
      }
  }
  /// Names are those that formulas can use; parameters may have parts, as in weight.energy.
  void name(const std::string& table, const std::string& name, bool parts = false) {
    bool good = true;
    for (std::size_t begin = 0, end = 0; end != std::string::npos; begin = end + 1) {
      end = parts ? name.find('.', begin) : std::string::npos;
      good = good && is_symbol(name.substr(begin, end - begin));
    }
    const bool reserved = name == "horizon" || name == "initial" || name == "final";
    if (!good || reserved)
      fail("E109", fmt::format("{}.{} cannot be the name of a value in formulas", table, name),
           reserved ? "horizon, initial(x) and final(x) are values at the ends: choose another name"
                    : "use a letter, then letters, digits and _, and none of the functions, nor pi");
    else if (!names_.insert(name).second)
      fail("E107", fmt::format("{}.{} is the name of something else, too", table, name),
           "states, controls, parameters and time need different names");
  }
  void finish() {
    if (!problems_.empty()) throw core::Error(std::move(problems_));
  }

 private:
  std::vector<core::Diagnostic> problems_;
  std::set<std::string> names_;
};

}  // namespace

int ControlProblem::add_state(std::string name, Interval initial, Interval final, Interval bounds) {
  StateVariable s;
  s.name = std::move(name), s.initial = initial, s.final = final, s.bounds = bounds;
  states.push_back(std::move(s));
  return static_cast<int>(states.size()) - 1;
}

int ControlProblem::add_control(std::string name, Interval bounds) {
  ControlVariable c;
  c.name = std::move(name), c.bounds = bounds;
  controls.push_back(std::move(c));
  return static_cast<int>(controls.size()) - 1;
}

int ControlProblem::add_parameter(std::string name, double value, std::string meaning) {
  Parameter p;
  p.name = std::move(name), p.value = value, p.meaning = std::move(meaning);
  parameters.push_back(std::move(p));
  return static_cast<int>(parameters.size()) - 1;
}

int ControlProblem::add_cost(std::string name, Expr running, Expr terminal, double weight) {
  CostTerm c;
  c.weight = add_parameter("weight." + name, weight, "J per unit of " + name);
  c.name = std::move(name), c.running = std::move(running), c.terminal = std::move(terminal);
  costs.push_back(std::move(c));
  return static_cast<int>(costs.size()) - 1;
}

Expr ControlProblem::running_cost() const {
  Expr sum = 0;
  for (const CostTerm& c : costs) sum += parameter(c.weight) * c.running;
  return maximise ? -sum : sum;
}

Expr ControlProblem::terminal_cost() const {
  Expr sum = 0;
  for (const CostTerm& c : costs) sum += end_parameter(c.weight) * c.terminal;
  return maximise ? -sum : sum;
}

int ControlProblem::find_state(std::string_view name) const { return find_named(states, name); }
int ControlProblem::find_control(std::string_view name) const { return find_named(controls, name); }
int ControlProblem::find_parameter(std::string_view name) const { return find_named(parameters, name); }
int ControlProblem::find_cost(std::string_view name) const { return find_named(costs, name); }

bool ControlProblem::autonomous() const {
  for (const StateVariable& s : states)
    if (depends_on(s.dynamics, time_slot())) return false;
  for (const CostTerm& c : costs)
    if (depends_on(c.running, time_slot())) return false;
  for (const Constraint& c : path)
    if (depends_on(c.expression, time_slot())) return false;
  return true;
}

void ControlProblem::check() const {
  Check check;
  check.name("time", time_name);
  if (states.empty()) check.fail("E105", "the problem has no state", "add [states.x] with dynamics");
  if (costs.empty()) check.fail("E105", "the problem has no cost", "add [cost.NAME] with running or terminal");
  for (const StateVariable& s : states) {
    check.name("states", s.name);
    check.interval("states." + s.name + ".initial", s.initial);
    check.interval("states." + s.name + ".final", s.final);
    check.interval("states." + s.name, s.bounds);
    check.meets("states." + s.name + ".initial", s.initial, s.bounds);
    check.meets("states." + s.name + ".final", s.final, s.bounds);
    check.formula("states." + s.name + ".dynamics", s.dynamics, path_slots());
  }
  for (const ControlVariable& c : controls) {
    check.name("controls", c.name);
    check.interval("controls." + c.name, c.bounds);
    if (c.guess.has_value()) check.meets("controls." + c.name + ".guess", Interval::point(*c.guess), c.bounds);
  }
  for (const Parameter& p : parameters) {
    check.name("parameters", p.name, true);
    if (!std::isfinite(p.value)) check.fail("E104", fmt::format("parameters.{} is not finite: {}", p.name, p.value));
  }
  for (const CostTerm& c : costs) {
    check.formula("cost." + c.name + ".running", c.running, path_slots());
    check.formula("cost." + c.name + ".terminal", c.terminal, end_slots());
  }
  for (const Constraint& c : path) {
    check.interval("path." + c.name, c.bounds);
    check.formula("path." + c.name, c.expression, path_slots());
  }
  for (const Constraint& c : ends) {
    check.interval("ends." + c.name, c.bounds);
    check.formula("ends." + c.name, c.expression, end_slots());
  }
  if (!(horizon.value > 0) || !std::isfinite(horizon.value))
    check.fail("E104", fmt::format("horizon must be positive and finite, got {}", horizon.value));
  if (horizon.free) {
    check.interval("horizon", horizon.bounds);
    if (!(horizon.bounds.lower > 0)) check.fail("E104", "horizon.lower of a free horizon must be positive");
    check.meets("horizon.guess", Interval::point(horizon.value), horizon.bounds);
  }
  check.finish();
}

const std::vector<std::string>& method_names() {
  static const std::vector<std::string> names{"auto",      "closed-form",     "adjoint", "sweep", "shooting",
                                              "trapezoid", "hermite-simpson", "radau",   "ipopt", "hjb"};
  return names;
}

std::string to_string(Method method) { return method_names()[static_cast<std::size_t>(method)]; }

std::string to_string(ArcKind kind) {
  static const char* const names[] = {"lower",           "upper",     "interior", "singular", "state constraint",
                                      "path constraint", "chattering"};
  return names[static_cast<std::size_t>(kind)];
}

std::string to_string(ControlStatus status) {
  static const char* const names[] = {"optimal",   "acceptable", "iteration limit", "infeasible",
                                      "unbounded", "not finite", "stalled"};
  return names[static_cast<std::size_t>(status)];
}

}  // namespace eos::theory
