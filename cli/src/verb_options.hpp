// Options that several verbs share, and the verbs that are described elsewhere than in verbs.cpp.
#pragma once

#include <string>
#include <vector>

#include "options.hpp"

namespace eos::cli {

Option out_option(const std::string& what, const std::string& word = "FILE.h5");
Option plot_option(const std::string& what);
Option set_option();
Option device_option();
Option threads_option();
Option seed_option();
Option prices_option(const std::string& help, const std::string& fallback = {});
/// One list after the other.
std::vector<Option> with(std::vector<Option> options, const std::vector<Option>& more);

Verb sweep_verb();
Verb merge_verb();
Verb evidence_verb();

}  // namespace eos::cli
