#include "perceptron_theory.hpp"

#include <cmath>
#include <limits>

#include "eos/theory/synaptic_cache.hpp"

namespace eos::sim {
namespace {

using theory::CacheTrigger;
using theory::CacheVariant;
using theory::PerceptronCell;
using theory::PerceptronSpec;

constexpr double k_none = std::numeric_limits<double>::quiet_NaN();

theory::PersistentCache walk(const PerceptronSpec& spec, const PerceptronCell& cell, const PerceptronResult& r) {
  return {static_cast<double>(spec.inputs),
          static_cast<double>(r.updates),
          static_cast<double>(r.presentations),
          spec.rate,
          cell.maintenance,
          spec.cache.change_price};
}

/// The random walk of one synapse without decay describes local thresholds.
bool walks(const PerceptronSpec& spec, const PerceptronCell& cell, const PerceptronResult& r) {
  return spec.cache.variant == CacheVariant::local_local && cell.decay == 0 && r.updates > 0;
}

bool whole_course(const PerceptronResult& r) {
  return static_cast<std::int64_t>(r.error_rate.size()) == r.epochs && r.updates > 0;
}

}  // namespace

double theory_energy(const PerceptronSpec& spec, const PerceptronCell& cell, const PerceptronResult& r) {
  const double steps = static_cast<double>(spec.inputs) * static_cast<double>(cell.patterns);
  switch (spec.cache.trigger) {
    case CacheTrigger::constant: {
      // Between one step and the distance that the walk covers at all.
      const double theta = theory::effective_threshold(cell.setting, spec.rate);
      const double reach = spec.rate * std::sqrt(static_cast<double>(r.updates));
      const bool holds = walks(spec, cell, r) && cell.setting >= spec.rate && theta <= reach;
      return holds ? walk(spec, cell, r).energy(theta) : k_none;
    }
    case CacheTrigger::adaptive:
      if (!walks(spec, cell, r) || !whole_course(r) || cell.setting != 1) return k_none;
      return steps * theory::AdaptiveThreshold{spec.rate, cell.maintenance}.energy(r.error_rate);
    case CacheTrigger::clock: {
      if (cell.decay > 0 || cell.maintenance <= 0 || !whole_course(r)) return k_none;
      const theory::ClockedCache clock{spec.rate, cell.maintenance};
      const double interval =
          static_cast<double>(theory::clock_interval(static_cast<std::int64_t>(cell.setting), cell.maintenance));
      double power = 0;
      for (const double p : r.error_rate) power += p > 0 ? clock.power(p, interval) : 0;
      return steps * power;
    }
  }
  return k_none;
}

double theory_threshold(const PerceptronSpec& spec, const PerceptronCell& cell, const PerceptronResult& r) {
  return walks(spec, cell, r) && cell.maintenance > 0 ? walk(spec, cell, r).best_threshold() : k_none;
}

double theory_least_energy(const PerceptronSpec& spec, const PerceptronCell& cell, const PerceptronResult& r) {
  return walks(spec, cell, r) && cell.maintenance > 0 ? walk(spec, cell, r).least_energy() : k_none;
}

double theory_saving(const PerceptronSpec& spec, const PerceptronCell& cell, const PerceptronResult& r) {
  if (cell.decay > 0 || cell.maintenance <= 0 || !whole_course(r)) return k_none;
  return theory::AdaptiveThreshold{spec.rate, cell.maintenance}.saving(r.error_rate);
}

TheoryPower theory_power(const PerceptronSpec& spec, const PerceptronCell& cell, const PerceptronResult& r) {
  TheoryPower power;
  const bool holds = spec.cache.variant == CacheVariant::local_local && spec.cache.trigger == CacheTrigger::constant;
  const double theta = theory::effective_threshold(cell.setting, spec.rate);
  const double steps = static_cast<double>(spec.inputs) * static_cast<double>(cell.patterns);
  for (const double p : r.error_rate) {
    const bool defined = holds && cell.decay > 0 && p > 0;
    const theory::DecayingCache cache{spec.rate, p, cell.decay, cell.maintenance};
    power.consolidation.push_back(defined ? steps * cache.consolidation(theta) : k_none);
    power.maintenance.push_back(defined ? steps * cache.maintenance(theta) : k_none);
  }
  return power;
}

}  // namespace eos::sim
