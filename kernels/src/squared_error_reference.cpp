// The squared error as plain loops in double.
#include <algorithm>
#include <cmath>
#include <vector>

#include "eos/kernels/squared_error.hpp"
#include "reference_activation.hpp"

namespace eos::kernels::reference {

void squared_error(SquaredErrorShape shape, SquaredErrorTargets targets, ActivationSpec activation_of_y, const float* y,
                   const std::int32_t* labels, const float* weight, float scale, SquaredErrorOutputs out) {
  for (std::int64_t i = 0; i < std::int64_t{shape.replicas} * shape.rows; ++i) {
    const std::vector<double> outputs(y + i * shape.classes, y + (i + 1) * shape.classes);
    const std::int32_t label = labels[i];
    double squares = 0;
    for (int c = 0; c < shape.classes; ++c) {
      const double residual = outputs[c] - (c == label ? targets.high : targets.low);
      squares += residual * residual;
      const double error = static_cast<double>(scale) * (weight != nullptr ? weight[i] : 1.0f) * residual;
      if (out.error != nullptr) out.error[i * shape.classes + c] = static_cast<float>(error);
      if (out.dz != nullptr)
        out.dz[i * shape.classes + c] = static_cast<float>(error * slope(activation_of_y, outputs[c]));
    }
    const auto winner = std::max_element(outputs.begin(), outputs.end()) - outputs.begin();
    if (out.loss != nullptr) out.loss[i] = static_cast<float>(squares / 2);
    if (out.p_true != nullptr) out.p_true[i] = static_cast<float>(std::clamp(outputs[label], 0.0, 1.0));
    if (out.residual != nullptr) out.residual[i] = static_cast<float>(std::sqrt(squares));
    if (out.correct != nullptr) out.correct[i] = winner == label;
  }
}

}  // namespace eos::kernels::reference
