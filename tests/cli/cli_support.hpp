// Call the program in-process and look at what it says.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "cli.hpp"

namespace eos::test {

struct Said {
  int code = 0;
  std::string out, err;
};

/// Meters differ between machines and take a second to look at the idle one: off unless a test asks for them.
inline const bool k_without_meters = ::setenv("EOS_ENERGY", "none", 0) == 0;

inline Said eos_says(const std::vector<std::string>& words) {
  std::ostringstream out, err;
  const int code = cli::run(words, out, err);
  return {code, out.str(), err.str()};
}

/// Sets environment variables for the life of the object; an empty value unsets.
class Environment {
 public:
  using Values = std::vector<std::pair<std::string, std::string>>;
  Environment(const std::string& name, const std::string& value) : Environment(Values{{name, value}}) {}
  explicit Environment(const Values& values) {
    for (const auto& [name, value] : values) {
      const char* old = std::getenv(name.c_str());
      before_[name] = old == nullptr ? std::nullopt : std::optional<std::string>(old);
      put(name, value.empty() ? std::nullopt : std::optional<std::string>(value));
    }
  }
  ~Environment() {
    for (const auto& [name, value] : before_) put(name, value);
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  static void put(const std::string& name, const std::optional<std::string>& value) {
    if (value)
      ::setenv(name.c_str(), value->c_str(), 1);
    else
      ::unsetenv(name.c_str());
  }
  std::map<std::string, std::optional<std::string>> before_;
};

/// A fresh folder, removed at the end.
class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "eos-cli-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::permissions(path_, std::filesystem::perms::owner_all, ignored);
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name) << text;
    return *this / name;
  }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

inline std::string file_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Compares with tests/cli/golden/NAME; EOS_UPDATE_GOLDEN=1 writes it instead.
inline void expect_golden(const std::string& name, const std::string& text) {
  const std::string path = std::string(EOS_SOURCE_DIR) + "/tests/cli/golden/" + name;
  if (std::getenv("EOS_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path) << text;
    return;
  }
  ASSERT_TRUE(std::filesystem::exists(path)) << "make it with EOS_UPDATE_GOLDEN=1 and read it before committing";
  EXPECT_EQ(text, file_text(path)) << "differs from " << path << "; EOS_UPDATE_GOLDEN=1 rewrites it";
}

inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

/// A training file of a tiny generated task: well below a second.
inline std::string tiny_training(const std::string& more = {}) {
  return "[data]\nname = \"teacher\"\ntrain_samples = 600\nvalidation_samples = 200\ntest_samples = 200\n"
         "[data.teacher]\ninputs = 16\nclasses = 4\nhidden = 12\n"
         "[network]\nhidden = [16]\n"
         "[train]\nbatch = 16\nepochs = 2\nseeds = [1, 2]\n" +
         more;
}

}  // namespace eos::test
