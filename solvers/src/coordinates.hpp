// The controls of all intervals as one vector of variables of comparable size, and back.
//
// Per interval: ln rho or rho, ln kappa or kappa, eta / eta_max. A ranked fraction acts on the scale of its logarithm;
// a random one acts linearly and likes its bounds, where a logarithm would hide the gradient.
#pragma once

#include <span>
#include <vector>

#include "eos/theory/mode_model.hpp"

namespace eos::solvers {

class Coordinates {
 public:
  explicit Coordinates(const theory::ModeProblem& problem);

  /// Clamped to the bounds, which in phases with all data are {1, 1} for rho and in a rest of fixed length the lower
  /// ones for both fractions.
  std::vector<double> from(std::span<const theory::Controls> controls) const;
  /// Sets rho = 1 in those phases; leaves everything else as it is.
  void impose_phases(std::span<theory::Controls> controls) const;
  void to(std::span<const double> x, std::span<theory::Controls> controls) const;
  /// scale * dJ/dx from dJ/d(controls).
  void pull_back(std::span<const theory::Controls> controls, std::span<const theory::ControlGradient> gradient,
                 double scale, std::span<double> g) const;

  const std::vector<double>& lower() const { return lower_; }
  const std::vector<double>& upper() const { return upper_; }

 private:
  struct Fraction {
    theory::Rule rule;
    theory::Bounds bounds;
    double inward(double fraction) const;
    double outward(double x) const;
    double slope(double fraction) const { return rule == theory::Rule::ranked ? fraction : 1; }
  };
  Fraction data_, weight_;
  double rate_scale_;
  std::vector<double> lower_, upper_;
  std::vector<bool> all_data_;  // per interval
};

}  // namespace eos::solvers
