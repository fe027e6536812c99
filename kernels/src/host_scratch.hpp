// Working memory of a kernel that is kept between calls: one growing, 64-byte aligned array per calling thread and tag.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string>

#include "eos/core/error.hpp"

namespace eos::kernels {

/// At least `size` uninitialised elements, valid until the same thread asks again for the same tag.
template <class Tag, class T>
T* host_scratch(std::size_t size) {
  struct Free {
    void operator()(T* memory) const { std::free(memory); }
  };
  static thread_local std::unique_ptr<T, Free> memory;
  static thread_local std::size_t capacity = 0;
  if (size > capacity) {
    const std::size_t bytes = (size * sizeof(T) + 63) / 64 * 64;
    memory.reset();
    capacity = 0;
    memory.reset(static_cast<T*>(std::aligned_alloc(64, bytes)));
    if (memory == nullptr) {
      throw core::Error("E304", "cannot allocate " + std::to_string(bytes) + " bytes of working memory for a kernel",
                        "reduce the number of replicas, the batch or the data set");
    }
    capacity = size;
  }
  return memory.get();
}

}  // namespace eos::kernels
