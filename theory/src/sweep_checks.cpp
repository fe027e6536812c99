// All contradictions of a sweep at once.
#include <algorithm>
#include <cmath>
#include <set>

#include "checker.hpp"
#include "sweep_words.hpp"

namespace eos::theory {

namespace {

constexpr double k_exact = 9007199254740992.0;  // 2^53: whole numbers are exact doubles up to here

bool is_drawn(SweepDesign design) { return design != SweepDesign::factorial && design != SweepDesign::list; }

std::vector<std::string> axis_keys(const SweepSpec& spec) {
  std::vector<std::string> keys;
  for (const SweepAxis& axis : spec.axes) keys.insert(keys.end(), axis.keys.begin(), axis.keys.end());
  for (const SweepPoint& run : spec.runs)
    for (const auto& [key, word] : run.set)
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
  return keys;
}

/// One key is the other, or a table that holds it.
bool overlap(const std::string& a, const std::string& b) {
  return a == b || a.starts_with(b + ".") || b.starts_with(a + ".");
}

/// Whether conditions on one key allow no common word, so that the axes never exist together.
bool exclude_each_other(const SweepAxis& a, const SweepAxis& b) {
  return std::any_of(a.when.begin(), a.when.end(), [&](const auto& condition) {
    const auto other = b.when.find(condition.first);
    return other != b.when.end() && std::none_of(condition.second.begin(), condition.second.end(),
                                                 [&](const std::string& w) { return is_among(w, other->second); });
  });
}

void check_values(const SweepAxis& axis, const std::string& at, Checker& c) {
  std::map<std::string, std::size_t> seen;
  for (std::size_t v = 0; v < axis.values.size(); ++v) {
    const std::vector<std::string>& value = axis.values[v];
    if (value.size() != axis.keys.size()) {
      c.add("E107", fmt::format("{}.values[{}] has {} parts, keys names {}", at, v, value.size(), axis.keys.size()),
            "one part for each key, e.g. keys = [\"a.x\", \"a.y\"] with values = [[1, 2], [3, 4]]");
      continue;
    }
    std::string text;
    for (const std::string& word : value) text += canonical_word(word) + '\n';
    const auto [place, fresh] = seen.try_emplace(text, v);
    if (!fresh)
      c.add("E107", fmt::format("{}.values[{}] is the same as values[{}]", at, v, place->second),
            "give each value once");
  }
  if (axis.count != 0 || axis.from != axis.to || axis.log || axis.whole)
    c.add("E107", at + ".values is given together with a range (from, to, count, scale, whole)", "keep one of them");
  if (!axis.labels.empty() && axis.labels.size() != axis.values.size())
    c.add("E107", fmt::format("{}.labels has {} entries, values has {}", at, axis.labels.size(), axis.values.size()));
  std::set<std::string> labels;
  for (std::size_t i = 0; i < axis.labels.size(); ++i)
    if (!labels.insert(axis.labels[i]).second)
      c.add("E107", fmt::format("{}.labels[{}] \"{}\" is given twice", at, i, axis.labels[i]));
}

void check_range(const SweepAxis& axis, const std::string& at, SweepDesign design, Checker& c) {
  if (!axis.labels.empty()) c.add("E107", at + ".labels is given without values");
  if (!std::isfinite(axis.from) || !std::isfinite(axis.to)) {
    c.add("E104", fmt::format("{}.from = {} and to = {} must be finite", at, axis.from, axis.to));
    return;
  }
  if (axis.from > axis.to)
    c.add("E107", fmt::format("{}.from = {} is above to = {}", at, axis.from, axis.to), "exchange them");
  if (axis.log && axis.from <= 0)
    c.add("E104", fmt::format("{}.from = {} must be > 0 when scale is \"log\"", at, axis.from),
          "the logarithm of 0 does not exist: begin above it, or use scale = \"linear\"");
  if (axis.whole && (std::round(axis.from) != axis.from || std::round(axis.to) != axis.to ||
                     std::max(std::abs(axis.from), std::abs(axis.to)) > k_exact))
    c.add("E104",
          fmt::format("{}.from = {} and to = {} must be whole numbers when whole is true", at, axis.from, axis.to));
  if (design == SweepDesign::factorial && axis.count < 1)
    c.add(axis.count == 0 ? "E105" : "E104", fmt::format("{}.count = {} must be at least 1", at, axis.count),
          "how many points of the range a grid takes, e.g. count = 5; or list the values: values = [...]");
  if (design != SweepDesign::factorial && axis.count != 0)
    c.add("E107", fmt::format("{}.count is given, but this design draws from the whole range", at),
          "remove it: sweep.samples says how many points are drawn");
}

void check_conditions(const SweepAxis& axis, const std::string& at, const std::vector<std::string>& keys, Checker& c) {
  for (const auto& [key, words] : axis.when) {
    if (std::find(keys.begin(), keys.end(), key) == keys.end())
      c.add("E102", fmt::format("{}.when names '{}', which no axis sets", at, key), core::suggest(key, keys));
    if (words.empty()) c.add("E105", fmt::format("{}.when gives no values for '{}'", at, key));
  }
}

void check_axis(const SweepSpec& spec, std::size_t index, const std::vector<std::string>& keys, Checker& c) {
  const SweepAxis& axis = spec.axes[index];
  const std::string at = fmt::format("sweep.axes[{}]", index);
  if (axis.keys.empty()) c.add("E105", at + " has no key", "add e.g. key = \"optimiser.learning_rate\"");
  if (!axis.name.empty() && !is_axis_name(axis.name))
    c.add("E104",
          fmt::format("{}.name \"{}\" must be lower-case letters, digits and _, a letter first", at, axis.name));
  if (is_taken_name(axis.name))
    c.add("E107", fmt::format("{}.name \"{}\" is the name of something else in results", at, axis.name),
          fmt::format("e.g. name = \"set_{}\"", axis.name));
  for (std::size_t other = 0; other < index; ++other)
    if (!axis.name.empty() && spec.axes[other].name == axis.name)
      c.add("E107", fmt::format("{}.name \"{}\" is that of another axis, too", at, axis.name));
  for (const std::string& key : axis.keys)
    if (key == "train.seeds" || key == "train.seed")
      c.add("E107", fmt::format("{} is over {}", at, key), "seeds are not an axis: seeds = [1, 2, 3] in [sweep]");
  if (axis.is_range())
    check_range(axis, at, spec.design, c);
  else
    check_values(axis, at, c);
  check_conditions(axis, at, keys, c);
}

/// Two axes that set the same thing at the same point.
void check_overlaps(const SweepSpec& spec, Checker& c) {
  for (std::size_t a = 0; a < spec.axes.size(); ++a)
    for (std::size_t k = 0; k < spec.axes[a].keys.size(); ++k)
      for (std::size_t b = 0; b <= a; ++b)
        for (std::size_t l = 0; l < (b == a ? k : spec.axes[b].keys.size()); ++l) {
          const std::string &key = spec.axes[a].keys[k], &other = spec.axes[b].keys[l];
          if (!overlap(key, other) || (a != b && exclude_each_other(spec.axes[a], spec.axes[b]))) continue;
          c.add("E107",
                key == other ? fmt::format("sweep.axes[{}] sets {}, as axes[{}] does", a, key, b)
                             : fmt::format("sweep.axes[{}] sets {}, and axes[{}] sets {}", a, key, b, other),
                "let one axis set it, or let `when` say which of them exists");
        }
}

void check_list(const SweepSpec& spec, Checker& c) {
  if (spec.runs.empty())
    c.add("E105", "sweep.runs is missing: the runs of design list", "begin each with [[sweep.runs]]");
  if (!spec.axes.empty()) c.add("E107", "sweep.axes is given, but design list takes its points from sweep.runs");
  for (std::size_t r = 0; r < spec.runs.size(); ++r) {
    const auto& set = spec.runs[r].set;
    for (std::size_t i = 0; i < set.size(); ++i) {
      if (set[i].first == "train.seeds" || set[i].first == "train.seed")
        c.add("E107", fmt::format("sweep.runs[{}] sets {}", r, set[i].first),
              "seeds are those of all runs: seeds = [1, 2, 3] in [sweep]");
      for (std::size_t j = 0; j < i; ++j)
        if (overlap(set[i].first, set[j].first))
          c.add("E107", fmt::format("sweep.runs[{}] sets both {} and {}", r, set[j].first, set[i].first));
    }
  }
}

void check_sizes(const SweepSpec& spec, Checker& c) {
  double points = static_cast<double>(spec.runs.size());
  if (is_drawn(spec.design)) points = spec.samples;
  if (spec.design == SweepDesign::factorial) {
    points = 1;
    for (const SweepAxis& axis : spec.axes)
      points *= axis.is_range() ? std::max(axis.count, 1) : static_cast<double>(axis.values.size());
  }
  const double runs = points * static_cast<double>(std::max<std::size_t>(spec.seeds.size(), 1));
  if (points > static_cast<double>(k_most_sweep_points))
    c.add("E104", fmt::format("sweep has {:.0f} points, at most {} are allowed", points, k_most_sweep_points),
          "take fewer values, or draw some of the grid: design = \"sobol\" with samples");
  else if (runs > static_cast<double>(k_most_sweep_runs))
    c.add("E104", fmt::format("sweep has {:.0f} runs, at most {} are allowed", runs, k_most_sweep_runs));
}

}  // namespace

void SweepSpec::check() const {
  Checker c;
  const std::vector<std::string> keys = axis_keys(*this);
  if (design == SweepDesign::list) check_list(*this, c);
  if (design != SweepDesign::list && !runs.empty())
    c.add("E107",
          fmt::format("sweep.runs is given, but the design is {}",
                      sweep_design_names().at(static_cast<std::size_t>(design))),
          "use design = \"list\", or axes");
  if (is_drawn(design) && samples < 1)
    c.add(samples == 0 ? "E105" : "E104", fmt::format("sweep.samples = {} must be at least 1", samples),
          "how many points are drawn, e.g. samples = 64");
  if (!is_drawn(design) && samples != 0)
    c.add("E107", "sweep.samples is given, but this design draws nothing",
          "remove it, or use design = \"random\", \"latin-hypercube\" or \"sobol\"");
  if (is_drawn(design) && axes.empty())
    c.add("E105", "sweep.axes is missing: this design draws along axes", "begin each with [[sweep.axes]]");
  for (std::size_t a = 0; a < axes.size(); ++a) check_axis(*this, a, keys, c);
  check_overlaps(*this, c);
  if (condition_order(axes).size() < axes.size())
    c.add("E107", "sweep.axes have conditions (when) that depend on each other in a circle");
  for (std::size_t e = 0; e < exclude.size(); ++e) {
    if (exclude[e].empty()) c.add("E105", fmt::format("sweep.exclude[{}] names no key", e));
    for (const auto& [key, words] : exclude[e])
      if (std::find(keys.begin(), keys.end(), key) == keys.end())
        c.add("E102", fmt::format("sweep.exclude[{}] names '{}', which no axis sets", e, key),
              core::suggest(key, keys));
  }
  std::set<std::uint64_t> once;
  for (std::size_t i = 0; i < seeds.size(); ++i)
    if (!once.insert(seeds[i]).second)
      c.add("E107", fmt::format("sweep.seeds[{}] = {} is given twice", i, seeds[i]), "give each seed once");
  check_sizes(*this, c);
  c.finish();
}

}  // namespace eos::theory
