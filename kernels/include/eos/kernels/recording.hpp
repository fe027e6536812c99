// A fixed sequence of kernel calls that is replayed without the host: on CUDA a captured graph, on the CPU the calls
// themselves.
//
// What changes between replays must lie in the context's memory: arguments passed by value are those of the recording.
// The calls must not synchronise, copy from or to the host, or allocate; run them once before they are recorded, so
// that kernels have their working memory. Replays are asynchronous and in order with everything else on the context.
// One host thread at a time. Example: tests/kernels/recording_test.cpp.
#pragma once

#include <functional>
#include <memory>

#include "eos/kernels/context.hpp"

namespace eos::kernels {

class Recording {
 public:
  Recording() = default;
  /// Records `calls`, `times` in a row. On CUDA they are not executed by this.
  /// throws Error E303 when they cannot be captured, and what they throw.
  Recording(const Context& context, std::function<void()> calls, int times = 1);
  void replay() const;
  bool empty() const { return times_ == 0; }

  struct Graph;  ///< an executable CUDA graph

 private:
  Context context_;
  std::function<void()> calls_;
  int times_ = 0;
  std::shared_ptr<Graph> graph_;
};

}  // namespace eos::kernels
