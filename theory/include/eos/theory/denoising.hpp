// Follow a denoising autoencoder with tied weights and a skip connection while it learns from a Gaussian mixture.
//
// Inputs: clusters k of probability p_k, means of overlaps Omega, variance sigma^2 per component. The network sees
// x~ = sqrt(1-Delta) x + sqrt(Delta) noise and returns b x~ + W' W x~ / N with linear hidden units. Order parameters:
// R_ki (mean k, unit i), Q_ij, b. With v = (1-Delta) sigma^2 + Delta, m = row k of R, and averages over k of
//   A = (1-Delta) m m' + v Q,   E = m m' + sigma^2 Q,   D = sqrt(1-Delta) E,   B = b I + Q,   L = D - A B,
//   F_il = (1-Delta) m_i Omega_kl + v R_li,   G_il = sqrt(1-Delta) (m_i Omega_kl + sigma^2 R_li):
//   R' = 2 G' - 2 b F' - R A - F' Q,     b' = sqrt(1-Delta) sigma^2 - b v
//   Q' = (L + L')(2 + eta (sqrt(1-Delta) sigma^2 - b v)) + eta v (E - B D - D' B + B A B)
//        + eta A (sigma^2 - 2 b sqrt(1-Delta) sigma^2 + b^2 v)
//   MSE(Delta) = tr(QA) - 2 tr D + 2 b tr A + N (b^2 v - 2 b sqrt(1-Delta) sigma^2 + sigma^2)
// in time scaled by eta; a prime after a matrix transposes it. Source: Mignacco & Mori, arXiv:2507.07907, section 3.3,
// appendix A.3 and the released program; the model: Cui & Zdeborova, NeurIPS 2023. Held to that program's numbers in
// tests/theory/denoising_test.cpp.
#pragma once

#include <cmath>
#include <vector>

namespace eos::theory {

/// Task and network of the paper's figure; the defaults start from the authors' initial state.
struct Denoising {
  int clusters = 2, units = 2;
  double inputs = 1000;              ///< N
  double deviation = .1;             ///< sigma
  std::vector<double> share;         ///< [clusters] p_k; empty: equal
  std::vector<double> mean_overlap;  ///< [clusters * clusters] Omega
  std::vector<double> overlap;       ///< [clusters * units] R at time 0
  std::vector<double> unit_overlap;  ///< [units * units] Q at time 0
  double skip = 0;                   ///< b at time 0
  /// Two clusters, two units: overlaps of the vectors that NumPy's legacy generator with seed 195 draws, as the
  /// released program draws them: means N(0,1)/sqrt N, weights 0.2 means + N(0,1)/sqrt N normalised to |w|^2 = N/4.
  static Denoising published();
};

template <class S>
struct DenoisingState {
  std::vector<S> R, Q;  ///< [clusters * units], [units * units]
  S b;
};

namespace detail {

/// Averages of one cluster: matrices over units, and F, G over units.
template <class S>
struct DenoisingCluster {
  std::vector<S> A, E;  // [units * units]; D = sqrt(1 - Delta) E
  std::vector<S> F, G;  // [units * clusters]
};

template <class S>
struct DenoisingNoise {
  S keep, root, variance, covariance;  ///< 1 - Delta, its root, v, sqrt(1 - Delta) sigma^2
  DenoisingNoise(const Denoising& task, const S& noise) : keep(1.0 - noise), root(0.0), variance(0.0), covariance(0.0) {
    using std::sqrt;
    const double s2 = task.deviation * task.deviation;
    root = sqrt(keep);
    variance = keep * s2 + noise;
    covariance = root * s2;
  }
};

template <class S>
DenoisingCluster<S> denoising_cluster(const Denoising& task, const DenoisingState<S>& x, const DenoisingNoise<S>& n,
                                      int k) {
  const int r = task.units, C = task.clusters;
  const double s2 = task.deviation * task.deviation;
  auto R = [&](int l, int i) -> const S& { return x.R[static_cast<std::size_t>(l * r + i)]; };
  DenoisingCluster<S> c;
  for (int i = 0; i < r; ++i) {
    for (int j = 0; j < r; ++j) {
      const S mm = R(k, i) * R(k, j);
      const S& q = x.Q[static_cast<std::size_t>(i * r + j)];
      c.A.push_back(n.keep * mm + n.variance * q);
      c.E.push_back(mm + s2 * q);
    }
    for (int l = 0; l < C; ++l) {
      const S m_omega = R(k, i) * task.mean_overlap[static_cast<std::size_t>(k * C + l)];
      c.F.push_back(n.keep * m_omega + n.variance * R(l, i));
      c.G.push_back(n.root * m_omega + n.covariance * R(l, i));
    }
  }
  return c;
}

/// Product of two square matrices.
template <class S>
std::vector<S> product(int r, const std::vector<S>& a, const std::vector<S>& b) {
  std::vector<S> c;
  for (int i = 0; i < r; ++i) {
    for (int j = 0; j < r; ++j) {
      S sum = a[static_cast<std::size_t>(i * r)] * b[static_cast<std::size_t>(j)];
      for (int l = 1; l < r; ++l) {
        sum = sum + a[static_cast<std::size_t>(i * r + l)] * b[static_cast<std::size_t>(l * r + j)];
      }
      c.push_back(sum);
    }
  }
  return c;
}

}  // namespace detail

inline double denoising_share(const Denoising& task, int k) {
  return task.share.empty() ? 1.0 / task.clusters : task.share[static_cast<std::size_t>(k)];
}

/// Rates of change per scaled time at noise Delta and learning rate eta.
template <class S>
DenoisingState<S> denoising_rates(const Denoising& task, const DenoisingState<S>& x, const S& noise, const S& eta) {
  const int r = task.units, C = task.clusters;
  const double s2 = task.deviation * task.deviation;
  const detail::DenoisingNoise<S> n(task, noise);
  const S& b = x.b;
  const S skip_rate = n.covariance - b * n.variance;
  const S linear = 2.0 + eta * skip_rate, residual = eta * (s2 - 2.0 * b * n.covariance + b * b * n.variance);
  std::vector<S> B(x.Q);
  for (int i = 0; i < r; ++i) B[static_cast<std::size_t>(i * r + i)] = B[static_cast<std::size_t>(i * r + i)] + b;
  DenoisingState<S> d{std::vector<S>(x.R.size(), S(0.0)), std::vector<S>(x.Q.size(), S(0.0)), skip_rate};
  for (int k = 0; k < C; ++k) {
    const double share = denoising_share(task, k);
    const auto c = detail::denoising_cluster(task, x, n, k);
    for (int l = 0; l < C; ++l) {
      for (int i = 0; i < r; ++i) {
        const auto li = static_cast<std::size_t>(l * r + i), il = static_cast<std::size_t>(i * C + l);
        S rate = 2.0 * c.G[il] - 2.0 * b * c.F[il];
        for (int j = 0; j < r; ++j) {
          const auto ji = static_cast<std::size_t>(j * r + i);
          rate = rate - x.R[static_cast<std::size_t>(l * r + j)] * c.A[ji] -
                 c.F[static_cast<std::size_t>(j * C + l)] * x.Q[ji];
        }
        d.R[li] = d.R[li] + share * rate;
      }
    }
    std::vector<S> D(c.E);
    for (S& e : D) e = n.root * e;
    const auto AB = detail::product(r, c.A, B), BD = detail::product(r, B, D), BAB = detail::product(r, B, AB);
    for (int i = 0; i < r; ++i) {
      for (int j = 0; j < r; ++j) {
        const auto ij = static_cast<std::size_t>(i * r + j), ji = static_cast<std::size_t>(j * r + i);
        const S drift = 2.0 * D[ij] - AB[ij] - AB[ji];
        const S squared = n.variance * (c.E[ij] - BD[ij] - BD[ji] + BAB[ij]);
        d.Q[ij] = d.Q[ij] + share * (drift * linear + eta * squared + c.A[ij] * residual);
      }
    }
  }
  return d;
}

/// Mean squared reconstruction error at noise Delta.
template <class S>
S denoising_error(const Denoising& task, const DenoisingState<S>& x, const S& noise) {
  const int r = task.units;
  const double s2 = task.deviation * task.deviation;
  const detail::DenoisingNoise<S> n(task, noise);
  S sum = task.inputs * (x.b * x.b * n.variance - 2.0 * x.b * n.covariance + s2);
  for (int k = 0; k < task.clusters; ++k) {
    const auto c = detail::denoising_cluster(task, x, n, k);
    for (int i = 0; i < r; ++i) {
      const auto ii = static_cast<std::size_t>(i * r + i);
      S row = 2.0 * (x.b * c.A[ii] - n.root * c.E[ii]);
      for (int j = 0; j < r; ++j) {
        row = row + x.Q[static_cast<std::size_t>(i * r + j)] * c.A[static_cast<std::size_t>(j * r + i)];
      }
      sum = sum + denoising_share(task, k) * row;
    }
  }
  return sum;
}

}  // namespace eos::theory
