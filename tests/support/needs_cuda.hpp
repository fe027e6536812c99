// Tests that need a CUDA device are skipped visibly without one; EOS_REQUIRE_GPU=1 turns the skip into a failure.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string_view>

namespace eos::test {

inline bool gpu_required() {
  const char* required = std::getenv("EOS_REQUIRE_GPU");
  return required != nullptr && std::string_view(required) == "1";
}

}  // namespace eos::test

/// Ends the test or the SetUp() that it stands in, unless `available`. A macro, because both ways return from there.
#define EOS_NEEDS_CUDA(available, reason)                                             \
  do {                                                                                \
    if (!(available)) {                                                               \
      if (::eos::test::gpu_required()) FAIL() << "EOS_REQUIRE_GPU=1, but " << reason; \
      GTEST_SKIP() << reason;                                                         \
    }                                                                                 \
  } while (false)
