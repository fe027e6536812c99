#include "eos/io/evidence_file.hpp"

#include <gmock/gmock.h>

#include "support.hpp"

namespace {

using eos::io::read_evidence;
using eos::io::testing::error_of;
using eos::io::testing::Scratch;
using eos::io::testing::spill;
using ::testing::HasSubstr;

const std::string k_task = "[train]\nbatch = 16\n[data]\nname = \"teacher\"\n[network]\nhidden = [8]\n";
const std::string k_protocol =
    "[protocol]\ntitle = \"t\"\nseeds = [4, 5]\nprices = [\"metabolic-m0\", \"hbm2\"]\nplasticity = [\"metabolic-m0\"]\n"
    "[[task]]\nname = \"one\"\nbase = \"task.toml\"\nset = { \"data.label_noise\" = 0.1 }\ntarget = 0.8\n"
    "[[method]]\nname = \"dense\"\naxis = \"dense\"\nsearch = { rate = [0.5, 1] }\n"
    "[[method]]\nname = \"dbpd\"\naxis = \"data\"\nset = { \"selection.method\" = \"dbpd\" }\n"
    "search = { \"selection.tau\" = { from = 0.2, to = 0.8 }, horizon = [1, 1.5] }\n";

std::string changed(const std::string& from, const std::string& to) {
  std::string text = k_protocol;
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

class Evidence : public ::testing::Test {
 protected:
  Evidence() { spill(scratch / "task.toml", k_task); }
  std::string file(const std::string& text) const {
    spill(scratch / "protocol.toml", text);
    return scratch / "protocol.toml";
  }
  /// All messages of the problems, with their lines.
  std::string problems(const std::string& text) const {
    std::string all;
    const eos::core::Error error = error_of([&] { read_evidence(file(text)); });
    for (const auto& d : error.diagnostics())
      all += d.code + " " + std::to_string(d.line) + " " + d.message + " | " + d.help + "\n";
    return all;
  }
  Scratch scratch;
};

TEST_F(Evidence, reads_tasks_with_their_runs_and_methods_with_their_search) {
  const eos::theory::EvidenceSpec spec = read_evidence(file(k_protocol));
  ASSERT_EQ(spec.tasks.size(), 1u);
  EXPECT_EQ(spec.tasks[0].run.batch, 16);
  EXPECT_EQ(spec.tasks[0].run.data.label_noise, 0.1);
  EXPECT_EQ(spec.seeds, (std::vector<std::uint64_t>{4, 5}));
  EXPECT_EQ(spec.digital(), std::vector<std::string>{"hbm2"});
  ASSERT_EQ(spec.methods.size(), 2u);
  ASSERT_EQ(spec.methods[1].search.size(), 2u);
  EXPECT_EQ(spec.methods[1].search[1].from, 0.2);
}

TEST_F(Evidence, written_and_read_back_is_the_same) {
  const eos::theory::EvidenceSpec spec = read_evidence(file(k_protocol));
  std::filesystem::create_directory(scratch / "one");
  spill(scratch / "one/task.toml", eos::io::to_toml_task(spec.tasks[0].run));
  const std::string text = eos::io::to_toml(spec);
  const eos::theory::EvidenceSpec again = read_evidence(file(text));
  EXPECT_EQ(eos::io::to_toml(again), text);
  EXPECT_EQ(eos::io::to_toml(again.tasks[0].run), eos::io::to_toml(spec.tasks[0].run));
  EXPECT_EQ(again.methods[1].set, spec.methods[1].set);
}

TEST_F(Evidence, says_what_is_wrong_and_where) {
  EXPECT_THAT(problems(changed("name = \"dbpd\"\n", "name = \"dbpd\"\nserach = 1\n")), HasSubstr("did you mean"));
  EXPECT_THAT(problems(changed("\"dbpd\" }", "\"dpbd\" }")), HasSubstr("method 'dbpd' on task 'one'"));
  EXPECT_THAT(problems(changed("selection.tau", "selection.tua")), HasSubstr("tau"));
  EXPECT_THAT(problems(changed("\"hbm2\"]", "\"hbm3\"]")), HasSubstr("hbm2"));
  EXPECT_THAT(problems(changed("from = 0.2", "from = 0.9")), HasSubstr("rises"));
  EXPECT_THAT(problems(changed("data.label_noise", "data.lable_noise")), HasSubstr("task 'one'"));
  EXPECT_THAT(problems(changed("seeds = [4, 5]", "seeds = [4, -5]\ntrials = 0")), HasSubstr("protocol.trials"));
  EXPECT_THAT(problems(changed("base = \"task.toml\"", "base = \"nowhere.toml\"")), HasSubstr("E201"));
  EXPECT_THAT(problems(k_task), HasSubstr("E108"));
}

TEST_F(Evidence, protocols_that_come_with_the_program_are_valid) {
  for (const char* name : {"full"}) {
    const eos::theory::EvidenceSpec spec = read_evidence(std::string(EOS_SOURCE_DIR "/data/evidence/") + name + ".toml");
    EXPECT_GE(spec.tasks.size(), 3u);
    EXPECT_GE(spec.methods.size(), 5u);
  }
}

}  // namespace
