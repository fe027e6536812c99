// The inner loops of the grid solvers: one explicit step of the Hamilton-Jacobi-Bellman equation along a row of points.
//
// Statement, backwards in time: V <- V + dt ( min_u { l + f . grad V } - rho V ), for dynamics affine in the controls,
//   f = a + sum_j u_j b_j + s w (|w| <= 1),   l = l0 + sum_j ( c_j |u_j| + r_j u_j^2 / 2 ),   u_j in [lower_j,
//   upper_j].
// Schemes, with one-sided differences D-, D+:
//   upwind            the drift a, every control field b_j in both directions, and the isotropic speed s are upwinded
//   each
//                     on its own. The minimum over u is then exact, one sign or clip per control, whatever the number
//                     of controls; the scheme is monotone under dt sum_i ( |a_i| + sum_j |b_ji u_j| + s )/h_i <= 1 and
//                     converges by Barles & Souganidis (1991). It is the Markov-chain approximation of Kushner &
//                     Dupuis.
//   Lax-Friedrichs    the Hamiltonian at the mean of D- and D+ plus local dissipation (Osher & Shu 1991, eq. 2.5); also
//                     takes differences of higher order.
// A model is a struct with static constants k_states, k_controls and a member row(place) that returns an object with
// at<Real>(k) -> AffinePoint<states, controls, Real>, the coefficients at point k, or, for Real = Lanes, at four points
// from k on. See HjbModel in hjb.hpp for models chosen at run time. The same formulas run on CUDA.
// Units: differences are per unit of the grid's coordinate. Guarantees: no allocation, no state, bitwise reproducible.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "eos/core/host_device.hpp"

namespace eos::solvers {

#if !defined(__CUDACC__)
// Without AVX the compiler notes that vectors are passed in memory; everything here is inlined.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpsabi"
/// Four points at once. A vector type of the compiler, so that loops need not be recognised to become SIMD code.
using Lanes = double __attribute__((vector_size(32)));
using LaneMask = decltype(Lanes{} < Lanes{});
inline Lanes select(LaneMask mask, Lanes a, Lanes b) { return mask ? a : b; }
inline Lanes square_root(Lanes x) { return Lanes{std::sqrt(x[0]), std::sqrt(x[1]), std::sqrt(x[2]), std::sqrt(x[3])}; }
#pragma GCC diagnostic pop
#endif
EOS_HD inline double select(bool condition, double a, double b) { return condition ? a : b; }

/// The numbers at p, p + 1, ...: one or four of them.
template <class Real>
EOS_HD inline Real load(const double* p) {
  Real value;
  std::memcpy(&value, p, sizeof value);
  return value;
}
/// A constant in every lane.
template <class Real>
EOS_HD inline Real all(double value) {
  if constexpr (sizeof(Real) == sizeof(double)) {
    return value;
  } else {
    return Real{value, value, value, value};
  }
}

/// first, first + 1, ... as many as Real holds.
template <class Real>
EOS_HD inline Real counted(double first) {
  if constexpr (sizeof(Real) == sizeof(double)) {
    return first;
  } else {
    return all<Real>(first) + Real{0, 1, 2, 3};
  }
}
/// Coefficients at one point, or at four. Arrays of no controls keep one unused entry.
template <int D, int M, class Real = double>
struct AffinePoint {
  static constexpr int k_fields = M > 0 ? M : 1;
  Real running{};                    ///< l0
  Real drift[D] = {};                ///< a
  Real gain[k_fields][D] = {};       ///< b_j
  Real price_abs[k_fields] = {};     ///< c_j >= 0
  Real price_square[k_fields] = {};  ///< r_j >= 0
  Real speed{};                      ///< s >= 0
  double lower[k_fields] = {}, upper[k_fields] = {};
};

/// Which coefficients of a model can be other than zero, known at compile time: the loops skip the rest. A row type
/// says so by a static member k_pattern.
struct AffinePattern {
  bool drift[3] = {true, true, true};
  bool gain[3][3] = {{true, true, true}, {true, true, true}, {true, true, true}};
  bool price_abs = true, price_square = true, speed = true;
};

/// Least value of slope * v + r v^2 / 2 over v in [low, high], low >= 0; v is where.
template <bool priced, class Real>
EOS_HD inline Real least_on_side(Real slope, Real r, double low, double high, Real& v) {
  const Real below = all<Real>(low), above = all<Real>(high), zero{};
  if constexpr (!priced) {
    v = select(slope < zero, above, below);
    if (low == 0) return high * select(slope < zero, slope, zero);
    return v * slope;
  } else {
    const Real inner = -slope / select(r > zero, r, all<Real>(1));
    const Real clipped = select(inner < below, below, select(inner > above, above, inner));
    v = select(r > zero, clipped, select(slope < zero, above, below));
    return v * (slope + .5 * r * v);
  }
}

/// Least value of c|u| + r u^2/2 + max(u, 0) forward + max(-u, 0) backward over [lower, upper]; u is where.
template <AffinePattern pattern, class Real>
EOS_HD inline Real least_over_control(Real c, Real r, double lower, double upper, Real forward, Real backward,
                                      Real& u) {
  Real plus, minus;
  constexpr bool priced = pattern.price_square;
  if constexpr (pattern.price_abs) forward += c, backward += c;
  const Real up = least_on_side<priced, Real>(forward, r, lower > 0 ? lower : 0, upper > 0 ? upper : 0, plus);
  const Real down = least_on_side<priced, Real>(backward, r, upper < 0 ? -upper : 0, lower < 0 ? -lower : 0, minus);
  if (lower > 0) return u = plus, up;
  if (upper < 0) return u = -minus, down;
  u = select(down < up, -minus, plus);
  return select(down < up, down, up);
}

template <class Real>
EOS_HD inline Real positive(Real x) {
  return select(x > Real{}, x, Real{});
}
template <class Real>
EOS_HD inline Real magnitude(Real x) {
  return select(x < Real{}, -x, x);
}

/// s |grad V|; costs nothing where the compiler knows that s = 0.
template <class Real>
EOS_HD inline Real isotropic_term(Real speed, Real square) {
  if constexpr (sizeof(Real) == sizeof(double)) {
    return speed > 0 ? speed * std::sqrt(square) : 0;
  } else {
    const bool moves = speed[0] > 0 || speed[1] > 0 || speed[2] > 0 || speed[3] > 0;
    return moves ? speed * square_root(square) : Real{};
  }
}

/// min_u { l + f . grad V }, upwind, from V here and one step away: every motion with speed f_i along axis i
/// contributes |f_i|/h_i (V upwind - V here). u [M] receives the minimiser.
template <AffinePattern pattern, int D, int M, class Real>
EOS_HD inline Real upwind_rate(const AffinePoint<D, M, Real>& p, Real here, const Real (&below)[D],
                               const Real (&above)[D], const double (&inverse_step)[D], Real* u) {
  Real rate = p.running;
  for (int i = 0; i < D; ++i) {
    if (!pattern.drift[i]) continue;
    const Real a = p.drift[i];
    rate += magnitude(a) * inverse_step[i] * (select(a > Real{}, above[i], below[i]) - here);
  }
  for (int j = 0; j < M; ++j) {
    Real forward = all<Real>(-0.0), backward = all<Real>(-0.0);  // -0 is the neutral element of addition
    for (int i = 0; i < D; ++i) {
      if (!pattern.gain[j][i]) continue;
      const Real b = p.gain[j][i], weight = magnitude(b) * inverse_step[i];
      forward += weight * (select(b > Real{}, above[i], below[i]) - here);
      backward += weight * (select(b > Real{}, below[i], above[i]) - here);
    }
    rate +=
        least_over_control<pattern>(p.price_abs[j], p.price_square[j], p.lower[j], p.upper[j], forward, backward, u[j]);
  }
  if constexpr (pattern.speed) {
    Real square{};
    for (int i = 0; i < D; ++i) {
      const Real lowest = select(below[i] < above[i], below[i], above[i]);
      const Real descent = positive(here - lowest) * inverse_step[i];
      square += descent * descent;
    }
    rate -= isotropic_term(p.speed, square);
  }
  return rate;
}

/// Largest speed along axis i over all controls: what Lax-Friedrichs dissipates and the time step must obey.
template <int D, int M>
EOS_HD inline double largest_speed(const AffinePoint<D, M>& p, int i) {
  double speed = std::fabs(p.drift[i]) + p.speed;
  for (int j = 0; j < M; ++j) {
    const double low = std::fabs(p.lower[j]), high = std::fabs(p.upper[j]);
    speed += std::fabs(p.gain[j][i]) * (low > high ? low : high);
  }
  return speed;
}

/// H(gradient) = min_u { l + f . gradient } exactly; u [M] receives the minimiser.
template <int D, int M>
EOS_HD inline double hamiltonian(const AffinePoint<D, M>& p, const double (&gradient)[D], double* u) {
  double rate = p.running, square = 0;
  for (int i = 0; i < D; ++i) rate += p.drift[i] * gradient[i], square += gradient[i] * gradient[i];
  for (int j = 0; j < M; ++j) {
    double slope = 0;
    for (int i = 0; i < D; ++i) slope += p.gain[j][i] * gradient[i];
    rate += least_over_control<AffinePattern{}>(p.price_abs[j], p.price_square[j], p.lower[j], p.upper[j], slope,
                                                -slope, u[j]);
  }
  return p.speed > 0 ? rate - p.speed * std::sqrt(square) : rate;
}

/// Local Lax-Friedrichs.
template <int D, int M>
EOS_HD inline double lax_friedrichs_rate(const AffinePoint<D, M>& p, const double (&below)[D], const double (&above)[D],
                                         double* u) {
  double mean[D];
  double dissipation = 0;
  for (int i = 0; i < D; ++i) {
    mean[i] = .5 * (below[i] + above[i]);
    dissipation += .5 * largest_speed(p, i) * (above[i] - below[i]);
  }
  return hamiltonian(p, mean, u) + dissipation;
}

/// Rows of the stencil: pointers to the row itself and to its neighbours along every axis; for the last, contiguous
/// axis the neighbours are the row shifted by one point.
template <int D>
struct RowStencil {
  const double* centre;
  const double* below[D];
  const double* above[D];
  double inverse_step[D];
};

/// V + dt ( min_u {...} - rho V ) at point k, or at the four points from k on.
template <class Real, int D, int M, class Row>
inline Real upwind_update(const Row& row, const RowStencil<D>& s, double dt, double discount, std::int64_t k) {
  const auto p = row.template at<Real>(k);
  const Real here = load<Real>(s.centre + k);
  Real below[D], above[D], u[M > 0 ? M : 1];
  for (int i = 0; i < D; ++i) below[i] = load<Real>(s.below[i] + k), above[i] = load<Real>(s.above[i] + k);
  return (1 - dt * discount) * here + dt * upwind_rate<Row::k_pattern>(p, here, below, above, s.inverse_step, u);
}

#if !defined(__CUDACC__)
/// out[k] = V + dt ( min_u {...} - rho V ) for k in [begin, end). `row` is a model's row; out does not overlap V.
template <int D, int M, class Row>
inline void upwind_row(const Row& row, const RowStencil<D>& s, double dt, double discount, std::int64_t begin,
                       std::int64_t end, double* out) {
  const auto four = [&](std::int64_t k) {
    const Lanes next = upwind_update<Lanes, D, M>(row, s, dt, discount, k);
    std::memcpy(out + k, &next, sizeof next);
  };
  std::int64_t k = begin;
  for (; k + 4 <= end; k += 4) four(k);
  if (k == end) return;
  if (end - begin >= 4) return four(end - 4);  // the last four again: V is not overwritten
  for (; k < end; ++k) out[k] = upwind_update<double, D, M>(row, s, dt, discount, k);
}
#endif

}  // namespace eos::solvers
