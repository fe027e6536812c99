// Images with labels: pairs of IDX files, and the binary version of CIFAR.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "data_files.hpp"
#include "eos/core/error.hpp"
#include "gz_file.hpp"

namespace eos::sim {
namespace {

constexpr int k_side = 32, k_planes = 3, k_plane = k_side * k_side;
constexpr int k_coarse_classes = 20;
constexpr const char* k_remedy = "fetch the files again, e.g. with `eos data fetch`";

[[noreturn]] void damaged(const std::string& message) { throw core::Error("E203", message, k_remedy); }

/// Planes of one colour to pixels of three.
void interleave(const std::uint8_t* planes, std::uint8_t* pixels) {
  for (int p = 0; p < k_plane; ++p)
    for (int c = 0; c < k_planes; ++c) pixels[p * k_planes + c] = planes[c * k_plane + p];
}

void append_records(const std::string& path, int label_bytes, int classes, LabelledFile& set) {
  constexpr std::int64_t k_most = std::int64_t{1} << 32;
  const std::vector<std::uint8_t> bytes = read_whole(path, k_most, k_remedy);
  const auto record = static_cast<std::size_t>(label_bytes + k_planes * k_plane);
  if (bytes.empty() || bytes.size() % record != 0)
    damaged(
        fmt::format("{}: {} bytes are no whole number of samples of {} bytes ({} of labels, {} x {} x {} of pixels)",
                    path, bytes.size(), record, label_bytes, k_side, k_side, k_planes));
  const std::size_t first = set.labels.size(), count = bytes.size() / record;
  set.labels.resize(first + count);
  set.inputs.resize(set.labels.size() * k_planes * k_plane);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t* from = bytes.data() + i * record;
    const auto check = [&](const char* what, int label, int allowed) {
      if (label >= allowed)
        damaged(fmt::format("{}: sample {} has the {} {}, allowed are 0 to {}", path, i, what, label, allowed - 1));
    };
    const std::uint8_t label = from[label_bytes - 1];  // of CIFAR-100 the fine one, which comes second
    if (label_bytes > 1) check("coarse label", from[0], k_coarse_classes);
    check("label", label, classes);
    set.labels[first + i] = label;
    interleave(from + label_bytes, set.inputs.data() + (first + i) * k_planes * k_plane);
  }
}

}  // namespace

LabelledFile read_idx_pair(const std::string& folder, bool test) {
  const std::string images_path = idx_path(folder, k_idx_stems[test ? 2 : 0]),
                    labels_path = idx_path(folder, k_idx_stems[test ? 3 : 1]);
  IdxFile images = read_idx(images_path), labels = read_idx(labels_path);
  if (images.dims.size() < 2)
    damaged(fmt::format("{}: one dimension only, inputs need at least two (samples, values)", images_path));
  if (labels.dims.size() != 1)
    damaged(fmt::format("{}: {} dimensions, labels have one", labels_path, labels.dims.size()));
  if (labels.dims[0] != images.dims[0])
    damaged(fmt::format("{} holds {} samples but {} holds {} labels", images_path, images.dims[0], labels_path,
                        labels.dims[0]));
  LabelledFile set;
  set.samples = images.dims[0];
  if (images.dims.size() == 2) {
    set.channels = images.dims[1];
  } else {
    set.height = images.dims[1], set.width = images.dims[2];
    if (images.dims.size() == 4) set.channels = images.dims[3];
  }
  set.inputs = std::move(images.bytes), set.labels = std::move(labels.bytes);
  return set;
}

bool is_cifar(const std::string& name) { return name == "cifar-10" || name == "cifar-100"; }

std::vector<std::string> cifar_files(const std::string& name, bool test) {
  if (name == "cifar-100") return {test ? "test.bin" : "train.bin"};
  if (test) return {"test_batch.bin"};
  return {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"};
}

std::vector<std::string> missing_cifar_files(const std::string& name, const std::string& folder) {
  std::vector<std::string> missing;
  std::error_code ignored;
  for (bool test : {false, true})
    for (const std::string& file : cifar_files(name, test))
      if (!std::filesystem::is_regular_file(std::filesystem::path(folder) / file, ignored)) missing.push_back(file);
  return missing;
}

LabelledFile read_cifar(const std::string& name, const std::string& folder, bool test) {
  const bool fine = name == "cifar-100";
  LabelledFile set;
  set.height = set.width = k_side;
  set.channels = k_planes;
  for (const std::string& file : cifar_files(name, test))
    append_records((std::filesystem::path(folder) / file).string(), fine ? 2 : 1, fine ? 100 : 10, set);
  set.samples = static_cast<int>(set.labels.size());
  return set;
}

}  // namespace eos::sim
