// What a run will do, as far as that does not depend on what it learns: the rows and controls of every step until the
// next evaluation. What remains open, selection by scores, is decided inside the step.
//
// A plan makes exactly the steps of Replica (replica.hpp) for the specs that batch_form.hpp lets through.
#pragma once

#include <cstdint>
#include <vector>

#include "batch_form.hpp"
#include "eos/kernels/replica_step.hpp"
#include "gate.hpp"
#include "stream.hpp"

namespace eos::sim {

/// Rows that a run forwards together and counts together: part of a step, or all of it.
struct PlannedChunk {
  int step = 0;  ///< of the interval
  int first = 0, rows = 0;
  std::int64_t position = 0;  ///< of the stream, after it
};

/// The steps until the next evaluation, or as many as are planned at a time.
struct PlannedInterval {
  int batch = 0, segments = 0;
  std::vector<kernels::StepControls> controls;  ///< [steps]
  std::vector<double> rates;                    ///< [steps], as the tables of a run show them
  std::vector<std::int32_t> samples;            ///< [steps][batch]
  std::vector<std::uint8_t> certain;            ///< the same; empty without a gate
  std::vector<std::uint32_t> views;             ///< the same; empty without augmentation
  std::vector<double> fractions;                ///< [steps][segments]; empty unless ranks are asked for
  std::vector<PlannedChunk> chunks;
  std::int64_t position = 0;  ///< of the stream at its end
  bool evaluates = false;     ///< at its end
  bool last = false;

  int steps() const { return static_cast<int>(controls.size()); }
};

class ReplicaPlan {
 public:
  ReplicaPlan(const BatchForm& form, const Network& layout, std::uint64_t seed);
  ReplicaPlan(const ReplicaPlan&) = delete;  // its parts know each other's addresses
  ReplicaPlan& operator=(const ReplicaPlan&) = delete;
  /// The next interval; after one that is the last there is none.
  PlannedInterval next();

 private:
  void add_chunk(PlannedInterval& to);
  void close_step(PlannedInterval& to, bool trains);
  int ranked_rows(std::int64_t position);
  bool due(std::int64_t position);

  const BatchForm& form_;
  std::uint64_t seed_;
  std::vector<std::int64_t> sizes_;  ///< of the segments
  Gate gate_;
  Stream stream_;
  std::vector<Row> pending_, rows_;
  int keep_ = 0;
  double tau_ = 0;
  std::int64_t batch_begin_ = 0, chunks_ = 0, evaluations_ = 0;
};

}  // namespace eos::sim
