// The eos program as a function: parse the command line, run the verb, report, return the exit code.
//
// Exit codes: 0 done; 1 done but a check failed or a run diverged; 2 the input must change; 3 the machine must change;
// 4 stopped early, resumable state saved; 70 our bug. Results go to `out`, everything else to `err`.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace eos::cli {

int run(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err);

}  // namespace eos::cli
