// How well does a student generalise that learns to convergence from a pruned data set?
//
// Statement. Perceptron teacher T, probe at angle theta to it, inputs Gaussian in N dimensions, P = alpha_tot N
// examples. Of these the fraction f with the smallest (keep hard) or largest (keep easy) |z|, z the probe's field, or a
// random fraction is kept, and the student is the max-margin solution on the kept alpha = f alpha_tot per dimension.
// With R = student . teacher, rho = student . probe and margin kappa, the published self-consistency equations are
//   Lambda^2 = sin^2 theta - R^2 - rho^2 + 2 rho R cos theta,   Gamma = z (rho R - cos theta) - t (R - rho cos theta),
//   Delta    = z^2 (rho^2 + cos^2 theta - 2 rho R cos theta) + 2 t z (R cos theta - rho) + t^2 sin^2 theta
//   (R - rho cos theta)/sin^2 theta   = alpha/(pi Lambda) < int_-inf^kappa e^(-Delta/2 Lambda^2) (kappa - t) dt >_z
//   1 - (rho^2 + R^2 - 2 rho R cos theta)/sin^2 theta
//                                     = 2 alpha < int g Phi(-Gamma/(sqrt(1-rho^2) Lambda)) (kappa - t)^2 dt >_z
//   (rho - R cos theta)/sin^2 theta   = 2 alpha < int [ g Phi(.) (z - rho t)/(1 - rho^2)
//                                         + e^(-Delta/2 Lambda^2) (rho R - cos theta)/(2 pi Lambda (1 - rho^2)) ]
//                                         (kappa - t) dt >_z,     g = N(t; rho z, 1 - rho^2)
// and the generalisation error is acos(R)/pi. Source: Sorscher, Geirhos, Shekhar, Ganguli & Morcos, "Beyond neural
// scaling laws", arXiv:2206.14486 (NeurIPS 2022), section 3 and appendix A.
//
// Method. The same saddle point is a convex program: with the student split into its overlaps with the teacher, R, with
// the probe's part orthogonal to it, y, and the rest, w, the largest kappa with w^2 >= alpha E[(kappa - t)_+^2] is
// sought (Thrampoulidis, Oymak & Hassibi 2015); a damped Newton iteration in (R/w, y/w, kappa/w) solves it from one
// start. The published equations are then evaluated at the solution: their residual certifies it.
#pragma once

#include <string>

namespace eos::theory {

enum class Keep { hard, random, easy };

struct PruningTask {
  double angle = 0;     ///< theta of the probe, radians, in (0, pi/2]
  double samples = 1;   ///< alpha_tot > 0, examples per dimension before pruning
  double fraction = 1;  ///< f in (0, 1]
  Keep keep = Keep::hard;
  /// throws E104.
  void check() const;
};

enum class PruningStatus {
  solved,        ///< Newton converged and the published equations hold to 1e-6
  inconsistent,  ///< Newton converged, but the published equations leave a larger residual
  not_converged  ///< iteration limit, or the overlap left the range of doubles
};
std::string to_string(PruningStatus status);

struct PruningSolution {
  PruningStatus status = PruningStatus::not_converged;
  double overlap = 0;        ///< R
  double probe_overlap = 0;  ///< rho
  double margin = 0;         ///< kappa
  double error = 0.5;        ///< acos(R) / pi
  double residual = 0;       ///< largest of the three published equations, relative to 1 and their right-hand sides
  int iterations = 0;
};

PruningSolution solve_pruning(const PruningTask& task);

/// Left minus right of the published equations at (R, rho, kappa), largest relative one.
double pruning_residual(const PruningTask& task, double overlap, double probe_overlap, double margin);

}  // namespace eos::theory
