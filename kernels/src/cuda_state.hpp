// The CUDA side of a Context: device, stream, cuBLASLt, working memory; and the checks and launch helpers of all .cu
// files.
//
// A CUDA context is used by one host thread at a time. After a first call of each shape nothing is allocated, and apart
// from what the public headers say nothing synchronises, so that a training step can be captured into a CUDA graph.
#pragma once

#include <cublasLt.h>
#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "cuda_backend.hpp"
#include "eos/kernels/device.hpp"

namespace eos::kernels {

namespace cuda {

/// throws Error E304 for exhausted memory, else E303 with the call and CUDA's words.
void check(cudaError_t status, const char* call);
void check(cublasStatus_t status, const char* call);
#define EOS_CUDA_CHECK(call) ::eos::kernels::cuda::check((call), #call)

/// Working memory that grows and is kept: one piece per purpose.
enum class Scratch {
  select_states,
  select_candidates,
  update_blocks,
  compact_counts,
  cache_levels,
  cache_flags,
  cache_blocks,
  column_sums,
  norm_statistics,
  norm_parts,
  norm_blocks,
  muon_factors,
  conv_patches,
  conv_sums,
  conv_bias_parts,
  count
};

/// A cuBLASLt product for one shape and alignment. Without `fused` the epilogue needs a kernel of its own.
struct MatmulPlan {
  cublasLtMatmulDesc_t description = nullptr;
  cublasLtMatrixLayout_t a = nullptr, b = nullptr, d = nullptr;
  cublasLtMatmulAlgo_t algorithm{};
  bool fused = false;
};
/// kind and whether there is a bias, replicas, m, n, k, alignment, strides between replicas
using MatmulKey = std::tuple<int, int, std::int64_t, std::int64_t, std::int64_t, std::uint32_t, std::int64_t, std::int64_t,
                             std::int64_t, std::int64_t>;

inline constexpr int k_threads = 256;  ///< threads of a block, in every kernel of this room

/// Blocks for a grid-stride loop over `size` entries: enough to fill the largest device, not more.
inline unsigned grid_size(std::int64_t size) {
  constexpr std::int64_t k_most = 132 * 16;
  const std::int64_t blocks = (size + k_threads - 1) / k_threads;
  return static_cast<unsigned>(blocks < 1 ? 1 : blocks < k_most ? blocks : k_most);
}

}  // namespace cuda

struct Context::Cuda {
  explicit Cuda(int device_index);
  ~Cuda();
  Cuda(const Cuda&) = delete;
  Cuda& operator=(const Cuda&) = delete;

  /// Makes the device current for the calling thread.
  void use() const { EOS_CUDA_CHECK(cudaSetDevice(device)); }
  void* scratch(cuda::Scratch purpose, std::size_t bytes);
  /// The offsets of segments in device memory; uploaded once per content.
  const std::int64_t* device_offsets(Segments segments);

  int device = 0;
  Products products = Products::fp32;  ///< of large matrices: device.hpp
  cudaStream_t stream = nullptr;
  cublasLtHandle_t blas = nullptr;
  void* workspace = nullptr;
  static constexpr std::size_t k_workspace_bytes = std::size_t{32} << 20;
  /// Set by a kernel that meets a NaN where none is allowed; in pinned host memory, read when the host synchronises.
  volatile std::uint32_t* fault = nullptr;
  std::map<cuda::MatmulKey, cuda::MatmulPlan> plans;

 private:
  struct Piece {
    void* memory = nullptr;
    std::size_t bytes = 0;
  };
  Piece pieces_[static_cast<int>(cuda::Scratch::count)];
  std::map<std::vector<std::int64_t>, std::int64_t*> offsets_;
};

}  // namespace eos::kernels
