#include "eos/core/dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <iterator>
#include <numeric>

#include "eos/core/content_hash.hpp"
#include "eos/core/error.hpp"

namespace eos::core {

static_assert(std::endian::native == std::endian::little, "content hashes are defined over little-endian bytes");

std::size_t array_size(const Array& values) {
  return std::visit([](const auto& v) { return v.size(); }, values);
}

bool is_name(std::string_view text) {
  const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
  if (text.empty() || !is_lower(text.front())) return false;
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return is_lower(c) || (c >= '0' && c <= '9') || c == '_'; });
}

void Dataset::add_dim(const std::string& name, std::int64_t length, const std::string& long_name) {
  std::vector<std::int64_t> index(static_cast<std::size_t>(length));
  std::iota(index.begin(), index.end(), 0);
  if (const auto found = dims.find(name); found != dims.end() && found->second != length)
    throw Error("E190", fmt::format("dimension '{}' already has length {}, got {}", name, found->second, length));
  dims[name] = length;
  add(name, {name}, std::move(index), "1", long_name.empty() ? name : long_name);
}

void Dataset::add_dim(const std::string& name, std::vector<double> coordinate, const std::string& units,
                      const std::string& long_name) {
  dims[name] = static_cast<std::int64_t>(coordinate.size());
  add(name, {name}, std::move(coordinate), units, long_name);
}

Variable& Dataset::add(const std::string& name, std::vector<std::string> over, Array values, const std::string& units,
                       const std::string& long_name) {
  if (!is_name(name)) throw Error("E190", fmt::format("'{}' is not a name of the form [a-z][a-z0-9_]*", name));
  if (has(name)) throw Error("E190", fmt::format("variable '{}' exists already", name));
  std::size_t expected = 1;
  bool known = true;
  for (const std::string& dim : over) {
    const auto found = dims.find(dim);
    if (found == dims.end())
      known = false;  // inherited from a parent group: checked when written
    else
      expected *= static_cast<std::size_t>(found->second);
  }
  if (known && expected != array_size(values))
    throw Error("E190", fmt::format("variable '{}' has {} values but its dimensions ask for {}", name,
                                    array_size(values), expected));
  variables.push_back({name, std::move(over), std::move(values), units, long_name, {}});
  return variables.back();
}

const Variable* Dataset::find(const std::string& name) const {
  for (const Variable& v : variables)
    if (v.name == name) return &v;
  return nullptr;
}

std::vector<double> Dataset::numbers(const std::string& name) const {
  const Variable* variable = find(name);
  if (variable == nullptr) {
    std::vector<std::string> names;
    for (const Variable& v : variables) names.push_back(v.name);
    throw Error("E191", fmt::format("there is no variable '{}'", name), suggest(name, names));
  }
  return std::visit(
      [&](const auto& v) -> std::vector<double> {
        if constexpr (std::is_same_v<std::decay_t<decltype(v)>, std::vector<std::string>>)
          throw Error("E191", fmt::format("variable '{}' holds text, numbers were asked for", name));
        else
          return std::vector<double>(v.begin(), v.end());
      },
      variable->values);
}

double Dataset::number(const std::string& name) const {
  const std::vector<double> all = numbers(name);
  if (all.empty()) throw Error("E191", fmt::format("variable '{}' is empty", name));
  return all.front();
}

std::vector<std::string> Dataset::strings(const std::string& name) const {
  const Variable* variable = find(name);
  if (variable == nullptr || !std::holds_alternative<std::vector<std::string>>(variable->values))
    throw Error("E191", fmt::format("there is no text variable '{}'", name));
  return std::get<std::vector<std::string>>(variable->values);
}

std::string Dataset::text(const std::string& attribute, const std::string& fallback) const {
  const auto found = attributes.find(attribute);
  if (found == attributes.end() || !std::holds_alternative<std::string>(found->second)) return fallback;
  return std::get<std::string>(found->second);
}

namespace {

/// NumPy's short names of the element types, so that any reader can rebuild the hash; "str" is UTF-8 text.
constexpr const char* k_type_names[] = {"f8", "f4", "i8", "i4", "u1", "str"};
static_assert(std::size(k_type_names) == std::variant_size_v<Array>);

void hash_group(ContentHash& hash, const std::string& path, const Dataset& data,
                std::map<std::string, std::int64_t> dims) {
  for (const auto& [name, length] : data.dims) dims[name] = length;
  hash.group(path);
  std::map<std::string, const Variable*> sorted;  // the order of addition is presentation, not content
  for (const Variable& v : data.variables) sorted[v.name] = &v;
  for (const auto& [name, variable] : sorted) {
    std::vector<std::pair<std::string, std::int64_t>> over;
    for (const std::string& dim : variable->dims) {
      const auto found = dims.find(dim);
      if (found == dims.end())
        throw Error("E190", fmt::format("variable '{}' lies on the unknown dimension '{}'", name, dim));
      over.emplace_back(dim, found->second);
    }
    hash.variable(name, variable->values, over);
    hash.values(variable->values);
  }
  for (const auto& [name, group] : data.groups)
    if (name != "provenance") hash_group(hash, path + "/" + name, group, dims);
}

}  // namespace

void ContentHash::group(const std::string& path) { hash_.update(fmt::format("group {}/\n", path)); }

void ContentHash::variable(const std::string& name, const Array& like,
                           const std::vector<std::pair<std::string, std::int64_t>>& dims) {
  std::string line = fmt::format("variable {} {}", name, k_type_names[like.index()]);
  for (const auto& [dim, length] : dims) line += fmt::format(" {}={}", dim, length);
  hash_.update(line + "\n");
}

void ContentHash::values(const Array& piece) {
  std::visit(
      [&](const auto& v) {
        if constexpr (std::is_same_v<std::decay_t<decltype(v)>, std::vector<std::string>>) {
          for (const std::string& text : v) hash_.update(fmt::format("{}:{}", text.size(), text));
        } else {
          hash_.update(v.data(), v.size() * sizeof(v[0]));
        }
      },
      piece);
}

std::string content_sha256(const Dataset& data) {
  ContentHash hash;
  hash_group(hash, "", data, {});
  return hash.hex();
}

}  // namespace eos::core
