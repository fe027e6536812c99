// Consolidate plasticity only when it has accumulated: energies of synaptic caching and its best thresholds.
//
// A synapse keeps small updates in a transient part s, which costs c |s| per presentation, and moves s into the
// persistent part, at the price |s|, when |s| reaches a threshold theta (or every n presentations). Units: energy is
// counted in path length of the persistent weights (M_1), time in presentations, rates eta in weight per update.
// Source: Li & van Rossum, "Energy efficient synaptic plasticity", eLife 9:e50804 (2020), Methods; equation numbers
// below are theirs. Following the error rate, the clock, and everything marked so are derived in docs/theory.md.
//
// Corrections to the printed text, found by simulation (tests/theory/synaptic_cache_test.cpp):
//   - the consolidation rate with decay is r = -2 sigma/(Z sqrt(pi) tau); without 1/tau, as printed before eq. 7, it is
//     tau times too large: the diffusion constant is sigma_s^2 = sigma^2/tau, not sigma^2;
//   - the drift term of the steady-state Fokker-Planck equation must be +(1/tau) d(s P)/ds; the printed solution P_s
//     belongs to that sign;
//   - in the limit without decay, r = sigma_s^2/theta^2 (printed sigma^2/theta^2).
// Guarantees: pure functions, no overflow for any theta/sigma; each throws Error E104 naming the parameter.
#pragma once

#include <limits>
#include <span>

namespace eos::theory {

/// A perceptron that learns P random patterns with N inputs, updates +-eta, until it makes no error.
struct PerceptronLearning {
  double inputs = 1000;    ///< N > 0
  double patterns = 1000;  ///< P in (0, 2N)
  double rate = 1;         ///< eta > 0

  void check() const;
  double updates() const;        ///< K = 2P/(2 - P/N)^2 (Opper 1988; prefactor found numerically)
  double presentations() const;  ///< T = P^(3/2)/(2 - P/N)^2 (found numerically)
  double energy() const;         ///< M_perc = N K eta
  double least_energy() const;   ///< M_min = sqrt(2/pi) eta N sqrt(K), weights taken as a random walk
  double inefficiency() const;   ///< sqrt(pi K/2) = sqrt(pi P)/(2 - P/N), eq. 3
};

/// Caching without decay, a random walk between -theta and theta that restarts from 0 (eq. 4 and what follows it).
struct PersistentCache {
  double synapses = 1;       ///< N > 0
  double updates = 1;        ///< K > 0, per synapse
  double presentations = 0;  ///< T >= 0
  double rate = 1;           ///< eta > 0
  double upkeep = 0;         ///< c >= 0
  double change_price = 0;   ///< b >= 0 per unit of change of s, charged unless the change is consolidated at once

  void check() const;
  double consolidations(double theta) const;     ///< N K/ceil(theta/eta)^2
  double density(double s, double theta) const;  ///< P_s = (theta - |s|)/theta^2
  double consolidation(double theta) const;      ///< M_cons = eta^2 N K/theta + N theta/3 (final clean-up included)
  double maintenance(double theta) const;        ///< M_trans = c N T theta/3
  double change(double theta) const;             ///< b eta N K (1 - 1/ceil(theta/eta)^2), printed for eta = 1
  double energy(double theta) const;             ///< M_cache = M_cons + M_trans + change
  /// theta = eta sqrt(3K/(1 + cT)), which minimises M_cons + M_trans; no less than eta, where there is no cache.
  double best_threshold() const;
  double least_energy() const;  ///< 2 eta N sqrt(K (1 + cT)/3), at most N K eta
  /// M_cache/M_min = min( sqrt(2 pi/3 (1 + cT)), sqrt(pi K/2) ).
  double inefficiency() const;
};

/// Caching with decay ds/dt = -s/tau and updates +-eta, each with probability p/2 per presentation: steady state per
/// synapse, x = theta/sigma, sigma^2 = tau p eta^2 (eqs 5-7). Z = -2 sigma I(x) with I(x) = int_0^x exp(u^2) erf(u) du.
struct DecayingCache {
  double rate = 1;        ///< eta > 0
  double activity = 1;    ///< p in (0, 1]
  double decay = 1000;    ///< tau > 0, presentations
  double upkeep = 0;      ///< c >= 0
  double loss_price = 0;  ///< l >= 0: worth of a unit of s that decays unconsolidated; adds l/tau to the upkeep

  void check() const;
  double sigma() const;                          ///< eta sqrt(p tau)
  double density(double s, double theta) const;  ///< P_s(s), 0 outside [-theta, theta]
  double normaliser(double theta) const;         ///< Z < 0
  double mean(double theta) const;               ///< <|s|>, theta/3 for theta << sigma
  double frequency(double theta) const;          ///< r, consolidations per presentation; p eta^2/theta^2 in the limit
  double consolidation(double theta) const;      ///< m_cons = theta r per presentation
  double maintenance(double theta) const;        ///< m_trans = c <|s|> per presentation
  double energy(double theta) const;             ///< m_cons + m_trans + (l/tau) <|s|>
  /// Where energy(theta) is least. Infinite if c tau + l <= 1: then letting s decay is cheaper than consolidating.
  double best_threshold() const;
};

/// Thresholds that follow the update probability p(t), without decay: theta(t) = eta sqrt(3 p(t)/c).
/// `activity` holds p per presentation; energies are per synapse, in steady state at every p.
struct AdaptiveThreshold {
  double rate = 1;    ///< eta > 0
  double upkeep = 0;  ///< c > 0

  void check() const;
  double threshold(double p) const;                                ///< eta sqrt(3p/c)
  double energy(std::span<const double> activity) const;           ///< 2 eta sum sqrt(c p/3)
  double constant(std::span<const double> activity) const;         ///< the best constant threshold eta sqrt(3 <p>/c)
  double constant_energy(std::span<const double> activity) const;  ///< 2 eta sqrt(T sum p c/3)
  /// energy/constant_energy = sum sqrt(p)/sqrt(T sum p) <= 1 (Cauchy-Schwarz).
  double saving(std::span<const double> activity) const;
};

/// Consolidation of everything every n presentations, without decay.
struct ClockedCache {
  double rate = 1;    ///< eta > 0
  double upkeep = 0;  ///< c > 0

  void check() const;
  double best_interval() const;  ///< n = 3/(2c), for every p, eta and task
  /// eta sqrt(2p/pi) (n^(-1/2) + (2c/3) n^(1/2)) per presentation and synapse.
  double power(double p, double interval) const;
  double energy(std::span<const double> activity) const;  ///< at the best interval: 2 eta sqrt(2/pi) sum sqrt(2cp/3)
};

/// The same walk in continuous time, with drift: updates of variance D per time and mean v, upkeep c |s| per time.
struct DriftingCache {
  double diffusion = 1;  ///< D > 0
  double upkeep = 0;     ///< c > 0
  double drift = 0;      ///< v

  void check() const;
  double passage_time(double theta) const;  ///< (theta/v) tanh(v theta/D), theta^2/D without drift
  double mean(double theta) const;          ///< <|s|> = theta (1/2 - coth(y)/(2y) + 1/(2y^2)), y = v theta/D
  double cost_rate(double theta) const;     ///< theta/passage_time + c mean; D/theta + c theta/3 without drift
  double best_threshold() const;            ///< sqrt(3D/c) without drift, less with it
  double least_cost_rate() const;           ///< 2 sqrt(cD/3) without drift
  double uncached_rate(double step) const;  ///< D/step: every update of that size written at once, without drift
};

}  // namespace eos::theory
