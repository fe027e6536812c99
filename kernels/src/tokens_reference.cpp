// Positions, class token and choice of the first token as plain loops: what every fast version is held to.
#include <cstdint>

#include "eos/kernels/tokens.hpp"

namespace eos::kernels::reference {

namespace {

/// Sum over the samples of replica r of entry c in samples `stride` long.
template <class Scalar>
Scalar sum_samples(TokensShape shape, const Scalar* values, std::int64_t stride, std::int64_t r, std::int64_t c) {
  double sum = 0;
  for (std::int64_t i = 0; i < shape.rows; ++i) sum += static_cast<double>(values[(r * shape.rows + i) * stride + c]);
  return static_cast<Scalar>(sum);
}

}  // namespace

template <class Scalar>
void add_positions(TokensShape shape, const Scalar* in, const Scalar* table, Scalar* out) {
  const std::int64_t sample = std::int64_t{shape.tokens} * shape.width,
                     samples = std::int64_t{shape.replicas} * shape.rows;
  for (std::int64_t i = 0; i < samples; ++i) {
    const Scalar* row = table + i / shape.rows * shape.table_stride();
    for (std::int64_t c = 0; c < sample; ++c) out[i * sample + c] = in[i * sample + c] + row[c];
  }
}

template <class Scalar>
void add_positions_backward(TokensShape shape, const Scalar* dout, Scalar* dtable) {
  const std::int64_t sample = std::int64_t{shape.tokens} * shape.width;
  for (std::int64_t r = 0; r < shape.replicas; ++r) {
    Scalar* row = dtable + r * shape.table_stride();
    for (std::int64_t c = 0; c < sample; ++c) row[c] = sum_samples(shape, dout, sample, r, c);
  }
}

template <class Scalar>
void prepend_token(TokensShape shape, const Scalar* in, const Scalar* token, Scalar* out) {
  const std::int64_t width = shape.width, sample = shape.tokens * width,
                     samples = std::int64_t{shape.replicas} * shape.rows;
  for (std::int64_t i = 0; i < samples; ++i, out += sample + width) {
    for (std::int64_t c = 0; c < width; ++c) out[c] = token[i / shape.rows * shape.token_stride() + c];
    for (std::int64_t c = 0; c < sample; ++c) out[width + c] = in[i * sample + c];
  }
}

template <class Scalar>
void prepend_token_backward(TokensShape shape, const Scalar* dout, Scalar* dtoken, Scalar* din) {
  const std::int64_t width = shape.width, sample = shape.tokens * width,
                     samples = std::int64_t{shape.replicas} * shape.rows;
  for (std::int64_t r = 0; dtoken != nullptr && r < shape.replicas; ++r) {
    Scalar* row = dtoken + r * shape.token_stride();
    for (std::int64_t c = 0; c < width; ++c) row[c] = sum_samples(shape, dout, sample + width, r, c);
  }
  for (std::int64_t i = 0; din != nullptr && i < samples; ++i) {
    for (std::int64_t c = 0; c < sample; ++c) din[i * sample + c] = dout[i * (sample + width) + width + c];
  }
}

template <class Scalar>
void select_first_token(TokensShape shape, const Scalar* in, Scalar* out) {
  const std::int64_t width = shape.width, sample = shape.tokens * width,
                     samples = std::int64_t{shape.replicas} * shape.rows;
  for (std::int64_t i = 0; i < samples; ++i) {
    for (std::int64_t c = 0; c < width; ++c) out[i * width + c] = in[i * sample + c];
  }
}

template <class Scalar>
void select_first_token_backward(TokensShape shape, const Scalar* dout, Scalar* din) {
  const std::int64_t width = shape.width, sample = shape.tokens * width,
                     samples = std::int64_t{shape.replicas} * shape.rows;
  for (std::int64_t i = 0; i < samples; ++i) {
    for (std::int64_t c = 0; c < sample; ++c) din[i * sample + c] = c < width ? dout[i * width + c] : Scalar{0};
  }
}

template void add_positions(TokensShape, const float*, const float*, float*);
template void add_positions(TokensShape, const double*, const double*, double*);
template void add_positions_backward(TokensShape, const float*, float*);
template void add_positions_backward(TokensShape, const double*, double*);
template void prepend_token(TokensShape, const float*, const float*, float*);
template void prepend_token(TokensShape, const double*, const double*, double*);
template void prepend_token_backward(TokensShape, const float*, float*, float*);
template void prepend_token_backward(TokensShape, const double*, double*, double*);
template void select_first_token(TokensShape, const float*, float*);
template void select_first_token(TokensShape, const double*, double*);
template void select_first_token_backward(TokensShape, const float*, float*);
template void select_first_token_backward(TokensShape, const double*, double*);

}  // namespace eos::kernels::reference
