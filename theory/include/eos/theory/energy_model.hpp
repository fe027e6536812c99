// Joules of a machine without an energy counter, and the carbon dioxide of joules.
//
// Statements: E = P_idle t + e_flop FLOPs + e_byte bytes, a linear model whose coefficients are fitted once on a
// machine that has counters; emissions = E / (3.6 MJ/kWh) * intensity * PUE (the rule of CodeCarbon and carbontracker;
// power usage effectiveness: ISO/IEC 30134-2). Emissions are derived from joules, never stored instead of them.
#pragma once

#include <string>

namespace eos::theory {

/// Coefficients of one machine. All are >= 0.
struct EnergyModel {
  std::string name;
  std::string source;          ///< how and where the coefficients were found
  double idle_watts = 0;       ///< W, power of the idle machine
  double joules_per_flop = 0;  ///< J, beyond idle
  double joules_per_byte = 0;  ///< J per byte moved, beyond idle

  double joules(double seconds, double flops, double bytes) const {
    return idle_watts * seconds + joules_per_flop * flops + joules_per_byte * bytes;
  }
  /// throws Error E104 for a coefficient that is negative or not finite, E105 without a source.
  void check() const;
};

/// Where electricity comes from. Defaults: the world's mix of 2019 and no overhead of a data centre.
struct CarbonFactors {
  double grams_per_kwh = 481;  ///< g CO2e per kWh
  double pue = 1;              ///< energy of the building / energy of the machines, >= 1
  std::string source = "world mean of 2019, the default of carbontracker; PUE 1: the machine alone";

  /// throws Error E104.
  void check() const;
};

inline constexpr double k_joules_per_kwh = 3.6e6;

/// kg CO2e of `joules`.
double kg_co2e(double joules, const CarbonFactors& factors);

}  // namespace eos::theory
