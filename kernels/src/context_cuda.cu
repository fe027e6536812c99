// The handle of a CUDA device.
#include <string>

#include "cuda_state.hpp"
#include "eos/core/error.hpp"
#include "eos/kernels/device.hpp"

namespace eos::kernels {

namespace cuda {

void check(cudaError_t status, const char* call) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // an error that is not sticky must not be reported twice
  const std::string text = std::string(call) + ": " + cudaGetErrorString(status);
  if (status == cudaErrorMemoryAllocation) {
    throw core::Error("E304", "not enough memory on the CUDA device: " + text,
                      "reduce the number of replicas, the batch or the data set");
  }
  throw core::Error("E303", text);
}

void check(cublasStatus_t status, const char* call) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  throw core::Error(status == CUBLAS_STATUS_ALLOC_FAILED ? "E304" : "E303",
                    std::string(call) + ": " + cublasLtGetStatusString(status));
}

namespace {

__global__ void probe() {}

/// Why device `index` cannot be used, or nothing.
std::string reason_against(int index) {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status != cudaSuccess) {
    cudaGetLastError();
    return std::string("no CUDA device: ") + cudaGetErrorString(status);
  }
  if (index < 0 || index >= count)
    return "there is no CUDA device " + std::to_string(index) + ", only " + std::to_string(count);
  cudaFuncAttributes attributes;
  cudaError_t usable = cudaSetDevice(index);
  if (usable == cudaSuccess) usable = cudaFuncGetAttributes(&attributes, probe);
  if (usable == cudaSuccess) return {};
  cudaGetLastError();
  return std::string("this build has no code for CUDA device ") + std::to_string(index) + ": " +
         cudaGetErrorString(usable);
}

std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

void throw_on_fault(Context::Cuda& state) {
  if (*state.fault == 0) return;
  *state.fault = 0;
  throw core::Error("E901", "select_threshold was given a NaN", "check the loss for divergence before selecting");
}

}  // namespace

void synchronise(Context::Cuda& state) {
  state.use();
  EOS_CUDA_CHECK(cudaStreamSynchronize(state.stream));
  throw_on_fault(state);
}

void* allocate(Context::Cuda& state, std::size_t bytes) {
  if (bytes == 0) return nullptr;
  state.use();
  void* memory = nullptr;
  const cudaError_t status = cudaMallocAsync(&memory, bytes, state.stream);
  if (status != cudaSuccess) {
    cudaGetLastError();
    // The pool reports absurd sizes as invalid values; either way this many bytes are not to be had.
    if (status == cudaErrorMemoryAllocation || status == cudaErrorInvalidValue) {
      throw core::Error("E304", "cannot allocate " + std::to_string(bytes) + " bytes on the CUDA device",
                        "reduce the number of replicas, the batch or the data set");
    }
    check(status, "cudaMallocAsync");
  }
  return memory;
}

void release(Context::Cuda& state, void* memory) noexcept {
  if (memory == nullptr || cudaSetDevice(state.device) != cudaSuccess) return;
  cudaFreeAsync(memory, state.stream);
}

void copy(Context::Cuda& state, void* to, const void* from, std::size_t bytes) {
  state.use();
  EOS_CUDA_CHECK(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, state.stream));
}

void copy_in(Context::Cuda& state, void* to, const void* from_host, std::size_t bytes) {
  state.use();
  EOS_CUDA_CHECK(cudaMemcpyAsync(to, from_host, bytes, cudaMemcpyHostToDevice, state.stream));
}

void copy_out(Context::Cuda& state, void* to_host, const void* from, std::size_t bytes) {
  state.use();
  EOS_CUDA_CHECK(cudaMemcpyAsync(to_host, from, bytes, cudaMemcpyDeviceToHost, state.stream));
  synchronise(state);
}

void fill_zero(Context::Cuda& state, void* memory, std::size_t bytes) {
  state.use();
  EOS_CUDA_CHECK(cudaMemsetAsync(memory, 0, bytes, state.stream));
}

}  // namespace cuda

Context::Cuda::Cuda(int device_index) : device(device_index) {
  use();
  EOS_CUDA_CHECK(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  EOS_CUDA_CHECK(cublasLtCreate(&blas));
  EOS_CUDA_CHECK(cudaMalloc(&workspace, k_workspace_bytes));
  void* pinned = nullptr;
  EOS_CUDA_CHECK(cudaHostAlloc(&pinned, sizeof *fault, cudaHostAllocMapped));
  fault = static_cast<volatile std::uint32_t*>(pinned);
  *fault = 0;
  // Freed memory stays with the process: buffers come and go at every change of shape.
  cudaMemPool_t pool = nullptr;
  std::uint64_t keep = UINT64_MAX;
  EOS_CUDA_CHECK(cudaDeviceGetDefaultMemPool(&pool, device));
  EOS_CUDA_CHECK(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &keep));
}

Context::Cuda::~Cuda() {
  if (cudaSetDevice(device) != cudaSuccess) return;
  if (stream != nullptr) cudaStreamSynchronize(stream);
  for (auto& [key, plan] : plans) {
    cublasLtMatmulDescDestroy(plan.description);
    for (cublasLtMatrixLayout_t layout : {plan.a, plan.b, plan.d}) cublasLtMatrixLayoutDestroy(layout);
  }
  for (Piece& piece : pieces_) cudaFree(piece.memory);
  for (auto& [content, memory] : offsets_) cudaFree(memory);
  cudaFree(workspace);
  cudaFreeHost(const_cast<std::uint32_t*>(fault));
  if (blas != nullptr) cublasLtDestroy(blas);
  if (stream != nullptr) cudaStreamDestroy(stream);
}

void* Context::Cuda::scratch(cuda::Scratch purpose, std::size_t bytes) {
  Piece& piece = pieces_[static_cast<int>(purpose)];
  if (bytes > piece.bytes) {
    EOS_CUDA_CHECK(cudaStreamSynchronize(stream));  // earlier kernels may still use the old piece
    EOS_CUDA_CHECK(cudaFree(piece.memory));
    piece = Piece{};
    EOS_CUDA_CHECK(cudaMalloc(&piece.memory, bytes));
    piece.bytes = bytes;
  }
  return piece.memory;
}

const std::int64_t* Context::Cuda::device_offsets(Segments segments) {
  const std::vector<std::int64_t> content(segments.offsets, segments.offsets + segments.count + 1);
  std::int64_t*& memory = offsets_[content];
  if (memory == nullptr) {
    const std::size_t bytes = content.size() * sizeof content[0];
    EOS_CUDA_CHECK(cudaMalloc(&memory, bytes));
    EOS_CUDA_CHECK(cudaMemcpyAsync(memory, content.data(), bytes, cudaMemcpyHostToDevice, stream));
  }
  return memory;
}

Context Context::cuda(int device) {
  const std::string reason = cuda::reason_against(device);
  if (!reason.empty()) throw core::Error("E302", reason, "use --device cpu or auto; `eos doctor` shows what was found");
  cudaDeviceProp properties;
  EOS_CUDA_CHECK(cudaGetDeviceProperties(&properties, device));
  Context context;
  context.backend_ = Backend::cuda;
  context.device_name_ = properties.name;
  context.cuda_ = std::make_shared<Cuda>(device);
  return context;
}

bool cuda_in_build() { return true; }

bool cuda_available() {
  static const bool k_available = cuda::reason_against(0).empty();
  return k_available;
}

int cuda_devices() {
  int count = 0;
  while (cuda::reason_against(count).empty()) ++count;
  return count;
}

std::vector<std::string> describe_cuda() {
  int runtime = 0, driver = 0, count = 0;
  cudaRuntimeGetVersion(&runtime);
  cudaDriverGetVersion(&driver);
  const std::string versions = "CUDA runtime " + cuda::version_text(runtime) + ", driver " +
                               (driver == 0 ? std::string("none") : "for CUDA " + cuda::version_text(driver));
  const std::string reason = cuda::reason_against(0);
  if (!reason.empty()) return {reason, versions};
  std::vector<std::string> lines{versions};
  EOS_CUDA_CHECK(cudaGetDeviceCount(&count));
  for (int i = 0; i < count; ++i) {
    cudaDeviceProp properties;
    EOS_CUDA_CHECK(cudaGetDeviceProperties(&properties, i));
    lines.push_back("device " + std::to_string(i) + ": " + properties.name + ", compute capability " +
                    std::to_string(properties.major) + "." + std::to_string(properties.minor) + ", " +
                    std::to_string(properties.totalGlobalMem >> 20) + " MiB, " +
                    std::to_string(properties.multiProcessorCount) + " multiprocessors");
  }
  return lines;
}

}  // namespace eos::kernels
