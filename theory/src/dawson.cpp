#include "eos/theory/dawson.hpp"

#include <cmath>
#include <numbers>

namespace eos::theory {

double dawson(double x) {
  const double a = std::abs(x), square = a * a;
  constexpr double k_far = 6.5;  // the least term of the asymptotic series, about exp(-x^2), is below rounding
  if (a < k_far) {
    // exp(-x^2) sum x^(2n+1)/(n! (2n+1)): all terms positive.
    double power = a, sum = a;
    for (int n = 1; n < 400; ++n) {
      power *= square / n;
      const double term = power / (2 * n + 1);
      sum += term;
      if (term < 1e-17 * sum) break;
    }
    return std::copysign(std::exp(-square) * sum, x);
  }
  // 1/(2x) sum (2n-1)!!/(2x^2)^n, cut at its least term.
  double term = 1, sum = 1;
  for (int n = 1; n < 400; ++n) {
    const double next = term * (2 * n - 1) / (2 * square);
    if (next >= term || next < 1e-17 * sum) break;
    sum += term = next;
  }
  return std::copysign(sum / (2 * a), x);
}

double erfi(double x) { return 2 * std::numbers::inv_sqrtpi * std::exp(x * x) * dawson(x); }

}  // namespace eos::theory
