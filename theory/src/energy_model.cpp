#include "eos/theory/energy_model.hpp"

#include <fmt/format.h>

#include <cmath>

#include "eos/core/error.hpp"

namespace eos::theory {
namespace {

void require(bool good, const char* what, double value, const char* allowed) {
  if (good) return;
  throw core::Error("E104", fmt::format("{} is {:g}", what, value), fmt::format("{} must be {}", what, allowed));
}

void require_not_negative(const char* what, double value) {
  require(std::isfinite(value) && value >= 0, what, value, "finite and not negative");
}

}  // namespace

void EnergyModel::check() const {
  require_not_negative("idle_watts", idle_watts);
  require_not_negative("joules_per_flop", joules_per_flop);
  require_not_negative("joules_per_byte", joules_per_byte);
  if (source.empty())
    throw core::Error("E105", fmt::format("the energy model '{}' does not say where its coefficients come from", name),
                      "add source = \"...\": who measured them, on which machine, how");
}

void CarbonFactors::check() const {
  require_not_negative("the carbon intensity", grams_per_kwh);
  require(std::isfinite(pue) && pue >= 1, "the PUE", pue, "at least 1: the building's energy includes the machines'");
}

double kg_co2e(double joules, const CarbonFactors& factors) {
  return joules / k_joules_per_kwh * factors.pue * factors.grams_per_kwh * 1e-3;
}

}  // namespace eos::theory
