#include "eos/theory/write_economy.hpp"

#include <algorithm>
#include <cmath>

namespace eos::theory {

namespace {
double y_coth(double y) { return y < 1e-4 ? 1 + y * y / 3 : y / std::tanh(y); }
// y^2/sinh^2 y, without overflow.
double y_csch_squared(double y) {
  if (y < 1e-4) return 1 - y * y / 3;
  const double e = std::exp(-y), s = 2 * y * e / (1 - e * e);
  return s * s;
}
}  // namespace

/// eps = stiffness theta^2.
double WriteEconomy::stiffness() const {
  const double delay = squared > 0 ? lag / squared : 0.0;
  return (batch / (rate * noise) + delay) / 6;
}

double WriteEconomy::share(double theta) const { return stiffness() * theta * theta; }

double WriteEconomy::writes(double theta) const { return squared * y_coth(drift * theta) / (theta * theta); }

double WriteEconomy::writing(double theta) const { return writes(theta) * (write + path * theta); }

double WriteEconomy::energy(double theta) const { return share(theta) * cost + writing(theta); }

double WriteEconomy::largest_threshold() const { return 1 / std::max(std::sqrt(stiffness()), drift); }

/// Of E, with d(y coth y)/dy = coth y - y/sinh^2 y: rises with theta.
double WriteEconomy::slope(double theta) const {
  const double y = drift * theta, leaving = y_coth(y), spread = y_csch_squared(y);
  const double saved = squared / (theta * theta) * (spread * (write / theta + path) + leaving * write / theta);
  return 2 * stiffness() * cost * theta - saved;
}

double WriteEconomy::best_threshold() const {
  if (!(squared * (write + path) * noise > 0)) return 0;
  double high = largest_threshold();
  if (slope(high) <= 0) return high;
  double low = high;
  while (slope(low) > 0) low /= 2;
  // Halving an interval of a factor 2 in theta: 52 steps to the last bit.
  for (int i = 0; i < 52; ++i) {
    const double middle = 0.5 * (low + high);
    (slope(middle) > 0 ? high : low) = middle;
  }
  return low;
}

// y coth y - ratio is convex and rises; y = ratio lies above the root, from where Newton's method falls onto it.
double walk_drift(double ratio) {
  if (!(ratio > 1)) return 0;
  double y = ratio;
  for (;;) {
    const double slope = (y_coth(y) - y_csch_squared(y)) / y;
    const double next = y - (y_coth(y) - ratio) / slope;
    if (!(next < y) || !(next > 0)) return y;
    y = next;
  }
}

double momentum_persistence(double momentum) { return (1 + momentum) / (1 - momentum); }

}  // namespace eos::theory
