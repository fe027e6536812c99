#include "cli.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <new>
#include <ostream>

#include "eos/core/error.hpp"
#include "session.hpp"

namespace eos::cli {

namespace {

int exit_code_of(core::Fault fault) {
  switch (fault) {
    case core::Fault::input:
      return k_input_must_change;
    case core::Fault::machine:
      return k_machine_must_change;
    case core::Fault::bug:
      break;
  }
  return k_our_bug;
}

/// How errors look is decided before the command line is known to be sound.
struct ErrorLook {
  bool json = false, colour = false;
};

int report(const core::Error& error, std::ostream& err, const ErrorLook& look) {
  const int code = exit_code_of(error.fault());
  if (look.json)
    print_error_json(err, error, code);
  else
    print_error(err, error, look.colour);
  return code;
}

int run_verb(const Arguments& arguments, std::ostream& out, std::ostream& err, ErrorLook& look) {
  if (arguments.has("version")) {
    out << "eos " EOS_VERSION "\n";
    return k_done;
  }
  if (arguments.has("help")) {
    out << help_text(arguments.verb);
    return k_done;
  }
  if (arguments.verb == nullptr) {
    err << help_text(nullptr);
    return k_input_must_change;
  }
  Session session(arguments, out, err);
  look = {session.format == Format::json, session.colour_err};
  try {
    return arguments.verb->run(session);
  } catch (...) {
    session.progress().finish();
    throw;
  }
}

/// The value of a global option in words that may not parse, for the look of the errors they cause.
std::string spied(const std::vector<std::string>& words, const std::string& option, const char* environment,
                  const std::string& otherwise) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i].rfind(option + "=", 0) == 0) return words[i].substr(option.size() + 1);
    if (words[i] == option && i + 1 < words.size()) return words[i + 1];
  }
  const char* value = std::getenv(environment);
  return value == nullptr ? otherwise : value;
}

}  // namespace

int run(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err) {
  ErrorLook look{spied(arguments, "--format", "EOS_FORMAT", "text") == "json",
                 wants_colour(spied(arguments, "--color", "EOS_COLOR", "auto"), err)};
  try {
    return run_verb(parse(arguments), out, err, look);
  } catch (const core::Error& error) {
    return report(error, err, look);
  } catch (const std::bad_alloc&) {
    return report(core::Error("E304", "the system refused more memory"), err, look);
  } catch (const std::exception& problem) {
    return report(core::Error("E901", fmt::format("unexpected: {}", problem.what()),
                              "please report this with the command line and its files"),
                  err, look);
  }
}

}  // namespace eos::cli
