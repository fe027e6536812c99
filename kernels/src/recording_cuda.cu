// Recordings on CUDA: stream capture into a graph.
#include "cuda_state.hpp"
#include "replica_backend.hpp"

namespace eos::kernels {

struct Recording::Graph {
  cudaGraphExec_t executable = nullptr;
  int device = 0;

  Graph() = default;
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;
  ~Graph() {
    if (executable != nullptr && cudaSetDevice(device) == cudaSuccess) cudaGraphExecDestroy(executable);
  }
};

namespace cuda {

namespace {

/// Ends a capture also when a call throws.
class Capture {
 public:
  explicit Capture(cudaStream_t stream) : stream_(stream) {
    EOS_CUDA_CHECK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
    open_ = true;
  }
  ~Capture() {
    cudaGraph_t left = nullptr;
    if (open_ && cudaStreamEndCapture(stream_, &left) == cudaSuccess) graph_ = left;
    if (graph_ != nullptr) cudaGraphDestroy(graph_);
    if (open_) cudaGetLastError();
  }
  cudaGraph_t end() {
    open_ = false;
    EOS_CUDA_CHECK(cudaStreamEndCapture(stream_, &graph_));
    return graph_;
  }

 private:
  cudaStream_t stream_;
  cudaGraph_t graph_ = nullptr;
  bool open_ = false;
};

}  // namespace

std::shared_ptr<Recording::Graph> record(Context::Cuda& state, const std::function<void()>& calls, int times) {
  state.use();
  auto graph = std::make_shared<Recording::Graph>();
  graph->device = state.device;
  Capture capture(state.stream);
  for (int i = 0; i < times; ++i) calls();
  EOS_CUDA_CHECK(cudaGraphInstantiate(&graph->executable, capture.end(), 0));
  EOS_CUDA_CHECK(cudaGraphUpload(graph->executable, state.stream));
  return graph;
}

void replay(Context::Cuda& state, const Recording::Graph& graph) {
  state.use();
  EOS_CUDA_CHECK(cudaGraphLaunch(graph.executable, state.stream));
}

}  // namespace cuda

}  // namespace eos::kernels
