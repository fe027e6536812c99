// The runs of a sweep: from the sweep file to specifications, ids, groups, and the tables of results with their labels.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "eos/core/dataset.hpp"
#include "eos/core/progress.hpp"
#include "eos/io/sweep_file.hpp"
#include "eos/io/sweep_folder.hpp"
#include "eos/sim/data.hpp"
#include "eos/sim/sweep.hpp"
#include "eos/theory/sweep_spec.hpp"

namespace eos::cli {

/// A sweep file and its design points. Specifications are read when they are asked for.
class SweepRuns {
 public:
  explicit SweepRuns(io::SweepFile file);

  const io::SweepFile& file() const { return file_; }
  const std::vector<theory::SweepPoint>& points() const { return points_; }
  /// Of every point.
  const std::vector<std::uint64_t>& seeds() const { return file_.sweep.seeds; }
  theory::TrainingSpec spec(std::int64_t point, std::uint64_t seed) const;
  /// Names of the axes, in order.
  std::vector<std::string> axes() const;
  /// Adds what tells a run from the others: run_id, design_index, plan_index, the values of the axes, the overrides.
  void label(core::Dataset& table, const io::SweepRun& run, std::int64_t plan_index) const;
  /// SHA-256 over the sweep file, its base and every --set: runs of equal hashes belong together.
  std::string hash() const;
  /// What a point sets, in words.
  std::string words(std::int64_t point) const;

 private:
  io::SweepFile file_;
  std::vector<theory::SweepPoint> points_;
  std::vector<theory::SweepCoordinate> coordinates_;
};

/// 16 hex digits over everything that decides the numbers of a run: the effective configuration without title and
/// checkpoints, its seed, and the version of the numerics.
std::string run_id(const theory::TrainingSpec& spec);

/// Data sets, loaded when first asked for and shared by all runs that use them; those that nobody uses any more are
/// let go, but for the last two.
class SweepData {
 public:
  std::shared_ptr<const sim::TaskData> get(const theory::DataSpec& spec);

 private:
  std::mutex lock_;
  std::map<std::string, std::weak_ptr<const sim::TaskData>> sets_;
  std::deque<std::shared_ptr<const sim::TaskData>> recent_;
};

struct SweepPlanOptions {
  std::string device = "cpu";
  int threads = 1;
  int replicas = 0;  ///< 0: one on the CPU, what is fastest on a GPU
  double chunk_seconds = 300;
  double epoch_seconds = 0;  ///< known wall time of an epoch on one thread: nothing is measured; 0: unknown
};
/// Groups, order and chunks. Reads every run once, so that contradictions are found before any work; equal runs are
/// kept once. throws Error with the problems of the first points that have any.
io::SweepPlan plan_sweep(const SweepRuns& runs, SweepData& data, core::Progress& progress,
                         const SweepPlanOptions& options);

}  // namespace eos::cli
