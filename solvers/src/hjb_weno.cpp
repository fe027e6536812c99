// Right side of the Hamilton-Jacobi-Bellman equation with Lax-Friedrichs dissipation, from one-sided differences of
// first or fifth order.
#include <algorithm>
#include <cmath>
#include <limits>

#include "eos/core/parallel.hpp"
#include "hjb_scheme.hpp"

namespace eos::solvers {

namespace {

/// Weighted essentially non-oscillatory derivative from five first differences in upwind order (Jiang & Peng 2000,
/// eqs. 2.2-2.9; weights after Jiang & Shu 1996).
double weno5(double a, double b, double c, double d, double e) {
  const double s1 = 13. / 12 * (a - 2 * b + c) * (a - 2 * b + c) + .25 * (a - 4 * b + 3 * c) * (a - 4 * b + 3 * c);
  const double s2 = 13. / 12 * (b - 2 * c + d) * (b - 2 * c + d) + .25 * (b - d) * (b - d);
  const double s3 = 13. / 12 * (c - 2 * d + e) * (c - 2 * d + e) + .25 * (3 * c - 4 * d + e) * (3 * c - 4 * d + e);
  const double largest = std::max({a * a, b * b, c * c, d * d, e * e});
  const double eps = 1e-6 * largest + 1e-99;
  const double w1 = .1 / ((s1 + eps) * (s1 + eps)), w2 = .6 / ((s2 + eps) * (s2 + eps)),
               w3 = .3 / ((s3 + eps) * (s3 + eps));
  const double p1 = a / 3 - 7 * b / 6 + 11 * c / 6, p2 = -b / 6 + 5 * c / 6 + d / 3, p3 = c / 3 + 5 * d / 6 - e / 6;
  return (w1 * p1 + w2 * p2 + w3 * p3) / (w1 + w2 + w3);
}

/// Differences V_{k+1} - V_k around the point, [6] from k = -3 to 2 relative to it, continued beyond edges.
void differences(const HjbAxis& axis, const double* at_point, std::int64_t index, std::int64_t stride, double* diff) {
  const std::int64_t last = axis.points - 1;
  for (int k = -3; k < 3; ++k) {
    std::int64_t left = index + k, right = index + k + 1;
    if (axis.periodic()) {
      left = (left + axis.points) % axis.points, right = (right + axis.points) % axis.points;
    } else if (left < 0) {
      if (axis.lower_edge == Edge::reflect) {
        diff[k + 3] = 0;
        continue;
      }
      left = 0, right = 1;
    } else if (right > last) {
      if (axis.upper_edge == Edge::reflect) {
        diff[k + 3] = 0;
        continue;
      }
      left = last - 1, right = last;
    }
    diff[k + 3] = at_point[(right - index) * stride] - at_point[(left - index) * stride];
  }
}

}  // namespace

void lax_friedrichs_rates(const HjbWork& work, const std::vector<double>& v, bool fifth_order,
                          std::vector<double>& rate) {
  const HjbTables& tables = *work.tables;
  const HjbGrid& grid = work.grid();
  hjb_dispatch(tables.states(), tables.controls(), [&]<int D, int M>() {
    const std::int64_t n = grid.row_length();
    core::parallel_for(static_cast<std::size_t>(grid.rows()), work.options.threads, [&](std::size_t row) {
      for (std::int64_t k = 0; k < n; ++k) {
        const std::int64_t flat = static_cast<std::int64_t>(row) * n + k;
        double below[D], above[D], u[M > 0 ? M : 1], d[6];
        for (int i = 0; i < D; ++i) {
          const HjbAxis& axis = grid.axes[static_cast<std::size_t>(i)];
          const double h = axis.step();
          differences(axis, v.data() + flat, grid.index(flat, i), grid.stride(i), d);
          below[i] = (fifth_order ? weno5(d[0], d[1], d[2], d[3], d[4]) : d[2]) / h;
          above[i] = (fifth_order ? weno5(d[5], d[4], d[3], d[2], d[1]) : d[3]) / h;
        }
        double best = std::numeric_limits<double>::infinity();
        for (int b = 0; b < tables.branches(); ++b) {
          const auto p = tables.row<D, M>(b, static_cast<std::int64_t>(row)).template at<double>(k);
          best = std::min(best, lax_friedrichs_rate<D, M>(p, below, above, u));
        }
        rate[static_cast<std::size_t>(flat)] = best;
      }
    });
  });
}

}  // namespace eos::solvers
