#include "eos/solvers/markov.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "eos/core/error.hpp"
#include "eos/core/parallel.hpp"
#include "sparse_solve.hpp"

namespace eos::solvers {

namespace {

constexpr std::int64_t k_chunk = 4096;  ///< states of one task

[[noreturn]] void refuse(const std::string& message, const std::string& help = {}) {
  throw core::Error("E401", "Markov decision problem: " + message, help);
}

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

/// g + beta P V of one pair.
double look_ahead(const MarkovProblem& p, std::int64_t pair, const std::vector<double>& value) {
  double expected = 0;
  for (std::int64_t e = p.first_entry[at(pair)]; e < p.first_entry[at(pair) + 1]; ++e) {
    expected += p.probability[at(e)] * value[at(p.next[at(e)])];
  }
  return p.gain[at(pair)] + p.discount * expected;
}

void for_states(const MarkovProblem& p, int threads, const std::function<void(std::int64_t)>& task) {
  const std::int64_t chunks = (p.states() + k_chunk - 1) / k_chunk;
  core::parallel_for(at(chunks), threads, [&](std::size_t c) {
    const std::int64_t begin = static_cast<std::int64_t>(c) * k_chunk;
    for (std::int64_t s = begin; s < std::min(begin + k_chunk, p.states()); ++s) task(s);
  });
}

/// TV and its action. An action must win by more than rounding to replace the one in `policy`, so that ties cannot
/// cycle.
void improve(const MarkovProblem& p, const std::vector<double>& value, int threads, std::vector<double>& next,
             std::vector<std::int64_t>& policy) {
  const double sign = p.aim == Aim::greatest_reward ? 1 : -1;
  for_states(p, threads, [&](std::int64_t s) {
    const std::int64_t first = p.first_pair[at(s)], last = p.first_pair[at(s) + 1];
    std::int64_t choice = policy[at(s)];
    double best = look_ahead(p, first + choice, value);
    for (std::int64_t pair = first; pair < last; ++pair) {
      const double candidate = look_ahead(p, pair, value);
      const double margin = 8 * std::numeric_limits<double>::epsilon() * (std::abs(best) + std::abs(candidate));
      if (sign * (candidate - best) > margin) best = candidate, choice = pair - first;
    }
    next[at(s)] = best;
    policy[at(s)] = choice;
  });
}

/// I - beta P under a policy.
SparseMatrix policy_matrix(const MarkovProblem& p, const std::vector<std::int64_t>& policy) {
  std::vector<Eigen::Triplet<double, std::int64_t>> entries;
  for (std::int64_t s = 0; s < p.states(); ++s) {
    entries.emplace_back(s, s, 1.0);
    const std::int64_t pair = p.first_pair[at(s)] + policy[at(s)];
    for (std::int64_t e = p.first_entry[at(pair)]; e < p.first_entry[at(pair) + 1]; ++e) {
      entries.emplace_back(s, p.next[at(e)], -p.discount * p.probability[at(e)]);
    }
  }
  SparseMatrix matrix(p.states(), p.states());
  matrix.setFromTriplets(entries.begin(), entries.end());
  return matrix;
}

std::vector<double> policy_value(const MarkovProblem& p, const std::vector<std::int64_t>& policy) {
  std::vector<double> gain(at(p.states()));
  for (std::int64_t s = 0; s < p.states(); ++s) gain[at(s)] = p.gain[at(p.first_pair[at(s)] + policy[at(s)])];
  return solve_sparse(policy_matrix(p, policy), gain);
}

void sweep_policy(const MarkovProblem& p, const std::vector<std::int64_t>& policy, int sweeps, int threads,
                  std::vector<double>& value, std::vector<double>& spare) {
  for (int k = 0; k < sweeps; ++k) {
    for_states(p, threads,
               [&](std::int64_t s) { spare[at(s)] = look_ahead(p, p.first_pair[at(s)] + policy[at(s)], value); });
    value.swap(spare);
  }
}

struct Span {
  double least = std::numeric_limits<double>::infinity(), most = -std::numeric_limits<double>::infinity();
  double size = 0;  ///< max |TV|
};
Span difference(const std::vector<double>& next, const std::vector<double>& value) {
  Span span;
  for (std::size_t s = 0; s < next.size(); ++s) {
    span.least = std::min(span.least, next[s] - value[s]);
    span.most = std::max(span.most, next[s] - value[s]);
    span.size = std::max(span.size, std::abs(next[s]));
  }
  return span;
}

/// Moves TV to the middle of the bounds on V*. Returns their half-width.
double centre(const MarkovProblem& p, const Span& span, std::vector<double>& next) {
  const double factor = p.discount / (1 - p.discount);
  const double shift = factor * (span.least + span.most) / 2;
  for (double& v : next) v += shift;
  return factor * (span.most - span.least) / 2;
}

}  // namespace

std::string to_string(MarkovStatus status) { return status == MarkovStatus::solved ? "solved" : "iteration limit"; }

void MarkovProblem::add_state() {
  if (first_pair.empty()) first_pair.push_back(0), first_entry.push_back(0);
  first_pair.push_back(pairs());
}

void MarkovProblem::add_action(double gain_of_action, const std::vector<std::pair<std::int64_t, double>>& transitions) {
  if (first_pair.size() < 2) refuse("an action was added before any state", "call add_state() first");
  gain.push_back(gain_of_action);
  for (const auto& [state, chance] : transitions) next.push_back(state), probability.push_back(chance);
  first_entry.push_back(static_cast<std::int64_t>(next.size()));
  first_pair.back() = pairs();
}

void MarkovProblem::check() const {
  if (states() < 1) refuse("it has no state");
  if (!(discount > 0 && discount <= 1)) refuse(fmt::format("discount {}, allowed is (0, 1]", discount));
  if (first_entry.size() != gain.size() + 1 || first_pair.back() != pairs() || probability.size() != next.size() ||
      first_entry.back() != static_cast<std::int64_t>(next.size())) {
    refuse("its lists have lengths that do not fit", "build it with add_state and add_action");
  }
  for (std::int64_t s = 0; s < states(); ++s) {
    if (first_pair[at(s)] >= first_pair[at(s) + 1]) refuse(fmt::format("state {} has no action", s));
    for (std::int64_t pair = first_pair[at(s)]; pair < first_pair[at(s) + 1]; ++pair) {
      const std::string place = fmt::format("state {}, action {}", s, pair - first_pair[at(s)]);
      if (!std::isfinite(gain[at(pair)])) refuse(fmt::format("{}: gain {}", place, gain[at(pair)]));
      double total = 0;
      for (std::int64_t e = first_entry[at(pair)]; e < first_entry[at(pair) + 1]; ++e) {
        if (next[at(e)] < 0 || next[at(e)] >= states()) {
          refuse(fmt::format("{} leads to state {}, allowed are 0 to {}", place, next[at(e)], states() - 1));
        }
        if (!(probability[at(e)] >= 0)) refuse(fmt::format("{}: probability {}", place, probability[at(e)]));
        total += probability[at(e)];
      }
      if (std::abs(total - 1) > 1e-9) refuse(fmt::format("{}: probabilities add to {}, not 1", place, total));
    }
  }
}

MarkovSolution solve_markov(const MarkovProblem& problem, const MarkovOptions& options) {
  problem.check();
  if (problem.discount >= 1) {
    refuse("discount 1 with an infinite horizon: values may be infinite",
           "use a discount below 1, or solve_markov_stages for a finite horizon");
  }
  MarkovSolution result;
  std::vector<double> value(at(problem.states()), 0.0), next(value);
  result.policy.assign(value.size(), 0);
  std::vector<std::int64_t> before;
  double reached = std::numeric_limits<double>::infinity();
  for (result.iterations = 1;; ++result.iterations) {
    before = result.policy;
    improve(problem, value, options.threads, next, result.policy);
    const Span span = difference(next, value);
    result.bellman_residual = std::max(std::abs(span.least), std::abs(span.most));
    result.error_bound = centre(problem, span, next);
    value.swap(next);
    const double allowed = options.tolerance * (1 + span.size);
    // Rounding keeps the bounds a few units in the last place apart: no method gets below its own floor twice.
    const bool floor = options.method == MarkovMethod::policy_iteration && result.iterations > 2 &&
                       before == result.policy && result.error_bound >= reached;
    if (result.error_bound <= allowed || floor) break;
    reached = result.error_bound;
    if (result.iterations >= options.max_iterations) {
      result.status = MarkovStatus::iteration_limit;
      break;
    }
    if (options.method == MarkovMethod::policy_iteration) value = policy_value(problem, result.policy);
    if (options.method == MarkovMethod::modified_policy_iteration) {
      sweep_policy(problem, result.policy, options.sweeps, options.threads, value, next);
    }
  }
  result.value = std::move(value);
  return result;
}

MarkovStages solve_markov_stages(const MarkovProblem& problem, int stages, const std::vector<double>& terminal,
                                 int threads) {
  problem.check();
  if (stages < 0) refuse(fmt::format("{} stages", stages));
  if (!terminal.empty() && terminal.size() != at(problem.states())) {
    refuse(fmt::format("{} terminal values for {} states", terminal.size(), problem.states()));
  }
  MarkovStages result;
  result.value.push_back(terminal.empty() ? std::vector<double>(at(problem.states()), 0.0) : terminal);
  result.policy.emplace_back();
  for (int k = 0; k < stages; ++k) {
    std::vector<double> next(at(problem.states()));
    std::vector<std::int64_t> policy(next.size(), 0);
    improve(problem, result.value.back(), threads, next, policy);
    result.value.push_back(std::move(next));
    result.policy.push_back(std::move(policy));
  }
  return result;
}

MarkovCertificate certify_markov(const MarkovProblem& problem, const MarkovSolution& solution,
                                 const std::vector<double>& weight) {
  problem.check();
  const std::size_t n = at(problem.states());
  if (problem.discount >= 1 || solution.value.size() != n || solution.policy.size() != n ||
      (!weight.empty() && weight.size() != n)) {
    refuse("a certificate needs a discount below 1 and values, policy and weights of all states");
  }
  const std::vector<double> alpha = weight.empty() ? std::vector<double>(n, 1.0 / static_cast<double>(n)) : weight;
  const double sign = problem.aim == Aim::greatest_reward ? 1 : -1;
  MarkovCertificate c;
  const SparseMatrix matrix = policy_matrix(problem, solution.policy);
  c.occupation = solve_sparse(SparseMatrix(matrix.transpose()), alpha);
  const Eigen::Map<const Eigen::VectorXd> x(c.occupation.data(), static_cast<Eigen::Index>(n));
  const Eigen::Map<const Eigen::VectorXd> a(alpha.data(), static_cast<Eigen::Index>(n));
  c.occupation_violation = std::max((matrix.transpose() * x - a).cwiseAbs().maxCoeff(), -x.minCoeff());
  for (std::int64_t s = 0; s < problem.states(); ++s) {
    c.value_objective += alpha[at(s)] * solution.value[at(s)];
    const std::int64_t first = problem.first_pair[at(s)];
    c.occupation_objective += c.occupation[at(s)] * problem.gain[at(first + solution.policy[at(s)])];
    for (std::int64_t pair = first; pair < problem.first_pair[at(s) + 1]; ++pair) {
      const double excess = sign * (look_ahead(problem, pair, solution.value) - solution.value[at(s)]);
      c.value_violation = std::max(c.value_violation, excess);
    }
  }
  c.gap = std::abs(c.value_objective - c.occupation_objective);
  return c;
}

}  // namespace eos::solvers
