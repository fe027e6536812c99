#include "eos/theory/plasticity_spec.hpp"

#include <cmath>

#include "spec_checks.hpp"

namespace eos::theory {

void check_plasticity(const TrainingSpec& s, Checker& c) {
  const PlasticitySpec& w = s.plasticity;
  c.range("plasticity.fraction", w.fraction, 0, 1, true);
  c.at_least("plasticity.theta", w.theta, 0);
  c.at_least("plasticity.theta_exponent", w.theta_exponent, 0);
  if (w.accumulate && w.rule == WriteRule::all) {
    c.add("E107", "plasticity.accumulate keeps what is not written, but plasticity.rule = \"all\" writes everything",
          "set accumulate = false or choose another rule");
  }
  if (w.fraction_source == FractionSource::law || w.fraction_source == FractionSource::stored) {
    c.add("E107", "plasticity.fraction_source must be \"constant\" or \"schedule\"");
  }
}

double write_threshold(const PlasticitySpec& plasticity, double initial_rate, double rate, int batch) {
  if (initial_rate <= 0) return plasticity.theta;
  const double theta0 =
      plasticity.theta == 0 && plasticity.accumulate ? 0.13 * std::sqrt(3 * initial_rate / batch) : plasticity.theta;
  return theta0 * std::pow(rate / initial_rate, plasticity.theta_exponent);
}

}  // namespace eos::theory
