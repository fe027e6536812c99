// A schedule: which fraction of the data, which fraction of the weights and what learning rate to use at each moment.
//
// The value type on which solvers and simulations meet; neither knows the other. Controls are constant on intervals
// of progress s in [0, 1] (share of the horizon passed, measured in stream positions).
#pragma once

#include <string>
#include <vector>

namespace eos::theory {

/// How the fraction u of samples or of weights is chosen.
enum class Rule {
  all,     ///< no choice: the fraction is 1
  random,  ///< a uniformly random fraction u
  ranked   ///< the largest fraction u: samples by residual norm, weights by |update|
};

struct Controls {
  double data_fraction = 1;    ///< rho: share of presented samples that are back-propagated
  double weight_fraction = 1;  ///< kappa: share of weights written per update
  double learning_rate = 0;    ///< eta
};

struct Schedule {
  std::vector<double> edges;            ///< n+1 increasing values of progress from 0 to 1
  std::vector<double> data_fraction;    ///< [n] in (0, 1]
  std::vector<double> weight_fraction;  ///< [n] in (0, 1]
  std::vector<double> learning_rate;    ///< [n] >= 0; empty: the run's own law
  Rule data_rule = Rule::ranked;
  Rule weight_rule = Rule::ranked;
  double epochs = 0;   ///< horizon in passes over the training set, 0 if not tied to a data set
  std::string origin;  ///< how it was made

  bool empty() const { return edges.empty(); }
  /// Controls at progress s, clamped to [0, 1]; learning_rate is NaN when the schedule has none.
  Controls at(double progress) const;
  /// throws Error E502 when sizes, order or ranges are wrong.
  void check() const;
};

/// Keep-fraction laws in the epoch t = 0, 1, ...: published stand-ins for a recorded series.
///   constant a; geometric a^t (SRD of Sathiyanarayanan et al., NeurIPS 2025: a = 0.95 or 0.99, b unused);
///   power a (t+1)^-b; inverse linear a/(1 + b t); logarithmic a - b ln(t+1); inverse logarithmic a ln(b)/ln(t+b), b > 1;
///   exponential a exp(-b t); complementary sigmoid 2a/(1 + exp(b t)); all clamped to [floor, 1]. Scaled so that a is
///   the fraction of the first epoch (of the geometric law it is the ratio).
enum class KeepLaw {
  constant,
  geometric,
  power,
  inverse_linear,
  logarithmic,
  inverse_logarithmic,
  exponential,
  sigmoid
};
double keep_fraction(KeepLaw law, double a, double b, double epoch, double floor);

}  // namespace eos::theory
