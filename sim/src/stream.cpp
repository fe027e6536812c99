#include "stream.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "eos/core/philox.hpp"

namespace eos::sim {

using core::Purpose;
using theory::FractionSource;
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

Stream::Stream(const theory::SelectionSpec& selection, const OpenLoop& open_loop, Gate& gate, std::uint64_t seed)
    : selection_(selection), open_loop_(&open_loop), gate_(&gate), seed_(seed) {
  state.memory = SampleMemory(selection, open_loop.samples());
  if (selection.score == theory::Score::stale) state.plan.assign(static_cast<std::size_t>(open_loop.samples()), 1);
  state.adaptive = std::clamp(selection.fraction, selection.floor, 1.0);
}

double Stream::data_fraction(std::int64_t position) const {
  return selection_.fraction_source == FractionSource::adaptive ? state.adaptive : open_loop_->data_fraction(position);
}

double Stream::rate_factor(std::int64_t position) const {
  return open_loop_->all_data(position) ? 1.0 : state.rate_factor;
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
  adapt(step);
  state.memory.pass_epoch();
  if (selection_.present == Present::infobatch) state.mean_loss = state.memory.mean_loss();
  if (selection_.score == theory::Score::stale) make_plan(step);
  if (selection_.rate_compensation == theory::RateCompensation::nominal) state.rate_factor = 1 / data_fraction();
}

// The training accuracy is that of the rows forwarded in the epoch, so the feedback costs nothing.
void Stream::adapt(std::uint32_t epoch) {
  if (state.forwarded > 0) {
    const double accuracy = static_cast<double>(state.right) / static_cast<double>(state.forwarded);
    if (state.accuracy >= 0)
      state.adaptive = theory::adaptive_fraction(selection_, state.adaptive, accuracy - state.accuracy,
                                                 core::uniform(seed_, {0, epoch, Purpose::presentation, 0xFFFFFFFEu}));
    state.accuracy = accuracy;
  }
  state.forwarded = state.right = 0;
}

// Score::stale: the gate looks at the last scores of all samples; what was never seen is presented.
void Stream::make_plan(std::uint32_t epoch) {
  std::vector<Row> rows(state.plan.size());
  for (std::size_t i = 0; i < rows.size(); ++i)
    rows[i].sample = static_cast<std::int32_t>(i), rows[i].sure = !state.memory.seen(i);
  gate_->decide(rows, state.memory.last, {state.position, data_fraction(), epoch}, RunningMeans{}, state.plan);
  if (selection_.rate_compensation != theory::RateCompensation::realised) return;
  const auto kept = std::count(state.plan.begin(), state.plan.end(), 1);
  state.rate_factor = static_cast<double>(rows.size()) / static_cast<double>(std::max<std::ptrdiff_t>(1, kept));
}

bool Stream::present_random(std::int64_t position, double fraction) {
  if (selection_.rounding == theory::Rounding::batch_floor) {
    const std::int64_t place = position % open_loop_->samples(), batch = open_loop_->batch();
    const std::int64_t size = std::min(batch, open_loop_->samples() - place / batch * batch);
    return place % batch < static_cast<std::int64_t>(std::floor(fraction * static_cast<double>(size)));
  }
  const double before = std::floor(state.quota);
  state.quota += fraction;
  return std::floor(state.quota) > before;
}

bool Stream::present(std::int64_t position, std::int32_t sample, const RunningMeans& means, Row& row) {
  const auto s = static_cast<std::size_t>(sample);
  row = {sample, 1.0f, open_loop_->all_data(position), static_cast<std::uint32_t>(position)};
  if (selection_.score == theory::Score::stale) {
    if (row.sure) state.plan[s] = 1;
    row.sure = true;  // whether it is trained has been decided
    return state.plan[s] != 0;
  }
  if (selection_.present == Present::all) return true;
  if (selection_.present == Present::random) return present_random(position, row.sure ? 1.0 : data_fraction(position));
  if (row.sure) return true;
  const auto chance = [&] {
    return core::uniform(seed_, {0, static_cast<std::uint32_t>(order_epoch_), Purpose::presentation,
                                 static_cast<std::uint32_t>(sample)});
  };
  if (selection_.present == Present::infobatch) {
    if (!(state.memory.last.loss[s] < state.mean_loss)) return true;
    row.weight = static_cast<float>(1 / (1 - selection_.infobatch_r));
    return chance() >= selection_.infobatch_r;
  }
  if (!state.memory.seen(s)) return true;
  const float residual = state.memory.last.residual[s];
  if (inspects()) return chance() < state.inspection.probability(residual, gate_->presenting_cost(means));
  const double easy = selection_.spaced_threshold * (selection_.spaced_relative ? means.mean_squared() : 1.0);
  return !(residual * residual < easy) || chance() < selection_.spaced_probability;
}

void Stream::take(int count, const RunningMeans& means, std::vector<Row>& rows) {
  refresh_due_ = false;
  for (; count > 0 && !state.returned.empty(); --count) {
    rows.push_back(state.returned.front());
    state.returned.pop_front();
  }
  if (count == 0 || state.position >= open_loop_->positions()) return;
  begin_epoch();
  const std::int64_t first = order_epoch_ * open_loop_->samples();
  const std::int64_t end = std::min(first + open_loop_->samples(), open_loop_->positions());
  const std::int64_t begin = state.position;
  Row row;
  for (; count > 0 && state.position < end; ++state.position) {
    const std::int32_t sample = order_[static_cast<std::size_t>(state.position - first)];
    if (!present(state.position, sample, means, row)) continue;
    rows.push_back(row);
    --count;
  }
  if (inspects()) state.inspection.forget(open_loop_->epoch(state.position - begin));
  // Hidden samples are forwarded where somebody will still decide by what that finds.
  refresh_due_ = selection_.score == theory::Score::stale && state.position == first + open_loop_->samples() &&
                 (order_epoch_ + 1) % selection_.refresh_epochs == 0 && state.position < open_loop_->positions() &&
                 !open_loop_->all_data(state.position);
}

void Stream::hand_back(const std::vector<Row>& rows) {
  state.returned.insert(state.returned.begin(), rows.begin(), rows.end());
}

void Stream::remember(const Row& row, const Scores& scores, std::size_t index, const RunningMeans& means) {
  ++state.forwarded, state.right += scores.correct[index];
  if (state.memory.empty()) return;
  if (inspects()) note_recheck(row, scores.residual[index], means);
  state.memory.remember(static_cast<std::size_t>(row.sample), scores, index);
}

// A row that was handed back is forwarded twice in one presentation: the first time was the check.
void Stream::note_recheck(const Row& row, float residual, const RunningMeans& means) {
  const auto s = static_cast<std::size_t>(row.sample);
  const std::uint32_t age = row.view - static_cast<std::uint32_t>(state.memory.view[s]);
  if (state.memory.seen(s) && age > 0)
    state.inspection.note(state.memory.last.residual[s], gate_->surplus(residual, means), open_loop_->epoch(age));
  state.memory.view[s] = row.view;
}

std::vector<std::int32_t> Stream::hidden() const {
  std::vector<std::int32_t> samples;
  for (std::size_t i = 0; i < state.plan.size(); ++i)
    if (state.plan[i] == 0) samples.push_back(static_cast<std::int32_t>(i));
  return samples;
}

}  // namespace eos::sim
