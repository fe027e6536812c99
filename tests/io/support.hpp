// Helpers of the io tests: a scratch folder, seeded property checks, and what an Error says.
#pragma once

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "eos/core/error.hpp"

namespace eos::io::testing {

/// A folder that is removed with everything in it.
class Scratch {
 public:
  Scratch() {
    // In memory where possible: every write is fsync'ed, which a busy disk makes slow and which the tests do not need.
    const std::filesystem::path memory("/dev/shm");
    const bool usable = ::access(memory.c_str(), W_OK) == 0;
    std::string pattern = ((usable ? memory : std::filesystem::temp_directory_path()) / "eos-io-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a scratch folder");
    folder_ = pattern;
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::permissions(folder_, std::filesystem::perms::owner_all, ignored);
    std::filesystem::remove_all(folder_, ignored);
  }
  std::string operator/(const std::string& name) const { return (folder_ / name).string(); }
  std::string path() const { return folder_.string(); }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder_), {}));
  }

 private:
  std::filesystem::path folder_;
};

inline std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream all;
  all << in.rdbuf();
  return all.str();
}
inline void spill(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

/// What `action` throws, as an Error; fails the test when it throws nothing.
template <class Action>
core::Error error_of(Action&& action) {
  try {
    action();
  } catch (const core::Error& error) {
    return error;
  }
  ADD_FAILURE() << "no Error was thrown";
  return core::Error("none", "none");
}
template <class Action>
std::string code_of(Action&& action) {
  return error_of(std::forward<Action>(action)).diagnostics().front().code;
}

/// Property check with a fixed seed (RC_PARAMS overrides it, e.g. for a nightly run with random seeds).
template <class Property>
void check_property(const std::string& what, Property&& property) {
  ::setenv("RC_PARAMS", "seed=20240607", 0);
  EXPECT_TRUE(rc::check(what, std::forward<Property>(property)));
}

}  // namespace eos::io::testing
