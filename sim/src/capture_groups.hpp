// Captures of any network from sums of gradients over groups of samples: no per-sample gradient is stored.
//
// Carriers (samples, or tokens of sequences) are ranked by residual (tokens: by loss) into classes of hardness, and
// dealt at random into F folds; the tokens of one sequence stay in one fold. One backward pass a group gives g_cf, the
// sum of the gradients in class c and fold f. With G_f = sum_c g_cf,
//   signal of class c   S_c = sum_{f != f'} <g_cf, G_f'>     no carrier meets itself: unbiased for n_c n (1 - 1/F) <E_c
//   g, E g> noise of class c    N_c = n_c mean |g_i|^2               from single carriers of the class, backward one by
//   one noise scale         tr Sigma / |G|^2 with |G|^2 = sum S / pairs, tr Sigma = sum N / n - |G|^2, per block
// Standard errors: jackknife over folds (Efron & Stein, Ann. Stat. 9:586, 1981).
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "eos/theory/calibration.hpp"

namespace eos::sim {

/// Which carriers are used, hardest first, and how they are grouped.
struct CaptureGroups {
  std::vector<double> fractions;  ///< upper ends of the classes, increasing to 1
  int folds = 8;
  std::vector<std::int32_t> carrier;   ///< [n] as given
  std::vector<float> residual;         ///< [n]
  std::vector<int> of_class, of_fold;  ///< [n]
  std::vector<std::size_t> singles;    ///< positions whose gradient is taken alone
  int classes() const { return static_cast<int>(fractions.size()); }
};

/// Ranks by `rank` (largest first, ties in order). Dealing is by address: key `seed`, step `snapshot`. About `singles`
/// single carriers, as many of every class, where it has so many. `fold` [n]: where each carrier goes; empty: dealt.
/// throws Error E104 when a class would have fewer carriers than 2.
CaptureGroups capture_groups(const std::vector<std::int32_t>& carriers, const std::vector<float>& rank,
                             const std::vector<float>& residual, std::vector<double> fractions, int folds, int singles,
                             std::uint64_t seed, std::uint32_t snapshot, const std::vector<int>& fold = {});

/// Products of the groups' gradients, by block of parameters.
struct CaptureMoments {
  CaptureMoments(const CaptureGroups& groups, int block_count);
  int blocks, classes, folds;
  std::vector<double> count;    ///< [classes][folds] carriers
  std::vector<double> pair;     ///< [blocks][classes][folds][folds]: <g_cf, G_f'>
  std::vector<double> square;   ///< [blocks][classes][folds]: sum of |g_i|^2 of single carriers
  std::vector<double> singles;  ///< [classes][folds]

  /// Of one block, or of all (block < 0), without fold `left_out` (< 0: with all): S_c and N_c, [classes].
  std::vector<double> signal(int block, int left_out) const;
  std::vector<double> noise(int block, int left_out) const;
  double noise_scale(int block, int left_out) const;
  double class_size(int c, int left_out) const;
  double& pair_at(int block, int c, int f, int other);
  double& square_at(int block, int c, int f);

 private:
  std::size_t cell(int c, int f) const { return static_cast<std::size_t>(c * folds + f); }
};

/// sums [classes * folds][parameters]: adds <g_cf, G_f'> of every block to moments.pair; returns G_f
/// [folds][parameters].
std::vector<std::vector<float>> add_products(const std::vector<std::vector<float>>& sums,
                                             const std::vector<std::int64_t>& block_offsets, CaptureMoments& moments);

/// Adds |g|^2 of every block to the class and fold of a single carrier.
void add_squares(const std::vector<float>& gradient, const std::vector<std::int64_t>& block_offsets, int c, int f,
                 CaptureMoments& moments);

/// Value and jackknife standard error of each entry of statistic(left_out).
struct Estimate {
  std::vector<double> value, error;
};
Estimate jackknife(int folds, const std::function<std::vector<double>(int)>& statistic);

/// Cumulated shares of S or N over the classes, with errors.
theory::MeasuredCurve signal_curve(const CaptureGroups& groups, const CaptureMoments& moments, int block);
theory::MeasuredCurve noise_curve(const CaptureGroups& groups, const CaptureMoments& moments, int block);

inline constexpr double k_largest_exponent = 6;
/// Exponent q of S_c / n_c ~ mean of residual^q over the class, by least squares with weights n_c^2 / N_c, the inverse
/// variances of S_c / n_c up to a factor. Searched in [0, k_largest_exponent].
double benefit_exponent(const CaptureGroups& groups, const CaptureMoments& moments, int left_out);

}  // namespace eos::sim
