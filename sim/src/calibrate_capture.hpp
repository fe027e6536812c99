// How much of the gradient the hardest samples and the largest updates carry, at given weights.
//
// Any network: sums of gradients over groups of samples (capture_groups.hpp). Chains of rectifier layers also exactly:
// for a dense layer <g_i, g_j> = (1 + <x_i, x_j>) <d_i, d_j> with inputs x and output errors d, so all quantities come
// from one n x n Gram matrix K (Goodfellow, arXiv:1510.01799, for i = j).
//   signal capture  sum_{i kept, j != i} K_ij / sum_{i, j != i} K_ij    (pairs of distinct samples: unbiased sums)
//   noise capture   sum_{i kept} K_ii / sum_i K_ii
//   noise scale     tr Sigma / |G|^2, |G|^2 = mean_{i != j} K_ij, tr Sigma = mean_i K_ii - |G|^2, per layer
// Writes: share of |g|^2 that the largest fraction of a batch's gradient g holds, and <g_largest, G> / <g, G> with G
// from the folds that have no sample of the batch. Spectrum of E[g g^T]: from single gradients, each kept as signed
// sums of its entries in buckets (count sketch: Charikar, Chen & Farach-Colton, ICALP 2002), which leaves inner
// products unbiased.
#pragma once

#include "capture_groups.hpp"
#include "eos/sim/data.hpp"
#include "eos/theory/calibration.hpp"
#include "eos/theory/training_spec.hpp"
#include "network.hpp"
#include "sample_gradients.hpp"

namespace eos::sim {

struct CaptureSettings {
  int samples = 2000;
  int batch = 32;  ///< of the updates whose write capture is measured
  int bootstrap = 50;
  int folds = 8;
  int singles = 512;  ///< single gradients, about
  int windows = 192;  ///< sequences whose tokens are ranked
  std::uint64_t seed = 1;
  std::uint32_t snapshot = 0;  ///< addresses the draws
  bool gram = true;            ///< chains: exactly; false: by groups as every network
};

/// What captures are measured on; the referred objects must outlive it.
struct CaptureTask {
  const theory::TrainingSpec& spec;
  const TaskData& data;
  const Network& network;
};

/// throws Error E104 when the samples are too few.
theory::CaptureSnapshot capture(const CaptureTask& task, const std::vector<float>& weights,
                                const CaptureSettings& settings);

/// Upper ends of the classes of hardness.
const std::vector<double>& capture_fractions();
/// The groups that capture() makes at these weights.
CaptureGroups groups_of(const CaptureTask& task, const std::vector<float>& weights, const CaptureSettings& settings);
/// Of the samples of `groups`: gradients of groups [classes * folds][parameters].
std::vector<std::vector<float>> group_sums(SampleGradients& gradients, const CaptureTask& task,
                                           const CaptureGroups& groups);

/// Whether the Gram method holds: rectifiers, biases, cross-entropy, plain inputs.
bool gram_applies(const theory::TrainingSpec& spec, const TaskData& data, const Network& layout);
/// Fills residual, signal, noise and the noise scales of a chain.
void capture_by_gram(const Network& layout, const std::vector<float>& weights, const LabelledSet& set,
                     const CaptureSettings& settings, theory::CaptureSnapshot& snapshot);
/// Fills the captures of tokens.
void capture_tokens(SampleGradients& gradients, const CaptureTask& task, const CaptureSettings& settings,
                    theory::CaptureSnapshot& snapshot);
/// Fills `write` and `write_signal`; totals [folds][parameters]: gradients of the folds.
void capture_writes(SampleGradients& gradients, const CaptureTask& task, const CaptureGroups& groups,
                    const std::vector<std::vector<float>>& totals, int batch, theory::CaptureSnapshot& snapshot);

/// Shares of the hardest fractions of samples that are drawn `times[i]` times; exposed for tests.
struct SampleShares {
  std::vector<double> residual, signal, noise;  ///< [fractions]
};
/// gram [n][n]; residual [n]. times [n]: empty means once each.
SampleShares sample_shares(const std::vector<float>& gram, const std::vector<float>& residual,
                           const std::vector<int>& times, const std::vector<double>& fractions);

}  // namespace eos::sim
