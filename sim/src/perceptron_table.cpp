// The EOS-1 table of a grid of perceptrons.
#include <algorithm>
#include <limits>

#include "eos/sim/perceptron.hpp"
#include "eos/theory/synaptic_cache.hpp"
#include "perceptron_theory.hpp"

namespace eos::sim {
namespace {

using theory::PerceptronCell;
using theory::PerceptronSpec;

constexpr double k_missing = std::numeric_limits<double>::quiet_NaN();

class Table {
 public:
  explicit Table(const PerceptronGrid& grid) : grid_(grid), spec_(grid.spec) {
    add_cells();
    data_.add_dim("replica", spec_.replicas, "run with its own patterns");
    add_runs();
    add_energies();
    if (spec_.cache.on()) add_cache();
    add_courses();
    add_theory();
  }
  core::Dataset take() { return std::move(data_); }

 private:
  void add_cells() {
    axis("patterns", {spec_.patterns.begin(), spec_.patterns.end()}, "1", "patterns P to learn");
    if (!spec_.cache.on()) return;
    axis("decay", spec_.cache.decays, "presentations", "time constant tau of the transient part, 0: no decay");
    const bool clock = spec_.cache.trigger == theory::CacheTrigger::clock;
    axis(spec_.cache.setting_name(), spec_.cache.settings(), clock ? "presentations" : "1",
         clock ? "presentations between consolidations, 0: 3/(2c)" : "of the consolidation threshold");
    axis("maintenance", spec_.cache.maintenance, "1", "price c of |s| per presentation");
  }
  void axis(const std::string& name, std::vector<double> values, const std::string& units, const std::string& what) {
    data_.add_dim(name, std::move(values), units, what);
    cells_.push_back(name);
  }

  std::vector<std::string> over(std::initializer_list<const char*> more) const {
    std::vector<std::string> dims = cells_;
    dims.insert(dims.end(), more.begin(), more.end());
    return dims;
  }

  /// One number a run.
  template <class Value>
  void add(const char* name, const char* units, const char* what, const Value& value) {
    using T = std::decay_t<decltype(value(PerceptronResult{}))>;
    std::vector<T> values;
    for (const auto& runs : grid_.results)
      for (const PerceptronResult& run : runs) values.push_back(run.finished ? value(run) : missing<T>());
    data_.add(name, over({"replica"}), std::move(values), units, what);
  }
  /// A list of numbers a run, padded to `size`.
  template <class Value>
  void add_list(const char* name, const char* dim, std::size_t size, const char* what, const Value& value) {
    std::vector<double> values;
    for (std::size_t c = 0; c < grid_.cells.size(); ++c)
      for (const PerceptronResult& run : grid_.results[c]) {
        std::vector<double> list = run.finished ? value(grid_.cells[c], run) : std::vector<double>{};
        list.resize(size, k_missing);
        values.insert(values.end(), list.begin(), list.end());
      }
    data_.add(name, over({"replica", dim}), std::move(values), "1", what);
  }
  /// A closed form a run.
  void add_form(const char* name, const char* what,
                double (*form)(const PerceptronSpec&, const PerceptronCell&, const PerceptronResult&)) {
    std::vector<double> values;
    for (std::size_t c = 0; c < grid_.cells.size(); ++c)
      for (const PerceptronResult& run : grid_.results[c])
        values.push_back(run.finished ? form(spec_, grid_.cells[c], run) : k_missing);
    data_.add(name, over({"replica"}), std::move(values), "1", what);
  }
  template <class T>
  static T missing() {
    if constexpr (std::is_floating_point_v<T>)
      return k_missing;
    else
      return static_cast<T>(-1);
  }

  void add_runs() {
    using R = PerceptronResult;
    std::vector<std::int64_t> seeds;
    for (int r = 0; r < spec_.replicas; ++r) seeds.push_back(static_cast<std::int64_t>(spec_.seed) + r);
    data_.add("seed", {"replica"}, std::move(seeds), "1", "seed of patterns and targets");
    add("converged", "1", "1: learned all patterns, 0: not within max_epochs, -1: stopped before it was run",
        [](const R& r) { return static_cast<std::int32_t>(r.converged); });
    add("epochs", "epochs", "passes over all patterns, the last one without error",
        [](const R& r) { return r.epochs; });
    add("presentations", "presentations", "T", [](const R& r) { return r.presentations; });
    add("updates", "1", "K: presentations with an error", [](const R& r) { return r.updates; });
    add("weight_variance", "1", "variance of the final input weights / (K eta^2)",
        [](const R& r) { return r.variance; });
  }

  void add_energies() {
    data_.add_dim("alpha", spec_.alphas, "1", "exponent of M_alpha");
    const std::size_t size = spec_.alphas.size();
    add_list("m_alpha", "alpha", size, "sum |dw|^alpha, every update written at once",
             [](const PerceptronCell&, const PerceptronResult& r) { return r.m_alpha; });
    add_list("m_alpha_up", "alpha", size, "the same, only potentiation is paid",
             [](const PerceptronCell&, const PerceptronResult& r) { return r.m_alpha_up; });
    add_list("m_min", "alpha", size, "sum |w(T) - w(0)|^alpha of the same run",
             [](const PerceptronCell&, const PerceptronResult& r) { return r.m_min; });
    add_list("inefficiency", "alpha", size, "m_alpha / m_min", [](const PerceptronCell&, const PerceptronResult& r) {
      std::vector<double> ratio;
      for (std::size_t a = 0; a < r.m_min.size(); ++a) ratio.push_back(r.m_alpha[a] / r.m_min[a]);
      return ratio;
    });
  }

  void add_cache() {
    using R = PerceptronResult;
    add("consolidations", "1", "synapses whose transient part was moved", [](const R& r) { return r.consolidations; });
    add("m_cons", "1", "consolidation, sum |dl|, with what is left at the end", [](const R& r) { return r.m_cons; });
    add("m_cleanup", "1", "part of m_cons: what was left in s at the end", [](const R& r) { return r.m_cleanup; });
    add("m_trans", "1", "maintenance, c sum |s|", [](const R& r) { return r.m_trans; });
    add("m_change", "1", "b sum |ds| of updates that were not consolidated at once",
        [](const R& r) { return r.m_change; });
    add("m_cache", "1", "m_cons + m_trans + m_change", [](const R& r) { return r.m_cache(); });
  }

  void add_courses() {
    std::size_t epochs = 0;
    for (const auto& runs : grid_.results)
      for (const PerceptronResult& run : runs) epochs = std::max(epochs, run.error_rate.size());
    if (epochs == 0) return;
    std::vector<double> number;
    for (std::size_t e = 1; e <= epochs; ++e) number.push_back(static_cast<double>(e));
    data_.add_dim("epoch", std::move(number), "epochs", "pass over all patterns");
    add_list("error_rate", "epoch", epochs, "updates per presentation, p",
             [](const PerceptronCell&, const PerceptronResult& r) { return r.error_rate; });
    if (!spec_.cache.on()) return;
    add_list("power_consolidation", "epoch", epochs, "sum |dl| per epoch, without what is left at the end",
             [](const PerceptronCell&, const PerceptronResult& r) { return r.consolidation; });
    add_list("power_maintenance", "epoch", epochs, "c sum |s| per epoch",
             [](const PerceptronCell&, const PerceptronResult& r) { return r.maintenance; });
    add_list("theory_power_consolidation", "epoch", epochs, "with decay, at the measured error rate",
             [this](const PerceptronCell& cell, const PerceptronResult& r) {
               return theory_power(spec_, cell, r).consolidation;
             });
    add_list("theory_power_maintenance", "epoch", epochs, "with decay, at the measured error rate",
             [this](const PerceptronCell& cell, const PerceptronResult& r) {
               return theory_power(spec_, cell, r).maintenance;
             });
  }

  void add_theory() {
    std::vector<double> updates, presentations, inefficiency;
    for (const std::int64_t p : spec_.patterns) {
      const theory::PerceptronLearning learning{static_cast<double>(spec_.inputs), static_cast<double>(p), spec_.rate};
      const bool below = p < 2 * static_cast<std::int64_t>(spec_.inputs);  // capacity
      updates.push_back(below ? learning.updates() : k_missing);
      presentations.push_back(below ? learning.presentations() : k_missing);
      inefficiency.push_back(below ? learning.inefficiency() : k_missing);
    }
    data_.add("theory_updates", {"patterns"}, std::move(updates), "1", "2P/(2 - P/N)^2");
    data_.add("theory_presentations", {"patterns"}, std::move(presentations), "presentations", "P^(3/2)/(2 - P/N)^2");
    data_.add("theory_inefficiency", {"patterns"}, std::move(inefficiency), "1", "sqrt(pi P)/(2 - P/N), alpha = 1");
    if (!spec_.cache.on()) return;
    add_form("theory_m_cache", "closed form of m_cache at the run's own K, T and error rates", theory_energy);
    add_form("theory_threshold", "best constant threshold, eta sqrt(3K/(1 + cT))", theory_threshold);
    add_form("theory_m_least", "m_cache at that threshold", theory_least_energy);
    add_form("theory_saving", "predicted energy of the adaptive / of the best constant threshold", theory_saving);
  }

  const PerceptronGrid& grid_;
  const PerceptronSpec& spec_;
  std::vector<std::string> cells_;
  core::Dataset data_;
};

}  // namespace

core::Dataset to_dataset(const PerceptronGrid& grid) {
  core::Dataset data = Table(grid).take();
  data.attributes["title"] = grid.spec.title.empty() ? std::string("perceptrons") : grid.spec.title;
  data.attributes["kind"] = std::string("perceptrons");
  data.attributes["status"] = std::string(grid.stopped ? "partial" : "complete");
  data.attributes["determinism"] = std::string("R2 schedule-free");
  data.groups["provenance"].attributes["device"] = grid.device;
  return data;
}

}  // namespace eos::sim
