// Where kernels run and where their arrays live: one handle for the CPU or a CUDA device.
//
// All kernels of this room take a Context first and pointers into that context's memory. Arrays carry the replica axis
// first, [R][...], row-major. Work on a CUDA context is asynchronous on its stream until synchronise() or copy to host.
// Without CUDA in the build, cuda() throws Error E302. Determinism: run-to-run and independent of threads(), see each
// card.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace eos::kernels {

enum class Backend { cpu, cuda };

class Context {
 public:
  /// CPU context whose kernels use up to `threads` threads.
  static Context cpu(int threads = 1);
  /// CUDA device; throws Error E302 when the build or the machine has none.
  static Context cuda(int device = 0);
  /// "auto" (CUDA if there is a device, else CPU), "cpu", "cuda", "cuda:1:bf16": device.hpp. throws Error E106 / E302.
  static Context named(const std::string& device, int threads = 1);

  Backend backend() const { return backend_; }
  int threads() const { return threads_; }
  /// "cpu" or the name of the CUDA device.
  const std::string& device_name() const { return device_name_; }
  void synchronise() const;

  void* allocate(std::size_t bytes) const;  ///< 64-byte aligned; throws Error E304 with the size asked for
  void release(void* memory) const noexcept;
  void copy_in(void* to, const void* from_host, std::size_t bytes) const;
  void copy_out(void* to_host, const void* from, std::size_t bytes) const;  ///< synchronises
  void fill_zero(void* memory, std::size_t bytes) const;
  void copy(void* to, const void* from, std::size_t bytes) const;  ///< within this context's memory

  struct Cuda;  ///< stream, cuBLASLt handle and workspace; private to the .cu files
  Cuda* cuda_state() const { return cuda_.get(); }

 private:
  Backend backend_ = Backend::cpu;
  int threads_ = 1;
  std::string device_name_ = "cpu";
  std::shared_ptr<Cuda> cuda_;
};

/// True when this build has the CUDA backend / a device answers.
bool cuda_in_build();
bool cuda_available();
/// One line each about the device, runtime and driver, or why there is none.
std::vector<std::string> describe_cuda();

/// An array in a context's memory. Move-only.
template <class T>
class Buffer {
 public:
  Buffer() = default;
  Buffer(const Context& context, std::size_t size)
      : context_(context), size_(size), data_(static_cast<T*>(context.allocate(size * sizeof(T)))) {
    context_.fill_zero(data_, size * sizeof(T));
  }
  Buffer(const Context& context, const std::vector<T>& values) : Buffer(context, values.size()) { put(values); }
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept { return swap(other), *this; }
  ~Buffer() {
    if (data_ != nullptr) context_.release(data_);
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  std::size_t size() const { return size_; }
  void put(const std::vector<T>& values) { context_.copy_in(data_, values.data(), values.size() * sizeof(T)); }
  std::vector<T> get() const {
    std::vector<T> host(size_);
    context_.copy_out(host.data(), data_, size_ * sizeof(T));
    return host;
  }
  void zero() { context_.fill_zero(data_, size_ * sizeof(T)); }

 private:
  void swap(Buffer& other) noexcept {
    std::swap(context_, other.context_), std::swap(size_, other.size_), std::swap(data_, other.data_);
  }
  Context context_;
  std::size_t size_ = 0;
  T* data_ = nullptr;
};

}  // namespace eos::kernels
