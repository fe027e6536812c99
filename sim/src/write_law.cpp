#include "write_law.hpp"

#include <algorithm>
#include <cmath>

#include "running_means.hpp"

namespace eos::sim {

using theory::OptimiserKind;

WriteLaw::WriteLaw(const theory::TrainingSpec& spec, const theory::PlasticitySpec& plasticity, double reference_rate,
                   const Network& layout)
    : optimiser_(spec.optimiser),
      plasticity_(plasticity),
      prices_(spec.prices),
      reference_rate_(reference_rate),
      predictions_(layout.predictions() * spec.selection.token_share),
      squared_error_outputs_(spec.network.loss == theory::Loss::squared ? layout.classes() : 0),
      accumulating_(static_cast<double>(layout.parameters()) * spec.prices.accumulator),
      batch_(spec.batch) {}

// SGD moves a weight by eta / (1 - momentum) times a gradient in the end, which its norm tells exactly, also while the
// velocity still builds up. Of other optimisers the change is measured, and white gradients are assumed.
double WriteLaw::long_run_square(double learning_rate, UpdateNorms norms) const {
  if (optimiser_.kind == OptimiserKind::sgd) {
    const double norm = norms.gradient / (1 - optimiser_.momentum);
    return norm * norm;
  }
  const double momentum = optimiser_.kind == OptimiserKind::muon ? optimiser_.muon.momentum : optimiser_.beta1;
  const double norm = norms.change / learning_rate;
  return theory::momentum_persistence(momentum) * norm * norm;
}

theory::WriteEconomy WriteLaw::economy(const UpdateMoment& now) const {
  theory::WriteEconomy e;
  e.rate = now.learning_rate * std::sqrt(state.change / state.gradient);
  e.batch = predictions_ * state.rows / state.updates;
  // Per output, as the curvature of a squared error has no residual in it.
  e.noise = squared_error_outputs_ > 0 ? now.mean_squared / squared_error_outputs_ : 1.0;
  e.squared = now.learning_rate * now.learning_rate * state.change / state.updates;
  // A drift is of the first order in the rate, M_2 of the second. By Wald's identity the squares of what is written and
  // of what is held sum to M_2 if there is none.
  if (state.reach > 0)
    e.drift = theory::walk_drift(state.walked / state.change) / (now.learning_rate * state.reach / state.updates);
  // The time that progress has taken, in the clock of the rate.
  if (state.clock > 0) e.lag = state.moving * now.learning_rate / state.clock;
  e.write = prices_.write, e.path = prices_.path;
  e.cost = state.cost / state.updates;
  return e;
}

double WriteLaw::threshold(const UpdateMoment& now) const {
  if (!measures()) return theory::write_threshold(plasticity_, reference_rate_, now.learning_rate, batch_);
  const bool known = state.decision == Decision::accumulate && now.learning_rate > 0;
  return known ? economy(now).best_threshold() : 0.0;
}

void WriteLaw::note(const UpdateMoment& now, double theta, int rows, UpdateNorms norms, const theory::Ledger& change,
                    const theory::Ledger& run) {
  if (!measures()) return;
  const double written = prices_.write * static_cast<double>(change.writes) + prices_.path * change.path_length;
  const double spent = theory::energy(run, prices_).total();
  const double cost = spent - state.spent - (theta > 0 ? 0.0 : written);
  state.spent = spent;
  const double held = norms.held * norms.held, walked = change.path_squared + held - state.held;
  state.held = held;
  if (!(now.learning_rate > 0 && norms.gradient > 0)) return;
  const double f = std::exp(-rows / RunningMeans::k_window), rate = now.learning_rate;
  for (double* sum :
       {&state.updates, &state.rows, &state.gradient, &state.change, &state.walked, &state.reach, &state.cost})
    *sum *= f;
  const double square = long_run_square(rate, norms);
  state.updates += 1, state.rows += rows;
  state.gradient += norms.gradient * norms.gradient, state.change += square;
  state.walked += theta > 0 ? walked / (rate * rate) : square;
  state.reach += theta / rate, state.cost += cost;
  state.clock += rate;
  if (state.decision == Decision::none) decide(now, change);
}

// The first update was plain, so what it cost besides writes had no accumulator in it. Delay is that of a long run:
// none.
void WriteLaw::decide(UpdateMoment now, const theory::Ledger& change) {
  const double scale = reference_rate_ / now.learning_rate;
  now.learning_rate = reference_rate_;
  state.moving = static_cast<double>(change.writes);
  theory::WriteEconomy e = economy(now);
  e.cost += accumulating_, e.lag = 0;
  const double plain = prices_.write * state.moving + prices_.path * scale * change.path_length;
  const double theta = e.best_threshold();
  const bool pays = theta > 0 && accumulating_ + e.energy(theta) < plain;
  state.decision = pays ? Decision::accumulate : Decision::plain;
}

}  // namespace eos::sim
