// Follow a soft committee machine that learns online from a committee teacher, through its order parameters.
//
// Student sum_k v_k g(w_k.x/sqrt N), teacher sum_m v*_m g(w*_m.x/sqrt N) + sigma zeta, g(x) = erf(x/sqrt 2), x standard
// normal in N -> infinity dimensions, one fresh sample per step, dw_k = (eta/sqrt N) v_k g'(lambda_k) Delta x with
// Delta = noisy target minus output, time alpha = samples / N:
//   dR_in/dalpha = eta v_i sum_a s_a I3(i,n,a) - gamma R_in
//   dQ_ik/dalpha = eta [ v_i sum_a s_a I3(i,k,a) + v_k sum_a s_a I3(k,i,a) ]
//                + (eta^2/b) v_i v_k [ sum_ab s_a s_b I4(i,k,a,b) + sigma^2 J2(i,k) ] - 2 gamma Q_ik
//   dv_i/dalpha  = eta_v sum_a s_a I2(i,a) - gamma v_i,      error eps_g = 1/2 sum_ab s_a s_b I2(a,b)
// where a, b run over students (s = -v) and teachers (s = +v*).
// Sources: Saad & Solla, PRL 74, 4337 (1995) and PRE 52, 4225 (1995); Biehl & Schwarze, J. Phys. A 28, 643 (1995);
// readouts and a proof: Goldt et al., NeurIPS 2019 (arXiv:1906.08632).
//
// Batch: b samples per step divide the squared bracket by b; alpha then counts steps. Write masks m multiply linear
// terms by E[m_i] and the bracket by E[m_i m_k]. The ranked mask of largest |x_l|, which all units share, has
// phi(kappa) in both, exactly at b = 1; random masks of each unit have kappa, and kappa on the diagonal and kappa^2 off
// it. Derived in docs/order-parameters.md. Dropout with activation probability p multiplies every term by p^(number of
// distinct student units in it), and the output at test time by p_F: Mignacco & Mori, arXiv:2507.07907, section 3.2.
//
// Formulas are templates on the scalar (double, Dual, Expr); nothing branches on values. Held to quadrature, to
// published numbers and to simulations in tests/theory/order_parameters_test.cpp.
#pragma once

#include <cmath>
#include <string>
#include <vector>

namespace eos::theory {

inline constexpr double k_two_over_pi = 0.63661977236758134308;

/// <g(z1) g(z2)> of jointly Gaussian fields with covariance c.
template <class S>
S committee_i2(const S& c11, const S& c12, const S& c22) {
  using std::asin;
  using std::sqrt;
  return k_two_over_pi * asin(c12 / sqrt((1.0 + c11) * (1.0 + c22)));
}
/// <g'(z1) g'(z2)>.
template <class S>
S committee_j2(const S& c11, const S& c12, const S& c22) {
  using std::sqrt;
  return k_two_over_pi / sqrt((1.0 + c11) * (1.0 + c22) - c12 * c12);
}
/// <g'(z1) z2 g(z3)>.
template <class S>
S committee_i3(const S& c11, const S& c12, const S& c13, const S& c23, const S& c33) {
  using std::sqrt;
  const S a = 1.0 + c11;
  return k_two_over_pi * (c23 * a - c12 * c13) / (a * sqrt(a * (1.0 + c33) - c13 * c13));
}

/// <g'(z1) g'(z2) g(za) g(zb)> for many pairs (a, b) at one pair (1, 2): what all of them share is computed once.
template <class S>
struct CommitteeI4 {
  S c11, c12, c22, determinant, prefactor;

  CommitteeI4(const S& c_11, const S& c_12, const S& c_22)
      : c11(c_11), c12(c_12), c22(c_22), determinant((1.0 + c11) * (1.0 + c22) - c12 * c12), prefactor(0.0) {
    using std::sqrt;
    prefactor = k_two_over_pi * k_two_over_pi / sqrt(determinant);
  }
  /// Lambda_0 of fields a and b, with covariances c_1a, c_2a, c_1b, c_2b, c_ab.
  S cross(const S& c1a, const S& c2a, const S& c1b, const S& c2b, const S& cab) const {
    return determinant * cab - c2a * c2b * (1.0 + c11) - c1a * c1b * (1.0 + c22) + c12 * (c1a * c2b + c1b * c2a);
  }
  /// sqrt Lambda_1 of one field.
  S width(const S& c1a, const S& c2a, const S& caa) const {
    using std::sqrt;
    return sqrt(determinant * (1.0 + caa) - c2a * c2a * (1.0 + c11) - c1a * c1a * (1.0 + c22) + 2.0 * c12 * c1a * c2a);
  }
  S value(const S& cross_ab, const S& width_a, const S& width_b) const {
    using std::asin;
    return prefactor * asin(cross_ab / (width_a * width_b));
  }
};

/// The task and the sizes of both networks.
struct Committee {
  int students = 2;                     ///< K >= 1
  int teachers = 2;                     ///< M >= 1
  std::vector<double> teacher_overlap;  ///< [M * M] T, symmetric positive semi-definite; empty: identity
  std::vector<double> teacher_readout;  ///< [M] v*; empty: all 1
  bool train_readout = false;           ///< v is a state; otherwise it keeps its initial value

  double overlap(int n, int m) const {
    return teacher_overlap.empty() ? (n == m ? 1.0 : 0.0) : teacher_overlap[static_cast<std::size_t>(n * teachers + m)];
  }
  double readout(int m) const { return teacher_readout.empty() ? 1.0 : teacher_readout[static_cast<std::size_t>(m)]; }
  /// Names of the packed order parameters: R_11, R_12, ..., Q_11, Q_12, ..., and v_1, ... if readouts are trained.
  std::vector<std::string> state_names() const;
  int states() const { return students * teachers + students * (students + 1) / 2 + (train_readout ? students : 0); }
  /// throws Error E104/E107: sizes below 1, arrays of another length, T not symmetric.
  void check() const;
};

/// What acts on learning; each may be a control.
template <class S>
struct CommitteeInputs {
  S rate = 1.0;            ///< eta
  S readout_rate = 0.0;    ///< eta_v
  S weight_decay = 0.0;    ///< gamma
  S batch = 1.0;           ///< b, samples per step
  S noise_variance = 0.0;  ///< sigma^2 of the teacher's output
  S gain = 1.0;            ///< E[m_i] of the write mask
  S squared_gain = 1.0;    ///< E[m_i^2]
  S cross_gain = 1.0;      ///< E[m_i m_k], i != k
  S activation = 1.0;      ///< p, probability that a hidden unit takes part in a step
};

/// The mask of the fraction kappa of largest |x_l|: phi(kappa) in all three gains. pre: 0 < kappa <= 1.
template <class S>
void set_shared_mask(CommitteeInputs<S>& inputs, const S& captured) {
  inputs.gain = inputs.squared_gain = inputs.cross_gain = captured;
}
/// A random mask of its own for every hidden unit.
template <class S>
void set_independent_masks(CommitteeInputs<S>& inputs, const S& kappa) {
  inputs.gain = inputs.squared_gain = kappa;
  inputs.cross_gain = kappa * kappa;
}

/// Order parameters: R [K * M], Q [K * K] (both triangles), v [K].
template <class S>
struct OrderParameters {
  std::vector<S> R, Q, v;
};

/// From and to the packed form of Committee::state_names(); `readout` is v where it is not a state (empty: all 1).
template <class S>
OrderParameters<S> unpack(const Committee& c, const S* packed, const std::vector<double>& readout = {}) {
  const int K = c.students, M = c.teachers;
  OrderParameters<S> x;
  x.R.assign(packed, packed + K * M);
  x.Q.assign(static_cast<std::size_t>(K * K), S(0.0));
  const S* q = packed + K * M;
  for (int i = 0; i < K; ++i) {
    for (int k = i; k < K; ++k, ++q)
      x.Q[static_cast<std::size_t>(i * K + k)] = x.Q[static_cast<std::size_t>(k * K + i)] = *q;
  }
  for (int i = 0; i < K; ++i) {
    if (c.train_readout) {
      x.v.push_back(q[i]);
    } else {
      x.v.push_back(S(readout.empty() ? 1.0 : readout[static_cast<std::size_t>(i)]));
    }
  }
  return x;
}
template <class S>
std::vector<S> pack(const Committee& c, const OrderParameters<S>& x) {
  const int K = c.students;
  std::vector<S> packed(x.R);
  for (int i = 0; i < K; ++i) {
    for (int k = i; k < K; ++k) packed.push_back(x.Q[static_cast<std::size_t>(i * K + k)]);
  }
  if (c.train_readout) packed.insert(packed.end(), x.v.begin(), x.v.end());
  return packed;
}

namespace detail {

/// Covariance of all fields, students first, and the weights s_a with which they enter the error Delta.
template <class S>
struct Fields {
  int students, count;
  std::vector<S> covariance, weight;
  const S& c(int a, int b) const { return covariance[static_cast<std::size_t>(a * count + b)]; }
  const S& s(int a) const { return weight[static_cast<std::size_t>(a)]; }

  Fields(const Committee& task, const OrderParameters<S>& x)
      : students(task.students), count(task.students + task.teachers) {
    const int K = students, M = task.teachers;
    covariance.assign(static_cast<std::size_t>(count * count), S(0.0));
    auto at = [&](int a, int b) -> S& { return covariance[static_cast<std::size_t>(a * count + b)]; };
    for (int i = 0; i < K; ++i) {
      for (int k = 0; k < K; ++k) at(i, k) = x.Q[static_cast<std::size_t>(i * K + k)];
      for (int n = 0; n < M; ++n) at(i, K + n) = at(K + n, i) = x.R[static_cast<std::size_t>(i * M + n)];
      weight.push_back(-x.v[static_cast<std::size_t>(i)]);
    }
    for (int n = 0; n < M; ++n) {
      for (int m = 0; m < M; ++m) at(K + n, K + m) = S(task.overlap(n, m));
      weight.push_back(S(task.readout(n)));
    }
  }
  /// Number of distinct students among four fields (at least one of which is a student).
  int distinct(int a, int b, int d, int e) const {
    int n = a < students ? 1 : 0;
    if (b < students && b != a) ++n;
    if (d < students && d != a && d != b) ++n;
    if (e < students && e != a && e != b && e != d) ++n;
    return n;
  }
  /// sum_a s_a p^distinct I3(i, j, a).
  S linear(int i, int j, const S (&power)[5]) const {
    S sum(0.0);
    for (int a = 0; a < count; ++a) {
      sum = sum + s(a) * power[distinct(i, i, a, a)] * committee_i3(c(i, i), c(i, j), c(i, a), c(j, a), c(a, a));
    }
    return sum;
  }
  /// sum_ab s_a s_b p^distinct I4(i, k, a, b).
  S squared(int i, int k, const S (&power)[5]) const {
    const CommitteeI4<S> integral(c(i, i), c(i, k), c(k, k));
    std::vector<S> width;
    for (int a = 0; a < count; ++a) width.push_back(integral.width(c(i, a), c(k, a), c(a, a)));
    S sum(0.0);
    for (int a = 0; a < count; ++a) {
      for (int b = a; b < count; ++b) {
        const S cross = integral.cross(c(i, a), c(k, a), c(i, b), c(k, b), c(a, b));
        const S value = integral.value(cross, width[static_cast<std::size_t>(a)], width[static_cast<std::size_t>(b)]);
        sum = sum + (a == b ? 1.0 : 2.0) * s(a) * s(b) * power[distinct(i, k, a, b)] * value;
      }
    }
    return sum;
  }
};

}  // namespace detail

/// Rates of change of the order parameters.
template <class S>
OrderParameters<S> committee_rates(const Committee& task, const OrderParameters<S>& x, const CommitteeInputs<S>& u) {
  const int K = task.students, M = task.teachers;
  const detail::Fields<S> fields(task, x);
  const S p = u.activation, p2 = p * p;
  const S power[5] = {S(1.0), p, p2, p2 * p, p2 * p2};
  const S linear = u.rate * u.gain;
  OrderParameters<S> d;
  for (int i = 0; i < K; ++i) {
    for (int n = 0; n < M; ++n) {
      const S& overlap = x.R[static_cast<std::size_t>(i * M + n)];
      d.R.push_back(linear * x.v[static_cast<std::size_t>(i)] * fields.linear(i, K + n, power) -
                    u.weight_decay * overlap);
    }
  }
  d.Q.assign(x.Q.size(), S(0.0));
  for (int i = 0; i < K; ++i) {
    for (int k = i; k < K; ++k) {
      const S &vi = x.v[static_cast<std::size_t>(i)], &vk = x.v[static_cast<std::size_t>(k)];
      const S& overlap = fields.c(i, k);
      const S drift = i == k ? 2.0 * vi * fields.linear(i, i, power)
                             : vi * fields.linear(i, k, power) + vk * fields.linear(k, i, power);
      const S noise = u.noise_variance * power[i == k ? 1 : 2] * committee_j2(fields.c(i, i), overlap, fields.c(k, k));
      const S bracket = vi * vk * (fields.squared(i, k, power) + noise);
      const S squared = u.rate * u.rate / u.batch * (i == k ? u.squared_gain : u.cross_gain);
      d.Q[static_cast<std::size_t>(i * K + k)] = d.Q[static_cast<std::size_t>(k * K + i)] =
          linear * drift + squared * bracket - 2.0 * u.weight_decay * overlap;
    }
  }
  for (int i = 0; i < K; ++i) {
    S sum(0.0);
    for (int a = 0; a < fields.count; ++a) {
      sum = sum + fields.s(a) * power[fields.distinct(i, i, a, a)] *
                      committee_i2(fields.c(i, i), fields.c(i, a), fields.c(a, a));
    }
    d.v.push_back(u.readout_rate * sum - u.weight_decay * x.v[static_cast<std::size_t>(i)]);
  }
  return d;
}

/// Generalisation error eps_g against the noiseless teacher, outputs of the student scaled by `output_scale` (p_F of
/// dropout). Add sigma^2 / 2 for the error against noisy labels.
template <class S>
S committee_error(const Committee& task, const OrderParameters<S>& x, const S& output_scale = S(1.0)) {
  detail::Fields<S> fields(task, x);
  for (int i = 0; i < fields.students; ++i) {
    fields.weight[static_cast<std::size_t>(i)] = fields.weight[static_cast<std::size_t>(i)] * output_scale;
  }
  S sum(0.0);
  for (int a = 0; a < fields.count; ++a) {
    for (int b = a; b < fields.count; ++b) {
      sum = sum + (a == b ? 0.5 : 1.0) * fields.s(a) * fields.s(b) *
                      committee_i2(fields.c(a, a), fields.c(a, b), fields.c(b, b));
    }
  }
  return sum;
}

/// Order parameters after `duration` with constant inputs, by the classical Runge-Kutta method in `steps` steps.
OrderParameters<double> integrate_committee(const Committee& task, OrderParameters<double> start,
                                            const CommitteeInputs<double>& inputs, double duration, int steps);

}  // namespace eos::theory
