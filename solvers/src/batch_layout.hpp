// Where each number of a lane lies in the arrays of a batch. Private to the batch solver; host and device.
//
// Every array is [index][lane]: lanes are adjacent, so that eight of them fill vector registers on a CPU and
// neighbouring threads read neighbouring addresses on a device.
#pragma once

#include "eos/core/host_device.hpp"

namespace eos::solvers::batch {

constexpr int k_pairs = 8;     // curvature pairs of the quasi-Newton iteration
constexpr int k_controls = 3;  // data threshold or fraction, weight threshold or fraction, rate; scaled to [0, 1]

enum class Choice : int { all, random, ranked };

/// What all lanes share.
struct Sizes {
  int modes = 0, intervals = 0, steps = 0;
  Choice data = Choice::all, weight = Choice::all;
  int max_iterations = 1000;
  double tolerance = 1e-8;

  EOS_HD int variables() const { return k_controls * intervals; }
  EOS_HD int nodes() const { return intervals * steps + 1; }
};

/// Numbers of one problem.
enum Parameter : int {
  p_batch,
  p_noise,
  p_scale,
  p_step,
  p_terminal,
  p_running,
  p_constant,
  p_sample,
  p_write,
  p_data_lower,
  p_data_range,
  p_weight_lower,
  p_weight_range,
  p_rate_lower,
  p_rate_range,
  p_scalars  // then lambda, multiplicity, initial [modes]
};

/// Sections of one lane's doubles.
struct Layout {
  int parameters = 0, lower = 0, upper = 0, x = 0, gradient = 0, trial = 0, trial_gradient = 0, direction = 0, s = 0,
      y = 0, rho = 0, alpha = 0, states = 0, work = 0, scalars = 0, total = 0;

  EOS_HD explicit Layout(const Sizes& z) {
    const int n = z.variables();
    const auto place = [this](int size) {
      const int at = total;
      total += size;
      return at;
    };
    parameters = place(p_scalars + 3 * z.modes);
    lower = place(n), upper = place(n), x = place(n), gradient = place(n), trial = place(n);
    trial_gradient = place(n), direction = place(n);
    s = place(k_pairs * n), y = place(k_pairs * n), rho = place(k_pairs), alpha = place(k_pairs);
    states = place(z.nodes() * z.modes);
    work = place(9 * z.modes);
    scalars = place(16);
  }
};

/// State of a lane's descent, in its scalars.
enum Scalar : int {
  s_value,
  s_trial_value,
  s_length,
  s_iterations,
  s_pairs,
  s_newest,
  s_failures,
  s_done,
  s_residual,
  s_loss,
  s_energy,
  s_reset
};

/// s_done, kept as a double like everything of a lane.
constexpr double running = 0, converged = 1, iteration_limit = 2, stalled = 3, not_finite = 4;

}  // namespace eos::solvers::batch
