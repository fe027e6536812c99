// The chain of kernels that makes a training step, held to finite differences and to its own reference.
#include <gtest/gtest.h>

#include <cmath>

#include "eos/core/parallel.hpp"
#include "eos/kernels/dense.hpp"
#include "eos/kernels/softmax_xent.hpp"
#include "eos/kernels/update.hpp"
#include "kernel_test.hpp"

namespace eos::kernels {
namespace {

using test::normals;

constexpr int k_rows = 6, k_in = 5, k_hidden = 7, k_classes = 4;

struct Net {
  std::vector<double> w1, b1, w2, b2;
};

std::vector<double> doubles(const std::vector<float>& values) { return {values.begin(), values.end()}; }
std::vector<float> floats(const std::vector<double>& values) { return {values.begin(), values.end()}; }

/// Mean cross-entropy of a two-layer network, written out in double: no code in common with the kernels.
double loss_of(const Net& net, const std::vector<float>& x, const std::vector<std::int32_t>& labels) {
  double total = 0;
  for (int i = 0; i < k_rows; ++i) {
    double hidden[k_hidden], logit[k_classes], sum = 0;
    for (int h = 0; h < k_hidden; ++h) {
      hidden[h] = net.b1[h];
      for (int k = 0; k < k_in; ++k) hidden[h] += x[i * k_in + k] * net.w1[k * k_hidden + h];
      hidden[h] = std::max(hidden[h], 0.0);
    }
    for (int c = 0; c < k_classes; ++c) {
      logit[c] = net.b2[c];
      for (int h = 0; h < k_hidden; ++h) logit[c] += hidden[h] * net.w2[h * k_classes + c];
      sum += std::exp(logit[c]);
    }
    total += std::log(sum) - logit[labels[i]];
  }
  return total / k_rows;
}

struct Gradient {
  std::vector<float> w1, b1, w2, b2;
};

Gradient gradient_by_kernels(const Net& net, const std::vector<float>& x, const std::vector<std::int32_t>& labels) {
  const Context context = Context::cpu();
  const DenseShape first{1, k_rows, k_in, k_hidden}, second{1, k_rows, k_hidden, k_classes};
  const std::vector<float> w1 = floats(net.w1), b1 = floats(net.b1), w2 = floats(net.w2), b2 = floats(net.b2);
  std::vector<float> h(k_rows * k_hidden), z(k_rows * k_classes), dz2(z.size()), dz1(h.size());
  Gradient g{std::vector<float>(w1.size()), std::vector<float>(b1.size()), std::vector<float>(w2.size()),
             std::vector<float>(b2.size())};
  dense_forward(context, first, x.data(), w1.data(), b1.data(), Activation::relu, h.data());
  dense_forward(context, second, h.data(), w2.data(), b2.data(), Activation::identity, z.data());
  softmax_xent(context, {1, k_rows, k_classes}, z.data(), labels.data(), nullptr, 1.0f / k_rows,
               {nullptr, nullptr, nullptr, nullptr, dz2.data()});
  dense_backward_weights(context, second, h.data(), dz2.data(), g.w2.data(), g.b2.data());
  dense_backward_inputs(context, second, dz2.data(), w2.data(), h.data(), Activation::relu, dz1.data());
  dense_backward_weights(context, first, x.data(), dz1.data(), g.w1.data(), g.b1.data());
  return g;
}

TEST(TrainingStep, gradient_equals_central_differences) {
  Net net{doubles(normals(k_in * k_hidden, 1)), doubles(normals(k_hidden, 2)),
          doubles(normals(k_hidden * k_classes, 3)), doubles(normals(k_classes, 4))};
  const std::vector<float> x = normals(k_rows * k_in, 5);
  const std::vector<std::int32_t> labels = test::labels(k_rows, k_classes, 6);
  const Gradient g = gradient_by_kernels(net, x, labels);
  const auto check = [&](std::vector<double>& parameters, const std::vector<float>& gradient, const char* what) {
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const double step = 1e-5, before = parameters[i];
      parameters[i] = before + step;
      const double up = loss_of(net, x, labels);
      parameters[i] = before - step;
      const double down = loss_of(net, x, labels);
      parameters[i] = before;
      // step^2 of truncation and 1e-16 / step of rounding are below 1e-9; single precision of the kernels is 1e-6.
      EXPECT_NEAR(gradient[i], (up - down) / (2 * step), 2e-6) << what << " " << i;
    }
  };
  check(net.w1, g.w1, "w1");
  check(net.b1, g.b1, "b1");
  check(net.w2, g.w2, "w2");
  check(net.b2, g.b2, "b2");
}

/// Losses of a few SGD steps on a network large enough to use every path of the kernels.
std::vector<float> train(const Context& context, std::uint32_t stream) {
  const int rows = 32, in = 96, hidden = 48, classes = 10;
  const DenseShape first{1, rows, in, hidden}, second{1, rows, hidden, classes};
  const std::vector<std::int64_t> offsets{0, in * hidden, in * hidden + hidden, in * hidden + hidden + hidden * classes,
                                          in * hidden + hidden + hidden * classes + classes};
  const Segments segments{4, offsets.data()};
  const std::vector<float> x = normals(rows * in, stream);
  const std::vector<std::int32_t> labels = test::labels(rows, classes, stream);
  std::vector<float> w = normals(offsets[4], stream + 1000), g(w.size()), v(w.size()), delta(w.size());
  for (float& value : w) value *= 0.1f;
  std::vector<float> h(rows * hidden), z(rows * classes), dh(h.size()), loss(rows), losses;
  std::vector<Selection> selection(4);
  std::vector<UpdateCounts> counts(4);
  for (int step = 0; step < 20; ++step) {
    dense_forward(context, first, x.data(), w.data(), &w[offsets[1]], Activation::relu, h.data());
    dense_forward(context, second, h.data(), &w[offsets[2]], &w[offsets[3]], Activation::identity, z.data());
    softmax_xent(context, {1, rows, classes}, z.data(), labels.data(), nullptr, 1.0f / rows,
                 {loss.data(), nullptr, nullptr, nullptr, z.data()});
    losses.insert(losses.end(), loss.begin(), loss.end());
    dense_backward_weights(context, second, h.data(), z.data(), &g[offsets[2]], &g[offsets[3]]);
    dense_backward_inputs(context, second, z.data(), &w[offsets[2]], h.data(), Activation::relu, dh.data());
    dense_backward_weights(context, first, x.data(), dh.data(), g.data(), &g[offsets[1]]);
    sgd_delta(context, offsets[4], {0.1f, 0.9f, 0}, g.data(), w.data(), v.data(), delta.data());
    std::vector<std::int64_t> k;
    for (int s = 0; s < 4; ++s) k.push_back((offsets[s + 1] - offsets[s]) / 3);
    select_threshold(context, delta.data(), segments, k.data(), selection.data());
    MaskedUpdate update;
    update.mask = Mask::selection, update.selection = selection.data();
    masked_update(context, segments, delta.data(), update, w.data(), counts.data());
  }
  return losses;
}

TEST(TrainingStep, may_run_on_many_threads_at_once_with_the_same_bits) {
  const std::size_t runs = 8;
  std::vector<std::vector<float>> alone(runs), together(runs);
  for (std::size_t r = 0; r < runs; ++r) alone[r] = train(Context::cpu(1), static_cast<std::uint32_t>(r));
  core::parallel_for(runs, 4,
                     [&](std::size_t r) { together[r] = train(Context::cpu(1), static_cast<std::uint32_t>(r)); });
  EXPECT_EQ(alone, together);
  EXPECT_LT(alone[0].back(), alone[0].front());
}

}  // namespace
}  // namespace eos::kernels
