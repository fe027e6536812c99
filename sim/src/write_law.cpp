#include "write_law.hpp"

#include <cmath>

#include "running_means.hpp"

namespace eos::sim {

using theory::OptimiserKind;

WriteLaw::WriteLaw(const theory::TrainingSpec& spec, const theory::PlasticitySpec& plasticity, double reference_rate,
                   const Network& layout)
    : optimiser_(spec.optimiser),
      prices_(spec.prices),
      reference_rate_(reference_rate),
      predictions_(layout.predictions() * spec.selection.token_share),
      squared_error_outputs_(spec.network.loss == theory::Loss::squared ? layout.classes() : 0),
      accumulating_(static_cast<double>(layout.parameters()) * spec.prices.accumulator),
      active_(plasticity.threshold_from == theory::ThresholdFrom::energy) {}

// SGD moves a weight by eta / (1 - momentum) times a gradient in the end, which its norm tells exactly, also while the
// velocity still builds up. Of other optimisers the change is measured, and white gradients are assumed.
double WriteLaw::long_run_square(const MeasuredUpdate& update) const {
  if (optimiser_.kind == OptimiserKind::sgd) {
    const double norm = update.norms.gradient / (1 - optimiser_.momentum);
    return norm * norm;
  }
  const double momentum = optimiser_.kind == OptimiserKind::muon ? optimiser_.muon.momentum : optimiser_.beta1;
  const double norm = update.norms.change / update.learning_rate;
  return theory::momentum_persistence(momentum) * norm * norm;
}

theory::WriteEconomy WriteLaw::economy(double learning_rate, double mean_squared) const {
  theory::WriteEconomy e;
  e.rate = learning_rate * std::sqrt(state.change / state.gradient);
  e.batch = predictions_ * state.rows / state.updates;
  // Per output, as the curvature of a squared error has no residual in it.
  e.noise = squared_error_outputs_ > 0 ? mean_squared / squared_error_outputs_ : 1.0;
  e.squared = learning_rate * learning_rate * state.change / state.updates;
  e.write = prices_.write, e.path = prices_.path;
  e.other = state.other / state.updates;
  return e;
}

double WriteLaw::threshold(double learning_rate, double mean_squared) const {
  const bool known = state.decision == Decision::accumulate && learning_rate > 0;
  return known ? economy(learning_rate, mean_squared).best_threshold() : 0.0;
}

void WriteLaw::note(const MeasuredUpdate& update, const theory::Ledger& change, const theory::Ledger& now) {
  const theory::Energy energy = theory::energy(now, prices_);
  const double spent = energy.total() - energy.write - energy.path, other = spent - state.spent;
  state.spent = spent;
  if (!(update.learning_rate > 0 && update.norms.gradient > 0 && update.norms.change > 0)) return;
  const double f = std::exp(-update.rows / RunningMeans::k_window);
  for (double* sum : {&state.updates, &state.rows, &state.gradient, &state.change, &state.other}) *sum *= f;
  state.updates += 1, state.rows += update.rows;
  state.gradient += update.norms.gradient * update.norms.gradient;
  state.change += long_run_square(update);
  state.other += other;
  if (state.decision == Decision::none) decide(update, change);
}

// The first update was plain, so what it cost besides writes had no accumulator in it.
void WriteLaw::decide(const MeasuredUpdate& update, const theory::Ledger& change) {
  theory::WriteEconomy e = economy(reference_rate_, update.mean_squared);
  e.other += accumulating_;
  const double scale = reference_rate_ / update.learning_rate;
  const double plain = prices_.write * static_cast<double>(change.writes) + prices_.path * scale * change.path_length;
  const double theta = e.best_threshold();
  const bool pays = theta > 0 && accumulating_ + e.energy(theta) < plain;
  state.decision = pays ? Decision::accumulate : Decision::plain;
}

}  // namespace eos::sim
