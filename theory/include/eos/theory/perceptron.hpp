// Learn a perceptron rule from the examples that teach most, and count what choosing them costs.
//
// Boolean perceptron, noiseless labels y = sign(teacher field), unit-norm student with overlap R, updates f y x on the
// examples with |student field h| < c, alpha = trained examples / N, N -> infinity:
//   dR/dalpha = f D - f^2 R/2,   D = sqrt(2/pi) sqrt(1-R^2) < exp(-R^2 h^2 / (2(1-R^2))) >_{|h|<c},
//   best step f* = D/R:  dR/dalpha = D^2/(2R).    Error eps = acos(R)/pi.
// Queries (c -> 0): 1-R^2 = (1-R_0^2) exp(-2 alpha/pi). No selection: 1-R^2 = q_0/(1 + 2 q_0 alpha/pi). Counted per
// *screened* example, learning is slowed by the share P = erf(c/sqrt 2) that is trained on: late in learning the best
// band is c = 1.400 sqrt(1-R^2)/R and eps -> 1.589/n. Optimal steps: Kinouchi & Caticha, J. Phys. A 25, 6243 (1992);
// queries: Kinzel & Rujan, EPL 13, 473 (1990), Watkin & Rau, J. Phys. A 25, 113 (1992); the band is derived in
// docs/order-parameters.md.
//
// Globally optimal rule for all examples: the length of the update follows the field, f(yh) = sqrt(q) n(k)/(R Phi(k)),
// k = R yh/sqrt q, so that dR/dalpha = <f^2> R/2; greedy and global optimum coincide here (Kinouchi & Caticha 1992;
// Rattray & Saad 1998), and eps -> 0.883/alpha.
//
// Globally optimal rule for an erf unit that learns from erf units (Rattray & Saad, NIPS 10, 322 (1998); J. Phys. A 30,
// L771 (1997)): F_i = b_i y - x_i with the teacher's field y and the students' x_i, hence
//   R_i' = b_i T - R_i,   Q_ik' = b_i b_k T - Q_ik.
// Held to closed forms, published numbers and simulations in tests/theory/perceptron_test.cpp.
#pragma once

#include <cmath>
#include <vector>

namespace eos::theory {

/// D with all examples of |h| < c. Rounds to the query value for c -> 0; pre: c > 0, 0 < R < 1.
template <class S>
S perceptron_drift(const S& overlap, const S& band) {
  using std::erf;
  using std::sqrt;
  const S q = 1.0 - overlap * overlap;
  constexpr double root_two_over_pi = 0.79788456080286535588, root_half = 0.70710678118654752440;
  return root_two_over_pi * q * erf(root_half * band / sqrt(q)) / erf(root_half * band);
}
/// Share of the examples that lie in the band.
template <class S>
S perceptron_band_share(const S& band) {
  using std::erf;
  return erf(0.70710678118654752440 * band);
}
/// dR/dalpha per trained example with step f.
template <class S>
S perceptron_rate(const S& overlap, const S& band, const S& step) {
  return step * perceptron_drift(overlap, band) - 0.5 * step * step * overlap;
}
template <class S>
S perceptron_error(const S& overlap) {
  using std::acos;
  return acos(overlap) / 3.14159265358979323846;
}

/// sqrt(2/pi) sqrt(1-R^2): D of queries on the decision boundary.
double query_drift(double overlap);
/// sqrt(2/pi) (1-R^2): D of all examples.
double unselected_drift(double overlap);
/// f* = D/R at the given D.
double optimal_step(double overlap, double drift);
/// f(yh): the best length of an update when it may depend on the student's field in the label's direction.
double optimal_modulation(double overlap, double aligned_field);
/// dR/dalpha of that rule on all examples.
double modulated_rate(double overlap);
/// R after alpha trained examples per weight with the best step, from R_0 in (0, 1).
double query_overlap(double initial, double alpha);
double unselected_overlap(double initial, double alpha);

/// Band |h| < c of most progress per screened example, P D^2/(2R), at the best step.
double best_screened_band(double overlap);
/// The limits of late learning: c R/sqrt(1-R^2) and eps n, n screened examples per weight.
struct ScreenedLimit {
  double band, error;
};
ScreenedLimit screened_limit();

/// Order parameters of the globally optimal rule after alpha: R_i, Q_ik (row by row), from b, R_0, Q_0 and the
/// teacher's norm T. pre: sizes K, K, K * K, else Error E107.
struct OptimalErfRule {
  std::vector<double> teacher_overlap, student_overlap;
};
OptimalErfRule optimal_erf_rule(const std::vector<double>& b, const std::vector<double>& R0,
                                const std::vector<double>& Q0, double teacher_norm, double alpha);

}  // namespace eos::theory
