#include "eos/theory/scaling_law.hpp"

#include <cmath>

#include "checker.hpp"

namespace eos::theory {
namespace {

void check_exponents(double source, double capacity, Checker& c) {
  c.at_least("source", source, 0, true, "s of lambda_j theta_j^2 ~ j^-(s beta + 1)");
  c.at_least("capacity", capacity, 1, true, "beta of lambda_j ~ j^-beta");
}

/// int_0^x y (1+y)^-q dy. The closed form cancels below x = 1/2, where eight Gauss points are exact to rounding.
double first_power_moment(double x, double q) {
  if (x > 0.5) {
    const double l = std::log1p(x);
    return std::expm1((2 - q) * l) / (2 - q) - std::expm1((1 - q) * l) / (1 - q);
  }
  static const double k_node[4] = {0.1834346424956498, 0.5255324099163290, 0.7966664774136267, 0.9602898564975363};
  static const double k_weight[4] = {0.3626837833783620, 0.3137066458778873, 0.2223810344533745, 0.1012285362903763};
  double sum = 0;
  for (int i = 0; i < 4; ++i) {
    for (const double sign : {-1.0, 1.0}) {
      const double y = 0.5 * x * (1 + sign * k_node[i]);
      sum += k_weight[i] * y * std::pow(1 + y, -q);
    }
  }
  return 0.5 * x * sum;
}

/// (1 - (1+y) exp(-y)) / y^2, y >= 0.
double first_exponential_moment(double y) {
  if (y > 0.5) return (1 - (1 + y) * std::exp(-y)) / (y * y);
  double sum = 0, term = 0.5;  // sum_k (-y)^k (k+1) / (k+2)!
  for (int k = 0; k < 16; ++k) {
    sum += term * (k + 1);
    term *= -y / (k + 3);
  }
  return sum;
}

/// The rule int_0^t_i K(t_i - z) f(z) dz = sum over intervals of left * f(left node) + right * f(right node).
struct Element {
  double left, right;
};
Element element(const FunctionalLaw& law, double t, double from, double to) {
  const double h = to - from;
  const FunctionalLaw::Moments m = law.moments(t - to, t - from);
  return {m.first / h, m.zeroth - m.first / h};
}

}  // namespace

FunctionalLaw FunctionalLaw::power(double source, double capacity, double floor) {
  Checker c;
  check_exponents(source, capacity, c);
  c.at_least("floor", floor, 0);
  c.finish();
  FunctionalLaw law;
  law.source_ = source;
  law.capacity_ = capacity;
  law.floor_ = floor;
  return law;
}

FunctionalLaw FunctionalLaw::parents(std::vector<double> lambda, std::vector<double> initial,
                                     std::vector<double> multiplicity) {
  Checker c;
  if (lambda.empty()) c.add("E401", "the spectrum has no modes", "give lambda and initial, one value per mode");
  if (multiplicity.empty()) multiplicity.assign(lambda.size(), 1);
  if (initial.size() != lambda.size() || multiplicity.size() != lambda.size()) {
    c.add("E107", fmt::format("lambda, initial and multiplicity have {}, {} and {} values", lambda.size(),
                              initial.size(), multiplicity.size()));
  }
  c.finish();
  FunctionalLaw law;
  for (std::size_t j = 0; j < lambda.size(); ++j) {
    c.at_least("lambda", lambda[j], 0, true);
    c.at_least("initial", initial[j], 0);
    c.at_least("multiplicity", multiplicity[j], 0, true);
    const double weight = multiplicity[j] * lambda[j];
    law.modes_.push_back({lambda[j], weight * initial[j], weight * lambda[j]});
  }
  c.finish();
  return law;
}

double FunctionalLaw::signal(double t) const {
  if (modes_.empty()) return floor_ + std::pow(1 + t, -source_);
  double sum = 0;
  for (const Mode& k : modes_) sum += k.signal * std::exp(-2 * k.lambda * t);
  return sum;
}

double FunctionalLaw::kernel(double t) const {
  if (modes_.empty()) return std::pow(1 + t, -(2 - 1 / capacity_));
  double sum = 0;
  for (const Mode& k : modes_) sum += k.noise * std::exp(-2 * k.lambda * t);
  return sum;
}

FunctionalLaw::Moments FunctionalLaw::moments(double a, double b) const {
  const double h = b - a;
  if (modes_.empty()) {
    const double q = 2 - 1 / capacity_, x = h / (1 + a), scale = std::pow(1 + a, 1 - q);
    return {scale * std::expm1((1 - q) * std::log1p(x)) / (1 - q), scale * (1 + a) * first_power_moment(x, q)};
  }
  Moments m;
  for (const Mode& k : modes_) {
    const double rate = 2 * k.lambda, y = rate * h, start = k.noise * std::exp(-rate * a);
    m.zeroth -= start / rate * std::expm1(-y);
    m.first += start * h * h * first_exponential_moment(y);
  }
  return m;
}

NoiseRate NoiseRate::sampled(std::vector<double> nodes, const std::function<double(double)>& g) {
  NoiseRate rate;
  for (std::size_t i = 0; i + 1 < nodes.size(); ++i) {
    rate.left.push_back(i == 0 ? g(nodes[0]) : rate.right.back());
    rate.right.push_back(g(nodes[i + 1]));
  }
  rate.time = std::move(nodes);
  rate.check();
  return rate;
}

NoiseRate NoiseRate::phases(std::span<const double> steps, std::span<const double> eta, std::span<const double> batch,
                            int pieces) {
  Checker c;
  if (steps.empty() || eta.size() != steps.size() || batch.size() != steps.size()) {
    c.add("E107", fmt::format("steps, eta and batch have {}, {} and {} values", steps.size(), eta.size(), batch.size()),
          "give one value per phase, at least one phase");
  }
  if (pieces < 1) c.add("E104", fmt::format("pieces = {} must be at least 1", pieces));
  c.finish();
  NoiseRate rate;
  rate.time.push_back(0);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    c.at_least("steps", steps[i], 0, true);
    c.at_least("eta", eta[i], 0, true);
    c.at_least("batch", batch[i], 0, true);
    const double begin = rate.time.back();
    for (int k = 1; k <= pieces; ++k) rate.time.push_back(begin + steps[i] * eta[i] * k / pieces);
    rate.left.insert(rate.left.end(), static_cast<std::size_t>(pieces), eta[i] / batch[i]);
  }
  c.finish();
  rate.right = rate.left;
  return rate;
}

void NoiseRate::check() const {
  Checker c;
  if (time.size() < 2 || left.size() + 1 != time.size() || right.size() != left.size()) {
    c.add("E107",
          fmt::format("the noise rate has {} nodes and {} and {} values", time.size(), left.size(), right.size()),
          "n intervals have n + 1 nodes");
  }
  c.finish();
  if (time.front() != 0) c.add("E104", fmt::format("the first node is {}, not 0", time.front()));
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (!(time[i + 1] > time[i]) || !std::isfinite(time[i + 1])) {
      c.add("E104",
            fmt::format("nodes must increase and be finite: node {} is {} after {}", i + 1, time[i + 1], time[i]));
      break;
    }
    if (!(left[i] >= 0 && right[i] >= 0 && std::isfinite(left[i]) && std::isfinite(right[i]))) {
      c.add("E104",
            fmt::format("eta / batch is {} to {} in interval {}, must be finite and >= 0", left[i], right[i], i));
      break;
    }
  }
  c.finish();
}

std::vector<double> solve_volterra(const FunctionalLaw& law, const NoiseRate& rate, double noise_variance) {
  rate.check();
  const std::vector<double>& t = rate.time;
  std::vector<double> s{law.signal(0)};
  for (std::size_t i = 1; i < t.size(); ++i) {
    double known = law.signal(t[i]), self = 0;
    for (std::size_t k = 0; k < i; ++k) {
      const Element w = element(law, t[i], t[k], t[k + 1]);
      known += w.left * rate.left[k] * (s[k] + noise_variance);
      if (k + 1 < i) known += w.right * rate.right[k] * (s[k + 1] + noise_variance);
      if (k + 1 == i) self = w.right * rate.right[k];
    }
    if (!(self < 1)) {
      throw core::Error("E104",
                        fmt::format("the mesh is too coarse: interval {} of length {} feeds itself {} times", i - 1,
                                    t[i] - t[i - 1], self),
                        "take more nodes, or a smaller learning rate per sample");
    }
    s.push_back((known + self * noise_variance) / (1 - self));
  }
  return s;
}

std::vector<double> first_order_loss(const FunctionalLaw& law, const NoiseRate& rate, double noise_variance) {
  rate.check();
  const std::vector<double>& t = rate.time;
  std::vector<double> drive;
  for (const double z : t) drive.push_back(law.signal(z) + noise_variance);
  std::vector<double> s;
  for (std::size_t i = 0; i < t.size(); ++i) {
    double sum = law.signal(t[i]);
    for (std::size_t k = 0; k < i; ++k) {
      const Element w = element(law, t[i], t[k], t[k + 1]);
      sum += w.left * rate.left[k] * drive[k] + w.right * rate.right[k] * drive[k + 1];
    }
    s.push_back(sum);
  }
  return s;
}

ScalingExponents scaling_exponents(double source, double capacity) {
  Checker c;
  check_exponents(source, capacity, c);
  c.finish();
  const double s = source, b = capacity;
  ScalingExponents x;
  x.hard = s < 1 - 1 / b;
  x.minimax = s * b / (1 + s * b);
  x.constant_rate = s / (s + 1);
  x.exponential = x.stable_decay = x.hard ? s : x.minimax;
  x.peak_rate = x.hard ? 0 : (s - 1 + 1 / b) / (s + 1 / b);
  x.decay_shape = 2 * b - 1;
  x.decay_fraction = x.hard ? (1 - 1 / b - s) / (2 - 1 / b) : 0;
  x.batch_shape = 1 - 1 / (2 * b);
  return x;
}

}  // namespace eos::theory
