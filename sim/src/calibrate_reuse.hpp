// What a probe that repeats a part of the data says: how soon samples are memorised, and how noisy labels are.
#pragma once

#include "calibrate_probes.hpp"
#include "eos/sim/data.hpp"
#include "eos/theory/calibration.hpp"

namespace eos::sim {

/// The training samples 0, d, 2d, ... of a reuse probe with divisor d, as a task of their own without test data.
TaskData every_nth(const TaskData& data, int divisor);

/// Losses of up to `samples` seen and as many unseen training samples at every row of the probe.
std::vector<theory::ReusePoint> reuse_curve(const Probe& probe, const ProbeOutcome& outcome, const TaskData& data,
                                            int samples);

/// Disagreement of the labels of up to `samples` unseen training samples with the most confident tenth of predictions
/// at the end of the probe.
theory::LabelNoise label_noise(const Probe& probe, const ProbeOutcome& outcome, const TaskData& data, int samples);

/// Wilson's interval for `hits` of n at 1.96 standard errors.
theory::LabelNoise wilson_interval(int hits, int n);

}  // namespace eos::sim
