// The mode recursion against simulated students: least mean squares on Gaussian inputs, with the samples and weights
// chosen as the rules say.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "eos/core/philox.hpp"
#include "eos/theory/mode_model.hpp"

namespace {

using namespace eos::theory;
using Vector = std::vector<double>;

struct Task {
  int modes, batch, steps, replicates;
  double exponent;  // lambda_j = j^-exponent
  double rate, noise;
};

/// A stream of standard normals and uniforms, addressed by a replicate's number.
class Stream {
 public:
  explicit Stream(std::uint32_t replicate) { address_.run = replicate; }
  double normal() {
    if (spare_) return spare_ = false, pair_[1];
    pair_ = eos::core::normal_pair(7, next());
    spare_ = true;
    return pair_[0];
  }
  double uniform() { return eos::core::uniform(8, next()); }

 private:
  eos::core::Address next() {
    ++address_.index;
    return address_;
  }
  eos::core::Address address_{};
  std::array<double, 2> pair_{};
  bool spare_ = false;
};

struct Measured {
  double loss = 0, loss_error = 0, path = 0;
};

/// Indices of the `count` largest values.
std::vector<int> largest(const Vector& values, int count) {
  std::vector<int> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return values[a] > values[b]; });
  order.resize(static_cast<std::size_t>(count));
  return order;
}

/// One replicate: returns its excess loss, adds its path length.
double simulate(const Task& task, const ModeProblem& p, const Controls& u, std::uint32_t replicate, double& path) {
  Stream draw(replicate);
  const int n = task.modes, b = task.batch;
  Vector delta(n), x(static_cast<std::size_t>(b) * n), residual(b), size(b), step(n), magnitude(n);
  for (int j = 0; j < n; ++j) delta[j] = std::sqrt(p.initial[j]) * draw.normal();
  const int kept = static_cast<int>(std::lround(u.data_fraction * b));
  const int written = static_cast<int>(std::lround(u.weight_fraction * n));
  for (int t = 0; t < task.steps; ++t) {
    for (int i = 0; i < b; ++i) {
      residual[i] = std::sqrt(p.noise_variance) * draw.normal();
      for (int j = 0; j < n; ++j) {
        x[i * n + j] = std::sqrt(p.lambda[j]) * draw.normal();
        residual[i] += x[i * n + j] * delta[j];
      }
      size[i] = std::abs(residual[i]);
    }
    std::fill(step.begin(), step.end(), 0);
    // Samples are exchangeable, so the first `kept` are a random subset.
    std::vector<int> used(static_cast<std::size_t>(kept));
    std::iota(used.begin(), used.end(), 0);
    if (p.data_rule == Rule::ranked) used = largest(size, kept);
    for (int i : used) {
      for (int j = 0; j < n; ++j) step[j] += u.learning_rate / b * residual[i] * x[i * n + j];
    }
    if (p.weight_rule == Rule::random) {
      for (double& s : step) s *= draw.uniform() < u.weight_fraction;
    } else if (p.weight_rule == Rule::ranked) {
      for (int j = 0; j < n; ++j) magnitude[j] = std::abs(step[j]);
      Vector masked(n, 0);
      for (int j : largest(magnitude, written)) masked[j] = step[j];
      step = masked;
    }
    for (int j = 0; j < n; ++j) {
      delta[j] -= step[j];
      path += std::abs(step[j]);
    }
  }
  double loss = 0;
  for (int j = 0; j < n; ++j) loss += .5 * p.lambda[j] * delta[j] * delta[j];
  return loss;
}

ModeProblem make_problem(const Task& task, Rule data, Rule weight) {
  ModeProblem p;
  for (int j = 1; j <= task.modes; ++j) p.lambda.push_back(std::pow(j, -task.exponent));
  p.initial.assign(p.lambda.size(), 1.0 / task.modes);
  p.batch = task.batch;
  p.noise_variance = task.noise;
  p.data_rule = data;
  p.weight_rule = weight;
  p.rate_bounds = {0, 10};
  return p;
}

Measured measure(const Task& task, const ModeProblem& p, const Controls& u) {
  Measured m;
  double sum2 = 0;
  for (int r = 0; r < task.replicates; ++r) {
    const double loss = simulate(task, p, u, static_cast<std::uint32_t>(r), m.path);
    m.loss += loss / task.replicates;
    sum2 += loss * loss / task.replicates;
  }
  m.loss_error = std::sqrt((sum2 - m.loss * m.loss) / task.replicates);
  m.path /= task.replicates;
  return m;
}

/// Loss and path length by the recursion.
Measured predict(const Task& task, const ModeProblem& p, const Controls& u) {
  const ModeModel model(p);
  Vector m = p.initial, next(m.size());
  Measured result;
  for (int t = 0; t < task.steps; ++t) {
    result.path += model.path_rate(m, u);
    model.step(m, u, next);
    m = next;
  }
  result.loss = model.loss(m);
  return result;
}

constexpr Task k_power_law{12, 64, 40, 300, 1.3, .3, .05};

struct Case {
  Rule data, weight;
  double rho, kappa;
};

TEST(Recursion, equals_simulated_students) {
  // Random choices are exact, ranked samples up to the order statistics of a batch of 64, stated as 0.5 % or less.
  for (const Case& c :
       {Case{Rule::all, Rule::all, 1, 1}, Case{Rule::random, Rule::all, .25, 1}, Case{Rule::ranked, Rule::all, .25, 1},
        Case{Rule::all, Rule::random, 1, .3}, Case{Rule::ranked, Rule::random, .25, .3}}) {
    const Controls u{c.rho, c.kappa, k_power_law.rate};
    const ModeProblem p = make_problem(k_power_law, c.data, c.weight);
    const Measured simulated = measure(k_power_law, p, u), theory = predict(k_power_law, p, u);
    EXPECT_LT(simulated.loss_error, .05 * simulated.loss);  // sharp enough to tell the rules apart
    EXPECT_NEAR(theory.loss, simulated.loss, 3.5 * simulated.loss_error + .005 * simulated.loss)
        << c.rho << " " << c.kappa;
    // E|dw| uses the mean of V: E sqrt(v) <= sqrt(E v), so the path is overestimated, here by up to 6 %.
    EXPECT_GT(theory.path / simulated.path, .99) << c.rho << " " << c.kappa;
    EXPECT_LT(theory.path / simulated.path, 1.07) << c.rho << " " << c.kappa;
  }
}

TEST(Recursion, hard_samples_beat_random_ones_as_predicted) {
  const ModeProblem hard = make_problem(k_power_law, Rule::ranked, Rule::all);
  const ModeProblem random = make_problem(k_power_law, Rule::random, Rule::all);
  const Controls u{.25, 1, k_power_law.rate};
  const double predicted = predict(k_power_law, random, u).loss / predict(k_power_law, hard, u).loss;
  const double simulated = measure(k_power_law, random, u).loss / measure(k_power_law, hard, u).loss;
  EXPECT_GT(predicted, 1.5);
  EXPECT_NEAR(simulated / predicted, 1, .1);
}

TEST(Recursion, ranked_weights_follow_the_capture_function_on_an_isotropic_spectrum) {
  // With equal eigenvalues the common threshold gives every mode the same share. The Gaussian closure overestimates
  // the loss by about 4 % at kappa = 0.1 and less above, because large errors are trimmed.
  constexpr Task task{60, 16, 60, 150, 0, .1, 1};
  const ModeProblem p = make_problem(task, Rule::all, Rule::ranked);
  const Controls u{1, .3, task.rate};
  const Measured simulated = measure(task, p, u), theory = predict(task, p, u);
  EXPECT_NEAR(theory.loss / simulated.loss, 1, .05);
  EXPECT_NEAR(theory.path / simulated.path, 1, .04);
  const Controls naive{1, gaussian_phi(.3), task.rate};  // taken for a random mask of the captured share
  ModeProblem random = p;
  random.weight_rule = Rule::random;
  EXPECT_NEAR(predict(task, random, naive).loss, theory.loss, 1e-12);
}

}  // namespace
