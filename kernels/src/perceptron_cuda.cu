// Perceptrons on CUDA: one warp a run, one lane a partial sum.
#include "cuda_state.hpp"
#include "perceptron_memory.hpp"

namespace eos::kernels::cuda {

namespace {

using formula::k_lanes;
using formula::Terms;

struct Warp {
  int lane;

  template <class F>
  __device__ void each(int n, const F& f) const {
    for (int i = lane; i < n; i += k_lanes) f(i);
  }

  template <int K, class F>
  __device__ Terms<K> sums(int n, const F& f) const {
    Terms<K> total{};
    for (int i = lane; i < n; i += k_lanes) {
      const Terms<K> term = f(i);
      for (int k = 0; k < K; ++k) total.v[k] += term.v[k];
    }
    for (int k = 0; k < K; ++k) total.v[k] = tree(total.v[k]);
    return total;
  }

  __device__ float dot(int n, const std::int8_t* a, const float* b) const {
    float sum = 0;
    for (int i = lane; i < n; i += k_lanes) sum += static_cast<float>(a[i]) * b[i];
    return tree(sum);
  }

  template <class F>
  __device__ int fetch(int place, const F& f) const {
    const int value = place % k_lanes == lane ? f() : 0;
    return __shfl_sync(0xFFFFFFFFu, value, place % k_lanes);
  }
  template <class F>
  __device__ void own(int place, const F& f) const {
    if (place % k_lanes == lane) f();
  }
  __device__ void fence() const { __syncwarp(); }

 private:
  /// The butterfly adds the pairs of the tree in every lane: addition commutes, so all lanes hold the same bits.
  template <class T>
  __device__ static T tree(T value) {
    for (int half = k_lanes / 2; half > 0; half /= 2) value += __shfl_xor_sync(0xFFFFFFFFu, value, half);
    return value;
  }
};

__global__ void __launch_bounds__(k_lanes) learn(const formula::PerceptronTask* tasks) {
  formula::Perceptron<Warp>(Warp{static_cast<int>(threadIdx.x)}, tasks[blockIdx.x]).run();
}

constexpr std::size_t k_most_bytes = std::size_t{4} << 30;  ///< of device memory for the runs of one launch

/// The first runs that fit together.
std::size_t how_many(std::span<const PerceptronRun> runs) {
  std::size_t bytes = 0, count = 0;
  while (count < runs.size()) {
    bytes += PerceptronMemory(runs[count]).bytes();
    if (count > 0 && bytes > k_most_bytes) break;
    ++count;
  }
  return count;
}

void launch(const Context& context, std::span<const PerceptronRun> runs, std::vector<PerceptronCounts>& results) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  std::vector<PerceptronMemory> memories;
  std::vector<Buffer<std::byte>> blocks;
  std::vector<formula::PerceptronTask> tasks;
  for (const PerceptronRun& run : runs) {
    const PerceptronMemory& memory = memories.emplace_back(run);
    Buffer<std::byte>& block = blocks.emplace_back(context, memory.bytes());
    context.copy_in(block.data() + memory.rules_at(), run.caches.data(), run.caches.size() * sizeof(PerceptronCache));
    tasks.push_back(memory.task(block.data()));
  }
  const Buffer<formula::PerceptronTask> on_device(context, tasks);
  learn<<<static_cast<unsigned>(runs.size()), k_lanes, 0, state.stream>>>(on_device.data());
  EOS_CUDA_CHECK(cudaGetLastError());
  for (std::size_t r = 0; r < runs.size(); ++r) {
    std::vector<std::byte> host(memories[r].result_bytes());
    context.copy_out(host.data(), blocks[r].data(), host.size());
    results.push_back(memories[r].counts(host.data()));
  }
}

}  // namespace

std::vector<PerceptronCounts> train_perceptrons(const Context& context, std::span<const PerceptronRun> runs) {
  std::vector<PerceptronCounts> results;
  while (!runs.empty()) {
    const std::size_t count = how_many(runs);
    launch(context, runs.first(count), results);
    runs = runs.subspan(count);
  }
  return results;
}

}  // namespace eos::kernels::cuda
