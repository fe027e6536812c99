// Dropout: set entries to zero at random and scale up the others, so that the expectation stays.
//
// y[i][e] = keep(i, e) ? x[i][e] / (1 - rate) : 0, and dx likewise from dy. Source: Srivastava, Hinton, Krizhevsky,
// Sutskever & Salakhutdinov, "Dropout", JMLR 15 (2014), section 4, scaled at training time (section 10, "inverted").
// The mask is drawn by address and stored nowhere: backward draws it again. With K = draw(seed; run, step,
// Purpose::dropout, sample), entry e of a sample uses word (e / 8) % 4 of Philox4x32-10 with key (K0, K1) and counter
// (e / 32 * 8 + e % 8, site, K2, K3); it is dropped if the word is below rate 2^32. Shapes: x and y [R][rows][width],
// samples [R][rows] (the number of the sample in its data set), draws [R], all in the context's memory, so that a
// captured graph sees new steps. Guarantees: a sample has the same mask anywhere in a batch, on every backend and for
// any number of threads; the result has the same bits everywhere. y may be x. NaN passes where it is kept. Thread-safe,
// allocates nothing. Bytes per entry: 8. Example: tests/kernels/dropout_test.cpp.
#pragma once

#include <cstdint>

#include "eos/kernels/context.hpp"

namespace eos::kernels {

struct DropoutShape {
  int replicas = 1;
  int rows = 0;            ///< samples per replica
  std::int64_t width = 0;  ///< entries of a sample: height x width x channels, below 2^34
};

/// Where the draws of a replica begin.
struct DropoutDraw {
  std::uint64_t seed = 0;
  std::uint32_t run = 0, step = 0;
};

struct DropoutLayer {
  float rate = 0;          ///< probability of being dropped, [0, 1)
  std::uint32_t site = 0;  ///< which dropout layer of the network: layers draw apart
};

/// Forward and backward are the same map. throws Error E901 for a rate outside [0, 1).
void dropout(const Context& context, DropoutShape shape, DropoutLayer layer, const DropoutDraw* draws,
             const std::int32_t* samples, const float* x, float* y);

namespace reference {
void dropout(DropoutShape shape, DropoutLayer layer, const DropoutDraw* draws, const std::int32_t* samples,
             const float* x, float* y);
}  // namespace reference

}  // namespace eos::kernels
