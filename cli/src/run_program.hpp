// Other programs: is one there, and what does it say.
#pragma once

#include <string>
#include <vector>

namespace eos::cli {

/// Full path of a program on PATH, "" when there is none.
std::string find_program(const std::string& name);

struct ProgramResult {
  int code = 0;        ///< exit code; 128 + signal as a shell reports it
  std::string output;  ///< stdout and stderr together
};
/// Runs words[0], found on PATH, and waits for it.
ProgramResult run_program(const std::vector<std::string>& words);

/// A word as a POSIX shell takes it, in quotes where it needs them.
std::string shell_quoted(const std::string& word);

/// The file of this very program.
std::string this_program();

}  // namespace eos::cli
