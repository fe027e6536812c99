// A task that needs no files: byte images of a latent Gaussian mixture, labelled by a random two-layer teacher.
//
// A sample is a latent vector u of k_latent coordinates drawn from a mixture of unit Gaussians around random centres.
// Its label is the largest output of the teacher V relu(U u + c), each output standardised over the mixture; samples
// whose two largest outputs are closer than `margin` are drawn again. Its inputs are rectified random projections of u
// with a little pixel noise, quantised to bytes: non-negative and about half zero, like photographs on black ground.
// Every draw has an address (key: the teacher's seed), so a sample does not depend on how many others are made.
#include <algorithm>
#include <cmath>

#include "generated.hpp"

namespace eos::sim {
namespace {

constexpr int k_latent = 16;
constexpr int k_centres = 40;
constexpr double k_spread = 1.2;       // s.d. of the centres; the width of one component is 1
constexpr int k_probe = 2000;          // latent vectors over which teacher outputs are standardised
constexpr int k_attempts = 200;        // then the sample is taken as it is: margin too large to be reached
constexpr float k_contrast = 40.0f;    // byte per unit of projection
constexpr float k_offset = -8.0f;      // darkens, so that a little more than half of the bytes are zero
constexpr float k_pixel_noise = 8.0f;  // largest, in bytes

enum Table : std::uint32_t { k_centre_table, k_hidden_table, k_bias_table, k_output_table, k_pixel_table };
enum TeacherSplit : std::uint32_t { k_train, k_validation, k_test, k_probe_split };

std::vector<float> normals(std::uint64_t seed, Table table, std::size_t size, double scale) {
  std::vector<float> values(size);
  for (std::size_t i = 0; i < size; i += 2) {
    const auto pair =
        core::normal_pair(seed, {0, table, core::Purpose::teacher_weights, static_cast<std::uint32_t>(i / 2)});
    for (std::size_t j = i; j < std::min(size, i + 2); ++j) values[j] = static_cast<float>(scale * pair[j - i]);
  }
  return values;
}

class Teacher {
 public:
  explicit Teacher(const theory::TeacherSpec& spec)
      : spec_(spec),
        classes_(static_cast<std::size_t>(spec.classes)),
        hidden_(static_cast<std::size_t>(spec.hidden)),
        inputs_(static_cast<std::size_t>(spec.inputs)),
        centres_(normals(spec.seed, k_centre_table, k_centres * k_latent, k_spread)),
        u_(normals(spec.seed, k_hidden_table, hidden_ * k_latent, 1 / std::sqrt(1.0 * k_latent))),
        c_(normals(spec.seed, k_bias_table, hidden_, 0.5)),
        v_(normals(spec.seed, k_output_table, classes_ * hidden_, 1 / std::sqrt(1.0 * spec.hidden))),
        pixels_(normals(spec.seed, k_pixel_table, k_latent * inputs_, 1 / std::sqrt(1.0 * k_latent))),
        mean_(classes_, 0),
        scale_(classes_, 1) {
    standardise();
  }

  void fill(TeacherSplit split, int samples, LabelledSet& set) const {
    set.samples = samples;
    set.inputs.resize(static_cast<std::size_t>(samples) * inputs_);
    set.labels.resize(static_cast<std::size_t>(samples));
    for (int i = 0; i < samples; ++i) {
      const auto index = static_cast<std::uint32_t>(i);
      std::array<float, k_latent> latent{};
      std::int32_t label = 0;
      for (std::uint32_t attempt = 0; attempt < k_attempts; ++attempt) {
        latent = draw_latent(split, attempt, index);
        const auto [best, gap] = winner(outputs(latent));
        label = best;
        if (gap >= spec_.margin) break;
      }
      set.labels[index] = label;
      render(split, index, latent, set.inputs.data() + static_cast<std::size_t>(i) * inputs_);
    }
  }

 private:
  std::array<float, k_latent> draw_latent(TeacherSplit split, std::uint32_t attempt, std::uint32_t index) const {
    constexpr std::uint32_t k_words = k_latent / 2 + 1;
    const std::uint32_t base = index * k_words;
    const core::Words which = core::draw(spec_.seed, {split, attempt, core::Purpose::teacher_inputs, base});
    const float* centre = centres_.data() + core::uniform_int(which.v[0], k_centres) * k_latent;
    std::array<float, k_latent> latent{};
    for (std::uint32_t j = 0; j < k_latent / 2; ++j) {
      const auto pair = core::normal_pair(spec_.seed, {split, attempt, core::Purpose::teacher_inputs, base + 1 + j});
      latent[2 * j] = centre[2 * j] + static_cast<float>(pair[0]);
      latent[2 * j + 1] = centre[2 * j + 1] + static_cast<float>(pair[1]);
    }
    return latent;
  }

  std::vector<double> outputs(const std::array<float, k_latent>& latent) const {
    std::vector<double> out(classes_, 0.0);
    for (std::size_t h = 0; h < hidden_; ++h) {
      double a = c_[h];
      for (std::size_t j = 0; j < k_latent; ++j) a += u_[h * k_latent + j] * latent[j];
      if (a <= 0) continue;
      for (std::size_t k = 0; k < classes_; ++k) out[k] += v_[k * hidden_ + h] * a;
    }
    for (std::size_t k = 0; k < classes_; ++k) out[k] = (out[k] - mean_[k]) * scale_[k];
    return out;
  }

  /// Equal mean and variance of all outputs over the mixture: no class is empty, margins have a common unit.
  void standardise() {
    std::vector<double> sum(classes_, 0.0), squares(classes_, 0.0);
    for (std::uint32_t i = 0; i < k_probe; ++i) {
      const std::vector<double> out = outputs(draw_latent(k_probe_split, 0, i));
      for (std::size_t k = 0; k < classes_; ++k) sum[k] += out[k], squares[k] += out[k] * out[k];
    }
    for (std::size_t k = 0; k < classes_; ++k) {
      mean_[k] = sum[k] / k_probe;
      const double variance = squares[k] / k_probe - mean_[k] * mean_[k];
      scale_[k] = variance > 0 ? 1 / std::sqrt(variance) : 1.0;
    }
  }

  static std::pair<std::int32_t, double> winner(const std::vector<double>& out) {
    std::size_t best = 0;
    for (std::size_t k = 1; k < out.size(); ++k)
      if (out[k] > out[best]) best = k;
    double second = -1e300;
    for (std::size_t k = 0; k < out.size(); ++k)
      if (k != best) second = std::max(second, out[k]);
    return {static_cast<std::int32_t>(best), out[best] - second};
  }

  void render(TeacherSplit split, std::uint32_t index, const std::array<float, k_latent>& latent,
              std::uint8_t* bytes) const {
    std::vector<float> projection(inputs_, 0.0f);
    for (std::size_t j = 0; j < k_latent; ++j)
      for (std::size_t p = 0; p < inputs_; ++p) projection[p] += latent[j] * pixels_[j * inputs_ + p];
    for (std::size_t p = 0; p < inputs_; p += 4) {
      // Noise words: step 0xFFFFFFFF is never an attempt number.
      const core::Words words = core::draw(
          spec_.seed, {split, 0xFFFFFFFFu, core::Purpose::teacher_inputs,
                       index * static_cast<std::uint32_t>((inputs_ + 3) / 4) + static_cast<std::uint32_t>(p / 4)});
      for (std::size_t q = p; q < std::min(inputs_, p + 4); ++q) {
        const auto noise = static_cast<float>(2 * core::uniform(words.v[q - p]) - 1);
        const float value = k_offset + k_contrast * projection[q] + k_pixel_noise * noise;
        bytes[q] = static_cast<std::uint8_t>(std::clamp(value, 0.0f, 255.0f));
      }
    }
  }

  theory::TeacherSpec spec_;
  std::size_t classes_, hidden_, inputs_;
  std::vector<float> centres_, u_, c_, v_, pixels_;
  std::vector<double> mean_, scale_;
};

}  // namespace

void generate_teacher(const theory::DataSpec& spec, TaskData& task) {
  const Teacher teacher(spec.teacher);
  task.inputs = task.channels = spec.teacher.inputs;
  task.classes = spec.teacher.classes;
  teacher.fill(k_train, spec.train_samples, task.train);
  teacher.fill(k_validation, spec.validation_samples, task.validation);
  teacher.fill(k_test, spec.test_samples, task.test);
}

}  // namespace eos::sim
