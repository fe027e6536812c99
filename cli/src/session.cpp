#include "session.hpp"

#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "eos/core/parallel.hpp"

namespace eos::cli {

namespace {

bool is_terminal(const std::ostream& stream) {
  if (&stream == &std::cout) return isatty(STDOUT_FILENO) == 1;
  if (&stream == &std::cerr) return isatty(STDERR_FILENO) == 1;
  return false;
}

ProgressMode progress_mode(const std::string& choice, bool quiet, const std::ostream& err) {
  if (choice == "bar") return ProgressMode::bar;
  if (choice == "plain") return ProgressMode::plain;
  if (choice == "json") return ProgressMode::json;
  if (choice == "none" || quiet) return ProgressMode::none;
  return is_terminal(err) ? ProgressMode::bar : ProgressMode::plain;
}

}  // namespace

bool wants_colour(const std::string& choice, const std::ostream& stream) {
  if (choice != "auto") return choice == "always";
  const char* no_colour = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  if ((no_colour != nullptr && *no_colour != '\0') || (term != nullptr && std::string(term) == "dumb")) return false;
  return is_terminal(stream);
}

Session::Session(Arguments asked, std::ostream& out_stream, std::ostream& err_stream)
    : arguments(std::move(asked)), out(out_stream), err(err_stream) {
  const std::string chosen = arguments.text("format");
  format = chosen == "json" ? Format::json : chosen == "csv" ? Format::csv : Format::text;
  verbosity = arguments.has("quiet") ? -1 : arguments.count("verbose");
  colour_out = wants_colour(arguments.text("color"), out);
  colour_err = wants_colour(arguments.text("color"), err);
  progress_ = std::make_unique<ConsoleProgress>(progress_mode(arguments.text("progress"), verbosity < 0, err), err);
}

void Session::print(const Document& document) {
  progress_->finish();
  document.print(out, format, colour_out);
  out.flush();
}

void Session::note(const std::string& text) {
  if (verbosity < 0) return;
  progress_->finish();
  err << text << "\n";
}

void Session::detail(const std::string& text) {
  if (verbosity > 0) note(text);
}

int Session::threads() const {
  return arguments.has("threads") ? static_cast<int>(arguments.integer("threads")) : core::available_threads();
}

}  // namespace eos::cli
