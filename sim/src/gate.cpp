#include "gate.hpp"

#include <algorithm>
#include <cmath>

#include "eos/core/philox.hpp"
#include "eos/theory/feedback_law.hpp"
#include "eos/theory/inspection.hpp"

namespace eos::sim {

using Kind = theory::Gate;

UnitCosts unit_costs(const theory::PriceList& prices, const theory::NetworkCounts& counts) {
  const auto forward = static_cast<double>(counts.forward_macs);
  UnitCosts c;
  c.scored = forward * prices.scoring_mac + static_cast<double>(counts.input_bytes) * prices.input_byte + prices.sample;
  c.trained = static_cast<double>(counts.backward_macs) * prices.mac + forward * (prices.mac - prices.scoring_mac);
  c.read = static_cast<double>(counts.parameters) * prices.weight_read;
  return c;
}

Gate::Gate(const theory::SelectionSpec& selection, const OpenLoop& open_loop, UnitCosts costs, std::uint64_t seed)
    : selection_(selection), open_loop_(&open_loop), costs_(costs), seed_(seed) {}

double Gate::benefit(float residual) const {
  const auto r = static_cast<double>(residual);
  if (selection_.ratio_exponent == 1) return r;
  return selection_.ratio_exponent == 2 ? r * r : std::pow(r, selection_.ratio_exponent);
}

double Gate::expected_keep(std::int64_t position, double fraction, const RunningMeans& means) const {
  const bool decided = selection_.gate == Kind::all || selection_.score == theory::Score::stale;
  if (decided || open_loop_->all_data(position)) return 1;
  if (selection_.gate == Kind::ranked && selection_.confidence == 0) return fraction;
  const bool own = selection_.score == theory::Score::current;
  return std::clamp(own ? means.keep_fraction() : means.pass_fraction(), theory::k_least_keep, 1.0);
}

/// c_b + w of one more sample.
double Gate::training_cost(const RunningMeans& means) const {
  return costs_.trained + (means.updated > 0 ? means.update_cost / means.updated : 0.0);
}

double Gate::surplus(float residual, const RunningMeans& means) const {
  const double threshold = ratio_threshold(means);
  return threshold > 0 ? theory::training_surplus(benefit(residual), threshold, training_cost(means)) : 0.0;
}

double Gate::ratio_threshold(const RunningMeans& means) const {
  if (means.seen <= 0) return 0;
  theory::FeedbackLaw law;
  law.alpha = selection_.ratio_alpha;
  law.mean_benefit = means.benefit / means.seen;
  law.captured = means.benefit > 0 ? means.kept_benefit / means.benefit : 1.0;
  law.kept = means.keep_fraction();
  law.forward = presenting_cost(means);
  law.train = training_cost(means);
  return law.threshold();
}

// The hardest; with a confidence asked for, the easier ones too that are not surely right.
void Gate::decide_ranked(const std::vector<Row>& rows, const Scores& scores, Moment now,
                         std::vector<std::uint8_t>& keep) {
  candidates_.clear();
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (!rows[i].sure) candidates_.push_back(static_cast<std::int32_t>(i));
  const double offset = core::uniform(seed_, {0, now.decision, core::Purpose::selection, 0});
  const auto wanted = static_cast<std::size_t>(now.fraction * static_cast<double>(candidates_.size()) + offset);
  const std::size_t count = std::min(wanted, candidates_.size());
  const std::vector<float>& difficulty = selection_.rank_by == theory::Difficulty::loss ? scores.loss : scores.residual;
  const auto harder = [&](std::int32_t a, std::int32_t b) {
    const float ra = difficulty[static_cast<std::size_t>(a)], rb = difficulty[static_cast<std::size_t>(b)];
    return ra != rb ? ra > rb : a < b;
  };
  const auto cut = candidates_.begin() + static_cast<std::ptrdiff_t>(count);
  std::nth_element(candidates_.begin(), cut, candidates_.end(), harder);
  for (auto i = candidates_.begin(); i != cut; ++i) keep[static_cast<std::size_t>(*i)] = 1;
  if (selection_.confidence == 0) return;
  for (auto i = cut; i != candidates_.end(); ++i) {
    const auto row = static_cast<std::size_t>(*i);
    keep[row] = scores.correct[row] == 0 || scores.p_true[row] < selection_.confidence;
  }
}

// Selective-Backprop (Jiang et al., 2019): P(keep) = CDF(loss)^power, the CDF that of the recent losses, its own among
// them; with stale scores, of all that were seen.
void Gate::decide_by_chance(const std::vector<Row>& rows, const Scores& scores, Moment now,
                            std::vector<std::uint8_t>& keep) {
  std::vector<float> sorted;
  if (selection_.score == theory::Score::stale) {
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (!rows[i].sure) sorted.push_back(scores.loss[i]);
  } else {
    const auto capacity = static_cast<std::size_t>(selection_.chance_window);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (rows[i].sure) continue;
      const auto place = static_cast<std::size_t>(window.next++) % capacity;
      if (place < window.losses.size())
        window.losses[place] = scores.loss[i];
      else
        window.losses.push_back(scores.loss[i]);
    }
    sorted = window.losses;
  }
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].sure) continue;
    const auto below = std::upper_bound(sorted.begin(), sorted.end(), scores.loss[i]) - sorted.begin();
    const double share = static_cast<double>(below) / static_cast<double>(sorted.size());
    const double draw =
        core::uniform(seed_, {0, now.decision, core::Purpose::selection, static_cast<std::uint32_t>(i + 1)});
    keep[i] = draw < std::pow(share, selection_.chance_power);
  }
}

/// Rules that look at one row at a time; `bar` is tau, or the threshold of the feedback law.
bool Gate::keeps(const Scores& scores, std::size_t row, double bar) const {
  const bool wrong = scores.correct[row] == 0;
  switch (selection_.gate) {
    case Kind::threshold:
      return bar == 0 ? wrong : scores.p_true[row] < bar;
    case Kind::errors:
      return wrong || scores.p_true[row] < selection_.margin;
    case Kind::gap:
      return wrong || scores.gap[row] < selection_.margin;
    case Kind::flat:
      return !(scores.curvature[row] < selection_.flatness);
    case Kind::ratio:
      return benefit(scores.residual[row]) > bar;
    case Kind::all:
    case Kind::ranked:
    case Kind::chance:
      break;
  }
  return true;
}

void Gate::decide(const std::vector<Row>& rows, const Scores& scores, Moment now, const RunningMeans& means,
                  std::vector<std::uint8_t>& keep) {
  keep.assign(rows.size(), 1);
  if (selection_.gate == Kind::all) return;
  const bool alone = selection_.gate != Kind::ranked && selection_.gate != Kind::chance;
  const double bar = selection_.gate == Kind::ratio ? ratio_threshold(means) : open_loop_->tau(now.position);
  for (std::size_t i = 0; i < rows.size(); ++i) keep[i] = rows[i].sure || (alone && keeps(scores, i, bar));
  if (selection_.gate == Kind::ranked) decide_ranked(rows, scores, now, keep);
  if (selection_.gate == Kind::chance) decide_by_chance(rows, scores, now, keep);
}

}  // namespace eos::sim
