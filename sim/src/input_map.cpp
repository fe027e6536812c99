#include "input_map.hpp"

namespace eos::sim {
namespace {

constexpr float k_byte_scale = 1.0f / 255.0f;
constexpr std::int32_t k_noise_pool = 1 << 16;

double mean_input(const LabelledSet& set) {
  std::int64_t sum = 0;
  for (std::uint8_t byte : set.inputs) sum += byte;
  return static_cast<double>(sum) * k_byte_scale / static_cast<double>(set.inputs.size());
}

}  // namespace

InputMap::InputMap(const kernels::Context& context, const theory::DataSpec& spec, const TaskData& data)
    : context_(context),
      shape_{data.height, data.width, data.depth()},
      augments_(spec.augment.any()),
      transform_(data.tokens ? 1.0f : k_byte_scale) {  // tokens: ids
  if (spec.centred) transform_.shift = static_cast<float>(mean_input(data.train));
  augmentation_.flip = static_cast<float>(spec.augment.flip);
  augmentation_.translate = spec.augment.translate, augmentation_.cutout = spec.augment.cutout;
  const auto channels = static_cast<std::size_t>(shape_.channels);
  const bool standardised = data.channel_mean.size() == channels;
  if (standardised || augments_) {
    std::vector<float> scale(channels, transform_.scale), shift(channels, transform_.shift);
    for (std::size_t c = 0; standardised && c < channels; ++c) {
      scale[c] = transform_.scale / data.channel_deviation[c];
      shift[c] = data.channel_mean[c] / data.channel_deviation[c];
    }
    scale_ = kernels::Buffer<float>(context, scale);
    shift_ = kernels::Buffer<float>(context, shift);
  }
  if (spec.input_noise == 0) return;
  // Keyed like label noise by the seed of the data, not by that of the run: the noise belongs to the data set, as in
  // the published program (van Rossum & Pache 2024), which adds it once before training. Runs of several seeds and
  // methods are then compared on the same inputs, and no sample changes between its presentations.
  const std::uint64_t seed = spec.seed();
  noise_pool_ = kernels::Buffer<float>(context, kernels::noise_pool(seed, k_noise_pool));
  transform_.noise = {static_cast<float>(spec.input_noise), noise_pool_.data(), k_noise_pool, seed, 0, 0};
}

void InputMap::gather(const std::uint8_t* source, const std::int32_t* index, int rows, Presentation presentation,
                      float* to) const {
  if (scale_.size() == 0) {
    kernels::gather_rows(context_, source, static_cast<int>(shape_.size()), index, rows, transform_, to);
    return;
  }
  kernels::Augmentation augmentation = augmentation_;
  augmentation.seed = presentation.seed;
  augmentation.view = augments_ ? presentation.views : nullptr;
  augmentation.replicas = presentation.replicas, augmentation.rows_of_replica = presentation.rows_of_replica;
  kernels::gather_images(context_, source, shape_, index, rows, {scale_.data(), shift_.data(), transform_.noise},
                         augmentation, to);
}

}  // namespace eos::sim
