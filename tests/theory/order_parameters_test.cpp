// Soft committee machines: integrals against quadrature, equations of motion against published values and against
// students that are simulated with masks, batches, noise and dropout.
#include "eos/theory/order_parameters.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "eos/core/error.hpp"
#include "eos/core/philox.hpp"
#include "eos/theory/capture.hpp"

namespace {

using namespace eos::theory;
using Vector = std::vector<double>;

// Covariance of four fields and averages over them: SciPy, Gauss-Hermite quadrature with 52^4 points, which agrees with
// 36^4 points to 1e-15.
constexpr double c11 = .9, c12 = .3, c13 = .4, c14 = -.2, c22 = .6, c23 = .1, c24 = .25, c33 = 1.1, c34 = .35, c44 = .7;

TEST(CommitteeIntegrals, agree_with_quadrature) {
  EXPECT_NEAR(committee_i2(c11, c12, c22), .11008575750276056, 1e-14);
  EXPECT_NEAR(committee_j2(c11, c12, c22), .37065436161769466, 1e-14);
  EXPECT_NEAR(committee_i3(c11, c12, c13, c23, c33), .01198464502279908, 1e-14);
  const CommitteeI4<double> i4(c11, c12, c22);
  const double value = i4.value(i4.cross(c13, c23, c14, c24, c34), i4.width(c13, c23, c33), i4.width(c14, c24, c44));
  EXPECT_NEAR(value, .05060365893880682, 1e-14);
}

TEST(CommitteeOrderParameters, pack_and_unpack_are_inverse) {
  Committee c{3, 2, {}, {}, true};
  Vector packed(static_cast<std::size_t>(c.states()));
  for (std::size_t i = 0; i < packed.size(); ++i) packed[i] = .1 * static_cast<double>(i);
  EXPECT_EQ(pack(c, unpack(c, packed.data())), packed);
  const auto names = c.state_names();
  ASSERT_EQ(names.size(), packed.size());
  EXPECT_EQ(names[1], "R_12");
  EXPECT_EQ(names[7], "Q_12");
  EXPECT_EQ(names.back(), "v_3");
}

TEST(CommitteeOrderParameters, wrong_tasks_are_refused) {
  EXPECT_THROW((Committee{0, 1, {}, {}, false}.check()), eos::core::Error);
  EXPECT_THROW((Committee{2, 2, {1, 0, 0}, {}, false}.check()), eos::core::Error);
  EXPECT_THROW((Committee{2, 2, {1, .1, .2, 1}, {}, false}.check()), eos::core::Error);
  EXPECT_THROW((Committee{2, 2, {}, {1}, false}.check()), eos::core::Error);
  EXPECT_NO_THROW((Committee{2, 2, {1, .1, .1, 1}, {1, 2}, false}.check()));
}

// Output of the program released with Mignacco & Mori (2025): K = 2, M = 1, eta = 1, sigma = 0.2, from 0, p = 0.1,
// after a tenth of a unit of time.
TEST(CommitteeDynamics, dropout_has_the_published_first_interval) {
  Committee c{2, 1, {}, {}, false};
  CommitteeInputs<double> u;
  u.noise_variance = .04;
  u.activation = .1;
  const auto x = integrate_committee(c, {{0, 0}, {0, 0, 0, 0}, {1, 1}}, u, .1, 20);
  // CVODES with its default absolute tolerance of 1e-8 per step made the numbers; ours are converged to 1e-12
  EXPECT_NEAR(x.Q[0], 0.00237012, 2e-8);
  EXPECT_NEAR(x.Q[1], 0.000252981, 2e-8);
  EXPECT_NEAR(x.Q[3], 0.00237012, 2e-8);
  EXPECT_NEAR(x.R[0], 0.00448323, 2e-8);
}

TEST(CommitteeDynamics, readouts_follow_the_gradient_of_the_error) {
  Committee c{3, 2, {1.2, .2, .2, .8}, {1, -.7}, true};
  OrderParameters<double> x{{.5, .1, .2, .4, -.1, .3}, {.9, .1, .2, .1, .7, -.1, .2, -.1, 1.1}, {.8, -.5, 1.2}};
  CommitteeInputs<double> u;
  u.readout_rate = 1;
  const auto d = committee_rates(c, x, u);
  for (std::size_t i = 0; i < 3; ++i) {
    auto up = x, down = x;
    up.v[i] += 1e-5, down.v[i] -= 1e-5;
    const double slope = (committee_error(c, up) - committee_error(c, down)) / 2e-5;
    EXPECT_NEAR(d.v[i], -slope, 1e-9);  // differences of 1e-5: rounding 1e-11, curvature exact (quadratic in v)
  }
}

TEST(CommitteeDynamics, weight_decay_acts_as_it_should) {
  Committee c{2, 2, {}, {}, true};
  const OrderParameters<double> x{{.5, .1, .2, .4}, {.9, .1, .1, .7}, {.8, 1.1}};
  CommitteeInputs<double> u;
  u.rate = 0;
  u.weight_decay = .25;
  const auto d = committee_rates(c, x, u);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_DOUBLE_EQ(d.R[i], -.25 * x.R[i]);
    EXPECT_DOUBLE_EQ(d.Q[i], -.5 * x.Q[i]);
  }
  EXPECT_DOUBLE_EQ(d.v[0], -.2);
}

TEST(CommitteeDynamics, the_error_vanishes_for_the_teacher_and_falls_in_gradient_flow) {
  Committee c{2, 2, {}, {}, false};
  EXPECT_NEAR(committee_error<double>(c, {{1, 0, 0, 1}, {1, 0, 0, 1}, {1, 1}}), 0, 1e-16);
  CommitteeInputs<double> u;
  u.batch = 1e12;
  OrderParameters<double> x{{.3, .1, .05, .2}, {.4, .1, .1, .5}, {1, 1}};
  double before = committee_error(c, x);
  for (int i = 0; i < 50; ++i) {
    x = integrate_committee(c, x, u, 1, 10);
    const double now = committee_error(c, x);
    EXPECT_LT(now, before);
    before = now;
  }
}

enum class Mask { none, ranked, independent };
struct Protocol {
  Mask mask = Mask::none;
  double kappa = 1;
  int batch = 1;
  double activation = 1, noise = 0;
  double readout_rate = 0, decay = 0;
};

class Stream {
 public:
  explicit Stream(std::uint32_t run) { address_.run = run; }
  double normal() {
    if (spare_) return spare_ = false, pair_[1];
    pair_ = eos::core::normal_pair(41, next());
    spare_ = true;
    return pair_[0];
  }
  double uniform() { return eos::core::uniform(42, next()); }

 private:
  eos::core::Address next() {
    if (++address_.index == 0) ++address_.step;
    return address_;
  }
  eos::core::Address address_{};
  std::array<double, 2> pair_{};
  bool spare_ = false;
};

constexpr int k_inputs = 400, k_runs = 12;
using Weights = std::vector<Vector>;
struct Network {
  Weights w;
  Vector v;
};

/// +1 and -1 in turns of `length`: such vectors are orthogonal for different powers of two.
Vector pattern(int length) {
  Vector w(k_inputs);
  for (int l = 0; l < k_inputs; ++l) w[static_cast<std::size_t>(l)] = (l / length) % 2 == 0 ? 1 : -1;
  return w;
}
Vector combine(double a, const Vector& x, double b, const Vector& y) {
  Vector w(x.size());
  for (std::size_t l = 0; l < w.size(); ++l) w[l] = a * x[l] + b * y[l];
  return w;
}
double dot(const Vector& a, const Vector& b) {
  double sum = 0;
  for (std::size_t l = 0; l < a.size(); ++l) sum += a[l] * b[l];
  return sum;
}
double erf_unit(double x) { return std::erf(x / std::sqrt(2.0)); }

/// One step of the student; `cut` is the threshold of |x| of the ranked mask.
void learn(Network& student, const Network& teacher, const Protocol& p, double rate, double cut, Stream& draw) {
  const std::size_t K = student.w.size();
  const double scale = 1 / std::sqrt(static_cast<double>(k_inputs));
  Network update{Weights(K, Vector(k_inputs)), Vector(K)};
  std::vector<bool> active(K);
  for (std::size_t k = 0; k < K; ++k) active[k] = p.activation >= 1 || draw.uniform() < p.activation;
  Vector x(k_inputs), field(K);
  for (int sample = 0; sample < p.batch; ++sample) {
    for (auto& xi : x) xi = draw.normal();
    double delta = p.noise > 0 ? p.noise * draw.normal() : 0;
    for (std::size_t m = 0; m < teacher.w.size(); ++m) delta += teacher.v[m] * erf_unit(scale * dot(teacher.w[m], x));
    for (std::size_t k = 0; k < K; ++k) {
      field[k] = scale * dot(student.w[k], x);
      if (active[k]) delta -= student.v[k] * erf_unit(field[k]);
    }
    for (std::size_t k = 0; k < K; ++k) {
      if (!active[k]) continue;
      const double slope = std::sqrt(k_two_over_pi) * std::exp(-field[k] * field[k] / 2);
      const double step = rate * scale / p.batch * student.v[k] * slope * delta;
      for (std::size_t l = 0; l < x.size(); ++l) {
        const bool write = p.mask == Mask::none || (p.mask == Mask::ranked && std::abs(x[l]) > cut) ||
                           (p.mask == Mask::independent && draw.uniform() < p.kappa);
        if (write) update.w[k][l] += step * x[l];
      }
      update.v[k] += p.readout_rate / k_inputs / p.batch * erf_unit(field[k]) * delta;
    }
  }
  const double keep = 1 - p.decay / k_inputs;
  for (std::size_t k = 0; k < K; ++k) {
    student.w[k] = combine(keep, student.w[k], 1, update.w[k]);
    if (p.readout_rate > 0) student.v[k] = keep * student.v[k] + update.v[k];
  }
}

OrderParameters<double> measure(const Network& student, const Network& teacher) {
  OrderParameters<double> x{{}, {}, student.v};
  for (const Vector& w : student.w) {
    for (const Vector& t : teacher.w) x.R.push_back(dot(w, t) / k_inputs);
    for (const Vector& u : student.w) x.Q.push_back(dot(w, u) / k_inputs);
  }
  return x;
}

/// Simulates and integrates one protocol from the same start and compares the order parameters at the end.
void expect_agreement(const Protocol& p, double rate, double duration, const Network& teacher, const Network& start) {
  Committee c{static_cast<int>(start.w.size()), static_cast<int>(teacher.w.size()), {}, teacher.v, p.readout_rate > 0};
  c.teacher_overlap = measure(teacher, teacher).Q;
  const double cut = p.mask == Mask::ranked ? gaussian_threshold(p.kappa) : 0;
  Vector sum(static_cast<std::size_t>(c.states())), squares(sum.size());
  for (std::uint32_t run = 0; run < k_runs; ++run) {
    Network student = start;
    Stream draw(run);
    for (int i = 0; i < static_cast<int>(duration * k_inputs); ++i) learn(student, teacher, p, rate, cut, draw);
    const Vector seen = pack(c, measure(student, teacher));
    for (std::size_t i = 0; i < seen.size(); ++i) {
      sum[i] += seen[i] / k_runs;
      squares[i] += seen[i] * seen[i] / k_runs;
    }
  }
  CommitteeInputs<double> u;
  u.rate = rate;
  u.readout_rate = p.readout_rate;
  u.weight_decay = p.decay;
  u.batch = p.batch;
  u.noise_variance = p.noise * p.noise;
  u.activation = p.activation;
  if (p.mask == Mask::ranked) set_shared_mask(u, gaussian_phi(p.kappa));
  if (p.mask == Mask::independent) set_independent_masks(u, p.kappa);
  const Vector x = pack(c, integrate_committee(c, measure(start, teacher), u, duration, 200));
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double error = std::sqrt((squares[i] - sum[i] * sum[i]) / (k_runs - 1));
    // Four standard errors (seven or more comparisons per protocol), and corrections of order 1/N.
    EXPECT_NEAR(sum[i], x[i], 4 * error + 2. / k_inputs) << c.state_names()[i];
  }
}

/// Two students that lean towards a teacher each.
void expect_agreement(const Protocol& p, double rate, double duration) {
  const Network teacher{{pattern(1), pattern(2)}, {1, 1}};
  const Weights w{combine(.5, pattern(1), .3, pattern(4)), combine(.4, pattern(2), .5, pattern(8))};
  expect_agreement(p, rate, duration, teacher, {w, {1, 1}});
}

TEST(CommitteeDynamics, three_students_of_two_unequal_teachers_train_their_readouts) {
  const Network teacher{{pattern(1), combine(.5, pattern(1), .8, pattern(2))}, {1, -.7}};
  const Weights w{combine(.5, pattern(1), .3, pattern(4)), combine(.4, pattern(2), .5, pattern(8)),
                  combine(-.2, pattern(1), .6, pattern(2))};
  expect_agreement({.noise = .2, .readout_rate = .5, .decay = .05}, 1, 5, teacher, {w, {.8, -.4, .6}});
}

TEST(CommitteeDynamics, agree_with_a_simulated_student) { expect_agreement({.noise = .3}, 1, 6); }
TEST(CommitteeDynamics, batches_divide_the_squared_term) { expect_agreement({.batch = 4, .noise = .3}, 1.5, 4); }
TEST(CommitteeDynamics, a_ranked_mask_dilates_time_by_its_capture) {
  expect_agreement({.mask = Mask::ranked, .kappa = .1}, 1, 6);
}
TEST(CommitteeDynamics, independent_masks_keep_kappa_on_the_diagonal_and_its_square_off_it) {
  expect_agreement({.mask = Mask::independent, .kappa = .3, .noise = .5}, 2, 5);
}
TEST(CommitteeDynamics, dropout_counts_distinct_units) { expect_agreement({.activation = .6, .noise = .2}, 1.5, 5); }

}  // namespace
