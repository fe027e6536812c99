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
  spaced,     ///< stale residual^2 below s: presented only with probability p (spaced re-checking)
  inspected   ///< with the probability sqrt(g / c_f) of optimal inspection, g by class of stale residual^2
              ///< (inspection.hpp)
};
/// Which samples are back-propagated, given their scores.
enum class Gate {
  all,
  threshold,  ///< p_true < tau(t) (DBPD); tau = 0 means misclassified
  ranked,     ///< the hardest fraction(t); with confidence > 0, others too unless right with p_true >= confidence
  errors,     ///< misclassified, or right with p_true < margin (lazy learning, Pache & van Rossum)
  gap,        ///< misclassified, or the two largest probabilities differ by less than margin
  chance,     ///< with probability CDF(loss)^power (Selective-Backprop, Jiang et al. 2019)
  flat,       ///< unless the loss stopped bending: mean |L_t - 2 L_(t-1) + L_(t-2)| of 3 epochs < flatness (IES)
  ratio       ///< marginal benefit per joule >= alpha times the average (feedback law)
};
/// What the gate looks at.
enum class Score {
  current,  ///< a forward of the network, shared with training
  stale,    ///< the last forward of the sample: decided at the start of an epoch, what is hidden is not forwarded then
  shallow,  ///< sparseness of its first hidden layer (Partial Forward Blocking, 2025): the rest is not forwarded
  proxy     ///< a forward of a small second network that learns beside the first
};
/// Difficulty by which Gate::ranked orders.
enum class Difficulty { residual, loss };
enum class Batching {
  full,         ///< kept samples are collected into full batches; weights do not change in between, so it is exact
  shrink_mean,  ///< update from what is left of each batch, mean over kept
  shrink_sum    ///< same, sum over kept divided by the nominal batch
};
/// Where fraction(t) of Present::random and Gate::ranked comes from.
enum class FractionSource {
  constant,
  law,
  stored,
  schedule,
  milestones,  ///< 1 - hide * factor, the factor changes at shares of the run (KAKURENBO)
  adaptive     ///< moved by the training accuracy (Adaptive Data Dropout)
};
/// How the number of Present::random follows its fraction.
enum class Rounding {
  unbiased,    ///< over the epoch, by a random offset
  batch_floor  ///< floor(fraction * batch) of every batch of positions, as the published SRD program does
};
/// Course of tau over the run's progress s from tau to tau_end: linear; cosine, half a period; exponential with
/// (1 - exp(-steepness s)) / (1 - exp(-steepness)).
enum class TauLaw { constant, linear, cosine, exponential };
/// Learning rate while samples are hidden: times 1, 1 / fraction(t), or 1 / the fraction that is really trained.
enum class RateCompensation { none, nominal, realised };

/// Which rows of a dense layer take part in its backward pass: tokens of sequences, else samples. The others change no
/// weight of that layer and pass no error through it; sums around the layer still pass it on.
enum class RowGate {
  none,
  zeros,  ///< those whose error is not exactly zero: the same gradient
  share,  ///< of them, the row_share of all rows with the largest errors
  ratio,  ///< of them, where benefit per multiply-add of the layer >= ratio_alpha times its average (feedback law)
  drawn,  ///< of them, drawn by size for the weight gradient and weighted by 1 / probability: unbiased, at the
          ///< best progress per multiply-add (row_sampling.hpp); all of them pass their error on
  drawn_through  ///< the same rows, so weighted, also pass errors on: cheaper, but the noise reaches the layers below
};

struct SelectionSpec {
  std::string method = "all";  ///< the preset this came from, for labels
  Present present = Present::all;
  Gate gate = Gate::all;
  Score score = Score::current;
  Batching batching = Batching::full;
  bool two_forward = false;  ///< score in a separate forward, then forward the kept again (published DBPD)
  double tau = 0.3;          ///< Gate::threshold
  TauLaw tau_law = TauLaw::constant;
  double tau_end = 0.3;
  double tau_steepness = 5;
  double margin = 0;                          ///< Gate::errors (0: errors alone), Gate::gap
  Difficulty rank_by = Difficulty::residual;  ///< Gate::ranked
  double confidence = 0;                      ///< Gate::ranked; 0: the rank decides alone
  double chance_power = 1;                    ///< Gate::chance: expected keep 1 / (power + 1)
  int chance_window = 1024;                   ///< Gate::chance: recent losses that make the CDF; with stale scores: all
  double flatness = 1e-3;                     ///< Gate::flat
  FractionSource fraction_source = FractionSource::constant;
  double fraction = 1;           ///< constant; adaptive: at the start
  KeepLaw law = KeepLaw::power;  ///< law: a and b as in keep_fraction()
  double law_a = 0.685, law_b = 0.595;
  std::vector<double> stored;                          ///< keep fraction per epoch (SMRD from a recorded run)
  double hide = 0.3;                                   ///< milestones: largest share hidden
  std::vector<double> milestones{0.3, 0.6, 0.8};       ///< shares of the run at which the factor changes
  std::vector<double> hide_factors{1, 0.8, 0.6, 0.4};  ///< one more than milestones
  double adaptive_step = 0.1;                          ///< adaptive: largest move of the fraction in an epoch
  double adaptive_tolerance = 0.001;  ///< adaptive: the accuracy must rise by more than this for the fraction to fall
  Rounding rounding = Rounding::unbiased;
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
  double token_share = 1;  ///< sequences: the hardest share of a batch's tokens is back-propagated (Lin et al.,
                           ///< Rho-1, NeurIPS 2024, without a reference model), as a mean over these
  RowGate row_gate = RowGate::none;
  double row_share = 0.3;  ///< RowGate::share
  int minimum_kept = 1;    ///< shrinking batches below it are skipped: no optimiser step at all
  int refresh_epochs = 1;  ///< Score::stale: hidden samples are forwarded at the end of every n-th epoch
  RateCompensation rate_compensation = RateCompensation::none;
  int shallow_centres = 100;          ///< Score::shallow: training samples whose features make the density
  std::vector<int> proxy_hidden{32};  ///< Score::proxy: widths of its hidden layers
  int proxy_every = 4;                ///< it learns from every n-th chunk of rows it scored
  double proxy_rate = 1;              ///< its learning rate, times the network's
};

/// Length in epochs of the final phase on all data: max(revision_epochs, revision_share * epochs), at most epochs.
double revision_length(const SelectionSpec& selection, double epochs);
/// tau at progress s of the run, in [0, 1].
double threshold_tau(const SelectionSpec& selection, double progress);
/// FractionSource::milestones at progress s of the run: 1 - hide * factor (Nguyen et al., KAKURENBO, NeurIPS 2023).
double milestone_fraction(const SelectionSpec& selection, double progress);
/// FractionSource::adaptive: the fraction of the next epoch. It falls by step * draw when the training accuracy rose by
/// more than the tolerance, and rises by as much otherwise; `draw` is uniform on (0, 1), the result in [floor, 1].
/// After Gahir, Patel & Gowda (Adaptive Data Dropout, 2026), whose constants are not published: step and tolerance are
/// choices of ours.
double adaptive_fraction(const SelectionSpec& selection, double fraction, double accuracy_change, double draw);
/// The recorded keep fractions of difficulty-based dropout with tau = 0.3 in epochs 0 .. 28, one full epoch following:
/// MobileNet-V2 on CIFAR-10, batch 32 (public replication by M. Goltermann, 2025); also data/dropout/keep_fraction.csv.
const std::vector<double>& recorded_keep_fractions();
/// Who pays for scoring in a progressive-dropout run.
enum class DropoutAccounting {
  effective_epochs,  ///< nobody, as the papers count: EE (1 + b); exact for a random subset on a stored schedule
  separate_forward,  ///< a forward of its own for every sample: (E - r) + EE (1 + b)
  masked_forward     ///< one forward of every sample, shared with training: E + EE b
};
/// Cost of a run of E epochs, r of them on all data at the end and not scored, with EE effective epochs: forwards per
/// training sample, if a backward pass costs `backward` forwards. Full training costs E (1 + backward).
double dropout_cost(DropoutAccounting accounting, double epochs, double revision, double effective_epochs,
                    double backward);
/// Data presets by name; `eos explain NAME` says what each does. Progressive dropout: dbpd (single masked forward, full
/// batches, no revision), dbpd-two-forward (the published program: separate scoring forward, shrinking batches, one
/// full epoch at the end), dbpd-shrink, dbpd-gap, tau-rising, tau-falling; random subsets on a law: srd, srd-floor,
/// smrd, power-law, inverse-linear, log-law, inverse-log, exponential, sigmoid, adaptive; peers: lazy, lazy-margin,
/// infobatch, kakurenbo, ies, selective-backprop; where scores come from, to be joined with a gate (alone: the hardest
/// half): stale, shallow, proxy; inside the backward pass: token-zeros, token-share, token-ratio, token-drawn,
/// token-drawn-through; eos: ranked, spaced, ratio, joint, derived, schedule. Names join with '+'. throws Error E106
/// with suggestions.
SelectionSpec selection_preset(const std::string& method);
std::vector<std::string> selection_presets();

}  // namespace eos::theory
