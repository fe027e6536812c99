// A fixture for tests of kernels and training on a CUDA device.
#pragma once

#include "eos/kernels/context.hpp"
#include "needs_cuda.hpp"

namespace eos::test {

class OnCuda : public ::testing::Test {
 protected:
  void SetUp() override {
    EOS_NEEDS_CUDA(kernels::cuda_available(),
                   (kernels::describe_cuda().empty() ? "no CUDA device" : kernels::describe_cuda().front()));
  }
};

}  // namespace eos::test
