// How long does a fly live that learns which odour to avoid, when long-term memory is paid from the reserve it lives
// on?
//
// Jiang, Foyard & van Rossum, "Reinforcement learning when your life depends on it: a neuro-economic theory of
// learning", PLoS Comput Biol 20 (2024) e1012554. Order of events and constants are
// those of the authors' program, https://github.com/vanrossumlab/neuroeconomicRL.
//
// Two odours; choosing the second one is punished with hazard h. Two pathways store what was learned: anaesthesia-
// resistant memory (ARM) is free and decays, long-term memory (LTM) lasts and costs reserve. On day t = 1 ... T:
//
//   w_arm    <- a w_arm                                                       decay over night
//   y_k       = w_arm,k x_arm,k + w_ltm,k x_ltm,k,   x ~ N(mu, sigma^2)       independent rates; choose the larger y_k
//   R         = -h with probability p if the second odour is chosen, else 0
//   dR        = R - Rhat_k;   Rhat_k += (1 - b) dR;   Rhat <- b Rhat          only the chosen odour learns, both forget
//   g         = gate(E, |dR|)                                                 1: long-term memory, 0: ARM
//   w_arm,k  += (1 - g) eta dR x_arm,k
//   dw        = clip(w_ltm,k + g eta dR x_ltm,k) - w_ltm,k;   w_ltm,k += dw
//   E        <- clip(E - c |dw| - c_0 g + f, 0, 1)
//   hazard    = 1 - (1 + R) (1 - exp(-k E))                                   of dying on this day
//
// The lifetime is that of all deaths that this course of hazards allows: with S_t = prod_{s<=t} (1 - hazard_s),
// lifetime = sum_{t=0}^{T} S_t days; who lives after day T is counted as dying on day T + 1.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace eos::theory {

/// When a day's lesson goes to long-term memory; c0 on the reserve E in [0, 1], c1 on the surprise |dR| in [0, 1].
enum class FlyGate {
  none,      ///< no learning at all
  arm_only,  ///< never
  ltm_only,  ///< always
  energy,    ///< E > c0
  error,     ///< |dR| > c1
  both,      ///< E > c0 and |dR| > c1
  either,    ///< E > c0 or |dR| > c1
  linear     ///< c0 E + c1 |dR| > 1
};

/// The words of TOML files, in the order of FlyGate: none, arm-only, ltm-only, energy, error, and, or, linear.
const std::vector<std::string>& fly_gate_names();
const std::string& name_of(FlyGate gate);
/// Whether a gate looks at c0, and at c1.
bool uses_energy_threshold(FlyGate gate);
bool uses_error_threshold(FlyGate gate);
/// True when the lesson goes to long-term memory. Comparisons are strict.
bool opens(FlyGate gate, double c0, double c1, double reserve, double surprise);

/// A population and the grid over which it is simulated; every key of [fly].
struct FlySpec {
  std::string title;
  int flies = 20000;
  int days = 50;  ///< T, one trial a day
  std::uint64_t seed = 1;
  std::vector<double> hazards{0.05, 0.10, 0.15, 0.20};  ///< h of the punished odour
  std::vector<FlyGate> gates{FlyGate::none, FlyGate::arm_only, FlyGate::ltm_only, FlyGate::either};
  /// Grids of c0 and c1, searched for the longest life by the gates that use them.
  std::vector<double> energy_thresholds{0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1};
  std::vector<double> error_thresholds{0, 0.025, 0.05, 0.075, 0.1, 0.125, 0.15, 0.175, 0.2};
  double starvation_exponent = 3.9;  ///< k
  double ltm_cost = 0.27;            ///< c, reserve per unit |dw_ltm|
  double ltm_event_cost = 0;         ///< c_0, reserve per day on which the gate is open; 0.1 in a variant of the paper
  double arm_decay = 0.34;           ///< a, factor per day
  double expectation_decay = 0.34;   ///< b, factor per day
  double learning_rate = 0.6;        ///< eta of both pathways
  double ltm_initial = 0.5;          ///< of both odours
  double ltm_lower = 0, ltm_upper = 1;          ///< bounds of w_ltm
  double input_mean = 10;                       ///< mu
  double input_stdev = 3.1622776601683795;      ///< sigma; sqrt(mu) is Poisson-like
  double reserve_lower = 0, reserve_upper = 1;  ///< E on the first day is spread evenly over this interval
  double daily_feed = 0;                        ///< f, reserve gained (or, below 0, spent) each day
  double punishment_probability = 1;            ///< p

  /// throws Error with every problem: E104 (range), E105 (empty list), E107 (bounds in the wrong order).
  void check() const;
};

/// exp(-k E), the hazard of a day at reserve E.
double starvation_hazard(double reserve, double exponent);

/// Lifetime, in days, of a fly whose daily hazard is `hazard` in the mean and independent from day to day:
/// sum_{t=0}^{T} (1 - hazard)^t, the geometric law cut off after T days.
double constant_hazard_lifetime(double hazard, int days);

/// Mean lifetime without learning, in days: each odour is chosen half of the time and the reserve stays what it was, so
/// hazard(E) = 1 - (1 - p h / 2)(1 - exp(-k E)), averaged over the spread of E (Simpson's rule, error below 1e-9).
/// pre: daily_feed = 0.
double lifetime_without_learning(const FlySpec& spec, double hazard);

}  // namespace eos::theory
