// The command line itself: help, suggestions, exit codes, precedence.
#include <gmock/gmock.h>

#include "arguments.hpp"
#include "cli_support.hpp"
#include "eos/core/error.hpp"

namespace eos::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(Help, of_the_program_is_as_recorded) {
  const Said said = eos_says({"--help"});
  EXPECT_EQ(said.code, 0);
  expect_golden("help.txt", said.out);
}

TEST(Help, of_every_verb_is_as_recorded) {
  for (const cli::Verb& verb : cli::verbs()) {
    const Said said = eos_says({verb.name, "--help"});
    EXPECT_EQ(said.code, 0) << verb.name;
    EXPECT_FALSE(verb.examples.empty()) << verb.name << " has no example";
    expect_golden("help_" + verb.name + ".txt", said.out);
  }
}

TEST(Help, without_a_verb_goes_to_stderr_with_code_2) {
  const Said said = eos_says({});
  EXPECT_EQ(said.code, 2);
  EXPECT_EQ(said.out, "");
  EXPECT_THAT(said.err, HasSubstr("Usage: eos VERB"));
}

TEST(Version, is_one_line_on_stdout) {
  const Said said = eos_says({"--version"});
  EXPECT_EQ(said.code, 0);
  EXPECT_THAT(said.out, StartsWith("eos "));
}

TEST(Verbs, misspelt_gets_the_closest) {
  const Said said = eos_says({"trian", "a.toml"});
  EXPECT_EQ(said.code, 2);
  EXPECT_EQ(said.out, "");
  EXPECT_EQ(said.err,
            "error[E100]: unknown verb 'trian'\n"
            "  --> command line\n"
            "  | eos trian a.toml\n"
            "  |     ^\n"
            "  help: did you mean 'train'?\n"
            "  see: eos explain E100\n");
}

TEST(Options, all_problems_are_reported_at_once) {
  const Said said = eos_says({"train", "a.toml", "--devcie", "cpu", "--sed=3", "--color", "sometimes"});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("unknown option '--devcie'"));
  EXPECT_THAT(said.err, HasSubstr("did you mean '--device'?"));
  EXPECT_THAT(said.err, HasSubstr("unknown option '--sed'"));
  EXPECT_THAT(said.err, HasSubstr("--color cannot be 'sometimes'"));
  EXPECT_THAT(said.err, Not(HasSubstr("unexpected argument 'cpu'"))) << "it is the value of the misspelt option";
}

TEST(Options, with_a_wrong_word_get_the_closest_choice) {
  const Said said = eos_says({"train", "a.toml", "--device", "cdua"});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, StartsWith("error[E106]: --device cannot be 'cdua'"));
  const std::string allowed =
      "allowed: auto, cpu, cuda, cuda:N for device number N, and after a cuda name :fp32, :tf32 or";
  EXPECT_THAT(said.err, HasSubstr("did you mean 'cuda'? " + allowed));
  EXPECT_THAT(eos_says({"train", "a.toml", "--device", "cuda:x"}).err, HasSubstr(allowed));
  EXPECT_THAT(said.err, HasSubstr("did you mean 'cuda'?"));
}

TEST(Options, without_their_value_are_named) {
  const Said said = eos_says({"plan", "a.toml", "-o"});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, StartsWith("error[E100]: option -o needs a value FILE.h5"));
}

TEST(Options, flags_refuse_values) {
  const Said said = eos_says({"show", "a.h5", "--config=yes"});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, StartsWith("error[E100]: option --config takes no value"));
}

TEST(Arguments, missing_ones_are_named_with_an_example) {
  const Said said = eos_says({"diff", "a.h5"});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("eos diff needs B.h5"));
  EXPECT_THAT(said.err, HasSubstr("for example: eos diff a.h5 b.h5"));
}

TEST(Arguments, surplus_ones_are_refused) {
  const Said said = eos_says({"doctor", "now"});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("unexpected argument 'now'"));
}

TEST(Numbers, must_be_numbers_in_range) {
  EXPECT_THAT(eos_says({"diff", "a.h5", "b.h5", "--rtol", "tiny"}).code, 2);
  cli::Arguments arguments = cli::parse({"train", "a.toml", "--threads", "0"});
  EXPECT_THROW(arguments.integer("threads"), core::Error);
  arguments = cli::parse({"train", "a.toml", "--threads", "2x"});
  EXPECT_THROW(arguments.integer("threads"), core::Error);
  arguments = cli::parse({"train", "a.toml", "--seed", "18446744073709551615"});
  EXPECT_EQ(arguments.seed("seed"), 18446744073709551615ull);
}

TEST(Precedence, option_over_environment_over_default) {
  const Environment environment("EOS_DEVICE", "cpu");
  EXPECT_EQ(cli::parse({"train", "a.toml"}).text("device"), "cpu");
  EXPECT_EQ(cli::parse({"train", "a.toml", "--device", "cuda"}).text("device"), "cuda");
  const Environment unset("EOS_DEVICE", "");
  EXPECT_EQ(cli::parse({"train", "a.toml"}).text("device"), "auto");
}

TEST(Precedence, wrong_words_in_the_environment_are_errors_that_name_the_variable) {
  const Environment environment("EOS_FORMAT", "jsn");
  const Said said = eos_says({"doctor"});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("environment variable EOS_FORMAT cannot be 'jsn'"));
}

TEST(Options, of_every_verb_may_stand_before_it) {
  EXPECT_EQ(cli::parse({"--format", "json", "doctor"}).text("format"), "json");
  EXPECT_EQ(cli::parse({"doctor", "--format=json"}).text("format"), "json");
}

TEST(Set, may_be_repeated_and_keeps_brackets) {
  const cli::Arguments arguments =
      cli::parse({"train", "a.toml", "--set", "train.seeds=[1, 2]", "--set", "train.batch=8"});
  EXPECT_EQ(arguments.list("set"), (std::vector<std::string>{"train.seeds=[1, 2]", "train.batch=8"}));
}

TEST(Errors, are_json_on_request) {
  const Said said = eos_says({"tarin", "--format", "json"});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, StartsWith("{\"schema\":\"eos.error/1\",\"exit_code\":2,\"errors\":[{\"code\":\"E100\""));
}

TEST(Errors, have_colour_when_asked_for) {
  EXPECT_THAT(eos_says({"show", "/nowhere/a.h5", "--color", "always"}).err, HasSubstr("\033[1;31merror[E201]"));
  EXPECT_THAT(eos_says({"show", "/nowhere/a.h5"}).err, Not(HasSubstr("\033")));
}

}  // namespace
}  // namespace eos::test
