// Flies as an EOS-1 table.
#include <cmath>

#include "eos/sim/fly.hpp"

namespace eos::sim {

using core::Dataset;

namespace {

/// One value per hazard and gate, at the best thresholds there.
template <class Get>
std::vector<double> at_best(const FlyResult& r, Get get) {
  std::vector<double> values;
  for (std::size_t h = 0; h < r.spec.hazards.size(); ++h)
    for (std::size_t g = 0; g < r.spec.gates.size(); ++g) values.push_back(get(h, g, r.best(h, g)));
  return values;
}

template <class Get>
std::vector<double> per_gate(const FlyResult& r, Get get) {
  std::vector<double> values;
  for (std::size_t g = 0; g < r.spec.gates.size(); ++g) values.push_back(get(g, r.best_for_all(g)));
  return values;
}

double energy_threshold(const FlyResult& r, std::size_t gate, FlyResult::Thresholds t) {
  return theory::uses_energy_threshold(r.spec.gates[gate]) ? r.spec.energy_thresholds[t.c0] : std::nan("");
}

double error_threshold(const FlyResult& r, std::size_t gate, FlyResult::Thresholds t) {
  return theory::uses_error_threshold(r.spec.gates[gate]) ? r.spec.error_thresholds[t.c1] : std::nan("");
}

void add_best(Dataset& d, const FlyResult& r) {
  const std::vector<std::string> over{"hazard", "gate"};
  using T = FlyResult::Thresholds;
  const auto lives = [&](const char* name, double FlyLives::*field, const char* unit, const char* meaning) {
    d.add(name, over, at_best(r, [&](std::size_t h, std::size_t g, T t) { return r.at(h, g, t.c0, t.c1).*field; }),
          unit, meaning);
  };
  lives("lifetime", &FlyLives::lifetime, "d", "mean lifetime at the best thresholds");
  lives("lifetime_stderr", &FlyLives::lifetime_error, "d", "its standard error over flies");
  lives("survivors", &FlyLives::survivors, "1", "share alive after the last day");
  lives("ltm_reserve", &FlyLives::ltm_reserve, "1", "reserve paid for long-term memory while alive");
  lives("punished_days", &FlyLives::punished, "d", "punished days while alive");
  d.add("best_energy_threshold", over,
        at_best(r, [&](std::size_t, std::size_t g, T t) { return energy_threshold(r, g, t); }), "1",
        "c0 of the longest life");
  d.add("best_error_threshold", over,
        at_best(r, [&](std::size_t, std::size_t g, T t) { return error_threshold(r, g, t); }), "1",
        "c1 of the longest life");
}

void add_common(Dataset& d, const FlyResult& r) {
  using T = FlyResult::Thresholds;
  d.add("common_lifetime", {"hazard", "gate"},
        at_best(r,
                [&](std::size_t h, std::size_t g, T) {
                  const T t = r.best_for_all(g);
                  return r.at(h, g, t.c0, t.c1).lifetime;
                }),
        "d", "mean lifetime with one pair of thresholds for all hazards");
  d.add("common_energy_threshold", {"gate"}, per_gate(r, [&](std::size_t g, T t) { return energy_threshold(r, g, t); }),
        "1", "c0 of the longest mean life over all hazards");
  d.add("common_error_threshold", {"gate"}, per_gate(r, [&](std::size_t g, T t) { return error_threshold(r, g, t); }),
        "1", "c1 of the longest mean life over all hazards");
}

void add_grid(Dataset& d, const FlyResult& r) {
  std::vector<double> lifetime, error;
  for (const FlyLives& cell : r.cells) lifetime.push_back(cell.lifetime), error.push_back(cell.lifetime_error);
  const std::vector<std::string> over{"hazard", "gate", "energy_threshold", "error_threshold"};
  d.add("lifetime_grid", over, std::move(lifetime), "d", "mean lifetime");
  d.add("lifetime_grid_stderr", over, std::move(error), "d", "standard error of the mean lifetime over flies");
}

}  // namespace

Dataset to_dataset(const FlyResult& r) {
  Dataset d;
  d.attributes["kind"] = std::string("fly");
  d.add_dim("hazard", r.spec.hazards, "1", "hazard of the punished odour on the day it is chosen");
  std::vector<std::string> names;
  for (const theory::FlyGate gate : r.spec.gates) names.push_back(theory::name_of(gate));
  d.dims["gate"] = static_cast<std::int64_t>(names.size());
  d.add("gate", {"gate"}, std::move(names), "1", "rule that sends a lesson to long-term memory");
  d.add_dim("energy_threshold", r.spec.energy_thresholds, "1", "c0, on the reserve");
  d.add_dim("error_threshold", r.spec.error_thresholds, "1", "c1, on the prediction error");
  add_best(d, r);
  add_common(d, r);
  add_grid(d, r);
  return d;
}

}  // namespace eos::sim
