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

Outputs run(const Context& context, const Inputs& in, bool weighted, float smoothing = 0) {
  const Buffer<float> logits(context, in.logits), weight(context, in.weight);
  const Buffer<std::int32_t> labels(context, in.labels);
  Buffer<float> loss(context, in.labels.size()), p(context, in.labels.size()), residual(context, in.labels.size());
  Buffer<float> dz(context, in.logits.size());
  Buffer<std::uint8_t> correct(context, in.labels.size());
  softmax_xent(context, in.shape, logits.data(), labels.data(), weighted ? weight.data() : nullptr, k_scale,
               {loss.data(), p.data(), residual.data(), correct.data(), dz.data()}, smoothing);
  return {loss.get(), p.get(), residual.get(), dz.get(), correct.get()};
}

Outputs run_reference(const Inputs& in, bool weighted, float smoothing = 0) {
  const std::size_t n = in.labels.size();
  Outputs out{std::vector<float>(n), std::vector<float>(n), std::vector<float>(n), std::vector<float>(in.logits.size()),
              std::vector<std::uint8_t>(n)};
  reference::softmax_xent(in.shape, in.logits.data(), in.labels.data(), weighted ? in.weight.data() : nullptr, k_scale,
                          {out.loss.data(), out.p_true.data(), out.residual.data(), out.correct.data(), out.dz.data()},
                          smoothing);
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

/// With smoothing, dz = p - q is a difference of terms up to 1, each rounded to 2^-24.
void expect_smoothed_matches_reference(const Context& context) {
  for (const SoftmaxShape& shape : {SoftmaxShape{1, 33, 10}, SoftmaxShape{2, 7, 17}, SoftmaxShape{1, 5, 1000}}) {
    for (const float smoothing : {0.1f, 1.0f}) {
      const Inputs in = make_inputs(shape, 3.0f);
      const Outputs got = run(context, in, true, smoothing), exact = run_reference(in, true, smoothing);
      expect_close(got.loss, exact.loss, 3.0f, 0, "loss");
      expect_close(got.p_true, exact.p_true, 3.0f, 1e-37f, "p_true");
      expect_close(got.residual, exact.residual, 3.0f, 1e-18f, "residual");
      for (std::size_t i = 0; i < got.dz.size(); ++i) {
        const float weight = in.weight[i / static_cast<std::size_t>(shape.classes)];
        ASSERT_NEAR(got.dz[i], exact.dz[i], 4e-6f * k_scale * weight) << i;
      }
      EXPECT_EQ(got.correct, exact.correct);
    }
  }
}

TEST(SoftmaxXent, matches_the_reference_with_label_smoothing) { expect_smoothed_matches_reference(Context::cpu()); }
TEST_F(OnCuda, softmax_xent_matches_the_reference_with_label_smoothing) {
  expect_smoothed_matches_reference(Context::cuda());
}

TEST(SoftmaxXent, gives_the_label_smoothing_of_pytorch) {
  // torch 2.15, float64: F.cross_entropy(z, labels, label_smoothing=0.1, reduction='none') and its gradient
  const std::vector<float> z{0.5f, -1, 2, 1, 0, -3};
  const std::vector<std::int32_t> labels{2, 1};
  std::vector<float> loss(2), dz(6);
  softmax_xent(Context::cpu(), {1, 2, 3}, z.data(), labels.data(), nullptr, 1,
               {loss.data(), nullptr, nullptr, nullptr, dz.data()}, 0.1f);
  const double exact_loss[] = {0.3913112967, 1.393229308};
  const double exact_dz[] = {0.1419570588, 0.005779239937, -0.1477362987, 0.6880658509, -0.6679454046, -0.02012044638};
  for (int i = 0; i < 2; ++i) EXPECT_NEAR(loss[i], exact_loss[i], 3e-7);
  for (int i = 0; i < 6; ++i) EXPECT_NEAR(dz[i], exact_dz[i], 2e-7);
}

TEST(SoftmaxXent, gradient_of_the_reference_equals_central_differences) {
  const int rows = 3, classes = 5;
  const std::vector<float> start = normals(rows * classes, 1);
  std::vector<double> z(start.begin(), start.end()), dz(z.size()), loss(rows);
  const std::vector<std::int32_t> labels{0, 4, 2};
  for (const double smoothing : {0.0, 0.1}) {
    const auto total = [&] {
      reference::softmax_xent<double>({1, rows, classes}, z.data(), labels.data(), nullptr, 1.0,
                                      {loss.data(), nullptr, nullptr, nullptr, dz.data()}, smoothing);
      return loss[0] + loss[1] + loss[2];
    };
    total();
    const std::vector<double> gradient = dz;
    for (std::size_t i = 0; i < z.size(); ++i) {
      const double step = 1e-5, before = z[i];
      z[i] = before + step;
      const double up = total();
      z[i] = before - step;
      const double quotient = (up - total()) / (2 * step);
      z[i] = before;
      EXPECT_NEAR(gradient[i], quotient, 1e-6 * std::max(std::fabs(quotient), 0.01)) << i;
    }
  }
}

TEST(SoftmaxXent, keeps_scores_and_bits_alone_or_in_a_batch_with_label_smoothing) {
  const Inputs in = make_inputs({1, 400, 30}, 2.0f);
  const Outputs plain = run(Context::cpu(), in, true), smooth = run(Context::cpu(2), in, true, 0.2f);
  EXPECT_EQ(bits(plain.p_true), bits(smooth.p_true));
  EXPECT_EQ(bits(plain.residual), bits(smooth.residual));
  const Inputs one{{1, 1, 30}, {in.logits.begin() + 90, in.logits.begin() + 120}, {in.weight[3]}, {in.labels[3]}};
  const Outputs alone = run(Context::cpu(), one, true, 0.2f);
  EXPECT_EQ(bits(alone.loss), bits(std::vector<float>{smooth.loss[3]}));
  EXPECT_EQ(bits(alone.dz), bits(std::vector<float>(smooth.dz.begin() + 90, smooth.dz.begin() + 120)));
}

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
