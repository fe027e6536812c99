// How much to hold back before writing: the threshold of an accumulator that spends least, from prices alone.
//
// Statement. Error feedback writes a weight when what has accumulated, a, exceeds theta. In the noise that dominates
// updates a is a random walk that restarts from 0 at +-theta: it leaves with rate D/theta^2 per update (D the mean
// squared change of the weight), has the triangular density (theta - |a|)/theta^2 and the variance theta^2/6.
// Stochastic gradients scatter the weights anyway: under cross-entropy the curvature is the variance of the per-sample
// gradient (Fisher's identity), hence the stationary variance of a weight w is eta/(2B), the same for all, B
// independent predictions an update. Holding back adds theta^2/12 to it: the sum v = w + a follows dv = -eta h w dt +
// noise, so E[v w] = eta/(2B) exactly and E[w^2] = eta/(2B) - E[a w]; between two writes a drifts with -eta h w, and a
// walk with drift m leans by E[a] = m theta^2/(6 D), so E[a w] = -theta^2/12. The share added,
//   eps(theta) = (theta^2/12) / (V eta/(2B)) = theta^2 B / (6 eta V),        V = 1 (squared error: variance of
//   residuals),
// must be annealed away by as much more training: eps C joules per update, C all that an update costs but its writes.
// With M_2 = sum_i D_i the squared norm of an update, holding back and writing cost per update
//   E(theta) = eps(theta) C + M_2 (e_w/theta^2 + e_p/theta),        e_w per write (M_0), e_p per path length (M_1),
// and the best threshold is the one positive root of
//   B C theta / (3 eta V) = M_2 (2 e_w/theta^3 + e_p/theta^2):
//   writes alone theta^4 = 6 eta V e_w M_2 / (B C), path alone theta^3 = 3 eta V e_p M_2 / (B C).
// The root is taken within eps <= 1, as far as the expansion goes. A price of M_2 does not depend on theta.
// Sources: the walk, Li & van Rossum, eLife 9:e50804 (2020), Methods (density and consolidation rate without decay);
// eta/(2B): Mandt, Hoffman & Blei, JMLR 18:134 (2017), eq. 13 for H = Sigma; error feedback: Stich, Cordonnier & Jaggi,
// NeurIPS 2018. The threshold is derived here, and simulated in tests/theory/write_economy_test.cpp.
// Guarantees: pure functions, thread-safe.
#pragma once

namespace eos::theory {

struct WriteEconomy {
  double rate = 0;     ///< eta > 0, effective: a constant gradient g moves a weight by eta g per update in the long run
  double batch = 1;    ///< B > 0, independent predictions in an update
  double noise = 1;    ///< V > 0
  double squared = 0;  ///< M_2 >= 0, squared norm of an update, long-run as eta
  double write = 0;    ///< e_w >= 0, J per write
  double path = 0;     ///< e_p >= 0, J per unit of path length
  double other = 0;    ///< C >= 0, J per update without its writes

  double share(double theta) const;    ///< eps
  double writing(double theta) const;  ///< M_2 (e_w/theta^2 + e_p/theta), J per update; pre: theta > 0
  double energy(double theta) const;   ///< E, J per update; pre: theta > 0
  double largest_threshold() const;    ///< where eps = 1
  /// 0 where writing is free or nothing moves.
  double best_threshold() const;
};

/// Optimisers with momentum: successive changes of white gradients are correlated. Square of (long-run displacement per
/// update) / (rms change per update) for a running sum or mean with factor `momentum`: (1 + m)/(1 - m).
double momentum_persistence(double momentum);

}  // namespace eos::theory
