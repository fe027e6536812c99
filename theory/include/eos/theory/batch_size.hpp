// How many samples per step: the trade-off between examples and optimiser steps, and what a batch ramp is worth.
//
// Statement. Progress of a step with batch B and the best rate is that of a full-gradient step over 1 + B_noise / B, so
// with the noise scale B_noise(s) at progress s (in steps of infinite batch)
//   steps S = int (1 + B_noise / B) ds,   examples E = int (B_noise + B) ds,   (S/S_min - 1)(E/E_min - 1) = constant,
// constant = 1 for a fixed B_noise and B. At r examples per step of exchange rate the ramp B = sqrt(r B_noise) is best,
// and on it the constant is mean(sqrt(B_noise))^2 / mean(B_noise) <= 1 (Cauchy-Schwarz).
// Source: McCandlish, Kaplan, Amodei et al., arXiv:1812.06162, eqs 2.7-2.11 and appendix D; Kaplan et al.,
// arXiv:2001.08361, eq. 1.4 (critical batch size); Meterez et al. (Seesaw), arXiv:2510.14717.
#pragma once

#include <functional>
#include <span>

namespace eos::theory {

/// B_noise = tr(H Sigma) / (G' H G) for a diagonal Hessian; arrays are [parameters]. throws E107 on unequal sizes.
double noise_scale(std::span<const double> hessian, std::span<const double> gradient_variance,
                   std::span<const double> gradient);
/// B_simple = tr(Sigma) / |G|^2.
double simple_noise_scale(std::span<const double> gradient_variance, std::span<const double> gradient);
/// Share of the full-gradient improvement that batch B achieves at its best rate: 1 / (1 + B_noise / B).
double batch_efficiency(double noise_scale, double batch);

/// A run along progress; both are 1 at S_min and E_min.
struct BatchTradeoff {
  double steps = 0, examples = 0;                                         ///< S, E
  double least_steps = 0, least_examples = 0;                             ///< S_min = int ds, E_min = int B_noise ds
  double critical_batch() const { return least_examples / least_steps; }  ///< B_crit
  double constant() const { return (steps / least_steps - 1) * (examples / least_examples - 1); }
};
/// Trade-off of batches along equal pieces of progress, arrays [pieces]. throws E104/E107.
BatchTradeoff batch_tradeoff(std::span<const double> noise_scale, std::span<const double> batch);
/// sqrt(r B_noise): least E + r S. pre: exchange_rate > 0.
double best_batch(double noise_scale, double exchange_rate);
/// The constant of the best ramp: mean(sqrt(B_noise))^2 / mean(B_noise).
double ramp_constant(std::span<const double> noise_scale);
/// Critical batch of language models in tokens at a loss in nats per token: 2.1e8 L^(-1/0.21).
double kaplan_critical_batch(double loss);

/// Seesaw: a learning-rate decay d(x), x the share of samples, is replaced by the rate sqrt(d) and the batch 1/d at an
/// equal number of samples; the serial steps that remain are int_0^1 d(x) dx (2/pi for a quarter cosine).
struct Seesaw {
  double rate = 1, batch = 1;  ///< factors of the initial rate and batch
};
Seesaw seesaw(double decay);
double seesaw_serial_share(const std::function<double(double)>& decay);

}  // namespace eos::theory
