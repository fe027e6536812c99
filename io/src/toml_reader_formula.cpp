// Reading formulas, and tables whose keys are names of the user's choice.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "toml_reader.hpp"

namespace eos::io {

namespace {

/// A table that states one parameter, and not a group of them.
bool is_entry(const toml::table& table) {
  return table.contains("value") || table.contains("unit") || table.contains("meaning");
}

/// Keys in the order of the file, those of --set last.
std::vector<const toml::key*> ordered_keys(const toml::table& table) {
  std::vector<const toml::key*> keys;
  for (auto&& [key, node] : table) keys.push_back(&key);
  std::stable_sort(keys.begin(), keys.end(), [](const toml::key* a, const toml::key* b) {
    const auto rank = [](const toml::key* k) {
      const toml::source_position p = k->source().begin;
      return std::make_tuple(Document::is_added(k->source()), p.line, p.column);
    };
    return rank(a) < rank(b);
  });
  return keys;
}

}  // namespace

void Reading::report_in_text(int remembered, std::size_t offset, std::string code, std::string message,
                             std::string help) {
  if (remembered < 0) return report({}, std::move(code), std::move(message), std::move(help));
  const Place& place = places_[static_cast<std::size_t>(remembered)];
  const auto* text = place.node == nullptr ? nullptr : place.node->as_string();
  if (text == nullptr) return report(place.region, std::move(code), std::move(message), std::move(help));
  if (const auto exact = document_.place_in(*text, offset); exact.has_value()) {
    toml::source_region region = place.region;
    region.begin = region.end = *exact;
    return report(region, std::move(code), std::move(message), std::move(help));
  }
  const std::size_t begin = offset > 20 ? offset - 20 : 0;
  report(place.region, std::move(code),
         fmt::format("{} (character {}, after \"{}\")", message, offset + 1, text->get().substr(begin, offset - begin)),
         std::move(help));
}

void TableReader::read_formula(const toml::node& node, const std::string& name, const char* kind, Formula& value) {
  if (const auto* text = node.as_string())
    value = {text->get(), std::nullopt, 0};
  else if (const auto* real = node.as_floating_point())
    value = {{}, real->get(), 0};
  else if (const auto* whole = node.as_integer())
    value = {{}, static_cast<double>(whole->get()), 0};
  else
    return wrong_type(node, name, kind);
  value.place = reading_.remember(node.source(), &node);
}

void TableReader::formula(const Field& field, Formula& value, const char* kind) {
  if (const toml::node* node = take(field)) read_formula(*node, full(field.key), kind, value);
}

void TableReader::formula_or_table(const Field& field, Formula& value, const char* kind, const Body& body) {
  const toml::node* node = take(field);
  if (node == nullptr) return;
  if (!node->is_table()) return read_formula(*node, full(field.key), kind, value);
  value = {};  // the table replaces what was there
  TableReader inner(reading_, node->as_table(), full(field.key));
  body(inner);
  inner.finish();
}

void TableReader::each_of(const toml::table& table, const std::string& prefix, TableReader& inner, bool parts,
                          const Entry& entry) {
  for (const toml::key* key : ordered_keys(table)) {
    const std::string name(key->str());
    const toml::node& node = *table.get(name);
    if (parts && node.is_table() && !is_entry(*node.as_table())) {
      TableReader group(reading_, node.as_table(), inner.full(name));
      each_of(*node.as_table(), prefix + name + ".", group, parts, entry);
      continue;
    }
    entry(inner, {name.c_str(), "", ""}, prefix + name,
          reading_.remember(key->source().begin ? key->source() : node.source()));
  }
}

void TableReader::each(const Field& field, const std::vector<std::string>&, bool parts, const Entry& entry) {
  const toml::node* node = take(field);
  if (node == nullptr) return;
  if (!node->is_table()) return wrong_type(*node, full(field.key), "a table");
  TableReader inner(reading_, node->as_table(), full(field.key));
  each_of(*node->as_table(), "", inner, parts, entry);
}

}  // namespace eos::io
