// Element-wise loops on the CPU: pieces of an array spread over threads, and a vectorised map that may work in place.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "eos/core/parallel.hpp"
#include "eos/kernels/context.hpp"

namespace eos::kernels {

/// Calls body(begin, end) on pieces of [0, size) of `piece` entries: several at a time if there are threads.
template <class Body>
void for_pieces(const Context& context, std::int64_t size, std::int64_t piece, Body body) {
  if (size <= 0) return;
  if (size <= piece || context.threads() == 1) {
    for (std::int64_t begin = 0; begin < size; begin += piece) body(begin, std::min(begin + piece, size));
    return;
  }
  core::parallel_for(static_cast<std::size_t>((size + piece - 1) / piece), context.threads(), [&](std::size_t task) {
    const std::int64_t begin = static_cast<std::int64_t>(task) * piece;
    body(begin, std::min(begin + piece, size));
  });
}

template <class Body>
void for_values(const Context& context, std::int64_t size, Body body) {
  for_pieces(context, size, std::int64_t{64} * 1024, body);
}

/// out[i] = f(in[i]...) for i in [begin, end). `out` may be one of the inputs: results pass through a small array.
template <class F, class... In>
void map_values(std::int64_t begin, std::int64_t end, float* out, F f, const In*... in) {
  constexpr std::int64_t k_chunk = 512;
  alignas(64) float chunk[k_chunk];
  for (; begin < end; begin += k_chunk) {
    const std::int64_t size = std::min(k_chunk, end - begin);
    for (std::int64_t i = 0; i < size; ++i) chunk[i] = f(in[begin + i]...);
    std::copy_n(chunk, size, out + begin);
  }
}

}  // namespace eos::kernels
