// Dropout of a soft committee machine: printed errors of constant activation probabilities.
#include <gtest/gtest.h>

#include <cmath>

#include "eos/theory/order_parameters.hpp"

namespace {

using namespace eos::theory;

/// Half of eps_g (the published cost) after alpha = 5 at activation probability p and test scale p_F, of K = 2 students
/// that learn from one unit at eta = 1, sigma = 0.2 from zero weights.
class DropoutSetting {
 public:
  explicit DropoutSetting(double p) {
    CommitteeInputs<double> u;
    u.noise_variance = .04;
    u.activation = p;
    end_ = integrate_committee(task_, {{0, 0}, {0, 0, 0, 0}, {1, 1}}, u, 5, 100);
  }
  double cost(double scale) const { return .5 * committee_error(task_, end_, scale); }
  /// The cost is quadratic in the scale.
  double best_scale() const {
    const double c0 = cost(0), c1 = cost(1), half = cost(.5);
    const double curvature = 2 * (c0 + c1 - 2 * half), slope = c1 - c0 - curvature;
    return -slope / (2 * curvature);
  }

 private:
  Committee task_{2, 1, {}, {}, false};
  OrderParameters<double> end_;
};

// Mignacco & Mori, arXiv:2507.07907, section 3.2.
TEST(Dropout, without_it_the_published_error_is_found) {
  EXPECT_NEAR(DropoutSetting(1).cost(1), 1.74281e-2, 5.1e-8);  // half a unit of the last printed digit
}

TEST(Dropout, the_best_constant_is_as_published) {
  double best = 1, best_p = 0, best_scale = 0;
  for (int i = 700; i <= 780; ++i) {
    const DropoutSetting setting(.001 * i);
    const double scale = setting.best_scale(), cost = setting.cost(scale);
    if (cost < best) best = cost, best_p = .001 * i, best_scale = scale;
  }
  EXPECT_NEAR(best, 1.26490e-2, 5.1e-8);
  EXPECT_NEAR(best_p, .741, .0011);
  EXPECT_NEAR(best_scale, .767, .0011);
}

}  // namespace
