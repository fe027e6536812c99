// eos evidence: carry out a protocol (theory/evidence_spec.hpp), put what came out into one file, and report it.
//
// The folder. Each stage of a task is an ordinary sweep, one for each method, so that what is finished is never made
// again and methods can be added later:
//
//   DIR/protocol.toml             the protocol in force
//   DIR/TASK/task.toml            the run of the task; prices/LIST.toml: price lists as scaled for it
//   DIR/TASK/rate                 dense training, learning rates
//   DIR/TASK/dense                dense training at its rate, all horizons: what trials are scored against
//   DIR/TASK/tune/METHOD          trials of a method, on the tuning seed
//   DIR/TASK/runs/METHOD          chosen configurations, all horizons, all seeds
//   DIR/evidence.h5               all of it and the results; tables/, figures/, report.html are made from it alone
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "eos/core/dataset.hpp"
#include "eos/theory/evidence_spec.hpp"
#include "run_columns.hpp"
#include "session.hpp"
#include "sweep_runs.hpp"

namespace eos::cli {

/// One run of one method, at its end.
struct FinishedRun {
  std::string method;
  int configuration = 0;  ///< number of the trial, or of the chosen configuration
  double factor = 1;      ///< on the method's horizon
  std::uint64_t seed = 0;
  bool complete = false;                          ///< neither diverged nor stopped
  double validation_quality = 0, test_quality = 0;  ///< accuracy, or minus the loss: more is better
  double seconds = 0;  ///< wall time of training
  theory::Ledger ledger;
};

/// A point of a stage: which configuration at which horizon, and what it sets.
struct StagePoint {
  int configuration = 0;
  double factor = 1;
  theory::Settings set;
};

/// A finished stage of one method.
struct Stage {
  std::string method;
  std::vector<StagePoint> points;
  core::Dataset table;  ///< merged sweep
};

/// A configuration that goes into the final runs.
struct Configuration {
  theory::Trial trial;
  int number = 0;      ///< of the trial; -1: follows another method
  std::string prices;  ///< list that the method reads, "": none
  std::string chosen_for;  ///< "plasticity", "digital" or both: for these lists it was the best trial
};

/// What became of a method on a task.
struct MethodState {
  std::string method;
  std::vector<theory::Trial> trials;
  std::vector<FinishedRun> tuning;            ///< one a trial
  std::map<std::string, std::vector<double>> scores;  ///< by price list, one a trial: gain over dense at its quality
  std::vector<Configuration> configurations;
  bool finalist = true;
  std::vector<FinishedRun> runs;
  std::string stack;  ///< methods that were put together
  std::string note;   ///< why it has no runs
};

/// What became of a task.
struct TaskState {
  theory::EvidenceTask task;
  double rate = 0;                        ///< learning rate of dense training
  std::vector<theory::PriceList> prices;  ///< those of the protocol, scaled
  std::vector<MethodState> methods;
  std::vector<Stage> tuning, runs;
  core::Dataset prediction;     ///< foretold and measured, without variables where nothing is foretold
  std::string prediction_note;  ///< why nothing could be foretold
  std::string skipped;          ///< why nothing could be done
  bool stopped = false, complete = false;
};

/// How the work is to be done.
struct EvidenceOptions {
  bool work = true;                  ///< false: only take what is finished
  std::vector<std::string> methods;  ///< work on these only; empty: all
};

/// Carries a task out, or collects what is there of it. A stop leaves `stopped` set. throws Error E504 when a stage of
/// the folder was made of other settings, E301.
TaskState carry_out(Session& session, const theory::EvidenceSpec& spec, const theory::EvidenceTask& task,
                    const std::string& folder, SweepData& data, const EvidenceOptions& options);

/// The end of one row of a sweep table, without what tells it from others.
FinishedRun end_of_run(RunColumns& columns, std::size_t row, const std::string& status, bool accuracy);
/// The runs of a stage; rows are mapped to points by their place in the design.
std::vector<FinishedRun> runs_of_stage(const Stage& stage, theory::Metric metric);

/// Energy of dense training at a quality over that of a trial, by price list: what trials are scored by.
/// `dense`: dense runs over horizons. NaN for a trial that did not end well.
double trial_score(const std::vector<FinishedRun>& dense, const FinishedRun& trial, const theory::PriceList& prices);
/// Trials with the best geometric mean of scores over the plasticity lists and over the others; equal ones are one
/// configuration. Trials that miss the target (validation quality) by more than the margin come last.
std::vector<Configuration> choose(const theory::EvidenceSpec& spec, const theory::EvidenceTask& task,
                                  const theory::EvidenceMethod& method, const MethodState& state);
/// The geometric mean of a trial's scores over lists, 0 where one is not there.
double mean_score(const MethodState& state, const std::vector<std::string>& lists, std::size_t trial);

}  // namespace eos::cli
