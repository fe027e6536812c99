// Attention as plain loops that compute in double: what every fast version is held to.
#include <cmath>
#include <cstdint>
#include <vector>

#include "eos/kernels/attention.hpp"

namespace eos::kernels::reference {

namespace {

/// Scalar product of two vectors.
template <class Scalar>
double dot(const Scalar* a, const Scalar* b, std::int64_t size) {
  double sum = 0;
  for (std::int64_t c = 0; c < size; ++c) sum += static_cast<double>(a[c]) * static_cast<double>(b[c]);
  return sum;
}

template <class Scalar>
struct Head {
  std::int64_t tokens, size, stride;  ///< stride: from a token's query to the next token's
  bool causal;
  const Scalar *q, *k, *v;

  std::int64_t seen(std::int64_t i) const { return causal ? i + 1 : tokens; }
  double score(std::int64_t i, std::int64_t j) const {
    return dot(q + i * stride, k + j * stride, size) / std::sqrt(static_cast<double>(size));
  }
};

/// Calls body(head, sample, number of the head).
template <class Scalar, class Body>
void for_heads(AttentionShape shape, const Scalar* qkv, Body body) {
  const std::int64_t width = shape.width, size = width / shape.heads, stride = 3 * width;
  for (std::int64_t sample = 0; sample < std::int64_t{shape.replicas} * shape.rows; ++sample) {
    for (std::int64_t h = 0; h < shape.heads; ++h) {
      const Scalar* q = qkv + sample * shape.tokens * stride + h * size;
      body(Head<Scalar>{shape.tokens, size, stride, shape.causal, q, q + width, q + 2 * width}, sample, h);
    }
  }
}

}  // namespace

template <class Scalar>
void attention_forward(AttentionShape shape, const Scalar* qkv, Scalar* out, Scalar* lse) {
  const std::int64_t tokens = shape.tokens, width = shape.width;
  for_heads(shape, qkv, [=](const Head<Scalar>& head, std::int64_t sample, std::int64_t h) {
    std::vector<double> p(static_cast<std::size_t>(tokens));
    for (std::int64_t i = 0; i < tokens; ++i) {
      double top = -HUGE_VAL, sum = 0;
      for (std::int64_t j = 0; j < head.seen(i); ++j) p[j] = head.score(i, j), top = std::fmax(top, p[j]);
      for (std::int64_t j = 0; j < head.seen(i); ++j) sum += std::exp(p[j] - top);
      const double log_sum = top + std::log(sum);
      lse[(sample * shape.heads + h) * tokens + i] = static_cast<Scalar>(log_sum);
      for (std::int64_t c = 0; c < head.size; ++c) {
        double o = 0;
        for (std::int64_t j = 0; j < head.seen(i); ++j)
          o += std::exp(p[j] - log_sum) * static_cast<double>(head.v[j * head.stride + c]);
        out[(sample * tokens + i) * width + h * head.size + c] = static_cast<Scalar>(o);
      }
    }
  });
}

template <class Scalar>
void attention_backward(AttentionShape shape, const Scalar* qkv, const Scalar* out, const Scalar* lse,
                        const Scalar* dout, Scalar* dqkv) {
  const std::int64_t tokens = shape.tokens, width = shape.width;
  for_heads(shape, qkv, [=](const Head<Scalar>& head, std::int64_t sample, std::int64_t h) {
    const std::int64_t size = head.size, place = sample * tokens * width + h * size;
    const double scale = 1 / std::sqrt(static_cast<double>(size));
    std::vector<double> dq(static_cast<std::size_t>(tokens * size)), dk(dq.size()), dv(dq.size());
    for (std::int64_t i = 0; i < tokens; ++i) {
      const Scalar* d_row = dout + place + i * width;
      const double log_sum = static_cast<double>(lse[(sample * shape.heads + h) * tokens + i]);
      const double mean = dot(d_row, out + place + i * width, size);  // sum_j p_ij do_i . v_j
      for (std::int64_t j = 0; j < head.seen(i); ++j) {
        const double p = std::exp(head.score(i, j) - log_sum);
        const double g = p * (dot(d_row, head.v + j * head.stride, size) - mean) * scale;
        for (std::int64_t c = 0; c < size; ++c) {
          dq[i * size + c] += g * static_cast<double>(head.k[j * head.stride + c]);
          dk[j * size + c] += g * static_cast<double>(head.q[i * head.stride + c]);
          dv[j * size + c] += p * static_cast<double>(d_row[c]);
        }
      }
    }
    for (std::int64_t i = 0; i < tokens; ++i) {
      Scalar* to = dqkv + (sample * tokens + i) * 3 * width + h * size;
      for (std::int64_t c = 0; c < size; ++c) {
        to[c] = static_cast<Scalar>(dq[i * size + c]);
        to[width + c] = static_cast<Scalar>(dk[i * size + c]);
        to[2 * width + c] = static_cast<Scalar>(dv[i * size + c]);
      }
    }
  });
}

template void attention_forward(AttentionShape, const float*, float*, float*);
template void attention_forward(AttentionShape, const double*, double*, double*);
template void attention_backward(AttentionShape, const float*, const float*, const float*, const float*, float*);
template void attention_backward(AttentionShape, const double*, const double*, const double*, const double*, double*);

}  // namespace eos::kernels::reference
