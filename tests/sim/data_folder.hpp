// A folder of small data files, removed at the end of a test.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "eos/sim/data.hpp"
#include "support.hpp"

namespace eos::sim::testing {

namespace fs = std::filesystem;
using Bytes = std::vector<std::uint8_t>;

class DataFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("eos_data_test_" + std::to_string(getpid()));
    fs::create_directories(folder_);
    const char* old = std::getenv("EOS_DATA");
    old_path_ = old == nullptr ? "" : old;
  }
  void TearDown() override {
    fs::remove_all(folder_);
    if (old_path_.empty())
      unsetenv("EOS_DATA");
    else
      setenv("EOS_DATA", old_path_.c_str(), 1);
  }
  std::string write(const std::string& name, const Bytes& bytes, bool compress = false) const {
    const fs::path path = folder_ / name;
    fs::create_directories(path.parent_path());
    if (compress) {
      gzFile file = gzopen(path.c_str(), "wb");
      gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
      gzclose(file);
    } else {
      std::ofstream(path, std::ios::binary)
          .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    }
    return path.string();
  }
  static Bytes idx(const std::vector<int>& dims, const Bytes& content) {
    Bytes all{0, 0, 8, static_cast<std::uint8_t>(dims.size())};
    for (int d : dims)
      for (int shift : {24, 16, 8, 0}) all.push_back(static_cast<std::uint8_t>(d >> shift));
    all.insert(all.end(), content.begin(), content.end());
    return all;
  }
  /// A set whose sample i of file f has all inputs 10 f + i and label i % classes.
  void write_set(const std::string& sub, int train, int test, int classes = 3, int side = 2) const {
    int f = 0;
    for (const auto& [stem, samples] : {std::pair{std::string("train"), train}, {std::string("t10k"), test}}) {
      Bytes images, labels;
      for (int i = 0; i < samples; ++i) {
        images.insert(images.end(), static_cast<std::size_t>(side * side), static_cast<std::uint8_t>(100 * f + i));
        labels.push_back(static_cast<std::uint8_t>(i % classes));
      }
      write(sub + stem + "-images-idx3-ubyte.gz", idx({samples, side, side}, images), true);
      write(sub + stem + "-labels-idx1-ubyte", idx({samples}, labels));
      ++f;
    }
  }
  theory::DataSpec idx_spec(int train, int validation, int test) const {
    theory::DataSpec spec;
    spec.name = "idx";
    spec.path = folder_.string();
    spec.train_samples = train, spec.validation_samples = validation, spec.test_samples = test;
    return spec;
  }
  std::string code_of(const std::string& path) const {
    return error_code([&] { read_idx(path); });
  }
  fs::path folder_;
  std::string old_path_;
};

}  // namespace eos::sim::testing
