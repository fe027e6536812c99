// Say how well a mean is known: Student's t interval over independent runs.
//
// mean +- t_{n-1, (1+level)/2} s/sqrt(n), with s the sample standard deviation (Student 1908). Values that are not
// finite (runs that did not converge) are left out. Guarantees: pure; an interval of fewer than two values is NaN.
#pragma once

#include <span>

namespace eos::theory {

struct Interval {
  double mean = 0;  ///< NaN without values
  double half = 0;  ///< half-width
  int count = 0;    ///< finite values
  double low() const { return mean - half; }
  double high() const { return mean + half; }
};

/// pre: 0 < level < 1
Interval mean_interval(std::span<const double> values, double level = .95);

}  // namespace eos::theory
