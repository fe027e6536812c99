#include "eos/theory/spectrum.hpp"

#include <algorithm>
#include <cmath>

#include "checker.hpp"

namespace eos::theory {
namespace {

/// First mode of each bin, and P + 1: bins grow by `ratio`, and by one mode at least.
std::vector<std::int64_t> edges(std::int64_t modes, double ratio) {
  std::vector<std::int64_t> first{1};
  while (first.back() <= modes) {
    const auto grown = static_cast<std::int64_t>(std::llround(static_cast<double>(first.back()) * ratio));
    first.push_back(std::min(modes + 1, std::max(first.back() + 1, grown)));
  }
  return first;
}

/// The smallest growth that needs no more than `bins` bins.
std::vector<std::int64_t> best_edges(std::int64_t modes, int bins) {
  double low = 1, high = static_cast<double>(modes) + 1;
  for (int i = 0; i < 60; ++i) {
    const double middle = std::sqrt(low * high);
    // The length is bounded by a growth of 1 + 1/j per bin only for large ratios, so small ratios are not tried out.
    const bool fits = middle > 1 + 1e-9 && std::log(static_cast<double>(modes)) / std::log(middle) < 4.0 * bins &&
                      edges(modes, middle).size() <= static_cast<std::size_t>(bins) + 1;
    (fits ? high : low) = middle;
  }
  return edges(modes, high);
}

}  // namespace

BinnedSpectrum log_binned_spectrum(const PowerSpectrum& spectrum) {
  Checker c;
  if (spectrum.modes < 1 || spectrum.modes > 100000000) {
    c.add("E104", fmt::format("spectrum.modes = {} must be between 1 and 1e8", spectrum.modes));
  }
  c.at_least("spectrum.exponent", spectrum.exponent, 0, true);
  c.range("spectrum.source", spectrum.source, -100, 100);
  c.at_least("spectrum.scale", spectrum.scale, 0, true);
  if (spectrum.bins < 1) c.add("E104", fmt::format("spectrum.bins = {} must be at least 1", spectrum.bins));
  c.finish();
  const std::vector<std::int64_t> first = best_edges(spectrum.modes, spectrum.bins);
  BinnedSpectrum binned;
  for (std::size_t b = 0; b + 1 < first.size(); ++b) {
    double trace = 0, variance = 0;
    for (std::int64_t j = first[b + 1] - 1; j >= first[b]; --j) {  // small terms first
      const auto x = static_cast<double>(j);
      trace += std::pow(x, -spectrum.exponent);
      variance += std::pow(x, -(spectrum.source * spectrum.exponent + 1));
    }
    const auto count = static_cast<double>(first[b + 1] - first[b]);
    binned.multiplicity.push_back(count);
    binned.lambda.push_back(trace / count);
    binned.initial.push_back(spectrum.scale * variance / trace);
  }
  return binned;
}

}  // namespace eos::theory
