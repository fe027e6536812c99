#include "eos/solvers/batch.hpp"

#include <cmath>

#include "batch_setup.hpp"
#include "eos/core/error.hpp"

namespace eos::solvers {

using theory::Controls;
using theory::ModeProblem;
using theory::SolveStatus;

namespace {

constexpr double k_loose = 3e-5;  // tolerance of descents whose only purpose is to be compared
constexpr double k_gain = 1e-9;   // smallest relative gain worth another round
constexpr int k_rounds = 16;      // of the search for the length of the final rest

std::vector<batch::LaneResult> run(const batch::Setup& setup, std::span<const batch::Lane> lanes,
                                   const BatchOptions& options, double tolerance) {
  return options.device == BatchDevice::cuda ? batch::run_cuda(setup, lanes, tolerance, options.cuda_index)
                                             : batch::run_cpu(setup, lanes, options.threads, tolerance);
}

SolveStatus status_of(double ending) {
  if (ending == batch::converged) return SolveStatus::optimal;
  if (ending == batch::iteration_limit) return SolveStatus::iteration_limit;
  return ending == batch::not_finite ? SolveStatus::not_finite : SolveStatus::stalled;
}

/// Keeps the better result of every problem; one that is not finite loses against any other. True where it improved.
std::vector<bool> keep_best(std::span<const batch::Lane> lanes, std::vector<batch::LaneResult> results,
                            std::vector<batch::LaneResult>& best) {
  std::vector<bool> improved(best.size(), false);
  for (std::size_t k = 0; k < lanes.size(); ++k) {
    batch::LaneResult& now = best[lanes[k].problem];
    const bool first = now.x.empty();
    if (!first && !(results[k].value < now.value - k_gain * std::abs(now.value)) && std::isfinite(now.value)) continue;
    if (!first && !std::isfinite(results[k].value)) continue;
    now = std::move(results[k]);
    improved[lanes[k].problem] = true;
  }
  return improved;
}

/// Moves all rest to the end and tries neighbouring lengths until none is better: descents cannot change either.
void search_rest(const batch::Setup& setup, const BatchOptions& options, std::vector<batch::LaneResult>& best) {
  std::vector<bool> open(best.size(), true);
  for (int round = 0; round < k_rounds; ++round) {
    std::vector<batch::Lane> lanes;
    for (std::size_t i = 0; i < best.size(); ++i) {
      if (!open[i] || !std::isfinite(best[i].value)) continue;
      const std::vector<Controls> learning = setup.learning(i, best[i].x);
      for (const int change : {-1, 0, 1}) {
        if (change == 0 && round > 0) continue;  // sorting once is enough
        const int count = static_cast<int>(learning.size()) + change;
        if (!learning.empty() && count >= 1 && count <= setup.sizes().intervals)
          lanes.push_back(setup.stretched(i, learning, count));
      }
    }
    if (lanes.empty()) return;
    open = keep_best(lanes, run(setup, lanes, options, k_loose), best);
  }
}

}  // namespace

theory::Schedule BatchResult::schedule(const ModeProblem& problem, std::size_t index) const {
  theory::Schedule s;
  const auto n = static_cast<std::size_t>(intervals);
  for (std::size_t i = 0; i <= n; ++i) s.edges.push_back(static_cast<double>(i) / static_cast<double>(n));
  const auto slice = [&](const std::vector<double>& all) {
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(index * n);
    return std::vector<double>(begin, begin + static_cast<std::ptrdiff_t>(n));
  };
  s.data_fraction = slice(data_fraction), s.weight_fraction = slice(weight_fraction);
  s.learning_rate = slice(learning_rate);
  s.data_rule = problem.data_rule, s.weight_rule = problem.weight_rule;
  s.origin = "batch";
  return s;
}

BatchResult solve_batch(std::span<const ModeProblem> problems, const BatchOptions& options) {
  const batch::Setup setup(problems, options);
  std::vector<batch::Lane> lanes;
  for (std::size_t i = 0; i < problems.size(); ++i)
    for (batch::Lane& lane : setup.starts(i)) lanes.push_back(std::move(lane));
  std::vector<batch::LaneResult> best(problems.size());
  keep_best(lanes, run(setup, lanes, options, k_loose), best);
  if (setup.can_rest()) search_rest(setup, options, best);
  lanes.clear();
  for (std::size_t i = 0; i < problems.size(); ++i) lanes.push_back({i, best[i].x});
  best = run(setup, lanes, options, options.tolerance);
  BatchResult out;
  out.intervals = setup.sizes().intervals;
  for (std::size_t i = 0; i < problems.size(); ++i) {
    const batch::LaneResult& r = best[i];
    out.objective.push_back(r.value), out.terminal_loss.push_back(r.loss), out.energy.push_back(r.energy);
    out.projected_gradient.push_back(r.residual), out.iterations.push_back(r.iterations);
    out.status.push_back(std::isfinite(r.value) ? status_of(r.ending) : SolveStatus::not_finite);
    for (const Controls& u : setup.controls(i, r.x)) {
      out.data_fraction.push_back(u.data_fraction), out.weight_fraction.push_back(u.weight_fraction);
      out.learning_rate.push_back(u.learning_rate);
    }
  }
  return out;
}

BatchValues evaluate_batch(std::span<const ModeProblem> problems, std::span<const double> data_fraction,
                           std::span<const double> weight_fraction, std::span<const double> learning_rate,
                           const BatchOptions& options) {
  const batch::Setup setup(problems, options);
  const auto n = static_cast<std::size_t>(setup.sizes().intervals);
  if (data_fraction.size() != n * problems.size() || weight_fraction.size() != data_fraction.size() ||
      learning_rate.size() != data_fraction.size())
    throw core::Error("E107", "the controls of a batch have another length than problems x intervals");
  std::vector<batch::Lane> lanes;
  for (std::size_t i = 0; i < problems.size(); ++i) {
    std::vector<Controls> u;
    for (std::size_t k = i * n; k < (i + 1) * n; ++k)
      u.push_back({data_fraction[k], weight_fraction[k], learning_rate[k]});
    lanes.push_back({i, setup.scaled(i, u)});
  }
  BatchValues out;
  for (const batch::LaneResult& r : run(setup, lanes, options, 0))
    out.objective.push_back(r.value), out.terminal_loss.push_back(r.loss), out.energy.push_back(r.energy);
  return out;
}

}  // namespace eos::solvers
