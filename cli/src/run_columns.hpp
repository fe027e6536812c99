// The ends of the runs of a sweep table, by name.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "eos/core/dataset.hpp"
#include "eos/theory/ledger.hpp"

namespace eos::cli {

/// Values of a variable over (run) or (run, epoch) at the end of each run. Columns are read once.
class RunColumns {
 public:
  explicit RunColumns(const core::Dataset& sweep);
  std::size_t runs() const { return runs_; }
  /// Rows along `epoch` that a run has.
  std::size_t rows(std::size_t run) const { return counts_[run]; }
  /// NaN where the run has no rows. throws Error E191.
  double last(const std::string& name, std::size_t run) { return at(name, run, counts_[run] - 1); }
  /// pre: row < rows(run).
  double at(const std::string& name, std::size_t run, std::size_t row);
  theory::Ledger ledger(std::size_t run) { return ledger(run, counts_[run] - 1); }
  theory::Ledger ledger(std::size_t run, std::size_t row);

 private:
  const std::vector<double>& column(const std::string& name);
  const core::Dataset& sweep_;
  std::size_t runs_, length_ = 1;
  std::vector<std::size_t> counts_;
  std::map<std::string, std::vector<double>> cache_;
};

}  // namespace eos::cli
