// One block of memory a perceptron run: what goes in, what is worked on, what comes out. Private to kernels/.
#pragma once

#include <cstddef>
#include <cstring>

#include "perceptron_formula.hpp"

namespace eos::kernels {

/// Places of a run's arrays relative to the start of its block, which holds zeros at the start. The results come first.
class PerceptronMemory {
 public:
  explicit PerceptronMemory(const PerceptronRun& run) : run_(&run) {
    stride_ = (run.inputs + 1 + formula::k_lanes - 1) / formula::k_lanes * formula::k_lanes;
    const std::size_t caches = run.caches.size(), n = static_cast<std::size_t>(stride_);
    const std::size_t rows = static_cast<std::size_t>(run.patterns),
                      epochs = static_cast<std::size_t>(run.course_epochs);
    outcome_ = take(sizeof(PerceptronTotals)), totals_ = take(caches * sizeof(PerceptronCacheTotals));
    weights_ = take(n * sizeof(double));
    errors_ = take(epochs * sizeof(std::int32_t)), course_ = take(caches * epochs * sizeof(PerceptronCachePower));
    results_ = size_;
    rules_ = take(caches * sizeof(PerceptronCache));
    steps_ = take(n * sizeof(float)), persistent_ = take(caches * n * sizeof(double));
    transient_ = take(caches * n * sizeof(double));
    history_ = take(static_cast<std::size_t>(window()));
    targets_ = take(rows), sign_sums_ = take(rows * sizeof(std::int32_t)), signs_ = take(rows * n);
  }

  std::size_t bytes() const { return size_; }
  std::size_t result_bytes() const { return results_; }
  std::size_t rules_at() const { return rules_; }

  formula::PerceptronTask task(std::byte* block) const {
    formula::PerceptronTask t{};
    t.seed = run_->seed, t.inputs = run_->inputs, t.patterns = run_->patterns, t.max_epochs = run_->max_epochs;
    t.stride = stride_, t.window = window(), t.course_epochs = run_->course_epochs;
    t.caches = static_cast<std::int32_t>(run_->caches.size());
    t.subtract_mean = run_->subtract_mean, t.retention = run_->retention;
    t.signs = at<std::int8_t>(block, signs_), t.targets = at<std::int8_t>(block, targets_);
    t.sign_sums = at<std::int32_t>(block, sign_sums_), t.history = at<std::uint8_t>(block, history_);
    t.steps = at<float>(block, steps_), t.persistent = at<double>(block, persistent_);
    t.transient = at<double>(block, transient_), t.weights = at<double>(block, weights_);
    t.errors = at<std::int32_t>(block, errors_), t.course = at<PerceptronCachePower>(block, course_);
    t.rules = at<PerceptronCache>(block, rules_), t.totals = at<PerceptronCacheTotals>(block, totals_);
    t.outcome = at<PerceptronTotals>(block, outcome_);
    return t;
  }

  /// Reads the results out of the first result_bytes() of a finished block.
  PerceptronCounts counts(std::byte* block) const {
    const formula::PerceptronTask t = task(block);
    PerceptronCounts counts;
    static_cast<PerceptronTotals&>(counts) = *t.outcome;
    counts.weights.assign(t.weights, t.weights + run_->inputs + 1);
    const int epochs = counts.epochs < t.course_epochs ? counts.epochs : t.course_epochs;
    counts.errors.assign(t.errors, t.errors + epochs);
    for (int c = 0; c < t.caches; ++c) {
      PerceptronCacheCounts cache;
      static_cast<PerceptronCacheTotals&>(cache) = t.totals[c];
      const PerceptronCachePower* course = t.course + static_cast<std::ptrdiff_t>(c) * t.course_epochs;
      cache.course.assign(course, course + epochs);
      counts.caches.push_back(std::move(cache));
    }
    return counts;
  }

 private:
  template <class T>
  static T* at(std::byte* block, std::size_t place) {
    return reinterpret_cast<T*>(block + place);
  }
  std::size_t take(std::size_t bytes) {
    constexpr std::size_t k_line = 64;
    const std::size_t place = size_;
    size_ += (bytes + k_line - 1) / k_line * k_line;
    return place;
  }
  /// Without an adaptive threshold nobody asks for the running mean.
  int window() const {
    for (const PerceptronCache& cache : run_->caches)
      if (cache.trigger == theory::CacheTrigger::adaptive) return run_->window;
    return 1;
  }

  const PerceptronRun* run_;
  int stride_ = 0;
  std::size_t size_ = 0, results_ = 0;
  std::size_t outcome_, totals_, weights_, errors_, course_, rules_, steps_, persistent_, transient_, history_,
      targets_, sign_sums_, signs_;
};

}  // namespace eos::kernels
