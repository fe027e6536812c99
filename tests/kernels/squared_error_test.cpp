#include "eos/kernels/squared_error.hpp"

#include <cmath>

#include "kernel_test.hpp"

namespace eos::kernels {
namespace {

using test::bits;
using test::normals;
using test::OnCuda;

struct Inputs {
  SquaredErrorShape shape;
  SquaredErrorTargets targets;
  std::vector<float> y, weight;
  std::vector<std::int32_t> labels;
};

Inputs make_inputs(SquaredErrorShape shape, SquaredErrorTargets targets) {
  const std::size_t samples = static_cast<std::size_t>(shape.replicas) * shape.rows;
  Inputs in{shape, targets, normals(samples * shape.classes, 1), normals(samples, 2),
            test::labels(samples, shape.classes, 3)};
  for (float& w : in.weight) w = std::fabs(w);
  return in;
}

struct Outputs {
  std::vector<float> loss, p_true, residual, dz, error;
  std::vector<std::uint8_t> correct;
};

constexpr float k_scale = 1.0f / 128;

Outputs run(const Context& context, const Inputs& in, ActivationSpec activation, bool weighted) {
  const Buffer<float> y(context, in.y), weight(context, in.weight);
  const Buffer<std::int32_t> labels(context, in.labels);
  const std::size_t n = in.labels.size();
  Buffer<float> loss(context, n), p(context, n), residual(context, n), dz(context, in.y.size()),
      error(context, in.y.size());
  Buffer<std::uint8_t> correct(context, n);
  squared_error(context, in.shape, in.targets, activation, y.data(), labels.data(), weighted ? weight.data() : nullptr,
                k_scale, {loss.data(), p.data(), residual.data(), correct.data(), dz.data(), error.data()});
  return {loss.get(), p.get(), residual.get(), dz.get(), error.get(), correct.get()};
}

Outputs run_reference(const Inputs& in, ActivationSpec activation, bool weighted) {
  const std::size_t n = in.labels.size();
  Outputs out{std::vector<float>(n),           std::vector<float>(n),           std::vector<float>(n),
              std::vector<float>(in.y.size()), std::vector<float>(in.y.size()), std::vector<std::uint8_t>(n)};
  reference::squared_error(
      in.shape, in.targets, activation, in.y.data(), in.labels.data(), weighted ? in.weight.data() : nullptr, k_scale,
      {out.loss.data(), out.p_true.data(), out.residual.data(), out.correct.data(), out.dz.data(), out.error.data()});
  return out;
}

/// |got - exact| within `relative` of the exact value and 1e-37, below which digits are lost.
void expect_close(const std::vector<float>& got, const std::vector<float>& exact, double relative, const char* what) {
  ASSERT_EQ(got.size(), exact.size());
  for (std::size_t i = 0; i < got.size(); ++i)
    ASSERT_NEAR(got[i], exact[i], relative * std::fabs(exact[i]) + 1e-37) << what << " " << i;
}

void expect_matches_reference(const Context& context) {
  const SquaredErrorShape shapes[] = {{1, 0, 10}, {1, 1, 1},   {1, 1, 2},    {1, 128, 10},
                                      {3, 33, 9}, {2, 70, 40}, {1, 5, 1000}, {3, 4000, 10}};
  for (const SquaredErrorShape& shape : shapes) {
    for (const SquaredErrorTargets targets : {SquaredErrorTargets{0, 1}, SquaredErrorTargets{0.01f, 0.99f}}) {
      for (const Activation kind :
           {Activation::identity, Activation::relu, Activation::leaky_relu, Activation::logistic, Activation::tanh}) {
        const bool weighted = kind != Activation::identity;
        SCOPED_TRACE(::testing::Message() << shape.replicas << " x " << shape.rows << " x " << shape.classes
                                          << " activation " << static_cast<int>(kind));
        const Inputs in = make_inputs(shape, targets);
        const Outputs got = run(context, in, kind, weighted), exact = run_reference(in, kind, weighted);
        // Every factor is rounded once, 2^-24 each; a sum of n squares adds at most n of them, in lanes far fewer.
        const double rounding = std::ldexp(1.0, -24);
        expect_close(got.loss, exact.loss, (shape.classes + 3) * rounding, "loss");
        expect_close(got.residual, exact.residual, (shape.classes + 3) * rounding, "residual");
        expect_close(got.error, exact.error, 4 * rounding, "error");
        for (std::size_t i = 0; i < got.dz.size(); ++i) {  // the slope is rounded at the size of its terms
          const double terms = std::fabs(exact.error[i]) * (1 + std::fabs(in.y[i]) * (1 + std::fabs(in.y[i])));
          ASSERT_NEAR(got.dz[i], exact.dz[i], 8 * rounding * terms) << i;
        }
        EXPECT_EQ(bits(got.p_true), bits(exact.p_true));
        EXPECT_EQ(got.correct, exact.correct);
      }
    }
  }
}

TEST(SquaredError, matches_the_reference) { expect_matches_reference(Context::cpu()); }
TEST_F(OnCuda, squared_error_matches_the_reference) { expect_matches_reference(Context::cuda()); }

TEST(SquaredError, gives_the_closed_form_of_logistic_outputs) {
  // y = (0.2, 0.7, 0.1), t = (0.01, 0.99, 0.01): y - t = (0.19, -0.29, 0.09), squares sum to 0.1283.
  const std::vector<float> y{0.2f, 0.7f, 0.1f};
  const std::int32_t label = 1;
  float loss = 0, p = 0, residual = 0;
  std::uint8_t correct = 0;
  std::vector<float> dz(3), error(3);
  squared_error(Context::cpu(), {1, 1, 3}, {0.01f, 0.99f}, Activation::logistic, y.data(), &label, nullptr, 1,
                {&loss, &p, &residual, &correct, dz.data(), error.data()});
  EXPECT_NEAR(loss, 0.06415, 1e-7);
  EXPECT_NEAR(residual, std::sqrt(0.1283), 1e-7);
  EXPECT_EQ(p, 0.7f);
  EXPECT_EQ(correct, 1);
  const double t[3] = {0.01, 0.99, 0.01};
  for (int c = 0; c < 3; ++c) {
    EXPECT_NEAR(error[c], y[c] - t[c], 1e-7);
    EXPECT_NEAR(dz[c], (y[c] - t[c]) * y[c] * (1 - y[c]), 1e-7);
  }
}

TEST(SquaredError, dz_is_the_derivative_of_the_loss) {
  // y = logistic(z): the difference quotient over 2h errs by less than h^2 / 6 and the rounding of a loss below 1.
  const float h = 1e-2f;
  const std::int32_t label = 0;
  const auto loss_at = [&](float z0, float z1) {
    const std::vector<float> y{1 / (1 + std::exp(-z0)), 1 / (1 + std::exp(-z1))};
    float loss = 0;
    squared_error(Context::cpu(), {1, 1, 2}, {0.01f, 0.99f}, Activation::logistic, y.data(), &label, nullptr, 1,
                  {&loss, nullptr, nullptr, nullptr, nullptr, nullptr});
    return static_cast<double>(loss);
  };
  for (const float z : {-2.0f, -0.5f, 0.0f, 1.0f, 3.0f}) {
    const std::vector<float> y{1 / (1 + std::exp(-z)), 1 / (1 + std::exp(-0.3f))};
    std::vector<float> dz(2);
    squared_error(Context::cpu(), {1, 1, 2}, {0.01f, 0.99f}, Activation::logistic, y.data(), &label, nullptr, 1,
                  {nullptr, nullptr, nullptr, nullptr, dz.data(), nullptr});
    EXPECT_NEAR(dz[0], (loss_at(z + h, 0.3f) - loss_at(z - h, 0.3f)) / (2.0 * h), 3e-5) << z;
  }
}

TEST(SquaredError, clamps_the_probability_of_linear_outputs) {
  const std::vector<float> y{-0.5f, 0.25f, 1.5f};
  float p = 9;
  for (const auto& [label, clamped] : {std::pair{0, 0.0f}, {1, 0.25f}, {2, 1.0f}}) {
    const std::int32_t place = label;
    squared_error(Context::cpu(), {1, 1, 3}, {}, Activation::identity, y.data(), &place, nullptr, 1,
                  {nullptr, &p, nullptr, nullptr, nullptr, nullptr});
    EXPECT_EQ(p, clamped);
  }
}

TEST(SquaredError, counts_the_first_of_equal_maxima_as_the_answer) {
  const std::vector<float> y{1, 3, 3, 0};
  std::uint8_t correct = 9;
  for (const std::int32_t label : {1, 2}) {
    squared_error(Context::cpu(), {1, 1, 4}, {}, Activation::identity, y.data(), &label, nullptr, 1,
                  {nullptr, nullptr, nullptr, &correct, nullptr, nullptr});
    EXPECT_EQ(correct, label == 1);
  }
}

void expect_may_overwrite(const Context& context) {
  const Inputs in = make_inputs({1, 500, 10}, {});
  const Outputs apart = run(context, in, Activation::logistic, false);
  const Buffer<std::int32_t> labels(context, in.labels);
  for (const bool error : {false, true}) {
    Buffer<float> y(context, in.y);
    squared_error(context, in.shape, in.targets, Activation::logistic, y.data(), labels.data(), nullptr, k_scale,
                  {nullptr, nullptr, nullptr, nullptr, error ? nullptr : y.data(), error ? y.data() : nullptr});
    EXPECT_EQ(bits(y.get()), bits(error ? apart.error : apart.dz));
  }
}

TEST(SquaredError, may_write_over_the_outputs) { expect_may_overwrite(Context::cpu()); }
TEST_F(OnCuda, squared_error_may_write_over_the_outputs) { expect_may_overwrite(Context::cuda()); }

TEST(SquaredError, has_the_same_bits_for_any_threads_and_batch) {
  const Inputs in = make_inputs({3, 9000, 10}, {});
  const Outputs one = run(Context::cpu(1), in, Activation::logistic, true),
                two = run(Context::cpu(2), in, Activation::logistic, true);
  EXPECT_EQ(bits(one.loss), bits(two.loss));
  EXPECT_EQ(bits(one.residual), bits(two.residual));
  EXPECT_EQ(bits(one.dz), bits(two.dz));
  Inputs alone = in;
  alone.shape = {1, 1, 10};
  alone.y.assign(in.y.begin() + 70, in.y.begin() + 80);
  alone.labels = {in.labels[7]};
  alone.weight = {in.weight[7]};
  const Outputs single = run(Context::cpu(1), alone, Activation::logistic, true);
  EXPECT_EQ(single.loss[0], one.loss[7]);
  EXPECT_EQ(bits(single.dz), bits(std::vector<float>(one.dz.begin() + 70, one.dz.begin() + 80)));
}

TEST(SquaredError, lets_divergence_reach_the_loss) {
  for (const float bad : {NAN, INFINITY}) {
    const std::vector<float> y{0.5f, bad};
    const std::int32_t label = 0;
    float loss = 0;
    squared_error(Context::cpu(), {1, 1, 2}, {}, Activation::identity, y.data(), &label, nullptr, 1,
                  {&loss, nullptr, nullptr, nullptr, nullptr, nullptr});
    EXPECT_FALSE(std::isfinite(loss));
  }
}

}  // namespace
}  // namespace eos::kernels
