// Rectilinear grids in one, two or three dimensions for Hamilton-Jacobi-Bellman equations.
//
// An axis is spaced evenly in x or in ln x. Tables over the grid are flat arrays, the last axis contiguous (row-major).
// Derivatives are taken in the grid's own coordinate y (x or ln x), where the spacing is even: dV/dx f = dV/dy f dy/dx.
// Indices have 64 bits. Interpolation is multilinear in y: monotone, and exact where V is linear in y.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace eos::solvers {

enum class Spacing { uniform, logarithmic };

/// What happens at an end of an axis.
enum class Edge {
  extrapolate,  ///< states may leave; beyond the edge V continues linearly
  constrain,    ///< states may not leave: motions across the edge cost more than anything else. Where leaving cannot be
                ///< avoided V is infinite, and the diffusion of upwind schemes carries that inwards: reflect there.
              ///< Upwind schemes judge the drift and each control on its own: drift across the edge that a control
              ///< could hold back counts as leaving
  reflect,  ///< the motion across the edge is stopped, at no price
  periodic  ///< both ends are the same point; set on both edges
};

struct HjbAxis {
  double lower = 0, upper = 1;  ///< x of the first and last point (periodic: the last point lies one step before upper)
  std::int64_t points = 101;    ///< at least 4
  Spacing spacing = Spacing::uniform;
  Edge lower_edge = Edge::constrain, upper_edge = Edge::constrain;

  bool periodic() const { return lower_edge == Edge::periodic; }
  double step() const;                          ///< in y
  double coordinate(std::int64_t index) const;  ///< x
  double place(double x) const;                 ///< fractional index of x; not clipped
  double stretch(double x) const { return spacing == Spacing::uniform ? 1 : 1 / x; }  ///< dy/dx
};

struct HjbGrid {
  std::vector<HjbAxis> axes;

  int dimensions() const { return static_cast<int>(axes.size()); }
  std::int64_t size() const;
  std::int64_t stride(int axis) const;
  std::int64_t row_length() const { return axes.back().points; }
  std::int64_t rows() const { return size() / row_length(); }
  /// Index along an axis of a flat index.
  std::int64_t index(std::int64_t flat, int axis) const {
    return flat / stride(axis) % axes[static_cast<std::size_t>(axis)].points;
  }
  /// x of a point.
  void point(std::int64_t flat, double* x) const;
  /// Multilinear interpolation; beyond the grid the nearest edge value (periodic axes wrap).
  double interpolate(std::span<const double> table, const double* x) const;
  /// throws Error E401: dimensions, points, order of bounds, logarithms of what is not positive, lone periodic edges.
  void check() const;
};

}  // namespace eos::solvers
