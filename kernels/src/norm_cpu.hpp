// Squared norms on the CPU, block by block over the threads.
#pragma once

#include <algorithm>

#include "eos/core/parallel.hpp"
#include "host_scratch.hpp"
#include "norm_formula.hpp"

namespace eos::kernels {

constexpr std::int64_t k_norm_blocks_a_task = 16;

inline double squared_norm(int threads, std::int64_t size, const float* values) {
  const std::int64_t blocks = formula::norm_blocks(size);
  double* sums = host_scratch<struct NormTag, double>(static_cast<std::size_t>(blocks));
  const std::int64_t tasks = (blocks + k_norm_blocks_a_task - 1) / k_norm_blocks_a_task;
  core::parallel_for(static_cast<std::size_t>(tasks), threads, [=](std::size_t task) {
    const std::int64_t first = static_cast<std::int64_t>(task) * k_norm_blocks_a_task;
    for (std::int64_t b = first; b < std::min(first + k_norm_blocks_a_task, blocks); ++b) {
      const float* from = values + b * formula::k_norm_block;
      sums[b] = formula::sum_in_lanes(std::min(formula::k_norm_block, size - b * formula::k_norm_block),
                                      [=](std::int64_t i) { return double{from[i]} * double{from[i]}; });
    }
  });
  return formula::sum_in_lanes(blocks, [=](std::int64_t b) { return sums[b]; });
}

}  // namespace eos::kernels
