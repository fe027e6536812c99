// The sweep of riccati_kkt.hpp, written once over dimensions that are constants of the type or numbers.
#pragma once

#include <cmath>

#include "riccati_kkt.hpp"
#include "small_matrix.hpp"

namespace eos::solvers {

template <int N, int NZ, int S, int F, int M>
struct FixedDims {
  static constexpr int n = N, nz = NZ, s = S, first = F, m = M;
  explicit FixedDims(const KktShape&) {}
};
struct AnyDims {
  int n, nz, s, first, m;
  explicit AnyDims(const KktShape& shape)
      : n(shape.states), nz(shape.statics), s(shape.stages), first(shape.first), m(shape.controls) {}
};

template <class Dims>
class RiccatiKernel final : public RiccatiKkt {
 public:
  explicit RiccatiKernel(const KktShape& shape);
  bool factor(const KktModel& model) override;
  void solve(const KktModel& model, KktStep& step) override;

 private:
  int ny() const { return d_.n + d_.nz; }
  int nv() const { return d_.n + d_.nz + d_.m; }
  int nu() const { return d_.s * d_.m; }
  int nr() const { return ny() + nu(); }
  int unknowns() const { return (d_.s - d_.first) * d_.n; }
  double* inverse(int k) { return inverse_.data() + static_cast<std::size_t>(k) * unknowns() * unknowns(); }
  /// [s][n][nr]: dX_i as a function of (dy, dU).
  double* response(int k) { return response_.data() + static_cast<std::size_t>(k) * d_.s * d_.n * nr(); }
  double* gain(int k) { return gain_.data() + static_cast<std::size_t>(k) * nu() * ny(); }
  double* pivot(int k) { return pivot_.data() + static_cast<std::size_t>(k) * nu() * nu(); }
  double* value(int k) { return value_.data() + static_cast<std::size_t>(k) * ny() * ny(); }
  double* end_gain(int k) { return end_gain_.data() + static_cast<std::size_t>(k) * nu() * q_; }
  double* end_value(int k) { return end_value_.data() + static_cast<std::size_t>(k) * ny() * q_; }
  double* offset(int k) { return offset_.data() + static_cast<std::size_t>(k) * d_.s * d_.n; }
  double* feed(int k) { return feed_.data() + static_cast<std::size_t>(k) * nu(); }
  double* slope(int k) { return slope_.data() + static_cast<std::size_t>(k) * ny(); }

  bool eliminate(const KktModel& model, int k);
  void condense(const KktModel& model, int k, double* __restrict q);
  bool sweep(int k, double* __restrict q);
  bool close(const KktModel& model);
  void shift(const KktModel& model, int k, double* __restrict q);
  void open(const KktModel& model, KktStep& step);
  void expand(const KktModel& model, KktStep& step, int k);

  Dims d_;
  int q_, count_;
  std::vector<double> inverse_, response_, gain_, pivot_, value_, end_gain_, end_value_, offset_, feed_, slope_;
  std::vector<double> end_curvature_, end_shift_, start_factor_, end_factor_, start_end_, scratch_;
  std::vector<int> free_;  // free components of y_0
};

template <class Dims>
RiccatiKernel<Dims>::RiccatiKernel(const KktShape& shape) : d_(shape), q_(shape.end_rows), count_(shape.intervals) {
  const std::size_t k = count_;
  inverse_.resize(k * unknowns() * unknowns());
  response_.resize(k * d_.s * d_.n * nr());
  gain_.resize(k * nu() * ny());
  pivot_.resize(k * nu() * nu());
  value_.resize((k + 1) * ny() * ny());
  end_gain_.resize(k * nu() * q_);
  end_value_.resize((k + 1) * ny() * q_);
  offset_.resize(k * d_.s * d_.n);
  feed_.resize(k * nu());
  slope_.resize((k + 1) * ny());
  end_curvature_.resize(static_cast<std::size_t>(q_) * q_);
  end_shift_.resize(q_);
  start_factor_.resize(static_cast<std::size_t>(ny()) * ny());
  end_factor_.resize(static_cast<std::size_t>(q_) * q_);
  start_end_.resize(static_cast<std::size_t>(ny()) * q_);
  scratch_.resize(static_cast<std::size_t>(2) * (nr() + 1) * (nr() + 1) +
                  static_cast<std::size_t>(2) * unknowns() * (unknowns() + nr()) +
                  static_cast<std::size_t>(4) * (nr() + q_ + nv()) * (q_ + 4));
}

/// Inverse of M = I - h A (x) F_x over the implicit stages, and the response of the stage states.
template <class Dims>
bool RiccatiKernel<Dims>::eliminate(const KktModel& model, int k) {
  const int n = d_.n, v = nv(), y = ny(), r = nr(), size = unknowns(), stages = d_.s, first = d_.first, m = d_.m;
  const double h = model.step[k];
  const double* jacobian = model.jacobian.data() + static_cast<std::size_t>(k) * stages * n * v;
  double* matrix = scratch_.data();
  double* right = matrix + static_cast<std::size_t>(size) * size;  // [size][nr]
  for (int i = first; i < stages; ++i)
    for (int a = 0; a < n; ++a) {
      double* row = matrix + ((i - first) * n + a) * size;
      double* to = right + ((i - first) * n + a) * r;
      for (int c = 0; c < r; ++c) to[c] = c == a ? 1.0 : 0.0;
      for (int j = 0; j < stages; ++j) {
        const double* f = jacobian + (j * n + a) * v;
        const double w = h * model.a[i * stages + j];
        if (j >= first)
          for (int b = 0; b < n; ++b) row[(j - first) * n + b] = (i == j && a == b ? 1.0 : 0.0) - w * f[b];
        else
          for (int b = 0; b < n; ++b) to[b] += w * f[b];
        for (int b = n; b < y; ++b) to[b] += w * f[b];
        for (int b = 0; b < m; ++b) to[y + j * m + b] = w * f[y + b];
      }
    }
  double* inv = inverse(k);
  if (!small::invert(matrix, inv, size)) return false;
  double* out = response(k);
  for (int i = 0; i < first * n; ++i)
    for (int c = 0; c < r; ++c) out[i * r + c] = c == i ? 1.0 : 0.0;
  small::multiply(inv, right, out + first * n * r, size, size, r);
  return true;
}

/// Q = sum_i w_i T_i' H_i T_i over (dy, dU), T_i = (dX_i; dz; dU_i).
template <class Dims>
void RiccatiKernel<Dims>::condense(const KktModel& model, int k, double* __restrict q) {
  const int n = d_.n, v = nv(), y = ny(), r = nr(), m = d_.m, stages = d_.s;
  double* hx = scratch_.data() + static_cast<std::size_t>(r + 1) * (r + 1);  // H_i T_i: [nv][nr]
  for (int c = 0; c < r * r; ++c) q[c] = 0;
  for (int i = 0; i < stages; ++i) {
    const std::size_t lane = static_cast<std::size_t>(k) * stages + i;
    const double* hess = model.hessian.data() + lane * v * v;
    const double* resp = response(k) + i * n * r;
    const double w = model.weight[lane];
    for (int a = 0; a < v; ++a) {
      double* row = hx + a * r;
      for (int c = 0; c < r; ++c) row[c] = 0;
      for (int b = 0; b < n; ++b) {
        const double f = w * hess[a * v + b];
        for (int c = 0; c < r; ++c) row[c] += f * resp[b * r + c];
      }
      for (int b = n; b < y; ++b) row[b] += w * hess[a * v + b];
      for (int b = 0; b < m; ++b) row[y + i * m + b] += w * hess[a * v + y + b];
    }
    for (int b = 0; b < n; ++b)
      for (int c = 0; c < r; ++c) {
        const double f = resp[b * r + c];
        for (int e = 0; e < r; ++e) q[c * r + e] += f * hx[b * r + e];
      }
    for (int b = n; b < y; ++b)
      for (int e = 0; e < r; ++e) q[b * r + e] += hx[b * r + e];
    for (int b = 0; b < m; ++b)
      for (int e = 0; e < r; ++e) q[(y + i * m + b) * r + e] += hx[(y + b) * r + e];
  }
}

/// One step of the Riccati recursion from value k + 1 to value k; q is the condensed Hessian.
template <class Dims>
bool RiccatiKernel<Dims>::sweep(int k, double* __restrict q) {
  const int n = d_.n, y = ny(), r = nr(), u = nu();
  const double* last = response(k) + (d_.s - 1) * n * r;
  const double* p = value(k + 1);
  double* px = scratch_.data() + static_cast<std::size_t>(r + 1) * (r + 1);  // P T: [ny][nr]
  for (int a = 0; a < y; ++a) {
    double* row = px + a * r;
    for (int c = 0; c < r; ++c) row[c] = 0;
    for (int b = 0; b < n; ++b)
      for (int c = 0; c < r; ++c) row[c] += p[a * y + b] * last[b * r + c];
    for (int b = n; b < y; ++b) row[b] += p[a * y + b];
  }
  for (int b = 0; b < n; ++b)
    for (int c = 0; c < r; ++c)
      for (int e = 0; e < r; ++e) q[c * r + e] += last[b * r + c] * px[b * r + e];
  for (int b = n; b < y; ++b)
    for (int e = 0; e < r; ++e) q[b * r + e] += px[b * r + e];
  double* chol = pivot(k);
  for (int a = 0; a < u; ++a)
    for (int b = 0; b < u; ++b) chol[a * u + b] = q[(y + a) * r + y + b];
  if (!small::cholesky(chol, u)) return false;
  double* g = gain(k);
  for (int a = 0; a < u; ++a)
    for (int b = 0; b < y; ++b) g[a * y + b] = -q[(y + a) * r + b];
  small::cholesky_solve(chol, g, u, y);
  double* out = value(k);
  for (int a = 0; a < y; ++a)
    for (int b = 0; b <= a; ++b) {
      double sum = 0.5 * (q[a * r + b] + q[b * r + a]);
      for (int c = 0; c < u; ++c) sum += q[(y + c) * r + a] * g[c * y + b];
      out[a * y + b] = out[b * y + a] = sum;
    }
  if (q_ == 0) return true;
  const double* se = end_value(k + 1);
  double* eg = end_gain(k);
  double* su = px;  // T_u' S: [nu][q]
  for (int a = 0; a < u; ++a)
    for (int e = 0; e < q_; ++e) {
      double sum = 0;
      for (int b = 0; b < n; ++b) sum += last[b * r + y + a] * se[b * q_ + e];
      su[a * q_ + e] = sum;
      eg[a * q_ + e] = -sum;
    }
  small::cholesky_solve(chol, eg, u, q_);
  double* next = end_value(k);
  for (int a = 0; a < y; ++a)
    for (int e = 0; e < q_; ++e) {
      double sum = a >= n ? se[a * q_ + e] : 0;
      for (int b = 0; b < n; ++b) sum += last[b * r + a] * se[b * q_ + e];
      for (int c = 0; c < u; ++c) sum += q[(y + c) * r + a] * eg[c * q_ + e];
      next[a * q_ + e] = sum;
    }
  for (int e = 0; e < q_; ++e)
    for (int f = 0; f < q_; ++f) {
      double sum = 0;
      for (int a = 0; a < u; ++a) sum += su[a * q_ + e] * eg[a * q_ + f];
      end_curvature_[e * q_ + f] += sum;
    }
  return true;
}

/// The dense system of the free components of y_0 and the end multipliers.
template <class Dims>
bool RiccatiKernel<Dims>::close(const KktModel& model) {
  const int y = ny();
  free_.clear();
  for (int a = 0; a < y; ++a)
    if (model.start_parent[a] == a) free_.push_back(a);
  const int f = static_cast<int>(free_.size());
  std::vector<int> index(y, -1);
  for (int a = 0; a < f; ++a) index[free_[a]] = a;
  const double* p = value(0);
  const double* se = end_value(0);
  std::fill(start_factor_.begin(), start_factor_.end(), 0.0);
  std::fill(start_end_.begin(), start_end_.end(), 0.0);
  for (int a = 0; a < y; ++a) {
    if (model.start_parent[a] < 0) continue;
    const int i = index[model.start_parent[a]];
    start_factor_[i * f + i] += model.start_hessian[a];
    for (int b = 0; b < y; ++b)
      if (model.start_parent[b] >= 0) start_factor_[i * f + index[model.start_parent[b]]] += p[a * y + b];
    for (int e = 0; e < q_; ++e) start_end_[i * q_ + e] += se[a * q_ + e];
  }
  if (!small::cholesky(start_factor_.data(), f)) return false;
  if (q_ == 0) return true;
  std::vector<double> solved(start_end_.begin(), start_end_.begin() + static_cast<std::size_t>(f) * q_);
  small::cholesky_solve(start_factor_.data(), solved.data(), f, q_);
  for (int e = 0; e < q_; ++e)
    for (int g = 0; g < q_; ++g) {
      double sum = -end_curvature_[e * q_ + g] + (e == g ? model.end_dual_shift : 0.0);
      for (int a = 0; a < f; ++a) sum += start_end_[a * q_ + e] * solved[a * q_ + g];
      end_factor_[e * q_ + g] = sum;
    }
  return small::cholesky(end_factor_.data(), q_);
}

template <class Dims>
bool RiccatiKernel<Dims>::factor(const KktModel& model) {
  const int y = ny();
  std::copy(model.end_hessian.begin(), model.end_hessian.end(), value(count_));
  for (int a = 0; a < y; ++a)
    for (int e = 0; e < q_; ++e) end_value(count_)[a * q_ + e] = model.end_jacobian[e * y + a];
  std::fill(end_curvature_.begin(), end_curvature_.end(), 0.0);
  double* q = scratch_.data();
  for (int k = count_ - 1; k >= 0; --k) {
    failed = k;
    if (!eliminate(model, k)) return false;
    condense(model, k, q);
    if (!sweep(k, q)) return false;
  }
  failed = count_;
  if (!close(model)) return false;
  failed = -1;
  return true;
}

/// The linear part of one step of the recursion.
template <class Dims>
void RiccatiKernel<Dims>::shift(const KktModel& model, int k, double* __restrict q) {
  const int n = d_.n, v = nv(), y = ny(), r = nr(), m = d_.m, stages = d_.s, first = d_.first, size = unknowns();
  const int u = nu();
  double* off = offset(k);
  const double* defect = model.defect.data() + (static_cast<std::size_t>(k) * stages + first) * n;
  const double* inv = inverse(k);
  for (int i = 0; i < first * n; ++i) off[i] = 0;
  for (int i = 0; i < size; ++i) {
    double sum = 0;
    for (int j = 0; j < size; ++j) sum -= inv[i * size + j] * defect[j];
    off[first * n + i] = sum;
  }
  for (int c = 0; c < r; ++c) q[c] = 0;
  for (int i = 0; i < stages; ++i) {
    const std::size_t lane = static_cast<std::size_t>(k) * stages + i;
    const double* hess = model.hessian.data() + lane * v * v;
    const double* grad = model.gradient.data() + lane * v;
    const double* resp = response(k) + i * n * r;
    const double w = model.weight[lane];
    for (int a = 0; a < v; ++a) {
      double g = grad[a];
      for (int b = 0; b < n; ++b) g += hess[a * v + b] * off[i * n + b];
      g *= w;
      if (a < n)
        for (int c = 0; c < r; ++c) q[c] += g * resp[a * r + c];
      else if (a < y)
        q[a] += g;
      else
        q[y + i * m + a - y] += g;
    }
  }
  const double* p = value(k + 1);
  const double* next = slope(k + 1);
  const double* end_off = off + (stages - 1) * n;
  const double* last = response(k) + (stages - 1) * n * r;
  for (int a = 0; a < y; ++a) {
    double g = next[a];
    for (int b = 0; b < n; ++b) g += p[a * y + b] * end_off[b];
    if (a < n)
      for (int c = 0; c < r; ++c) q[c] += g * last[a * r + c];
    else
      q[a] += g;
  }
  double* kf = feed(k);
  for (int a = 0; a < u; ++a) kf[a] = -q[y + a];
  small::cholesky_solve(pivot(k), kf, u, 1);
  double* out = slope(k);
  const double* g = gain(k);
  for (int a = 0; a < y; ++a) {
    double sum = q[a];
    for (int c = 0; c < u; ++c) sum += g[c * y + a] * q[y + c];  // Q_yu k = K' q_u
    out[a] = sum;
  }
  const double* se = end_value(k + 1);
  const double* eg = end_gain(k);
  for (int e = 0; e < q_; ++e) {
    double sum = 0;
    for (int b = 0; b < n; ++b) sum += se[b * q_ + e] * end_off[b];
    for (int c = 0; c < u; ++c) sum += eg[c * q_ + e] * q[y + c];
    end_shift_[e] += sum;
  }
}

template <class Dims>
void RiccatiKernel<Dims>::open(const KktModel& model, KktStep& step) {
  const int y = ny(), f = static_cast<int>(free_.size());
  std::vector<int> index(y, -1);
  for (int a = 0; a < f; ++a) index[free_[a]] = a;
  std::vector<double> g(f, 0.0), dx(f);
  for (int a = 0; a < y; ++a)
    if (model.start_parent[a] >= 0) g[index[model.start_parent[a]]] += slope(0)[a] + model.start_gradient[a];
  dx = g;
  small::cholesky_solve(start_factor_.data(), dx.data(), f, 1);
  for (int e = 0; e < q_; ++e) {
    double sum = end_shift_[e] + model.end_residual[e];
    for (int a = 0; a < f; ++a) sum -= start_end_[a * q_ + e] * dx[a];
    step.end[e] = sum;
  }
  small::cholesky_solve(end_factor_.data(), step.end.data(), q_, 1);
  for (int a = 0; a < f; ++a) {
    dx[a] = -g[a];
    for (int e = 0; e < q_; ++e) dx[a] -= start_end_[a * q_ + e] * step.end[e];
  }
  small::cholesky_solve(start_factor_.data(), dx.data(), f, 1);
  for (int a = 0; a < y; ++a) step.node[a] = model.start_parent[a] < 0 ? 0.0 : dx[index[model.start_parent[a]]];
}

/// Forward: controls, stage states, next node; then the multipliers of the interval.
template <class Dims>
void RiccatiKernel<Dims>::expand(const KktModel& model, KktStep& step, int k) {
  const int n = d_.n, v = nv(), y = ny(), r = nr(), m = d_.m, stages = d_.s, first = d_.first, size = unknowns();
  const int u = nu();
  const double* at = step.node.data() + static_cast<std::size_t>(k) * y;
  double* du = step.control.data() + static_cast<std::size_t>(k) * u;
  for (int a = 0; a < u; ++a) {
    double sum = feed(k)[a];
    for (int b = 0; b < y; ++b) sum += gain(k)[a * y + b] * at[b];
    for (int e = 0; e < q_; ++e) sum += end_gain(k)[a * q_ + e] * step.end[e];
    du[a] = sum;
  }
  double* dx = step.state.data() + static_cast<std::size_t>(k) * stages * n;
  for (int i = 0; i < stages * n; ++i) {
    const double* row = response(k) + i * r;
    double sum = offset(k)[i];
    for (int b = 0; b < y; ++b) sum += row[b] * at[b];
    for (int b = 0; b < u; ++b) sum += row[y + b] * du[b];
    dx[i] = sum;
  }
  double* next = step.node.data() + static_cast<std::size_t>(k + 1) * y;
  for (int a = 0; a < n; ++a) next[a] = dx[(stages - 1) * n + a];
  for (int a = n; a < y; ++a) next[a] = at[a];
  for (const int node : {k, k + 1}) {
    if (node == k && k > 0) continue;
    double* p = step.costate.data() + static_cast<std::size_t>(node) * y;
    const double* x = step.node.data() + static_cast<std::size_t>(node) * y;
    for (int a = 0; a < y; ++a) {
      double sum = slope(node)[a];
      for (int b = 0; b < y; ++b) sum += value(node)[a * y + b] * x[b];
      for (int e = 0; e < q_; ++e) sum += end_value(node)[a * q_ + e] * step.end[e];
      p[a] = sum;
    }
  }
  double* right = scratch_.data();
  const double* p = step.costate.data() + static_cast<std::size_t>(k + 1) * y;
  for (int i = first; i < stages; ++i) {
    const std::size_t lane = static_cast<std::size_t>(k) * stages + i;
    const double* hess = model.hessian.data() + lane * v * v;
    for (int a = 0; a < n; ++a) {
      double sum = model.gradient[lane * v + a];
      for (int b = 0; b < n; ++b) sum += hess[a * v + b] * dx[i * n + b];
      for (int b = n; b < y; ++b) sum += hess[a * v + b] * at[b];
      for (int b = 0; b < m; ++b) sum += hess[a * v + y + b] * du[i * m + b];
      right[(i - first) * n + a] = model.weight[lane] * sum + (i == stages - 1 ? p[a] : 0.0);
    }
  }
  double* out = step.multiplier.data() + (static_cast<std::size_t>(k) * stages + first) * n;
  const double* inv = inverse(k);
  for (int j = 0; j < size; ++j) out[j] = 0;
  for (int i = 0; i < size; ++i)
    for (int j = 0; j < size; ++j) out[j] += inv[i * size + j] * right[i];
}

template <class Dims>
void RiccatiKernel<Dims>::solve(const KktModel& model, KktStep& step) {
  std::copy(model.end_gradient.begin(), model.end_gradient.end(), slope(count_));
  std::fill(end_shift_.begin(), end_shift_.end(), 0.0);
  for (int k = count_ - 1; k >= 0; --k) shift(model, k, scratch_.data());
  open(model, step);
  for (int k = 0; k < count_; ++k) expand(model, step, k);
}

}  // namespace eos::solvers
