// What was asked for on one command line, with the precedence option > environment > (file >) default.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "options.hpp"

namespace eos::cli {

class Arguments {
 public:
  const Verb* verb = nullptr;
  std::map<std::string, std::vector<std::string>>
      given;                 ///< by long name or positional name; a flag holds one "" per use
  std::string command_line;  ///< as typed, quoted where needed

  /// Given on the command line or in the environment.
  bool has(const std::string& name) const { return said(name).has_value(); }
  /// How often a flag was given.
  int count(const std::string& name) const;
  /// Option, environment, or the table's default.
  std::string text(const std::string& name) const;
  /// Option or environment; nothing when neither was given, so that a file or default decides.
  std::optional<std::string> said(const std::string& name) const;
  std::vector<std::string> list(const std::string& name) const;
  /// throws Error E103/E104 with the option's name when the text is no number or below the minimum.
  double number(const std::string& name) const;
  long long integer(const std::string& name) const;
  /// As integer(), for seeds, which use all 64 bits.
  unsigned long long seed(const std::string& name) const;

 private:
  const Option& option(const std::string& name) const;
};

/// Parses and checks: unknown verbs, options, surplus or missing arguments and words outside the choices, all at once.
/// throws Error E100/E106 whose diagnostics point into the command line.
Arguments parse(const std::vector<std::string>& words);

}  // namespace eos::cli
