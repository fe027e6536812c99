// The short training runs of a calibration, and what is kept of them.
#pragma once

#include <vector>

#include "eos/sim/calibrate.hpp"
#include "eos/sim/train.hpp"
#include "network.hpp"

namespace eos::sim {

enum class ProbeKind { dense, selection, accumulator, reuse };

struct Probe {
  ProbeKind kind = ProbeKind::dense;
  double fraction = 1;  ///< rho or kappa
  int divisor = 1;      ///< reuse: every so many-th training sample, repeated so many times
  double plateau = 0;   ///< dense: share of the horizon with a constant rate, before it falls linearly to 0
  theory::TrainingSpec spec;
};

struct ProbeOutcome {
  RunStatus status = RunStatus::complete;
  std::vector<EpochRow> rows;  ///< validation values are means over the subset
  std::vector<float> weights;
  std::vector<std::vector<float>> weights_at;  ///< at each row, of dense and reuse probes
  std::vector<double> losses;                  ///< [validation samples], at the end of the run
  double loss = 0, accuracy = 0;               ///< means over all validation samples, at the end
};

/// Shares of a selection probe's horizon at its begin and end with all data.
inline constexpr double k_full_data_start = 0.2;
inline constexpr double k_full_data_end = 0.2;

inline constexpr double k_plateau = 0.75;

/// Dense probes first, in order of horizon, then the one at the second rate, the one with a plateau, then selection,
/// accumulator and reuse probes.
std::vector<Probe> make_probes(const theory::TrainingSpec& dense, int train_samples, const CalibrateOptions& options);

/// Runs them on up to options.threads threads. throws Error E402 when interrupted.
std::vector<ProbeOutcome> run_probes(const std::vector<Probe>& probes, const TaskData& data, core::Progress& progress,
                                     const CalibrateOptions& options);

}  // namespace eos::sim
