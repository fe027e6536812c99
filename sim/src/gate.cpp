#include "gate.hpp"

#include <algorithm>
#include <cmath>

#include "eos/core/philox.hpp"

namespace eos::sim {

using Kind = theory::Gate;

namespace {
// Floors of the feedback law: below them a law that has once dropped everything could not find back.
constexpr double k_least_keep = 0.005;
constexpr double k_least_capture = 0.02;
}  // namespace

void Scores::resize(std::size_t rows) {
  loss.resize(rows), p_true.resize(rows), residual.resize(rows), correct.resize(rows);
}

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

double Gate::expected_keep(std::int64_t position, const RunningMeans& means) const {
  if (selection_.gate == Kind::all || open_loop_->all_data(position)) return 1;
  if (selection_.gate == Kind::ranked) return open_loop_->data_fraction(position);
  return std::clamp(means.keep_fraction(), k_least_keep, 1.0);
}

double Gate::ratio_threshold(const RunningMeans& means) const {
  if (means.seen <= 0) return 0;
  // H = 0 of the free-horizon problem: keep a sample iff its benefit per joule of training it is at least alpha times
  // the average benefit per joule, R mean(r^q) / C with C = c_f + rho (c_b + w).
  const double rho = std::max(k_least_keep, means.keep_fraction());
  const double captured = means.benefit > 0 ? means.kept_benefit / means.benefit : 1.0;
  const double forward = means.forward_cost / means.seen;
  const double train = costs_.trained + (means.updated > 0 ? means.update_cost / means.updated : 0.0);
  const double cost = forward + rho * train;
  if (!(cost > 0)) return 0;
  return selection_.ratio_alpha * (means.benefit / means.seen) * std::max(k_least_capture, captured) * train / cost;
}

void Gate::decide_ranked(const std::vector<Row>& rows, const Scores& scores, double fraction, std::uint32_t chunk,
                         std::vector<std::uint8_t>& keep) {
  candidates_.clear();
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (!rows[i].sure) candidates_.push_back(static_cast<std::int32_t>(i));
  const double offset = core::uniform(seed_, {0, chunk, core::Purpose::selection, 0});
  const auto wanted = static_cast<std::size_t>(fraction * static_cast<double>(candidates_.size()) + offset);
  const std::size_t count = std::min(wanted, candidates_.size());
  const auto harder = [&](std::int32_t a, std::int32_t b) {
    const float ra = scores.residual[static_cast<std::size_t>(a)], rb = scores.residual[static_cast<std::size_t>(b)];
    return ra != rb ? ra > rb : a < b;
  };
  const auto cut = candidates_.begin() + static_cast<std::ptrdiff_t>(count);
  std::nth_element(candidates_.begin(), cut, candidates_.end(), harder);
  for (auto i = candidates_.begin(); i != cut; ++i) keep[static_cast<std::size_t>(*i)] = 1;
}

void Gate::decide(const std::vector<Row>& rows, const Scores& scores, double fraction, std::uint32_t chunk,
                  const RunningMeans& means, std::vector<std::uint8_t>& keep) {
  keep.assign(rows.size(), 0);
  const double threshold = selection_.gate == Kind::ratio ? ratio_threshold(means) : 0.0;
  const bool errors_only = selection_.gate == Kind::errors || selection_.tau == 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    bool kept = rows[i].sure;
    switch (selection_.gate) {
      case Kind::all:
        kept = true;
        break;
      case Kind::threshold:
      case Kind::errors:
        kept = kept || (errors_only ? scores.correct[i] == 0 : scores.p_true[i] < selection_.tau);
        break;
      case Kind::ratio:
        kept = kept || benefit(scores.residual[i]) > threshold;
        break;
      case Kind::ranked:
        break;
    }
    keep[i] = kept ? 1 : 0;
  }
  if (selection_.gate == Kind::ranked) decide_ranked(rows, scores, fraction, chunk, keep);
}

}  // namespace eos::sim
