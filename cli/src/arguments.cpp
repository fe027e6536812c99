#include "arguments.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>

#include "eos/core/error.hpp"

namespace eos::cli {

const Option& Arguments::option(const std::string& name) const {
  if (verb != nullptr)
    for (const Option& candidate : verb->options)
      if (candidate.name == name) return candidate;
  for (const Option& candidate : global_options())
    if (candidate.name == name) return candidate;
  static const Option k_none;
  return k_none;
}

int Arguments::count(const std::string& name) const {
  const auto found = given.find(name);
  return found == given.end() ? 0 : static_cast<int>(found->second.size());
}

std::optional<std::string> Arguments::said(const std::string& name) const {
  if (const auto found = given.find(name); found != given.end() && !found->second.empty()) return found->second.back();
  const std::string& variable = option(name).environment;
  const char* value = variable.empty() ? nullptr : std::getenv(variable.c_str());
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

std::string Arguments::text(const std::string& name) const { return said(name).value_or(option(name).fallback); }

std::vector<std::string> Arguments::list(const std::string& name) const {
  if (const auto found = given.find(name); found != given.end()) return found->second;
  const std::string single = text(name);
  return single.empty() ? std::vector<std::string>{} : std::vector<std::string>{single};
}

namespace {

template <class T>
T read_number(const std::string& text, const Option& option, const char* kind) {
  T value{};
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc() || end != text.data() + text.size())
    throw core::Error("E103", fmt::format("--{} expects {}, got '{}'", option.name, kind, text), option.help);
  if (static_cast<double>(value) < option.minimum)
    throw core::Error("E104", fmt::format("--{} must be at least {}, got {}", option.name, option.minimum, text),
                      option.help);
  return value;
}

}  // namespace

double Arguments::number(const std::string& name) const {
  return read_number<double>(text(name), option(name), "a number");
}
long long Arguments::integer(const std::string& name) const {
  return read_number<long long>(text(name), option(name), "a whole number");
}
unsigned long long Arguments::seed(const std::string& name) const {
  return read_number<unsigned long long>(text(name), option(name), "a whole number from 0 to 2^64 - 1");
}

}  // namespace eos::cli
