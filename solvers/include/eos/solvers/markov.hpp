// Solve Markov decision problems with finitely many states and actions, and certify the answer.
//
// Statement: V(s) = best over actions a of  g(s,a) + beta sum_s' P(s'|s,a) V(s'),  best = largest reward or least cost.
// Methods (Puterman, "Markov Decision Processes", 1994; Bertsekas, "Dynamic Programming and Optimal Control", vol. II):
//   value iteration    V <- TV, with the bounds of MacQueen (1966) and Porteus (1971):
//                      TV + beta/(1-beta) min(TV-V) <= V* <= TV + beta/(1-beta) max(TV-V), so that errors which are the
//                      same in all states, the slowest to die out, never have to
//   policy iteration   Howard (1960): the policy's value from a sparse linear system, then improvement; ends in
//   finitely
//                      many steps with the exact optimum but for rounding
//   modified           Puterman & Shin (1978): a few sweeps under the present policy between improvements
//   finite horizon     backward induction, also for beta = 1
// Certificate: V* is the solution of a linear program (d'Epenoux 1963; Puterman, section 6.9). A value V that satisfies
// V >= TV (reward) and the discounted occupation measure of a policy are feasible for the program and its dual; their
// objectives enclose the optimum, whatever method made them.
// Conventions: states and pairs are 64-bit; transitions are in compressed rows, one row per state-action pair.
// Guarantees: results do not depend on the number of threads; one sweep reads every transition once.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace eos::solvers {

enum class Aim { greatest_reward, least_cost };

struct MarkovProblem {
  Aim aim = Aim::greatest_reward;
  double discount = 1;                    ///< beta in (0, 1]; below 1 for everything but finite horizons
  std::vector<std::int64_t> first_pair;   ///< [states + 1] pairs of state s: first_pair[s] .. first_pair[s+1]-1
  std::vector<double> gain;               ///< [pairs] g: expected reward or cost
  std::vector<std::int64_t> first_entry;  ///< [pairs + 1] transitions of a pair
  std::vector<std::int64_t> next;         ///< [entries] next state
  std::vector<double> probability;        ///< [entries] >= 0, sums to 1 over each pair

  std::int64_t states() const { return static_cast<std::int64_t>(first_pair.size()) - 1; }
  std::int64_t pairs() const { return static_cast<std::int64_t>(gain.size()); }
  /// Begins the next state. Its actions follow.
  void add_state();
  /// Adds an action to the state begun last.
  void add_action(double gain_of_action, const std::vector<std::pair<std::int64_t, double>>& transitions);
  /// throws Error E401 naming the first state, action or entry that is wrong.
  void check() const;
};

enum class MarkovMethod { value_iteration, policy_iteration, modified_policy_iteration };
enum class MarkovStatus { solved, iteration_limit };
std::string to_string(MarkovStatus status);

struct MarkovOptions {
  MarkovMethod method = MarkovMethod::policy_iteration;
  double tolerance = 1e-12;  ///< on the half-width of the bounds on V*, relative to 1 + max |V|
  int max_iterations = 100000;
  int sweeps = 20;  ///< of the modified method, between improvements
  int threads = 1;
};

struct MarkovSolution {
  MarkovStatus status = MarkovStatus::solved;
  std::vector<double> value;         ///< V [states]
  std::vector<std::int64_t> policy;  ///< [states] action, counted from 0 within the state; ties: the first
  double bellman_residual = 0;       ///< max |TV - V|
  double error_bound = 0;            ///< |V - V*| <= this in every state
  int iterations = 0;                ///< improvements
};

/// throws Error E401 for a problem that is not well posed, e.g. discount 1 with an infinite horizon.
MarkovSolution solve_markov(const MarkovProblem& problem, const MarkovOptions& options = {});

struct MarkovStages {
  std::vector<std::vector<double>> value;         ///< [stages + 1][states]: V with k stages to go
  std::vector<std::vector<std::int64_t>> policy;  ///< [stages + 1][states]; the first is empty
};
/// Backward induction from `terminal` (empty: zero).
MarkovStages solve_markov_stages(const MarkovProblem& problem, int stages, const std::vector<double>& terminal = {},
                                 int threads = 1);

/// The linear program and its dual, evaluated at a value and a policy. `weight` are the positive weights of the states.
struct MarkovCertificate {
  double value_objective = 0;       ///< sum weight V
  double occupation_objective = 0;  ///< sum over pairs of occupation times g
  double value_violation = 0;       ///< how far V is from V >= TV (reward) or V <= TV (cost)
  double occupation_violation = 0;  ///< how far the measure is from balance in any state, and from being >= 0
  double gap = 0;                   ///< |difference of the objectives|
  std::vector<double> occupation;   ///< [states] expected discounted visits under the policy
};
/// weight empty: 1/states each. pre: discount < 1, sizes match.
MarkovCertificate certify_markov(const MarkovProblem& problem, const MarkovSolution& solution,
                                 const std::vector<double>& weight = {});

}  // namespace eos::solvers
