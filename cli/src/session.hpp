// Everything a verb needs while it runs: what was asked for, where to write, how to look.
#pragma once

#include <memory>
#include <ostream>
#include <string>

#include "arguments.hpp"
#include "progress.hpp"
#include "report.hpp"

namespace eos::cli {

/// Exit codes of the program.
enum ExitCode : int {
  k_done = 0,
  k_check_failed = 1,
  k_input_must_change = 2,
  k_machine_must_change = 3,
  k_stopped_resumable = 4,
  k_our_bug = 70
};

/// Whether text on `stream` is coloured when --color says `choice`: auto means a terminal, without NO_COLOR.
bool wants_colour(const std::string& choice, const std::ostream& stream);

class Session {
 public:
  Session(Arguments arguments, std::ostream& out, std::ostream& err);

  const Arguments arguments;
  std::ostream& out;
  std::ostream& err;
  Format format = Format::text;
  bool colour_out = false, colour_err = false;
  int verbosity = 0;  ///< -1 quiet, 0, 1 verbose

  ConsoleProgress& progress() { return *progress_; }
  /// Prints the result on stdout in the chosen format.
  void print(const Document& document);
  /// A line on stderr unless --quiet.
  void note(const std::string& text);
  /// A line on stderr with --verbose.
  void detail(const std::string& text);
  /// Worker threads: --threads, EOS_THREADS, or what the machine offers.
  int threads() const;

 private:
  std::unique_ptr<ConsoleProgress> progress_;
};

}  // namespace eos::cli
