#include "eos/sim/data.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "data_files.hpp"
#include "eos/core/error.hpp"
#include "eos/core/philox.hpp"
#include "generated.hpp"

namespace eos::sim {
namespace {

[[noreturn]] void damaged(const std::string& message) {
  throw core::Error("E203", message, "fetch the files again, e.g. with `eos data fetch`");
}

void copy_samples(const LabelledFile& from, int first, int count, LabelledSet& to) {
  const auto inputs = static_cast<std::size_t>(from.values());
  to.samples = count;
  const auto begin = from.inputs.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(first) * inputs);
  to.inputs.assign(begin, begin + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(count) * inputs));
  to.labels.assign(from.labels.begin() + first, from.labels.begin() + first + count);
}

void check_counts(const theory::DataSpec& spec, const LabelledFile& train, const LabelledFile& test) {
  const auto available = [](const char* key, int asked, int there) {
    if (asked > there)
      throw core::Error("E104", fmt::format("{} = {}, but the file holds {} samples", key, asked, there),
                        fmt::format("use at most {}", there));
  };
  available("data.train_samples", spec.train_samples, train.samples);
  available("data.validation_samples", spec.validation_samples, train.samples);
  available("data.test_samples", spec.test_samples, test.samples);
  if (spec.train_samples + spec.validation_samples > train.samples)
    throw core::Error(
        "E107",
        fmt::format("data.train_samples + data.validation_samples = {} + {} exceeds the {} samples of the "
                    "training file, so the two sets would overlap",
                    spec.train_samples, spec.validation_samples, train.samples),
        "lower one of the two");
}

void check_labels(const LabelledFile& train, const LabelledFile& test, const TaskData& task) {
  for (const LabelledFile* set : {&train, &test}) {
    const int largest = *std::max_element(set->labels.begin(), set->labels.end());
    if (largest >= task.classes)
      damaged(fmt::format("{}: label {} found, labels of {} are 0 to {}", task.origin, largest, task.name,
                          task.classes - 1));
  }
}

void load_images(const theory::DataSpec& spec, TaskData& task) {
  const bool cifar = is_cifar(task.name), unknown = task.name == "idx";
  const auto read = [&](bool test) {
    return cifar ? read_cifar(task.name, task.origin, test) : read_idx_pair(task.origin, test);
  };
  const LabelledFile train = read(false), test = read(true);
  if (test.values() != train.values())
    damaged(
        fmt::format("{}: training inputs have {} values, test inputs {}", task.origin, train.values(), test.values()));
  check_counts(spec, train, test);
  task.inputs = train.values();
  task.height = train.height, task.width = train.width, task.channels = train.channels;
  const auto found = [&] { return 1 + *std::max_element(train.labels.begin(), train.labels.end()); };
  task.classes = task.name == "cifar-100" ? 100 : unknown ? std::max(2, found()) : 10;
  if (!unknown && !cifar && task.inputs != 28 * 28)
    damaged(fmt::format("{}: samples have {} values, those of {} have 784", task.origin, task.inputs, task.name));
  check_labels(train, test, task);
  copy_samples(train, 0, spec.train_samples, task.train);
  copy_samples(train, train.samples - spec.validation_samples, spec.validation_samples, task.validation);
  copy_samples(test, 0, spec.test_samples, task.test);
}

void add_label_noise(const theory::DataSpec& spec, TaskData& task) {
  if (spec.label_noise <= 0) return;
  for (int i = 0; i < task.train.samples; ++i) {
    const core::Words words =
        core::draw(spec.seed(), {0, 0, core::Purpose::label_noise, static_cast<std::uint32_t>(i)});
    if (core::uniform(words.v[0]) >= spec.label_noise) continue;
    const auto shift = 1 + core::uniform_int(words.v[1], static_cast<std::uint32_t>(task.classes - 1));
    std::int32_t& label = task.train.labels[static_cast<std::size_t>(i)];
    label = (label + static_cast<std::int32_t>(shift)) % task.classes;
  }
}

/// Mean and deviation of every channel over samples and places; sums of bytes are whole numbers, so exact.
void measure_channels(TaskData& task) {
  const auto channels = static_cast<std::size_t>(task.channels);
  std::vector<std::uint64_t> sum(channels, 0), square(channels, 0);
  const std::vector<std::uint8_t>& bytes = task.train.inputs;
  for (std::size_t i = 0; i < bytes.size(); i += channels) {
    for (std::size_t c = 0; c < channels; ++c) {
      const std::uint64_t value = bytes[i + c];
      sum[c] += value, square[c] += value * value;
    }
  }
  const double count = static_cast<double>(bytes.size() / channels);
  for (std::size_t c = 0; c < channels; ++c) {
    const double mean = static_cast<double>(sum[c]) / count;
    const double variance = static_cast<double>(square[c]) / count - mean * mean;
    task.channel_mean.push_back(static_cast<float>(mean / 255));
    task.channel_deviation.push_back(variance > 0 ? static_cast<float>(std::sqrt(variance) / 255) : 1.0f);
  }
}

[[noreturn]] void not_found(const std::string& name, const std::vector<std::string>& search) {
  const std::string searched = fmt::format("{}", fmt::join(search, ", "));
  const std::string otherwise = ", set $EOS_DATA, or use a generated task, which needs no files: data.name = ";
  if (name == "text")
    throw core::Error("E202", "no text was found; looked for *.txt and *.txt.gz in text/ and directly in: " + searched,
                      "name a text with data.path" + otherwise + "\"markov\"");
  const std::string incomplete = is_cifar(name) ? incomplete_cifar(name, search) : "";
  throw core::Error("E202",
                    fmt::format("data set '{}' was not found; looked in NAME/ and directly in: {}{}", name, searched,
                                incomplete.empty() ? "" : ", but " + incomplete),
                    "fetch it with `eos data fetch " + (name == "idx" ? std::string("fashion-mnist") : name) + "`" +
                        otherwise + "\"teacher\"");
}

using Generator = void (*)(const theory::DataSpec&, TaskData&);

/// nullptr for data from files.
Generator generator_of(const std::string& name) {
  if (name == "teacher") return generate_teacher;
  if (name == "gaussian") return generate_gaussian;
  if (name == "power-law") return generate_power_law;
  if (name == "hierarchical") return generate_hierarchical;
  if (name == "markov") return generate_markov;
  return nullptr;
}

/// Sets the name, of auto the one that was found, and the folder or file, "" if there is none.
void find(const theory::DataSpec& spec, const std::vector<std::string>& search, TaskData& task) {
  task.name = spec.name;
  if (spec.name == "auto") {
    task.name = "teacher";
    for (const char* known : {"mnist", "fashion-mnist"}) {
      const std::string folder = find_known_folder(known, search);
      if (!folder.empty()) task.name = known, task.origin = folder;
    }
  } else if (spec.name == "idx") {
    for (auto folder = search.rbegin(); folder != search.rend(); ++folder)
      if (holds_idx_files(*folder)) task.origin = *folder;
  } else if (spec.name == "text") {
    task.origin = find_text(search);
  } else if (generator_of(spec.name) == nullptr) {
    task.origin = find_known_folder(spec.name, search);
  }
}

}  // namespace

TaskData load_data(const theory::DataSpec& spec) {
  const std::vector<std::string>& names = theory::data_names();
  if (std::find(names.begin(), names.end(), spec.name) == names.end())
    throw core::Error("E106", fmt::format("data.name = \"{}\" is not a data set", spec.name),
                      core::suggest(spec.name, names));
  spec.check();
  const std::vector<std::string> search = spec.path.empty() ? data_search_path() : std::vector<std::string>{spec.path};
  TaskData task;
  find(spec, search, task);
  if (const Generator generate = generator_of(task.name)) {
    task.origin = "generated";
    generate(spec, task);
  } else if (task.origin.empty()) {
    not_found(task.name, search);
  } else if (task.name == "text") {
    load_text(spec, task.origin, task);
  } else {
    load_images(spec, task);
  }
  add_label_noise(spec, task);
  if (spec.standardise) measure_channels(task);
  return task;
}

}  // namespace eos::sim
