#include "cuda_backend.hpp"

namespace eos::kernels {

void gather_rows(const Context& context, const std::uint8_t* source, int columns, const std::int32_t* index, int rows,
                 float scale, float* out) {
  if (context.backend() == Backend::cuda) return cuda::gather_rows(context, source, columns, index, rows, scale, out);
  reference::gather_rows(source, columns, index, rows, scale, out);
}

void compact_rows(const Context& context, const float* in, int columns, const std::int32_t* index, int rows, float* out) {
  if (context.backend() == Backend::cuda) return cuda::compact_rows(context, in, columns, index, rows, out);
  reference::compact_rows(in, columns, index, rows, out);
}

int compact_flags(const Context& context, const std::uint8_t* keep, int rows, std::int32_t* index) {
  if (context.backend() == Backend::cuda) return cuda::compact_flags(context, keep, rows, index);
  return reference::compact_flags(keep, rows, index);
}

int compact_flags_thrust(const Context& context, const std::uint8_t* keep, int rows, std::int32_t* index) {
  if (context.backend() == Backend::cuda) return cuda::compact_flags_thrust(context, keep, rows, index);
  return reference::compact_flags(keep, rows, index);
}

}  // namespace eos::kernels
