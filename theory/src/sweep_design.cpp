// From a sweep to its points.
#include <fmt/format.h>

#include <algorithm>
#include <boost/random/sobol.hpp>
#include <charconv>
#include <cmath>
#include <unordered_set>

#include "eos/core/error.hpp"
#include "eos/core/philox.hpp"
#include "sweep_words.hpp"

namespace eos::theory {

namespace {

/// What the draws of one axis are for: the last word of their address.
enum Draw : std::uint32_t { k_place = 0, k_bin = 1, k_shift = 2 };

core::Words words_at(const SweepSpec& spec, std::size_t axis, std::size_t point, Draw draw) {
  return core::draw(spec.seed,
                    {static_cast<std::uint32_t>(axis), static_cast<std::uint32_t>(point), core::Purpose::design, draw});
}

/// Uniform on (0, 1), 32 bits.
double uniform32(std::uint32_t word) { return (word + 0.5) * 0x1p-32; }

/// x rounded to 12 significant digits, within the range: the same on every machine although exp and log are not.
double rounded(const SweepAxis& axis, double x) {
  const std::string text = fmt::format("{:.12g}", x);
  std::from_chars(text.data(), text.data() + text.size(), x);
  return std::clamp(x, axis.from, axis.to);
}

std::string word_of(const SweepAxis& axis, double x) {
  const double value = rounded(axis, axis.whole ? std::round(x) : x);
  if (axis.whole) return fmt::format("{}", static_cast<std::int64_t>(std::round(value)));
  return fmt::format("{}", value == 0 ? 0.0 : value);  // no -0
}

/// The number at a share u of the range, in [0, 1].
double at_share(const SweepAxis& axis, double u) {
  if (u >= 1) return axis.to;
  if (axis.log) return axis.from * std::exp(u * std::log(axis.to / axis.from));
  return axis.from + u * (axis.to - axis.from);
}

/// The words of an axis for u in [0, 1): values and whole numbers are equally likely (whole numbers of a logarithmic
/// range: those that a point uniform in the logarithm rounds to).
std::vector<std::string> at_draw(const SweepAxis& axis, double u) {
  if (!axis.is_range()) {
    const auto count = axis.values.size();
    return axis.values[std::min(static_cast<std::size_t>(u * static_cast<double>(count)), count - 1)];
  }
  const double x = axis.whole && !axis.log ? std::floor(axis.from + u * (axis.to - axis.from + 1)) : at_share(axis, u);
  return std::vector<std::string>(axis.keys.size(), word_of(axis, x));
}

/// A permutation of 0 ... n - 1 (Fisher & Yates) whose draws are addressed by axis and place.
std::vector<std::uint32_t> permutation(const SweepSpec& spec, std::size_t axis, std::size_t n) {
  std::vector<std::uint32_t> order(n);
  for (std::size_t i = 0; i < n; ++i) order[i] = static_cast<std::uint32_t>(i);
  for (std::size_t i = n; i > 1; --i)
    std::swap(order[i - 1],
              order[core::uniform_int(words_at(spec, axis, i - 1, k_bin).v[0], static_cast<std::uint32_t>(i))]);
  return order;
}

/// shares[point][axis], in [0, 1).
using Shares = std::vector<std::vector<double>>;

void fill_random(const SweepSpec& spec, Shares& shares) {
  for (std::size_t p = 0; p < shares.size(); ++p)
    for (std::size_t a = 0; a < spec.axes.size(); ++a) shares[p][a] = uniform32(words_at(spec, a, p, k_place).v[0]);
}

void fill_hypercube(const SweepSpec& spec, Shares& shares) {
  const auto n = static_cast<double>(shares.size());
  for (std::size_t a = 0; a < spec.axes.size(); ++a) {
    const std::vector<std::uint32_t> bins = permutation(spec, a, shares.size());
    for (std::size_t p = 0; p < shares.size(); ++p)
      shares[p][a] = (bins[p] + uniform32(words_at(spec, a, p, k_place).v[0])) / n;
  }
}

void fill_sobol(const SweepSpec& spec, Shares& shares) {
  std::vector<std::uint32_t> shift(spec.axes.size());
  for (std::size_t a = 0; a < shift.size() && spec.seed != 0; ++a) shift[a] = words_at(spec, a, 0, k_shift).v[0];
  boost::random::sobol_engine<std::uint32_t, 32> sequence(spec.axes.size());
  for (std::size_t p = 0; p < shares.size(); ++p)
    for (std::size_t a = 0; a < shift.size(); ++a) {
      const std::uint32_t x = p == 0 ? 0 : sequence();  // the engine leaves out the origin
      shares[p][a] = (x ^ shift[a]) * 0x1p-32;
    }
}

/// Keeps one of equal points and drops those that are excluded.
class Collector {
 public:
  explicit Collector(const SweepSpec& spec) : spec_(spec), order_(condition_order(spec.axes)) {}

  /// A point by the words of every axis, [axis][key]; conditions decide which of them count.
  void add(const std::vector<const std::vector<std::string>*>& words) {
    std::vector<char> exists(words.size(), 0);
    for (const std::size_t a : order_) exists[a] = holds(a, words, exists);
    SweepPoint point;
    for (std::size_t a = 0; a < words.size(); ++a)
      for (std::size_t k = 0; exists[a] && k < words[a]->size(); ++k)
        point.set.emplace_back(spec_.axes[a].keys[k], (*words[a])[k]);
    add(std::move(point));
  }

  void add(SweepPoint point) {
    for (const auto& rule : spec_.exclude)
      if (std::all_of(rule.begin(), rule.end(), [&](const auto& condition) {
            const std::string* word = point.find(condition.first);
            return word != nullptr && is_among(*word, condition.second);
          }))
        return;
    if (seen_.insert(describe(point)).second) points_.push_back(std::move(point));
  }

  std::vector<SweepPoint> finish() {
    if (points_.empty()) throw core::Error("E107", "sweep.exclude leaves no point of the design");
    return std::move(points_);
  }

 private:
  bool holds(std::size_t axis, const std::vector<const std::vector<std::string>*>& words,
             const std::vector<char>& exists) const {
    const auto has = [&](const std::string& key, const std::vector<std::string>& allowed) {
      for (std::size_t a = 0; a < words.size(); ++a)
        for (std::size_t k = 0; exists[a] && k < words[a]->size(); ++k)
          if (spec_.axes[a].keys[k] == key && is_among((*words[a])[k], allowed)) return true;
      return false;
    };
    const auto& when = spec_.axes[axis].when;
    return std::all_of(when.begin(), when.end(),
                       [&](const auto& condition) { return has(condition.first, condition.second); });
  }

  const SweepSpec& spec_;
  std::vector<std::size_t> order_;
  std::unordered_set<std::string> seen_;
  std::vector<SweepPoint> points_;
};

void expand_grid(const SweepSpec& spec, Collector& collector) {
  std::vector<std::vector<std::vector<std::string>>> values;
  for (const SweepAxis& axis : spec.axes) values.push_back(grid_values(axis));
  std::vector<std::size_t> at(values.size(), 0);
  std::vector<const std::vector<std::string>*> words(values.size());
  for (bool more = true; more;) {
    for (std::size_t a = 0; a < values.size(); ++a) words[a] = &values[a][at[a]];
    collector.add(words);
    more = false;
    for (std::size_t a = values.size(); a-- > 0 && !more;) {
      more = ++at[a] < values[a].size();
      if (!more) at[a] = 0;
    }
  }
}

void expand_draws(const SweepSpec& spec, Collector& collector) {
  Shares shares(static_cast<std::size_t>(spec.samples), std::vector<double>(spec.axes.size()));
  if (spec.design == SweepDesign::random) fill_random(spec, shares);
  if (spec.design == SweepDesign::latin_hypercube) fill_hypercube(spec, shares);
  if (spec.design == SweepDesign::sobol) fill_sobol(spec, shares);
  for (const std::vector<double>& share : shares) {
    std::vector<std::vector<std::string>> words;
    for (std::size_t a = 0; a < share.size(); ++a) words.push_back(at_draw(spec.axes[a], share[a]));
    std::vector<const std::vector<std::string>*> places;
    for (const auto& word : words) places.push_back(&word);
    collector.add(places);
  }
}

}  // namespace

std::vector<std::vector<std::string>> grid_values(const SweepAxis& axis) {
  if (!axis.is_range()) return axis.values;
  std::vector<std::vector<std::string>> values;
  for (int i = 0; i < axis.count; ++i) {
    const double u = axis.count == 1 ? 0 : static_cast<double>(i) / (axis.count - 1);
    std::vector<std::string> words(axis.keys.size(), word_of(axis, at_share(axis, u)));
    if (values.empty() || values.back() != words) values.push_back(std::move(words));
  }
  return values;
}

std::vector<std::size_t> condition_order(const std::vector<SweepAxis>& axes) {
  const auto waits_for = [&](std::size_t a, std::size_t b) {
    return std::any_of(axes[b].keys.begin(), axes[b].keys.end(),
                       [&](const std::string& key) { return axes[a].when.contains(key); });
  };
  std::vector<std::size_t> order;
  std::vector<char> done(axes.size(), 0);
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t a = 0; a < axes.size(); ++a) {
      bool ready = done[a] == 0;
      for (std::size_t b = 0; b < axes.size() && ready; ++b) ready = done[b] != 0 || !waits_for(a, b);
      if (ready) order.push_back(a), done[a] = 1, changed = true;
    }
  }
  return order;
}

std::vector<SweepPoint> expand(const SweepSpec& spec) {
  spec.check();
  Collector collector(spec);
  if (spec.design == SweepDesign::list)
    for (const SweepPoint& run : spec.runs) collector.add(run);
  else if (spec.design == SweepDesign::factorial)
    expand_grid(spec, collector);
  else
    expand_draws(spec, collector);
  return collector.finish();
}

}  // namespace eos::theory
