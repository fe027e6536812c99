#include "growth.hpp"

#include <algorithm>

#include "eos/core/error.hpp"

namespace eos::sim {

Growth::Growth(const kernels::Context& context, const theory::GrowthSpec& spec, const Network& network)
    : spec_(spec), network_(&network) {
  if (!on()) return;
  if (network.branches.empty()) {
    throw core::Error(
        "E107", "plasticity.growth adds residual branches, but this network has none",
        "choose architecture = \"vit\" or \"gpt\", or layers that add what a dense layer or a convolution "
        "makes to its input");
  }
  host_flags_.assign(static_cast<std::size_t>(network.parameters()), 1);
  flags_ = kernels::Buffer<std::uint8_t>(context, host_flags_);
  advance(0);
}

void Growth::start(kernels::Buffer<float>& weights) const {
  if (!on()) return;
  std::vector<float> all = weights.get();
  for (auto b = static_cast<std::size_t>(depth_); b < network_->branches.size(); ++b) {
    const theory::Block& last = network_->block(network_->branches[b].last);
    std::fill_n(all.begin() + last.offset, last.size(), 0.0f);
  }
  weights.put(all);
}

bool Growth::advance(double progress) {
  if (!on()) return false;
  const auto count = static_cast<int>(network_->branches.size());
  const int depth = theory::grown_branches(spec_, count, progress);
  if (depth == depth_) return false;
  depth_ = depth;
  saved_ = {};
  resting_.assign(depth < count ? static_cast<std::size_t>(network_->layers()) : 0, 0);
  std::fill(host_flags_.begin(), host_flags_.end(), std::uint8_t{1});
  for (auto b = static_cast<std::size_t>(depth); b < network_->branches.size(); ++b) {
    const theory::Branch& branch = network_->branches[b];
    saved_.forward_macs += branch.forward_macs;
    saved_.backward_macs += branch.backward_macs;
    saved_.parameters += branch.parameters;
    for (int l = branch.first_block; l < branch.end_block; ++l) {
      resting_[static_cast<std::size_t>(l)] = 1;
      std::fill_n(host_flags_.begin() + network_->block(l).offset, network_->block(l).size(), std::uint8_t{0});
    }
  }
  flags_.put(host_flags_);
  return true;
}

}  // namespace eos::sim
