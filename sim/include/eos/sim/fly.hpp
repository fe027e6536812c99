// Populations of flies (theory/fly.hpp) under every hazard, gate and pair of thresholds of a spec.
//
// All cells of the grid meet the same flies: same reserves, same odour rates, same luck. Differences between gates are
// therefore much sharper than the standard errors of the single lifetimes suggest.
// Guarantees: every draw has an address (seed; fly, day), so the result depends neither on the number of threads nor on
// which other cells are simulated.
#pragma once

#include <vector>

#include "eos/core/dataset.hpp"
#include "eos/core/progress.hpp"
#include "eos/theory/fly.hpp"

namespace eos::sim {

/// Means over the flies of one cell.
struct FlyLives {
  double lifetime = 0;        ///< days
  double lifetime_error = 0;  ///< standard error, from differences of neighbours in the even spread of reserves
  double survivors = 0;       ///< share that lives after the last day
  double ltm_reserve = 0;     ///< reserve paid for long-term memory while alive
  double punished = 0;        ///< punished days while alive, per fly
};

struct FlyResult {
  theory::FlySpec spec;
  std::vector<FlyLives> cells;  ///< [hazard][gate][energy threshold][error threshold]

  std::size_t index(std::size_t hazard, std::size_t gate, std::size_t c0, std::size_t c1) const;
  const FlyLives& at(std::size_t hazard, std::size_t gate, std::size_t c0 = 0, std::size_t c1 = 0) const {
    return cells[index(hazard, gate, c0, c1)];
  }
  /// Thresholds as indices into the lists of the spec.
  struct Thresholds {
    std::size_t c0 = 0, c1 = 0;
  };
  /// Longest life under one hazard; ties go to the smaller thresholds.
  Thresholds best(std::size_t hazard, std::size_t gate) const;
  /// Longest mean life over all hazards: one setting for a fly that does not know how dangerous its world is.
  Thresholds best_for_all(std::size_t gate) const;
  double mean_over_hazards(std::size_t gate, Thresholds thresholds) const;
};

/// Simulates all cells. Thresholds that a gate does not use are simulated once and repeated over the grid.
/// throws Error of FlySpec::check().
FlyResult simulate_flies(const theory::FlySpec& spec, core::Progress& progress, int threads = 1);

/// Root: `lifetime`, `lifetime_stderr`, `survivors`, `ltm_reserve`, `punished_days` and the best thresholds along
/// (hazard, gate); `common_lifetime` along (hazard, gate) with its thresholds along (gate); `lifetime_grid` and
/// `lifetime_grid_stderr` along (hazard, gate, energy_threshold, error_threshold). Thresholds that a gate does not use
/// are NaN. The coordinate `gate` holds the names. Attribute kind = "fly".
core::Dataset to_dataset(const FlyResult& result);

}  // namespace eos::sim
