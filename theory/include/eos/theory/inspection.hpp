// How often to look again at a sample that was easy: optimal inspection, with nothing to tune.
//
// Statement. A sample that needs no training today will need it some day: at a hazard of h per epoch it turns hard, and
// from then on each epoch without training it forgoes a surplus of u joules (what training it is worth beyond what
// training costs). Presented with probability p an epoch, it is found after 1/p epochs in the mean, so checks and delay
// cost, in joules per epoch,
//   p c_f + g / p,      g = h u      the growth of its expected surplus per epoch,
//                       c_f          the cost of presenting it,
// which is least at p* = min(1, sqrt(g / c_f)): the square-root rule of inspection. p* = 1 exactly where the surplus
// expected after one epoch pays for looking, g >= c_f. What is worth a surplus: value(r) - (c_b + w), with the value
//   value(r) = b(r) / alpha  C / (mean(b) R)      joules, of a sample with benefit b(r)
// at which the feedback law's marginal sample breaks even (docs/theory.md derives alpha = 1/2).
// Source: inspection at a cost per check and a cost per time undetected: Barlow, Hunter & Proschan, Optimum checking
// procedures, J. SIAM 11(4):1078 (1963); for a constant hazard and random checks of rate p the mean delay is 1/p.
// Guarantees: pure functions, thread-safe.
#pragma once

namespace eos::theory {

/// p*: probability to present a sample in an epoch. growth: g in J per epoch; cost: c_f in J, both >= 0. Free checks
/// and p = 1 belong together. Example: growth = cost / 4 gives 1/2.
double inspection_probability(double growth, double cost);
/// What checks and delay cost per epoch at probability p in (0, 1]: p c_f + g / p.
double inspection_cost(double probability, double growth, double cost);
/// Joules that training a sample yields beyond its cost c_b + w: (c_b + w) max(0, benefit / threshold - 1), threshold
/// being the benefit at which the feedback law breaks even (value = c_b + w there). pre: threshold > 0.
double training_surplus(double benefit, double threshold, double training_cost);

}  // namespace eos::theory
