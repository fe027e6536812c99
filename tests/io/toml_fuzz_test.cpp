// No text does more than throw an Error: random bytes, mutated valid files, nesting, extreme numbers. Seeded, so that a
// failure can be repeated.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "eos/core/philox.hpp"
#include "eos/io/toml.hpp"
#include "support.hpp"

namespace {

using eos::core::draw;
using eos::core::Purpose;
using eos::io::testing::slurp;

/// Reads as everything; returns how many of the readers accepted it. Anything but an Error escapes and fails the test.
int readers_that_accept(const std::string& text, const eos::io::Overrides& overrides = {}) {
  int accepted = 0;
  const auto attempt = [&](auto&& read) {
    try {
      read();
      ++accepted;
    } catch (const eos::core::Error& error) {
      EXPECT_FALSE(error.diagnostics().empty());
      for (const auto& d : error.diagnostics()) {
        EXPECT_NE(eos::core::find_error_code(d.code), nullptr) << d.code;
        EXPECT_NE(error.fault(), eos::core::Fault::bug) << error.what() << "\n" << text;
      }
    }
  };
  attempt([&] { eos::io::to_toml(eos::io::parse_training(text, "fuzz.toml", overrides)); });
  attempt([&] { eos::io::to_toml(eos::io::parse_problem(text, "fuzz.toml", overrides)); });
  attempt([&] { eos::io::to_toml(eos::io::parse_prices(text, "fuzz.toml", overrides)); });
  attempt([&] {
    const std::string written = eos::io::to_toml(eos::io::parse_control(text, "fuzz.toml", overrides));
    EXPECT_TRUE(eos::io::to_toml(eos::io::parse_control(written, "again.toml")) == written) << text;
  });
  return accepted;
}

std::vector<std::string> corpus() {
  std::vector<std::string> files;
  for (const char* folder : {"/examples", "/examples/gold", "/data/prices"})
    for (const auto& entry : std::filesystem::directory_iterator(std::string(EOS_SOURCE_DIR) + folder))
      if (entry.path().extension() == ".toml") files.push_back(slurp(entry.path().string()));
  std::sort(files.begin(), files.end());
  return files;
}

/// One to four edits: flip, delete, duplicate, overwrite or splice in a piece that often causes trouble.
std::string mutate(std::string text, std::uint32_t trial) {
  static const std::vector<std::string> k_pieces{"[",
                                                 "]",
                                                 "{",
                                                 "}",
                                                 "\"",
                                                 "'",
                                                 "=",
                                                 "\n",
                                                 ".",
                                                 ",",
                                                 "#",
                                                 "\"\"\"",
                                                 "nan",
                                                 "-inf",
                                                 "1e999",
                                                 "-0.0",
                                                 "9223372036854775808",
                                                 "-9223372036854775808",
                                                 "0x7fffffffffffffff",
                                                 "true",
                                                 "2020-01-01",
                                                 "\xff",
                                                 "\x00",
                                                 "[[a]]",
                                                 "a.b.c=1\n",
                                                 "[data.teacher]\n",
                                                 "{power=1e300}",
                                                 "[[[[1]]]]",
                                                 "\\u0000"};
  const auto rounds = 1 + draw(11, {0, trial, Purpose::test, 0}).v[0] % 4;
  for (std::uint32_t r = 1; r <= rounds && !text.empty(); ++r) {
    const auto w = draw(11, {0, trial, Purpose::test, r});
    const std::size_t at = w.v[0] % text.size(), length = 1 + w.v[1] % 12;
    switch (w.v[2] % 5) {
      case 0:
        text[at] = static_cast<char>(text[at] ^ (1 << (w.v[3] % 8)));
        break;
      case 1:
        text.erase(at, length);
        break;
      case 2:
        text.insert(at, text.substr(w.v[3] % text.size(), length * 4));
        break;
      case 3:
        text[at] = static_cast<char>(w.v[3]);
        break;
      default:
        text.insert(at, k_pieces[w.v[3] % k_pieces.size()]);
        break;
    }
  }
  return text;
}

TEST(TomlFuzz, mutated_files_are_read_or_refused) {
  const std::vector<std::string> files = corpus();
  ASSERT_GE(files.size(), 10u);
  int accepted = 0;
  for (std::uint32_t trial = 0; trial < 3000; ++trial) {
    accepted += readers_that_accept(mutate(files[trial % files.size()], trial));
    ASSERT_FALSE(::testing::Test::HasFailure()) << "trial " << trial;
  }
  EXPECT_GT(accepted, 100);  // harmless edits, e.g. in comments: the mutations are not all noise
  EXPECT_LT(accepted, 2900);
}

TEST(TomlFuzz, random_bytes_are_read_or_refused) {
  for (std::uint32_t trial = 0; trial < 1500; ++trial) {
    std::string text;
    const auto length = draw(12, {0, trial, Purpose::test, 0}).v[0] % 80;
    for (std::uint32_t i = 0; i < length; ++i) {
      const auto w = draw(12, {0, trial, Purpose::test, i + 1});
      // half of the bytes from TOML's own alphabet, so that some texts get past the first character
      text += w.v[1] % 2 == 0 ? static_cast<char>(w.v[0]) : "[]{}=.,\"'#\n 01e-_abtn"[w.v[0] % 21];
    }
    readers_that_accept(text);
    ASSERT_FALSE(::testing::Test::HasFailure()) << "trial " << trial;
  }
}

TEST(TomlFuzz, random_overrides_are_applied_or_refused) {
  const std::string base = slurp(EOS_SOURCE_DIR "/examples/teacher_quick.toml");
  const std::vector<std::string> seeds{"selection.tau=0.5", "train.seeds=[1,2]", "data.teacher.inputs=3",
                                       "train.title=word"};
  for (std::uint32_t trial = 0; trial < 1000; ++trial) {
    readers_that_accept(base, {{mutate(seeds[trial % seeds.size()], trial)}});
    ASSERT_FALSE(::testing::Test::HasFailure()) << "trial " << trial;
  }
}

TEST(TomlFuzz, depth_and_length_do_not_exhaust_the_stack) {
  const auto repeat = [](const std::string& piece, int n) {
    std::string text;
    for (int i = 0; i < n; ++i) text += piece;
    return text;
  };
  for (const int n : {17, 300, 100000}) {
    SCOPED_TRACE(n);
    const std::string keys = repeat(".a", n);
    EXPECT_EQ(readers_that_accept(fmt::format("x = {}", repeat("[", n))), 0);
    EXPECT_EQ(readers_that_accept(fmt::format("x = {}", repeat("{a=", n))), 0);
    EXPECT_EQ(readers_that_accept(fmt::format("a{} = 1", keys)), 0);
    EXPECT_EQ(readers_that_accept(fmt::format("\"q\"{} = 1", repeat(" . 'q'", n))), 0);
    EXPECT_EQ(readers_that_accept(fmt::format("[a{}]", keys)), 0);
    EXPECT_EQ(readers_that_accept(fmt::format("x = {{a{} = 1}}", keys)), 0);
    EXPECT_EQ(readers_that_accept(repeat("[[a]]\n", std::min(n, 2000))), 0);
    EXPECT_EQ(readers_that_accept("", {{fmt::format("a{}=1", keys)}}), 0);
  }
  // dots that are no nesting: numbers, text, comments
  const std::string dots = repeat(".", 5000);
  EXPECT_EQ(readers_that_accept(fmt::format("[train]\ntitle = \"{}\" # {}\n", dots, dots)), 1);
  EXPECT_EQ(readers_that_accept(fmt::format("[train]\ntitle = '''{}'''\n", repeat("a.\n", 5000))), 1);
  EXPECT_EQ(readers_that_accept(fmt::format("[selection]\nstored = [{}]\n", repeat("0.5, ", 5000))), 1);
}

TEST(TomlFuzz, numbers_at_the_edge_are_refused_not_wrapped) {
  for (const char* key : {"batch", "epochs", "evaluate_every", "checkpoint_seconds", "record_every", "seed"})
    for (const char* value : {"nan", "inf", "-inf", "-1", "-9223372036854775808", "1e999", "0x8000000000000000"})
      EXPECT_EQ(readers_that_accept(fmt::format("[train]\n{} = {}\n", key, value)), 0) << key << " = " << value;
  for (const char* key : {"batch", "record_every", "checkpoint_seconds"})
    EXPECT_EQ(readers_that_accept(fmt::format("[train]\n{} = 2147483648\n", key)), 0) << key;
  EXPECT_EQ(readers_that_accept("[train]\nbatch = 32.5\n"), 0);
  EXPECT_EQ(readers_that_accept("[data]\ntrain_samples = 1e300\n"), 0);
}

TEST(TomlFuzz, mutated_formulas_in_files_and_overrides_are_read_or_refused) {
  const std::string base = slurp(EOS_SOURCE_DIR "/examples/gold/goddard.toml");
  const std::vector<std::string> seeds{
      "definitions.D=drag*v^2*exp(-decay*(r - 1))",      "states.r.dynamics=\"v + \\u0076\"",
      "states.m.final={lower=0.5, upper=\"1/2 + 0.1\"}", "control_problem.horizon={guess=0.2, lower=0.1}",
      "cost.height.terminal='r + initial(v)*T'",         "parameters.exhaust={value=\"1/2 + 0*drag\", unit=\"1\"}"};
  for (const std::string& seed : seeds) EXPECT_EQ(readers_that_accept(base, {{seed}}), 1) << seed;
  int accepted = 0;
  for (std::uint32_t trial = 0; trial < 2000; ++trial) {
    accepted += readers_that_accept(base, {{mutate(seeds[trial % seeds.size()], trial)}});
    ASSERT_FALSE(::testing::Test::HasFailure()) << "trial " << trial;
  }
  EXPECT_GT(accepted, 20);
}

TEST(TomlFuzz, long_chains_of_definitions_do_not_exhaust_the_stack_or_the_memory) {
  std::string chain =
                  "[control_problem]\nhorizon = 1\n[states.x]\ndynamics = \"d9999\"\n[cost.c]\nterminal = \"x\"\n"
                  "[definitions]\nd0 = \"x\"\n",
              doubling = chain;
  for (int i = 1; i < 10000; ++i) {
    chain += fmt::format("d{} = \"d{} + 1\"\n", i, i - 1);
    doubling += fmt::format("d{} = \"sin(d{})*d{}\"\n", i, i - 1, i - 1);  // 2^9999 operations, if written out
  }
  EXPECT_EQ(readers_that_accept(chain), 1);
  EXPECT_EQ(readers_that_accept(doubling), 1);
  EXPECT_EQ(readers_that_accept(chain, {{"definitions.d0=d9999"}}), 0);
}

}  // namespace
