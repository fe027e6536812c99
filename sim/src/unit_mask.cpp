#include "unit_mask.hpp"

#include <algorithm>
#include <numeric>

#include "eos/core/philox.hpp"

namespace eos::sim {

using core::Purpose;
using theory::UnitRule;

namespace {

/// Word i of the draws at consecutive indices of an address.
std::uint32_t word(std::uint64_t seed, core::Address address, std::int64_t i) {
  address.index = static_cast<std::uint32_t>(i / 4);
  return core::draw(seed, address).v[i % 4];
}

}  // namespace

const std::vector<std::uint8_t>& SubsetDraw::operator()(std::int64_t size, std::int64_t k, std::uint64_t seed,
                                                        core::Address address) {
  const auto n = static_cast<std::size_t>(size);
  words_.resize(n), order_.resize(n);
  for (std::size_t i = 0; i < n; ++i) words_[i] = word(seed, address, static_cast<std::int64_t>(i));
  std::iota(order_.begin(), order_.end(), std::int64_t{0});
  const auto cut = order_.begin() + static_cast<std::ptrdiff_t>(std::clamp<std::int64_t>(k, 0, size));
  std::nth_element(order_.begin(), cut, order_.end(), [this](std::int64_t a, std::int64_t b) {
    const std::uint32_t wa = words_[static_cast<std::size_t>(a)], wb = words_[static_cast<std::size_t>(b)];
    return wa != wb ? wa < wb : a < b;
  });
  flags_.assign(n, 0);
  for (auto i = order_.begin(); i != cut; ++i) flags_[static_cast<std::size_t>(*i)] = 1;
  return flags_;
}

std::vector<std::uint8_t> random_subset(std::int64_t size, std::int64_t k, std::uint64_t seed, core::Address address) {
  return SubsetDraw()(size, k, seed, address);
}

UnitMasks::UnitMasks(const kernels::Context& context, const theory::UnitSpec& spec, const Network& layout, int capacity,
                     std::uint64_t seed)
    : context_(context), spec_(spec), layout_(layout), seed_(seed), levels_(layout.widths.size()) {
  if (masks_errors()) set_on_device_ = kernels::Buffer<std::int32_t>(context, static_cast<std::size_t>(capacity));
  int widest = 0;
  for (std::size_t l = 0; l < levels_.size(); ++l) {
    Level& level = levels_[l];
    const bool input = l == 0, output = l + 1 == levels_.size();
    level.width = layout.widths[l];
    level.fraction = output ? spec.output_fraction : spec.fraction;
    level.plastic = input || output || spec.path == 0 ? level.width : std::min(spec.path, level.width);
    const int count = output ? 0 : spec.count;
    level.masked = masks_errors() && !input && (count > 0 ? count < level.width : level.fraction < 1);
    if (!level.masked) continue;
    widest = std::max(widest, level.width);
    level.ranked = theory::ranked_units(level.fraction, count, level.width);
    if (spec.rule == UnitRule::random)
      level.on_device = kernels::Buffer<std::uint8_t>(context, static_cast<std::size_t>(capacity) * level.width);
    else if (spec.rule != UnitRule::error && spec.rule != UnitRule::activity)
      draw_fixed(l);
  }
  if (spec.unified) sums_ = kernels::Buffer<float>(context, static_cast<std::size_t>(widest));
  if (spec.path > 0) draw_paths();
}

void UnitMasks::draw_fixed(std::size_t l) {
  Level& level = levels_[l];
  const bool output = l + 1 == levels_.size();
  const int sets = spec_.rule == UnitRule::by_class      ? layout_.classes()
                   : spec_.rule == UnitRule::alternating ? spec_.masks
                                                         : 1;
  for (int s = 0; s < sets; ++s) {
    const core::Address address{static_cast<std::uint32_t>(l), static_cast<std::uint32_t>(s), Purpose::unit_choice, 0};
    std::vector<std::uint8_t> flags(static_cast<std::size_t>(level.width));
    if (spec_.rule == UnitRule::alternating) {
      for (int i = 0; i < level.width; ++i)
        flags[static_cast<std::size_t>(i)] = core::uniform(word(seed_, address, i)) < level.fraction;
    } else {
      const int count = output ? 0 : spec_.count;
      flags = random_subset(level.width, theory::chosen_units(level.fraction, count, level.width), seed_, address);
    }
    level.sets.insert(level.sets.end(), flags.begin(), flags.end());
    level.sizes.push_back(std::count(flags.begin(), flags.end(), 1));
  }
  level.on_device = kernels::Buffer<std::uint8_t>(context_, level.sets);
}

void UnitMasks::draw_random(std::size_t l, std::int64_t step, int rows) {
  Level& level = levels_[l];
  const auto width = static_cast<std::size_t>(level.width);
  const std::size_t words_a_row = (width + 3) / 4 * 4;
  level.sets.resize(static_cast<std::size_t>(rows) * width);
  level.sizes.assign(static_cast<std::size_t>(rows), 0);
  core::Address address{static_cast<std::uint32_t>(l), static_cast<std::uint32_t>(step), Purpose::unit_errors, 0};
  for (std::size_t r = 0; r < static_cast<std::size_t>(rows); ++r) {
    core::Words words{};
    for (std::size_t i = 0; i < width; ++i) {
      if (i % 4 == 0) {
        address.index = static_cast<std::uint32_t>((r * words_a_row + i) / 4);
        words = core::draw(seed_, address);
      }
      const bool keep = core::uniform(words.v[i % 4]) < level.fraction;
      level.sets[r * width + i] = keep;
      level.sizes[r] += keep;
    }
  }
  context_.copy_in(level.on_device.data(), level.sets.data(), level.sets.size());
}

void UnitMasks::draw_paths() {
  std::vector<std::vector<std::uint8_t>> units;
  for (std::size_t l = 0; l < levels_.size(); ++l) {
    const core::Address address{static_cast<std::uint32_t>(l), 0, Purpose::unit_choice, 0};
    units.push_back(random_subset(levels_[l].width, levels_[l].plastic, seed_, address));
  }
  std::vector<std::uint8_t> flags;
  for (std::size_t l = 0; l + 1 < levels_.size(); ++l) {
    for (const std::uint8_t in : units[l])
      for (const std::uint8_t out : units[l + 1]) flags.push_back(in != 0 && out != 0);
    const std::int64_t biases = layout_.offsets[l + 1] - layout_.bias_offset(static_cast<int>(l));
    if (biases > 0) flags.insert(flags.end(), units[l + 1].begin(), units[l + 1].end());
  }
  plastic_ = kernels::Buffer<std::uint8_t>(context_, flags);
}

void UnitMasks::begin(std::int64_t step, std::int64_t trained, const std::vector<std::int32_t>& labels) {
  rows_ = static_cast<int>(labels.size());
  if (!masks_errors()) return;
  set_of_row_.assign(labels.size(), 0);
  for (std::size_t r = 0; r < labels.size(); ++r) {
    const auto row = static_cast<std::int64_t>(r);
    if (spec_.rule == UnitRule::random) set_of_row_[r] = static_cast<std::int32_t>(row);
    if (spec_.rule == UnitRule::by_class) set_of_row_[r] = labels[r];
    if (spec_.rule == UnitRule::alternating) set_of_row_[r] = static_cast<std::int32_t>((trained + row) % spec_.masks);
  }
  context_.copy_in(set_on_device_.data(), set_of_row_.data(), labels.size() * sizeof(std::int32_t));
  if (spec_.rule != UnitRule::random) return;
  for (std::size_t l = 0; l < levels_.size(); ++l)
    if (levels_[l].masked) draw_random(l, step, rows_);
}

void UnitMasks::apply(int layer, const Activations& activations, float* errors) {
  const Level& level = levels_[static_cast<std::size_t>(layer) + 1];
  if (!level.masked) return;
  const kernels::RowShape shape{rows_, level.width};
  if (spec_.rule != UnitRule::error && spec_.rule != UnitRule::activity) {
    kernels::apply_masks(context_, shape, level.on_device.data(), set_on_device_.data(), errors, errors);
    return;
  }
  kernels::Ranking ranking;
  ranking.keep = spec_.smallest ? kernels::Keep::smallest : kernels::Keep::largest;
  ranking.k = level.ranked;
  ranking.one_for_all = spec_.unified;
  const float* keys = spec_.rule == UnitRule::error ? errors : activations.row(layer + 1, 0);
  if (spec_.unified) {
    kernels::column_magnitudes(context_, shape, keys, sums_.data());
    keys = sums_.data();
  }
  kernels::keep_ranked(context_, shape, keys, ranking, errors);
}

std::int64_t UnitMasks::kept(const Level& level, int row) const {
  if (!level.masked) return level.width;
  if (spec_.rule == UnitRule::error || spec_.rule == UnitRule::activity) return level.ranked;
  return level.sizes[static_cast<std::size_t>(set_of_row_[static_cast<std::size_t>(row)])];
}

std::int64_t UnitMasks::backward_macs(int first_layer) const {
  std::vector<theory::LevelUnits> units(levels_.size());
  std::int64_t macs = 0;
  for (int row = 0; row < rows_; ++row) {
    for (std::size_t l = 0; l < levels_.size(); ++l) {
      const Level& level = levels_[l];
      const std::int64_t passing = kept(level, row);
      const bool lowest = l == static_cast<std::size_t>(first_layer) + 1;  // its errors go no further
      units[l].senders = level.plastic;
      units[l].receivers = std::min(passing, level.plastic);
      units[l].passing = passing;
      units[l].needed = known_before() ? passing : level.width;
      if (lowest) units[l].needed = std::min(units[l].needed, level.plastic);
    }
    macs += theory::backward_macs(units, first_layer);
  }
  return macs;
}

}  // namespace eos::sim
