// Words, names and checks of a sweep; theory/src/sweep_design.cpp makes the points.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>
#include <set>

#include "sweep_words.hpp"

namespace eos::theory {

namespace {

/// Names of a run's own variables, dimensions and coordinates (sim/src/table.cpp), which an axis may not take.
const std::set<std::string>& taken_names() {
  static const std::set<std::string> k_names{"run",
                                             "run_id",
                                             "seed",
                                             "design_index",
                                             "plan_index",
                                             "overrides",
                                             "schedule",    // groups of a run
                                             "provenance",
                                             "run_status",
                                             "replica",
                                             "epoch",
                                             "step",
                                             "layer",
                                             "interval",
                                             "edge",
                                             "samples_offered",
                                             "samples_seen",
                                             "samples_backward",
                                             "steps",
                                             "forward_macs",
                                             "scoring_macs",
                                             "backward_macs",
                                             "writes",
                                             "path_length",
                                             "path_squared",
                                             "transient_path",
                                             "accumulator_updates",
                                             "maintenance",
                                             "weight_reads",
                                             "input_bytes",
                                             "train_loss",
                                             "validation_loss",
                                             "validation_accuracy",
                                             "test_loss",
                                             "test_accuracy",
                                             "data_fraction",
                                             "present_fraction",
                                             "weight_fraction",
                                             "learning_rate",
                                             "direct_writes",
                                             "direct_path",
                                             "energy",
                                             "inefficiency",
                                             "inefficiency_writes",
                                             "parameters",
                                             "sample_forward_macs",
                                             "sample_backward_macs",
                                             "train_samples",
                                             "batch",
                                             "effective_epochs",
                                             "cost_ratio",
                                             "planned_data_fraction",
                                             "planned_weight_fraction",
                                             "planned_learning_rate"};
  return k_names;
}

std::vector<std::string> parts_of(const std::string& key) {
  std::vector<std::string> parts(1);
  for (const char c : key) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (c == '.')
      parts.emplace_back();
    else
      parts.back() += letter ? c : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : '_';
  }
  return parts;
}

/// The last `count` parts of a key as a name.
std::string name_from(const std::vector<std::string>& parts, std::size_t count) {
  std::string name;
  for (std::size_t i = parts.size() - std::min(count, parts.size()); i < parts.size(); ++i)
    name += (name.empty() ? "" : "_") + parts[i];
  if (name.empty() || name[0] < 'a' || name[0] > 'z') name = "axis_" + name;
  return name;
}

template <class Number>
std::optional<Number> whole_text(const std::string& word) {
  Number value{};
  const char *begin = word.data() + (word.starts_with('+') ? 1 : 0), *end = word.data() + word.size();
  const auto [at, problem] = std::from_chars(begin, end, value);
  if (problem != std::errc() || at != end) return std::nullopt;
  return value;
}

/// The text that a word stands for: quotes and escapes of a TOML basic string are taken away, other words stay.
std::string plain_text(const std::string& word) {
  if (word.size() < 2 || word.front() != '"' || word.back() != '"') return word;
  std::string text;
  for (std::size_t i = 1; i + 1 < word.size(); ++i) {
    if (word[i] != '\\') {
      text += word[i];
      continue;
    }
    const char kind = word[++i];
    if (kind == 'u' && i + 5 < word.size()) {
      text += static_cast<char>(std::strtoul(word.substr(i + 1, 4).c_str(), nullptr, 16));  // control characters only
      i += 4;
    } else {
      text += kind == 'n' ? '\n' : kind == 't' ? '\t' : kind;
    }
  }
  return text;
}

/// One axis for every key of a list, in order of first appearance.
std::vector<SweepAxis> listed_axes(const SweepSpec& spec) {
  std::vector<SweepAxis> axes;
  std::map<std::string, std::size_t> known;
  for (const SweepPoint& run : spec.runs)
    for (const auto& [key, word] : run.set) {
      const auto [place, fresh] = known.try_emplace(key, axes.size());
      if (fresh) axes.emplace_back().keys = {key};
      axes[place->second].values.push_back({word});
    }
  return axes;
}

void name_axes(std::vector<SweepAxis>& axes) {
  std::vector<std::size_t> unnamed;
  for (std::size_t a = 0; a < axes.size(); ++a)
    if (axes[a].name.empty() && !axes[a].keys.empty()) unnamed.push_back(a);
  std::vector<std::vector<std::string>> parts(axes.size());
  std::vector<std::size_t> depth(axes.size(), 1);
  for (const std::size_t a : unnamed) parts[a] = parts_of(axes[a].keys.front());
  for (bool changed = true; changed;) {
    changed = false;
    for (const std::size_t a : unnamed) axes[a].name = name_from(parts[a], depth[a]);
    std::map<std::string, int> uses;
    for (const SweepAxis& axis : axes) ++uses[axis.name];
    for (const std::size_t a : unnamed)
      if ((uses[axes[a].name] > 1 || is_taken_name(axes[a].name)) && depth[a] < parts[a].size())
        ++depth[a], changed = true;
  }
  // What cannot be told apart by its parts gets a number: a key that two axes set under different conditions.
  std::set<std::string> seen;
  for (std::size_t a = 0; a < axes.size(); ++a)
    if (std::find(unnamed.begin(), unnamed.end(), a) == unnamed.end()) seen.insert(axes[a].name);
  for (const std::size_t a : unnamed) {
    const std::string stem = is_taken_name(axes[a].name) ? "set_" + axes[a].name : axes[a].name;
    axes[a].name = stem;
    for (int i = 2; !seen.insert(axes[a].name).second; ++i) axes[a].name = fmt::format("{}_{}", stem, i);
  }
}

bool all_numbers(const SweepAxis& axis) {
  if (!axis.labels.empty() || axis.keys.size() > 1) return axis.is_range();
  return std::all_of(axis.values.begin(), axis.values.end(),
                     [](const auto& value) { return value.size() == 1 && number_in(value[0]).has_value(); });
}

/// Several axes may have the same keys under conditions that exclude each other, so the conditions decide too.
bool exists(const SweepAxis& axis, const SweepPoint& point) {
  for (const auto& [key, words] : axis.when) {
    const std::string* set = point.find(key);
    if (set == nullptr || !is_among(*set, words)) return false;
  }
  return !axis.keys.empty() && point.find(axis.keys.front()) != nullptr;
}

}  // namespace

const std::vector<std::string>& sweep_design_names() {
  static const std::vector<std::string> k_names{"factorial", "list", "random", "latin-hypercube", "sobol"};
  return k_names;
}

bool is_taken_name(const std::string& name) {
  return taken_names().contains(name) || name.starts_with("energy_") || name.starts_with("step_") ||
         name.starts_with("layer_") || name.ends_with("_count") || name.ends_with("_coordinate");
}

bool is_axis_name(const std::string& name) {
  return !name.empty() && name[0] >= 'a' && name[0] <= 'z' &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
}

std::optional<double> number_in(const std::string& word) {
  const bool digits = !word.empty() && std::string("+-.0123456789").find(word[0]) != std::string::npos;
  return digits ? whole_text<double>(word) : std::nullopt;
}

std::string canonical_word(const std::string& word) {
  if (const auto whole = whole_text<std::int64_t>(word)) return fmt::format("{}", *whole);  // beyond 2^53, too
  const std::optional<double> x = number_in(word);
  if (!x.has_value()) return word;
  return std::floor(*x) == *x && std::abs(*x) < 9e15 ? fmt::format("{}", static_cast<std::int64_t>(*x))
                                                     : fmt::format("{}", *x);
}

bool same_word(const std::string& a, const std::string& b) { return a == b || canonical_word(a) == canonical_word(b); }

bool is_among(const std::string& word, const std::vector<std::string>& words) {
  return std::any_of(words.begin(), words.end(), [&](const std::string& other) { return same_word(word, other); });
}

const std::string* SweepPoint::find(const std::string& key) const {
  for (const auto& [name, word] : set)
    if (name == key) return &word;
  return nullptr;
}

void SweepSpec::complete() { name_axes(axes); }

std::string describe(const SweepPoint& point) {
  std::string text;
  for (const auto& [key, word] : point.set) text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", key, word);
  return text.empty() ? "the run as it is" : text;
}

std::vector<SweepCoordinate> coordinates(const SweepSpec& spec) {
  std::vector<SweepAxis> axes = spec.design == SweepDesign::list ? listed_axes(spec) : spec.axes;
  name_axes(axes);
  std::vector<SweepCoordinate> all;
  for (SweepAxis& axis : axes) {
    const bool number = all_numbers(axis);
    all.push_back({axis.name, number, std::move(axis)});
  }
  return all;
}

SweepValue value_at(const SweepCoordinate& coordinate, const SweepPoint& point) {
  const SweepAxis& axis = coordinate.axis;
  SweepValue value;
  value.number = std::numeric_limits<double>::quiet_NaN();
  if (!exists(axis, point)) return value;
  value.given = true;
  std::vector<std::string> words;
  for (const std::string& key : axis.keys)
    if (const std::string* word = point.find(key)) words.push_back(*word);
  if (!axis.labels.empty()) {
    const auto found = std::find(axis.values.begin(), axis.values.end(), words);
    if (found != axis.values.end()) value.text = axis.labels[static_cast<std::size_t>(found - axis.values.begin())];
    return value;
  }
  if (coordinate.number) value.number = number_in(words.front()).value_or(value.number);
  if (axis.is_range()) words.resize(1);  // the same number for each key
  for (const std::string& word : words) value.text += (value.text.empty() ? "" : ", ") + plain_text(word);
  return value;
}

}  // namespace eos::theory
