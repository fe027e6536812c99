// Where the ticks of an axis are and what they say. Private to io/.
#pragma once

#include <string>
#include <vector>

namespace eos::io {

struct Tick {
  double value = 0;
  std::string label;  ///< "" for a minor tick; on a wide logarithmic axis "^k" stands for 10 to the power k
};

/// The mapping of one axis from data to [0, 1], and its ticks.
struct Axis {
  double lower = 0, upper = 1;
  bool log = false;
  std::vector<Tick> ticks;
  int exponent = 0;  ///< labels are to be multiplied by 10^exponent

  double position(double x) const;  ///< NaN where a logarithmic axis has no place for x
};

/// A linear axis over [lower, upper] with ticks at multiples of 1, 2 or 5 times a power of ten, about `count` of them.
Axis linear_axis(double lower, double upper, int count);
/// A logarithmic axis; labels at decades, or at 1, 2, 5 when there are less than two decades. pre: 0 < lower < upper.
Axis log_axis(double lower, double upper, int count);

/// The range of an axis that shows [lower, upper] with some room: a linear one starts at 0 when that is near, a range
/// of one value is widened.
struct Interval {
  double lower, upper;
};
Interval comfortable(double lower, double upper, bool log, double room);

}  // namespace eos::io
