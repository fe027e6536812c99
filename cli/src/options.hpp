// The command line of eos as one table: parsing, help, completion scripts and the manual are all made from it.
#pragma once

#include <string>
#include <vector>

namespace eos::cli {

class Session;

enum class ValueKind {
  flag,     ///< takes no value
  text,     ///< any word
  integer,  ///< whole number >= Option::minimum
  number,   ///< real number >= Option::minimum
  file,     ///< path of a file; completed as such
  folder,   ///< path of a folder or a prefix
  choice,   ///< one of Option::choices
  device    ///< a name as in kernels/device.hpp; Option::choices are those that are completed
};

struct Option {
  std::string name = {};  ///< long name without dashes
  char letter = 0;        ///< short name, 0: none
  ValueKind kind = ValueKind::flag;
  std::string value = {};  ///< the word that stands for the value in the help text
  std::string help = {};
  std::vector<std::string> choices = {};
  std::string fallback = {};     ///< what holds when nobody says anything; shown in the help text
  std::string environment = {};  ///< variable that is read when the option is not given
  double minimum = 0;
  bool repeated = false;
  bool hidden = false;
};

struct Positional {
  std::string name = {};
  ValueKind kind = ValueKind::text;
  std::string help = {};
  std::vector<std::string> choices = {};
  bool required = true;
  bool repeated = false;
};

struct Example {
  std::string command;
  std::string meaning;
};

struct Verb {
  std::string name = {};
  std::string summary = {};      ///< one line
  std::string description = {};  ///< a paragraph or two
  std::vector<Positional> positionals = {};
  std::vector<Option> options = {};
  std::vector<Example> examples = {};
  int (*run)(Session&) = nullptr;
  bool hidden = false;
};

/// All verbs, in the order of the help text.
const std::vector<Verb>& verbs();
const Verb* find_verb(const std::string& name);
/// Options that every verb accepts.
const std::vector<Option>& global_options();
/// Those of them that the verb does not define anew.
std::vector<Option> global_options_beside(const Verb* verb);
/// Every EOS_* variable the program reads, with its meaning.
std::vector<std::pair<std::string, std::string>> environment_variables();

/// Help of one verb, or of the program when verb is nullptr.
std::string help_text(const Verb* verb);
/// Completion script for bash, zsh or fish.
std::string completion_script(const std::string& shell);

}  // namespace eos::cli
