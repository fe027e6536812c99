#include "../../sim/src/outputs.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "support.hpp"

namespace eos::sim {
namespace {

/// Logits and labels of two windows of four tokens with five words.
struct Window {
  static constexpr int k_rows = 2, k_tokens = 4, k_words = 5;
  kernels::Context context = kernels::Context::cpu();
  theory::NetworkSpec spec;
  Network network;
  std::vector<float> logits;
  std::vector<std::int32_t> labels{0, 1, 2, 3, 4, 0, 1, 2};

  Window() {
    spec.architecture = theory::Architecture::gpt;
    spec.width = 4, spec.heads = 1, spec.depth = 1;
    network = Network(spec, {{k_tokens, 1, 1, false}, k_words, true});
    for (int i = 0; i < k_rows * k_tokens * k_words; ++i)
      logits.push_back(static_cast<float>(std::sin(1.7 * i * i)) * 2);
  }
  double loss(int token) const {
    const float* z = logits.data() + token * k_words;
    double sum = 0;
    for (int c = 0; c < k_words; ++c) sum += std::exp(double{z[c]});
    return std::log(sum) - z[labels[static_cast<std::size_t>(token)]];
  }
  double probability(int token, int word) const {
    const float* z = logits.data() + token * k_words;
    double sum = 0;
    for (int c = 0; c < k_words; ++c) sum += std::exp(double{z[c]});
    return std::exp(double{z[word]}) / sum;
  }
};

TEST(OutputsOfSequences, have_the_mean_loss_of_their_tokens_and_its_gradient) {
  Window w;
  OutputScorer scorer(w.context, w.spec, w.network, Window::k_rows);
  std::vector<float> loss(2), p_true(2), dz(w.logits.size());
  OutputScores out;
  out.loss = loss.data(), out.p_true = p_true.data(), out.dz = dz.data();
  scorer.score(Window::k_rows, w.logits.data(), w.labels.data(), nullptr, 0.5f, out);
  for (int row = 0; row < Window::k_rows; ++row) {
    double mean = 0;
    for (int t = 0; t < Window::k_tokens; ++t) mean += w.loss(row * Window::k_tokens + t) / Window::k_tokens;
    EXPECT_NEAR(loss[static_cast<std::size_t>(row)], mean, 1e-6);
    EXPECT_NEAR(p_true[static_cast<std::size_t>(row)], std::exp(-mean), 1e-6);
  }
  for (int i = 0; i < static_cast<int>(dz.size()); ++i) {
    const int token = i / Window::k_words, word = i % Window::k_words;
    const double target = word == w.labels[static_cast<std::size_t>(token)] ? 1 : 0;
    EXPECT_NEAR(dz[static_cast<std::size_t>(i)], 0.5 / Window::k_tokens * (w.probability(token, word) - target), 1e-7);
  }
}

TEST(OutputsOfSequences, back_propagate_the_hardest_tokens_alone) {
  Window w;
  OutputScorer scorer(w.context, w.spec, w.network, Window::k_rows);
  std::vector<float> dz(w.logits.size());
  scorer.score_hardest(Window::k_rows, w.logits.data(), w.labels.data(), 0.375, dz.data());  // 3 of 8
  std::vector<int> order{0, 1, 2, 3, 4, 5, 6, 7};
  std::sort(order.begin(), order.end(), [&](int a, int b) { return w.loss(a) > w.loss(b); });
  for (int rank = 0; rank < 8; ++rank) {
    const int token = order[static_cast<std::size_t>(rank)];
    for (int word = 0; word < Window::k_words; ++word) {
      const double target = word == w.labels[static_cast<std::size_t>(token)] ? 1 : 0;
      const double expected = rank < 3 ? (w.probability(token, word) - target) / 3 : 0;
      EXPECT_NEAR(dz[static_cast<std::size_t>(token * Window::k_words + word)], expected, 1e-7) << token;
    }
  }
}

TEST(OutputsOfSequences, choose_tokens_only_where_there_are_some) {
  const TaskData data = testing::small_task();
  theory::TrainingSpec spec = testing::small_spec(data);
  spec.selection.token_share = 0.5;
  EXPECT_EQ(testing::error_code([&] { testing::run(spec, data); }), "E107");
}

}  // namespace
}  // namespace eos::sim
