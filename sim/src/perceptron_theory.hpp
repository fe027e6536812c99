// Closed forms beside the runs of a perceptron grid. Private to sim/.
#pragma once

#include <vector>

#include "eos/sim/perceptron.hpp"

namespace eos::sim {

/// M_cache of one run as the closed forms have it: the random walk without decay at the run's own K and T, or, for the
/// adaptive threshold and the clock, the integral over the run's own error rates. NaN where no closed form holds.
double theory_energy(const theory::PerceptronSpec& spec, const theory::PerceptronCell& cell,
                     const PerceptronResult& result);
/// Best constant threshold without decay at the run's own K and T, and M_cache there. NaN with decay or without c.
double theory_threshold(const theory::PerceptronSpec& spec, const theory::PerceptronCell& cell,
                        const PerceptronResult& result);
double theory_least_energy(const theory::PerceptronSpec& spec, const theory::PerceptronCell& cell,
                           const PerceptronResult& result);
/// Predicted energy of the adaptive threshold / that of the best constant one, from the run's own error rates (at most
/// 1, by Cauchy-Schwarz). NaN unless the whole course was kept.
double theory_saving(const theory::PerceptronSpec& spec, const theory::PerceptronCell& cell,
                     const PerceptronResult& result);
/// Power per epoch in the steady state with decay at the run's own error rate in each epoch (eqs 5-7).
struct TheoryPower {
  std::vector<double> consolidation, maintenance;
};
TheoryPower theory_power(const theory::PerceptronSpec& spec, const theory::PerceptronCell& cell,
                         const PerceptronResult& result);

}  // namespace eos::sim
