// Load a labelled data set for training: MNIST-like IDX files from a search path, or a generated teacher task.
//
// Search path, first match wins: $EOS_DATA, ./data, /usr/share/datasets; in each the folder NAME, then the folder
// itself. DataSpec::path, if given, is searched instead. IDX files may be gzip-compressed. Every header, size and label
// is checked (Errors E202, E203). Split: training = the first train_samples of the training file, validation = its last
// validation_samples. Inputs stay bytes; networks see value / 255. Label noise is drawn by address (key: the teacher's
// seed, index: the position in the training file), so it does not depend on anything else.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "eos/theory/training_spec.hpp"

namespace eos::sim {

struct LabelledSet {
  int samples = 0;
  std::vector<std::uint8_t> inputs;  ///< [samples][inputs]
  std::vector<std::int32_t> labels;  ///< [samples]
};

struct TaskData {
  std::string name;    ///< fashion-mnist, mnist, teacher, idx
  std::string origin;  ///< folder or "generated"
  int inputs = 0;
  int classes = 0;
  LabelledSet train, validation, test;
};

/// throws Error E202 (not found: says where it looked and what to do), E203, E104 (more samples than there are), E106,
/// E107 (training and validation overlap).
TaskData load_data(const theory::DataSpec& spec);

/// A data set eos knows by name, and where it was found ("" if it was not).
struct KnownData {
  std::string name, title, folder, licence;
  struct File {
    std::string name;
    std::string sha256;  ///< of the published .gz file at `url`: what a download must match
    std::string url;
    std::string content_sha256;  ///< of the IDX bytes inside: also matches files that were compressed again
  };
  std::vector<File> files;
};
std::vector<KnownData> known_data();
/// SHA-256 of the IDX bytes in a plain or compressed file, comparable with KnownData::File::content_sha256.
/// throws Error E201/E203.
std::string idx_sha256(const std::string& path);
/// Folders that are searched, in order.
std::vector<std::string> data_search_path();

/// One IDX file (plain or .gz): dimensions and bytes. throws Error E201/E203.
struct IdxFile {
  std::vector<int> dims;
  std::vector<std::uint8_t> bytes;
};
IdxFile read_idx(const std::string& path);

}  // namespace eos::sim
