#include "outputs.hpp"

#include "eos/kernels/softmax_xent.hpp"
#include "eos/kernels/squared_error.hpp"

namespace eos::sim {

void score_outputs(const kernels::Context& context, const theory::NetworkSpec& network, int rows, int classes,
                   const float* outputs, const std::int32_t* labels, const float* weight, float scale,
                   OutputScores scores) {
  if (network.loss == theory::Loss::cross_entropy) {
    kernels::softmax_xent(context, {1, rows, classes}, outputs, labels, weight, scale,
                          {scores.loss, scores.p_true, scores.residual, scores.correct, scores.dz});
    return;
  }
  kernels::squared_error(context, {1, rows, classes},
                         {static_cast<float>(network.target_low), static_cast<float>(network.target_high)},
                         network.output, outputs, labels, weight, scale,
                         {scores.loss, scores.p_true, scores.residual, scores.correct, scores.dz, scores.sent});
}

}  // namespace eos::sim
