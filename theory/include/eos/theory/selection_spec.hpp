// State which samples a run presents and learns: the data half of a training policy.
//
// The methods of the literature are combinations of a few orthogonal choices (present, gate, batching, where fractions
// come from); the presets name them. Plain values; defaults are also those of the TOML keys in [selection].
#pragma once

#include <string>
#include <vector>

#include "eos/theory/schedule.hpp"

namespace eos::theory {

/// Which stream positions are presented (forwarded) at all.
enum class Present {
  all,
  random,     ///< a random subset of size fraction(t): SRD, SMRD; nothing else is forwarded
  infobatch,  ///< stale loss below the mean: dropped with probability r, else weight 1/(1-r) (Qin et al., ICLR 2024)
  spaced      ///< stale residual^2 below s: presented only with probability p (spaced re-checking)
};
/// Which presented samples are back-propagated.
enum class Gate {
  all,
  threshold,  ///< p_true < tau (DBPD); tau = 0 means misclassified
  ranked,     ///< the hardest fraction by residual norm within the chunk
  errors,     ///< misclassified only (lazy learning, Pache & van Rossum)
  ratio       ///< marginal benefit per joule >= alpha times the average (feedback law)
};
enum class Batching {
  full,         ///< kept samples are collected into full batches; weights do not change in between, so it is exact
  shrink_mean,  ///< update from what is left of each batch, mean over kept
  shrink_sum    ///< same, sum over kept divided by the nominal batch
};
/// Where fraction(t) of Present::random and Gate::ranked comes from.
enum class FractionSource { constant, law, stored, schedule };

struct SelectionSpec {
  std::string method = "all";  ///< the preset this came from, for labels
  Present present = Present::all;
  Gate gate = Gate::all;
  Batching batching = Batching::full;
  bool two_forward = false;  ///< score in a separate forward, then forward the kept again (published DBPD)
  double tau = 0.3;          ///< Gate::threshold
  FractionSource fraction_source = FractionSource::constant;
  double fraction = 1;           ///< constant
  KeepLaw law = KeepLaw::power;  ///< law: a and b as in keep_fraction()
  double law_a = 0.685, law_b = 0.595;
  std::vector<double> stored;  ///< keep fraction per epoch (SMRD from a recorded run)
  double floor = 0.005;        ///< smallest fraction
  double revision_epochs = 0;  ///< all data during the last so many epochs; published progressive dropout: 1
  double revision_share = 0;   ///< all data during the last share of the epochs; the longer of the two applies
  double start_epochs = 0;     ///< all data during the first so many epochs
  double infobatch_r = 0.5;
  double spaced_threshold = 0.3;  ///< s, relative to the running mean of residual^2 when spaced_relative
  bool spaced_relative = true;
  double spaced_probability = 0.15;  ///< p
  double ratio_alpha = 0.5;          ///< alpha of the feedback law
  double ratio_exponent = 1;         ///< q: benefit of a sample is residual^q
  int minimum_kept = 1;              ///< shrinking batches below it are skipped: no optimiser step at all
};

/// Length in epochs of the final phase on all data: max(revision_epochs, revision_share * epochs), at most epochs.
double revision_length(const SelectionSpec& selection, double epochs);
/// Data presets: all, dbpd, dbpd-two-forward, dbpd-shrink, srd, smrd, ranked, lazy, infobatch, spaced, ratio, joint,
/// schedule. `dbpd` is the single masked forward with full batches and no revision; `dbpd-two-forward` is the published
/// program: separate scoring forward, shrinking batches, one full epoch at the end. `infobatch` ends with 12.5 % of
/// full epochs. `ranked` starts from a constant 30 %, `joint` is spaced re-checking with the ratio gate. throws Error
/// E106 with suggestions.
SelectionSpec selection_preset(const std::string& method);
std::vector<std::string> selection_presets();

}  // namespace eos::theory
