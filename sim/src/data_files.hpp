// Where the files of a data set are, and what is in them.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "eos/sim/data.hpp"

namespace eos::sim {

inline constexpr std::array<const char*, 4> k_idx_stems{"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                                        "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};

/// FOLDER/STEM.gz or FOLDER/STEM, whichever exists; "" if neither does.
std::string idx_path(const std::string& folder, const std::string& stem);
bool holds_idx_files(const std::string& folder);
/// Folder of a known data set: for each folder of the search path FOLDER/NAME, then FOLDER itself; "" if not found.
/// CIFAR is also found in the folder that its archive unpacks to, beneath these.
std::string find_known_folder(const std::string& name, const std::vector<std::string>& search);
/// The text file at `path`, or the only *.txt or *.txt.gz of a folder: of the first folder among FOLDER/text and FOLDER
/// that has any. "" if there is none. throws Error E107 where there are several.
std::string find_text(const std::vector<std::string>& search);

/// All samples of a training or a test file.
struct LabelledFile {
  int samples = 0, height = 1, width = 1, channels = 1;
  std::vector<std::uint8_t> inputs, labels;
  int values() const { return height * width * channels; }
};
/// throws Error E201, E203.
LabelledFile read_idx_pair(const std::string& folder, bool test);

/// CIFAR-10 (1 label) or CIFAR-100 (coarse and fine label).
bool is_cifar(const std::string& name);
std::vector<std::string> cifar_files(const std::string& name, bool test);
/// Of the files of both sets, those that `folder` does not hold.
std::vector<std::string> missing_cifar_files(const std::string& name, const std::string& folder);
/// Of a set that was not found: the first folder that holds some of its files, and what it lacks; "" if there is none.
std::string incomplete_cifar(const std::string& name, const std::vector<std::string>& search);
/// Records of the binary version (Krizhevsky 2009): labels, then 1024 red, 1024 green and 1024 blue bytes by rows.
/// throws Error E201, E203 (a size that is no multiple of a record, a label that is none).
LabelledFile read_cifar(const std::string& name, const std::string& folder, bool test);

/// Cuts spec.sequence tokens a sample from the text `path`. throws Error E104 (too short), E107 (too many characters),
/// E201, E203.
void load_text(const theory::DataSpec& spec, const std::string& path, TaskData& task);

}  // namespace eos::sim
