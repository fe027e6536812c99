// State a training run completely: data, network, optimiser, which samples, which weights, for how long.
//
// Plain values: io/ reads them from TOML, sim/ executes them, cli/ edits them. Every default below is also the default
// of the TOML key of the same name. The methods of the literature are combinations of a few orthogonal choices; the
// presets name them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "eos/theory/ledger.hpp"
#include "eos/theory/schedule.hpp"

namespace eos::theory {

/// A generated task: inputs from a Gaussian mixture, labels from a random teacher network of the given width.
struct TeacherSpec {
  int inputs = 784;
  int classes = 10;
  int hidden = 64;      ///< width of the teacher's hidden layer
  double margin = 0.5;  ///< samples whose top-two logit gap is below it are redrawn: 0 gives a harder task
  std::uint64_t seed = 1;
};

struct DataSpec {
  std::string name = "auto";       ///< fashion-mnist, mnist, teacher, idx, or auto: the first one found, else teacher
  std::string path;                ///< folder with the four IDX files; empty: the search path
  int train_samples = 50000;       ///< taken from the front of the training file
  int validation_samples = 10000;  ///< taken from its end; steers everything that is steered
  int test_samples = 10000;        ///< from the test file; only reported
  double label_noise = 0;          ///< share of training labels replaced by a uniformly random other class, [0, 1)
  TeacherSpec teacher;
};

enum class Activation { identity, relu, leaky_relu, logistic, tanh };

struct NetworkSpec {
  std::vector<int> hidden{256, 256};  ///< widths of hidden layers; inputs and classes come from the data
  double init_scale = 1;              ///< times He's sqrt(2 / fan_in) (He et al., ICCV 2015)
};

enum class OptimiserKind { sgd, adamw };
enum class RateLaw { constant, linear, cosine, inverse_time, schedule };

struct OptimiserSpec {
  OptimiserKind kind = OptimiserKind::sgd;
  double learning_rate = 0.1;
  RateLaw law =
      RateLaw::linear;  ///< linear: to 0 at the horizon (Li, Yumer & Ramanan, ICLR 2020); inverse_time: 1/(1+decay t)
  double decay = 1;     ///< per epoch, inverse_time only
  double warmup_epochs = 0;
  double momentum = 0;      ///< velocity keeps moving for unwritten weights, unwritten weights do not
  double weight_decay = 0;  ///< L2 for sgd, decoupled for adamw
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
};

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

/// Which weights are written at an update.
enum class WriteRule {
  all,
  top_k,      ///< the largest fraction per layer
  threshold,  ///< |update| > theta, one threshold for all layers
  random      ///< each with probability fraction
};
struct PlasticitySpec {
  std::string method = "all";
  WriteRule rule = WriteRule::all;
  bool accumulate = false;  ///< error feedback: what is not written stays in an accumulator (Stich et al., 2018)
  FractionSource fraction_source = FractionSource::constant;
  double fraction = 1;
  double theta = 0;             ///< theta_0; 0 with accumulate: 0.13 sqrt(3 eta_0 / B)
  double theta_exponent = 0.5;  ///< theta(t) = theta_0 (eta/eta_0)^exponent
};

struct TrainingSpec {
  std::string title;
  DataSpec data;
  NetworkSpec network;
  OptimiserSpec optimiser;
  SelectionSpec selection;
  PlasticitySpec plasticity;
  Schedule schedule;                               ///< used where a source or law says `schedule`
  PriceList prices = builtin_prices("metabolic");  ///< what the feedback law and the energy variable use
  int batch = 32;
  double epochs = 5;                    ///< horizon in passes over the stream (positions offered, presented or not)
  std::vector<std::uint64_t> seeds{1};  ///< one replica each
  double evaluate_every = 1;            ///< epochs between evaluations
  int checkpoint_seconds = 60;          ///< wall time between checkpoints, 0: none
  int record_every = 0;                 ///< updates between rows of the step table, 0: none

  /// throws Error with one diagnostic per contradiction.
  void check() const;
};

/// Length in epochs of the final phase on all data: max(revision_epochs, revision_share * epochs), at most epochs.
double revision_length(const SelectionSpec& selection, double epochs);
/// Threshold on |update| or |accumulator| at the present rate: theta_0 (eta/eta_0)^exponent, where theta_0 = theta, or
/// 0.13 sqrt(3 eta_0 / B) for an accumulator with theta = 0. The exponent 1/2 balances the writes' energy against the
/// staleness of what is not written (docs/theory.md).
double write_threshold(const PlasticitySpec& plasticity, double initial_rate, double rate, int batch);

/// Presets. Data: all, dbpd, dbpd-two-forward, dbpd-shrink, srd, smrd, ranked, lazy, infobatch, spaced, ratio, joint,
/// schedule. Weights: all, top-k, threshold, random, error-feedback, schedule, schedule-feedback.
/// `dbpd` is the single masked forward with full batches and no revision; `dbpd-two-forward` is the published program:
/// separate scoring forward, shrinking batches, one full epoch at the end. `infobatch` ends with 12.5 % of full epochs.
/// `ranked` starts from a constant 30 %, `joint` is spaced re-checking with the ratio gate.
/// throws Error E106 with suggestions.
SelectionSpec selection_preset(const std::string& method);
std::vector<std::string> selection_presets();
PlasticitySpec plasticity_preset(const std::string& method);
std::vector<std::string> plasticity_presets();

}  // namespace eos::theory
