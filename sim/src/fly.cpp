#include "eos/sim/fly.hpp"

#include <algorithm>
#include <cmath>

#include "eos/core/parallel.hpp"
#include "eos/core/philox.hpp"

namespace eos::sim {

using theory::FlyGate;
using theory::FlySpec;

namespace {

constexpr std::size_t k_block = 2048;  ///< flies whose draws are held at once

/// What chance brings one fly on one day; the same for every cell.
struct Day {
  double arm[2], ltm[2];  ///< odour rates
  double luck;            ///< punishment comes when below its probability
};

/// A cell that is simulated: one hazard, one gate, one pair of thresholds.
struct Cell {
  double hazard, c0, c1;
  FlyGate gate;
};

/// Sums over the flies of one cell so far, in order of the flies.
struct Sums {
  double lifetime = 0, squared_steps = 0, survivors = 0, ltm_reserve = 0, punished = 0, last = 0;
  std::size_t flies = 0;

  void add(const FlyLives& one) {
    if (flies++ > 0) squared_steps += (one.lifetime - last) * (one.lifetime - last);
    last = one.lifetime;
    lifetime += one.lifetime, survivors += one.survivors;
    ltm_reserve += one.ltm_reserve, punished += one.punished;
  }
  /// Reserves are spread evenly, so flies are a systematic sample: successive differences estimate its variance without
  /// the part that the even spread removes (Wolter, Introduction to Variance Estimation, 2nd ed. 2007, section 8.2).
  FlyLives mean() const {
    const auto n = static_cast<double>(flies);
    const double error = flies > 1 ? std::sqrt(squared_steps / (2 * (n - 1)) / n) : std::nan("");
    return {lifetime / n, error, survivors / n, ltm_reserve / n, punished / n};
  }
};

void draw_days(const FlySpec& spec, std::size_t fly, Day* days) {
  for (int t = 0; t < spec.days; ++t) {
    core::Address address{static_cast<std::uint32_t>(fly), static_cast<std::uint32_t>(t), core::Purpose::fly_day, 0};
    const auto arm = core::normal_pair(spec.seed, address);
    address.index = 1;
    const auto ltm = core::normal_pair(spec.seed, address);
    address.index = 2;
    for (std::size_t k = 0; k < 2; ++k) {
      days[t].arm[k] = spec.input_mean + spec.input_stdev * arm[k];
      days[t].ltm[k] = spec.input_mean + spec.input_stdev * ltm[k];
    }
    days[t].luck = spec.punishment_probability < 1 ? core::uniform(spec.seed, address) : 0;
  }
}

/// The life of one fly, day by day as in theory/fly.hpp.
FlyLives live(const FlySpec& s, const Cell& cell, double reserve, const Day* days) {
  constexpr double k_nobody = 1e-18;  ///< survival that cannot change the last digit of a lifetime >= 1
  const double rate = cell.gate == FlyGate::none ? 0 : s.learning_rate;
  double arm[2] = {0, 0}, ltm[2] = {s.ltm_initial, s.ltm_initial}, expected[2] = {0, 0};
  double starving = theory::starvation_hazard(reserve, s.starvation_exponent), alive = 1;
  FlyLives life;
  life.lifetime = 1;
  for (int t = 0; t < s.days && alive > k_nobody; ++t) {
    const Day& day = days[t];
    for (double& w : arm) w *= s.arm_decay;
    const double safe = arm[0] * day.arm[0] + ltm[0] * day.ltm[0];
    const double risky = arm[1] * day.arm[1] + ltm[1] * day.ltm[1];
    const std::size_t k = safe > risky ? 0 : 1;
    const bool punished = k == 1 && day.luck < s.punishment_probability;
    const double reward = punished ? -cell.hazard : 0;
    const double surprise = reward - expected[k];
    expected[k] += (1 - s.expectation_decay) * surprise;
    for (double& r : expected) r *= s.expectation_decay;

    double spent = 0;
    if (theory::opens(cell.gate, cell.c0, cell.c1, reserve, std::fabs(surprise))) {
      const double wanted = std::clamp(ltm[k] + rate * surprise * day.ltm[k], s.ltm_lower, s.ltm_upper);
      spent = s.ltm_cost * std::fabs(wanted - ltm[k]) + s.ltm_event_cost;
      ltm[k] = wanted;
    } else {
      arm[k] += rate * surprise * day.arm[k];
    }
    life.ltm_reserve += alive * std::min(spent, reserve);
    if (spent != 0 || s.daily_feed != 0) {
      reserve = std::clamp(reserve - spent + s.daily_feed, 0.0, 1.0);
      starving = theory::starvation_hazard(reserve, s.starvation_exponent);
    }
    if (punished) life.punished += alive;
    alive *= (1 + reward) * (1 - starving);
    life.lifetime += alive;
  }
  life.survivors = alive;
  return life;
}

/// Every cell that differs: a threshold that the gate does not use is taken once.
std::vector<Cell> cells_of(const FlySpec& s) {
  std::vector<Cell> cells;
  for (const double hazard : s.hazards)
    for (const FlyGate gate : s.gates) {
      const std::size_t c0 = theory::uses_energy_threshold(gate) ? s.energy_thresholds.size() : 1;
      const std::size_t c1 = theory::uses_error_threshold(gate) ? s.error_thresholds.size() : 1;
      for (std::size_t i = 0; i < c0; ++i)
        for (std::size_t j = 0; j < c1; ++j)
          cells.push_back({hazard, s.energy_thresholds[i], s.error_thresholds[j], gate});
    }
  return cells;
}

std::vector<Sums> simulate(const FlySpec& spec, const std::vector<Cell>& cells, core::Progress& progress, int threads) {
  const auto flies = static_cast<std::size_t>(spec.flies), days = static_cast<std::size_t>(spec.days);
  std::vector<Sums> sums(cells.size());
  std::vector<Day> drawn(std::min(k_block, flies) * days);
  progress.begin("flies", spec.flies, "flies");
  for (std::size_t first = 0; first < flies; first += k_block) {
    const std::size_t count = std::min(k_block, flies - first);
    core::parallel_for(count, threads, [&](std::size_t i) { draw_days(spec, first + i, &drawn[i * days]); });
    core::parallel_for(cells.size(), threads, [&](std::size_t c) {
      for (std::size_t i = 0; i < count; ++i) {
        const double place = flies > 1 ? static_cast<double>(first + i) / static_cast<double>(flies - 1) : 0.5;
        const double reserve = spec.reserve_lower + place * (spec.reserve_upper - spec.reserve_lower);
        sums[c].add(live(spec, cells[c], reserve, &drawn[i * days]));
      }
    });
    progress.update("flies", static_cast<double>(first + count));
  }
  progress.end("flies");
  return sums;
}

}  // namespace

std::size_t FlyResult::index(std::size_t hazard, std::size_t gate, std::size_t c0, std::size_t c1) const {
  const std::size_t n0 = spec.energy_thresholds.size(), n1 = spec.error_thresholds.size();
  return ((hazard * spec.gates.size() + gate) * n0 + c0) * n1 + c1;
}

FlyResult::Thresholds FlyResult::best(std::size_t hazard, std::size_t gate) const {
  Thresholds best;
  for (std::size_t i = 0; i < spec.energy_thresholds.size(); ++i)
    for (std::size_t j = 0; j < spec.error_thresholds.size(); ++j)
      if (at(hazard, gate, i, j).lifetime > at(hazard, gate, best.c0, best.c1).lifetime) best = {i, j};
  return best;
}

double FlyResult::mean_over_hazards(std::size_t gate, Thresholds thresholds) const {
  double sum = 0;
  for (std::size_t h = 0; h < spec.hazards.size(); ++h) sum += at(h, gate, thresholds.c0, thresholds.c1).lifetime;
  return sum / static_cast<double>(spec.hazards.size());
}

FlyResult::Thresholds FlyResult::best_for_all(std::size_t gate) const {
  Thresholds best;
  for (std::size_t i = 0; i < spec.energy_thresholds.size(); ++i)
    for (std::size_t j = 0; j < spec.error_thresholds.size(); ++j)
      if (mean_over_hazards(gate, {i, j}) > mean_over_hazards(gate, best)) best = {i, j};
  return best;
}

FlyResult simulate_flies(const FlySpec& spec, core::Progress& progress, int threads) {
  spec.check();
  const std::vector<Cell> cells = cells_of(spec);
  const std::vector<Sums> sums = simulate(spec, cells, progress, threads);
  FlyResult result;
  result.spec = spec;
  auto next = sums.begin();
  for (std::size_t h = 0; h < spec.hazards.size(); ++h)
    for (const FlyGate gate : spec.gates) {
      const std::size_t n0 = spec.energy_thresholds.size(), n1 = spec.error_thresholds.size();
      const bool over_c0 = theory::uses_energy_threshold(gate), over_c1 = theory::uses_error_threshold(gate);
      const std::size_t row = over_c1 ? n1 : 1;
      for (std::size_t i = 0; i < n0; ++i)
        for (std::size_t j = 0; j < n1; ++j)
          result.cells.push_back(next[static_cast<std::ptrdiff_t>((over_c0 ? i : 0) * row + (over_c1 ? j : 0))].mean());
      next += static_cast<std::ptrdiff_t>((over_c0 ? n0 : 1) * row);
    }
  return result;
}

}  // namespace eos::sim
