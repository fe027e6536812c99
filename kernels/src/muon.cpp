// Muon on any backend: the Newton-Schulz steps by the products of the dense layer.
#include "eos/kernels/muon.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "eos/core/error.hpp"
#include "eos/kernels/dense.hpp"
#include "muon_backend.hpp"

namespace eos::kernels {

namespace {

/// Pieces of the working memory, each a multiple of 64 bytes from its beginning.
struct Workspace {
  std::int64_t matrix, square;  ///< floats of each piece
  explicit Workspace(MuonShape s) {
    const std::int64_t side = std::min(s.rows, s.columns);
    matrix = whole(s.replicas * s.size());
    square = whole(s.replicas * side * side);
  }
  std::int64_t total() const { return 2 * (matrix + square); }
  static std::int64_t whole(std::int64_t floats) { return (floats + 15) / 16 * 16; }
};

/// One step: x becomes (a I + b A + c A^2) x in `to`, or the same from the right where rows > columns.
void newton_schulz_step(const Context& context, MuonShape s, const float* x, float* gram, float* square, float* to) {
  const int side = std::min(s.rows, s.columns);
  const bool wide = s.rows <= s.columns;
  if (wide) {
    dense_backward_inputs(context, {s.replicas, side, side, s.columns}, x, x, nullptr, {}, gram);
  } else {
    dense_backward_weights(context, {s.replicas, s.rows, side, side}, x, x, gram, nullptr);
  }
  dense_forward(context, {s.replicas, side, side, side}, gram, gram, nullptr, {}, square);
  muon_polynomial(context, s.replicas, side, gram, square);
  if (wide) {
    dense_forward(context, {s.replicas, side, side, s.columns}, square, x, nullptr, {}, to);
  } else {
    dense_forward(context, {s.replicas, s.rows, side, side}, x, square, nullptr, {}, to);
  }
}

}  // namespace

std::int64_t muon_workspace(MuonShape shape) { return Workspace(shape).total(); }

std::int64_t muon_macs(MuonShape shape, int steps) {
  const std::int64_t side = std::min(shape.rows, shape.columns);
  return steps * side * (2 * shape.size() + side * side);
}

void muon_delta(const Context& context, MuonShape shape, MuonParameters p, const float* gradient, const float* weights,
                float* velocity, float* delta, float* workspace) {
  if (shape.replicas < 0 || shape.rows < 0 || shape.columns < 0 || shape.stride < 0 || p.steps < 0) {
    throw core::Error("E901", fmt::format("muon_delta was given replicas {}, rows {}, columns {}, stride {}, steps {}",
                                          shape.replicas, shape.rows, shape.columns, shape.stride, p.steps));
  }
  if (shape.replicas == 0 || shape.size() == 0) return;
  const Workspace w(shape);
  float *x = workspace, *next = x + w.matrix, *gram = next + w.matrix, *square = gram + w.square;
  muon_direction(context, shape, p, gradient, velocity, x);
  for (int step = 0; step < p.steps; ++step) {
    newton_schulz_step(context, shape, x, gram, square, next);
    std::swap(x, next);
  }
  muon_finish(context, shape, p, x, weights, delta);
}

}  // namespace eos::kernels
