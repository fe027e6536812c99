// Probe a real network on real data and measure what the reduced model needs.
//
// Measured: capture of samples (signal and noise separately, and residual share), capture of writes per layer, noise
// scale, loss curves of short dense probes at several learning rates (one with the rate annealed to zero), and the
// relative clock rates of re-batched hard selection and of top-fraction error feedback. See docs/calibration.md.
#pragma once

#include "eos/core/progress.hpp"
#include "eos/sim/data.hpp"
#include "eos/theory/calibration.hpp"

namespace eos::sim {

struct CalibrateOptions {
  double probe_epochs = 1.0;                 ///< length of each loss probe
  int capture_samples = 2000;                ///< training samples per capture snapshot
  std::vector<double> capture_epochs{0.1, 0.5, 1.0};
  int bootstrap = 50;                        ///< resamples for standard errors
  int threads = 1;
};

/// Everything of Calibration but `fit`, which solvers::fit_model adds.
theory::Calibration measure(const theory::TrainingSpec& dense, const TaskData& data, core::Progress& progress,
                            const CalibrateOptions& options = {});

}  // namespace eos::sim
