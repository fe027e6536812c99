// State an optimal-control problem of learning in the error spectrum and describe its solution.
//
// Statement (continuous limit of ranked or random selection with Gaussian features):
//   dm_j/dt = -2 eta F_s(rho) G(kappa) lambda_j m_j + F_n(rho) G(kappa) (nu eta^2 / B) lambda_j V,
//   V = sum_j n_j lambda_j m_j + sigma^2,   excess loss  L = 1/2 sum_j n_j lambda_j m_j
//   minimise  J = w_T L(T) + int_0^T ( w_r L + e ) dt over (rho, kappa, eta)(t) within bounds,
//   e = e_0 + c_s [ranked data] + c_b rho + c_w kappa rho^g + e_1 M_1 rate + sum_a e_a M_a rate + caching,
//   g = 1 if kept samples are re-batched, M_a rate = sum_j n_j E|dw_j|^a per step, and caching of transient updates
//   under an optimal threshold (mode_model.hpp)
// with F = G = identity for random choice and a capture function for ranked choice. Derived in docs/theory.md; the
// drift and noise captures F_s, F_n coincide for Gaussian residuals and are measured separately on real networks.
// Time t counts candidate chunks of B samples (steps of dense training).
#pragma once

#include <string>
#include <vector>

#include "eos/core/dataset.hpp"
#include "eos/theory/capture.hpp"
#include "eos/theory/schedule.hpp"

namespace eos::theory {

struct Bounds {
  double lower = 0;
  double upper = 1;
};

/// How dm/dt and int (w_r L + e_1 path) dt are integrated over an interval of constant controls.
enum class Scheme {
  exponential,  ///< decay exact, V of fourth order (Cox & Matthews 2002): for the converged optimum
  rk4,          ///< classical Runge-Kutta in m, running terms by h (r(y) + 2 r(y + h k2 / 2) + r(y')) / 4
  recursion,    ///< the exact step of the discrete dynamics per unit of time (ModeModel::step), running terms at its
                ///< begin: no continuous limit. The intervals must be whole numbers of steps
};

/// The discrete problem that is solved. The defaults solve the continuous one as well as doubles allow; fixing the
/// steps or the length of the final rest states another, neighbouring problem, e.g. to repeat numbers of another
/// program.
struct Discretisation {
  Scheme scheme = Scheme::exponential;
  int steps = 0;            ///< equal steps per control interval, even; 0: refined as needed (exponential only)
  int rest_intervals = -1;  ///< last intervals with both fractions on their lower bounds; -1: of the best length, which
                            ///< is searched for; otherwise nothing is searched for, and no other rest is prevented
};

struct ModeProblem {
  std::string title;
  std::vector<double> lambda;                ///< [modes] eigenvalues of the feature covariance, > 0
  std::vector<double> initial;               ///< [modes] m_j(0) >= 0, mean squared error of mode j
  std::vector<double> multiplicity;          ///< [modes] n_j > 0, empty: all 1
  double batch = 1;                          ///< B
  double noise_variance = 0;                 ///< sigma^2
  double noise_scale = 1;                    ///< nu, 1 for Gaussian features; fitted on real networks
  double loss_offset = 0;                    ///< irreducible loss, added to L in reports only
  double horizon = 1;                        ///< T in steps
  int intervals = 40;                        ///< of constant controls, equal length
  double terminal_weight = 1;                ///< w_T, J per unit of loss
  double running_weight = 0;                 ///< w_r
  double price_time = 0;                     ///< e_0 per step
  double price_screening = 0;                ///< c_s per step, charged when the data rule is ranked
  double price_sample = 0;                   ///< c_b per step at rho = 1
  double price_write = 0;                    ///< c_w per step at kappa = 1
  double price_path = 0;                     ///< e_1 per unit of sum_j n_j E|dw_j| (M_1)
  std::vector<double> plasticity_exponents;  ///< alpha in [0, 2] of further prices of plasticity M_alpha
  std::vector<double> plasticity_prices;     ///< e_alpha per unit of sum_j n_j E|dw_j|^alpha, one per exponent
  double price_maintenance = 0;              ///< e_m per unit of |transient weight| and step, of synaptic caching
  double price_consolidation = 0;  ///< e_c per unit of |weight| consolidated; both or none of the two are positive
  bool rebatched = false;          ///< writes happen once per full batch of kept samples, so their rate is kappa rho
  Rule data_rule = Rule::ranked;
  Rule weight_rule = Rule::ranked;
  CaptureCurve data_signal = CaptureCurve::gaussian();     ///< F_s for ranked data
  CaptureCurve data_noise = CaptureCurve::gaussian();      ///< F_n for ranked data
  CaptureCurve weight_capture = CaptureCurve::gaussian();  ///< G for ranked weights
  bool accumulated = false;       ///< what is not written stays in an accumulator: path follows accumulated_path
  CaptureCurve accumulated_path;  ///< M_1 of accumulated writes of the fraction kappa, relative to writing everything
  Bounds data_bounds{1e-3, 1};
  Bounds weight_bounds{1e-3, 1};
  Bounds rate_bounds{0, 1};
  double full_data_start = 0;  ///< share of the horizon at its begin in which rho = 1, on whole intervals
  double full_data_end = 0;    ///< the same at its end
  double horizon_epochs = 0;   ///< horizon in passes over the training set, 0 if not tied to a data set
  Discretisation discretisation;

  /// Bounds of rho in interval i of `count` equal ones: {1, 1} in the full-data phases.
  Bounds data_bounds_in(int i, int count) const;
  /// Whether interval i of `count` equal ones belongs to a rest of fixed length.
  bool rests_in(int i, int count) const;
  /// throws Error E401/E104 with one diagnostic per problem.
  void check() const;
};

/// Energy by term: J per step, or J over a time.
struct EnergyRate {
  double time = 0, screening = 0, sample = 0, write = 0, path = 0;
  double plasticity = 0, cache = 0;  ///< the M_alpha prices; maintenance and consolidation
  double total() const { return time + screening + sample + write + path + plasticity + cache; }
  EnergyRate& operator+=(const EnergyRate& other) {
    time += other.time, screening += other.screening, sample += other.sample, write += other.write;
    path += other.path, plasticity += other.plasticity, cache += other.cache;
    return *this;
  }
};

enum class SolveStatus { optimal, iteration_limit, stalled, not_finite, evaluated };
std::string to_string(SolveStatus status);

/// How good a solution provably is.
struct Certificate {
  double stationarity_residual =
      0;  ///< max |projected dJ/du| per unit time over controls and intervals, relative to |J|/T
  /// Largest max - min of H over interval midpoints between switches: what the minimum principle says is constant. A
  /// switch is an edge at which a fraction leaves or reaches its lower bound (learning | rest) or a phase with all data
  /// begins or ends. It can only fall on an edge of the mesh, so there H jumps even at the optimum.
  double hamiltonian_drift = 0;
  double hamiltonian_jump = 0;  ///< largest change of H, from midpoint to midpoint, across a switch; 0 without one
  double rate_condition = 0;    ///< max |eta - clip(B A / (V C))| over intervals
  double data_condition = 0;    ///< max relative residual of the pointwise condition for rho on interior intervals
  double weight_condition = 0;  ///< same for kappa
  double minimum_gap = 0;      ///< max over intervals of H - min_u H (grid of fractions, best rate), relative to |J|/T;
                               ///< a rest of fixed length that should be longer or shorter shows here
  int interior_intervals = 0;  ///< intervals on which both fractions are strictly inside their bounds
  double energy_bound = 0;     ///< J: no schedule of the same horizon, prices and bounds that reaches terminal_loss
                               ///< spends less (theory::energy_bound, for the dynamics in continuous time)
  double efficiency = 0;       ///< energy_bound / energy; both are 0 where the controls were given, not optimised
  std::string bound_statement;  ///< which terms the bound counts
};

/// States, costates, controls and energy along the solution.
struct Trajectory {
  std::vector<double> time;                  ///< [n+1] interval edges
  std::vector<double> data_fraction;         ///< [n]
  std::vector<double> weight_fraction;       ///< [n]
  std::vector<double> learning_rate;         ///< [n]
  std::vector<double> loss;                  ///< [n+1] excess loss L (without offset)
  std::vector<double> energy;                ///< [n+1] cumulative int e dt
  std::vector<double> hamiltonian;           ///< [n] at interval midpoints
  std::vector<std::vector<double>> state;    ///< [n+1][modes] m_j
  std::vector<std::vector<double>> costate;  ///< [n+1][modes] p_j = dJ/dm_j
};

struct Plan {
  ModeProblem problem;
  SolveStatus status = SolveStatus::optimal;
  std::string message;       ///< why it stopped
  double objective = 0;      ///< J
  double terminal_loss = 0;  ///< L(T), without offset
  double energy = 0;         ///< int e dt
  double solve_seconds = 0;  ///< wall time, informative only
  int starts = 0;            ///< number of starting points tried
  int iterations = 0;        ///< of the best start
  int evaluations = 0;       ///< objective and gradient evaluations over all starts
  Certificate certificate;
  Trajectory trajectory;
  EnergyRate energy_terms;    ///< int e dt by term
  Schedule schedule() const;  ///< the controls as a table over progress
};

}  // namespace eos::theory
