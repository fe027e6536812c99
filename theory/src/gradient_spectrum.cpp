#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "eos/theory/calibration.hpp"

namespace eos::theory {
namespace {

/// Straight line through ln eigenvalue over ln rank.
void fit_power_law(const std::vector<double>& eigenvalue, std::size_t first, std::size_t last, SpectrumSummary& s) {
  double n = 0, x = 0, y = 0, xx = 0, xy = 0, yy = 0;
  for (std::size_t k = first; k <= last && k <= eigenvalue.size() && eigenvalue[k - 1] > 0; ++k) {
    const double a = std::log(static_cast<double>(k)), b = std::log(eigenvalue[k - 1]);
    ++n, x += a, y += b, xx += a * a, xy += a * b, yy += b * b;
  }
  if (n < 3) return;
  const double sxx = xx - x * x / n, sxy = xy - x * y / n, syy = yy - y * y / n;
  s.exponent = -sxy / sxx;
  s.exponent_error = std::sqrt(std::max(0.0, (syy - sxy * sxy / sxx) / ((n - 2) * sxx)));
}

}  // namespace

SpectrumSummary summarise_spectrum(const std::vector<double>& gram, const std::vector<double>& weight) {
  const auto n = static_cast<Eigen::Index>(weight.size());
  Eigen::MatrixXd k(n, n);
  SpectrumSummary s;
  double pairs = 0, square_weight = 0;
  for (Eigen::Index i = 0; i < n; ++i) {
    const double wi = weight[static_cast<std::size_t>(i)];
    for (Eigen::Index j = 0; j < n; ++j) {
      const double wj = weight[static_cast<std::size_t>(j)], v = gram[static_cast<std::size_t>(i * n + j)];
      k(i, j) = std::sqrt(wi * wj) * v;
      if (i != j) pairs += wi * wj * v * v;
    }
    s.trace += k(i, i);
    square_weight += wi * wi;
  }
  if (n < 2 || !(s.trace > 0)) return s;
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(k, Eigen::EigenvaluesOnly);
  std::vector<double> eigenvalue(solver.eigenvalues().data(), solver.eigenvalues().data() + n);
  std::reverse(eigenvalue.begin(), eigenvalue.end());
  s.largest = eigenvalue.front();
  pairs /= 1 - square_weight;
  s.effective_rank = pairs > 0 ? s.trace * s.trace / pairs : static_cast<double>(n);
  fit_power_law(eigenvalue, 2, std::max<std::size_t>(4, eigenvalue.size() / 10), s);
  return s;
}

}  // namespace eos::theory
