// Named methods: each preset sets its part of a specification; several join with '+'.
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "eos/core/error.hpp"

namespace eos::theory {

template <class Spec>
struct Preset {
  const char* name;
  void (*apply)(Spec&);
};

template <class Spec, std::size_t n>
std::vector<std::string> preset_names(const Preset<Spec> (&presets)[n]) {
  std::vector<std::string> result;
  for (const Preset<Spec>& preset : presets) result.emplace_back(preset.name);
  return result;
}

/// The specification of `method`, a name or several joined with '+', e.g. "path+top-k": each sets its own part.
/// `clash(a, b)` names the part that two presets, each applied to the defaults, both set; empty: none.
template <class Spec, std::size_t n, class Clash>
Spec joined_preset(const Preset<Spec> (&presets)[n], const std::string& method, const char* what, Clash clash) {
  Spec joined;
  std::vector<std::pair<std::string, Spec>> parts;
  for (std::size_t begin = 0; begin <= method.size();) {
    const std::size_t end = std::min(method.find('+', begin), method.size());
    const std::string name = method.substr(begin, end - begin);
    begin = end + 1;
    const Preset<Spec>* found = nullptr;
    for (const Preset<Spec>& preset : presets)
      if (name == preset.name) found = &preset;
    if (found == nullptr)
      throw core::Error("E106", fmt::format("there is no {} method '{}'", what, name),
                        core::suggest(name, preset_names(presets)));
    Spec alone;
    found->apply(alone);
    for (const auto& [other, spec] : parts)
      if (const std::string part = clash(spec, alone); !part.empty())
        throw core::Error("E107", fmt::format("the {} methods '{}' and '{}' both set {}", what, other, name, part),
                          "join methods that decide different things, e.g. path+top-k or spaced+ratio");
    parts.emplace_back(name, alone);
    found->apply(joined);
  }
  joined.method = method;
  return joined;
}

}  // namespace eos::theory
