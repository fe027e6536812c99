// What a device is told and asked beyond a Context: how it multiplies matrices, and how much memory is free.
//
// Context::named also takes devices by number, "cuda:1". What it names multiplies in TF32 unless the name ends in
// ":fp32" ("cuda:fp32", "cuda:1:fp32"); Context::cuda() multiplies in single precision.
#pragma once

#include <cstddef>

#include "eos/kernels/context.hpp"

namespace eos::kernels {

/// How a CUDA device multiplies large matrices: in single precision throughout, or with factors rounded to the 10 bits
/// of TF32 (relative error about 3e-4) on its tensor cores, several times faster. Sums are single precision either way.
enum class Products { fp32, tf32 };

/// Of this context and its copies, for products that it has not made yet. The CPU always uses single precision.
void set_products(const Context& context, Products products);
Products products(const Context& context);

/// Bytes that can still be allocated: of the device, or of the machine.
std::size_t free_bytes(const Context& context);

}  // namespace eos::kernels
