// Explicit upwind steps on a CUDA device: one thread a point, the same formulas as on the CPU.
#include <cuda_runtime.h>

#include <cstdint>
#include <string>
#include <vector>

#include "hjb_scheme.hpp"

namespace eos::solvers {

namespace {

constexpr int k_threads = 256;

void check(cudaError_t status, const char* call) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // an error that is not sticky must not be reported twice
  const std::string text = std::string(call) + ": " + cudaGetErrorString(status);
  if (status == cudaErrorMemoryAllocation) {
    throw core::Error("E304", "not enough memory on the CUDA device: " + text, "use a coarser grid");
  }
  throw core::Error("E303", text);
}

/// An array on the device.
class DeviceArray {
 public:
  explicit DeviceArray(const std::vector<double>& values) : size_(values.size()) {
    if (size_ == 0) return;
    check(cudaMalloc(&data_, size_ * sizeof(double)), "cudaMalloc");
    check(cudaMemcpy(data_, values.data(), size_ * sizeof(double), cudaMemcpyHostToDevice), "cudaMemcpy");
  }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;
  DeviceArray(DeviceArray&& other) noexcept : data_(other.data_), size_(other.size_) { other.data_ = nullptr; }
  ~DeviceArray() { cudaFree(data_); }
  double* data() const { return data_; }
  void get(std::vector<double>& values) const {
    check(cudaMemcpy(values.data(), data_, size_ * sizeof(double), cudaMemcpyDeviceToHost), "cudaMemcpy");
  }

 private:
  double* data_ = nullptr;
  std::size_t size_;
};

/// A coefficient on the device; `stride` is 0 where all rows are equal.
struct DeviceField {
  const double* data;
  std::int64_t stride;
  __device__ double at(std::int64_t row, std::int64_t k) const { return data[row * stride + k]; }
};

template <int D, int M>
struct DeviceBranch {
  static constexpr int k_fields = M > 0 ? M : 1;
  DeviceField running, speed, drift[D], gain[k_fields][D], price_abs[k_fields], price_square[k_fields];
  double lower[k_fields], upper[k_fields];

  __device__ AffinePoint<D, M> at(std::int64_t row, std::int64_t k) const {
    AffinePoint<D, M> p;
    p.running = running.at(row, k), p.speed = speed.at(row, k);
    for (int i = 0; i < D; ++i) p.drift[i] = drift[i].at(row, k);
    for (int j = 0; j < M; ++j) {
      for (int i = 0; i < D; ++i) p.gain[j][i] = gain[j][i].at(row, k);
      p.price_abs[j] = price_abs[j].at(row, k), p.price_square[j] = price_square[j].at(row, k);
      p.lower[j] = lower[j], p.upper[j] = upper[j];
    }
    return p;
  }
};

template <int D>
struct DeviceGrid {
  std::int64_t points[D], stride[D], size;
  double inverse_step[D];
  Edge lower[D], upper[D];
};

struct StepSize {
  double dt, discount, wall;
};

/// One step of one branch. After the first, `out` keeps the least value over branches; after the last, ends are
/// imposed.
template <int D, int M>
__global__ void step_kernel(DeviceGrid<D> grid, DeviceBranch<D, M> branch, StepSize size, bool first, const double* v,
                            double* out, const double* exit_cost, const double* stop_cost) {
  for (std::int64_t flat = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; flat < grid.size;
       flat += std::int64_t{gridDim.x} * blockDim.x) {
    const double here = v[flat];
    double below[D], above[D], u[M > 0 ? M : 1];
    for (int i = 0; i < D; ++i) {
      const std::int64_t n = grid.points[i], stride = grid.stride[i], at = flat / stride % n;
      const bool periodic = grid.lower[i] == Edge::periodic;
      below[i] = at > 0     ? v[flat - stride]
                 : periodic ? v[flat + (n - 1) * stride]
                            : beyond_edge(grid.lower[i], here, v[flat + stride], size.wall);
      above[i] = at < n - 1 ? v[flat + stride]
                 : periodic ? v[flat - (n - 1) * stride]
                            : beyond_edge(grid.upper[i], here, v[flat - stride], size.wall);
    }
    const std::int64_t n = grid.points[D - 1];
    const AffinePoint<D, M> p = branch.at(flat / n, flat % n);
    double next = (1 - size.dt * size.discount) * here +
                  size.dt * upwind_rate<AffinePattern{}>(p, here, below, above, grid.inverse_step, u);
    if (!first && out[flat] < next) next = out[flat];
    if (exit_cost != nullptr && exit_cost[flat] == exit_cost[flat]) next = exit_cost[flat];
    if (stop_cost != nullptr && stop_cost[flat] < next) next = stop_cost[flat];
    out[flat] = next;
  }
}

/// Tables of a solve in device memory.
template <int D, int M>
class DeviceTables {
 public:
  explicit DeviceTables(const HjbTables& tables) {
    for (int b = 0; b < tables.branches(); ++b) {
      const HjbBranch& from = tables.branch(b);
      DeviceBranch<D, M> to{};
      to.running = put(from.running, tables), to.speed = put(from.speed, tables);
      for (int i = 0; i < D; ++i) to.drift[i] = put(from.drift[i], tables);
      for (int j = 0; j < M; ++j) {
        for (int i = 0; i < D; ++i) to.gain[j][i] = put(from.gain[j][i], tables);
        to.price_abs[j] = put(from.price_abs[j], tables), to.price_square[j] = put(from.price_square[j], tables);
        to.lower[j] = tables.lower()[static_cast<std::size_t>(j)];
        to.upper[j] = tables.upper()[static_cast<std::size_t>(j)];
      }
      branches_.push_back(to);
    }
  }
  const std::vector<DeviceBranch<D, M>>& branches() const { return branches_; }

 private:
  DeviceField put(const HjbField& field, const HjbTables& tables) {
    arrays_.emplace_back(field.values);
    return {arrays_.back().data(), field.one_row ? 0 : tables.grid().row_length()};
  }
  std::vector<DeviceArray> arrays_;
  std::vector<DeviceBranch<D, M>> branches_;
};

template <int D, int M>
void march_sized(const HjbWork& work, std::vector<double>& v, double dt, std::int64_t steps) {
  DeviceGrid<D> grid{};
  grid.size = work.grid().size();
  for (int i = 0; i < D; ++i) {
    const HjbAxis& axis = work.grid().axes[static_cast<std::size_t>(i)];
    grid.points[i] = axis.points, grid.stride[i] = work.grid().stride(i), grid.inverse_step[i] = 1 / axis.step();
    grid.lower[i] = axis.lower_edge, grid.upper[i] = axis.upper_edge;
  }
  const DeviceTables<D, M> tables(*work.tables);
  const DeviceArray exits(work.exit_cost), stops(work.stop_cost), one(v), two(v);
  double *now = one.data(), *next = two.data();
  constexpr std::int64_t k_most_blocks = 132 * 16;  // enough to fill the largest device
  const std::int64_t wanted = (grid.size + k_threads - 1) / k_threads;
  const auto blocks = static_cast<unsigned>(wanted < k_most_blocks ? wanted : k_most_blocks);
  for (std::int64_t k = 0; k < steps; ++k) {
    for (std::size_t b = 0; b < tables.branches().size(); ++b) {
      const StepSize size{dt, work.problem.discount, work.wall};
      step_kernel<D, M>
          <<<blocks, k_threads>>>(grid, tables.branches()[b], size, b == 0, now, next, exits.data(), stops.data());
      check(cudaGetLastError(), "step_kernel");
    }
    double* swap = now;
    now = next, next = swap;
  }
  check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
  (steps % 2 == 0 ? one : two).get(v);
}

}  // namespace

bool hjb_cuda_available() {
  int count = 0;
  if (cudaGetDeviceCount(&count) == cudaSuccess && count > 0) return true;
  cudaGetLastError();
  return false;
}

void march_on_device(const HjbWork& work, std::vector<double>& v, double dt, std::int64_t steps) {
  if (!hjb_cuda_available()) {
    throw core::Error("E302", "no CUDA device answers", "use device = cpu; `eos doctor` shows what was found");
  }
  hjb_dispatch(work.tables->states(), work.tables->controls(),
               [&]<int D, int M>() { march_sized<D, M>(work, v, dt, steps); });
}

}  // namespace eos::solvers
