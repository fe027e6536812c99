#include "eos/theory/interval.hpp"

#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>

namespace eos::theory {

Interval mean_interval(std::span<const double> values, double level) {
  Interval result;
  double sum = 0, squares = 0;
  for (const double x : values)
    if (std::isfinite(x)) sum += x, ++result.count;
  result.mean = sum / result.count;
  result.half = std::numeric_limits<double>::quiet_NaN();
  if (result.count < 2) return result;
  for (const double x : values)
    if (std::isfinite(x)) squares += (x - result.mean) * (x - result.mean);
  const double n = result.count;
  const boost::math::students_t law(n - 1);
  result.half = boost::math::quantile(law, (1 + level) / 2) * std::sqrt(squares / (n - 1) / n);
  return result;
}

}  // namespace eos::theory
