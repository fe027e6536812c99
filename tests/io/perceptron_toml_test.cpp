// Tables perceptron and perceptron.cache: read, checked, written back.
#include <gmock/gmock.h>

#include "eos/io/toml.hpp"
#include "support.hpp"

namespace eos::io {
namespace {

using testing::error_of;

constexpr const char* k_text = R"([perceptron]
title = "a grid"
inputs = 500
patterns = [100, 500]
seed = 7
replicas = 20
alphas = [0, 1, 2]

[perceptron.cache]
variant = "local-global"
trigger = "adaptive"
scales = [0.5, 1]
decays = [0, 1000]
maintenance = [0.001, 0.01]
change_price = 0.1
window = 500
)";

TEST(PerceptronToml, is_read_with_every_key) {
  const theory::PerceptronSpec spec = parse_perceptron(k_text, "grid.toml");
  EXPECT_EQ(spec.title, "a grid");
  EXPECT_EQ(spec.inputs, 500);
  EXPECT_THAT(spec.patterns, ::testing::ElementsAre(100, 500));
  EXPECT_EQ(spec.seed, 7u);
  EXPECT_EQ(spec.replicas, 20);
  EXPECT_EQ(spec.cache.variant, theory::CacheVariant::local_global);
  EXPECT_EQ(spec.cache.trigger, theory::CacheTrigger::adaptive);
  EXPECT_THAT(spec.cache.scales, ::testing::ElementsAre(.5, 1));
  EXPECT_THAT(spec.cache.maintenance, ::testing::ElementsAre(.001, .01));
  EXPECT_EQ(spec.cache.window, 500);
}

TEST(PerceptronToml, reads_back_what_it_writes) {
  const std::string once = to_toml(parse_perceptron(k_text, "grid.toml"));
  EXPECT_EQ(to_toml(parse_perceptron(once, "again.toml")), once);
  EXPECT_THAT(once, ::testing::HasSubstr("max_epochs = 10000"));
}

TEST(PerceptronToml, overrides_reach_the_cache) {
  const theory::PerceptronSpec spec =
      parse_perceptron(k_text, "grid.toml", {{"perceptron.cache.variant=local-local", "perceptron.patterns=[10]"}});
  EXPECT_EQ(spec.cache.variant, theory::CacheVariant::local_local);
  EXPECT_THAT(spec.patterns, ::testing::ElementsAre(10));
}

TEST(PerceptronToml, problems_point_at_their_line) {
  const core::Error error = error_of([] {
    parse_perceptron("[perceptron]\npatterns = [0]\nreplica = 3\n[perceptron.cache]\nvariant = \"local\"\n",
                     "bad.toml");
  });
  ASSERT_EQ(error.diagnostics().size(), 3u);
  EXPECT_EQ(error.diagnostics()[0].line, 2);
  EXPECT_EQ(error.diagnostics()[1].code, "E102");
  EXPECT_THAT(error.diagnostics()[1].help, ::testing::HasSubstr("replicas"));
  EXPECT_EQ(error.diagnostics()[2].code, "E106");
  const core::Error later = error_of(
      [] { parse_perceptron("[perceptron.cache]\nvariant = \"local-local\"\ntrigger = \"adaptive\"\n", "bad.toml"); });
  EXPECT_EQ(later.diagnostics()[0].code, "E107");
  EXPECT_EQ(later.diagnostics()[0].line, 3) << "checks of the whole point at the key that they name";
}

TEST(PerceptronToml, is_a_kind_of_its_own) {
  const testing::Scratch folder;
  testing::spill(folder / "grid.toml", k_text);
  EXPECT_EQ(kind_of(folder / "grid.toml"), FileKind::perceptron);
  EXPECT_EQ(error_of([] { parse_training(k_text, "grid.toml"); }).diagnostics()[0].code, "E108");
}

}  // namespace
}  // namespace eos::io
