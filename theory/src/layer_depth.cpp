#include "eos/theory/layer_depth.hpp"

namespace eos::theory {

LayerDepth best_depth(const std::vector<double>& progress, const std::vector<double>& cost, int first) {
  double sum = 0, gained = 0, spent = 0;  // down to k, and at the best k
  LayerDepth best;
  best.block = first;
  for (int k = static_cast<int>(progress.size()) - 1; k > first; --k) {
    const auto at = static_cast<std::size_t>(k);
    sum += progress[at];
    if (!(sum > 0 && cost[at] > 0) || sum * spent < gained * cost[at]) continue;
    gained = sum, spent = cost[at], best.block = k;
  }
  if (!(gained > 0)) return best;
  const auto all = static_cast<std::size_t>(first);
  best.surplus = (sum + progress[all]) * spent / gained - cost[all];
  best.extra = cost[all] - spent;
  return best;
}

}  // namespace eos::theory
