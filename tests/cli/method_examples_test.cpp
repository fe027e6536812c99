// Every published method has one commented example, and it runs.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "cli_support.hpp"
#include "eos/io/toml.hpp"
#include "methods.hpp"

namespace eos::test {
namespace {

namespace fs = std::filesystem;

const std::string k_folder = std::string(EOS_SOURCE_DIR) + "/examples/methods/";

std::string method_of(const theory::TrainingSpec& spec, const std::string& kind) {
  if (kind == "selection") return spec.selection.method;
  if (kind == "plasticity") return spec.plasticity.method;
  return spec.optimiser.law == theory::RateLaw::effort ? "effort" : "";
}

TEST(MethodExamples, there_is_one_for_every_method_and_no_other) {
  std::set<std::string> files, methods;
  for (const auto& entry : fs::recursive_directory_iterator(k_folder))
    if (entry.is_regular_file()) files.insert(fs::relative(entry.path(), k_folder).string());
  for (const cli::MethodExplanation& row : cli::method_explanations())
    methods.insert(row.kind + "/" + row.name + ".toml");
  EXPECT_EQ(files, methods);
}

TEST(MethodExamples, name_their_method_and_say_what_it_is) {
  for (const cli::MethodExplanation& row : cli::method_explanations()) {
    const std::string path = k_folder + row.kind + "/" + row.name + ".toml";
    SCOPED_TRACE(path);
    EXPECT_EQ(method_of(io::read_training(path), row.kind), row.name);
    const std::string text = file_text(path);
    EXPECT_EQ(text.rfind("# ", 0), 0u) << "a comment comes first";
    EXPECT_NE(text.find("eos explain " + row.kind + "/" + row.name), std::string::npos);
  }
}

TEST(MethodExamples, run) {
  const Folder folder;
  for (const cli::MethodExplanation& row : cli::method_explanations()) {
    const std::string path = k_folder + row.kind + "/" + row.name + ".toml";
    const Said said = eos_says({"train", path, "-o", folder / "run.h5", "-q"});
    EXPECT_EQ(said.code, 0) << path << "\n" << said.err;
  }
}

TEST(FlyExamples, run_and_are_drawn) {
  const Folder folder;
  for (const char* name : {"fly_lifetime", "fly_gates"}) {
    const std::string path = std::string(EOS_SOURCE_DIR) + "/examples/" + name + ".toml";
    const Said said =
        eos_says({"train", path, "-o", folder / "fly.h5", "--set", "fly.flies=50", "--plot", folder / "fly.png", "-q"});
    EXPECT_EQ(said.code, 0) << said.err;
    EXPECT_TRUE(fs::exists(folder / "fly.png"));
    EXPECT_EQ(eos_says({"show", folder / "fly.h5", "--plot", folder / "again.png", "-q"}).code, 0);
    EXPECT_EQ(file_text(folder / "again.png"), file_text(folder / "fly.png"));
  }
}

}  // namespace
}  // namespace eos::test
