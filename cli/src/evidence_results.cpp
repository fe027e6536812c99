#include "evidence_results.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "eos/theory/closed_forms.hpp"
#include "evidence_file.hpp"

namespace eos::cli {

using theory::Estimate;
using theory::Known;
using theory::PriceList;
using theory::QualityCurve;

namespace {

constexpr double k_nan = std::numeric_limits<double>::quiet_NaN();
constexpr double k_shares[] = {1, 0.5, 0.2, 0.1};  ///< of dense training's energy at the target
const std::vector<std::string> k_compute_terms{"forward", "scoring", "backward", "read", "input", "upkeep"};
const std::vector<std::string> k_write_terms{"write", "path", "transient"};

template <class Value>
theory::SeedRuns seed_runs(const Course& course, const Value& value) {
  theory::SeedRuns all;
  for (const std::vector<FinishedRun>& horizon : course.runs) {
    auto& points = all.emplace_back();
    for (const FinishedRun& run : horizon)
      points.push_back(run.complete ? value(run) : theory::QualityPoint{k_nan, k_nan});
  }
  return all;
}

/// The list with only some of its terms: what the two halves of the bill cost alone.
double sum_of_terms(const theory::Ledger& ledger, const PriceList& prices, const std::vector<std::string>& names) {
  double sum = 0;
  for (const auto& [name, value] : theory::terms(theory::energy(ledger, prices)))
    if (std::find(names.begin(), names.end(), name) != names.end()) sum += value;
  return sum;
}

theory::SeedRuns part_on_test(const Course& course, const PriceList& prices, const std::vector<std::string>& terms) {
  return seed_runs(course, [&](const FinishedRun& r) {
    return theory::QualityPoint{r.test_quality, sum_of_terms(r.ledger, prices, terms)};
  });
}

std::vector<std::string> term_names() {
  std::vector<std::string> names;
  for (const auto& [name, value] : theory::terms(theory::Energy{})) names.push_back(name);
  return names;
}

/// Arrays over (task, method, price_list), and smaller ones, filled one task after the other.
class Results {
 public:
  Results(core::Dataset& file, int resamples, std::uint64_t seed)
      : file_(file),
        resamples_(resamples),
        seed_(seed),
        tasks_(size("task")),
        methods_(size("method")),
        lists_(size("price_list")),
        method_names_(file.strings("method")),
        axes_(file.strings("method_axis")),
        terms_(term_names()) {
    for (std::size_t task = 0; task < tasks_; ++task) add_task(task);
    store();
  }

 private:
  std::size_t size(const char* dim) const { return static_cast<std::size_t>(file_.dims.at(dim)); }
  std::size_t at(std::size_t task, std::size_t method, std::size_t list) const {
    return (task * methods_ + method) * lists_ + list;
  }
  double& number(const std::string& name, std::size_t i, std::size_t length) {
    std::vector<double>& values = numbers_[name];
    if (values.empty()) values.assign(length, k_nan);
    return values.at(i);
  }
  double& cell(const std::string& name, std::size_t i) { return number(name, i, tasks_ * methods_ * lists_); }
  std::string& word(const std::string& name, std::size_t i, std::size_t length) {
    std::vector<std::string>& values = texts_[name];
    if (values.empty()) values.assign(length, "");
    return values[i];
  }
  void put(const std::string& name, std::size_t i, const Estimate& estimate) {
    cell(name, i) = estimate.value;
    word(name + "_known", i, tasks_ * methods_ * lists_) = sign_of(estimate.known);
  }
  void put(const std::string& name, std::size_t i, const theory::GainInterval& g) {
    put(name, i, g.gain);
    if (g.gain.known == Known::nothing) return;
    cell(name + "_low", i) = g.low, cell(name + "_high", i) = g.high;
    cell(name + "_t_low", i) = g.t_low, cell(name + "_t_high", i) = g.t_high;
  }
  std::size_t index_of(const std::string& method) const {
    return static_cast<std::size_t>(std::find(method_names_.begin(), method_names_.end(), method) -
                                    method_names_.begin());
  }

  void add_task(std::size_t task) {
    const std::vector<Course> courses = courses_of(runs_in(file_, task));
    const double sign = file_.strings("task_metric")[task] == "accuracy" ? 1 : -1;
    const double target = sign * file_.numbers("task_target")[task];
    for (std::size_t list = 0; list < lists_ && !courses.empty(); ++list)
      add_list(task, list, courses, target, prices_in(file_, task, list));
  }

  /// The best on validation among courses of methods for which `use` holds; nullptr when there is none.
  template <class Use>
  const Course* best(const std::vector<Course>& courses, const PriceList& prices, double target, const Use& use) const {
    const Course* found = nullptr;
    QualityCurve curve;
    for (const Course& course : courses) {
      if (!use(course)) continue;
      QualityCurve own = theory::mean_curve(course.on_validation(prices));
      if (found == nullptr || steers_better(own, curve, target)) found = &course, curve = std::move(own);
    }
    return found;
  }

  void add_list(std::size_t task, std::size_t list, const std::vector<Course>& courses, double target,
                const PriceList& prices) {
    const auto on_axis = [&](const std::set<std::string>& axes) {
      return [this, axes](const Course& c) { return axes.count(axes_[index_of(c.method)]) != 0; };
    };
    const auto named = [&](const std::string& name) {
      return [name](const Course& c) { return c.method == name; };
    };
    const Course* plain = best(courses, prices, target, named("dense"));
    const Course* dense = best(courses, prices, target, on_axis({"dense"}));
    const Course* rival = best(courses, prices, target, on_axis({"data", "write", "stacked"}));
    const Course* single = best(courses, prices, target, on_axis({"data", "write"}));
    const Course* joint = best(courses, prices, target, on_axis({"joint"}));
    const std::size_t here = task * lists_ + list, all = tasks_ * lists_;
    for (const auto& [name, course] :
         {std::pair{"best_dense", dense}, {"best_competitor", rival}, {"best_single_axis", single},
          {"best_data", best(courses, prices, target, on_axis({"data"}))},
          {"best_write", best(courses, prices, target, on_axis({"write"}))},
          {"best_stacked", best(courses, prices, target, on_axis({"stacked"}))}, {"best_joint", joint}})
      word(name, here, all) = course == nullptr ? "" : course->method;
    if (plain == nullptr) return;
    const QualityCurve plain_curve = theory::mean_curve(plain->on_test(prices));
    const Estimate budget = plain_curve.energy_at(target);
    const double quality = std::isnan(budget.value) ? plain_curve.points().back().quality : target;
    const auto part = [&](const std::vector<std::string>& names) {
      double sum = 0;
      for (const std::string& t : names) sum += plain_curve.along(plain->term_along(plain_curve, prices, t), quality);
      return sum;
    };
    number("plasticity_share", here, all) = part(k_write_terms) / part(terms_);
    for (std::size_t m = 0; m < methods_; ++m)
      if (const Course* own = best(courses, prices, target, named(method_names_[m])))
        add_method(at(task, m, list), *own, {plain, dense, rival, single}, target, budget, prices, here);
  }

  struct References {
    const Course *plain, *dense, *rival, *single;
  };

  void add_method(std::size_t i, const Course& own, const References& other, double target, const Estimate& budget,
                  const PriceList& prices, std::size_t here) {
    const theory::SeedRuns runs = own.on_test(prices);
    const QualityCurve curve = theory::mean_curve(runs);
    if (curve.empty()) return;
    const auto against = [&](const Course* course, double quality) {
      return theory::gain_with_interval(course->on_test(prices), runs, quality, resamples_, seed_);
    };
    cell("configuration", i) = own.configuration;
    put("energy_at_target", i, curve.energy_at(target));
    cell("best_quality", i) = curve.points().back().quality;
    put("gain_over_plain", i, against(other.plain, target));
    put("gain", i, against(other.dense, target));
    if (other.rival != nullptr) put("gain_over_competitor", i, against(other.rival, target));
    if (other.single != nullptr) put("gain_over_single_axis", i, against(other.single, target));
    // A method whose shortest horizon is better than the target: what it gains at that quality.
    const double compared = std::clamp(target, curve.points().front().quality, curve.points().back().quality);
    cell("quality_compared", i) = compared;
    put("gain_compared", i, against(other.dense, compared));
    for (std::size_t s = 0; s < std::size(k_shares); ++s) {
      const Estimate q = std::isnan(budget.value) ? Estimate{k_nan, Known::nothing}
                                                  : curve.quality_at(k_shares[s] * budget.value);
      const std::size_t j = i * std::size(k_shares) + s, length = tasks_ * methods_ * lists_ * std::size(k_shares);
      number("quality_at_share", j, length) = q.value;
      word("quality_at_share_known", j, length) = sign_of(q.known);
    }
    for (std::size_t t = 0; t < terms_.size(); ++t)
      number("energy_by_term", i * terms_.size() + t, tasks_ * methods_ * lists_ * terms_.size()) =
          curve.along(own.term_along(curve, prices, terms_[t]), compared);
    add_two_terms(i, own, *other.plain, target, prices, here);
    const Estimate faster = theory::gain(theory::mean_curve(other.plain->seconds_on_test()),
                                         theory::mean_curve(own.seconds_on_test()), target);
    wall_.resize(tasks_ * methods_ * lists_, k_nan);
    wall_[i] = faster.value;
  }

  /// Compute and write gains of a method alone, and what the two-term rule makes of them.
  void add_two_terms(std::size_t i, const Course& own, const Course& plain, double target, const PriceList& prices,
                     std::size_t here) {
    const auto part = [&](const std::vector<std::string>& terms) {
      return theory::gain(theory::mean_curve(part_on_test(plain, prices, terms)),
                          theory::mean_curve(part_on_test(own, prices, terms)), target)
          .value;
    };
    cell("compute_gain", i) = part(k_compute_terms);
    cell("write_gain", i) = part(k_write_terms);
    const double share = numbers_.at("plasticity_share")[here];
    cell("two_term_gain", i) = share > 0 ? theory::two_term_gain(share, cell("compute_gain", i), cell("write_gain", i))
                                         : cell("compute_gain", i);
  }

  /// Text or number; what no task has is empty or NaN.
  void add(const std::string& name, const std::vector<std::string>& dims, const std::string& units,
           const std::string& long_name) {
    std::size_t length = 1;
    for (const std::string& dim : dims) length *= size(dim.c_str());
    const bool text = name.ends_with("_known") || (name.starts_with("best_") && name != "best_quality");
    if (text)
      word(name, 0, length), file_.add(name, dims, texts_[name], units, long_name);
    else
      number(name, 0, length), file_.add(name, dims, numbers_[name], units, long_name);
  }

  void add_gain(const std::string& name, const std::string& of) {
    const std::vector<std::string> dims{"task", "method", "price_list"};
    add(name, dims, "1", of);
    add(name + "_known", dims, "1", "= as stated; >= lower bound; <= upper bound; empty: not reached");
    add(name + "_low", dims, "1", "95 % paired bootstrap over seeds, lower end");
    add(name + "_high", dims, "1", "95 % paired bootstrap over seeds, upper end");
    add(name + "_t_low", dims, "1", "95 % jackknife with Student's t, lower end");
    add(name + "_t_high", dims, "1", "95 % jackknife with Student's t, upper end");
  }

  void store() {
    const std::vector<std::string> dims{"task", "method", "price_list"}, pairs{"task", "price_list"};
    file_.add_dim("share", std::vector<double>(std::begin(k_shares), std::end(k_shares)), "1",
                  "energy as a share of plain dense training's at the target");
    file_.dims["term"] = static_cast<std::int64_t>(terms_.size());
    file_.add("term", {"term"}, terms_, "1", "term of the energy");
    add("best_dense", pairs, "1", "dense training whose batch is the best on validation: the baseline");
    add("best_competitor", pairs, "1", "best single-axis or stacked method on validation");
    add("best_single_axis", pairs, "1", "best single-axis method on validation");
    add("best_data", pairs, "1", "best method of axis data on validation");
    add("best_write", pairs, "1", "best method of axis write on validation");
    add("best_stacked", pairs, "1", "best stacked method on validation");
    add("best_joint", pairs, "1", "best joint method on validation");
    add("plasticity_share", pairs, "1", "share of plain dense training's energy spent on writes and path at the target");
    add("configuration", dims, "1", "run_configuration that stands for the method, the best on validation");
    add("energy_at_target", dims, "J", "mean energy to reach the target");
    add("energy_at_target_known", dims, "1", "= as stated; <= upper bound; empty: not reached");
    add("best_quality", dims, "1", "best mean test quality over horizons (accuracy, or minus the loss)");
    add_gain("gain", "energy of the best dense training / energy of the method, at the target");
    add_gain("gain_over_plain", "energy of dense training at the task's batch / energy of the method");
    add_gain("gain_over_competitor", "energy of the best competitor / energy of the method, at the target");
    add_gain("gain_over_single_axis", "energy of the best single-axis method / energy of the method, at the target");
    add("quality_compared", dims, "1", "the target, or what the method's horizons have nearest to it");
    add_gain("gain_compared", "energy of the best dense training / energy of the method, at quality_compared");
    add("compute_gain", dims, "1", "gain over plain dense training in the terms of computing alone");
    add("write_gain", dims, "1", "gain over plain dense training in writes and path alone");
    add("two_term_gain", dims, "1", "1 / ((1 - s)/compute_gain + s/write_gain), s = plasticity_share");
    add("quality_at_share", {"task", "method", "price_list", "share"}, "1", "mean test quality for that energy");
    add("quality_at_share_known", {"task", "method", "price_list", "share"}, "1", "= as stated; >= lower bound");
    add("energy_by_term", {"task", "method", "price_list", "term"}, "J", "mean energy at quality_compared, by term");
    if (!wall_.empty())
      file_.groups["provenance"].variables.push_back(
          {"wall_gain", dims, wall_, "1", "wall time of plain dense training / that of the method, at the target", {}});
  }

  core::Dataset& file_;
  int resamples_;
  std::uint64_t seed_;
  std::size_t tasks_, methods_, lists_;
  std::vector<std::string> method_names_, axes_, terms_;
  std::map<std::string, std::vector<double>> numbers_;
  std::map<std::string, std::vector<std::string>> texts_;
  std::vector<double> wall_;
};

}  // namespace

std::string sign_of(Known known) {
  switch (known) {
    case Known::exact:
      return "=";
    case Known::at_least:
      return ">=";
    case Known::at_most:
      return "<=";
    case Known::nothing:
      break;
  }
  return "";
}

theory::SeedRuns Course::on_test(const PriceList& prices) const {
  return seed_runs(*this, [&](const FinishedRun& r) {
    return theory::QualityPoint{r.test_quality, theory::energy(r.ledger, prices).total()};
  });
}
theory::SeedRuns Course::on_validation(const PriceList& prices) const {
  return seed_runs(*this, [&](const FinishedRun& r) {
    return theory::QualityPoint{r.validation_quality, theory::energy(r.ledger, prices).total()};
  });
}
theory::SeedRuns Course::seconds_on_test() const {
  return seed_runs(*this, [](const FinishedRun& r) { return theory::QualityPoint{r.test_quality, r.seconds}; });
}

std::vector<double> Course::term_along(const QualityCurve& curve, const PriceList& prices,
                                       const std::string& term) const {
  std::vector<double> values;
  for (const theory::QualityPoint& point : curve.points())
    for (const std::vector<FinishedRun>& horizon : runs) {
      double total = 0, value = 0;
      for (const FinishedRun& run : horizon) {
        total += theory::energy(run.ledger, prices).total();
        value += sum_of_terms(run.ledger, prices, {term});
      }
      const auto n = static_cast<double>(horizon.size());
      if (std::abs(total / n - point.energy) > 1e-12 * point.energy) continue;  // another horizon
      values.push_back(value / n);
      break;
    }
  return values;
}

std::vector<Course> courses_of(const std::vector<FinishedRun>& runs) {
  std::map<std::pair<std::string, int>, std::map<double, std::map<std::uint64_t, FinishedRun>>> sorted;
  for (const FinishedRun& run : runs) sorted[{run.method, run.configuration}][run.factor][run.seed] = run;
  std::vector<Course> courses;
  for (const auto& [key, horizons] : sorted) {
    Course& course = courses.emplace_back();
    course.method = key.first, course.configuration = key.second;
    for (const auto& [factor, seeds] : horizons) {
      auto& row = course.runs.emplace_back();
      for (const auto& [seed, run] : seeds) row.push_back(run);
    }
  }
  return courses;
}

bool steers_better(const QualityCurve& a, const QualityCurve& b, double target) {
  if (a.empty() || b.empty()) return b.empty() && !a.empty();
  const Estimate of_a = a.energy_at(target), of_b = b.energy_at(target);
  const bool a_reaches = of_a.known != Known::nothing, b_reaches = of_b.known != Known::nothing;
  if (a_reaches != b_reaches) return a_reaches;
  if (a_reaches) return of_a.value < of_b.value;
  return a.points().back().quality > b.points().back().quality;
}

void add_results(core::Dataset& evidence, int resamples, std::uint64_t seed) { Results(evidence, resamples, seed); }

}  // namespace eos::cli
