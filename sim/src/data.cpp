#include "eos/sim/data.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "data_files.hpp"
#include "eos/core/error.hpp"
#include "eos/core/philox.hpp"

namespace eos::sim {
namespace {

/// Images and labels of one of the two files of a set.
struct Labelled {
  IdxFile images, labels;
  int samples() const { return images.dims[0]; }
  int inputs() const {
    int product = 1;
    for (std::size_t d = 1; d < images.dims.size(); ++d) product *= images.dims[d];
    return product;
  }
};

[[noreturn]] void damaged(const std::string& message) {
  throw core::Error("E203", message, "fetch the files again, e.g. with `eos data fetch`");
}

Labelled read_pair(const std::string& folder, const char* images_stem, const char* labels_stem) {
  const std::string images = idx_path(folder, images_stem), labels = idx_path(folder, labels_stem);
  Labelled set{read_idx(images), read_idx(labels)};
  if (set.images.dims.size() < 2)
    damaged(fmt::format("{}: one dimension only, inputs need at least two (samples, values)", images));
  if (set.labels.dims.size() != 1)
    damaged(fmt::format("{}: {} dimensions, labels have one", labels, set.labels.dims.size()));
  if (set.labels.dims[0] != set.samples())
    damaged(
        fmt::format("{} holds {} samples but {} holds {} labels", images, set.samples(), labels, set.labels.dims[0]));
  return set;
}

void copy_samples(const Labelled& from, int first, int count, LabelledSet& to) {
  const auto inputs = static_cast<std::size_t>(from.inputs());
  to.samples = count;
  const auto begin = from.images.bytes.begin() + static_cast<std::ptrdiff_t>(first * inputs);
  to.inputs.assign(begin, begin + static_cast<std::ptrdiff_t>(count * inputs));
  to.labels.assign(from.labels.bytes.begin() + first, from.labels.bytes.begin() + first + count);
}

void check_counts(const theory::DataSpec& spec, const Labelled& train, const Labelled& test) {
  const auto available = [](const char* key, int asked, int there) {
    if (asked > there)
      throw core::Error("E104", fmt::format("{} = {}, but the file holds {} samples", key, asked, there),
                        fmt::format("use at most {}", there));
  };
  available("data.train_samples", spec.train_samples, train.samples());
  available("data.validation_samples", spec.validation_samples, train.samples());
  available("data.test_samples", spec.test_samples, test.samples());
  if (spec.train_samples + spec.validation_samples > train.samples())
    throw core::Error(
        "E107",
        fmt::format("data.train_samples + data.validation_samples = {} + {} exceeds the {} samples of the "
                    "training file, so the two sets would overlap",
                    spec.train_samples, spec.validation_samples, train.samples()),
        "lower one of the two");
}

void load_idx_task(const theory::DataSpec& spec, const std::string& folder, TaskData& task) {
  const Labelled train = read_pair(folder, k_idx_stems[0], k_idx_stems[1]);
  const Labelled test = read_pair(folder, k_idx_stems[2], k_idx_stems[3]);
  if (test.inputs() != train.inputs())
    damaged(fmt::format("{}: training inputs have {} values, test inputs {}", folder, train.inputs(), test.inputs()));
  check_counts(spec, train, test);
  const auto largest = [](const Labelled& set) {
    return static_cast<int>(*std::max_element(set.labels.bytes.begin(), set.labels.bytes.end()));
  };
  const bool known = task.name != "idx";
  task.inputs = train.inputs();
  if (train.images.dims.size() == 3) task.height = train.images.dims[1], task.width = train.images.dims[2];
  task.channels = task.inputs / (task.height * task.width);
  task.classes = known ? 10 : std::max(2, largest(train) + 1);
  if (known && task.inputs != 28 * 28)
    damaged(fmt::format("{}: samples have {} values, those of {} have 784", folder, task.inputs, task.name));
  for (const Labelled* set : {&train, &test})
    if (largest(*set) >= task.classes)
      damaged(fmt::format("{}: label {} found, labels of {} are 0 to {}", folder, largest(*set), task.name,
                          task.classes - 1));
  copy_samples(train, 0, spec.train_samples, task.train);
  copy_samples(train, train.samples() - spec.validation_samples, spec.validation_samples, task.validation);
  copy_samples(test, 0, spec.test_samples, task.test);
}

void add_label_noise(const theory::DataSpec& spec, TaskData& task) {
  if (spec.label_noise <= 0) return;
  for (int i = 0; i < task.train.samples; ++i) {
    const core::Words words =
        core::draw(spec.teacher.seed, {0, 0, core::Purpose::label_noise, static_cast<std::uint32_t>(i)});
    if (core::uniform(words.v[0]) >= spec.label_noise) continue;
    const auto shift = 1 + core::uniform_int(words.v[1], static_cast<std::uint32_t>(task.classes - 1));
    std::int32_t& label = task.train.labels[static_cast<std::size_t>(i)];
    label = (label + static_cast<std::int32_t>(shift)) % task.classes;
  }
}

[[noreturn]] void not_found(const std::string& name, const std::vector<std::string>& search) {
  throw core::Error(
      "E202",
      fmt::format("data set '{}' was not found; looked in NAME/ and directly in: {}", name, fmt::join(search, ", ")),
      "fetch it with `eos data fetch " + (name == "idx" ? std::string("fashion-mnist") : name) +
          "`, set $EOS_DATA, or use data.name = \"teacher\", which needs no files");
}

}  // namespace

TaskData load_data(const theory::DataSpec& spec) {
  const std::vector<std::string> names{"auto", "fashion-mnist", "mnist", "teacher", "idx"};
  if (std::find(names.begin(), names.end(), spec.name) == names.end())
    throw core::Error("E106", fmt::format("data.name = \"{}\" is not a data set", spec.name),
                      core::suggest(spec.name, names));
  const std::vector<std::string> search = spec.path.empty() ? data_search_path() : std::vector<std::string>{spec.path};
  TaskData task;
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
  } else if (spec.name != "teacher") {
    task.origin = find_known_folder(spec.name, search);
  }
  if (task.name == "teacher") {
    task.origin = "generated";
    generate_teacher(spec, task);
  } else if (task.origin.empty()) {
    not_found(task.name, search);
  } else {
    load_idx_task(spec, task.origin, task);
  }
  add_label_noise(spec, task);
  return task;
}

}  // namespace eos::sim
