// Decide when a student should see easy and when hard examples.
//
// A sign-labelled task with relevant inputs, on which the label depends, and irrelevant ones of variance Delta (the
// difficulty). A student g(w.x/sqrt N), g(x) = erf(x/2), learns on line; Q11 and Q22 are the norms of its weights on
// relevant and irrelevant inputs, M its overlap with the teacher, T the teacher's norm. With s = Q11 + Delta Q22,
// r = sqrt((2+s)T - M^2), Gamma = pi/2 + asin(s/(2+3s)) - 2 asin(M / sqrt((2+3s)((1+s)T - M^2))):
//   Q11' = (4 eta/pi)/(2+s) [M (2 + Delta Q22)/r - Q11/sqrt(1+s)] + (2 eta^2/pi^2) Gamma/sqrt(1+s) - eta lambda Q11
//   Q22' = -(4 eta Delta Q22/pi)/(2+s) [1/sqrt(1+s) + M/r] + (2 Delta eta^2/pi^2) Gamma/sqrt(1+s) - eta lambda Q22
//   M'   = (2 eta/pi)/(2+s) [r - M/sqrt(1+s)] - eta lambda M / 2
//   eps_g(Delta) = acos(M / sqrt((Q11 + Delta Q22) T)) / pi
// Source: Mignacco & Mori, arXiv:2507.07907, section 3.1 and its released program. Held to that program's numbers and
// to a simulation in tests/theory/curriculum_test.cpp.
#pragma once

#include <cmath>
#include <vector>

namespace eos::theory {

template <class S>
struct CurriculumState {
  S relevant;    ///< Q11
  S irrelevant;  ///< Q22
  S overlap;     ///< M
};

/// Rates of change at difficulty Delta; eta: learning rate, lambda: weight decay, norm: T.
template <class S>
CurriculumState<S> curriculum_rates(const CurriculumState<S>& x, const S& difficulty, const S& eta, const S& lambda,
                                    const S& norm) {
  using std::asin;
  using std::sqrt;
  constexpr double pi = 3.14159265358979323846;
  const S &q = x.relevant, &m = x.overlap;
  const S noise = difficulty * x.irrelevant, s = q + noise;
  const S root = sqrt(1.0 + s), width = 2.0 + 3.0 * s, r = sqrt((2.0 + s) * norm - m * m);
  const S gamma = 0.5 * pi + asin(s / width) - 2.0 * asin(m / sqrt(width * ((1.0 + s) * norm - m * m)));
  const S squared = 2.0 / (pi * pi) * eta * eta * gamma / root;
  const S linear = 2.0 / pi * eta / (2.0 + s);
  return {2.0 * linear * (m * (2.0 + noise) / r - q / root) + squared - eta * lambda * q,
          -2.0 * linear * noise * (1.0 / root + m / r) + difficulty * squared - eta * lambda * x.irrelevant,
          linear * (r - m / root) - 0.5 * eta * lambda * m};
}

/// eps_g of one difficulty.
template <class S>
S curriculum_error(const CurriculumState<S>& x, const S& difficulty, const S& norm) {
  using std::acos;
  using std::sqrt;
  return acos(x.overlap / sqrt((x.relevant + difficulty * x.irrelevant) * norm)) / 3.14159265358979323846;
}

/// Setting of the paper. Time alpha = samples / N.
struct Curriculum {
  double rate = 3;                         ///< eta
  double weight_decay = 0;                 ///< lambda
  double teacher_norm = 2;                 ///< T
  double easy = 0, hard = 2;               ///< difficulties Delta
  double easy_share = .5;                  ///< of the examples, and of the error
  double horizon = 12;                     ///< alpha_F
  CurriculumState<double> start{1, 1, 0};  ///< Q11, Q22, M at 0
};

/// Final error of a sequence of easy (true) and hard steps of equal length, by explicit Euler as the authors integrate
/// it; the two errors are weighted by easy_share. The authors divide the number of easy steps by the number of nodes,
/// one more than the number of steps: set easy_share so to repeat their digits.
double evaluate_curriculum(const Curriculum& setting, const std::vector<bool>& easy);

/// The best of all schedules easy - hard - easy with `steps` steps, of which `easy_steps` are easy.
struct TwoSwitchSchedule {
  int first_easy = 0;  ///< steps before the hard block
  double error = 0;
  std::vector<bool> easy;
};
/// pre: 0 <= easy_steps <= steps, steps >= 1, else Error E104.
TwoSwitchSchedule best_two_switch_curriculum(const Curriculum& setting, int steps, int easy_steps);

}  // namespace eos::theory
