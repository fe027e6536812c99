// Probe a real network on real data and measure what the reduced model needs.
//
// Measured: loss curves of short dense probes with the rate annealed to zero over several horizons, and at a second
// learning rate; capture of samples (signal and noise separately, and residual share) and of writes per layer, and the
// simple noise scale, at moments of the longest dense probe; the clock rates of re-batched hard selection and of top-fraction error
// feedback; writes and path length of dense and of accumulated updates. What each is for, and how well it predicts:
// docs/calibration.md.
//
// Clock rates are measured as executed, by matching annealed losses: a probe that ends at the loss which a dense probe
// of horizon T' has, ran at rate T'/T. Hard selection acts between a first and a last phase with all data.
// Standard errors: bootstrap over samples for captures; over validation samples, paired with the dense probe, for
// clocks. They do not contain the scatter between seeds.
#pragma once

#include "eos/core/progress.hpp"
#include "eos/sim/data.hpp"
#include "eos/theory/calibration.hpp"

namespace eos::sim {

struct CalibrateOptions {
  double probe_epochs = 1.0;                         ///< length of the longest probe
  std::vector<double> horizons{0.1, 0.5, 1.0};       ///< of the dense probes, shares of probe_epochs, last one 1
  double rate_factor = 2;                            ///< a further dense probe runs at this multiple of the learning rate
  std::vector<double> selection_fractions{0.2, 0.35, 0.5, 0.7};        ///< rho of the selection probes
  std::vector<double> accumulator_fractions{0.0003, 0.001, 0.01};      ///< kappa of the error-feedback probes
  std::vector<double> capture_moments{0.125, 0.375, 0.625};  ///< in units of probe_epochs, rounded to its evaluations
  int reuse_divisor = 4;                             ///< a probe repeats every so many-th sample so many times; 1: none
  int capture_samples = 2000;                        ///< training samples per capture snapshot
  int validation_samples = 4000;                     ///< used along the loss curves; their ends use all
  int points = 8;                                    ///< evaluations along the longest probe
  int bootstrap = 50;                                ///< resamples for standard errors
  int threads = 1;                                   ///< probes run in parallel; results do not depend on it
};

/// Everything of Calibration but `fit`, which solvers::fit_model adds. `dense` is the run to plan for; its selection and
/// plasticity are set aside. throws Error E104 (no validation data, bad options), E402 (a dense probe diverged, or the
/// calibration was interrupted).
theory::Calibration measure(const theory::TrainingSpec& dense, const TaskData& data, core::Progress& progress,
                            const CalibrateOptions& options = {});

}  // namespace eos::sim
