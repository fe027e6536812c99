// One explicit upwind step of the Hamilton-Jacobi-Bellman equation over a whole grid, for any model known at compile
// time.
//
// A model has static constants k_states, k_controls and row(index) -> an object with at<Real>(k) -> AffinePoint; rows
// are those of the grid's last axis, in order. The step reads V once and writes the result once; neighbouring rows come
// from the cache. Guarantees: no point is written twice, so the result does not depend on the number of threads. See
// hjb_kernels.hpp for the scheme and its condition on dt.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "eos/core/parallel.hpp"
#include "eos/solvers/hjb_grid.hpp"
#include "eos/solvers/hjb_kernels.hpp"

namespace eos::solvers {

/// V one step beyond an edge, from the edge's value and the next one inside.
EOS_HD inline double beyond_edge(Edge edge, double at_edge, double inside, double wall) {
  return edge == Edge::extrapolate ? 2 * at_edge - inside : edge == Edge::constrain ? at_edge + wall : at_edge;
}

#if !defined(__CUDACC__)
/// A row seen from point `offset`.
template <class Row>
struct ShiftedRow {
  static constexpr AffinePattern k_pattern = Row::k_pattern;
  const Row& row;
  std::int64_t offset;
  template <class Real>
  auto at(std::int64_t k) const {
    return row.template at<Real>(k + offset);
  }
};

/// The rows next to one row along the outer axes, made up where the grid ends.
template <int D>
class NeighbourRows {
 public:
  NeighbourRows(const HjbGrid& grid, double wall) : grid_(grid), wall_(wall), length_(grid.row_length()) {
    for (int i = 0; i < D; ++i) {
      stencil_.inverse_step[i] = 1 / grid.axes[static_cast<std::size_t>(i)].step();
      points_[i] = grid.axes[static_cast<std::size_t>(i)].points, stride_[i] = grid.stride(i);
    }
    if (D > 1) made_.resize(static_cast<std::size_t>(2 * (D - 1) * length_));
  }
  /// Pointers to the neighbours of a row of v. Valid until the next call.
  const RowStencil<D>& of(const double* v, std::int64_t row) {
    const double* centre = stencil_.centre = v + row * length_;
    std::int64_t rest = row;
    for (int i = D - 2; i >= 0; --i) {
      const std::int64_t at = rest % points_[i];
      rest /= points_[i];
      stencil_.below[i] = at > 0 ? centre - stride_[i] : beyond(centre, i, -1);
      stencil_.above[i] = at < points_[i] - 1 ? centre + stride_[i] : beyond(centre, i, 1);
    }
    stencil_.below[D - 1] = centre - 1;
    stencil_.above[D - 1] = centre + 1;
    return stencil_;
  }

 private:
  const double* beyond(const double* centre, int i, int side) {
    const HjbAxis& axis = grid_.axes[static_cast<std::size_t>(i)];
    if (axis.periodic()) return centre - side * (axis.points - 1) * stride_[i];
    const Edge edge = side < 0 ? axis.lower_edge : axis.upper_edge;
    if (edge == Edge::reflect) return centre;
    double* made = made_.data() + (2 * i + (side > 0)) * length_;
    for (std::int64_t k = 0; k < length_; ++k) {
      made[k] = beyond_edge(edge, centre[k], centre[k - side * stride_[i]], wall_);
    }
    return made;
  }

  const HjbGrid& grid_;
  double wall_;
  std::int64_t length_, points_[D], stride_[D];
  RowStencil<D> stencil_{};
  std::vector<double> made_;
};

/// The ends of a row along the last axis.
template <int D, int M, class Row>
inline void upwind_row_ends(const HjbGrid& grid, const Row& row, const RowStencil<D>& s, double dt, double discount,
                            double wall, double* out) {
  const HjbAxis& axis = grid.axes[D - 1];
  const std::int64_t last = axis.points - 1;
  for (const std::int64_t k : {std::int64_t{0}, last}) {
    RowStencil<D> one = s;
    one.centre += k;
    for (int i = 0; i < D; ++i) one.below[i] += k, one.above[i] += k;
    const double* v = s.centre;
    double ghost;
    if (k == 0) {
      ghost = axis.periodic() ? v[last] : beyond_edge(axis.lower_edge, v[0], v[1], wall);
      one.below[D - 1] = &ghost;
    } else {
      ghost = axis.periodic() ? v[0] : beyond_edge(axis.upper_edge, v[last], v[last - 1], wall);
      one.above[D - 1] = &ghost;
    }
    upwind_row<D, M>(ShiftedRow<Row>{row, k}, one, dt, discount, 0, 1, out + k);
  }
}

/// Order of rows in which neighbours along the first of three axes are still in the second-level cache when they are
/// needed again: the grid is cut into bands along the second axis, and each band is walked along the first.
struct RowBands {
  std::int64_t first = 1, second, band;  ///< lengths of the axes that count rows, and rows of a band
  explicit RowBands(const HjbGrid& grid) : second(grid.rows()) {
    constexpr std::int64_t k_cached_points = 10000;  // four planes of a band in 320 KiB
    if (grid.dimensions() == 3) first = grid.axes[0].points, second = grid.axes[1].points;
    const std::int64_t parts =
        std::max<std::int64_t>(1, (second * grid.row_length() + k_cached_points - 1) / k_cached_points);
    band = std::max<std::int64_t>(1, (second + parts - 1) / parts);
  }
  std::int64_t count() const { return (second + band - 1) / band; }
  template <class F>
  void walk(std::int64_t index, const F& row) const {
    for (std::int64_t i = 0; i < first; ++i) {
      for (std::int64_t j = index * band; j < std::min(second, (index + 1) * band); ++j) row(i * second + j);
    }
  }
};

/// out = V + dt ( min_u { l + f . grad V } - discount V ). wall: what crossing a constrained edge adds to V.
template <class Model>
void upwind_step(const HjbGrid& grid, const Model& model, const double* v, double* out, double dt, double discount,
                 double wall, int threads) {
  constexpr int D = Model::k_states, M = Model::k_controls;
  const std::int64_t n = grid.row_length();
  const RowBands bands(grid);
  core::parallel_for(static_cast<std::size_t>(bands.count()), threads, [&](std::size_t band) {
    NeighbourRows<D> neighbours(grid, wall);
    bands.walk(static_cast<std::int64_t>(band), [&](std::int64_t row) {
      const RowStencil<D>& s = neighbours.of(v, row);
      const auto coefficients = model.row(row);
      upwind_row<D, M>(coefficients, s, dt, discount, 1, n - 1, out + row * n);
      upwind_row_ends<D, M>(grid, coefficients, s, dt, discount, wall, out + row * n);
    });
  });
}

#endif

}  // namespace eos::solvers
