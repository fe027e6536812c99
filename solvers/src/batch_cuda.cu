// One lane per thread: the whole descent runs on the device without returning to the host.
#include <cuda_runtime.h>

#include <string>

#include "batch_descent.hpp"
#include "batch_model.hpp"
#include "batch_setup.hpp"
#include "eos/core/error.hpp"

namespace eos::solvers {

namespace batch {

namespace {

void check(cudaError_t status, const char* what) {
  if (status != cudaSuccess)
    throw core::Error("E302", std::string("CUDA failed to ") + what + ": " + cudaGetErrorString(status),
                      "try a smaller batch, or the CPU");
}

/// Neighbouring threads hold neighbouring lanes.
struct DeviceView {
  double* base;
  long long stride, lane;
  __device__ double value(int i) const { return base[i * stride + lane]; }
  __device__ void store(int i, double x) const { base[i * stride + lane] = x; }
  __device__ double scalar(int i) const { return value(i); }
  __device__ void set_scalar(int i, double x) const { store(i, x); }
};

__global__ void descend_kernel(Sizes sizes, double* memory, long long lanes, bool descend) {
  const long long lane = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (lane >= lanes) return;
  const DeviceView view{memory, lanes, lane};
  const Layout layout(sizes);
  LaneModel<double, DeviceView> model(sizes, view);
  Descent<DeviceView> descent(sizes, view);
  view.store(layout.scalars + s_trial_value, model.evaluate(layout.trial, descend ? layout.trial_gradient : -1));
  if (!descend) return;
  descent.begin();
  while (view.value(layout.scalars + s_done) == running) {
    view.store(layout.scalars + s_trial_value, model.evaluate(layout.trial, layout.trial_gradient));
    descent.advance();
  }
  view.store(layout.scalars + s_trial_value, model.evaluate(layout.x, -1));
}

/// Device memory that is released whatever happens.
class DeviceMemory {
 public:
  explicit DeviceMemory(std::size_t doubles) {
    check(cudaMalloc(&data_, doubles * sizeof(double)), "allocate memory for the batch");
  }
  ~DeviceMemory() { cudaFree(data_); }
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;
  double* data() const { return static_cast<double*>(data_); }

 private:
  void* data_ = nullptr;
};

/// Lanes of one launch: what fits into half of the free memory.
std::size_t lanes_that_fit(const Layout& layout) {
  std::size_t free = 0, total = 0;
  check(cudaMemGetInfo(&free, &total), "ask for free memory");
  return std::max<std::size_t>(1, free / 2 / (static_cast<std::size_t>(layout.total) * sizeof(double)));
}

void run_chunk(const Setup& setup, std::span<const Lane> lanes, std::span<LaneResult> results, double tolerance) {
  Sizes sizes = setup.sizes();
  sizes.tolerance = tolerance;
  const bool descend = tolerance > 0;
  const Layout layout(sizes);
  const std::size_t n = lanes.size(), total = static_cast<std::size_t>(layout.total);
  std::vector<double> host(total * n, 0.0);
  const auto put = [&](int section, std::size_t lane, const std::vector<double>& values) {
    for (std::size_t i = 0; i < values.size(); ++i)
      host[(static_cast<std::size_t>(section) + i) * n + lane] = values[i];
  };
  std::vector<double> lower, upper;
  for (std::size_t k = 0; k < n; ++k) {
    setup.bounds(lanes[k].problem, lower, upper);
    put(layout.parameters, k, setup.parameters(lanes[k].problem));
    put(layout.lower, k, lower), put(layout.upper, k, upper), put(layout.trial, k, lanes[k].start);
  }
  DeviceMemory memory(host.size());
  check(cudaMemcpy(memory.data(), host.data(), host.size() * sizeof(double), cudaMemcpyHostToDevice),
        "copy a batch in");
  constexpr unsigned k_threads = 64;
  descend_kernel<<<static_cast<unsigned>((n + k_threads - 1) / k_threads), k_threads>>>(
      sizes, memory.data(), static_cast<long long>(n), descend);
  check(cudaGetLastError(), "start a batch");
  check(cudaMemcpy(host.data(), memory.data(), host.size() * sizeof(double), cudaMemcpyDeviceToHost), "finish a batch");
  for (std::size_t k = 0; k < n; ++k) {
    const auto scalar = [&](int s) { return host[static_cast<std::size_t>(layout.scalars + s) * n + k]; };
    LaneResult& r = results[k];
    r.value = scalar(s_trial_value), r.loss = scalar(s_loss), r.energy = scalar(s_energy),
    r.residual = scalar(s_residual);
    r.iterations = static_cast<int>(scalar(s_iterations)), r.ending = scalar(s_done);
    const int x = descend ? layout.x : layout.trial;
    for (int i = 0; i < sizes.variables(); ++i) r.x.push_back(host[static_cast<std::size_t>(x + i) * n + k]);
  }
}

}  // namespace

std::vector<LaneResult> run_cuda(const Setup& setup, std::span<const Lane> lanes, double tolerance, int device) {
  std::string reason;
  if (!batch_cuda_available(&reason)) throw core::Error("E302", reason, "use the CPU");
  int devices = 0;
  check(cudaGetDeviceCount(&devices), "count its devices");
  if (device < 0 || device >= devices)
    throw core::Error("E302", "there is no CUDA device " + std::to_string(device) + ", only " + std::to_string(devices),
                      "devices are numbered from 0; `eos doctor` lists them");
  check(cudaSetDevice(device), "choose a device");
  std::vector<LaneResult> results(lanes.size());
  const std::size_t most = lanes_that_fit(Layout(setup.sizes()));
  for (std::size_t begin = 0; begin < lanes.size(); begin += most) {
    const std::size_t count = std::min(most, lanes.size() - begin);
    run_chunk(setup, lanes.subspan(begin, count), std::span(results).subspan(begin, count), tolerance);
  }
  return results;
}

}  // namespace batch

bool batch_cuda_available(std::string* reason) {
  int devices = 0;
  const cudaError_t status = cudaGetDeviceCount(&devices);
  if (status == cudaSuccess && devices > 0) return true;
  cudaGetLastError();  // forget it: others may ask again
  if (reason != nullptr) *reason = std::string("no CUDA device answers: ") + cudaGetErrorString(status);
  return false;
}

}  // namespace eos::solvers
