// Muon's passes over entries on the CPU.
#include "cuda_backend.hpp"
#include "muon_backend.hpp"
#include "muon_formula.hpp"
#include "norm_cpu.hpp"

namespace eos::kernels {

namespace {

constexpr std::int64_t k_chunk = 65536;  ///< entries a thread takes at a time

/// Calls body(begin, end) on pieces of [0, size).
template <class Body>
void for_chunks(const Context& context, std::int64_t size, Body body) {
  core::parallel_for(static_cast<std::size_t>((size + k_chunk - 1) / k_chunk), context.threads(), [=](std::size_t i) {
    const std::int64_t begin = static_cast<std::int64_t>(i) * k_chunk;
    body(begin, std::min(begin + k_chunk, size));
  });
}

}  // namespace

void muon_direction(const Context& context, MuonShape shape, MuonParameters p, const float* gradient, float* velocity,
                    float* x) {
  if (context.backend() == Backend::cuda) return cuda::muon_direction(context, shape, p, gradient, velocity, x);
  const SgdParameters momentum = formula::muon_momentum(p);
  for (int r = 0; r < shape.replicas; ++r) {
    const float* __restrict g = gradient + r * shape.distance();
    float* __restrict v = velocity + r * shape.distance();
    float* __restrict to = x + r * shape.size();
    for_chunks(context, shape.size(), [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        v[i] = formula::sgd_velocity(momentum, g[i], 0.0f, v[i]);
        to[i] = formula::sgd_direction(momentum, g[i], 0.0f, v[i]);
      }
    });
    const float factor = formula::muon_factor(squared_norm(context.threads(), shape.size(), to));
    for_chunks(context, shape.size(), [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) to[i] *= factor;
    });
  }
}

void muon_polynomial(const Context& context, int replicas, int side, const float* gram, float* square) {
  if (context.backend() == Backend::cuda) return cuda::muon_polynomial(context, replicas, side, gram, square);
  core::parallel_for(static_cast<std::size_t>(replicas), context.threads(), [=](std::size_t r) {
    const std::int64_t n = side, entries = n * n, first = static_cast<std::int64_t>(r) * entries;
    const float* __restrict a = gram + first;
    float* __restrict s = square + first;
    for (std::int64_t i = 0; i < entries; ++i) s[i] = formula::muon_polynomial(a[i], s[i], false);
    for (std::int64_t i = 0; i < entries; i += n + 1) s[i] += static_cast<float>(formula::k_muon_a);
  });
}

void muon_finish(const Context& context, MuonShape shape, MuonParameters p, const float* x, const float* weights,
                 float* delta) {
  if (context.backend() == Backend::cuda) return cuda::muon_finish(context, shape, p, x, weights, delta);
  const float scale = formula::muon_scale(shape);
  for (int r = 0; r < shape.replicas; ++r) {
    const float* __restrict from = x + r * shape.size();
    const float* __restrict w = weights + r * shape.distance();
    float* __restrict d = delta + r * shape.distance();
    for_chunks(context, shape.size(), [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) d[i] = formula::muon_change(p, scale, from[i], w[i]);
    });
  }
}

}  // namespace eos::kernels
