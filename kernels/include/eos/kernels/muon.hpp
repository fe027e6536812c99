// Muon: updates of matrices by their momentum, made nearly orthogonal.
//
// Jordan, Jin, Boza, You, Cesista, Newhouse & Bernstein, "Muon: an optimizer for hidden layers in neural networks"
// (2024), for one matrix W [rows = inputs][columns = outputs] per replica, g its gradient:
//   v = momentum v + g;   u = nesterov ? g + momentum v : v
//   X = u / (|u|_F + 1e-7);   `steps` times X = (a I + b A + c A^2) X with A = X X^T  (a, b, c = 3.4445,
//   -4.7750, 2.0315) delta = -eta (sqrt(max(1, outputs / inputs)) X + decay w)
// so that singular values of X come to lie about 1 (0.7 to 1.2), not at it. With A = X^T X from the right where that is
// smaller, which is the same polynomial and stands for the transposition of the original.
// The variant is that of the authors' program and of torch.optim.Muon with adjust_lr_fn "original": A fan-out, B fan-in
// of their scale sqrt(max(1, A / B)). A kernel of a convolution [h w in][out] is one matrix. Differences: they average
// the momentum (v of theirs is (1 - momentum) v of ours), which the normalisation cancels; they compute in bfloat16,
// off by up to 0.04 eta an entry, here everything is in single precision; the authors' program takes the scale of a
// kernel from its height and width, 1 for square ones.
// Shapes: gradient, weights, velocity, delta point at the first matrix, those of the next replica lie `stride` on.
// Cost: 40 bytes an entry and the products, muon_macs().
// Guarantees: independent of threads(); run-to-run the same bits on each backend; the CPU's relative error is about
// 1e-5. Nothing is allocated, nothing returns to the host.
#pragma once

#include <cstdint>

#include "eos/kernels/context.hpp"

namespace eos::kernels {

struct MuonShape {
  int replicas = 1;
  int rows = 0, columns = 0;
  std::int64_t stride = 0;  ///< floats between replicas; 0: rows * columns

  std::int64_t size() const { return std::int64_t{rows} * columns; }
  std::int64_t distance() const { return stride > 0 ? stride : size(); }
};

struct MuonParameters {
  float learning_rate = 0, momentum = 0.95f, weight_decay = 0;
  bool nesterov = true;
  int steps = 5;
};

/// Floats of working memory that the calls below need.
std::int64_t muon_workspace(MuonShape shape);
/// Multiply-adds of one update of one replica.
std::int64_t muon_macs(MuonShape shape, int steps);

/// delta is overwritten, velocity moves. `workspace` is in the context's memory. throws Error E901 for negative sizes.
/// Example: tests/kernels/muon_test.cpp.
void muon_delta(const Context& context, MuonShape shape, MuonParameters p, const float* gradient, const float* weights,
                float* velocity, float* delta, float* workspace);

namespace reference {
/// In double throughout. u becomes X.
void orthogonalise(int rows, int columns, int steps, double* u);
void muon_delta(MuonShape shape, MuonParameters p, const float* gradient, const float* weights, float* velocity,
                float* delta);
}  // namespace reference

}  // namespace eos::kernels
