#include "eos/theory/perceptron_spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "checker.hpp"
#include "eos/theory/synaptic_cache.hpp"

namespace eos::theory {
namespace {

constexpr double k_most_entries = 4e9;  // signs of one run, one byte each
constexpr double k_most_cells = 1e6;

template <class T, class Test>
void check_list(Checker& c, const char* name, const std::vector<T>& values, const char* allowed, const Test& good) {
  if (values.empty()) c.add("E107", fmt::format("{} is empty", name), "give at least one value");
  for (const T& value : values)
    if (!good(value)) return c.add("E104", fmt::format("{} contains {}, values are {}", name, value, allowed));
}

void check_trigger(const PerceptronCacheSpec& s, Checker& c) {
  const auto price_free = std::find(s.maintenance.begin(), s.maintenance.end(), 0) != s.maintenance.end();
  if (s.trigger == CacheTrigger::adaptive && price_free)
    c.add("E107", "cache.trigger = \"adaptive\" sets theta = eta sqrt(3 p/c), but cache.maintenance contains 0",
          "give c > 0, or use trigger = \"constant\"");
  if (s.trigger == CacheTrigger::adaptive && s.variant == CacheVariant::global_global)
    c.add("E107", "cache.trigger = \"adaptive\" gives a threshold of one synapse, not of the sum over all",
          "use variant = \"local-local\" or \"local-global\"");
  const bool best = std::find(s.intervals.begin(), s.intervals.end(), 0) != s.intervals.end();
  if (s.trigger == CacheTrigger::clock && best && price_free)
    c.add("E107", "cache.intervals contains 0, the best interval 3/(2c), but cache.maintenance contains 0",
          "give c > 0, or state the intervals");
  if (s.quantised && (s.variant != CacheVariant::local_local || s.trigger != CacheTrigger::constant))
    c.add("E107", "cache.quantised moves whole multiples of the threshold of one synapse",
          "use variant = \"local-local\" with trigger = \"constant\"");
  if (s.quantised && std::find(s.thresholds.begin(), s.thresholds.end(), 0) != s.thresholds.end())
    c.add("E107", "cache.quantised moves whole multiples of theta, but cache.thresholds contains 0", "give theta > 0");
}

void check_cache(const PerceptronCacheSpec& s, Checker& c) {
  check_list(c, "cache.thresholds", s.thresholds, "finite and >= 0",
             [](double x) { return x >= 0 && std::isfinite(x); });
  check_list(c, "cache.scales", s.scales, "finite and > 0", [](double x) { return x > 0 && std::isfinite(x); });
  check_list(c, "cache.intervals", s.intervals, ">= 1, or 0 for 3/(2c)", [](std::int64_t n) { return n >= 0; });
  check_list(c, "cache.decays", s.decays, "finite and > 1 presentations, or 0 for none",
             [](double x) { return x == 0 || (x > 1 && std::isfinite(x)); });
  check_list(c, "cache.maintenance", s.maintenance, "finite and >= 0",
             [](double x) { return x >= 0 && std::isfinite(x); });
  c.at_least("cache.change_price", s.change_price, 0);
  c.at_least("cache.window", s.window, 1);
  if (s.on()) check_trigger(s, c);
}

}  // namespace

std::string PerceptronCacheSpec::setting_name() const {
  return trigger == CacheTrigger::constant ? "threshold" : trigger == CacheTrigger::adaptive ? "scale" : "interval";
}

std::vector<double> PerceptronCacheSpec::settings() const {
  if (trigger == CacheTrigger::clock) return {intervals.begin(), intervals.end()};
  return trigger == CacheTrigger::constant ? thresholds : scales;
}

void PerceptronSpec::check() const {
  Checker c;
  c.at_least("inputs", inputs, 1);
  check_list(c, "patterns", patterns, ">= 1", [](std::int64_t p) { return p >= 1 && p <= 2147483647; });
  for (const std::int64_t p : patterns)
    if (static_cast<double>(p) * inputs > k_most_entries) {
      c.add(
          "E104",
          fmt::format("patterns = {} with inputs = {} needs {:.2g} signs", p, inputs, static_cast<double>(p) * inputs),
          fmt::format("at most {:.0e} fit", k_most_entries));
      break;
    }
  c.at_least("rate", rate, 0, true);
  c.at_least("max_epochs", max_epochs, 1);
  c.at_least("replicas", replicas, 1);
  check_list(c, "alphas", alphas, "finite and >= 0", [](double a) { return a >= 0 && std::isfinite(a); });
  c.at_least("course_epochs", course_epochs, 0);
  check_cache(cache, c);
  const auto size = [](const auto& list) { return static_cast<double>(list.size()); };
  const double cells = size(patterns) * size(cache.decays) * size(cache.settings()) * size(cache.maintenance);
  if (cells * replicas > k_most_cells)
    c.add("E104", fmt::format("the lists make {:.3g} runs", cells * replicas),
          fmt::format("at most {:.0e} are allowed in one file; shorten a list", k_most_cells));
  c.finish();
}

std::vector<PerceptronCell> cells_of(const PerceptronSpec& spec) {
  std::vector<PerceptronCell> cells;
  for (const std::int64_t p : spec.patterns) {
    if (!spec.cache.on()) cells.push_back({p});
    if (!spec.cache.on()) continue;
    for (const double tau : spec.cache.decays)
      for (const double setting : spec.cache.settings())
        for (const double c : spec.cache.maintenance) cells.push_back({p, tau, setting, c});
  }
  return cells;
}

std::int64_t clock_interval(std::int64_t interval, double maintenance) {
  if (interval > 0) return interval;
  return std::max<std::int64_t>(1, std::llround(ClockedCache{1, maintenance}.best_interval()));
}

double effective_threshold(double theta, double rate) { return rate * (std::floor(theta / rate * (1 + 1e-12)) + 1); }

}  // namespace eos::theory
