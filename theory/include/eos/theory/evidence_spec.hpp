// State a comparison of training methods: which tasks, which methods with which search, tuned and repeated how.
//
// Plain values: io/evidence_file.hpp reads them from TOML, cli/ carries them out (docs/evidence.md). Words are TOML
// values as in sweep_spec.hpp. Every method gets the same number of trials; validation data steer every choice, test
// data report once; energies are compared at equal quality over several horizons and seeds (equal_quality.hpp).
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "eos/theory/ledger.hpp"
#include "eos/theory/sweep_spec.hpp"
#include "eos/theory/training_spec.hpp"

namespace eos::theory {

/// What a run is judged by, at its end.
enum class Metric { accuracy, loss };
/// "accuracy", "loss".
const std::vector<std::string>& metric_names();

/// Half of the training policy that a method changes: nothing but the batch; a control; the samples; the writes; both,
/// tuned apart and put together; both, derived together.
enum class Axis { dense, control, data, write, stacked, joint };
/// "dense", "control", "data", "write", "stacked", "joint".
const std::vector<std::string>& axis_names();

/// A control that repeats at random what another method did: as many samples, or as many writes, at each moment.
enum class Record { none, data, weights };
const std::vector<std::string>& record_names();

using Settings = std::vector<std::pair<std::string, std::string>>;  ///< key of a run and its word

/// Words of `search` that are no keys of a run: factors on the learning rate tuned for dense training, on the horizon
/// of the task, and on its batch.
inline constexpr const char *k_rate_factor = "rate", *k_horizon_factor = "horizon", *k_batch_factor = "batch";

struct EvidenceTask {
  std::string name, title;
  std::string base;       ///< path of a training file without selection and plasticity
  Settings set;           ///< keys of it that are changed
  TrainingSpec run;       ///< the two together
  Metric metric = Metric::accuracy;
  double target = 0.9;    ///< quality at which energies are compared: test accuracy, or test loss
  double margin = 0.01;   ///< trials that miss the target by more are not chosen while others do not
  double horizon = 1;     ///< epochs of dense training, to which horizon factors refer
  bool hold_out = false;  ///< nothing was designed on this task
  int finalists = 0;      ///< methods of each single axis that are repeated over seeds; 0: all
  std::vector<std::string> methods;  ///< empty: all that suit the network
  std::vector<std::string> trained_prices;  ///< price lists for methods that read them while they train; empty: theirs
  std::vector<std::uint64_t> seeds;         ///< empty: those of the protocol
  std::vector<double> horizons;             ///< the same
  int trials = 0;                           ///< 0: those of the protocol
  double probe = 0;  ///< longest probe of a calibration, as a share of the horizon; 0: nothing is foretold
};

struct EvidenceMethod {
  std::string name, title;
  Axis axis = Axis::data;
  Settings set;
  std::vector<SweepAxis> search;           ///< one key each
  std::vector<std::string> architectures;  ///< where it makes sense; empty: everywhere
  std::vector<std::string> prices;         ///< the method reads the price list: each of these is a configuration
  std::string stack;                       ///< "plasticity" or "digital": best data and best write method there
  std::string follows;                     ///< joint method whose fractions it repeats at random
  Record record = Record::none;            ///< which of them
};

struct EvidenceSpec {
  std::string title;
  std::vector<std::uint64_t> seeds{1, 2, 3, 4, 5};
  std::uint64_t tuning_seed = 101;
  std::uint64_t search_seed = 7;  ///< of the Sobol' points
  int trials = 6;
  std::vector<double> horizons{0.5, 0.75, 1, 1.5};  ///< factors on a method's own horizon
  std::vector<std::string> prices{"metabolic-m0", "metabolic", "hbm2", "hbm2-reads", "sram-7nm", "h100"};
  std::vector<std::string> plasticity{"metabolic-m0", "metabolic"};  ///< lists scaled to plasticity_share
  double plasticity_share = 0.8;  ///< of the energy of dense training
  int resamples = 2000;           ///< of the bootstrap over seeds
  std::vector<EvidenceTask> tasks;
  std::vector<EvidenceMethod> methods;

  const EvidenceTask& task(const std::string& name) const;  ///< pre: it is there
  const EvidenceMethod& method(const std::string& name) const;
  /// Price lists that are not scaled.
  std::vector<std::string> digital() const;
  const std::vector<std::uint64_t>& seeds_of(const EvidenceTask& task) const;
  const std::vector<double>& horizons_of(const EvidenceTask& task) const;
  int trials_of(const EvidenceTask& task) const;
  /// Whether the method is tried on the task: by its list, and by the network's architecture.
  bool suits(const EvidenceMethod& method, const EvidenceTask& task) const;
  /// throws Error with one diagnostic per contradiction; messages begin with the field as a file calls it.
  void check() const;
};

/// A run of a method: what it sets, and factors on learning rate, horizon and batch.
struct Trial {
  Settings set;
  double rate = 1, horizon = 1, batch = 1;
};
/// Points of the Sobol' sequence over the search of a method, the first `count` that differ, or all there are if they
/// are fewer. A method without search has one.
std::vector<Trial> trials(const EvidenceMethod& method, int count, std::uint64_t search_seed);

/// The task's run with a trial's settings, as words: batch, rate (times `rate`, that of dense training), and
/// `horizon` times the trial's factor and `factor`.
Settings settings(const EvidenceTask& task, const Trial& trial, double rate, double factor);

/// The list with all prices of plasticity (writes, path, transient part, accumulator, upkeep) multiplied by one number,
/// so that writes, path and the transient part take `share` of the energy of `ledger`. throws Error E401 when the
/// ledger or the list has none of them.
PriceList scaled_to_share(PriceList prices, const Ledger& ledger, double share);

}  // namespace eos::theory
