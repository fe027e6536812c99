// How much to hold back before writing: the threshold of an accumulator that spends least, from prices alone.
//
// Statement. Error feedback writes a weight when what has accumulated, a, exceeds theta: a walk that restarts from 0 at
// +-theta. Its steps have mean square D per update and a drift m, and with y = m theta/D it leaves
//   (D/theta^2) y coth y  times per update:  D/theta^2 where noise dominates, |m|/theta where drift does.
// Holding back costs twice.
//   Noise. Under cross-entropy the curvature is the variance of the per-sample gradient (Fisher's identity), hence SGD
//   scatters every weight w by eta/(2B), B independent predictions an update. Holding back adds theta^2/12: v = w + a
//   follows dv = -eta h w dt + noise, so E[v w] = eta/(2B) and E[w^2] = eta/(2B) - E[a w]; between writes a drifts with
//   -eta h w, and a drifting walk leans by E[a] = m theta^2/(6 D), so E[a w] = -theta^2/12. The share added,
//     (theta^2/12) / (V eta/(2B)) = theta^2 B / (6 eta V),    V = 1 (squared error: mean squared residual per output),
//   must be annealed away by as much more training.
//   Delay. The lean is progress that comes theta^2/(6 D) updates late. Signal lies where D is (h both), so in the mean
//   over signal the lag is n theta^2/(6 M_2) updates, n weights that change at all and M_2 = sum D the squared norm of an
//   update: of the T updates that made the progress so far, the share n theta^2 / (6 M_2 T).
// Together a share eps(theta) = (theta^2/6) (B/(eta V) + n/(M_2 T)) of training is spent again, at all that an update
// costs, C joules, so that an update costs more by
//   E(theta) = eps(theta) C + M_2 (y coth y) (e_w/theta^2 + e_p/theta),    e_w per write (M_0), e_p per path (M_1),
// whose minimum is the best threshold. Without drift and delay it solves B C theta/(3 eta V) = M_2 (2 e_w/theta^3 +
// e_p/theta^2): writes alone theta^4 = 6 eta V e_w M_2/(B C), path alone theta^3 = 3 eta V e_p M_2/(B C).
// Both costs are expansions: eps <= 1, and noise carries the walk, y <= 1 (beyond, weights of a common mode lag behind
// its gradient together and it overshoots). A price of M_2 does not depend on theta.
// Sources: the walk, Li & van Rossum, eLife 9:e50804 (2020), Methods (density and consolidation rate without decay);
// eta/(2B): Mandt, Hoffman & Blei, JMLR 18:134 (2017), eq. 13 for H = Sigma; error feedback: Stich, Cordonnier & Jaggi,
// NeurIPS 2018. The rest is derived in docs/theory.md, and simulated in tests/theory/write_economy_test.cpp.
// Guarantees: pure functions, thread-safe.
#pragma once

namespace eos::theory {

struct WriteEconomy {
  double rate = 0;     ///< eta > 0, effective: a constant gradient g moves a weight by eta g per update in the long run
  double batch = 1;    ///< B > 0, independent predictions in an update
  double noise = 1;    ///< V > 0
  double squared = 0;  ///< M_2 >= 0, squared norm of an update, long-run as eta
  double drift = 0;    ///< m/D >= 0: y = drift theta
  double lag = 0;      ///< n/T >= 0
  double write = 0;    ///< e_w >= 0, J per write
  double path = 0;     ///< e_p >= 0, J per unit of path length
  double cost = 0;     ///< C >= 0, J per update

  double share(double theta) const;    ///< eps
  double writes(double theta) const;   ///< per update; pre: theta > 0
  double writing(double theta) const;  ///< J per update; pre: theta > 0
  double energy(double theta) const;   ///< E, J per update; pre: theta > 0
  double largest_threshold() const;    ///< where eps = 1 or y = 1, whichever comes first
  /// 0 where writing is free, nothing moves or there is no noise.
  double best_threshold() const;

 private:
  double stiffness() const;
  double slope(double theta) const;
};

/// y >= 0 with y coth y = ratio; 0 for a ratio <= 1. Ratio: writes of walks at theta over those that noise alone would
/// make, M_2/theta^2, which tells the drift.
double walk_drift(double ratio);

/// Optimisers with momentum: successive changes of white gradients are correlated. Square of (long-run displacement per
/// update) / (rms change per update) for a running sum or mean with factor `momentum`: (1 + m)/(1 - m).
double momentum_persistence(double momentum);

}  // namespace eos::theory
