// How much of the gradient the hardest samples and the largest updates carry, at given weights.
//
// Per-sample gradients are never formed: for a dense layer <g_i, g_j> = (1 + <x_i, x_j>) <d_i, d_j> with inputs x and
// output errors d, so all quantities come from one n x n Gram matrix K (Goodfellow, arXiv:1510.01799, for i = j).
//   signal capture  sum_{i kept, j != i} K_ij / sum_{i, j != i} K_ij    (pairs of distinct samples: unbiased sums)
//   noise capture   sum_{i kept} K_ii / sum_i K_ii
//   noise scale     tr Sigma / |G|^2, |G|^2 = mean_{i != j} K_ij, tr Sigma = mean_i K_ii - |G|^2, per layer
#pragma once

#include "eos/sim/data.hpp"
#include "eos/theory/calibration.hpp"
#include "network.hpp"

namespace eos::sim {

struct CaptureSettings {
  int samples = 2000;
  int batch = 32;  ///< of the updates whose write capture is measured
  int bootstrap = 50;
  std::uint64_t seed = 1;
  std::uint32_t snapshot = 0;  ///< addresses the bootstrap draws
};

theory::CaptureSnapshot capture(const Network& layout, const std::vector<float>& weights, const LabelledSet& set,
                                CaptureSettings settings);

/// Shares of the hardest fractions of samples that are drawn `times[i]` times; exposed for tests.
struct SampleShares {
  std::vector<double> residual, signal, noise;  ///< [fractions]
};
/// gram [n][n]; residual [n]. times [n]: empty means once each.
SampleShares sample_shares(const std::vector<float>& gram, const std::vector<float>& residual,
                           const std::vector<int>& times, const std::vector<double>& fractions);

}  // namespace eos::sim
