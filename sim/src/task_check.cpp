// Whether the parts of a task fit together, before anything is made from them.
#include <fmt/format.h>

#include <algorithm>

#include "eos/core/error.hpp"
#include "eos/sim/data.hpp"

namespace eos::sim {
namespace {

void check_sizes(const TaskData& data) {
  if (data.train.samples < 1 || data.inputs < 1 || data.classes < 2)
    throw core::Error("E104",
                      fmt::format("the task has {} training samples, {} inputs and {} classes", data.train.samples,
                                  data.inputs, data.classes),
                      "at least one sample, one input and two classes are needed");
  const std::int64_t positions = std::int64_t{data.height} * data.width;
  const bool sides = data.height >= 1 && data.width >= 1 && data.channels >= 0;
  if (!sides || positions * data.depth() != data.inputs)
    throw core::Error("E107",
                      fmt::format("samples of {} x {} positions and {} channels do not hold {} inputs", data.height,
                                  data.width, data.channels, data.inputs),
                      "inputs = height * width * channels; channels = 0 stands for what is left");
  const int labels = data.tokens ? data.inputs : 1;
  if (data.labels_per_sample != labels || (data.tokens && data.inputs != data.height))
    throw core::Error("E107",
                      fmt::format("samples of {} {} have {} labels and a height of {}", data.inputs,
                                  data.tokens ? "tokens" : "inputs", data.labels_per_sample, data.height),
                      data.tokens ? "tokens have one label each, and height = inputs" : "samples have one label");
}

void check_set(const TaskData& data, const LabelledSet& set, const char* name) {
  const std::size_t samples = set.samples < 0 ? 0 : static_cast<std::size_t>(set.samples);
  const std::size_t inputs = samples * static_cast<std::size_t>(data.inputs),
                    labels = samples * static_cast<std::size_t>(data.labels_per_sample);
  if (set.samples < 0 || set.inputs.size() != inputs || set.labels.size() != labels)
    throw core::Error("E107",
                      fmt::format("the {} set of {} samples holds {} bytes of inputs and {} labels", name, set.samples,
                                  set.inputs.size(), set.labels.size()),
                      fmt::format("it must hold samples * inputs = {} bytes and {} labels", inputs, labels));
  const auto wrong = std::find_if(set.labels.begin(), set.labels.end(),
                                  [&](std::int32_t label) { return label < 0 || label >= data.classes; });
  if (wrong != set.labels.end())
    throw core::Error("E104", fmt::format("the {} set has the label {}", name, *wrong),
                      fmt::format("labels are 0 to classes - 1 = {}", data.classes - 1));
}

}  // namespace

const TaskData& checked(const TaskData& data) {
  check_sizes(data);
  check_set(data, data.train, "training");
  check_set(data, data.validation, "validation");
  check_set(data, data.test, "test");
  return data;
}

}  // namespace eos::sim
