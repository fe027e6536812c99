// What a probe of the real network on the real data measures, and the reduced model fitted to it.
//
// sim/ measures, solvers/ fits the spectrum and plans, io/ stores it: `eos calibrate` writes, `eos plan` reads.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "eos/theory/capture.hpp"
#include "eos/theory/ledger.hpp"
#include "eos/theory/training_spec.hpp"

namespace eos::theory {

/// A measured curve with its standard error.
struct MeasuredCurve {
  std::vector<double> fraction;  ///< increasing, last one is 1
  std::vector<double> value;
  std::vector<double> error;  ///< standard error (bootstrap)
};

/// Eigenvalues of the second moment E[g g^T] of per-sample gradients, as far as a sample of them shows.
struct SpectrumSummary {
  double trace = 0;           ///< E |g|^2
  double largest = 0;         ///< largest eigenvalue
  double effective_rank = 0;  ///< (tr C)^2 / tr C^2, from pairs of distinct samples
  double exponent = 0;        ///< of the power law eigenvalue ~ rank^-exponent, from rank 2 to a tenth of the sample
  double exponent_error = 0;  ///< of the straight line in logarithms
};
/// gram [n][n] of gradients g_i that stand for shares w_i of all samples (sum 1).
SpectrumSummary summarise_spectrum(const std::vector<double>& gram, const std::vector<double>& weight);

/// Capture at one moment of the probe. Layers are blocks of parameters. Errors of curves `signal` and `noise` of chains
/// come from a bootstrap over samples, all others from a jackknife over folds.
struct CaptureSnapshot {
  double epoch = 0;
  MeasuredCurve residual;                   ///< share of residual norm^2 of the hardest fraction
  MeasuredCurve signal;                     ///< <G_kept, G> / |G|^2, G the mean gradient: capture of the drift
  MeasuredCurve noise;                      ///< share of per-sample gradient second moment: capture of the noise
  std::vector<MeasuredCurve> write;         ///< per layer: share of |update|^2 of the largest fraction of weights
  std::vector<double> simple_noise_scale;   ///< per layer: tr Sigma / |G|^2 (McCandlish et al. 2018)
  std::vector<double> noise_scale_error;    ///< per layer
  std::vector<MeasuredCurve> layer_signal;  ///< `signal` of each layer alone
  std::vector<MeasuredCurve> layer_noise;   ///< `noise` of each layer alone
  std::vector<MeasuredCurve> write_signal;  ///< per layer: <g_largest, G> / <g, G> of a batch's gradient g, G of others
  MeasuredCurve token_signal, token_noise;  ///< the same of the hardest share of tokens by loss; empty: no sequences
  double residual_variance = 0;             ///< mean residual norm^2
  double benefit_exponent = 1;              ///< q of: signal of a sample ~ residual^q
  double benefit_exponent_error = 0;
  SpectrumSummary spectrum;
};

/// Loss of samples that were trained on and of samples that were not, after so many passes over a part of the data.
struct ReusePoint {
  double passes = 0;  ///< over the part
  double seen_loss = 0, seen_error = 0;
  double unseen_loss = 0, unseen_error = 0;
};

/// How often confident predictions contradict labels of training samples that were never trained on: label noise, as
/// far as the network is right where it is confident.
struct LabelNoise {
  double rate = 0, low = 0, high = 0;  ///< with the 95 % interval of Wilson (J. Am. Stat. Assoc. 22:209, 1927)
  double confidence = 0;               ///< least probability among the predictions that count
  int predictions = 0;                 ///< so many, the most confident tenth; 0: not measured
};

/// One point of a probe's loss curve. Fractions are those of the run between its phases with all data.
struct ProbePoint {
  int probe = 0;             ///< index of the probe run
  double step = 0;           ///< updates (dense chunks) so far
  double clock = 0;          ///< sum of learning rates so far
  double learning_rate = 0;  ///< current
  double loss = 0;           ///< validation loss
  double loss_error = 0;     ///< standard error over validation samples
  double accuracy = 0;
  double data_fraction = 1, weight_fraction = 1;  ///< of the probe
};

/// L = floor + amplitude S(T / clock), S of the functional scaling law (scaling_law.hpp) with source `exponent`,
/// capacity 2, g = noise * learning rate and no label noise: S = (1 + t)^-exponent where the rate is annealed.
struct FittedScalingLaw {
  double floor = 0, amplitude = 0, exponent = 1, clock = 1, noise = 0;
  double residual_rms = 0;    ///< of the fit, in units of loss
  double held_out_error = 0;  ///< as FittedModel::held_out_error; 0: not fitted
};

/// Parameters of the mode model fitted to the probes' loss curves, with standard errors.
struct FittedModel {
  std::vector<double> lambda;        ///< fixed logarithmic grid
  std::vector<double> multiplicity;  ///< n_j of each mode, empty: all 1
  std::vector<double> initial;       ///< m_j(0)
  std::vector<double> initial_error;
  double noise_variance = 0, noise_variance_error = 0;
  double noise_scale = 1, noise_scale_error = 0;
  double loss_offset = 0, loss_offset_error = 0;
  double residual_rms = 0;    ///< of the fit, in units of loss
  double held_out_error = 0;  ///< median relative error of the loss on the probe that was left out of the fit
  FittedScalingLaw scaling;
};

/// Path lengths are compared between these shares of a probe's horizon: before, the network still leaves its random
/// start; after, the falling rate makes accumulators give back what they gathered, once per run of any length.
inline constexpr double k_path_begin = 0.25, k_path_end = 0.5;

struct Calibration {
  TrainingSpec spec;  ///< the dense run that was probed (data, network, optimiser, batch)
  NetworkCounts counts;
  int train_samples = 0;
  std::vector<CaptureSnapshot> snapshots;
  std::vector<std::string> block_names;        ///< layers of the snapshots
  std::vector<std::int64_t> block_parameters;  ///< of each
  std::vector<ProbePoint> probes;              ///< of dense probes
  std::vector<ProbePoint> gated_probes;        ///< of selection and error-feedback probes
  std::vector<ReusePoint> reuse;               ///< of a probe that repeats a part of the data
  double reuse_share = 0;                      ///< that part
  double reuse_clock = 1,
         reuse_clock_error = 0;  ///< relative clock rate of that probe: 1 if repeated samples are as good as new
  LabelNoise label_noise;
  MeasuredCurve accumulator_clock;  ///< measured relative clock rate G of top-fraction error feedback
  MeasuredCurve selection_clock;    ///< measured relative clock rate of the hardest fraction rho, re-batched
  MeasuredCurve accumulator_path;  ///< M_1 of top-fraction error feedback, relative to dense updates (middle of probes)
  MeasuredCurve accumulator_held;  ///< mean of sum |accumulator| over presentations, per unit of learning rate
  double full_data_start = 0;      ///< share of the selection probes' horizon at its begin with all data
  double full_data_end = 0;        ///< the same at its end: hard selection displaces the minimum, full data repairs it
  double largest_stable_rate = 0;  ///< largest probed peak learning rate that did not do worse than the run's own
  double dense_write_share = 1;    ///< share of parameters whose value changes in a dense update
  double dense_path_per_step = 0;  ///< M_1 of a dense update divided by its learning rate (middle of the probe)
  FittedModel fit;

  /// Whether the scaling law predicted the probe that was left out better than the mode model did.
  bool follows_scaling_law() const;

  CaptureCurve signal_curve() const;  ///< median over snapshots as a CaptureCurve
  CaptureCurve noise_curve() const;
  CaptureCurve write_curve() const;  ///< parameter-weighted mean over layers
  /// Exponent of the feedback law's benefit, SelectionSpec::ratio_exponent: mean over snapshots with inverse variances,
  /// within [0.5, 3], and its standard error (the larger of the formal one and the scatter).
  double benefit_exponent() const;
  double benefit_exponent_error() const;

  /// Measured clock rates as captures: non-decreasing least-squares fit, clamped to [0, 1]. throws Error E402.
  CaptureCurve selection_clock_curve() const;
  CaptureCurve accumulator_clock_curve() const;
};

}  // namespace eos::theory
