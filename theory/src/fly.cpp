#include "eos/theory/fly.hpp"

#include <cmath>

#include "checker.hpp"

namespace eos::theory {

namespace {

void check_list(Checker& c, const char* name, const std::vector<double>& values, double low, double high) {
  if (values.empty()) c.add("E105", fmt::format("{} is empty, it needs at least one value", name));
  for (const double value : values) c.range(name, value, low, high);
}

}  // namespace

const std::vector<std::string>& fly_gate_names() {
  static const std::vector<std::string> k_names{"none",  "arm-only", "ltm-only", "energy",
                                                "error", "and",      "or",       "linear"};
  return k_names;
}

const std::string& name_of(FlyGate gate) { return fly_gate_names()[static_cast<std::size_t>(gate)]; }

bool uses_energy_threshold(FlyGate gate) {
  return gate == FlyGate::energy || gate == FlyGate::both || gate == FlyGate::either || gate == FlyGate::linear;
}

bool uses_error_threshold(FlyGate gate) {
  return gate == FlyGate::error || gate == FlyGate::both || gate == FlyGate::either || gate == FlyGate::linear;
}

bool opens(FlyGate gate, double c0, double c1, double reserve, double surprise) {
  switch (gate) {
    case FlyGate::none:
    case FlyGate::arm_only:
      return false;
    case FlyGate::ltm_only:
      return true;
    case FlyGate::energy:
      return reserve > c0;
    case FlyGate::error:
      return surprise > c1;
    case FlyGate::both:
      return reserve > c0 && surprise > c1;
    case FlyGate::either:
      return reserve > c0 || surprise > c1;
    case FlyGate::linear:
      break;
  }
  return c0 * reserve + c1 * surprise > 1;
}

void FlySpec::check() const {
  constexpr double k_most = 1e6;
  Checker c;
  c.range("fly.flies", flies, 1, 1e8);
  c.range("fly.days", days, 1, 1e5);
  check_list(c, "fly.hazards", hazards, 0, 1);
  check_list(c, "fly.energy_thresholds", energy_thresholds, -k_most, k_most);
  check_list(c, "fly.error_thresholds", error_thresholds, -k_most, k_most);
  if (gates.empty()) c.add("E105", "fly.gates is empty, it needs at least one gate", "e.g. gates = [\"none\", \"or\"]");
  c.at_least("fly.starvation_exponent", starvation_exponent, 0);
  c.at_least("fly.ltm_cost", ltm_cost, 0);
  c.at_least("fly.ltm_event_cost", ltm_event_cost, 0);
  c.range("fly.arm_decay", arm_decay, 0, 1);
  c.range("fly.expectation_decay", expectation_decay, 0, 1);
  c.at_least("fly.learning_rate", learning_rate, 0);
  c.finite("fly.ltm_lower", ltm_lower);
  c.finite("fly.ltm_upper", ltm_upper);
  c.finite("fly.ltm_initial", ltm_initial);
  if (!(ltm_lower <= ltm_initial && ltm_initial <= ltm_upper)) {
    c.add("E107", fmt::format("fly.ltm_initial = {} lies outside [fly.ltm_lower, fly.ltm_upper] = [{}, {}]",
                              ltm_initial, ltm_lower, ltm_upper));
  }
  c.finite("fly.input_mean", input_mean);
  c.at_least("fly.input_stdev", input_stdev, 0);
  c.range("fly.reserve_lower", reserve_lower, 0, 1);
  c.range("fly.reserve_upper", reserve_upper, 0, 1);
  if (reserve_lower > reserve_upper) {
    c.add("E107", fmt::format("fly.reserve_lower = {} is above fly.reserve_upper = {}", reserve_lower, reserve_upper));
  }
  c.range("fly.daily_feed", daily_feed, -1, 1);
  c.range("fly.punishment_probability", punishment_probability, 0, 1);
  c.finish();
}

double starvation_hazard(double reserve, double exponent) { return std::exp(-exponent * reserve); }

double constant_hazard_lifetime(double hazard, int days) {
  if (hazard <= 0) return days + 1;
  return -std::expm1((days + 1) * std::log1p(-hazard)) / hazard;
}

double lifetime_without_learning(const FlySpec& spec, double hazard) {
  const auto at = [&](double reserve) {
    const double alive =
        (1 - spec.punishment_probability * hazard / 2) * -std::expm1(-spec.starvation_exponent * reserve);
    return constant_hazard_lifetime(1 - alive, spec.days);
  };
  if (spec.reserve_lower == spec.reserve_upper) return at(spec.reserve_lower);
  constexpr int k_intervals = 2000;
  const double width = (spec.reserve_upper - spec.reserve_lower) / k_intervals;
  double sum = 0;
  for (int i = 0; i <= k_intervals; ++i) {
    const double weight = i == 0 || i == k_intervals ? 1 : i % 2 == 1 ? 4 : 2;
    sum += weight * at(spec.reserve_lower + i * width);
  }
  return sum / (3 * k_intervals);
}

}  // namespace eos::theory
