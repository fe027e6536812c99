// What a backend does for Muon between the matrix products. All matrices of a call lie packed, [replicas][...], but for
// those of MuonShape::stride.
#pragma once

#include "eos/kernels/muon.hpp"

namespace eos::kernels {

/// velocity moves; x [R][rows][columns] is the direction over its norm.
void muon_direction(const Context& context, MuonShape shape, MuonParameters p, const float* gradient, float* velocity,
                    float* x);
/// square = a I + b gram + c square, [R][side][side].
void muon_polynomial(const Context& context, int replicas, int side, const float* gram, float* square);
/// delta from the orthogonalised x.
void muon_finish(const Context& context, MuonShape shape, MuonParameters p, const float* x, const float* weights,
                 float* delta);

}  // namespace eos::kernels
