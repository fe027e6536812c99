// Run a grid of perceptron experiments and price what their plasticity did.
//
// The model is theory/perceptron_spec.hpp, the inner loop kernels/perceptron.hpp. Counts first, prices later: runs that
// differ in prices alone, and, without decay, in caches alone, share one course of the weights. Runs are spread over
// threads, or all go to the device at once. Results depend on the spec alone. A run that has not converged after
// max_epochs is marked, never dropped; a requested stop leaves the cells that are not ready marked as stopped.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "eos/core/dataset.hpp"
#include "eos/core/progress.hpp"
#include "eos/theory/perceptron_spec.hpp"

namespace eos::sim {

/// Energies of one run of one cell. Weights and energies in the units of the spec, time in presentations.
struct PerceptronResult {
  bool finished = false;  ///< false: stopped before it was run, everything else is empty
  bool converged = false;
  std::int64_t epochs = 0, presentations = 0, updates = 0;
  double mean = 0;                    ///< of all entries, subtracted
  std::vector<double> m_alpha;        ///< [alphas] sum |dw|^alpha if every update is written at once (eq. 1)
  std::vector<double> m_alpha_up;     ///< [alphas] the same, only potentiation is paid
  std::vector<double> m_min;          ///< [alphas] sum |w(T) - w(0)|^alpha (eq. 2), bias included
  double variance = 0;                ///< of the final input weights, / (K eta^2)
  double m_cons = 0, m_cleanup = 0;   ///< sum |dl|; part of it: what was left in s at the end
  double m_trans = 0, m_change = 0;   ///< c sum |s|; b sum |ds| of updates not consolidated at once
  std::int64_t consolidations = 0;    ///< synapses moved
  std::vector<double> error_rate;     ///< [min(epochs, course_epochs)] updates / presentations
  std::vector<double> consolidation;  ///< power, per epoch
  std::vector<double> maintenance;

  double m_cache() const { return m_cons + m_trans + m_change; }
};

struct PerceptronGrid {
  theory::PerceptronSpec spec;
  std::string device;
  std::vector<theory::PerceptronCell> cells;
  std::vector<std::vector<PerceptronResult>> results;  ///< [cells][replicas]
  bool stopped = false;
};

struct PerceptronOptions {
  std::string device = "cpu";  ///< a name as in kernels/device.hpp
  int threads = 1;
};

/// throws Error E104, E107 (spec), E302 (no device)
PerceptronGrid run_perceptrons(const theory::PerceptronSpec& spec, core::Progress& progress,
                               const PerceptronOptions& options = {});

/// EOS-1 table. Dimensions: patterns; with a cache decay, threshold | scale | interval, and maintenance (the price c);
/// replica; alpha; epoch. Variables along the cells and `replica`: converged, epochs, presentations, updates,
/// weight_variance, consolidations, m_cons, m_cleanup, m_trans, m_change, m_cache; m_alpha, m_alpha_up, m_min and
/// inefficiency also along `alpha`; error_rate, power_consolidation, power_maintenance also along `epoch`. Closed forms
/// beside them along the cells: theory_*. Missing values are NaN, or -1 for integers.
core::Dataset to_dataset(const PerceptronGrid& grid);

}  // namespace eos::sim
