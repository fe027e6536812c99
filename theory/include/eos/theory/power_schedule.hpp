// The learning-rate or batch schedule of least final loss under the power-law functional scaling law, at finite length.
//
// Statement. Choose the intrinsic horizon T and the rate gamma(t) of N steps,
//   minimise (T+1)^-s + sigma^2 int_0^T K(T - z) gamma(z) dz,   N = int_0^T dz / gamma,   0 < gamma <= gamma_max,
// with K(u) = (u+1)^-q, q = 2 - 1/beta. With u = T - z intrinsic time to the end, gamma = min(gamma_max, C
// (u+1)^(q/2)): one scalar C remains. Without a cap, at step n,
//   eta(n) = C [1 + C (N - n) / (2 beta)]^(2 beta - 1),  T + 1 = (1 + C N / (2 beta))^(2 beta),  noise = sigma^2 C^2 N;
// with it, the decay lasts N_d = (2 beta / C) [(u_d + 1)^(1/(2 beta)) - 1] steps, (u_d + 1)^(q/2) = gamma_max / C.
// The noise depends on gamma = eta / batch alone and N on the samples alone, so the same schedule is the batch ramp
// b = eta / gamma at a fixed learning rate for N samples (gamma_max = eta / smallest batch).
// Source: minimum principle for the functional scaling law of Li et al., arXiv:2602.06797; exact at finite N, where
// exponents alone mislead (the shape exponent reaches 2 beta - 1 only beyond N = 1e12).
#pragma once

#include <limits>
#include <vector>

namespace eos::theory {

struct PowerLawTask {
  double source = 1;                                            ///< s > 0
  double capacity = 2;                                          ///< beta > 1
  double noise_variance = 1;                                    ///< sigma^2 > 0
  double steps = 1e5;                                           ///< N > 0: steps of batch 1, or samples
  double rate_limit = std::numeric_limits<double>::infinity();  ///< gamma_max
  /// throws E104.
  void check() const;
};

/// gamma over steps and over intrinsic time for a given C.
struct PowerSchedule {
  PowerLawTask task;
  double scale = 0;        ///< C
  double horizon = 0;      ///< T
  double decay_time = 0;   ///< u_d, intrinsic time of the decay; T without a stable phase
  double decay_steps = 0;  ///< N_d
  double signal = 0, noise = 0;

  double loss() const { return signal + noise; }
  double decay_fraction() const { return decay_steps / task.steps; }
  double time_at_step(double n) const;     ///< intrinsic time after n steps
  double rate_at_step(double n) const;     ///< gamma at step n of N
  double rate_at_time(double time) const;  ///< gamma at intrinsic time
  /// Slope of ln gamma against ln(1 - n/N), least squares over a share of remaining steps from `low` to `high` on a
  /// logarithmic grid.
  double shape_exponent(double low = 0.05, double high = 0.8) const;
};

/// The member of the family with a given C in (0, rate_limit].
PowerSchedule power_schedule(const PowerLawTask& task, double scale);
/// The best one: C to rounding.
PowerSchedule optimal_power_schedule(const PowerLawTask& task);

/// The same with the pure kernel u^-q and signal T^-s, where no finite-size terms remain (no cap):
/// T = (s N / (4 beta sigma^2))^(1/(s + 1/beta)), eta = eta_peak (1 - n/N)^(2 beta - 1), eta_peak = 2 beta T / N.
struct PureSchedule {
  double horizon = 0, peak_rate = 0, loss = 0;
};
PureSchedule pure_power_schedule(const PowerLawTask& task);

/// Batch schedule at a fixed learning rate and horizon with samples at a price: minimise
/// eta sigma^2 int K(T - t) / b dt + c_b int b dt over b(t) > 0: b = sqrt(eta sigma^2 K(T - t) / c_b).
struct PricedBatch {
  double learning_rate = 1, horizon = 1, capacity = 2, noise_variance = 1, price = 1;
  double batch(double time) const;
  double cost() const;  ///< 2 sqrt(c_b eta sigma^2) [(T+1)^(1 - q/2) - 1] / (1 - q/2)
};

/// Constant learning rate, batch b1, then b2 for the last share of D samples: the share of least loss
/// (T+1)^-s + sigma^2 eta int K(T - z) / b(z) dz. For hard tasks it falls as D^-((1 - 1/beta - s)/(2 - 1/beta)).
struct BatchSwitch {
  double late_fraction = 0;  ///< of the samples, taken with the large batch
  double loss = 0, horizon = 0;
};
/// Loss for a given share. pre: 0 <= late_fraction <= 1.
BatchSwitch batch_switch(const PowerLawTask& task, double learning_rate, double small_batch, double large_batch,
                         double late_fraction);
/// The best share. throws E104 unless 0 < small_batch < large_batch.
BatchSwitch optimal_batch_switch(const PowerLawTask& task, double learning_rate, double small_batch,
                                 double large_batch);

}  // namespace eos::theory
