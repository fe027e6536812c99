// [sweep], [[sweep.axes]], [[sweep.runs]], [[sweep.exclude]].
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "toml_sweep.hpp"
#include "toml_writer.hpp"

namespace eos::io {

using theory::SweepAxis;
using theory::SweepPoint;
using theory::SweepSpec;

namespace {

constexpr std::size_t k_most_values = 1000000;

void bind_sweep_keys(Binder& b, SweepSpec& s, std::string& base) {
  b.text({"title", "", "one line that names the sweep"}, s.title);
  b.path({"base", "", "file that states the run; empty: the other tables of this file do"}, base);
  b.choice({"design", "", "which points of the axes are run"}, s.design, theory::sweep_design_names());
  b.integer({"samples", "points", "designs random, latin-hypercube and sobol: how many are drawn"}, s.samples,
            k_count_or_none);
  b.integer({"seed", "1", "of the draws of a design; 0: the Sobol' sequence is not shifted"}, s.seed, k_not_negative);
}

void bind_axis_keys(Binder& b, SweepAxis& a) {
  b.text({"name", "", "of its coordinate in results; empty: the last part of the key, or more where that is taken"},
         a.name);
  b.number({"from", "", "range: first value"}, a.from, k_any);
  b.number({"to", "", "range: last value"}, a.to, k_any);
  b.integer({"count", "1", "range: its points in a grid; other designs draw from all of it"}, a.count,
            Range{0, 1000000});
  std::size_t scale = a.log ? 1 : 0;
  b.word({"scale", "", "range: equal steps, or equal ratios"}, scale, {"linear", "log"});
  a.log = scale == 1;
  b.flag({"whole", "", "range: whole numbers only"}, a.whole);
}

std::string number_word(double x) {
  if (std::isnan(x)) return "nan";
  if (std::isinf(x)) return x > 0 ? "inf" : "-inf";
  return fmt::format("{}", x);
}

void report(TableReader& table, const toml::node& node, const char* code, std::string message, std::string help = {}) {
  table.reading().report(node.source(), code, std::move(message), std::move(help));
}

/// Keys are dotted bare words: what eos files have, and what needs no quotes in messages and overrides.
bool is_key(const std::string& key) {
  const char* bare = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
  return !key.empty() && key.find_first_not_of(bare) == std::string::npos && key.front() != '.' && key.back() != '.' &&
         key.find("..") == std::string::npos && std::count(key.begin(), key.end(), '.') < 15;
}

void report_key(TableReader& table, const toml::node& node, const std::string& name, const std::string& key) {
  report(table, node, "E104", fmt::format("{} = \"{}\" is not the key of a run", name, key),
         "TABLE.KEY, e.g. \"optimiser.learning_rate\"");
}

bool read_key(TableReader& table, const toml::node& node, const std::string& name, std::string& key) {
  if (const auto* text = node.as_string()) {
    key = text->get();
    if (!is_key(key)) report_key(table, node, name, key);
    return is_key(key);
  }
  report(table, node, "E103", name + " expects a key in quotes", "e.g. key = \"optimiser.learning_rate\"");
  return false;
}

void read_keys(TableReader& table, const std::string& name, SweepAxis& axis) {
  const toml::node *one = table.take("key"), *many = table.take("keys");
  if (one != nullptr && many != nullptr)
    report(table, *many, "E107", fmt::format("{}.key and {}.keys are both given", name, name), "keep one");
  std::string key;
  if (one != nullptr && read_key(table, *one, name + ".key", key)) axis.keys = {key};
  if (many == nullptr || one != nullptr) return;
  const toml::array* list = many->as_array();
  if (list == nullptr || list->empty())
    return report(table, *many, "E103", name + ".keys expects a list of keys",
                  "e.g. keys = [\"selection.method\", \"plasticity.method\"]");
  for (const toml::node& node : *list)
    if (read_key(table, node, name + ".keys", key)) axis.keys.push_back(key);
}

/// The words of a list, or of one value alone.
std::vector<std::string> words_in(const toml::node& node) {
  std::vector<std::string> words;
  if (const toml::array* list = node.as_array())
    for (const toml::node& item : *list) words.push_back(word_of(item));
  else
    words.push_back(word_of(node));
  return words;
}

void read_values(TableReader& table, const std::string& name, SweepAxis& axis) {
  const toml::node* node = table.take("values");
  if (node == nullptr) return;
  const toml::array* list = node->as_array();
  if (list == nullptr || list->empty())
    return report(table, *node, "E103", name + ".values expects a list of at least one value",
                  "e.g. values = [0.03, 0.1, 0.3]");
  if (list->size() > k_most_values)
    return report(table, *node, "E104",
                  fmt::format("{}.values has {} entries, at most {} are allowed", name, list->size(), k_most_values));
  const bool many = axis.keys.size() > 1;
  for (const toml::node& value : *list) axis.values.push_back(many ? words_in(value) : std::vector{word_of(value)});
}

void read_labels(TableReader& table, const std::string& name, SweepAxis& axis) {
  const toml::node* node = table.take("labels");
  if (node == nullptr) return;
  const toml::array* list = node->as_array();
  bool good = list != nullptr;
  for (std::size_t i = 0; good && i < list->size(); ++i) good = (*list)[i].is_string();
  if (!good) return report(table, *node, "E103", name + ".labels expects a list of texts, one for each value");
  for (const toml::node& label : *list) axis.labels.push_back(label.as_string()->get());
}

void flatten(const toml::table& table, const std::string& prefix, Flat& flat) {
  for (auto&& [key, node] : table) {
    const std::string name = prefix + std::string(key.str());
    const toml::table* inner = node.as_table();
    if (inner != nullptr && !inner->is_inline())
      flatten(*inner, name + ".", flat);
    else
      flat.emplace_back(name, &node);
  }
}

std::map<std::string, std::vector<std::string>> conditions_in(const toml::table& table) {
  std::map<std::string, std::vector<std::string>> conditions;
  for (const auto& [key, node] : flat_of(table)) conditions[key] = words_in(*node);
  return conditions;
}

void read_axis(TableReader& table, SweepAxis& axis, std::size_t index) {
  const std::string name = fmt::format("sweep.axes[{}]", index);
  read_keys(table, name, axis);
  read_values(table, name, axis);
  read_labels(table, name, axis);
  bind_axis_keys(table, axis);
  const bool range = table.raw()->contains("from") || table.raw()->contains("to");
  if (!range && !table.raw()->contains("values"))
    table.reading().report(table.raw()->source(), "E105", name + " has neither values nor a range",
                           "e.g. values = [0.03, 0.1, 0.3], or from = 0.01, to = 1, count = 5, scale = \"log\"");
  else if (range && !(table.raw()->contains("from") && table.raw()->contains("to")))
    table.reading().report(table.raw()->source(), "E105", name + " has only one end of a range", "give from and to");
  const toml::node* when = table.take("when");
  if (when == nullptr) return;
  if (const toml::table* conditions = when->as_table())
    axis.when = conditions_in(*conditions);
  else
    report(table, *when, "E103", name + ".when expects a table", "e.g. when = { \"selection.method\" = [\"dbpd\"] }");
}

/// [[sweep.runs]] or [[sweep.exclude]]: any keys.
template <class Use>
void read_free_tables(TableReader& table, const char* key, Use use) {
  const toml::node* node = table.take(key);
  if (node == nullptr) return;
  const toml::array* list = node->as_array();
  if (list == nullptr)
    return report(table, *node, "E103", fmt::format("sweep.{} expects a list of tables", key),
                  fmt::format("begin each with [[sweep.{}]]", key));
  for (std::size_t i = 0; i < list->size(); ++i) {
    const toml::table* one = list->get(i)->as_table();
    if (one == nullptr)
      report(table, *list->get(i), "E103", fmt::format("sweep.{}[{}] expects a table", key, i));
    else
      use(*one);
  }
}

void read_seeds(TableReader& table, SweepSpec& s) {
  const toml::node* node = table.take("seeds");
  if (node == nullptr) return;
  const std::string help = "e.g. seeds = [1, 2, 3], or seeds = 3 for the same";
  const auto seed_in = [&](const toml::node& one, std::int64_t low) {
    const auto* number = one.as_integer();
    if (number != nullptr && number->get() >= low) return std::optional<std::int64_t>(number->get());
    report(table, one, number == nullptr ? "E103" : "E104",
           fmt::format("sweep.seeds expects whole numbers >= {}, got {}", low, word_of(one)), help);
    return std::optional<std::int64_t>();
  };
  if (const toml::array* list = node->as_array()) {
    if (list->empty()) report(table, *node, "E105", "sweep.seeds is empty", help);
    for (const toml::node& one : *list) {
      const auto seed = seed_in(one, 0);
      if (!seed.has_value()) return;
      s.seeds.push_back(static_cast<std::uint64_t>(*seed));
    }
    return;
  }
  const std::int64_t count = seed_in(*node, 1).value_or(0);
  if (count > theory::k_most_sweep_runs)
    return report(
        table, *node, "E104",
        fmt::format("sweep.seeds = {} is above {}, the most runs of a sweep", count, theory::k_most_sweep_runs));
  for (std::int64_t i = 1; i <= count; ++i) s.seeds.push_back(static_cast<std::uint64_t>(i));
}

}  // namespace

Flat flat_of(const toml::table& table) {
  Flat flat;
  flatten(table, "", flat);
  std::stable_sort(flat.begin(), flat.end(), [](const auto& a, const auto& b) {
    const auto &x = a.second->source().begin, &y = b.second->source().begin;
    return std::tie(x.line, x.column) < std::tie(y.line, y.column);
  });
  return flat;
}

std::string word_of(const toml::node& node) {
  if (const auto* text = node.as_string()) return toml_text(text->get());
  if (const auto* real = node.as_floating_point()) return number_word(real->get());
  if (const auto* whole = node.as_integer()) return fmt::format("{}", whole->get());
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  std::string word;
  if (const toml::array* list = node.as_array()) {
    for (const toml::node& item : *list) word += (word.empty() ? "" : ", ") + word_of(item);
    return "[" + word + "]";
  }
  if (const toml::table* table = node.as_table()) {
    for (auto&& [key, item] : *table)
      word += fmt::format("{}{} = {}", word.empty() ? "" : ", ", toml_text(std::string(key.str())), word_of(item));
    return "{" + word + "}";
  }
  std::ostringstream out;
  node.visit([&](const auto& value) {
    if constexpr (!toml::is_table<decltype(value)> && !toml::is_array<decltype(value)>) out << value;
  });
  return out.str();
}

const toml::node* bind_sweep(TableReader& top, SweepSpec& spec, std::string& base) {
  const toml::node* base_place = nullptr;
  top.table({"sweep", "", ""}, [&](Binder& binder) {
    auto& table = static_cast<TableReader&>(binder);
    if (table.raw() != nullptr) base_place = table.raw()->get("base");
    bind_sweep_keys(table, spec, base);
    read_seeds(table, spec);
    std::size_t index = 0;
    table.tables({"axes", "", ""}, spec.axes,
                 [&](Binder& b, SweepAxis& axis) { read_axis(static_cast<TableReader&>(b), axis, index++); });
    read_free_tables(table, "runs", [&](const toml::table& one) {
      SweepPoint& run = spec.runs.emplace_back();
      for (const auto& [key, node] : flat_of(one)) {
        if (!is_key(key)) report_key(table, *node, "a key of sweep.runs", key);
        run.set.emplace_back(key, word_of(*node));
      }
    });
    read_free_tables(table, "exclude", [&](const toml::table& one) { spec.exclude.push_back(conditions_in(one)); });
  });
  return base_place;
}

void list_sweep(TomlLister& lister) {
  SweepSpec spec;
  std::string base;
  lister.table({"sweep", "", "which runs are made of the run that the other tables, or base, state"}, [&](Binder& b) {
    auto& list = static_cast<TomlLister&>(b);
    list.note("docs/sweeps.md explains designs, conditions and exclusions.");
    bind_sweep_keys(list, spec, base);
    list.row("seeds", "list of whole numbers >= 0, or a number n", "",
             "of the runs at every point; n: 1 to n; absent: "
             "those of the run");
    SweepAxis axis;
    list.tables({"axes", "", "one axis: values, or a range from, to"}, spec.axes, [&](Binder& inner, SweepAxis& a) {
      auto& rows = static_cast<TomlLister&>(inner);
      rows.row("key", "text", "", "key of the run that it sets, e.g. `\"optimiser.learning_rate\"`");
      rows.row("keys", "list of texts", "", "instead of key: several keys that move together");
      rows.row("values", "list of values", "",
               "any TOML values; for several keys, a list of one value a key each; or a range instead");
      rows.row("labels", "list of texts", "", "one a value: shown in results instead of it");
      bind_axis_keys(rows, a);
      rows.row("when", "table", "",
               "the axis exists only where other keys have these values, e.g. `{ \"selection.method\" = [\"dbpd\"] }`");
    });
    list.tables({"runs", "", "design list: one point"}, spec.runs, [](Binder& inner, SweepPoint&) {
      static_cast<TomlLister&>(inner).row("KEY", "any value", "", "what the run has for it, e.g. `selection.method`");
    });
    list.tables({"exclude", "", "points to leave out: those that match every key of one such table"}, spec.runs,
                [](Binder& inner, SweepPoint&) {
                  static_cast<TomlLister&>(inner).row("KEY", "value or list of values", "", "what is left out");
                });
  });
}

}  // namespace eos::io
