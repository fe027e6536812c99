#include "layer_gate.hpp"

#include <cmath>
#include <limits>

#include "eos/core/philox.hpp"
#include "eos/theory/inspection.hpp"

namespace eos::sim {

using Kind = theory::LayerGate;

namespace {
constexpr double k_window = 4096;     // samples over which means forget, as RunningMeans
constexpr double k_pass_window = 32;  // full passes over which the change of the surplus forgets
}  // namespace

LayerGate::LayerGate(const kernels::Context& context, const theory::TrainingSpec& spec,
                     const theory::PlasticitySpec& effective, const Network& network, std::uint64_t seed)
    : context_(context),
      rule_(effective.layer_gate),
      share_(effective.depth_share),
      adaptive_rate_(spec.optimiser.kind != theory::OptimiserKind::sgd),
      prices_(spec.prices),
      network_(network),
      seed_(seed) {
  if (rule_ != Kind::ratio) return;
  for (int l = 0; l < network.layers(); ++l) backward_macs_.push_back(theory::backward_macs(network.graph, l));
  means_.resize(backward_macs_.size());
  host_norms_.resize(means_.size());
  norms_ = kernels::Buffer<kernels::ClipResult>(context, means_.size());
}

/// Uniform among the blocks above the lowest that could learn.
int LayerGate::draw(std::int64_t step, int frozen) const {
  const core::Words words = core::draw(seed_, {static_cast<std::uint32_t>(network_.layers()),
                                               static_cast<std::uint32_t>(step), core::Purpose::unit_choice, 0});
  const int above = network_.layers() - frozen - 1;
  if (above <= 0 || core::uniform(words.v[0]) < share_) return frozen;
  return frozen + 1 + static_cast<int>(core::uniform_int(words.v[1], static_cast<std::uint32_t>(above)));
}

/// What the means say about the present update.
theory::LayerDepth LayerGate::best() const {
  std::vector<double> progress, cost(means_.size());
  for (const Means& m : means_) progress.push_back(m.seen > 0 ? m.progress / m.seen : 0);
  double writing = 0;
  for (std::size_t l = cost.size(); l-- > 0;) {
    const std::int64_t words = network_.parameters() - network_.offsets[l];
    writing += means_[l].seen > 0 ? means_[l].writing / means_[l].seen : 0;
    cost[l] = forward_cost_ + static_cast<double>(rows_ * backward_macs_[l]) * prices_.mac +
              2 * static_cast<double>(words) * prices_.weight_read + writing;
  }
  return theory::best_depth(progress, cost, frozen_);
}

int LayerGate::choose(std::int64_t step, int rows, int frozen, double forward_cost, bool whole) {
  frozen_ = first_ = frozen, rows_ = rows, forward_cost_ = forward_cost;
  if (!on() || whole || frozen >= network_.layers()) return first_;
  if (rule_ == Kind::random) return first_ = draw(step, frozen);
  if (between_ == 0) return first_;  // nothing is known about how fast surpluses change
  const theory::LayerDepth depth = best();
  if (depth.surplus >= 0) return first_;
  const double p = theory::inspection_probability(change_ / between_, depth.extra);
  const double u = core::uniform(seed_, {static_cast<std::uint32_t>(network_.layers()),
                                         static_cast<std::uint32_t>(step), core::Purpose::unit_choice, 0});
  if (u >= p) first_ = depth.block;
  return first_;
}

// At a full pass: how much its surplus has changed since the last.
void LayerGate::inspect() {
  const double surplus = best().surplus, f = std::exp(-1 / k_pass_window);
  if (passes_ > 0) {
    change_ = f * change_ + std::abs(surplus - surplus_);
    between_ = f * between_ + updates_;
  }
  surplus_ = surplus, passes_ += 1, updates_ = 0;
}

void LayerGate::note(const float* gradient, const std::vector<theory::Ledger>& changes) {
  if (rule_ != Kind::ratio) return;
  constexpr double k_no_limit = std::numeric_limits<double>::infinity();
  for (int l = first_; l < network_.layers(); ++l) {
    auto* block = const_cast<float*>(gradient) + network_.block(l).offset;  // NOLINT: without a limit it is only read
    kernels::clip_gradient(context_, {1, network_.block(l).size(), 0}, k_no_limit, block, norms_.data() + l);
  }
  context_.copy_out(host_norms_.data(), norms_.data(), host_norms_.size() * sizeof host_norms_[0]);
  const double f = std::exp(-rows_ / k_window);
  for (auto l = static_cast<std::size_t>(first_); l < means_.size(); ++l) {
    const double norm = host_norms_[l].norm;
    const double n = static_cast<double>(network_.block(static_cast<int>(l)).size());
    Means& m = means_[l];
    m.seen = f * m.seen + rows_;
    m.progress = f * m.progress + rows_ * (adaptive_rate_ ? std::sqrt(n) * norm : norm * norm);
    m.writing = f * m.writing +
                rows_ * (theory::energy(changes[l], prices_).total() - prices_.maintenance * changes[l].maintenance);
  }
  updates_ += 1;
  if (first_ == frozen_) inspect();
}

std::vector<double> LayerGate::sums() const {
  if (rule_ != Kind::ratio) return {};
  std::vector<double> all{updates_, surplus_, passes_, change_, between_};
  for (const Means& m : means_) all.insert(all.end(), {m.seen, m.progress, m.writing});
  return all;
}

void LayerGate::restore(const std::vector<double>& sums) {
  updates_ = sums[0], surplus_ = sums[1], passes_ = sums[2], change_ = sums[3], between_ = sums[4];
  for (std::size_t l = 0; l < means_.size(); ++l) means_[l] = {sums[5 + 3 * l], sums[6 + 3 * l], sums[7 + 3 * l]};
}

}  // namespace eos::sim
