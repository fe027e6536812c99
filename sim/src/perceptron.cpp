#include "eos/sim/perceptron.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>

#include "eos/core/parallel.hpp"
#include "eos/kernels/perceptron.hpp"
#include "eos/theory/synaptic_cache.hpp"

namespace eos::sim {
namespace {

using kernels::PerceptronCounts;
using kernels::PerceptronRun;
using theory::PerceptronCell;
using theory::PerceptronSpec;

/// A run of the kernel and the cells whose caches it carries, one each.
struct Job {
  std::vector<std::size_t> caches;              ///< first cell of every cache
  std::vector<std::vector<std::size_t>> cells;  ///< [caches] all cells with that cache; they differ in price
  double retention = 1;
  int patterns = 0;
};

/// Whether the cache itself, not only its energy, depends on c.
bool price_matters(const PerceptronSpec& s, const PerceptronCell& cell) {
  const bool best_interval = s.cache.trigger == theory::CacheTrigger::clock && cell.setting == 0;
  return s.cache.trigger == theory::CacheTrigger::adaptive || best_interval;
}

/// Groups cells: first by price, then caches by course of the weights.
std::vector<Job> jobs_of(const PerceptronSpec& spec, const std::vector<PerceptronCell>& cells) {
  std::vector<Job> jobs;
  for (std::size_t c = 0; c < cells.size(); ++c) {
    const PerceptronCell& cell = cells[c];
    Job* last = jobs.empty() || jobs.back().patterns != cell.patterns ? nullptr : &jobs.back();
    if (last != nullptr && spec.cache.on() && !price_matters(spec, cell)) {
      const PerceptronCell& before = cells[last->caches.back()];
      if (before.decay == cell.decay && before.setting == cell.setting) {
        last->cells.back().push_back(c);
        continue;
      }
    }
    const double retention = cell.decay > 0 ? 1 - 1 / cell.decay : 1;
    const bool shared =
        last != nullptr && retention == 1 && last->retention == 1 && last->caches.size() < kernels::k_most_caches;
    if (!shared) jobs.push_back({{}, {}, retention, static_cast<int>(cell.patterns)});
    jobs.back().caches.push_back(c);
    jobs.back().cells.push_back({c});
  }
  return jobs;
}

kernels::PerceptronCache cache_of(const PerceptronSpec& spec, const PerceptronCell& cell) {
  kernels::PerceptronCache cache;
  cache.variant = spec.cache.variant;
  cache.trigger = spec.cache.trigger;
  cache.quantised = spec.cache.quantised;
  switch (spec.cache.trigger) {
    case theory::CacheTrigger::constant:
      cache.threshold = cell.setting / spec.rate;
      break;
    case theory::CacheTrigger::adaptive:
      cache.threshold = cell.setting * theory::AdaptiveThreshold{1, cell.maintenance}.threshold(1);
      break;
    case theory::CacheTrigger::clock:
      cache.interval = theory::clock_interval(static_cast<std::int64_t>(cell.setting), cell.maintenance);
      break;
  }
  return cache;
}

PerceptronRun run_of(const PerceptronSpec& spec, const std::vector<PerceptronCell>& cells, const Job& job,
                     std::size_t replica) {
  PerceptronRun run;
  run.seed = spec.seed + replica;
  run.inputs = spec.inputs, run.patterns = job.patterns, run.max_epochs = spec.max_epochs;
  run.subtract_mean = spec.subtract_mean;
  run.retention = job.retention;
  run.window = spec.cache.window, run.course_epochs = spec.course_epochs;
  if (spec.cache.on())
    for (const std::size_t c : job.caches) run.caches.push_back(cache_of(spec, cells[c]));
  return run;
}

/// |x|^alpha of a change; what does not change costs nothing, also for alpha = 0.
double cost(double x, double alpha) { return x == 0 ? 0 : std::pow(std::fabs(x), alpha); }

/// M_alpha from the counts of the four kinds of change d (xi - m), and of the bias.
void price_plasticity(const PerceptronSpec& spec, const PerceptronCounts& counts, PerceptronResult& r) {
  for (const double alpha : spec.alphas) {
    double all = 0, up = 0, least = 0;
    for (const int d : {1, -1})
      for (const int xi : {1, -1}) {
        const double step = spec.rate * d * (xi - counts.mean);
        const double paid = static_cast<double>(counts.changes[d < 0][xi < 0]) * cost(step, alpha);
        all += paid, up += step > 0 ? paid : 0;
      }
    const double bias = cost(spec.rate, alpha);
    all += static_cast<double>(counts.updates) * bias, up += static_cast<double>(counts.positive) * bias;
    for (const double w : counts.weights) least += cost(spec.rate * w, alpha);
    r.m_alpha.push_back(all), r.m_alpha_up.push_back(up), r.m_min.push_back(least);
  }
}

/// Variance of the input weights over K eta^2; the bias is no random walk over inputs.
double relative_variance(const PerceptronCounts& counts) {
  const std::size_t n = counts.weights.size() - 1;
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < n; ++i) sum += counts.weights[i], squares += counts.weights[i] * counts.weights[i];
  const double size = static_cast<double>(n), mean = sum / size;
  return (squares / size - mean * mean) / static_cast<double>(counts.updates);
}

PerceptronResult result_of(const PerceptronSpec& spec, const PerceptronCell& cell, const PerceptronCounts& counts,
                           const kernels::PerceptronCacheCounts* cache) {
  PerceptronResult r;
  r.finished = true;
  r.converged = counts.converged;
  r.epochs = counts.epochs, r.presentations = cell.patterns * counts.epochs, r.updates = counts.updates;
  r.mean = counts.mean;
  r.variance = relative_variance(counts);
  price_plasticity(spec, counts, r);
  for (const std::int32_t errors : counts.errors) r.error_rate.push_back(errors / static_cast<double>(cell.patterns));
  if (cache == nullptr) return r;
  const double eta = spec.rate;
  r.m_cons = eta * cache->power.consolidated, r.m_cleanup = eta * cache->cleanup;
  r.m_trans = cell.maintenance * eta * cache->power.held;
  r.m_change = spec.cache.change_price * eta * cache->power.changed;
  r.consolidations = cache->consolidations;
  for (const kernels::PerceptronCachePower& power : cache->course) {
    r.consolidation.push_back(eta * power.consolidated);
    r.maintenance.push_back(cell.maintenance * eta * power.held);
  }
  return r;
}

void store(const Job& job, const PerceptronCounts& counts, std::size_t replica, PerceptronGrid& grid) {
  for (std::size_t k = 0; k < job.caches.size(); ++k)
    for (const std::size_t c : job.cells[k])
      grid.results[c][replica] =
          result_of(grid.spec, grid.cells[c], counts, counts.caches.empty() ? nullptr : &counts.caches[k]);
}

constexpr const char* k_task = "perceptrons";

void run_on_cores(const std::vector<Job>& jobs, PerceptronGrid& grid, core::Progress& progress, int threads) {
  const std::size_t replicas = static_cast<std::size_t>(grid.spec.replicas);
  std::atomic<std::size_t> done{0};
  std::atomic<bool> stopped{false};
  core::parallel_for(jobs.size() * replicas, threads, [&](std::size_t i) {
    if (progress.stop_requested()) stopped = true;
    if (stopped) return;
    const Job& job = jobs[i / replicas];
    const PerceptronRun run = run_of(grid.spec, grid.cells, job, i % replicas);
    store(job, kernels::train_perceptrons(kernels::Context::cpu(), {&run, 1}).front(), i % replicas, grid);
    progress.update(k_task, static_cast<double>(++done), fmt::format("P = {}", job.patterns));
  });
  grid.stopped = stopped;
}

void run_on_device(const kernels::Context& context, const std::vector<Job>& jobs, PerceptronGrid& grid,
                   core::Progress& progress) {
  const std::size_t replicas = static_cast<std::size_t>(grid.spec.replicas);
  constexpr std::size_t k_at_once = 4096;  // warps that fill the largest device
  for (std::size_t first = 0; first < jobs.size() * replicas; first += k_at_once) {
    if ((grid.stopped = progress.stop_requested())) return;
    const std::size_t count = std::min(k_at_once, jobs.size() * replicas - first);
    std::vector<PerceptronRun> runs;
    for (std::size_t i = first; i < first + count; ++i)
      runs.push_back(run_of(grid.spec, grid.cells, jobs[i / replicas], i % replicas));
    const std::vector<PerceptronCounts> counts = kernels::train_perceptrons(context, runs);
    for (std::size_t i = 0; i < count; ++i)
      store(jobs[(first + i) / replicas], counts[i], (first + i) % replicas, grid);
    progress.update(k_task, static_cast<double>(first + count));
  }
}

}  // namespace

PerceptronGrid run_perceptrons(const PerceptronSpec& spec, core::Progress& progress, const PerceptronOptions& options) {
  spec.check();
  const kernels::Context context = kernels::Context::named(options.device);
  PerceptronGrid grid;
  grid.spec = spec;
  grid.device = context.device_name();
  grid.cells = theory::cells_of(spec);
  grid.results.assign(grid.cells.size(), std::vector<PerceptronResult>(static_cast<std::size_t>(spec.replicas)));
  const std::vector<Job> jobs = jobs_of(spec, grid.cells);
  progress.begin(k_task, static_cast<double>(jobs.size()) * spec.replicas, "runs");
  if (context.backend() == kernels::Backend::cpu)
    run_on_cores(jobs, grid, progress, options.threads);
  else
    run_on_device(context, jobs, grid, progress);
  progress.end(k_task);
  return grid;
}

}  // namespace eos::sim
