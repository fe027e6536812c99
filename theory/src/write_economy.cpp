#include "eos/theory/write_economy.hpp"

#include <algorithm>
#include <cmath>

namespace eos::theory {

double WriteEconomy::share(double theta) const { return theta * theta * batch / (6 * rate * noise); }

double WriteEconomy::writing(double theta) const { return squared * (write / theta + path) / theta; }

double WriteEconomy::energy(double theta) const { return share(theta) * other + writing(theta); }

double WriteEconomy::largest_threshold() const { return std::sqrt(6 * rate * noise / batch); }

// a theta^4 = p theta + q. Above its root the difference is convex and rises, so that Newton's method falls onto it.
double WriteEconomy::best_threshold() const {
  const double a = batch * other / (3 * rate * noise), p = squared * path, q = 2 * squared * write;
  if (!(p + q > 0)) return 0;
  const double limit = largest_threshold();
  if (a * std::pow(limit, 4) <= p * limit + q) return limit;
  double theta = limit;
  for (;;) {
    const double cube = a * theta * theta * theta;
    const double next = theta - (theta * (cube - p) - q) / (4 * cube - p);
    if (!(next < theta)) return theta;
    theta = next;
  }
}

double momentum_persistence(double momentum) { return (1 + momentum) / (1 - momentum); }

}  // namespace eos::theory
