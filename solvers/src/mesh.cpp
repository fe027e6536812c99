// Error of a discrete optimum per interval, and meshes that spread it evenly.
#include <algorithm>
#include <cmath>

#include "direct.hpp"
#include "interval_polynomial.hpp"

namespace eos::solvers {

namespace {

constexpr int k_points = 5;
const double k_gauss[k_points] = {0.046910077030668004, 0.23076534494715845, 0.5, 0.7692346550528415,
                                  0.953089922969332};
const double k_gauss_weight[k_points] = {0.11846344252809454, 0.23931433524968324, 0.28444444444444444,
                                         0.23931433524968324, 0.11846344252809454};
constexpr int k_samples = k_points + 2;  // both ends, for the slopes of the costate

/// Everything the estimate samples: [interval][sample] lanes.
class Sampler {
 public:
  Sampler(Transcription& t, const Iterate& at);
  double error(int k) const;

 private:
  void fill();
  double h_u_gap(int k, int sample, const std::vector<double>& p) const;
  double derivative(int row, int column, std::size_t lane) const;

  Transcription& t_;
  const Iterate& at_;
  const CompiledProblem& c_;
  int n_, m_, s_, first_;
  std::size_t lanes_;
  std::vector<double> nodes_;  // of the state polynomial on the unit interval
  std::vector<std::vector<double>> state_, state_slope_, control_;
  std::vector<double> in_, out_, slope_, costate_;
  std::vector<int> place_;  // [row][column] -> Jacobian entry or -1
};

Sampler::Sampler(Transcription& t, const Iterate& at)
    : t_(t),
      at_(at),
      c_(t.compiled()),
      n_(t.shape().states),
      m_(t.shape().controls),
      s_(t.shape().stages),
      first_(t.shape().first),
      lanes_(static_cast<std::size_t>(t.shape().intervals) * k_samples) {
  nodes_.push_back(0);
  for (int i = first_; i < s_; ++i) nodes_.push_back(t.scheme().c[i]);
  for (int q = 0; q < k_samples; ++q) {
    const double sigma = q == 0 ? 0.0 : q == k_samples - 1 ? 1.0 : k_gauss[q - 1];
    state_.push_back(lagrange(nodes_, sigma));
    state_slope_.push_back(lagrange_slope(nodes_, sigma));
    control_.push_back(lagrange(t.scheme().c, sigma));
  }
  const DerivativeSet& path = c_.path();
  place_.assign(static_cast<std::size_t>(path.rows) * path.columns, -1);
  for (std::size_t e = 0; e < path.jacobian.size(); ++e)
    place_[path.jacobian[e].row * path.columns + path.jacobian[e].column] = static_cast<int>(e);
  costate_ = t.node_costates(at);
  fill();
}

void Sampler::fill() {
  const theory::ControlProblem& problem = c_.problem();
  const std::size_t p = t_.lanes();
  in_.assign(c_.path_inputs() * lanes_, 0.0);
  slope_.assign(n_ * lanes_, 0.0);
  for (int k = 0; k < t_.shape().intervals; ++k)
    for (int q = 0; q < k_samples; ++q) {
      const std::size_t lane = static_cast<std::size_t>(k) * k_samples + q;
      const double sigma = q == 0 ? 0.0 : q == k_samples - 1 ? 1.0 : k_gauss[q - 1];
      const double h = t_.step(k) * t_.theta(at_);
      in_[lane] = t_.time(at_, k * s_ + s_ - 1) - (1 - sigma) * h;
      for (int a = 0; a < n_; ++a) {
        const double* x = at_.x.data() + a * p;
        const double left = k == 0 ? at_.start[a] : x[k * s_ - 1];
        double value = state_[q][0] * left, slope = state_slope_[q][0] * left;
        for (int i = first_; i < s_; ++i) {
          value += state_[q][i - first_ + 1] * x[k * s_ + i];
          slope += state_slope_[q][i - first_ + 1] * x[k * s_ + i];
        }
        in_[problem.state_slot(a) * lanes_ + lane] = value;
        slope_[a * lanes_ + lane] = slope / h;
      }
      for (int j = 0; j < m_; ++j) {
        double value = 0;
        for (int i = 0; i < s_; ++i) value += control_[q][i] * at_.u[j * p + k * s_ + i];
        const theory::Interval& b = problem.controls[j].bounds;
        in_[problem.control_slot(j) * lanes_ + lane] = std::min(std::max(value, b.lower), b.upper);
      }
    }
  for (int i = 0; i < c_.parameters(); ++i)
    std::fill_n(in_.begin() + problem.parameter_slot(i) * lanes_, lanes_, t_.parameters()[i]);
  out_.resize(c_.path().first.outputs() * lanes_);
  c_.path().first.evaluate(in_.data(), out_.data(), lanes_, lanes_);
}

double Sampler::derivative(int row, int column, std::size_t lane) const {
  const int e = place_[row * c_.path().columns + column];
  return e < 0 ? 0.0 : out_[(c_.path().rows + e) * lanes_ + lane];
}

/// H(u) - min H over one control at a time: a projected Newton step, or the better bound where H is linear.
double Sampler::h_u_gap(int k, int sample, const std::vector<double>& p) const {
  const std::size_t lane = static_cast<std::size_t>(k) * k_samples + sample;
  if (c_.path_constraints() > 0) return 0;
  double gap = 0;
  for (int j = 0; j < m_; ++j) {
    if (t_.held(j)) continue;
    double slope = derivative(n_, 1 + n_ + j, lane), curvature = 0;
    for (int a = 0; a < n_; ++a) slope += p[a] * derivative(a, 1 + n_ + j, lane);
    const DerivativeSet& path = c_.path();
    for (std::size_t e = 0; e < path.hessian.size(); ++e)
      if (path.hessian[e].row == 1 + n_ + j && path.hessian[e].column == 1 + n_ + j)
        curvature = t_.output(static_cast<int>(path.rows + path.jacobian.size() + e))[k * s_ + s_ / 2];
    const theory::Interval& b = c_.problem().controls[j].bounds;
    const double u = in_[c_.problem().control_slot(j) * lanes_ + lane];
    double step = 0;
    if (curvature > 1e-12)
      step = std::min(std::max(u - slope / curvature, b.lower), b.upper) - u;
    else if (std::isfinite(b.lower) && std::isfinite(b.upper))
      step = (slope > 0 ? b.lower : b.upper) - u;
    gap += std::max(0.0, -(slope * step + 0.5 * curvature * step * step));
  }
  return gap;
}

double Sampler::error(int k) const {
  const double h = t_.step(k) * t_.theta(at_);
  const std::size_t base = static_cast<std::size_t>(k) * k_samples;
  std::vector<double> left(n_), right(n_), p(n_);
  for (int a = 0; a < n_; ++a)
    for (const int side : {0, 1}) {
      const std::size_t lane = base + (side == 0 ? 0 : k_samples - 1);
      double slope = -derivative(n_, 1 + a, lane);
      for (int b = 0; b < n_; ++b) slope -= costate_[(k + side) * n_ + b] * derivative(b, 1 + a, lane);
      (side == 0 ? left : right)[a] = h * slope;
    }
  double change = 0, gap = 0;
  for (int q = 1; q <= k_points; ++q) {
    const std::size_t lane = base + q;
    const double s = k_gauss[q - 1], w = h * k_gauss_weight[q - 1];
    double value = out_[n_ * lanes_ + lane];
    for (int a = 0; a < n_; ++a) {
      const double p0 = costate_[k * n_ + a], p1 = costate_[(k + 1) * n_ + a];
      const double line = p0 + s * (p1 - p0);
      // Cubic Hermite unless the slopes disagree with the values, as on constrained arcs where p jumps.
      const double d0 = left[a] - (p1 - p0), d1 = right[a] - (p1 - p0);
      const bool smooth = std::fabs(d0) + std::fabs(d1) < 0.5 * (std::fabs(p0) + std::fabs(p1));
      p[a] = line + (smooth ? s * (1 - s) * ((1 - s) * d0 - s * d1) : 0.0);
      value += p[a] * (out_[a * lanes_ + lane] - slope_[a * lanes_ + lane]);
    }
    change += w * value;
    gap += w * h_u_gap(k, q, p);
  }
  const std::span<const double> l = t_.output(n_);
  for (int i = 0; i < s_; ++i) change -= h * t_.scheme().b[i] * l[k * s_ + i];
  return std::fabs(change) + gap;
}

}  // namespace

std::vector<double> interval_errors(Transcription& t, const Iterate& at) {
  const Sampler sampler(t, at);
  std::vector<double> errors;
  for (int k = 0; k < t.shape().intervals; ++k) errors.push_back(sampler.error(k));
  return errors;
}

Mesh refine(const Mesh& mesh, const std::vector<double>& errors, double tolerance, int order, int max_intervals) {
  const double target = 0.3 * tolerance / static_cast<double>(errors.size());
  Mesh fine = mesh;
  const std::vector<double>& old = mesh.edges;
  std::vector<double> sum{0};  // how many new intervals lie to the left
  for (const double error : errors) {
    const double ratio = std::isfinite(error) ? error / target : 1e300;
    sum.push_back(sum.back() + std::min(8.0, std::max(0.35, 1.1 * std::pow(ratio, 1.0 / (order + 1)))));
  }
  const int count = std::max(2, static_cast<int>(std::min(sum.back(), static_cast<double>(max_intervals))));
  fine.edges = {0};
  std::size_t e = 0;
  for (int i = 1; i < count; ++i) {
    const double at = sum.back() * i / count;
    while (sum[e + 1] < at) ++e;
    fine.edges.push_back(old[e] + (old[e + 1] - old[e]) * (at - sum[e]) / (sum[e + 1] - sum[e]));
  }
  fine.edges.push_back(1);
  return fine;
}

}  // namespace eos::solvers
