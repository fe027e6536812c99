// Colour images, text and standardised channels.
#include <gmock/gmock.h>

#include <cmath>

#include "data_folder.hpp"

namespace eos::sim::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class Cifar : public DataFiles {
 protected:
  /// A record whose red plane is `label`, green `green` and blue the number of the pixel modulo 256.
  static void add_record(Bytes& file, const Bytes& labels, std::uint8_t green) {
    file.insert(file.end(), labels.begin(), labels.end());
    file.insert(file.end(), 1024, labels.back());
    file.insert(file.end(), 1024, green);
    for (int p = 0; p < 1024; ++p) file.push_back(static_cast<std::uint8_t>(p));
  }
  void write_ten(const std::string& sub, int records) const {
    for (const std::string name :
         {"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"}) {
      Bytes file;
      const auto number = static_cast<std::uint8_t>(name.back() == 'h' ? 9 : name.back() - '0');
      for (int i = 0; i < records; ++i) add_record(file, {static_cast<std::uint8_t>(i % 10)}, number);
      write(sub + name + ".bin", file);
    }
  }
  theory::DataSpec spec(const std::string& name, int train, int validation, int test) const {
    theory::DataSpec s = idx_spec(train, validation, test);
    s.name = name;
    return s;
  }
};

TEST_F(Cifar, planes_become_pixels_and_batches_one_set) {
  for (const std::string sub : {"cifar-10/cifar-10-batches-bin/", "cifar-10-batches-bin/"}) {
    write_ten(sub, 12);
    const TaskData task = load_data(spec("cifar-10", 30, 20, 5));
    EXPECT_EQ(task.origin, (folder_ / sub).parent_path().string());
    EXPECT_EQ(task.classes, 10);
    EXPECT_EQ(task.inputs, 3072);
    EXPECT_EQ((std::vector<int>{task.height, task.width, task.channels}), (std::vector<int>{32, 32, 3}));
    ASSERT_EQ(task.train.samples, 30);
    const std::uint8_t* pixel = task.train.inputs.data() + 13 * 3072 + 3 * 70;  // sample 13 = record 1 of batch 2
    EXPECT_EQ(task.train.labels[13], 1);
    EXPECT_EQ(pixel[0], 1);
    EXPECT_EQ(pixel[1], 2);
    EXPECT_EQ(pixel[2], 70);
    EXPECT_EQ(task.validation.inputs[1], 4) << "sample 40 of 60";
    EXPECT_EQ(task.test.inputs[1], 9);
    fs::remove_all(folder_);
  }
}

TEST_F(Cifar, hundred_has_fine_labels) {
  Bytes file;
  add_record(file, {19, 99}, 7);
  add_record(file, {3, 42}, 8);
  write("cifar-100-binary/train.bin", file);
  write("cifar-100-binary/test.bin", file);
  const TaskData task = load_data(spec("cifar-100", 1, 1, 2));
  EXPECT_EQ(task.classes, 100);
  EXPECT_EQ(task.test.labels, (std::vector<std::int32_t>{99, 42}));
  EXPECT_EQ(task.train.inputs[0], 99);
}

TEST_F(Cifar, sizes_and_labels_are_checked) {
  EXPECT_EQ(error_code([&] { load_data(spec("cifar-10", 1, 0, 0)); }), "E202");
  write_ten("cifar-10/", 2);
  EXPECT_EQ(error_code([&] { load_data(spec("cifar-10", 10, 1, 1)); }), "E107");
  Bytes file;
  add_record(file, {10}, 1);
  write("cifar-10/data_batch_3.bin", file);
  EXPECT_EQ(error_code([&] { load_data(spec("cifar-10", 1, 0, 0)); }), "E203");
  EXPECT_THAT(error_text([&] { load_data(spec("cifar-10", 1, 0, 0)); }),
              AllOf(HasSubstr("data_batch_3.bin: sample 0 has the label 10, allowed are 0 to 9"), HasSubstr("fetch")));
  file[0] = 1;
  file.pop_back();
  write("cifar-10/data_batch_3.bin", file);
  EXPECT_EQ(error_code([&] { load_data(spec("cifar-10", 1, 0, 0)); }), "E203");
  EXPECT_THAT(error_text([&] { load_data(spec("cifar-10", 1, 0, 0)); }),
              AllOf(HasSubstr("data_batch_3.bin: 3072 bytes are no whole number of samples of 3073 bytes"),
                    HasSubstr("fetch")));
  fs::remove(folder_ / "cifar-10/data_batch_3.bin"), fs::remove(folder_ / "cifar-10/test_batch.bin");
  EXPECT_EQ(error_code([&] { load_data(spec("cifar-10", 1, 0, 0)); }), "E202");
  EXPECT_THAT(
      error_text([&] { load_data(spec("cifar-10", 1, 0, 0)); }),
      AllOf(HasSubstr("cifar-10 lacks data_batch_3.bin, test_batch.bin"), HasSubstr("eos data fetch cifar-10")));
}

TEST_F(Cifar, hundred_checks_both_labels) {
  Bytes good, fine, coarse;
  add_record(good, {19, 99}, 7), add_record(fine, {19, 100}, 7), add_record(coarse, {20, 5}, 7);
  write("cifar-100-binary/train.bin", good);
  EXPECT_THAT(error_text([&] { load_data(spec("cifar-100", 1, 0, 1)); }), HasSubstr("cifar-100-binary lacks test.bin"));
  write("cifar-100-binary/test.bin", fine);
  EXPECT_THAT(error_text([&] { load_data(spec("cifar-100", 1, 0, 1)); }),
              HasSubstr("test.bin: sample 0 has the label 100, allowed are 0 to 99"));
  write("cifar-100-binary/test.bin", coarse);
  EXPECT_THAT(error_text([&] { load_data(spec("cifar-100", 1, 0, 1)); }),
              HasSubstr("test.bin: sample 0 has the coarse label 20, allowed are 0 to 19"));
  coarse.push_back(0);
  write("cifar-100-binary/test.bin", coarse);
  EXPECT_THAT(error_text([&] { load_data(spec("cifar-100", 1, 0, 1)); }), HasSubstr("samples of 3074 bytes"));
}

TEST_F(Cifar, label_noise_and_standardised_channels) {
  write_ten("cifar-10/", 10);
  theory::DataSpec s = spec("cifar-10", 50, 0, 10);
  EXPECT_TRUE(load_data(s).channel_mean.empty());
  s.standardise = true, s.label_noise = 0.5;
  const TaskData task = load_data(s);
  ASSERT_EQ(task.channel_mean.size(), 3u);
  // Red is 0 ... 9, green 1 ... 5, blue 0 ... 255, each equally often: a uniform law on n whole numbers has the
  // variance (n^2 - 1) / 12.
  EXPECT_FLOAT_EQ(task.channel_mean[0], 4.5f / 255);
  EXPECT_FLOAT_EQ(task.channel_mean[1], 3.0f / 255);
  EXPECT_FLOAT_EQ(task.channel_mean[2], 127.5f / 255);
  EXPECT_FLOAT_EQ(task.channel_deviation[0], static_cast<float>(std::sqrt(99.0 / 12) / 255));
  EXPECT_FLOAT_EQ(task.channel_deviation[1], static_cast<float>(std::sqrt(24.0 / 12) / 255));
  EXPECT_FLOAT_EQ(task.channel_deviation[2], static_cast<float>(std::sqrt(65535.0 / 12) / 255));
  int changed = 0;
  for (int i = 0; i < 50; ++i) changed += task.train.labels[static_cast<std::size_t>(i)] != i % 10;
  EXPECT_NEAR(changed, 25, 5 * std::sqrt(12.5));  // 5 s.d. of a binomial
}

TEST_F(DataFiles, a_constant_channel_keeps_its_scale) {
  for (const char* stem : {"train", "t10k"}) {
    write(std::string(stem) + "-images-idx3-ubyte", idx({2, 2}, {51, 0, 51, 255}));
    write(std::string(stem) + "-labels-idx1-ubyte", idx({2}, {0, 1}));
  }
  theory::DataSpec spec = idx_spec(2, 0, 0);
  spec.standardise = true;
  const TaskData task = load_data(spec);
  EXPECT_EQ(task.channels, 2) << "vectors: every input is a channel";
  EXPECT_EQ(task.channel_mean, (std::vector<float>{0.2f, 0.5f}));
  EXPECT_EQ(task.channel_deviation, (std::vector<float>{1.0f, 0.5f}));
}

class Text : public DataFiles {
 protected:
  theory::DataSpec spec(int train, int validation, int test, int sequence) const {
    theory::DataSpec s = idx_spec(train, validation, test);
    s.name = "text", s.sequence = sequence;
    return s;
  }
  void write_text(const std::string& name, const std::string& text, bool compress = false) const {
    write(name, Bytes(text.begin(), text.end()), compress);
  }
  static std::string inputs(const LabelledSet& set) { return {set.inputs.begin(), set.inputs.end()}; }
  static std::string labels(const LabelledSet& set) { return {set.labels.begin(), set.labels.end()}; }
};

TEST_F(Text, windows_follow_each_other_and_labels_are_the_next_tokens) {
  for (bool compress : {false, true}) {
    fs::remove_all(folder_);
    write_text(compress ? "text/a.txt.gz" : "a.txt", "abcdefghijklmnopqrstuvwxyz", compress);
    const TaskData task = load_data(spec(3, 2, 1, 3));
    EXPECT_EQ(fs::path(task.origin).filename(), compress ? "a.txt.gz" : "a.txt");
    EXPECT_TRUE(task.tokens);
    EXPECT_EQ(task.classes, 256);
    EXPECT_EQ((std::vector<int>{task.inputs, task.height, task.width, task.channels, task.labels_per_sample}),
              (std::vector<int>{3, 3, 1, 1, 3}));
    EXPECT_EQ(inputs(task.train), "abcdefghi");
    EXPECT_EQ(labels(task.train), "bcdefghij");
    EXPECT_EQ(inputs(task.test), "wxy");
    EXPECT_EQ(labels(task.test), "xyz");
    EXPECT_EQ(inputs(task.validation), "pqrstu");
    EXPECT_EQ(labels(task.validation), "qrstuv");
    EXPECT_FALSE(task.loss_floor.has_value());
  }
}

TEST_F(Text, characters_are_numbered_by_code_point) {
  write_text("a.txt",
             "b\xC3\xA9"
             "a\xE2\x82\xAC"
             "b\n");  // b e-acute a euro b newline
  theory::DataSpec s = spec(1, 0, 0, 5);
  s.tokens = theory::TextTokens::character;
  const TaskData task = load_data(s);
  EXPECT_EQ(task.vocabulary, (std::vector<std::string>{"\n", "a", "b", "\xC3\xA9", "\xE2\x82\xAC"}));
  EXPECT_EQ(task.classes, 5);
  EXPECT_EQ(task.train.inputs, (Bytes{2, 3, 1, 4, 2}));
  EXPECT_EQ(task.train.labels, (std::vector<std::int32_t>{3, 1, 4, 2, 0}));
  write_text("a.txt", "ab\xC3");
  EXPECT_EQ(error_code([&] { load_data(s); }), "E203") << "cut off inside a character";
  write_text("a.txt", "aaaaaaa");
  EXPECT_EQ(error_code([&] { load_data(s); }), "E203") << "one character is nothing to predict";
  std::string many;
  for (int i = 0; i < 300; ++i) many += {static_cast<char>(0xC4 + i / 64), static_cast<char>(0x80 + i % 64)};
  write_text("a.txt", many);
  EXPECT_EQ(error_code([&] { load_data(s); }), "E107") << "300 characters do not fit into a byte";
  s.tokens = theory::TextTokens::byte;
  EXPECT_EQ(load_data(s).train.inputs[0], 0xC4);
}

TEST_F(Text, short_missing_and_ambiguous_texts_are_reported) {
  EXPECT_EQ(error_code([&] { load_data(spec(1, 0, 0, 5)); }), "E202");
  write_text("a.txt", "0123456789");
  EXPECT_EQ(load_data(spec(3, 0, 0, 3)).train.samples, 3);
  EXPECT_EQ(load_data(spec(1, 1, 0, 4)).train.samples, 1);
  try {
    load_data(spec(2, 1, 0, 3));  // 7 + 4 tokens
    FAIL() << "no error";
  } catch (const core::Error& error) {
    EXPECT_EQ(error.diagnostics()[0].code, "E104");
    EXPECT_THAT(error.diagnostics()[0].message, HasSubstr("10 tokens"));
    EXPECT_THAT(error.diagnostics()[0].help, HasSubstr("at most 2 samples"));
  }
  write_text("b.txt", "0123456789");
  EXPECT_EQ(error_code([&] { load_data(spec(1, 0, 0, 5)); }), "E107");
  theory::DataSpec named = spec(1, 0, 0, 5);
  named.path = (folder_ / "b.txt").string();
  EXPECT_EQ(load_data(named).origin, named.path);
  fs::remove(folder_ / "b.txt");
  write_text("a.txt", "");
  EXPECT_EQ(error_code([&] { load_data(spec(1, 0, 0, 5)); }), "E104");
}

TEST(KnownText, a_book_on_the_search_path_is_read_whole) {
  theory::DataSpec spec;
  spec.name = "text", spec.tokens = theory::TextTokens::character;
  spec.train_samples = 20000, spec.validation_samples = spec.test_samples = 2000;
  TaskData task;
  try {
    task = load_data(spec);
  } catch (const core::Error& error) {
    GTEST_SKIP() << error.what();
  }
  EXPECT_EQ(task.train.inputs.size(), 20000u * 128);
  EXPECT_GT(task.classes, 20);
  // The successor of a token is the label of the one before.
  for (std::size_t i = 0; i + 1 < 5000; ++i) ASSERT_EQ(task.train.labels[i], task.train.inputs[i + 1]);
}

}  // namespace
}  // namespace eos::sim::testing
