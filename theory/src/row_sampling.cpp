#include "eos/theory/row_sampling.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

namespace eos::theory {

// Certain rows are the largest. Each makes lambda smaller or larger; the number is right once the next one is not
// certain under the lambda of those before it.
double sampling_scale(std::vector<double> sizes, double coherent, double forward, double train) {
  std::sort(sizes.begin(), sizes.end(), std::greater<>());
  const double fixed = static_cast<double>(sizes.size()) * forward;
  double certain = 0;
  for (std::size_t c = 0; c <= sizes.size(); ++c) {
    const double moment = coherent + certain;
    const double lambda = moment > 0 ? std::sqrt((fixed + static_cast<double>(c) * train) / (train * moment))
                                     : std::numeric_limits<double>::infinity();
    if (c == sizes.size() || sizes[c] == 0 || lambda * sizes[c] < 1) return lambda;
    certain += sizes[c] * sizes[c];
  }
  return std::numeric_limits<double>::infinity();
}

}  // namespace eos::theory
