// Solve optimal control problems of one to three states by dynamic programming on a grid: value function, feedback law,
// closed-loop runs and a lower bound on the cost.
//
// Statement:  V(t, x) = min over u of int_t^T e^(-rho (s-t)) l(s, x, u) ds + e^(-rho (T-t)) g(x(T)),  dx/dt = f(t, x,
// u), where a run ends with the exit cost on reaching an exit point, and may stop anywhere for the stop cost.
//   finite horizon    -V_t + rho V = min_u { l + f . grad V },  V(T) = g
//   stationary        rho V = min_u { l + f . grad V }  (T infinite; rho > 0, or exit points, or a stop cost)
// Schemes (enum HjbScheme), V is the viscosity solution they converge to:
//   upwind            first order, monotone (Barles & Souganidis 1991; Kushner & Dupuis 2001). Stationary problems by
//                     Gauss-Seidel sweeps in 2^d directions (Tsai, Cheng, Osher & Zhao 2003) with policy iteration at
//                     every point (Howard 1960; Bokanowski, Maroso & Zidani 2009)
//   lax_friedrichs    first order, monotone, finite horizon; more diffusive, simplest
//   weno5             fifth-order differences (Jiang & Peng 2000) with Lax-Friedrichs flux and the third-order TVD
//                     Runge-Kutta steps of Shu & Osher (1988; Osher & Shu 1991): for smooth V, finite horizon
//   semi_lagrangian   V <- min_u { l dt + e^(-rho dt) V(x + f dt) }, monotone (Falcone & Ferretti 2014); exact flows
//   where
//                     the model knows them; no limit on the step
// Arrays over the grid are flat, last axis contiguous. Thread-safe; results do not depend on the number of threads. A
// solve that stops early is a status.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "eos/solvers/hjb_grid.hpp"

namespace eos::solvers {

inline constexpr int k_hjb_states = 3;    ///< most states
inline constexpr int k_hjb_controls = 3;  ///< most controls minimised in closed form; sampled ones come on top

/// Where coefficients are wanted: `count` points at one time.
struct HjbPoints {
  std::int64_t count = 0;
  double time = 0;
  const double* x[k_hjb_states] = {};  ///< [states][count]
};

/// Coefficients to fill, [count] each; all are zero before the call.
struct HjbCoefficients {
  double* running = nullptr;                        ///< l0
  double* drift[k_hjb_states] = {};                 ///< a_i
  double* gain[k_hjb_controls][k_hjb_states] = {};  ///< b_ji
  double* price_abs[k_hjb_controls] = {};           ///< c_j >= 0
  double* price_square[k_hjb_controls] = {};        ///< r_j >= 0
  double* speed = nullptr;                          ///< s >= 0 of isotropic motion; grids with equal axes only
};

/// A control problem as the grid solvers see it. For each branch k (a fixed choice of the sampled controls) dynamics
/// and cost are affine: f = a + sum_j u_j b_j + s w, l = l0 + sum_j c_j |u_j| + r_j u_j^2/2.
class HjbModel {
 public:
  virtual ~HjbModel() = default;
  virtual int states() const = 0;
  virtual int affine_controls() const = 0;
  virtual std::vector<double> lower() const = 0;  ///< [affine_controls], finite
  virtual std::vector<double> upper() const = 0;
  virtual void coefficients(int branch, const HjbPoints& points, const HjbCoefficients& out) const = 0;
  virtual int branches() const { return 1; }
  /// Values of the sampled controls in a branch; they follow the affine ones in every list of controls.
  virtual std::vector<double> sampled_controls(int /*branch*/) const { return {}; }
  virtual bool autonomous() const { return true; }
  /// Exact motion under constant controls for semi-Lagrangian steps: fills `to` and returns true, or false: use a
  /// Runge-Kutta step. u: affine controls.
  virtual bool flow(int /*branch*/, const double* /*x*/, const double* /*u*/, double /*duration*/,
                    double* /*to*/) const {
    return false;
  }
};

struct HjbProblem {
  std::shared_ptr<const HjbModel> model;
  HjbGrid grid;
  double horizon = std::numeric_limits<double>::infinity();  ///< T
  double discount = 0;                                       ///< rho >= 0
  std::function<double(const double* x)> terminal;           ///< g, zero if empty
  std::function<double(const double* x)> exit;               ///< exit cost where the run ends, NaN elsewhere
  std::function<double(const double* x)> stop;               ///< stop cost, may be infinite
};

enum class HjbScheme { upwind, lax_friedrichs, weno5, semi_lagrangian };
enum class HjbDevice { cpu, cuda };

struct HjbOptions {
  HjbScheme scheme = HjbScheme::upwind;
  HjbDevice device = HjbDevice::cpu;  ///< cuda: finite horizons of autonomous problems by upwind
  double cfl = .9;                    ///< share of the largest stable step; semi-Lagrangian: see cells
  double cells = 2;                   ///< semi-Lagrangian: cells that one step crosses
  int control_samples = 9;            ///< semi-Lagrangian: per affine control, beside the minimiser at grad V
  std::int64_t max_steps = 1000000;   ///< time steps of a finite horizon
  int max_sweeps = 5000;              ///< of a stationary problem
  double tolerance = 1e-10;           ///< change in a round of sweeps, relative to 1 + |V|
  int slices = 65;                    ///< stored times of V and u of a finite horizon, at most
  int threads = 1;
};

enum class HjbStatus { solved, sweep_limit, step_limit, not_finite };
std::string to_string(HjbStatus status);
std::string to_string(HjbScheme scheme);

struct HjbSlice {
  double time = 0;
  std::vector<double> value;                 ///< V(t, .) [points]; infinite where no run ends within the grid
  std::vector<std::vector<double>> control;  ///< [controls][points]
  std::vector<std::uint8_t> stopped;         ///< [points] 1 where stopping or exit is best; empty without either
};

struct HjbSolution {
  HjbStatus status = HjbStatus::solved;
  HjbScheme scheme = HjbScheme::upwind;
  HjbGrid grid;
  std::vector<HjbSlice> slices;  ///< ascending in time; one if stationary
  std::int64_t steps = 0;        ///< time steps or sweeps
  double time_step = 0;
  double change = 0;  ///< of the last round of sweeps
  const std::vector<double>& value() const { return slices.front().value; }
  /// V and u at (t, x): multilinear in x, linear in t.
  double value(double time, const double* x) const;
  void control(double time, const double* x, double* u) const;
  bool stops(double time, const double* x) const;  ///< at the nearest grid point
};

/// Whether this build and machine can run HjbDevice::cuda.
bool hjb_cuda_available();

/// throws Error E401/E107 for a problem that is not well posed or that the scheme cannot treat; E302/E303 without CUDA.
HjbSolution solve_hjb(const HjbProblem& problem, const HjbOptions& options = {});

/// A run under the feedback law.
struct HjbTrajectory {
  std::vector<double> time;
  std::vector<std::vector<double>> states, controls;  ///< [k][n], [k][m]
  double cost = 0;        ///< realised, including terminal, exit or stop cost: an upper bound on V
  bool finished = false;  ///< reached the horizon, an exit point or a stop
};
/// Fourth-order Runge-Kutta steps of length dt with the control held over each. longest: for infinite horizons.
HjbTrajectory simulate_hjb(const HjbProblem& problem, const HjbSolution& solution, const std::vector<double>& start,
                           double dt, double longest = 100);

/// A bound from below, V >= bound, from a sub-solution: W with min_u { W_t + l + f . grad W } - rho W >= -eps gives
/// V >= W - eps T (or eps/rho; with l > 0 and exits, V >= W/(1 + theta)), whatever made W (comparison principle; Bardi
/// & Capuzzo-Dolcetta 1997, ch. II). W is the multilinear or the cubic interpolant of a solution, whichever is better;
/// its residual is the worst over `samples`^d points in every cell, so that the bound holds up to the variation between
/// them.
struct HjbBound {
  double lower = -std::numeric_limits<double>::infinity();  ///< on V at the start
  double value = 0;                                         ///< of the solution at the start
  double residual = 0;                                      ///< eps, or theta
  bool cubic = false;
};
struct HjbBoundOptions {
  int samples = 3;  ///< per axis in every cell, at least 2
  /// Parts of the axes that runs are taken to stay in, e.g. away from edges; empty: the whole grid.
  std::vector<std::pair<double, double>> region;
  int threads = 1;
};
/// Holds for runs that stay in the region. -infinity where no bound can be given: exits without discount where l = 0.
HjbBound bound_hjb(const HjbProblem& problem, const HjbSolution& solution, const std::vector<double>& start,
                   const HjbBoundOptions& options = {});

}  // namespace eos::solvers
