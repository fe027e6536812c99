// What the kernel tests share: addressed random arrays, bit comparison, and a fixture for tests that need a CUDA
// device.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "eos/core/philox.hpp"
#include "eos/kernels/context.hpp"

namespace eos::kernels::test {

inline core::Address at(std::uint32_t run, std::size_t index) {
  return {run, 0, core::Purpose::test, static_cast<std::uint32_t>(index)};
}

/// Standard normals.
inline std::vector<float> normals(std::size_t size, std::uint32_t stream) {
  std::vector<float> values(size);
  for (std::size_t i = 0; i < size; ++i) values[i] = static_cast<float>(core::normal_pair(7, at(stream, i))[0]);
  return values;
}

inline std::vector<std::int32_t> labels(std::size_t size, int classes, std::uint32_t stream) {
  std::vector<std::int32_t> values(size);
  for (std::size_t i = 0; i < size; ++i) {
    const core::Words words = core::draw(7, at(stream, i));
    values[i] = static_cast<std::int32_t>(core::uniform_int(words.v[0], static_cast<std::uint32_t>(classes)));
  }
  return values;
}

/// The bits of an array, so that comparisons see the sign of zero and print positions.
template <class T>
std::vector<std::uint32_t> bits(const std::vector<T>& values) {
  static_assert(sizeof(T) == 4);
  std::vector<std::uint32_t> words(values.size());
  if (!values.empty()) std::memcpy(words.data(), values.data(), values.size() * sizeof(T));
  return words;
}

/// Tests that need a device skip visibly without one; EOS_REQUIRE_GPU=1 turns the skip into a failure.
class OnCuda : public ::testing::Test {
 protected:
  void SetUp() override {
    if (cuda_available()) return;
    const std::string reason = describe_cuda().empty() ? "no CUDA device" : describe_cuda().front();
    const char* required = std::getenv("EOS_REQUIRE_GPU");
    if (required != nullptr && std::string(required) == "1") FAIL() << "EOS_REQUIRE_GPU=1, but " << reason;
    GTEST_SKIP() << reason;
  }
};

}  // namespace eos::kernels::test
