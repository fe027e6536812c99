// Tasks that need no files, and what their generators share. Every draw has an address (key: the seed of the task), so
// that a sample does not depend on how many others are made.
#pragma once

#include <cstdint>
#include <vector>

#include "eos/core/philox.hpp"
#include "eos/sim/data.hpp"

namespace eos::sim {

/// Each fills `task` with spec.train_samples, validation_samples and test_samples; constructions: see the sources.
void generate_teacher(const theory::DataSpec& spec, TaskData& task);
void generate_gaussian(const theory::DataSpec& spec, TaskData& task);
void generate_power_law(const theory::DataSpec& spec, TaskData& task);
void generate_hierarchical(const theory::DataSpec& spec, TaskData& task);
void generate_markov(const theory::DataSpec& spec, TaskData& task);

enum class Split : std::uint32_t { train, validation, test };

/// Draws of one sample: stream k of split s has the run 3 k + s, the sample is the step, values are the indices.
class SampleDraws {
 public:
  SampleDraws(std::uint64_t seed, Split split, int sample)
      : seed_(seed), split_(static_cast<std::uint32_t>(split)), sample_(static_cast<std::uint32_t>(sample)) {}

  core::Words words(std::uint32_t stream, std::uint32_t index) const {
    return core::draw(seed_, address(stream, index));
  }
  /// Uniform on (0, 1) with 52 bits.
  double uniform(std::uint32_t stream, std::uint32_t index) const;
  /// Standard normals.
  void normals(std::uint32_t stream, std::vector<double>& values) const;

 private:
  core::Address address(std::uint32_t stream, std::uint32_t index) const {
    return {3 * stream + split_, sample_, core::Purpose::teacher_data, index};
  }
  std::uint64_t seed_;
  std::uint32_t split_, sample_;
};

/// Fixed parts of a task: standard normals of table `table`.
std::vector<double> table_normals(std::uint64_t seed, std::uint32_t table, std::size_t size);
/// `rows` random orthonormal rows of `columns` >= rows numbers: Gram-Schmidt, twice, of normals.
std::vector<double> orthonormal_rows(std::uint64_t seed, std::uint32_t table, int rows, int columns);

/// Inputs as bytes: k_unit_bytes a unit around the middle of the range, so that a standard normal is cut off at 4
/// standard deviations (6e-5 of the values) and rounding adds a variance of 8e-5.
inline constexpr double k_unit_bytes = 32;
std::uint8_t to_byte(double value);

/// Calls make(draws, inputs, labels) for every sample of every split, with room for both.
template <class Make>
void generate_samples(const theory::DataSpec& spec, TaskData& task, Make make) {
  const auto inputs = static_cast<std::size_t>(task.inputs), labels = static_cast<std::size_t>(task.labels_per_sample);
  const auto fill = [&](Split split, int samples, LabelledSet& set) {
    set.samples = samples;
    set.inputs.resize(static_cast<std::size_t>(samples) * inputs);
    set.labels.resize(static_cast<std::size_t>(samples) * labels);
    for (int i = 0; i < samples; ++i) {
      const auto at = static_cast<std::size_t>(i);
      make(SampleDraws(spec.seed(), split, i), set.inputs.data() + at * inputs, set.labels.data() + at * labels);
    }
  };
  fill(Split::train, spec.train_samples, task.train);
  fill(Split::validation, spec.validation_samples, task.validation);
  fill(Split::test, spec.test_samples, task.test);
}

}  // namespace eos::sim
