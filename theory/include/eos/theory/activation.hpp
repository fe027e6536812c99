// What a unit does with its sum. The functions are stated in eos/kernels/activation.hpp.
#pragma once

namespace eos::theory {

/// gelu: z Phi(z), Phi the normal distribution function (Hendrycks & Gimpel, arXiv:1606.08415, 2016).
enum class Activation { identity, relu, leaky_relu, logistic, tanh, gelu };

}  // namespace eos::theory
