// Where the four IDX files of a data set are.
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
std::string find_known_folder(const std::string& name, const std::vector<std::string>& search);

/// Fills `task` with generated samples; see teacher.cpp for the construction.
void generate_teacher(const theory::DataSpec& spec, TaskData& task);

}  // namespace eos::sim
