// Explanations cover everything that has a name, docs/errors.md is up to date, completion scripts parse.
#include <gmock/gmock.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "cli_support.hpp"
#include "eos/core/error.hpp"
#include "eos/theory/ledger.hpp"
#include "eos/theory/training_spec.hpp"
#include "methods.hpp"
#include "options.hpp"

namespace eos::test {
namespace {

using testing::HasSubstr;

TEST(Explain, covers_exactly_the_presets) {
  std::multiset<std::string> explained, presets{"optimiser/effort"};
  for (const cli::MethodExplanation& row : cli::method_explanations()) explained.insert(row.kind + "/" + row.name);
  for (const std::string& name : theory::selection_presets()) presets.insert("selection/" + name);
  for (const std::string& name : theory::plasticity_presets()) presets.insert("plasticity/" + name);
  EXPECT_EQ(explained, presets);
}

TEST(Explain, answers_for_every_code_method_and_price_list) {
  std::vector<std::string> topics = theory::builtin_price_names();
  for (const core::ErrorCode& row : core::error_codes()) topics.emplace_back(row.code);
  for (const cli::MethodExplanation& row : cli::method_explanations()) topics.push_back(row.name);
  for (const std::string& topic : topics) {
    const Said said = eos_says({"explain", topic});
    EXPECT_EQ(said.code, 0) << topic;
    EXPECT_THAT(said.out, HasSubstr(topic));
  }
}

TEST(Explain, shows_numbers_of_the_price_list_itself) {
  const Said said = eos_says({"explain", "hbm2"});
  EXPECT_THAT(said.out, HasSubstr("125 pJ per written parameter"));
}

TEST(Explain, suggests_for_an_unknown_topic) {
  const Said said = eos_says({"explain", "dbdp"});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("did you mean 'dbpd'?"));
}

TEST(Explain, a_name_used_twice_gets_both_answers) {
  const Said said = eos_says({"explain", "schedule"});
  EXPECT_THAT(said.out, HasSubstr("selection.method = \"schedule\""));
  EXPECT_THAT(said.out, HasSubstr("plasticity.method = \"schedule\""));
}

TEST(Explain, speaks_json) {
  const auto json = nlohmann::json::parse(eos_says({"explain", "E102", "--format", "json"}).out);
  EXPECT_EQ(json["schema"], "eos.explain/1");
  EXPECT_EQ(json["explanations"][0]["text"], "E102");
}

TEST(Explain, gives_programs_the_exact_prices) {
  for (const std::string& name : theory::builtin_price_names()) {
    const auto json = nlohmann::json::parse(eos_says({"explain", name, "--format", "json"}).out);
    std::map<std::string, double> values;
    for (const auto& row : json["explanations"])
      if (!row["value"].is_null()) values[row["field"]] = row["value"];
    const theory::PriceList list = theory::builtin_prices(name);
    EXPECT_EQ(values["mac"], list.mac) << name;
    EXPECT_EQ(values["write"], list.write) << name;
    EXPECT_EQ(values["maintenance"], list.maintenance) << name;
    EXPECT_EQ(values["sample"], list.sample) << name;
  }
}

TEST(Errors, page_of_the_manual_is_up_to_date) {
  const Said said = eos_says({"explain", "--all", "--format", "markdown"});
  const std::string path = std::string(EOS_SOURCE_DIR) + "/docs/errors.md";
  if (std::getenv("EOS_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << said.out;
  EXPECT_EQ(said.out, file_text(path)) << "run: eos explain --all --format markdown > docs/errors.md";
}

TEST(Completion, scripts_parse_and_know_every_verb_and_option) {
  const Folder folder;
  for (const std::string shell : {"bash", "zsh", "fish"}) {
    const Said said = eos_says({"completion", shell});
    EXPECT_EQ(said.code, 0);
    for (const cli::Verb& verb : cli::verbs()) {
      EXPECT_THAT(said.out, HasSubstr(verb.name)) << shell;
      for (const cli::Option& option : verb.options) EXPECT_THAT(said.out, HasSubstr(option.name)) << shell;
    }
    const std::string path = folder.write("eos." + shell, said.out);
    const std::string have = "command -v " + shell + " > /dev/null 2>&1";
    if (std::system(have.c_str()) != 0) continue;  // only the shells that are installed can be asked
    EXPECT_EQ(std::system((shell + " -n " + path).c_str()), 0) << shell;
  }
}

TEST(Completion, of_bash_offers_verbs_choices_and_options) {
  const Folder folder;
  const std::string script = folder.write("eos.bash", eos_says({"completion", "bash"}).out);
  const auto complete = [&](const std::string& words, int index) {
    const std::string answer = folder / "answer";
    const std::string command = "bash -c 'source " + script + "; COMP_WORDS=(" + words +
                                "); COMP_CWORD=" + std::to_string(index) +
                                "; _eos; printf \"%s \" \"${COMPREPLY[@]}\"' > " + answer;
    EXPECT_EQ(std::system(command.c_str()), 0);
    return file_text(answer);
  };
  EXPECT_EQ(complete("eos tr", 1), "train ");
  EXPECT_EQ(complete("eos train --device c", 3), "cpu cuda ");
  EXPECT_THAT(complete("eos train --thr", 2), HasSubstr("--threads"));
  EXPECT_EQ(complete("eos completion z", 2), "zsh ");
}

}  // namespace
}  // namespace eos::test
