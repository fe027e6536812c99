#include "stream.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "eos/core/philox.hpp"

namespace eos::sim {

using core::Purpose;
using theory::Present;

std::vector<std::int32_t> epoch_order(std::uint64_t seed, std::uint32_t epoch, std::int64_t samples) {
  std::vector<std::int32_t> order(static_cast<std::size_t>(samples));
  std::iota(order.begin(), order.end(), 0);
  core::Words words{};
  for (auto i = static_cast<std::uint32_t>(samples); i-- > 1;) {
    // One address serves four consecutive exchanges; the first of them may start inside the group.
    if (i % 4 == 3 || i + 1 == static_cast<std::uint32_t>(samples))
      words = core::draw(seed, {0, epoch, Purpose::shuffle, i / 4});
    std::swap(order[i], order[core::uniform_int(words.v[i % 4], i + 1)]);
  }
  return order;
}

std::vector<std::int32_t> epoch_draws(std::uint64_t seed, std::uint32_t epoch, std::int64_t samples) {
  std::vector<std::int32_t> order(static_cast<std::size_t>(samples));
  core::Words words{};
  for (std::uint32_t i = 0; i < order.size(); ++i) {
    if (i % 4 == 0) words = core::draw(seed, {0, epoch, Purpose::shuffle, i / 4});
    order[i] = static_cast<std::int32_t>(core::uniform_int(words.v[i % 4], static_cast<std::uint32_t>(samples)));
  }
  return order;
}

Stream::Stream(const theory::SelectionSpec& selection, const OpenLoop& open_loop, std::uint64_t seed)
    : selection_(selection), open_loop_(&open_loop), seed_(seed) {
  if (selection.present == Present::infobatch || selection.present == Present::spaced)
    state.last_score.assign(static_cast<std::size_t>(open_loop.samples()), std::numeric_limits<float>::infinity());
}

void Stream::begin_epoch() {
  const std::int64_t epoch = state.position / open_loop_->samples();
  if (order_epoch_ == epoch) return;
  order_epoch_ = epoch;
  const auto step = static_cast<std::uint32_t>(epoch);
  switch (open_loop_->order()) {
    case theory::Order::shuffled:
      order_ = epoch_order(seed_, step, open_loop_->samples());
      break;
    case theory::Order::file:
      order_.resize(static_cast<std::size_t>(open_loop_->samples()));
      std::iota(order_.begin(), order_.end(), 0);
      break;
    case theory::Order::replacement:
      order_ = epoch_draws(seed_, step, open_loop_->samples());
      break;
  }
  if (state.position % open_loop_->samples() != 0) return;  // resumed inside the epoch: the rest is in `state`
  // A random offset makes floor(quota) an unbiased rounding of the number presented so far, and of the epoch's total.
  state.quota = core::uniform(seed_, {0, step, Purpose::presentation, 0xFFFFFFFFu});
  if (selection_.present != Present::infobatch) return;
  double sum = 0;
  std::int64_t seen = 0;
  for (float loss : state.last_score)
    if (std::isfinite(loss)) sum += loss, ++seen;
  state.mean_loss = seen > 0 ? sum / static_cast<double>(seen) : 0.0;
}

bool Stream::present(std::int64_t position, std::int32_t sample, const RunningMeans& means, Row& row) {
  row = {sample, 1.0f, open_loop_->all_data(position)};
  if (selection_.present == Present::all) return true;
  if (selection_.present == Present::random) {
    const double before = std::floor(state.quota);
    state.quota += row.sure ? 1.0 : open_loop_->data_fraction(position);
    return std::floor(state.quota) > before;
  }
  if (row.sure) return true;
  const double score = state.last_score[static_cast<std::size_t>(sample)];
  const auto chance = [&] {
    return core::uniform(seed_, {0, static_cast<std::uint32_t>(order_epoch_), Purpose::presentation,
                                 static_cast<std::uint32_t>(sample)});
  };
  if (selection_.present == Present::infobatch) {
    if (!(score < state.mean_loss)) return true;
    row.weight = static_cast<float>(1 / (1 - selection_.infobatch_r));
    return chance() >= selection_.infobatch_r;
  }
  const double easy = selection_.spaced_threshold * (selection_.spaced_relative ? means.mean_squared() : 1.0);
  return !(score < easy) || chance() < selection_.spaced_probability;
}

void Stream::take(int count, const RunningMeans& means, std::vector<Row>& rows) {
  for (; count > 0 && !state.returned.empty(); --count) {
    rows.push_back(state.returned.front());
    state.returned.pop_front();
  }
  if (count == 0 || state.position >= open_loop_->positions()) return;
  begin_epoch();
  const std::int64_t first = order_epoch_ * open_loop_->samples();
  const std::int64_t end = std::min(first + open_loop_->samples(), open_loop_->positions());
  Row row;
  for (; count > 0 && state.position < end; ++state.position) {
    const std::int32_t sample = order_[static_cast<std::size_t>(state.position - first)];
    if (!present(state.position, sample, means, row)) continue;
    rows.push_back(row);
    --count;
  }
}

void Stream::hand_back(const std::vector<Row>& rows) {
  state.returned.insert(state.returned.begin(), rows.begin(), rows.end());
}

void Stream::remember(std::int32_t sample, float loss, float residual) {
  if (state.last_score.empty()) return;
  state.last_score[static_cast<std::size_t>(sample)] =
      selection_.present == Present::infobatch ? loss : residual * residual;
}

}  // namespace eos::sim
