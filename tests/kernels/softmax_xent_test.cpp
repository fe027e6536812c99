#include "eos/kernels/softmax_xent.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "kernel_test.hpp"

namespace eos::kernels {
namespace {

using test::bits;
using test::normals;
using test::OnCuda;

struct Inputs {
  SoftmaxShape shape;
  std::vector<float> logits, weight;
  std::vector<std::int32_t> labels;
};

Inputs make_inputs(SoftmaxShape shape, float spread) {
  const std::size_t samples = static_cast<std::size_t>(shape.replicas) * shape.rows;
  Inputs in{shape, normals(samples * shape.classes, 1), normals(samples, 2), test::labels(samples, shape.classes, 3)};
  for (float& z : in.logits) z *= spread;
  for (float& w : in.weight) w = std::fabs(w);
  return in;
}

struct Outputs {
  std::vector<float> loss, p_true, residual, dz;
  std::vector<std::uint8_t> correct;
};

constexpr float k_scale = 1.0f / 128;

Outputs run(const Context& context, const Inputs& in, bool weighted) {
  const Buffer<float> logits(context, in.logits), weight(context, in.weight);
  const Buffer<std::int32_t> labels(context, in.labels);
  Buffer<float> loss(context, in.labels.size()), p(context, in.labels.size()), residual(context, in.labels.size());
  Buffer<float> dz(context, in.logits.size());
  Buffer<std::uint8_t> correct(context, in.labels.size());
  softmax_xent(context, in.shape, logits.data(), labels.data(), weighted ? weight.data() : nullptr, k_scale,
               {loss.data(), p.data(), residual.data(), correct.data(), dz.data()});
  return {loss.get(), p.get(), residual.get(), dz.get(), correct.get()};
}

Outputs run_reference(const Inputs& in, bool weighted) {
  const std::size_t n = in.labels.size();
  Outputs out{std::vector<float>(n), std::vector<float>(n), std::vector<float>(n), std::vector<float>(in.logits.size()),
              std::vector<std::uint8_t>(n)};
  reference::softmax_xent(in.shape, in.logits.data(), in.labels.data(), weighted ? in.weight.data() : nullptr, k_scale,
                          {out.loss.data(), out.p_true.data(), out.residual.data(), out.correct.data(), out.dz.data()});
  return out;
}

/// z - max is rounded to 2^-24 |z - max|, which exp passes on as a relative error; exp adds 2^-22 and the sums of up to
/// `classes` terms in eight lanes a little more. 2e-6 + 5e-7 spread holds for spreads up to 30 and 1000 classes.
/// Results below the smallest normal number may be lost.
void expect_close(const std::vector<float>& got, const std::vector<float>& exact, float spread, float tiny,
                  const char* what) {
  ASSERT_EQ(got.size(), exact.size());
  const float relative = 2e-6f + 5e-7f * spread;
  for (std::size_t i = 0; i < got.size(); ++i)
    ASSERT_NEAR(got[i], exact[i], relative * std::fabs(exact[i]) + tiny) << what << " " << i;
}

void expect_matches_reference(const Context& context) {
  const SoftmaxShape shapes[] = {{1, 0, 10},  {1, 1, 1},  {1, 1, 2},    {1, 128, 10},
                                 {3, 33, 10}, {2, 7, 17}, {1, 5, 1000}, {3, 4000, 10}};
  for (const SoftmaxShape& shape : shapes) {
    for (const float spread : {0.1f, 1.0f, 30.0f}) {
      for (const bool weighted : {false, true}) {
        SCOPED_TRACE(::testing::Message()
                     << shape.replicas << " x " << shape.rows << " x " << shape.classes << " spread " << spread);
        const Inputs in = make_inputs(shape, spread);
        const Outputs got = run(context, in, weighted), exact = run_reference(in, weighted);
        expect_close(got.loss, exact.loss, spread, 1e-37f, "loss");
        expect_close(got.p_true, exact.p_true, spread, 1e-37f, "p_true");
        expect_close(got.residual, exact.residual, spread, 1e-18f, "residual");  // its squares underflow
        expect_close(got.dz, exact.dz, spread, 1e-37f, "dz");
        EXPECT_EQ(got.correct, exact.correct);
      }
    }
  }
}

TEST(SoftmaxXent, matches_the_reference) { expect_matches_reference(Context::cpu()); }
TEST_F(OnCuda, softmax_xent_matches_the_reference) { expect_matches_reference(Context::cuda()); }

TEST(SoftmaxXent, has_the_same_bits_for_one_and_two_threads) {
  const Inputs in = make_inputs({3, 9000, 10}, 3.0f);
  const Outputs one = run(Context::cpu(1), in, true), two = run(Context::cpu(2), in, true);
  EXPECT_EQ(bits(one.loss), bits(two.loss));
  EXPECT_EQ(bits(one.residual), bits(two.residual));
  EXPECT_EQ(bits(one.dz), bits(two.dz));
}

TEST(SoftmaxXent, gives_the_closed_form_of_two_classes) {
  // With logits (0, s) and label 1: p = 1 / (1 + e^-s), loss = ln(1 + e^-s), residual = sqrt(2) (1 - p).
  for (const double s : {-20.0, -1.0, 0.0, 2.0, 15.0, 40.0}) {
    const std::vector<float> logits{0.0f, static_cast<float>(s)};
    const std::vector<std::int32_t> label{1};
    float loss = 0, p = 0, residual = 0;
    softmax_xent(Context::cpu(), {1, 1, 2}, logits.data(), label.data(), nullptr, 1,
                 {&loss, &p, &residual, nullptr, nullptr});
    const double wrong = std::exp(-s) / (1 + std::exp(-s));
    EXPECT_NEAR(loss, std::log1p(std::exp(-s)), 1e-6 * std::log1p(std::exp(-s))) << s;
    EXPECT_NEAR(p, 1 / (1 + std::exp(-s)), 1e-6 / (1 + std::exp(-s))) << s;
    EXPECT_NEAR(residual, std::sqrt(2.0) * wrong, 1e-6 * std::sqrt(2.0) * wrong) << s;  // also where p rounds to 1
  }
}

TEST(SoftmaxXent, exponential_is_within_two_units_in_the_last_place) {
  // One wrong class at distance x has dz = e^x / (1 + e^x); for x < -18 that is e^x to the last bit of a float.
  for (int i = 0; i <= 69 * 64; ++i) {
    const float x = -18.0f - static_cast<float>(i) / 64;
    const std::vector<float> logits{x, 0.0f};
    const std::vector<std::int32_t> label{1};
    std::vector<float> dz(2);
    softmax_xent(Context::cpu(), {1, 1, 2}, logits.data(), label.data(), nullptr, 1,
                 {nullptr, nullptr, nullptr, nullptr, dz.data()});
    const double exact = std::exp(static_cast<double>(x));
    const double last_place = std::ldexp(1.0, std::max(std::ilogb(exact), -126) - 23);
    ASSERT_LE(std::fabs(dz[0] - exact), 2 * last_place) << "x = " << x;
  }
}

TEST(SoftmaxXent, counts_the_first_of_equal_maxima_as_the_answer) {
  const std::vector<float> logits{1, 3, 3, 0};
  std::uint8_t correct = 9;
  for (const std::int32_t label : {1, 2}) {
    softmax_xent(Context::cpu(), {1, 1, 4}, logits.data(), &label, nullptr, 1,
                 {nullptr, nullptr, nullptr, &correct, nullptr});
    EXPECT_EQ(correct, label == 1);
  }
}

TEST(SoftmaxXent, may_write_dz_over_the_logits) {
  const Inputs in = make_inputs({1, 500, 10}, 2.0f);
  const Outputs apart = run(Context::cpu(), in, false);
  std::vector<float> logits = in.logits;
  softmax_xent(Context::cpu(), in.shape, logits.data(), in.labels.data(), nullptr, k_scale,
               {nullptr, nullptr, nullptr, nullptr, logits.data()});
  EXPECT_EQ(bits(logits), bits(apart.dz));
}

TEST(SoftmaxXent, lets_divergence_reach_the_loss) {
  for (const float bad : {NAN, INFINITY}) {
    for (const int place : {0, 1, 2}) {
      std::vector<float> logits{0.5f, 1.0f, -1.0f};
      logits[place] = bad;
      const std::int32_t label = 1;
      float loss = 0;
      softmax_xent(Context::cpu(), {1, 1, 3}, logits.data(), &label, nullptr, 1,
                   {&loss, nullptr, nullptr, nullptr, nullptr});
      EXPECT_TRUE(std::isnan(loss)) << bad << " at " << place;
    }
  }
}

TEST(SoftmaxXent, gradient_rows_sum_to_zero) {
  const Inputs in = make_inputs({1, 200, 10}, 2.0f);
  const Outputs out = run(Context::cpu(), in, false);
  for (int i = 0; i < 200; ++i) {
    double sum = 0;
    for (int c = 0; c < 10; ++c) sum += out.dz[i * 10 + c];
    EXPECT_NEAR(sum, 0, 1e-6 * k_scale);
  }
}

}  // namespace
}  // namespace eos::kernels
