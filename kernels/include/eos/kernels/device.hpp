// Which device a name means, how it multiplies matrices, and how much memory it has free.
//
// Names: "auto" (CUDA if a device answers, else the CPU), "cpu", "cuda", and "cuda:N" for device number N, 0 to 9999.
// A CUDA name may end in how large matrices are multiplied: ":tf32" (the default of names), ":fp32" or ":bf16", e.g.
// "cuda:1:bf16". Context::cuda() multiplies in single precision.
#pragma once

#include <cstddef>
#include <string>

#include "eos/kernels/context.hpp"

namespace eos::kernels {

/// How a CUDA device multiplies matrices whose sides are all at least 16; smaller ones, and all on the CPU, are
/// multiplied in single precision. Factors are rounded on their way into the tensor cores: to 11 significant bits
/// (tf32, each factor by at most 2^-11 of itself) or to 8 (bf16, at most 2^-8). Sums are single precision, and so are
/// all values in memory, activations too: bf16 saves time, not memory. Layers that make no such product (norms,
/// attention, softmax, the update) are single precision in every mode.
enum class Products { fp32, tf32, bf16 };
/// "fp32", "tf32", "bf16".
const std::string& to_string(Products products);

struct DeviceName {
  bool automatic = false;  ///< CUDA if a device answers
  Backend backend = Backend::cpu;
  int index = 0;            ///< of a CUDA device
  bool says_index = false;  ///< the name has it
  Products products = Products::fp32;
  bool says_products = false;  ///< the name ends in them
};
/// throws Error E106 for what is no name, with what is allowed.
DeviceName parse_device(const std::string& name);

/// Of this context and its copies, for products that it has not made yet. The CPU always uses single precision.
void set_products(const Context& context, Products products);
Products products(const Context& context);
/// "cpu", or the name of the CUDA device and how it multiplies: "NVIDIA H100, products in bf16".
std::string describe_device(const Context& context);

/// Usable CUDA devices, numbered from 0; 0 without CUDA.
int cuda_devices();

/// Bytes that can still be allocated: of the device, or of the machine.
std::size_t free_bytes(const Context& context);

}  // namespace eos::kernels
