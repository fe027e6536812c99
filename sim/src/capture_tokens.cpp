// Tokens of sequences as carriers: ranked by loss over all sequences, the sequences dealt into folds.
#include <algorithm>

#include "calibrate_capture.hpp"

namespace eos::sim {
namespace {

const std::vector<double> k_token_fractions{0.05, 0.1, 0.2, 0.35, 0.6, 1};

}  // namespace

void capture_tokens(SampleGradients& gradients, const CaptureTask& task, const CaptureSettings& settings,
                    theory::CaptureSnapshot& snapshot) {
  const LabelledSet& set = task.data.train;
  const int windows = std::min({settings.windows, settings.samples, set.samples});
  const auto tokens = static_cast<std::size_t>(task.network.predictions());
  std::vector<std::int32_t> sample, token;
  std::vector<int> fold;
  for (int i = 0; i < windows; ++i)
    sample.push_back(static_cast<std::int32_t>(static_cast<std::int64_t>(i) * set.samples / windows));
  const SampleGradients::Scores scores = gradients.score(set, sample);
  for (std::size_t i = 0; i < scores.token_loss.size(); ++i) {
    token.push_back(static_cast<std::int32_t>(i));
    fold.push_back(static_cast<int>(i / tokens) % settings.folds);
  }
  const CaptureGroups groups =
      capture_groups(token, scores.token_loss, scores.token_residual, k_token_fractions, settings.folds,
                     std::min(settings.singles, settings.windows), settings.seed, settings.snapshot, fold);
  std::vector<int> class_of(token.size());
  for (std::size_t i = 0; i < groups.carrier.size(); ++i)
    class_of[static_cast<std::size_t>(groups.carrier[i])] = groups.of_class[i];

  const auto parameters = static_cast<std::size_t>(task.network.parameters());
  std::vector<std::vector<float>> sums(static_cast<std::size_t>(groups.classes() * groups.folds),
                                       std::vector<float>(parameters, 0.0f));
  for (int f = 0; f < groups.folds; ++f)
    for (int c = 0; c < groups.classes(); ++c) {
      std::vector<std::int32_t> members;
      std::vector<float> weight;
      for (int w = f; w < windows; w += groups.folds) {
        members.push_back(sample[static_cast<std::size_t>(w)]);
        for (std::size_t t = 0; t < tokens; ++t)
          weight.push_back(class_of[static_cast<std::size_t>(w) * tokens + t] == c ? 1.0f : 0.0f);
      }
      gradients.add(set, members, weight, sums[static_cast<std::size_t>(c * groups.folds + f)]);
    }
  CaptureMoments moments(groups, task.network.layers());
  add_products(sums, task.network.offsets, moments);
  std::vector<float> gradient(parameters);
  for (std::size_t i : groups.singles) {
    const auto at = static_cast<std::size_t>(groups.carrier[i]);
    std::vector<float> alone(tokens, 0.0f);
    alone[at % tokens] = 1;
    std::fill(gradient.begin(), gradient.end(), 0.0f);
    gradients.add(set, {sample[at / tokens]}, alone, gradient);
    add_squares(gradient, task.network.offsets, groups.of_class[i], groups.of_fold[i], moments);
  }
  snapshot.token_signal = signal_curve(groups, moments, -1);
  snapshot.token_noise = noise_curve(groups, moments, -1);
}

}  // namespace eos::sim
