// Load a labelled data set for training: from files on a search path, or a generated task.
//
// Search path, first match wins: $EOS_DATA, ./data, /usr/share/datasets; in each the folder NAME, then the folder
// itself. DataSpec::path, if given, is searched instead. IDX and text files may be gzip-compressed. Every header, size
// and label is checked (Errors E202, E203). Split: training = the first train_samples of the training file, validation
// = its last validation_samples. Text has one file: training = its front, test = its end, validation = what is before
// that; sample i of a split is the i-th window of `sequence` tokens, its labels are the tokens that follow each.
// Inputs stay bytes; networks see value / 255, of tokens the value. Label noise is drawn by address (key:
// DataSpec::seed(), index: the position in the training file), so it does not depend on anything else.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "eos/theory/data_spec.hpp"
#include "eos/theory/graph.hpp"

namespace eos::sim {

struct LabelledSet {
  int samples = 0;
  std::vector<std::uint8_t> inputs;  ///< [samples][inputs]; images [samples][height][width][channels]
  std::vector<std::int32_t> labels;  ///< [samples][labels_per_sample]
};

struct TaskData {
  std::string name;    ///< as DataSpec::name, never auto
  std::string origin;  ///< folder, file or "generated"
  int inputs = 0;      ///< bytes of a sample: height * width * channels
  int classes = 0;     ///< of tokens: the vocabulary
  int height = 1, width = 1;
  int channels = 0;           ///< 0 in a task made by hand stands for inputs / (height * width); see depth()
  int labels_per_sample = 1;  ///< of tokens: one per token
  bool tokens = false;        ///< inputs are token numbers [height], width = channels = 1
  LabelledSet train, validation, test;
  /// Of the training inputs in [0, 1], per channel, if DataSpec::standardise; a constant channel has deviation 1.
  std::vector<float> channel_mean, channel_deviation;
  /// Character tokens: UTF-8 text of each, [classes]; of bytes empty.
  std::vector<std::string> vocabulary;
  /// Least expected cross-entropy of any predictor [nats per label], where the law of the task gives it.
  std::optional<double> loss_floor;

  int depth() const { return channels > 0 ? channels : inputs / (height * width); }
  /// What a network for this task is built for.
  theory::DataShape shape() const { return {{height, width, depth(), false}, classes, tokens}; }
};

/// The task itself, for use in an initialisation. throws Error E104 (no samples, no inputs, one class, labels out of
/// range), E107 (sizes that do not multiply to the inputs, or sets that are not as long as they say).
const TaskData& checked(const TaskData& data);

/// throws Error E202 (not found: says where it looked and what to do), E203, E104 (more samples than there are), E106,
/// E107 (training and validation overlap, choices that tokens do not allow).
TaskData load_data(const theory::DataSpec& spec);

/// A data set eos knows by name, and where it was found ("" if it was not).
struct KnownData {
  std::string name, title, folder, licence;
  struct File {
    std::string name;
    std::string sha256;          ///< of what is published at `url`: what a download must match
    std::string url;             ///< "" for a file that `archive` holds
    std::string content_sha256;  ///< of the bytes inside: also matches IDX files that were compressed again
  };
  std::vector<File> files;  ///< of an archive the files in it that are used, by their names in it
  File archive = {};        ///< .tar.gz that holds all files; name "" if there is none
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
