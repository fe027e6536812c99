// Solve thousands of mode problems that differ in numbers, not in size: phase diagrams, price sweeps, spectra.
//
// Statement: the mode problem of problem.hpp with linear or Gaussian captures and prices for time, screening, samples
// and writes, integrated by Scheme::rk4 (rk4_step.hpp) with its discrete adjoint. Method: every problem is a lane of a
// struct of arrays. Lanes share one program: J and its gradient are evaluated for eight lanes at once by vector
// instructions on a CPU, one lane per thread on a CUDA device; each lane descends by its own projected limited-memory
// quasi-Newton iteration (Bertsekas 1982; Nocedal 1980). Every problem is started from three constant schedules, and
// ranked ones also from schedules that rest at the end, because a barrier lies between; the best end point counts.
// solve() searches harder: it may find a lower J for ranked problems, and certifies it. Guarantees: results do not
// depend on the number of threads or on the order and number of problems.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "eos/theory/problem.hpp"

namespace eos::solvers {

enum class BatchDevice { cpu, cuda };

struct BatchOptions {
  int steps = 2;  ///< Runge-Kutta steps per interval, 1 to 64
  int max_iterations = 1000;
  double tolerance = 1e-8;  ///< on the projected gradient, relative to |J|
  int threads = 1;          ///< of the CPU
  BatchDevice device = BatchDevice::cpu;
  int cuda_index = 0;  ///< which CUDA device
};

/// [problems] and [problems][intervals], problem by problem.
struct BatchResult {
  std::vector<double> objective, terminal_loss, energy;
  std::vector<double> projected_gradient;  ///< relative to |J|
  std::vector<int> iterations;             ///< of the best start
  std::vector<theory::SolveStatus> status;
  std::vector<double> data_fraction, weight_fraction, learning_rate;
  int intervals = 0;

  /// The controls of one problem as a schedule, e.g. to start solve() from.
  theory::Schedule schedule(const theory::ModeProblem& problem, std::size_t index) const;
};

/// throws Error E401/E104 where a problem is not well posed; E107 where the problems differ in size or rules, or use
/// what a batch cannot treat (says what); E302 for a CUDA device that is not there.
BatchResult solve_batch(std::span<const theory::ModeProblem> problems, const BatchOptions& options = {});

/// J of given controls [problems][intervals] in the same discretisation; gradients by the controls where asked for.
struct BatchValues {
  std::vector<double> objective, terminal_loss, energy;
};
BatchValues evaluate_batch(std::span<const theory::ModeProblem> problems, std::span<const double> data_fraction,
                           std::span<const double> weight_fraction, std::span<const double> learning_rate,
                           const BatchOptions& options = {});

/// Whether this build can use a CUDA device, and whether one answers.
bool batch_cuda_available(std::string* reason = nullptr);

}  // namespace eos::solvers
