#include "toml_document.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string_view>

namespace eos::io {

using core::Diagnostic;
using core::Error;

namespace {

constexpr std::string_view k_override = "--set ";  ///< source path of overrides: "--set 1", "--set 2", ...
constexpr int k_most_dots = 15;                    ///< of one key; eos itself uses one

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> lines(1);
  for (const char c : text) {
    if (c == '\n')
      lines.emplace_back();
    else if (c != '\r')
      lines.back() += c;
  }
  return lines;
}

/// Skips the string that starts at `i` (a quote) and returns the index of its last character.
std::size_t skip_string(std::string_view text, std::size_t i) {
  const char quote = text[i];
  const std::string_view triple = quote == '"' ? "\"\"\"" : "'''";
  const bool multi = text.substr(i).starts_with(triple);
  for (std::size_t j = i + (multi ? 3 : 1); j < text.size(); ++j) {
    if (quote == '"' && text[j] == '\\')
      ++j;
    else if (!multi && (text[j] == quote || text[j] == '\n'))
      return j;
    else if (multi && text.substr(j).starts_with(triple))
      return j + 2;
  }
  return text.size();
}

/// Offset of the first key with too many dots, or npos. The parser builds one table per dot, and tables are destroyed
/// recursively: a key of 100 000 dots would overflow the stack.
std::size_t find_deep_key(std::string_view text) {
  int dots = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"' || c == '\'')
      i = skip_string(text, i);
    else if (c == '#')
      i = std::min(text.find('\n', i), text.size()) - 1;
    else if (c == '.' && ++dots > k_most_dots)
      return i;
    else if (std::string_view("=,[]{}\n").find(c) != std::string_view::npos)
      dots = 0;
  }
  return std::string_view::npos;
}

void refuse_deep_keys(const std::string& text, const std::string& name, const std::vector<std::string>& lines) {
  const std::size_t at = find_deep_key(text);
  if (at == std::string_view::npos) return;
  const auto line = static_cast<int>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
  const std::size_t start = text.rfind('\n', at) + 1;
  throw Error(
      {Diagnostic{"E101", fmt::format("a key is nested more than {} levels deep", k_most_dots + 1), name, line + 1,
                  static_cast<int>(at - start) + 1, lines[static_cast<std::size_t>(line)].substr(0, 200),
                  "eos uses tables of at most two levels, e.g. [data.teacher]"}});
}

/// Merges `from` into `into`: tables are merged key by key, anything else (inline tables too) replaces.
void merge(toml::table& into, toml::table&& from, const std::string& path) {
  for (auto&& [key, node] : from) {
    toml::node* old = into.get(key.str());
    toml::table* table = node.as_table();
    const bool descend = table != nullptr && !table->is_inline();
    if (descend && old != nullptr && !old->is_table())
      throw Error("E103", fmt::format("{}{} is not a table", path, key.str()));
    if (descend && old != nullptr) {
      merge(*old->as_table(), std::move(*table), fmt::format("{}{}.", path, key.str()));
      continue;
    }
    into.erase(key.str());  // not assigned to, so that the place of the key becomes that of the override
    node.visit([&, k = key](auto& value) { into.insert(k, std::move(value)); });
  }
}

std::string quoted(std::string_view word) {
  std::string text = "\"";
  for (const char c : word) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + '"';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

Document::Document(const std::string& text, std::string name, const Overrides& overrides)
    : name_(std::move(name)), lines_(split_lines(text)), overrides_(overrides.set) {
  refuse_deep_keys(text, name_, lines_);
  try {
    root_ = toml::parse(text, std::string(name_));
  } catch (const toml::parse_error& error) {
    throw Error({diagnostic(error.source(), "E101", std::string(error.description()))});
  }
  std::vector<Diagnostic> problems;
  for (std::size_t i = 0; i < overrides_.size(); ++i) {
    try {
      apply(overrides_[i], i);
    } catch (const Error& error) {
      Diagnostic d = error.diagnostics().front();
      d.file = "--set", d.line = static_cast<int>(i) + 1, d.column = std::max(d.column, 1),
      d.source_line = overrides_[i];
      problems.push_back(std::move(d));
    }
  }
  if (!problems.empty()) throw Error(std::move(problems));
}

void Document::apply(const std::string& assignment, std::size_t index) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string::npos || assignment.find_first_of("\r\n") != std::string::npos)
    throw Error("E100", fmt::format("--set expects KEY=VALUE, got '{}'", assignment), "e.g. --set selection.tau=0.5");
  if (find_deep_key(assignment) != std::string_view::npos) throw Error("E101", "a key of --set is nested too deeply");
  const std::string key = assignment.substr(0, equals), source = fmt::format("{}{}", k_override, index + 1);
  const std::string_view value = trimmed(std::string_view(assignment).substr(equals + 1));
  toml::table change;
  try {
    change = toml::parse(assignment, std::string(source));
  } catch (const toml::parse_error& error) {
    // What is not TOML is taken as a word, so that the shell needs no second level of quotes.
    const bool structured = value.empty() || std::string_view("[{\"'").find(value.front()) != std::string_view::npos;
    try {
      if (structured) throw error;
      change = toml::parse(fmt::format("{}={}", key, quoted(value)), std::string(source));
    } catch (const toml::parse_error& again) {
      throw Error({Diagnostic{"E101",
                              std::string(again.description()),
                              {},
                              1,
                              static_cast<int>(again.source().begin.column),
                              {},
                              "e.g. --set selection.tau=0.5"}});
    }
  }
  merge(root_, std::move(change), "");
}

std::string Document::folder_of(const toml::source_region& place) const {
  if (is_override(place)) return {};
  const Assignment* assignment = assignment_at(place);
  return std::filesystem::path(assignment == nullptr ? name_ : assignment->value_place.file).parent_path().string();
}

bool Document::is_override(const toml::source_region& place) {
  return place.path && std::string_view(*place.path).starts_with(k_override);
}

bool Document::is_added(const toml::source_region& place) {
  return is_override(place) || (place.path && std::string_view(*place.path).starts_with(k_assigned));
}

std::size_t Document::override_number(const toml::source_region& place) {
  return std::stoul(place.path->substr(k_override.size()));
}

Diagnostic Document::diagnostic(const toml::source_region& place, std::string code, std::string message,
                                std::string help) const {
  Diagnostic d{std::move(code), std::move(message), name_, 0, 0, {}, std::move(help)};
  if (!place.begin) return d;
  d.line = static_cast<int>(place.begin.line);
  d.column = static_cast<int>(place.begin.column);
  if (const Assignment* assignment = assignment_at(place)) {
    const bool in_key = place.begin.column <= assignment->key.size();
    const Diagnostic& at = in_key ? assignment->key_place : assignment->value_place;
    d.file = at.file, d.line = at.line, d.column = at.column, d.source_line = at.source_line;
    return d;
  }
  const std::vector<std::string>* lines = &lines_;
  if (is_override(place)) {
    d.file = "--set";
    d.line = static_cast<int>(override_number(place));
    lines = &overrides_;
  }
  const auto index = static_cast<std::size_t>(d.line) - 1;
  if (d.line >= 1 && index < lines->size()) d.source_line = (*lines)[index];
  return d;
}

const toml::node* Document::find(const std::string& dotted) const {
  const toml::node* node = &root_;
  std::size_t start = 0;
  while (node != nullptr && start <= dotted.size()) {
    const std::size_t end = std::min(dotted.find('.', start), dotted.size());
    std::string key = dotted.substr(start, end - start);
    const std::size_t bracket = std::min(key.find('['), key.size());
    const toml::table* table = node->as_table();
    node = table == nullptr ? nullptr : table->get(key.substr(0, bracket));
    if (node != nullptr && bracket < key.size()) {
      const toml::array* list = node->as_array();
      node = list == nullptr ? nullptr : list->get(std::strtoul(key.c_str() + bracket + 1, nullptr, 10));
    }
    start = end + 1;
  }
  return node;
}

}  // namespace eos::io
