// Report what went wrong in words that teach: an error code, what was got, what is allowed, where, and what to do.
//
// Policy. A solver that stops early or a run that diverges is an *outcome* and is returned as a status. Input or a
// machine that cannot do the job is an Error (exception). A broken invariant of our own is an assertion.
// All problems of one input are collected as Diagnostics and thrown together.
#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace eos::core {

/// What must change before the job can be done. Decides the exit code of the program.
enum class Fault {
  input,    ///< the user's input must change (exit code 2)
  machine,  ///< the machine must change: no device, memory, disk, permission (exit code 3)
  bug       ///< our own mistake (exit code 70)
};

/// One row of the table behind `eos explain CODE` and docs/errors.md.
struct ErrorCode {
  std::string_view code;     ///< "E101"
  Fault fault;               ///<
  std::string_view title;    ///< one line
  std::string_view explain;  ///< cause, example, remedy
};

/// All error codes, ordered by code.
const std::vector<ErrorCode>& error_codes();
/// The row of one code, or nullptr.
const ErrorCode* find_error_code(std::string_view code);

/// One problem with its place in the input. line and column count from 1; 0 means unknown.
struct Diagnostic {
  std::string code;
  std::string message;
  std::string file;
  int line = 0;
  int column = 0;
  std::string source_line;  ///< the text of that line, for the caret
  std::string help;         ///< the smallest change that mends it
};

/// The exception of eos: one or more diagnostics of which the first decides the Fault.
class Error : public std::exception {
 public:
  Error(std::string code, std::string message, std::string help = {});
  explicit Error(std::vector<Diagnostic> diagnostics);
  const std::vector<Diagnostic>& diagnostics() const { return diagnostics_; }
  Fault fault() const;
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  std::vector<Diagnostic> diagnostics_;
  std::string text_;
};

/// Up to three candidates closest to `word` by Damerau-Levenshtein distance <= max(1, length/3), best first.
std::vector<std::string> did_you_mean(std::string_view word, const std::vector<std::string>& candidates);
/// "did you mean 'a' or 'b'?" or the list of what is allowed.
std::string suggest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace eos::core
