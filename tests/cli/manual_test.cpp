// docs/manual.md shows the help of every verb; EOS_UPDATE_GOLDEN=1 writes it anew.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "cli_support.hpp"
#include "options.hpp"

namespace eos::test {
namespace {

/// Help of a verb without the options that every verb has; those stand once, in the first section.
std::string own_help(const std::string& verb) {
  std::string help = eos_says({verb, "--help"}).out;
  const std::size_t begin = help.find("Options of every verb:");
  if (begin == std::string::npos) return help;
  const std::size_t end = help.find("\n\n", begin);
  return help.erase(begin, end == std::string::npos ? end : end + 2 - begin);
}

/// The text between the fences that follow "## eos VERB".
std::pair<std::size_t, std::size_t> block(const std::string& manual, const std::string& heading) {
  const std::string fence = "```\n";
  const std::size_t at = manual.find("\n" + heading + "\n");
  if (at == std::string::npos) return {0, 0};
  const std::size_t begin = manual.find(fence, at) + fence.size();
  return {begin, manual.find(fence, begin) - begin};
}

TEST(Manual, shows_the_help_of_every_verb) {
  const std::string path = std::string(EOS_SOURCE_DIR) + "/docs/manual.md";
  std::string manual = file_text(path);
  const bool update = std::getenv("EOS_UPDATE_GOLDEN") != nullptr;
  for (const cli::Verb& verb : cli::verbs()) {
    const auto [begin, length] = block(manual, "## eos " + verb.name);
    ASSERT_GT(begin, 0u) << "docs/manual.md has no section on eos " << verb.name;
    std::string help = own_help(verb.name);
    while (help.ends_with("\n\n")) help.pop_back();
    if (update)
      manual.replace(begin, length, help);
    else
      EXPECT_EQ(manual.substr(begin, length), help) << "run this test with EOS_UPDATE_GOLDEN=1";
  }
  if (update) std::ofstream(path) << manual;
}

}  // namespace
}  // namespace eos::test
