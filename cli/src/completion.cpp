// Completion scripts made from the option table, so that they cannot drift from the program.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "commands.hpp"

namespace eos::cli {

namespace {

std::vector<Option> options_of(const Verb& verb) {
  std::vector<Option> all = verb.options;
  for (const Option& option : global_options_beside(&verb)) all.push_back(option);
  std::erase_if(all, [](const Option& option) { return option.hidden; });
  return all;
}

std::vector<std::string> words_of(const Verb& verb) {
  std::vector<std::string> words;
  for (const Option& option : options_of(verb)) words.push_back("--" + option.name);
  for (const Positional& positional : verb.positionals)
    words.insert(words.end(), positional.choices.begin(), positional.choices.end());
  return words;
}

std::vector<std::string> verb_names() {
  std::vector<std::string> names;
  for (const Verb& verb : verbs())
    if (!verb.hidden) names.push_back(verb.name);
  return names;
}

std::string bash_values(const Verb& verb) {
  std::string cases;
  for (const Option& option : options_of(verb)) {
    if (option.kind == ValueKind::flag) continue;
    const std::string pattern =
        option.letter != 0 ? fmt::format("-{}|--{}", option.letter, option.name) : "--" + option.name;
    if (!option.choices.empty())
      cases += fmt::format("        {}) COMPREPLY=($(compgen -W '{}' -- \"$cur\")); return;;\n", pattern,
                           fmt::join(option.choices, " "));
    else if (option.kind == ValueKind::file || option.kind == ValueKind::folder)
      cases += fmt::format("        {}) COMPREPLY=($(compgen -f -- \"$cur\")); return;;\n", pattern);
    else
      cases += fmt::format("        {}) return;;\n", pattern);
  }
  return cases;
}

std::string bash_script() {
  std::string text =
      "# bash completion for eos; load it with: source <(eos completion bash)\n"
      "_eos() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb=${COMP_WORDS[1]}\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n";
  text += fmt::format("    COMPREPLY=($(compgen -W '{} --help --version' -- \"$cur\")); return\n  fi\n",
                      fmt::join(verb_names(), " "));
  text += "  case \"$verb\" in\n";
  for (const Verb& verb : verbs()) {
    if (verb.hidden) continue;
    text += fmt::format("    {})\n      case \"$prev\" in\n{}      esac\n", verb.name, bash_values(verb));
    text += fmt::format("      COMPREPLY=($(compgen -W '{}' -- \"$cur\") $(compgen -f -- \"$cur\"));;\n",
                        fmt::join(words_of(verb), " "));
  }
  return text + "  esac\n}\ncomplete -o filenames -F _eos eos\n";
}

/// Text inside single quotes of zsh and fish, without the characters that mean something in an _arguments spec.
std::string plain(const std::string& text) {
  std::string result;
  for (const char c : text) result += c == '\'' || c == '[' || c == ']' || c == ':' || c == '\\' ? ' ' : c;
  return result;
}

std::string zsh_option(const Option& option) {
  std::string action;
  if (!option.choices.empty())
    action = fmt::format(":{}:({})", plain(option.value), fmt::join(option.choices, " "));
  else if (option.kind == ValueKind::file || option.kind == ValueKind::folder)
    action = fmt::format(":{}:_files", plain(option.value));
  else if (option.kind != ValueKind::flag)
    action = fmt::format(":{}:", plain(option.value));
  std::string lines = fmt::format("      '*--{}[{}]{}' \\\n", option.name, plain(option.help), action);
  if (option.letter != 0) lines += fmt::format("      '*-{}[{}]{}' \\\n", option.letter, plain(option.help), action);
  return lines;
}

std::string zsh_script() {
  std::string text =
      "#compdef eos\n"
      "# zsh completion for eos; load it with: source <(eos completion zsh)\n"
      "_eos() {\n"
      "  local -a verbs\n"
      "  verbs=(\n";
  for (const Verb& verb : verbs())
    if (!verb.hidden) text += fmt::format("    '{}:{}'\n", verb.name, plain(verb.summary));
  text += "  )\n  if (( CURRENT == 2 )); then _describe 'verb' verbs; return; fi\n  case $words[2] in\n";
  for (const Verb& verb : verbs()) {
    if (verb.hidden) continue;
    text += fmt::format("    {}) _arguments \\\n", verb.name);
    for (const Option& option : options_of(verb)) text += zsh_option(option);
    std::vector<std::string> choices;
    for (const Positional& positional : verb.positionals)
      choices.insert(choices.end(), positional.choices.begin(), positional.choices.end());
    text +=
        choices.empty() ? "      '*:file:_files';;\n" : fmt::format("      '*:word:({})';;\n", fmt::join(choices, " "));
  }
  return text + "  esac\n}\ncompdef _eos eos\n";
}

std::string fish_script() {
  std::string text = "# fish completion for eos; load it with: eos completion fish | source\n";
  for (const Verb& verb : verbs()) {
    if (verb.hidden) continue;
    text += fmt::format("complete -c eos -n __fish_use_subcommand -f -a {} -d '{}'\n", verb.name, plain(verb.summary));
    const std::string when = fmt::format("complete -c eos -n '__fish_seen_subcommand_from {}'", verb.name);
    for (const Option& option : options_of(verb)) {
      text += fmt::format("{} -l {}", when, option.name);
      if (option.letter != 0) text += fmt::format(" -s {}", option.letter);
      if (!option.choices.empty())
        text += fmt::format(" -x -a '{}'", fmt::join(option.choices, " "));
      else if (option.kind != ValueKind::flag)
        text += " -r";
      text += fmt::format(" -d '{}'\n", plain(option.help));
    }
    for (const Positional& positional : verb.positionals)
      if (!positional.choices.empty()) text += fmt::format("{} -f -a '{}'\n", when, fmt::join(positional.choices, " "));
  }
  return text;
}

}  // namespace

std::string completion_script(const std::string& shell) {
  return shell == "bash" ? bash_script() : shell == "zsh" ? zsh_script() : fish_script();
}

int run_completion(Session& session) {
  session.out << completion_script(session.arguments.text("SHELL"));
  return k_done;
}

}  // namespace eos::cli
