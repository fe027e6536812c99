#include "eos/solvers/batch.hpp"

#include <cmath>

#include "batch_setup.hpp"
#include "eos/core/error.hpp"

namespace eos::solvers {

using theory::Controls;
using theory::ModeProblem;
using theory::SolveStatus;

namespace {

std::vector<batch::LaneResult> run(const batch::Setup& setup, std::span<const batch::Lane> lanes,
                                   const BatchOptions& options, bool descend) {
  return options.device == BatchDevice::cuda ? batch::run_cuda(setup, lanes, descend)
                                             : batch::run_cpu(setup, lanes, options.threads, descend);
}

SolveStatus status_of(int ending) {
  switch (ending) {
    case batch::converged:
      return SolveStatus::optimal;
    case batch::iteration_limit:
      return SolveStatus::iteration_limit;
    case batch::not_finite:
      return SolveStatus::not_finite;
    default:
      return SolveStatus::stalled;
  }
}

/// The lane of least J; a lane that is not finite loses against any other.
std::size_t best_of(std::span<const batch::LaneResult> results, std::size_t begin, std::size_t end) {
  std::size_t best = begin;
  for (std::size_t k = begin; k < end; ++k)
    if (std::isfinite(results[k].value) && !(results[best].value <= results[k].value)) best = k;
  return best;
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
  std::vector<std::size_t> begin;
  for (std::size_t i = 0; i < problems.size(); ++i) {
    begin.push_back(lanes.size());
    for (batch::Lane& lane : setup.starts(i)) lanes.push_back(std::move(lane));
  }
  begin.push_back(lanes.size());
  const std::vector<batch::LaneResult> results = run(setup, lanes, options, true);
  BatchResult out;
  out.intervals = setup.sizes().intervals;
  for (std::size_t i = 0; i < problems.size(); ++i) {
    const batch::LaneResult& r = results[best_of(results, begin[i], begin[i + 1])];
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
  for (const batch::LaneResult& r : run(setup, lanes, options, false))
    out.objective.push_back(r.value), out.terminal_loss.push_back(r.loss), out.energy.push_back(r.energy);
  return out;
}

}  // namespace eos::solvers
