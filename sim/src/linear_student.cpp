#include "eos/sim/linear_student.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

#include "eos/core/parallel.hpp"
#include "eos/core/philox.hpp"

namespace eos::sim {

using theory::Controls;
using theory::ModeProblem;
using theory::Rule;

namespace {

/// Standard normals and uniforms of one replicate, in order.
class Stream {
 public:
  Stream(std::uint64_t seed, std::uint32_t replicate) : seed_(seed) {
    address_.run = replicate;
    address_.purpose = core::Purpose::teacher_inputs;
  }
  double normal() {
    if (spare_) return spare_ = false, pair_[1];
    pair_ = core::normal_pair(seed_, next());
    spare_ = true;
    return pair_[0];
  }
  double uniform() { return core::uniform(seed_, next()); }

 private:
  core::Address next() {
    if (++address_.index == 0) ++address_.step;
    return address_;
  }
  std::uint64_t seed_;
  core::Address address_{};
  std::array<double, 2> pair_{};
  bool spare_ = false;
};

/// Indices of the `count` largest values.
std::vector<int> largest(const std::vector<double>& values, int count) {
  std::vector<int> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return values[a] > values[b]; });
  order.resize(static_cast<std::size_t>(count));
  return order;
}

class Student {
 public:
  Student(const ModeProblem& problem, const Controls& controls, std::uint64_t seed, std::uint32_t replicate)
      : p_(problem),
        u_(controls),
        draw_(seed, replicate),
        modes_(static_cast<int>(problem.lambda.size())),
        batch_(static_cast<int>(std::lround(problem.batch))),
        delta_(problem.lambda.size()),
        step_(problem.lambda.size()),
        x_(problem.lambda.size() * static_cast<std::size_t>(batch_)),
        residual_(static_cast<std::size_t>(batch_)) {
    for (int j = 0; j < modes_; ++j) delta_[j] = std::sqrt(p_.initial[j]) * draw_.normal();
  }
  void step() {
    draw_batch();
    const std::vector<int> kept = kept_samples();
    std::fill(step_.begin(), step_.end(), 0);
    for (const int i : kept)
      for (int j = 0; j < modes_; ++j) step_[j] += u_.learning_rate / batch_ * residual_[i] * x_[i * modes_ + j];
    mask_weights();
    for (int j = 0; j < modes_; ++j) delta_[j] -= step_[j], path_ += std::abs(step_[j]);
  }
  double loss() const {
    double sum = 0;
    for (int j = 0; j < modes_; ++j) sum += .5 * p_.lambda[j] * delta_[j] * delta_[j];
    return sum;
  }
  double path() const { return path_; }

 private:
  void draw_batch() {
    for (int i = 0; i < batch_; ++i) {
      residual_[i] = std::sqrt(p_.noise_variance) * draw_.normal();
      for (int j = 0; j < modes_; ++j) {
        x_[i * modes_ + j] = std::sqrt(p_.lambda[j]) * draw_.normal();
        residual_[i] += x_[i * modes_ + j] * delta_[j];
      }
    }
  }
  /// Samples are exchangeable, so the first ones are a random subset.
  std::vector<int> kept_samples() const {
    std::vector<int> kept(
        static_cast<std::size_t>(p_.data_rule == Rule::all ? batch_ : std::lround(u_.data_fraction * batch_)));
    std::iota(kept.begin(), kept.end(), 0);
    if (p_.data_rule != Rule::ranked) return kept;
    return largest(absolute(residual_), static_cast<int>(kept.size()));
  }
  void mask_weights() {
    if (p_.weight_rule == Rule::random)
      for (double& s : step_) s *= draw_.uniform() < u_.weight_fraction;
    if (p_.weight_rule != Rule::ranked) return;
    std::vector<double> masked(step_.size(), 0);
    for (const int j : largest(absolute(step_), static_cast<int>(std::lround(u_.weight_fraction * modes_))))
      masked[j] = step_[j];
    step_ = masked;
  }
  static std::vector<double> absolute(std::vector<double> values) {
    for (double& v : values) v = std::abs(v);
    return values;
  }

  const ModeProblem& p_;
  const Controls& u_;
  Stream draw_;
  int modes_, batch_;
  std::vector<double> delta_, step_, x_, residual_;
  double path_ = 0;
};

}  // namespace

StudentStatistics simulate_students(const ModeProblem& problem, const Controls& controls, int steps, int replicates,
                                    std::uint64_t seed, int threads) {
  const auto count = static_cast<std::size_t>(replicates);
  std::vector<double> loss(count), path(count);
  core::parallel_for(count, threads, [&](std::size_t r) {
    Student student(problem, controls, seed, static_cast<std::uint32_t>(r));
    for (int t = 0; t < steps; ++t) student.step();
    loss[r] = student.loss(), path[r] = student.path();
  });
  StudentStatistics s;
  double square = 0;
  for (std::size_t r = 0; r < count; ++r) {
    s.loss += loss[r] / replicates, s.path += path[r] / replicates;
    square += loss[r] * loss[r] / replicates;
  }
  s.loss_error = std::sqrt(std::max(0.0, square - s.loss * s.loss) / replicates);
  return s;
}

}  // namespace eos::sim
