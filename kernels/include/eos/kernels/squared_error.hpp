// Squared error of the outputs against one-hot targets, with everything that selection needs: per-sample loss,
// probability of the true class, residual norm.
//
// t_c = high for the true class c = label, else low;  loss = 1/2 sum_c (y_c - t_c)^2;  residual = |y - t|_2;
// correct = argmax y == label (first maximum wins);  p_true = y_label clamped to [0, 1];
// error_c = scale * weight_i * (y_c - t_c);  dz_c = error_c * act'(y_c) with the slope from the output
// (activation.hpp). `y` are outputs after their activation: logistic or identity as in the programs of Li & van Rossum,
// eLife 9:e50804 (2020), with targets 0.01 and 0.99, and of van Rossum & Pache, PLoS Comput Biol 20(10):e1012553
// (2024), with 0 and 1. `error` is dz without the slope of the outputs; the published program of 2020 propagates it to
// the hidden layer. Shapes: y, dz and error [R][rows][classes], labels [R][rows], outputs [R][rows]. Guarantees: sums
// run over the classes in order; CPU results are independent of threads(), and those of one sample of the others in the
// batch; NaN makes the loss NaN. Thread-safe; allocates nothing. Example: tests/kernels/squared_error_test.cpp.
#pragma once

#include <cstdint>

#include "eos/kernels/activation.hpp"
#include "eos/kernels/context.hpp"

namespace eos::kernels {

struct SquaredErrorShape {
  int replicas = 1;
  int rows = 0;
  int classes = 0;
};

struct SquaredErrorTargets {
  float low = 0, high = 1;
};

/// Any output pointer may be null. `weight` [R][rows] may be null (all 1). `dz` or `error` may alias `y`, not each
/// other.
struct SquaredErrorOutputs {
  float* loss = nullptr;
  float* p_true = nullptr;
  float* residual = nullptr;
  std::uint8_t* correct = nullptr;
  float* dz = nullptr;
  float* error = nullptr;
};

void squared_error(const Context& context, SquaredErrorShape shape, SquaredErrorTargets targets,
                   ActivationSpec activation_of_y, const float* y, const std::int32_t* labels, const float* weight,
                   float scale, SquaredErrorOutputs out);

namespace reference {
void squared_error(SquaredErrorShape shape, SquaredErrorTargets targets, ActivationSpec activation_of_y, const float* y,
                   const std::int32_t* labels, const float* weight, float scale, SquaredErrorOutputs out);
}  // namespace reference

}  // namespace eos::kernels
