// Loading labelled data: IDX files with every check, the search path, splits, label noise, the teacher task.
#include "eos/sim/data.hpp"

#include <gmock/gmock.h>

#include <functional>

#include "data_folder.hpp"

namespace eos::sim::testing {
namespace {

TEST_F(DataFiles, plain_and_compressed_files_read_alike) {
  const Bytes bytes = idx({2, 3}, {1, 2, 3, 4, 5, 6});
  for (bool compress : {false, true}) {
    const IdxFile file = read_idx(write("a", bytes, compress));
    EXPECT_EQ(file.dims, (std::vector<int>{2, 3}));
    EXPECT_EQ(file.bytes, (Bytes{1, 2, 3, 4, 5, 6}));
  }
}

TEST_F(DataFiles, every_damage_is_reported) {
  const Bytes good = idx({2, 2}, {1, 2, 3, 4});
  EXPECT_EQ(code_of((folder_ / "absent").string()), "E201");
  EXPECT_EQ(code_of(folder_.string()), "E201");
  EXPECT_EQ(code_of(write("empty", {})), "E203");
  EXPECT_EQ(code_of(write("short", {0, 0, 8})), "E203");
  auto changed = [&](std::size_t at, std::uint8_t value) {
    Bytes bad = good;
    bad[at] = value;
    return code_of(write("changed", bad));
  };
  EXPECT_EQ(changed(0, 1), "E203") << "magic";
  EXPECT_EQ(changed(2, 0x0D), "E203") << "element type float";
  EXPECT_EQ(changed(3, 0), "E203") << "no dimension";
  EXPECT_EQ(changed(3, 5), "E203") << "too many dimensions";
  EXPECT_EQ(changed(7, 0), "E203") << "length 0";
  EXPECT_EQ(changed(7, 3), "E203") << "fewer bytes than announced";
  EXPECT_EQ(changed(7, 1), "E203") << "trailing bytes";
  EXPECT_EQ(changed(4, 0xFF), "E203") << "negative length";
  EXPECT_EQ(changed(4, 0x7F), "E203") << "larger than any memory";
  Bytes header(good.begin(), good.begin() + 6);
  EXPECT_EQ(code_of(write("header", header)), "E203");
}

TEST_F(DataFiles, cut_off_gzip_is_reported) {
  const Bytes content(5000, 7);
  const std::string path = write("cut.gz", idx({50, 100}, content), true);
  fs::resize_file(path, fs::file_size(path) - 9);
  EXPECT_EQ(code_of(path), "E203");
}

TEST_F(DataFiles, split_takes_the_front_and_the_end) {
  write_set("", 20, 9);
  const TaskData task = load_data(idx_spec(12, 5, 4));
  EXPECT_EQ(task.inputs, 4);
  EXPECT_EQ(task.classes, 3);
  EXPECT_EQ(task.height, 2);
  EXPECT_EQ(task.width, 2);
  EXPECT_EQ(task.channels, 1);
  EXPECT_EQ(task.origin, folder_.string());
  ASSERT_EQ(task.train.samples, 12);
  EXPECT_EQ(task.train.inputs.front(), 0);
  EXPECT_EQ(task.train.inputs.back(), 11);
  EXPECT_EQ(task.validation.inputs.front(), 15);
  EXPECT_EQ(task.validation.inputs.back(), 19);
  EXPECT_EQ(task.validation.labels[0], 15 % 3);
  EXPECT_EQ(task.test.inputs.front(), 100);
  EXPECT_EQ(task.test.labels.size(), 4u);
}

TEST_F(DataFiles, wrong_counts_are_reported) {
  write_set("", 20, 9);
  EXPECT_EQ(error_code([&] { load_data(idx_spec(21, 0, 4)); }), "E104");
  EXPECT_EQ(error_code([&] { load_data(idx_spec(1, 0, 10)); }), "E104");
  EXPECT_EQ(error_code([&] { load_data(idx_spec(16, 5, 4)); }), "E107");
  write("train-labels-idx1-ubyte", idx({19}, Bytes(19, 0)));
  EXPECT_EQ(error_code([&] { load_data(idx_spec(5, 5, 4)); }), "E203");
}

TEST(TaskChecks, say_which_parts_of_a_task_contradict_each_other) {
  using ::testing::HasSubstr;
  const TaskData good = small_task(50);
  const theory::TrainingSpec spec = small_spec(good);
  const auto expect = [&](const std::function<void(TaskData&)>& change, const char* code, const char* part) {
    TaskData data = good;
    change(data);
    EXPECT_EQ(error_code([&] { run(spec, data); }), code) << part;
    EXPECT_THAT(error_text([&] { run(spec, data); }), HasSubstr(part));
  };
  expect([](TaskData& d) { d.classes = 1; }, "E104", "50 training samples, 12 inputs and 1 classes");
  expect([](TaskData& d) { d.height = 3, d.width = 2, d.channels = 3; }, "E107",
         "samples of 3 x 2 positions and 3 channels do not hold 12 inputs");
  expect([](TaskData& d) { d.height = 5; }, "E107", "samples of 5 x 1 positions and 12 channels do not hold 12 inputs");
  expect([](TaskData& d) { d.height = 5, d.channels = 0; }, "E107", "5 x 1 positions and 0 channels");
  expect([](TaskData& d) { d.height = 0; }, "E107", "inputs = height * width * channels");
  expect([](TaskData& d) { d.labels_per_sample = 2; }, "E107", "samples of 12 inputs have 2 labels");
  expect([](TaskData& d) { d.tokens = true; }, "E107", "samples of 12 tokens have 1 labels and a height of 1");
  expect(
      [](TaskData& d) { d.train.inputs.pop_back(); }, "E107",
      "the training set of 50 samples holds 599 bytes of inputs and 50 labels; help: it must hold samples * inputs = "
      "600 bytes and 50 labels");
  expect([](TaskData& d) { d.test.labels.push_back(0); }, "E107", "the test set of 40 samples holds 480 bytes");
  expect([](TaskData& d) { d.validation.labels[7] = 3; }, "E104",
         "the validation set has the label 3; help: labels are 0 to classes - 1 = 2");
}

TEST_F(DataFiles, known_names_ask_for_their_shape_and_classes) {
  write_set("mnist/", 20, 9, 3, 2);
  theory::DataSpec spec = idx_spec(5, 5, 4);
  spec.name = "mnist";
  EXPECT_EQ(error_code([&] { load_data(spec); }), "E203") << "2 x 2 images are not MNIST";
  write_set("mnist/", 20, 9, 11, 28);
  EXPECT_EQ(error_code([&] { load_data(spec); }), "E203") << "label 10";
  write_set("mnist/", 20, 9, 10, 28);
  EXPECT_EQ(load_data(spec).origin, (folder_ / "mnist").string());
}

TEST_F(DataFiles, missing_set_says_where_it_looked) {
  theory::DataSpec spec = idx_spec(5, 5, 4);
  spec.name = "fashion-mnist";
  try {
    load_data(spec);
    FAIL() << "no error";
  } catch (const core::Error& error) {
    EXPECT_EQ(error.diagnostics()[0].code, "E202");
    EXPECT_THAT(error.diagnostics()[0].message, ::testing::HasSubstr(folder_.string()));
    EXPECT_THAT(error.diagnostics()[0].help, ::testing::HasSubstr("eos data fetch fashion-mnist"));
  }
  spec.name = "mnits";
  EXPECT_EQ(error_code([&] { load_data(spec); }), "E106");
}

TEST_F(DataFiles, environment_comes_first_and_auto_falls_back_to_the_teacher) {
  setenv("EOS_DATA", folder_.c_str(), 1);
  EXPECT_EQ(data_search_path().front(), folder_.string());
  write_set("mnist/", 20, 9, 10, 28);
  theory::DataSpec spec = idx_spec(5, 5, 4);
  spec.path.clear();
  spec.name = "mnist";
  EXPECT_EQ(load_data(spec).origin, (folder_ / "mnist").string());
  spec.name = "auto";
  spec.path = (folder_ / "nothing").string();
  EXPECT_EQ(load_data(spec).name, "teacher");
}

TEST_F(DataFiles, label_noise_replaces_the_stated_share_by_other_classes) {
  write_set("", 250, 9, 5);
  theory::DataSpec spec = idx_spec(250, 0, 4);
  const TaskData clean = load_data(spec);
  spec.label_noise = 0.3;
  const TaskData noisy = load_data(spec);
  int changed = 0;
  for (std::size_t i = 0; i < 250; ++i) {
    EXPECT_GE(noisy.train.labels[i], 0);
    EXPECT_LT(noisy.train.labels[i], 5);
    changed += noisy.train.labels[i] != clean.train.labels[i];
  }
  EXPECT_NEAR(changed, 75, 5 * std::sqrt(250 * 0.3 * 0.7));  // 5 s.d. of a binomial
  EXPECT_EQ(noisy.test.labels, clean.test.labels);
  spec.train_samples = 100;
  const TaskData fewer = load_data(spec);
  EXPECT_TRUE(std::equal(fewer.train.labels.begin(), fewer.train.labels.end(), noisy.train.labels.begin()))
      << "noise of a sample does not depend on how many there are";
}

TEST_F(DataFiles, content_hash_is_that_of_the_uncompressed_bytes) {
  const Bytes bytes = idx({2, 2}, {1, 2, 3, 4});
  const std::string plain = idx_sha256(write("p", bytes)), packed = idx_sha256(write("q.gz", bytes, true));
  EXPECT_EQ(plain, packed);
  // printf '\0\0\10\2\0\0\0\2\0\0\0\2\1\2\3\4' | sha256sum
  EXPECT_EQ(plain, "eec48ed318b35e06e724fbae17496c640d8db7036b72597dabf0901e6fe26c3c");
}

TEST(KnownData, installed_files_have_the_published_content) {
  int found = 0;
  for (const KnownData& set : known_data()) {
    const bool packed = !set.archive.name.empty();
    for (const KnownData::File& file : set.files) {
      EXPECT_EQ(file.content_sha256.size(), 64u);
      EXPECT_EQ((packed ? set.archive : file).sha256.size(), 64u);
    }
    if (set.folder.empty() || packed) continue;
    ASSERT_EQ(set.files.size(), 4u);
    const KnownData::File& labels = set.files[3];
    EXPECT_EQ(idx_sha256((fs::path(set.folder) / labels.name).string()), labels.content_sha256) << set.name;
    ++found;
  }
  if (found == 0) GTEST_SKIP() << "neither MNIST nor Fashion-MNIST is on the search path";
}

TEST(Teacher, samples_do_not_depend_on_their_number) {
  const TaskData few = small_task(50), many = small_task(80);
  EXPECT_TRUE(std::equal(few.train.inputs.begin(), few.train.inputs.end(), many.train.inputs.begin()));
  EXPECT_TRUE(std::equal(few.train.labels.begin(), few.train.labels.end(), many.train.labels.begin()));
  EXPECT_EQ(few.test.inputs, many.test.inputs);
  EXPECT_NE(few.test.labels, few.validation.labels);
}

TEST(Teacher, no_class_is_rare_and_inputs_look_like_dark_images) {
  theory::DataSpec spec;
  spec.name = "teacher";
  spec.train_samples = 2000, spec.validation_samples = 10, spec.test_samples = 10;
  const TaskData task = load_data(spec);
  std::vector<int> count(10, 0);
  for (std::int32_t label : task.train.labels) ++count[static_cast<std::size_t>(label)];
  EXPECT_GE(*std::min_element(count.begin(), count.end()), 60);  // a fair share is 200
  const auto zeros = std::count(task.train.inputs.begin(), task.train.inputs.end(), 0);
  const double share = static_cast<double>(zeros) / static_cast<double>(task.train.inputs.size());
  EXPECT_GT(share, 0.3);
  EXPECT_LT(share, 0.8);
}

TEST(Teacher, a_network_learns_it_to_ninety_percent_in_a_few_epochs) {
  theory::DataSpec spec;
  spec.name = "teacher";
  spec.train_samples = 20000, spec.validation_samples = 500, spec.test_samples = 1000;
  spec.teacher.inputs = 196;
  const TaskData task = load_data(spec);
  theory::TrainingSpec training = small_spec(task);
  training.network.hidden = {64};
  training.optimiser.learning_rate = 0.1;
  training.epochs = 4;
  training.evaluate_every = 4;
  const TrainResult result = run(training, task);
  EXPECT_GT(result.replicas[0].epochs.back().test_accuracy, 0.90);
}

}  // namespace
}  // namespace eos::sim::testing
