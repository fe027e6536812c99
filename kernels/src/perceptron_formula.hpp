// The online perceptron with synaptic caches, for one run, written once for a core and for a warp. Private to kernels/.
//
// A Team is who works on the run: team.each(n, f) calls f(i) for its share of i < n, team.sums<K>(n, f) adds K terms
// over all i < n in a fixed order (32 partial sums, then a tree) and gives every member the same bits. Member `lane`
// always owns the entries i = lane (mod 32), so only team.fence() after the patterns are drawn is needed. Every member
// computes all scalars.
#pragma once

#include <cmath>
#include <cstdint>

#include "eos/kernels/perceptron.hpp"

namespace eos::kernels::formula {

inline constexpr int k_lanes = 32;
inline constexpr double k_rounding = 1e-9;  ///< relative, of comparisons with thresholds

template <int K>
struct Terms {
  double v[K];
};

/// Set bits among the lowest `count` <= 32.
EOS_HD inline int set_bits(std::uint32_t v, int count) {
  if (count < 32) v &= (1u << count) - 1;
  v = v - ((v >> 1) & 0x55555555u);
  v = (v & 0x33333333u) + ((v >> 2) & 0x33333333u);
  return static_cast<int>((((v + (v >> 4)) & 0x0F0F0F0Fu) * 0x01010101u) >> 24);
}

/// A run as plain values and pointers: arrays of `stride` entries, the inputs, the bias and zeros up to a multiple of
/// 32.
struct PerceptronTask {
  std::uint64_t seed;
  std::int32_t inputs, patterns, max_epochs, stride, window, course_epochs, caches;
  bool subtract_mean;
  double retention;
  std::int8_t* signs;             ///< [patterns][stride], bias +1, zeros
  std::int8_t* targets;           ///< [patterns]
  std::int32_t* sign_sums;        ///< [patterns] over the inputs
  std::uint8_t* history;          ///< [window] errors
  float* steps;                   ///< [stride] a_i, bias b; without decay
  double* persistent;             ///< [stride] l_i; with decay
  double* transient;              ///< [caches][stride] s_i
  double* weights;                ///< [stride] final w_i
  std::int32_t* errors;           ///< [course_epochs]
  PerceptronCachePower* course;   ///< [caches][course_epochs]
  const PerceptronCache* rules;   ///< [caches]
  PerceptronCacheTotals* totals;  ///< [caches]
  PerceptronTotals* outcome;
};

/// What is known of a cache besides s.
struct CacheState {
  PerceptronCache rule;
  PerceptronCacheTotals totals;
  PerceptronCachePower epoch;
  double held = 0;        ///< sum |s|
  double checked = 0;     ///< threshold at the last check
  std::int64_t tick = 0;  ///< next presentation at which the clock fires
};

template <class Team>
class Perceptron {
 public:
  EOS_HD Perceptron(const Team& team, const PerceptronTask& task) : team_(team), t_(task) {}

  EOS_HD void run() {
    draw();
    for (int c = 0; c < t_.caches; ++c) {
      caches_[c].rule = t_.rules[c];
      caches_[c].tick = t_.rules[c].interval;
    }
    while (result_.epochs < t_.max_epochs && !result_.converged) {
      const std::int64_t before = result_.updates;
      for (int p = 0; p < t_.patterns; ++p) present(p);
      close_epoch(static_cast<std::int32_t>(result_.updates - before));
    }
    finish();
  }

 private:
  EOS_HD bool decays() const { return t_.retention < 1; }
  EOS_HD double offset(int i) const { return i < t_.inputs ? result_.mean : 0; }
  EOS_HD double* transient(int cache) const { return t_.transient + static_cast<std::int64_t>(cache) * t_.stride; }
  EOS_HD double* persistent(const CacheState& cache) const { return t_.persistent + (&cache - caches_) * t_.stride; }
  EOS_HD const std::int8_t* signs(int pattern) const {
    return t_.signs + static_cast<std::int64_t>(pattern) * t_.stride;
  }

  EOS_HD void draw() {
    std::int64_t total = 0;
    for (int p = 0; p < t_.patterns; ++p) {
      std::int8_t* row = t_.signs + static_cast<std::int64_t>(p) * t_.stride;
      std::int32_t sum = 0;
      core::Words words{};
      for (int first = 0; first < t_.inputs; first += 32) {
        if (first % 128 == 0) words = pattern_words(t_.seed, static_cast<std::uint32_t>(p), first / 128u);
        const int count = t_.inputs - first < 32 ? t_.inputs - first : 32;
        const std::uint32_t bits = words.v[first / 32 % 4];
        team_.each(count, [=](int k) { row[first + k] = static_cast<std::int8_t>(sign_of(bits, k)); });
        sum += 2 * set_bits(bits, count) - count;
      }
      team_.each(t_.stride, [&](int i) {
        if (i >= t_.inputs) row[i] = i == t_.inputs ? 1 : 0;
      });
      t_.sign_sums[p] = sum;
      const core::Words targets = target_words(t_.seed, p / 128u);
      t_.targets[p] = static_cast<std::int8_t>(sign_of(targets.v[p / 32 % 4], p % 32));
      total += sum;
    }
    if (t_.subtract_mean) result_.mean = static_cast<double>(total) / (static_cast<double>(t_.inputs) * t_.patterns);
    team_.fence();
  }

  EOS_HD void present(int pattern) {
    if (decays()) decay();
    for (int c = 0; c < t_.caches; ++c) caches_[c].epoch.held += caches_[c].held;
    const int d = t_.targets[pattern];
    const bool wrong = output(pattern) * d <= 0;
    if (wrong) count(pattern, d);
    ++shown_;
    remember(wrong);
    for (int c = 0; c < t_.caches; ++c) {
      CacheState& cache = caches_[c];
      const double theta = threshold(cache);
      const bool clock = cache.rule.trigger == theory::CacheTrigger::clock;
      const bool due = clock ? shown_ == cache.tick : theta < cache.checked;
      if (wrong || due) learn(cache, transient(c), signs(pattern), wrong ? d : 0, theta, clock && due);
    }
  }

  /// s *= 1 - 1/tau, with its sum of magnitudes. There is one cache.
  EOS_HD void decay() {
    double* s = transient(0);
    const double keep = t_.retention;
    caches_[0].held = team_
                          .template sums<1>(t_.stride,
                                            [=](int i) {
                                              s[i] *= keep;
                                              return Terms<1>{fabs(s[i])};
                                            })
                          .v[0];
  }

  EOS_HD double output(int pattern) const {
    const std::int8_t* xi = signs(pattern);
    if (decays()) {
      const double *s = transient(0), *l = t_.persistent;
      const double mean = result_.mean;
      const int inputs = t_.inputs;
      return team_
          .template sums<1>(t_.stride,
                            [=](int i) { return Terms<1>{(xi[i] - (i < inputs ? mean : 0.0)) * (l[i] + s[i])}; })
          .v[0];
    }
    const double raw = team_.dot(t_.stride, xi, t_.steps);  // bias included
    const double m = result_.mean;
    return raw - m * (bias_ * t_.sign_sums[pattern] + step_sum_) + t_.inputs * m * m * bias_;
  }

  /// An update: the counts, and the weights where they do not follow from a cache.
  EOS_HD void count(int pattern, int d) {
    const std::int64_t plus = (t_.inputs + t_.sign_sums[pattern]) / 2;
    ++result_.updates;
    result_.positive += d > 0;
    result_.changes[d < 0][0] += plus;
    result_.changes[d < 0][1] += t_.inputs - plus;
    if (decays()) return;
    float* a = t_.steps;
    const std::int8_t* xi = signs(pattern);
    team_.each(t_.stride, [=](int i) { a[i] += static_cast<float>(d * xi[i]); });
    bias_ += d;
    step_sum_ += d * t_.sign_sums[pattern];
  }

  /// The running mean of errors over the last `window` presentations.
  EOS_HD void remember(bool wrong) {
    const int place = static_cast<int>((shown_ - 1) % t_.window);
    if (shown_ > t_.window) recent_ -= history(place);
    recent_ += wrong;
    team_.own(place, [&] { t_.history[place] = wrong; });
  }
  EOS_HD int history(int place) const {
    return team_.fetch(place, [&] { return static_cast<int>(t_.history[place]); });
  }

  EOS_HD double threshold(const CacheState& cache) const {
    if (cache.rule.trigger == theory::CacheTrigger::clock) return HUGE_VAL;
    if (cache.rule.trigger == theory::CacheTrigger::constant) return cache.rule.threshold;
    const std::int64_t n = shown_ < t_.window ? shown_ : t_.window;
    return cache.rule.threshold * sqrt(static_cast<double>(recent_) / static_cast<double>(n));
  }

  /// Adds the update d x to s (nothing for d = 0), then consolidates what passes the threshold, or all if told so.
  EOS_HD void learn(CacheState& cache, double* s, const std::int8_t* xi, int d, double theta, bool all) {
    cache.checked = theta;
    const double barrier = theta * (1 + k_rounding);
    if (cache.rule.variant == theory::CacheVariant::local_local && !all)
      learn_local(cache, s, xi, d, barrier, cache.rule.quantised ? theta : 0.0);
    else
      learn_global(cache, s, xi, d, barrier, all);
  }

  EOS_HD void learn_local(CacheState& cache, double* s, const std::int8_t* xi, int d, double barrier, double quantum) {
    const double mean = d * result_.mean, step = d;
    const int inputs = t_.inputs;
    double* l = persistent(cache);
    const auto change = [=](int i) { return step * xi[i] - (i < inputs ? mean : 0.0); };
    const auto keep = [=](int i, double sum, double move, double fires) {
      l[i] += move;
      s[i] = sum - move;
      return Terms<4>{fabs(move), fabs(sum - move), fabs(change(i)) * (1 - fires), fires};
    };
    const auto all = [=](int i) {
      const double sum = s[i] + change(i), fires = fabs(sum) > barrier ? 1.0 : 0.0;
      return keep(i, sum, sum * fires, fires);
    };
    const auto multiples = [=](int i) {
      const double sum = s[i] + change(i), fires = fabs(sum) > barrier ? 1.0 : 0.0;
      return keep(i, sum, quantum * trunc(sum / quantum * (1 + k_rounding)) * fires, fires);
    };
    add(cache, quantum > 0 ? team_.template sums<4>(t_.stride, multiples) : team_.template sums<4>(t_.stride, all));
  }

  EOS_HD void learn_global(CacheState& cache, double* s, const std::int8_t* xi, int d, double barrier, bool all) {
    const double mean = d * result_.mean, step = d;
    const int inputs = t_.inputs;
    const bool total = cache.rule.variant == theory::CacheVariant::global_global;
    const Terms<3> seen = team_.template sums<3>(t_.stride, [=](int i) {
      const double change = step * xi[i] - (i < inputs ? mean : 0.0);
      s[i] += change;
      return Terms<3>{fabs(s[i]), fabs(change), fabs(s[i]) > barrier ? 1.0 : 0.0};
    });
    const bool fires = all || (total ? seen.v[0] > barrier : seen.v[2] > 0);
    if (fires)
      empty(cache, s);
    else
      add(cache, Terms<4>{0, seen.v[0], seen.v[1], 0});
  }

  /// Consolidates all of s; returns the path length.
  EOS_HD double empty(CacheState& cache, double* s) {
    double* l = persistent(cache);
    const Terms<2> moved = team_.template sums<2>(t_.stride, [=](int i) {
      const double move = s[i];
      l[i] += move;
      s[i] = 0;
      return Terms<2>{fabs(move), move != 0 ? 1.0 : 0.0};
    });
    if (cache.rule.trigger == theory::CacheTrigger::clock) cache.tick = shown_ + cache.rule.interval;
    add(cache, Terms<4>{moved.v[0], 0, 0, moved.v[1]});
    return moved.v[0];
  }

  /// terms: consolidated, held now, changed, synapses consolidated.
  EOS_HD static void add(CacheState& cache, const Terms<4>& terms) {
    cache.epoch.consolidated += terms.v[0];
    cache.held = terms.v[1];
    cache.epoch.changed += terms.v[2];
    cache.totals.consolidations += static_cast<std::int64_t>(terms.v[3]);
  }

  EOS_HD void close_epoch(std::int32_t errors) {
    const int e = result_.epochs++;
    result_.converged = errors == 0;
    if (e < t_.course_epochs) t_.errors[e] = errors;
    for (int c = 0; c < t_.caches; ++c) {
      CacheState& cache = caches_[c];
      if (e < t_.course_epochs) t_.course[c * t_.course_epochs + e] = cache.epoch;
      collect(cache);
    }
  }
  EOS_HD static void collect(CacheState& cache) {
    cache.totals.power.consolidated += cache.epoch.consolidated;
    cache.totals.power.held += cache.epoch.held;
    cache.totals.power.changed += cache.epoch.changed;
    cache.epoch = PerceptronCachePower{};
  }

  /// What is left in s is consolidated and paid for.
  EOS_HD void finish() {
    for (int c = 0; c < t_.caches; ++c) {
      caches_[c].totals.cleanup = empty(caches_[c], transient(c));
      collect(caches_[c]);
      t_.totals[c] = caches_[c].totals;
    }
    team_.each(t_.stride, [&](int i) {
      t_.weights[i] = decays() ? t_.persistent[i] : static_cast<double>(t_.steps[i]) - offset(i) * bias_;
    });
    *t_.outcome = result_;
  }

  Team team_;
  PerceptronTask t_;
  PerceptronTotals result_;
  double bias_ = 0, step_sum_ = 0;  ///< b and the sum of a_i over the inputs, without decay
  std::int64_t shown_ = 0, recent_ = 0;
  CacheState caches_[k_most_caches];
};

}  // namespace eos::kernels::formula
