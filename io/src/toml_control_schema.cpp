// The keys of a control problem.
#include <algorithm>

#include "eos/theory/models.hpp"
#include "toml_control.hpp"

namespace eos::io {

namespace {

constexpr const char* k_constant = "number or formula of parameters";
constexpr const char* k_path = "formula of time, states, controls, parameters";
constexpr const char* k_end = "formula at the ends";

template <class Item>
Item& item_of(std::vector<Item>& items, const std::string& name, int place) {
  for (Item& item : items)
    if (item.name == name) return item;
  items.emplace_back();
  items.back().name = name, items.back().place = place;
  return items.back();
}

template <class Item>
std::vector<std::string> names_of(const std::vector<Item>& items) {
  std::vector<std::string> names;
  for (const Item& item : items) names.push_back(item.name);
  return names;
}

/// Tables [field.NAME]: body(binder of the table, item).
template <class Item, class Bind>
void each_table(Binder& b, const Field& field, std::vector<Item>& items, Bind&& bind_item) {
  b.each(field, names_of(items), false, [&](Binder& t, const Field& key, const std::string& name, int place) {
    Item& item = item_of(items, name, place);
    t.table({key.key, "", field.help}, [&](Binder& inner) { bind_item(inner, item); });
  });
}

void bind_interval(Binder& b, const Field& field, IntervalText& i) {
  b.formula_or_table(field, i.point, "number or formula of parameters, `\"free\"`", [&](Binder& t) {
    t.formula({"lower", "", "smallest value"}, i.lower, k_constant);
    t.formula({"upper", "", "largest value"}, i.upper, k_constant);
  });
}

void bind_state(Binder& b, StateText& s) {
  b.formula({"dynamics", "", "rate of change of the state", !s.dynamics.given()}, s.dynamics, k_path);
  bind_interval(b, {"initial", "", "value at time 0; absent: free"}, s.initial);
  bind_interval(b, {"final", "", "value at the horizon; absent: free"}, s.final);
  b.formula({"lower", "", "bound at all times; absent: none"}, s.bounds.lower, k_constant);
  b.formula({"upper", "", "bound at all times; absent: none"}, s.bounds.upper, k_constant);
  b.formula({"guess", "", "constant guess for the solver; absent: from initial and final"}, s.guess, k_constant);
  b.text_unless({"unit", "", "for tables and pictures"}, s.unit, "1");
  b.text_unless({"meaning", "", "for tables and pictures"}, s.meaning, "");
}

void bind_control(Binder& b, ControlVariableText& c) {
  b.formula({"lower", "", "bound at all times; absent: none"}, c.lower, k_constant);
  b.formula({"upper", "", "bound at all times; absent: none"}, c.upper, k_constant);
  b.formula({"guess", "", "constant guess for the solver"}, c.guess, k_constant);
  b.text_unless({"unit", "", "for tables and pictures"}, c.unit, "1");
  b.text_unless({"meaning", "", "for tables and pictures"}, c.meaning, "");
}

void bind_cost(Binder& b, CostText& c) {
  b.formula({"running", "", "integrated over time"}, c.running, k_path);
  b.formula({"terminal", "", "added at the end"}, c.terminal, k_end);
  b.formula({"weight", "", "of the term in the objective; the name of a parameter ties the two"}, c.weight, k_constant);
  b.text_unless({"unit", "", "of the term without its weight"}, c.unit, "1");
}

void bind_constraint(Binder& b, ConstraintText& c, const char* kind) {
  b.formula({"expression", "", "what is bounded", !c.expression.given()}, c.expression, kind);
  b.formula({"lower", "", "smallest value"}, c.lower, k_constant);
  b.formula({"upper", "", "largest value"}, c.upper, k_constant);
  b.formula({"equals", "", "instead of both"}, c.equals, k_constant);
}

void bind_statement(Binder& b, ControlText& c) {
  b.text({"title", "", "one line that names the problem in tables and pictures"}, c.title);
  b.text_unless({"source", "", "where the problem comes from"}, c.source, "");
  b.text_unless({"time", "", "name of the time in formulas"}, c.time, "t");
  b.text_unless({"time_unit", "", "for tables and pictures"}, c.time_unit, "1");
  const bool stated = c.horizon.given() || c.horizon_guess.given();
  b.formula_or_table(
      {"horizon", "", "end of the time interval that starts at 0; as a table: chosen by the solver", !stated},
      c.horizon, k_constant, [&](Binder& t) {
        t.flag({"free", "", "false: fixed at the guess"}, c.horizon_free);
        t.formula({"guess", "", "where the search starts"}, c.horizon_guess, k_constant);
        t.formula({"lower", "", "shortest horizon, above 0"}, c.horizon_lower, k_constant);
        t.formula({"upper", "", "longest horizon"}, c.horizon_upper, k_constant);
      });
  b.flag({"maximise", "", "the objective is to be as large as possible"}, c.maximise);
}

}  // namespace

void bind_model(Binder& b, ControlText& c) {
  std::vector<std::string> names;
  for (const theory::ModelInfo& m : theory::models()) names.push_back(m.name);
  b.table({"model", "", "a learning problem of the literature by its name"}, [&](Binder& t) {
    t.note("The tables of a control problem may follow and change it, e.g. `[states.Q11] initial = 0.1`.");
    const auto found = std::find(names.begin(), names.end(), c.model);
    auto index = static_cast<std::size_t>(found - names.begin()) % names.size();
    t.word({"name", "", "which model; its paper and parameters: `eos explain NAME`", c.model.empty()}, index, names);
    c.model = names[index];
    t.each({"parameters", "", "numbers of the model; what is absent is as in the paper"}, names_of(c.model_parameters),
           false, [&](Binder& inner, const Field& key, const std::string& name, int place) {
             ParameterText& p = item_of(c.model_parameters, name, place);
             inner.formula({key.key, "", "a parameter of the model"}, p.value, "number or formula of numbers");
           });
  });
}

void bind(Binder& b, ControlText& c) {
  b.table({"control_problem", "", "what is asked for"}, [&](Binder& t) { bind_statement(t, c); });
  b.each({"parameters", "", "numbers that formulas use by name; sweeps vary them"}, names_of(c.parameters), true,
         [&](Binder& t, const Field& key, const std::string& name, int place) {
           ParameterText& p = item_of(c.parameters, name, place);
           Formula alone = p.unit == "1" && p.meaning.empty() ? p.value : Formula{};
           t.formula_or_table(
               {key.key, "", "its value"}, alone, "number or formula of other parameters", [&](Binder& inner) {
                 inner.formula({"value", "", "its value", !p.value.given()}, p.value, "number or formula");
                 inner.text_unless({"unit", "", "for tables and pictures"}, p.unit, "1");
                 inner.text_unless({"meaning", "", "for tables and pictures"}, p.meaning, "");
               });
           if (alone.given()) p.value = alone;
         });
  b.each({"definitions", "", "named parts of formulas, which may use each other in any order"}, names_of(c.definitions),
         false, [&](Binder& t, const Field& key, const std::string& name, int place) {
           DefinitionText& d = item_of(c.definitions, name, place);
           t.formula({key.key, "", "a part that other formulas use by this name"}, d.formula, k_path);
         });
  each_table(b, {"states", "", "what the dynamics move; one table each"}, c.states, bind_state);
  each_table(b, {"controls", "", "what is chosen at each moment; one table each"}, c.controls, bind_control);
  each_table(b, {"cost", "", "the objective is the sum of weight times term; one table each"}, c.costs, bind_cost);
  each_table(b, {"path", "", "a constraint that holds at all times; one table each"}, c.path,
             [](Binder& t, ConstraintText& k) { bind_constraint(t, k, k_path); });
  each_table(b, {"ends", "", "a constraint on the values at both ends; one table each"}, c.ends,
             [](Binder& t, ConstraintText& k) { bind_constraint(t, k, k_end); });
}

}  // namespace eos::io
