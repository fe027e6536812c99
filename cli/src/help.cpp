#include <fmt/format.h>

#include <algorithm>

#include "options.hpp"
#include "report.hpp"

namespace eos::cli {

namespace {

constexpr std::size_t k_help_column = 30;

std::string entry(const std::string& name, const std::string& help) {
  const std::string text = wrapped(help, k_help_column);
  if (name.size() + 4 > k_help_column) return "  " + name + "\n" + text;
  return "  " + name + std::string(k_help_column - 2 - name.size(), ' ') + text.substr(k_help_column);
}

std::string entry(const Option& option) {
  std::string name = option.letter != 0 ? fmt::format("-{}, --{}", option.letter, option.name) : "    --" + option.name;
  if (!option.value.empty()) name += " " + option.value;
  std::string help = option.help;
  if (!option.fallback.empty()) help += fmt::format(" (default: {})", option.fallback);
  if (!option.environment.empty()) help += fmt::format(" [{}]", option.environment);
  return entry(name, help);
}

std::string options_block(const std::string& title, const std::vector<Option>& options) {
  std::string text;
  for (const Option& option : options)
    if (!option.hidden) text += entry(option);
  return text.empty() ? "" : "\n" + title + ":\n" + text;
}

std::string usage(const Verb& verb) {
  std::string text = "eos " + verb.name;
  for (const Positional& positional : verb.positionals) {
    const std::string word = positional.name + (positional.repeated ? " ..." : "");
    text += positional.required ? " " + word : " [" + word + "]";
  }
  return text + " [options]";
}

std::string program_help() {
  std::string text =
      "eos: energy-optimal schedules. Which data, and which weights, should a network be trained on at each\n"
      "moment, so that it reaches a given quality for the least energy?\n"
      "\n"
      "Usage: eos VERB [arguments] [options]\n"
      "\n"
      "Verbs:\n";
  for (const Verb& verb : verbs())
    if (!verb.hidden) text += "  " + verb.name + std::string(14 - verb.name.size(), ' ') + verb.summary + "\n";
  text += options_block("Options of every verb", global_options());
  text +=
      "\nEnvironment (an option wins over the environment, the environment over a file, a file over the default):\n";
  for (const auto& [name, meaning] : environment_variables()) text += entry(name, meaning);
  text +=
      "\n"
      "Exit codes: 0 done; 1 done, but a check failed or a run diverged; 2 the input must change; 3 the machine must\n"
      "change; 4 stopped early, state saved, run the same command again to resume; 70 a mistake in eos;\n"
      "128 + n ended by signal n with nothing saved.\n"
      "\n"
      "First steps:\n"
      "  eos demo                 calibrate, plan, train and compare on real data in a minute\n"
      "  eos VERB --help          what a verb does, with examples\n"
      "  eos explain E102         an error code, a method or a price list, explained\n";
  return text;
}

}  // namespace

std::string help_text(const Verb* verb) {
  if (verb == nullptr) return program_help();
  std::string text = fmt::format("eos {}: {}\n\nUsage: {}\n\n{}", verb->name, verb->summary, usage(*verb),
                                 wrapped(verb->description, 0));
  if (!verb->positionals.empty()) text += "\nArguments:\n";
  for (const Positional& positional : verb->positionals) text += entry(positional.name, positional.help);
  text += options_block("Options", verb->options);
  text += options_block("Options of every verb", global_options_beside(verb));
  if (!verb->examples.empty()) text += "\nExamples:\n";
  for (const Example& example : verb->examples) text += "  " + example.command + "\n" + wrapped(example.meaning, 6);
  return text;
}

}  // namespace eos::cli
