// The demonstration in parts: what is run, what came out, and how it is told.
#pragma once

#include <string>
#include <vector>

#include "analysis.hpp"
#include "comparison.hpp"
#include "eos/io/plot.hpp"
#include "eos/sim/data.hpp"
#include "eos/theory/calibration.hpp"
#include "eos/theory/problem.hpp"
#include "session.hpp"

namespace eos::cli {

/// What was asked for.
struct DemoSetup {
  theory::TrainingSpec base;  ///< dense training at the horizon of the methods
  std::string h5, png;        ///< outputs
  double probe_epochs = 1;
  int capture_samples = 2000;
  int threads = 1;
};
DemoSetup demo_setup(const Arguments& arguments, int threads);

/// One training run of the demonstration.
struct DemoRun {
  std::string name;   ///< group in the file, [a-z0-9_]
  std::string label;  ///< in tables
  bool baseline = false;
  theory::TrainingSpec spec;
  core::Dataset table;  ///< result
};

struct DemoResult {
  theory::Calibration calibration;
  theory::Plan plan, dense_prediction;
  std::vector<DemoRun> runs;
  std::vector<RunSummary> summaries;  ///< of runs, same order
  std::vector<bool> is_baseline;
  std::vector<Prediction> predictions;
  std::size_t planned = 0, longest_dense = 0, feedback = 0;  ///< indices into runs
  std::string data_name, data_origin;
  double seconds = 0;

  BaselineCurve baseline(const theory::PriceList& prices) const;
  Saving saving(std::size_t run, const theory::PriceList& prices) const;
};
/// Price lists of the tables, the one that the plan minimises first.
std::vector<theory::PriceList> demo_price_lists(const DemoSetup& setup);

/// Calibrates, plans and trains everything, independent runs spread over the cores.
DemoResult run_everything(const DemoSetup& setup, const sim::TaskData& data, ConsoleProgress& progress);

/// Tables and sentences; every number in them comes from the result.
Document demo_document(const DemoSetup& setup, const DemoResult& result);
io::Figure demo_figure(const DemoSetup& setup, const DemoResult& result);
/// The whole demonstration as one EOS-1 table with the runs, the plan and the calibration as groups.
core::Dataset demo_dataset(const DemoSetup& setup, const DemoResult& result, const std::string& command_line);

}  // namespace eos::cli
