// The only file that includes CLI11: its header costs seconds of compile time. CLI11 splits the words; all checks and
// messages are ours, because it has no suggestions and exit codes of its own.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>

#include "arguments.hpp"
#include "eos/core/error.hpp"
#include "eos/kernels/device.hpp"

namespace eos::cli {

namespace {

std::string quoted(const std::string& word) {
  const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) || std::string_view("-_./=,:+@%").find(static_cast<char>(c)) != std::string_view::npos;
  });
  if (plain) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

std::string command_line_of(const std::vector<std::string>& words) {
  std::string text = "eos";
  for (const std::string& word : words) text += " " + quoted(word);
  return text;
}

/// Collects problems that point at words of the command line.
class Complaints {
 public:
  explicit Complaints(const std::vector<std::string>& words) : words_(words), line_(command_line_of(words)) {}

  void add(const std::string& code, const std::string& message, const std::string& help, const std::string& at = {}) {
    core::Diagnostic d{code, message, "command line", 0, 0, {}, help};
    if (!at.empty()) {
      d.source_line = line_;
      d.column = column_of(at);
    }
    list_.push_back(std::move(d));
  }
  void raise() {
    if (!list_.empty()) throw core::Error(std::move(list_));
  }

 private:
  int column_of(const std::string& at) const {
    std::size_t column = 5;  // after "eos "
    for (const std::string& word : words_) {
      if (word == at || word.rfind(at + "=", 0) == 0) return static_cast<int>(column);
      column += quoted(word).size() + 1;
    }
    return 0;
  }
  const std::vector<std::string>& words_;
  std::string line_;
  std::vector<core::Diagnostic> list_;
};

std::string flag_names(const Option& option) {
  const std::string name = "--" + option.name;
  return option.letter != 0 ? fmt::format("-{},{}", option.letter, name) : name;
}

void declare(CLI::App& app, const std::vector<Option>& options) {
  for (const Option& option : options) {
    if (option.kind == ValueKind::flag)
      app.add_flag(flag_names(option));
    else if (option.repeated)
      app.add_option(flag_names(option))->expected(1)->take_all();
    else
      app.add_option(flag_names(option))->expected(1)->take_last();
  }
}

void declare(CLI::App& app, const Verb& verb) {
  CLI::App* sub = app.add_subcommand(verb.name);
  sub->set_help_flag();
  sub->allow_extras();
  sub->fallthrough();
  declare(*sub, verb.options);
  for (const Positional& positional : verb.positionals) {
    CLI::Option* added = sub->add_option(positional.name);
    if (positional.repeated)
      added->expected(-1)->take_all();
    else
      added->expected(1);
  }
}

void collect(const CLI::App& app, const std::vector<Option>& options, Arguments& arguments) {
  for (const Option& option : options) {
    const CLI::Option* parsed = app.get_option("--" + option.name);
    if (parsed->count() == 0) continue;
    std::vector<std::string>& values = arguments.given[option.name];
    if (option.kind == ValueKind::flag)
      values.resize(parsed->count());
    else
      values = parsed->reduced_results();
  }
}

std::vector<std::string> option_names(const Verb* verb) {
  std::vector<std::string> names;
  if (verb != nullptr)
    for (const Option& option : verb->options)
      if (!option.hidden) names.push_back("--" + option.name);
  for (const Option& option : global_options_beside(verb)) names.push_back("--" + option.name);
  return names;
}

void complain_about_extras(const CLI::App& app, const Verb* verb, Complaints& complaints) {
  const std::string help = fmt::format("'eos {}--help' lists what is allowed", verb ? verb->name + " " : "");
  bool value_of_unknown = false;
  for (const std::string& extra : app.remaining(true)) {
    if (extra.size() > 1 && extra.front() == '-' && extra != "--") {
      const std::string name = extra.substr(0, extra.find('='));
      const auto close = name.size() > 3 ? core::did_you_mean(name, option_names(verb)) : std::vector<std::string>{};
      complaints.add("E100", fmt::format("unknown option '{}'", name),
                     close.empty() ? help : core::suggest(name, close), name);
      value_of_unknown = extra.find('=') == std::string::npos;
    } else if (!value_of_unknown) {
      complaints.add("E100", fmt::format("unexpected argument '{}'", extra), help, extra);
    }
  }
}

void check_choice(const std::string& shown, const std::string& value, const std::vector<std::string>& choices,
                  Complaints& complaints) {
  if (choices.empty() || std::find(choices.begin(), choices.end(), value) != choices.end()) return;
  complaints.add("E106", fmt::format("{} cannot be '{}'", shown, value), core::suggest(value, choices), value);
}

void check_positionals(const Arguments& arguments, Complaints& complaints) {
  if (arguments.given.count("help") != 0) return;
  for (const Positional& positional : arguments.verb->positionals) {
    const auto found = arguments.given.find(positional.name);
    if (found == arguments.given.end() || found->second.empty()) {
      if (!positional.required) continue;
      const std::string choices = positional.choices.empty() ? "" : "; " + core::suggest("?", positional.choices);
      complaints.add(
          "E100",
          fmt::format("eos {} needs {} ({}{})", arguments.verb->name, positional.name, positional.help, choices),
          arguments.verb->examples.empty() ? "" : "for example: " + arguments.verb->examples.front().command);
      continue;
    }
    for (const std::string& value : found->second) check_choice(positional.name, value, positional.choices, complaints);
  }
}

void check_device(const std::string& shown, const std::string& value, Complaints& complaints) {
  try {
    kernels::parse_device(value);
  } catch (const core::Error& error) {
    complaints.add("E106", fmt::format("{} cannot be '{}'", shown, value), error.diagnostics().front().help, value);
  }
}

void check_choices(const std::vector<Option>& options, const Arguments& arguments, Complaints& complaints) {
  for (const Option& option : options) {
    const auto check = [&](const std::string& shown, const std::string& value) {
      if (option.kind == ValueKind::device)
        check_device(shown, value, complaints);
      else
        check_choice(shown, value, option.choices, complaints);
    };
    if (const auto found = arguments.given.find(option.name); found != arguments.given.end()) {
      for (const std::string& value : found->second) check("--" + option.name, value);
    } else if (const auto value = arguments.said(option.name); value && !option.choices.empty()) {
      check("environment variable " + option.environment, *value);
    }
  }
}

/// The verb is found before CLI11 parses, so that a misspelt one gets its own message.
const Verb* verb_of(const std::vector<std::string>& words, Complaints& complaints) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (!words[i].empty() && words[i].front() == '-') {
      for (const Option& option : global_options()) {
        const bool named =
            words[i] == "--" + option.name || (option.letter != 0 && words[i] == fmt::format("-{}", option.letter));
        if (named && option.kind != ValueKind::flag) ++i;
      }
      continue;
    }
    if (const Verb* verb = find_verb(words[i])) return verb;
    std::vector<std::string> names;
    for (const Verb& verb : verbs())
      if (!verb.hidden) names.push_back(verb.name);
    complaints.add("E100", fmt::format("unknown verb '{}'", words[i]), core::suggest(words[i], names), words[i]);
    complaints.raise();
  }
  return nullptr;
}

/// CLI11's own complaint, when a value is missing.
void complain_about_value(const std::vector<std::string>& words, const Verb* verb, Complaints& complaints) {
  std::vector<Option> all = global_options();
  if (verb != nullptr) all.insert(all.end(), verb->options.begin(), verb->options.end());
  for (std::size_t i = 0; i < words.size(); ++i)
    for (const Option& option : all) {
      const bool named =
          words[i] == "--" + option.name || (option.letter != 0 && words[i] == fmt::format("-{}", option.letter));
      const bool last = i + 1 == words.size() ||
                        (words[i + 1].size() > 1 && words[i + 1].front() == '-' && !std::isdigit(words[i + 1][1]));
      if (named && option.kind != ValueKind::flag && last)
        complaints.add("E100", fmt::format("option {} needs a value {}", words[i], option.value), option.help,
                       words[i]);
      if (option.kind == ValueKind::flag && words[i].rfind("--" + option.name + "=", 0) == 0)
        complaints.add("E100", fmt::format("option --{} takes no value", option.name), "leave out what follows the '='",
                       words[i]);
    }
}

}  // namespace

Arguments parse(const std::vector<std::string>& words) {
  Arguments arguments;
  arguments.command_line = command_line_of(words);
  Complaints complaints(words);
  arguments.verb = verb_of(words, complaints);

  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  declare(app, global_options());
  if (arguments.verb != nullptr) declare(app, *arguments.verb);
  complain_about_value(words, arguments.verb, complaints);
  complaints.raise();
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));  // CLI11 wants the last word first
  } catch (const CLI::ParseError& problem) {
    complaints.add("E100", problem.what(), "'eos --help' lists what is allowed");
    complaints.raise();
  }

  collect(app, global_options(), arguments);
  if (arguments.verb != nullptr) {
    const CLI::App* sub = app.get_subcommand(arguments.verb->name);
    collect(*sub, arguments.verb->options, arguments);
    for (const Positional& positional : arguments.verb->positionals)
      if (const auto values = sub->get_option(positional.name)->results(); !values.empty())
        arguments.given[positional.name] = values;
  }
  complain_about_extras(app, arguments.verb, complaints);
  check_choices(global_options_beside(arguments.verb), arguments, complaints);
  if (arguments.verb != nullptr) {
    check_choices(arguments.verb->options, arguments, complaints);
    check_positionals(arguments, complaints);
  }
  complaints.raise();
  return arguments;
}

}  // namespace eos::cli
