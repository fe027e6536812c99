#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>

#include "eos/core/dataset.hpp"
#include "eos/core/error.hpp"
#include "eos/core/hash.hpp"
#include "eos/core/parallel.hpp"
#include "eos/core/sink.hpp"
#include "eos/core/units.hpp"

using namespace eos::core;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

TEST(Sha256, gives_the_published_known_answers) {
  // FIPS 180-4 examples.
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Error, codes_are_unique_sorted_and_explained) {
  std::string previous;
  for (const ErrorCode& row : error_codes()) {
    EXPECT_LT(previous, row.code);
    EXPECT_FALSE(row.title.empty());
    EXPECT_GT(row.explain.size(), 30u) << row.code;
    previous = row.code;
  }
  EXPECT_EQ(find_error_code("E000"), nullptr);
}

TEST(Error, fault_follows_the_first_code_and_the_text_names_everything) {
  const Error error({{"E102", "unknown key 'lamda'", "p.toml", 3, 1, "lamda = 1", "did you mean 'lambda'?"},
                     {"E301", "disk full", "", 0, 0, "", ""}});
  EXPECT_EQ(error.fault(), Fault::input);
  EXPECT_THAT(error.what(), HasSubstr("[E102] unknown key 'lamda' (p.toml:3:1); did you mean 'lambda'?"));
  EXPECT_THAT(error.what(), HasSubstr("disk full"));
  EXPECT_EQ(Error("E301", "x").fault(), Fault::machine);
  EXPECT_EQ(Error("not a code", "x").fault(), Fault::bug);
}

TEST(DidYouMean, finds_typos_and_transpositions_but_not_strangers) {
  const std::vector<std::string> words{"train", "plan", "compare", "calibrate"};
  EXPECT_THAT(did_you_mean("tarin", words), ElementsAre("train"));
  EXPECT_THAT(did_you_mean("calbrate", words), ElementsAre("calibrate"));
  EXPECT_TRUE(did_you_mean("xyz", words).empty());
  EXPECT_THAT(suggest("xyz", words), HasSubstr("allowed here: train, plan"));
}

TEST(Dataset, rejects_sizes_that_do_not_match_and_names_that_repeat) {
  Dataset data;
  data.add_dim("epoch", 3);
  data.add("loss", {"epoch"}, std::vector<double>{1, 2, 3}, "1", "loss");
  EXPECT_THROW(data.add("short", {"epoch"}, std::vector<double>{1, 2}, "1", "x"), Error);
  EXPECT_THROW(data.add("loss", {"epoch"}, std::vector<double>{1, 2, 3}, "1", "x"), Error);
  EXPECT_THAT(data.numbers("loss"), ElementsAre(1, 2, 3));
  EXPECT_THROW(data.numbers("lost"), Error);
}

Dataset example() {
  Dataset data;
  data.add_dim("epoch", 2);
  data.add("loss", {"epoch"}, std::vector<double>{1, 2}, "1", "loss");
  data.add("count", {"epoch"}, std::vector<std::int64_t>{1, 2}, "1", "count");
  data.groups["provenance"].attributes["when"] = std::string("today");
  return data;
}

TEST(ContentHash, depends_on_numbers_names_and_types_but_not_on_order_provenance_or_labels) {
  const std::string reference = content_sha256(example());
  Dataset same = example();
  std::swap(same.variables[1], same.variables[2]);
  same.groups["provenance"].attributes["when"] = std::string("tomorrow");
  same.variables[1].long_name = "another label";
  EXPECT_EQ(content_sha256(same), reference);

  Dataset value = example();
  std::get<std::vector<double>>(value.variables[1].values)[1] = 2.0000000000000004;
  EXPECT_NE(content_sha256(value), reference);
  Dataset name = example();
  name.variables[1].name = "lost";
  EXPECT_NE(content_sha256(name), reference);
  Dataset type = example();
  type.variables[2].values = std::vector<std::int32_t>{1, 2};
  EXPECT_NE(content_sha256(type), reference);
}

TEST(ParallelFor, does_every_task_once_for_any_number_of_threads) {
  for (const int threads : {1, 2, 5}) {
    std::vector<std::atomic<int>> done(101);
    parallel_for(done.size(), threads, [&](std::size_t i) { ++done[i]; });
    for (const auto& d : done) EXPECT_EQ(d, 1);
  }
}

TEST(ParallelFor, rethrows_the_failure_of_a_task) {
  for (const int threads : {1, 3})
    EXPECT_THROW(parallel_for(10, threads, [](std::size_t i) { if (i == 4) throw Error("E901", "four"); }), Error);
}

TEST(MemorySink, returns_what_was_written_until_it_is_removed) {
  MemorySink sink;
  EXPECT_FALSE(sink.read("a").has_value());
  sink.write("a", example());
  EXPECT_EQ(content_sha256(sink.read("a").value()), content_sha256(example()));
  sink.remove("a");
  EXPECT_FALSE(sink.read("a").has_value());
}

TEST(Units, add_and_scale_within_one_kind) {
  const Joules e = Joules{2} + 3 * Joules{1};
  EXPECT_EQ(e.value, 5);
  EXPECT_EQ(e / Joules{2}, 2.5);
}

}  // namespace
