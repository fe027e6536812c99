#include <algorithm>

#include "cuda_backend.hpp"
#include "eos/kernels/columns.hpp"

namespace eos::kernels {

namespace {

template <class T>
void gather(std::int64_t rows, int width, const std::int32_t* columns, int count, const T* in, T* out) {
  for (std::int64_t i = 0; i < rows; ++i, in += width, out += count) {
    for (int j = 0; j < count; ++j) out[j] = in[columns[j]];
  }
}

}  // namespace

void gather_columns(const Context& context, std::int64_t rows, int width, const std::int32_t* columns, int count,
                    const float* in, float* out) {
  if (context.backend() == Backend::cuda) return cuda::gather_columns(context, rows, width, columns, count, in, out);
  gather(rows, width, columns, count, in, out);
}

void gather_columns(const Context& context, std::int64_t rows, int width, const std::int32_t* columns, int count,
                    const std::uint8_t* in, std::uint8_t* out) {
  if (context.backend() == Backend::cuda) return cuda::gather_columns(context, rows, width, columns, count, in, out);
  gather(rows, width, columns, count, in, out);
}

void scatter_columns(const Context& context, std::int64_t rows, int width, const std::int32_t* columns, int count,
                     const float* in, float* out) {
  context.fill_zero(out, static_cast<std::size_t>(rows * width) * sizeof *out);
  if (context.backend() == Backend::cuda) return cuda::scatter_columns(context, rows, width, columns, count, in, out);
  for (std::int64_t i = 0; i < rows; ++i, in += count, out += width) {
    for (int j = 0; j < count; ++j) out[columns[j]] = in[j];
  }
}

}  // namespace eos::kernels
