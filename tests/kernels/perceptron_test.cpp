#include "eos/kernels/perceptron.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "eos/core/error.hpp"
#include "kernel_test.hpp"

namespace eos::kernels {
namespace {

using test::OnCuda;
using theory::CacheTrigger;
using theory::CacheVariant;

/// The perceptron as the paper words it, dense and slow, with its own arithmetic: all weights before and after.
struct Oracle {
  PerceptronRun run;
  std::vector<std::vector<double>> x;  ///< [P][N + 1]
  std::vector<int> d;
  std::vector<double> l, s, start;
  std::int64_t updates = 0, shown = 0;
  int epochs = 0;
  bool converged = false;
  double mean = 0, path = 0, up = 0, consolidated = 0, held = 0, changed = 0, cleanup = 0;
  std::int64_t consolidations = 0;
  std::vector<int> errors;
  std::vector<bool> wrong_before;

  explicit Oracle(const PerceptronRun& r) : run(r) {
    const std::size_t n = static_cast<std::size_t>(r.inputs);
    double sum = 0;
    for (int p = 0; p < r.patterns; ++p) {
      std::vector<double> row(n + 1, 1);
      for (std::size_t i = 0; i < n; ++i) {
        const core::Words w = pattern_words(r.seed, static_cast<std::uint32_t>(p), static_cast<std::uint32_t>(i / 128));
        row[i] = (w.v[i / 32 % 4] >> (i % 32)) % 2 == 1 ? 1 : -1;
        sum += row[i];
      }
      x.push_back(row);
      const core::Words w = target_words(r.seed, static_cast<std::uint32_t>(p / 128));
      d.push_back((w.v[p / 32 % 4] >> (p % 32)) % 2 == 1 ? 1 : -1);
    }
    mean = r.subtract_mean ? sum / r.inputs / r.patterns : 0;
    for (auto& row : x)
      for (std::size_t i = 0; i < n; ++i) row[i] -= mean;
    l.assign(n + 1, 0), s.assign(n + 1, 0);
  }

  double threshold() const {
    const PerceptronCache& c = run.caches.front();
    if (c.trigger == CacheTrigger::constant) return c.threshold;
    const std::size_t size = wrong_before.size(), window = static_cast<std::size_t>(run.window);
    double count = 0;
    for (std::size_t t = size > window ? size - window : 0; t < size; ++t) count += wrong_before[t];
    return c.threshold * std::sqrt(count / static_cast<double>(std::min(size, window)));
  }
  static bool above(double a, double b) { return a > b && a - b > 1e-7 * (1 + b); }  // sums of whole numbers and m

  /// Which synapses move now.
  std::vector<bool> firing() const {
    const PerceptronCache& c = run.caches.front();
    if (c.trigger == CacheTrigger::clock) return std::vector<bool>(s.size(), shown % c.interval == 0);
    const double theta = threshold();
    std::vector<bool> fires(s.size());
    bool any = false;
    double total = 0;
    for (std::size_t i = 0; i < s.size(); ++i) {
      fires[i] = above(std::fabs(s[i]), theta);
      any = any || fires[i], total += std::fabs(s[i]);
    }
    if (c.variant == CacheVariant::local_global) return std::vector<bool>(s.size(), any);
    if (c.variant == CacheVariant::global_global) return std::vector<bool>(s.size(), above(total, theta));
    return fires;
  }

  void present(int p) {
    const PerceptronCache& cache = run.caches.front();
    double y = 0;
    for (std::size_t i = 0; i < s.size(); ++i) {
      s[i] *= run.retention;
      held += std::fabs(s[i]);
      y += x[static_cast<std::size_t>(p)][i] * (l[i] + s[i]);
    }
    const bool wrong = y * d[static_cast<std::size_t>(p)] <= 1e-9;
    wrong_before.push_back(wrong), ++shown;
    std::vector<double> change(s.size(), 0);
    if (wrong) {
      ++updates, ++errors.back();
      for (std::size_t i = 0; i < s.size(); ++i) {
        change[i] = d[static_cast<std::size_t>(p)] * x[static_cast<std::size_t>(p)][i];
        s[i] += change[i], path += std::fabs(change[i]), up += std::max(0., change[i]);
      }
    }
    const std::vector<bool> fires = firing();
    const std::vector<double> before = l;
    for (std::size_t i = 0; i < s.size(); ++i) {
      if (!fires[i]) changed += std::fabs(change[i]);
      if (!fires[i] || s[i] == 0) continue;
      const double move =
          cache.quantised ? std::trunc(s[i] / cache.threshold + std::copysign(1e-9, s[i])) * cache.threshold : s[i];
      l[i] += move, s[i] -= move, ++consolidations;
    }
    for (std::size_t i = 0; i < s.size(); ++i) consolidated += std::fabs(l[i] - before[i]);
  }

  void learn() {
    while (!converged && epochs < run.max_epochs) {
      errors.push_back(0);
      for (int p = 0; p < run.patterns; ++p) present(p);
      ++epochs, converged = errors.back() == 0;
    }
    for (std::size_t i = 0; i < s.size(); ++i) {
      cleanup += std::fabs(s[i]), consolidations += s[i] != 0;
      l[i] += s[i], s[i] = 0;
    }
    consolidated += cleanup;
  }
};

struct Case {
  const char* words;
  CacheVariant variant;
  CacheTrigger trigger;
  double threshold;
  std::int64_t interval;
  double tau;
  bool quantised = false;
};

constexpr double k_never = std::numeric_limits<double>::infinity();
const Case k_cases[] = {{"local-local", CacheVariant::local_local, CacheTrigger::constant, 3, 1, 0},
                        {"at once", CacheVariant::local_local, CacheTrigger::constant, 0, 1, 0},
                        {"never", CacheVariant::local_local, CacheTrigger::constant, k_never, 1, 0},
                        {"local-global", CacheVariant::local_global, CacheTrigger::constant, 4, 1, 0},
                        {"global-global", CacheVariant::global_global, CacheTrigger::constant, 120.5, 1, 0},
                        {"quantised", CacheVariant::local_local, CacheTrigger::constant, 2.5, 1, 0, true},
                        {"adaptive", CacheVariant::local_local, CacheTrigger::adaptive, 5.3, 1, 0},
                        {"adaptive, global", CacheVariant::local_global, CacheTrigger::adaptive, 6.2, 1, 0},
                        {"clock", CacheVariant::local_local, CacheTrigger::clock, k_never, 37, 0},
                        {"clock, global", CacheVariant::global_global, CacheTrigger::clock, k_never, 100, 0},
                        {"decay", CacheVariant::local_local, CacheTrigger::constant, 2, 1, 300},
                        {"decay, local-global", CacheVariant::local_global, CacheTrigger::constant, 3, 1, 300},
                        {"decay, global-global", CacheVariant::global_global, CacheTrigger::constant, 100, 1, 300},
                        {"decay, clock", CacheVariant::local_local, CacheTrigger::clock, k_never, 25, 300},
                        {"decay, adaptive", CacheVariant::local_local, CacheTrigger::adaptive, 4, 1, 300}};

PerceptronRun run_of(const Case& c) {
  PerceptronRun run;
  run.seed = 11, run.inputs = 90, run.patterns = 75, run.max_epochs = 60, run.window = 50, run.course_epochs = 5;
  run.retention = c.tau > 0 ? 1 - 1 / c.tau : 1;
  run.caches = {{c.variant, c.trigger, c.threshold, c.interval, c.quantised}};
  return run;
}

TEST(Perceptron, counts_equal_a_dense_count_of_every_weight_for_every_cache) {
  for (const Case& c : k_cases) {
    SCOPED_TRACE(c.words);
    const PerceptronRun run = run_of(c);
    Oracle oracle(run);
    oracle.learn();
    const PerceptronCounts counts = train_perceptrons(Context::cpu(), {&run, 1}).front();
    EXPECT_TRUE(counts.converged);
    EXPECT_EQ(counts.converged, oracle.converged);
    EXPECT_EQ(counts.epochs, oracle.epochs);
    EXPECT_EQ(counts.updates, oracle.updates);
    const PerceptronCacheCounts& cache = counts.caches.front();
    EXPECT_EQ(cache.consolidations, oracle.consolidations);
    // Both sum some 1e5 numbers of size 1 in double precision, in different order.
    EXPECT_NEAR(cache.power.consolidated, oracle.consolidated, 1e-9 * oracle.consolidated);
    EXPECT_NEAR(cache.power.held, oracle.held, 1e-9 * oracle.held);
    EXPECT_NEAR(cache.power.changed, oracle.changed, 1e-9 * oracle.changed);
    EXPECT_NEAR(cache.cleanup, oracle.cleanup, 1e-9 * (1 + oracle.cleanup));
    for (std::size_t i = 0; i < oracle.l.size(); ++i) EXPECT_NEAR(counts.weights[i], oracle.l[i], 1e-9);
    double path = static_cast<double>(counts.updates), up = static_cast<double>(counts.positive);
    for (const int d : {0, 1})
      for (const int xi : {0, 1}) {
        const double step = (d == 0 ? 1 : -1) * ((xi == 0 ? 1 : -1) - counts.mean);
        path += static_cast<double>(counts.changes[d][xi]) * std::fabs(step);
        up += static_cast<double>(counts.changes[d][xi]) * std::max(0., step);
      }
    EXPECT_NEAR(path, oracle.path, 1e-9 * oracle.path);
    EXPECT_NEAR(up, oracle.up, 1e-9 * oracle.up);
    ASSERT_EQ(counts.errors.size(), 5u);
    for (std::size_t e = 0; e < 5; ++e) EXPECT_EQ(counts.errors[e], oracle.errors[e]);
  }
}

TEST(Perceptron, caches_that_share_a_run_count_what_they_count_alone) {
  PerceptronRun together = run_of(k_cases[0]);
  together.caches.clear();
  std::vector<PerceptronRun> alone;
  for (const Case& c : k_cases)
    if (c.tau == 0) alone.push_back(run_of(c)), together.caches.push_back(alone.back().caches.front());
  const PerceptronCounts shared = train_perceptrons(Context::cpu(), {&together, 1}).front();
  const std::vector<PerceptronCounts> single = train_perceptrons(Context::cpu(), alone);
  for (std::size_t c = 0; c < alone.size(); ++c) {
    EXPECT_EQ(shared.caches[c].power.consolidated, single[c].caches[0].power.consolidated);
    EXPECT_EQ(shared.caches[c].power.held, single[c].caches[0].power.held);
    EXPECT_EQ(shared.caches[c].consolidations, single[c].caches[0].consolidations);
    EXPECT_EQ(shared.weights, single[c].weights) << "without decay the cache does not change what is learned";
  }
}

TEST(Perceptron, courses_add_up_to_the_totals) {
  for (const Case& c : k_cases) {
    PerceptronRun run = run_of(c);
    run.course_epochs = run.max_epochs;
    const PerceptronCacheCounts cache = train_perceptrons(Context::cpu(), {&run, 1}).front().caches.front();
    PerceptronCachePower sum;
    for (const PerceptronCachePower& p : cache.course)
      sum.consolidated += p.consolidated, sum.held += p.held, sum.changed += p.changed;
    EXPECT_EQ(sum.consolidated + cache.cleanup, cache.power.consolidated);
    EXPECT_EQ(sum.held, cache.power.held);
    EXPECT_EQ(sum.changed, cache.power.changed);
  }
}

TEST(Perceptron, more_patterns_than_capacity_never_converge) {
  PerceptronRun run;
  run.inputs = 20, run.patterns = 100, run.max_epochs = 30;  // capacity is 2N = 40
  const PerceptronCounts counts = train_perceptrons(Context::cpu(), {&run, 1}).front();
  EXPECT_FALSE(counts.converged);
  EXPECT_EQ(counts.epochs, 30);
}

TEST(Perceptron, a_run_outside_the_contract_is_refused) {
  PerceptronRun run = run_of(k_cases[10]);
  run.caches.push_back(run.caches.front());
  EXPECT_THROW(train_perceptrons(Context::cpu(), {&run, 1}), core::Error) << "two caches with decay";
}

TEST_F(OnCuda, perceptrons_have_the_bits_of_the_cpu) {
  std::vector<PerceptronRun> runs;
  for (const Case& c : k_cases) runs.push_back(run_of(c));
  const std::vector<PerceptronCounts> cpu = train_perceptrons(Context::cpu(), runs);
  const std::vector<PerceptronCounts> cuda = train_perceptrons(Context::cuda(), runs);
  for (std::size_t r = 0; r < runs.size(); ++r) {
    SCOPED_TRACE(k_cases[r].words);
    EXPECT_EQ(cpu[r].epochs, cuda[r].epochs);
    EXPECT_EQ(cpu[r].updates, cuda[r].updates);
    EXPECT_EQ(cpu[r].weights, cuda[r].weights);
    EXPECT_EQ(cpu[r].errors, cuda[r].errors);
    EXPECT_EQ(cpu[r].caches[0].consolidations, cuda[r].caches[0].consolidations);
    EXPECT_EQ(cpu[r].caches[0].power.consolidated, cuda[r].caches[0].power.consolidated);
    EXPECT_EQ(cpu[r].caches[0].power.held, cuda[r].caches[0].power.held);
    EXPECT_EQ(cpu[r].caches[0].power.changed, cuda[r].caches[0].power.changed);
  }
}

}  // namespace
}  // namespace eos::kernels
