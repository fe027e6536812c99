#include "sweep_axes.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

#include "eos/core/error.hpp"

namespace eos::cli {

namespace {

constexpr std::size_t k_most_values = 1000000;

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts{""};
  for (const char c : text)
    if (c == separator)
      parts.emplace_back();
    else
      parts.back() += c;
  return parts;
}

bool as_number(const std::string& text, double& value) {
  char* end = nullptr;
  value = std::strtod(text.c_str(), &end);
  return end != text.c_str() && *end == '\0' && std::isfinite(value);
}

[[noreturn]] void refuse(const std::string& text, const std::string& what) {
  throw core::Error("E104", fmt::format("--sweep {}: {}", text, what),
                    "write KEY=from:to:count, KEY=from:to:count:log or KEY=value,value,..., e.g. "
                    "--sweep price.sample=1e-4:1e-1:13:log");
}

void fill_range(const std::string& text, const std::vector<std::string>& parts, SweepAxis& axis) {
  double from = 0, to = 0, count = 0;
  if (!as_number(parts[0], from) || !as_number(parts[1], to) || !as_number(parts[2], count))
    refuse(text, "from, to and count must be numbers");
  const bool log = parts.size() == 4;
  if (log && parts[3] != "log") refuse(text, fmt::format("'{}' is no spacing; only 'log' is", parts[3]));
  if (count < 1 || count > static_cast<double>(k_most_values) || count != std::floor(count))
    refuse(text, fmt::format("count must be a whole number from 1 to {}, got {}", k_most_values, parts[2]));
  if (log && !(from > 0 && to > 0)) refuse(text, "a logarithmic range needs positive ends");
  const auto n = static_cast<std::size_t>(count);
  for (std::size_t i = 0; i < n; ++i) {
    const double s = n == 1 ? 0 : static_cast<double>(i) / static_cast<double>(n - 1);
    const double value = i + 1 == n && n > 1 ? to : log ? from * std::pow(to / from, s) : from + s * (to - from);
    axis.numbers.push_back(value);
    axis.words.push_back(fmt::format("{}", value));
  }
}

}  // namespace

SweepAxis parse_axis(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) refuse(text, "KEY=VALUES is needed");
  SweepAxis axis;
  axis.key = text.substr(0, equals);
  const std::string values = text.substr(equals + 1);
  const std::vector<std::string> parts = split(values, ':');
  if (parts.size() == 3 || parts.size() == 4) {
    fill_range(text, parts, axis);
    return axis;
  }
  for (const std::string& word : split(values, ',')) {
    if (word.empty()) refuse(text, "a value is empty");
    double number = 0;
    if (as_number(word, number)) axis.numbers.push_back(number);
    axis.words.push_back(word);
  }
  if (axis.numbers.size() != axis.words.size()) axis.numbers.clear();
  return axis;
}

std::vector<std::vector<std::string>> combinations(const std::vector<SweepAxis>& axes) {
  std::vector<std::vector<std::string>> all{{}};
  for (const SweepAxis& axis : axes) {
    if (all.size() * axis.words.size() > k_most_values)
      throw core::Error("E104", fmt::format("a sweep over more than {} points", k_most_values), "take fewer values");
    std::vector<std::vector<std::string>> next;
    for (const std::vector<std::string>& before : all)
      for (const std::string& word : axis.words) {
        next.push_back(before);
        next.back().push_back(axis.key + "=" + word);
      }
    all = std::move(next);
  }
  return all;
}

std::vector<core::Variable> axis_variables(const std::vector<SweepAxis>& axes) {
  std::vector<core::Variable> variables;
  std::size_t total = 1, after = 1;
  for (const SweepAxis& axis : axes) total *= axis.words.size();
  for (const SweepAxis& axis : axes) {
    after *= axis.words.size();
    const std::size_t repeat = total / after;  // runs in a row with the same value of this axis
    const auto at = [&](const auto& values) {
      std::remove_cvref_t<decltype(values)> column;
      for (std::size_t i = 0; i < total; ++i) column.push_back(values[i / repeat % values.size()]);
      return column;
    };
    core::Variable v;
    for (const char c : axis.key)
      v.name += std::isalnum(static_cast<unsigned char>(c)) != 0
                    ? static_cast<char>(std::tolower(static_cast<unsigned char>(c)))
                    : '_';
    if (!core::is_name(v.name)) v.name = "key_" + v.name;
    v.long_name = "value of " + axis.key;
    v.attributes["key"] = axis.key;
    if (axis.numbers.empty())
      v.values = at(axis.words);
    else
      v.values = at(axis.numbers);
    variables.push_back(std::move(v));
  }
  return variables;
}

}  // namespace eos::cli
