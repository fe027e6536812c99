#include "sample_memory.hpp"

#include <cmath>
#include <limits>
#include <string>

namespace eos::sim {

namespace {
constexpr float k_never = std::numeric_limits<float>::infinity();
constexpr std::size_t k_epochs = 3;  // over which IES averages its second differences
}  // namespace

SampleMemory::SampleMemory(const theory::SelectionSpec& selection, std::int64_t samples) {
  const bool stale = selection.score == theory::Score::stale;
  const bool inspected = selection.present == theory::Present::inspected;
  const bool looks_back =
      selection.present == theory::Present::infobatch || selection.present == theory::Present::spaced || inspected;
  if (!stale && !looks_back) return;
  const auto n = static_cast<std::size_t>(samples);
  last.resize(n);
  last.loss.assign(n, k_never);
  if (inspected) view.assign(n, 0);
  if (selection.gate != theory::Gate::flat) return;
  history.assign(k_epochs + 2, std::vector<float>(n, k_never));
  last.curvature.assign(n, k_never);
}

bool SampleMemory::seen(std::size_t sample) const { return std::isfinite(last.loss[sample]); }

void SampleMemory::remember(std::size_t sample, const Scores& scores, std::size_t row) {
  last.loss[sample] = scores.loss[row];
  last.p_true[sample] = scores.p_true[row];
  last.residual[sample] = scores.residual[row];
  last.gap[sample] = scores.gap[row];
  last.correct[sample] = scores.correct[row];
}

double SampleMemory::mean_loss() const {
  double sum = 0;
  std::int64_t count = 0;
  for (const float loss : last.loss)
    if (std::isfinite(loss)) sum += loss, ++count;
  return count > 0 ? sum / static_cast<double>(count) : 0.0;
}

void SampleMemory::pass_epoch() {
  if (history.empty()) return;
  for (std::size_t e = history.size(); e-- > 1;) history[e].swap(history[e - 1]);
  history[0] = last.loss;
  for (std::size_t i = 0; i < last.loss.size(); ++i) {
    double sum = 0;
    for (std::size_t e = 0; e < k_epochs; ++e)
      sum += std::abs(static_cast<double>(history[e][i]) - 2.0 * history[e + 1][i] + history[e + 2][i]);
    // Infinite losses of epochs not lived through give no number: such a sample is not flat.
    last.curvature[i] = std::isfinite(sum) ? static_cast<float>(sum / k_epochs) : k_never;
  }
}

std::vector<std::pair<std::string, std::vector<float>*>> SampleMemory::arrays() {
  if (empty()) return {};
  std::vector<std::pair<std::string, std::vector<float>*>> all{{"last_loss", &last.loss},
                                                               {"last_p_true", &last.p_true},
                                                               {"last_residual", &last.residual},
                                                               {"last_gap", &last.gap}};
  for (std::size_t e = 0; e < history.size(); ++e) all.emplace_back("loss_history_" + std::to_string(e), &history[e]);
  return all;
}

}  // namespace eos::sim
