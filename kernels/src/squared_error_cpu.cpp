// Squared error on the CPU: one pass a sample for the sums, one for the gradients.
#include <algorithm>
#include <cmath>

#include "activation_formula.hpp"
#include "cuda_backend.hpp"
#include "eos/core/parallel.hpp"

namespace eos::kernels {

namespace {

constexpr std::int64_t k_values_a_task = 64 * 1024;

struct Call {
  int classes;
  SquaredErrorTargets targets;
  float leak;
  const float* y;
  const std::int32_t* labels;
  const float* weight;
  float scale;
  SquaredErrorOutputs out;
};

void write_scores(const Call& call, std::int64_t i) {
  const float* y = call.y + i * call.classes;
  const int label = call.labels[i];
  int winner = 0;
  float squares = 0;
  for (int c = 0; c < call.classes; ++c) {
    winner = y[c] > y[winner] ? c : winner;
    const float residual = y[c] - (c == label ? call.targets.high : call.targets.low);
    squares += residual * residual;
  }
  const SquaredErrorOutputs& out = call.out;
  if (out.loss != nullptr) out.loss[i] = 0.5f * squares;
  if (out.p_true != nullptr) out.p_true[i] = y[label] < 0.0f ? 0.0f : y[label] > 1.0f ? 1.0f : y[label];
  if (out.residual != nullptr) out.residual[i] = std::sqrt(squares);
  if (out.correct != nullptr) out.correct[i] = winner == label;
}

template <Activation kind>
void write_gradients(const Call& call, std::int64_t i) {
  const float* y = call.y + i * call.classes;
  float* dz = call.out.dz == nullptr ? nullptr : call.out.dz + i * call.classes;
  float* error = call.out.error == nullptr ? nullptr : call.out.error + i * call.classes;
  const int label = call.labels[i];
  const float factor = call.scale * (call.weight != nullptr ? call.weight[i] : 1.0f);
  for (int c = 0; c < call.classes; ++c) {
    const float output = y[c];
    const float value = factor * (output - (c == label ? call.targets.high : call.targets.low));
    if (error != nullptr) error[c] = value;
    if (dz != nullptr) dz[c] = value * formula::slope<kind>(output, call.leak);
  }
}

}  // namespace

void squared_error(const Context& context, SquaredErrorShape shape, SquaredErrorTargets targets,
                   ActivationSpec activation_of_y, const float* y, const std::int32_t* labels, const float* weight,
                   float scale, SquaredErrorOutputs out) {
  if (context.backend() == Backend::cuda)
    return cuda::squared_error(context, shape, targets, activation_of_y, y, labels, weight, scale, out);
  const std::int64_t samples = std::int64_t{shape.replicas} * shape.rows;
  if (samples == 0 || shape.classes == 0) return;
  const Call call{shape.classes, targets, activation_of_y.leak, y, labels, weight, scale, out};
  const bool gradients = out.dz != nullptr || out.error != nullptr;
  const std::int64_t a_task = std::max<std::int64_t>(1, k_values_a_task / shape.classes);
  const auto run_task = [&](std::size_t task) {
    const std::int64_t begin = static_cast<std::int64_t>(task) * a_task, end = std::min(begin + a_task, samples);
    formula::with_kind(activation_of_y.kind, [&](auto constant) {
      for (std::int64_t i = begin; i < end; ++i) {
        write_scores(call, i);
        if (gradients) write_gradients<constant.kind>(call, i);
      }
    });
  };
  core::parallel_for(static_cast<std::size_t>((samples + a_task - 1) / a_task), context.threads(), run_task);
}

}  // namespace eos::kernels
