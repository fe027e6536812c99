// What the kernel tests share: addressed random arrays, bit comparison, and the fixture for tests that need a CUDA
// device.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "eos/core/philox.hpp"
#include "eos/kernels/context.hpp"
#include "on_cuda.hpp"

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

using eos::test::OnCuda;

}  // namespace eos::kernels::test
