// What the schemes share: the state of a solve, end conditions, and the controls that a value function implies.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "eos/solvers/hjb.hpp"
#include "eos/solvers/hjb_step.hpp"
#include "hjb_tables.hpp"

namespace eos::solvers {

/// Values above this count as infinite: no run from there ends within the grid.
inline constexpr double k_unreached = 1e15;

struct HjbWork {
  const HjbProblem& problem;
  const HjbOptions& options;
  std::unique_ptr<HjbTables> tables;  ///< of the present time
  std::vector<double> exit_cost;      ///< [points] NaN where no run ends; empty without exits
  std::vector<double> stop_cost;      ///< [points]; empty without stops
  double wall = 0;                    ///< what crossing a constrained edge adds to V, finite horizons

  const HjbGrid& grid() const { return problem.grid; }
  std::size_t size() const { return static_cast<std::size_t>(problem.grid.size()); }
  bool exits(std::size_t k) const { return !exit_cost.empty() && exit_cost[k] == exit_cost[k]; }
  /// Exit values and the stop cost imposed on v.
  void impose_ends(std::vector<double>& v) const;
  void retabulate(double time);
};

/// V at the neighbours of one point along every axis; `wall` as in beyond_edge.
template <int D>
void neighbour_values(const HjbGrid& grid, const std::vector<double>& v, std::int64_t flat, double wall,
                      double (&below)[D], double (&above)[D]) {
  for (int i = 0; i < D; ++i) {
    const HjbAxis& axis = grid.axes[static_cast<std::size_t>(i)];
    const std::int64_t stride = grid.stride(i), at = flat / stride % axis.points, last = axis.points - 1;
    const auto value = [&](std::int64_t k) { return v[static_cast<std::size_t>(k)]; };
    if (at > 0) {
      below[i] = value(flat - stride);
    } else {
      below[i] = axis.periodic() ? value(flat + last * stride)
                                 : beyond_edge(axis.lower_edge, value(flat), value(flat + stride), wall);
    }
    if (at < last) {
      above[i] = value(flat + stride);
    } else {
      above[i] = axis.periodic() ? value(flat - last * stride)
                                 : beyond_edge(axis.upper_edge, value(flat), value(flat - stride), wall);
    }
  }
}

/// Backwards in time from the horizon; fills the slices. In hjb_explicit.cpp.
void march(HjbWork& work, HjbSolution& solution);
/// Stationary problem by Gauss-Seidel sweeps. In hjb_sweep.cpp.
void sweep_upwind(HjbWork& work, HjbSolution& solution);
void sweep_semi_lagrangian(HjbWork& work, HjbSolution& solution);
/// One semi-Lagrangian step of fixed length over the grid. In hjb_semi_lagrangian.cpp.
void semi_lagrangian_step(const HjbWork& work, const std::vector<double>& v, double dt, std::vector<double>& out,
                          std::vector<std::vector<double>>* controls);
/// Semi-Lagrangian update of one point with steps that cross `cells` cells (longest: at most that long), from the
/// values v; u receives all controls.
double semi_lagrangian_point(const HjbWork& work, const std::vector<double>& v, std::int64_t flat, double dt,
                             bool fixed, double* u);
/// The minimising controls of V at every point, by the differences of the scheme; [controls][points].
std::vector<std::vector<double>> upwind_controls(const HjbWork& work, const std::vector<double>& v);
/// The right side min_u {...} with fifth-order differences (or first-order ones) and Lax-Friedrichs dissipation.
void lax_friedrichs_rates(const HjbWork& work, const std::vector<double>& v, bool fifth_order,
                          std::vector<double>& rate);
/// `steps` explicit steps on the device; v is replaced. In hjb_cuda.cu.
void march_on_device(const HjbWork& work, std::vector<double>& v, double dt, std::int64_t steps);

}  // namespace eos::solvers
