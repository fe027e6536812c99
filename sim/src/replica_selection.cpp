// What selection asks of the network beyond the forward of a chunk, and how deep an update goes.
#include <algorithm>
#include <cmath>
#include <functional>

#include "replica.hpp"

namespace eos::sim {

// The largest probability minus the second largest, from logits [rows][classes].
void Replica::score_gaps(const float* logits) {
  const auto classes = static_cast<std::size_t>(setup_.layout.classes());
  logits_.resize(rows_.size() * classes);
  context_.copy_out(logits_.data(), logits, logits_.size() * sizeof(float));
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const auto begin = logits_.begin() + static_cast<std::ptrdiff_t>(i * classes);
    const auto end = begin + static_cast<std::ptrdiff_t>(classes);
    std::partial_sort(begin, begin + 2, end, std::greater<>());
    double sum = 0;
    for (auto z = begin; z != end; ++z) sum += std::exp(static_cast<double>(*z - *begin));
    host_scores_.gap[i] = static_cast<float>(-std::expm1(static_cast<double>(begin[1] - *begin)) / sum);
  }
}

void Replica::count_presented(std::int64_t rows) {
  ledger_.samples_seen += rows;
  ledger_.input_bytes += rows * setup_.counts.input_bytes;
}

// A forward reads all weights; where every row brings its first hidden layer along, the first layer's were read before.
void Replica::count_reads() {
  const bool first_read = passed_.size() == rows_.size();
  ledger_.weight_reads += structure_.forward_reads(first_read ? 1 : 0);
}

void Replica::load_samples(const std::vector<Row>& rows) {
  row_samples_.clear(), row_labels_.clear(), row_weights_.clear(), row_views_.clear();
  for (const Row& row : rows) {
    row_samples_.push_back(row.sample);
    row_views_.push_back(row.view);
    const auto label = setup_.train.set().labels.begin() + std::ptrdiff_t{row.sample} * setup_.layout.predictions();
    row_labels_.insert(row_labels_.end(), label, label + setup_.layout.predictions());
    row_weights_.push_back(row.weight);
  }
}

// Forwards what this epoch hid, so that the next decides by scores of the same age: pure scoring.
void Replica::refresh_hidden() {
  const std::vector<std::int32_t> samples = stream_.hidden();
  const auto capacity = static_cast<std::size_t>(chunk_.capacity());
  const auto view = static_cast<std::uint32_t>(stream_.state.position);
  for (std::size_t first = 0; first < samples.size(); first += capacity) {
    const std::size_t end = std::min(first + capacity, samples.size());
    rows_.clear();
    for (std::size_t i = first; i < end; ++i) rows_.push_back({samples[i], 1.0f, false, view});
    forward_chunk(false);
    const auto n = static_cast<std::int64_t>(rows_.size());
    count_presented(n);
    count_reads();
    ledger_.scoring_macs += n * counts_.forward_macs;
    for (std::size_t i = 0; i < rows_.size(); ++i) stream_.remember(rows_[i], host_scores_, i, means_);
  }
}

// Something cheaper than the network scores the rows that are not certain. What it keeps is certain from then on: as
// many as fit the batch stay in rows_, after the certain ones, the others wait in the stream.
void Replica::prefilter(Moment now) {
  passed_.clear(), candidates_.clear();
  prescored_ = 0;
  const auto certain = std::stable_partition(rows_.begin(), rows_.end(), [](const Row& row) { return row.sure; });
  candidates_.assign(certain, rows_.end());
  rows_.erase(certain, rows_.end());
  const int certain_rows = static_cast<int>(rows_.size());
  if (!candidates_.empty()) {
    load_samples(candidates_);
    if (proxy_)
      score_by_proxy();
    else
      score_by_features(now.position / setup_.open_loop.samples());
    now.fraction = stream_.data_fraction(now.position), now.decision = static_cast<std::uint32_t>(++chunks_);
    gate_.decide(candidates_, host_scores_, now, means_, keep_);
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
      if (keep_[i] == 0) continue;
      passed_.push_back(static_cast<std::int32_t>(i));
      rows_.push_back(candidates_[i]);
      rows_.back().sure = true;
    }
    means_.note_scored(static_cast<int>(candidates_.size()), static_cast<int>(passed_.size()));
    count_presented(static_cast<std::int64_t>(candidates_.size()));
    if (proxy_ && proxy_->learns())
      proxy_->learn(passed_, row_labels_, setup_.open_loop.learning_rate(now.position, now.position, means_.accuracy()),
                    ledger_);
  }
  const int room = full_batches() ? setup_.spec.batch - pending_.size() : setup_.spec.batch;
  if (static_cast<int>(rows_.size()) > room) {
    stream_.hand_back({rows_.begin() + room, rows_.end()});
    rows_.resize(static_cast<std::size_t>(room));
  }
  prescored_ = std::max(0, static_cast<int>(rows_.size()) - certain_rows);
  passed_.resize(density_ ? static_cast<std::size_t>(prescored_) : 0);
  // Features that the forward pass does not take over were computed for the score alone.
  if (density_) ledger_.scoring_macs += (static_cast<std::int64_t>(candidates_.size()) - prescored_) * shallow_macs();
}

void Replica::score_by_proxy() {
  gather(setup_.train, row_samples_, row_views_, proxy_->inputs());
  proxy_->score(row_labels_, host_scores_, ledger_);
}

void Replica::score_by_features(std::int64_t epoch) {
  refresh_centres(epoch);
  load_samples(candidates_);
  const std::vector<float> features = first_features();
  density_->score(features, candidates_.size(), host_scores_);
  ledger_.scoring_macs += static_cast<std::int64_t>(candidates_.size()) * density_->row_macs();
}

// The centres move with the network: they are forwarded once an epoch.
void Replica::refresh_centres(std::int64_t epoch) {
  if (centres_epoch_ == epoch) return;
  centres_epoch_ = epoch;
  const std::vector<std::int32_t>& centres = density_->centres();
  const auto capacity = static_cast<std::size_t>(chunk_.capacity());
  std::vector<float> all;
  row_views_.clear();  // centres are not augmented
  for (std::size_t first = 0; first < centres.size(); first += capacity) {
    const std::size_t end = std::min(first + capacity, centres.size());
    row_samples_.assign(centres.begin() + static_cast<std::ptrdiff_t>(first),
                        centres.begin() + static_cast<std::ptrdiff_t>(end));
    const std::vector<float> features = first_features();
    all.insert(all.end(), features.begin(), features.end());
  }
  density_->put_centres(std::move(all));
  const auto n = static_cast<std::int64_t>(centres.size());
  ledger_.input_bytes += n * setup_.counts.input_bytes;
  ledger_.scoring_macs += n * shallow_macs() + density_->bandwidth_macs();
}

std::int64_t Replica::shallow_macs() const { return structure_.topology().connections().used.front(); }

// The first hidden layer of row_samples_, in chunk_ and on the host.
std::vector<float> Replica::first_features() {
  const auto rows = static_cast<int>(row_samples_.size());
  gather(setup_.train, row_samples_, row_views_, chunk_.row(0, 0));
  forward(context_, setup_.layout, forward_weights(), chunk_, Pass{0, rows}, 0, 1);
  std::vector<float> features(row_samples_.size() * static_cast<std::size_t>(setup_.layout.widths[1]));
  context_.copy_out(features.data(), chunk_.row(1, 0), features.size() * sizeof(float));
  ledger_.weight_reads += structure_.forward_reads() - structure_.forward_reads(1);
  return features;
}

// The forward of rows_ in batch_; the last of them have their first hidden layer in chunk_.
void Replica::forward_from_features(int first) {
  const auto rows = static_cast<int>(rows_.size()), reused = static_cast<int>(passed_.size());
  const Network& layout = setup_.layout;
  if (rows > reused) forward(context_, layout, forward_weights(), batch_, Pass{first, rows - reused}, 0, 1);
  context_.copy_in(index_.data(), passed_.data(), passed_.size() * sizeof(std::int32_t));
  kernels::compact_rows(context_, chunk_.row(1, 0), layout.widths[1], index_.data(), reused,
                        batch_.row(1, first + rows - reused));
  forward(context_, layout, forward_weights(), batch_, Pass{first, rows}, 1);
}

// The forward passes behind an update are those of all samples presented for it.
void Replica::choose_depth(int rows) {
  if (!layer_gate_.on()) return;
  const theory::PriceList& prices = setup_.spec.prices;
  const double trained = static_cast<double>(setup_.counts.forward_macs) * (prices.mac - prices.scoring_mac);
  const double forward_cost = rows * (means_.forward_cost / std::max(means_.kept, 1.0) + trained);
  structure_.stop_at(layer_gate_.choose(ledger_.steps + 1, rows, structure_.first_layer(), forward_cost,
                                        setup_.open_loop.all_data(batch_begin_)));
}

}  // namespace eos::sim
