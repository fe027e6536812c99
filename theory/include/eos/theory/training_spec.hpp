// State a training run completely: data, network, optimiser, which samples, which weights, for how long.
//
// Plain values: io/ reads them from TOML, sim/ executes them, cli/ edits them. Every default below is also the default
// of the TOML key of the same name. The methods of the literature are combinations of a few orthogonal choices; the
// presets name them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "eos/theory/data_spec.hpp"
#include "eos/theory/ledger.hpp"
#include "eos/theory/network_spec.hpp"
#include "eos/theory/plasticity_spec.hpp"
#include "eos/theory/schedule.hpp"
#include "eos/theory/selection_spec.hpp"

namespace eos::theory {

enum class OptimiserKind { sgd, adamw, muon };
enum class RateLaw { constant, linear, cosine, inverse_time, schedule, effort };

/// Muon (Jordan et al., 2024): momentum whose matrices are orthogonalised by Newton-Schulz steps before they are
/// applied. Its authors leave gains, biases, embeddings, the first and the output layer to AdamW.
struct MuonSpec {
  double momentum = 0.95;
  bool nesterov = true;
  int steps = 5;                              ///< Newton-Schulz steps
  bool first = false, output = false;         ///< true: Muon moves the first, or the output layer too
  OptimiserKind rest = OptimiserKind::adamw;  ///< of parameters that Muon leaves out; adamw or sgd
  double rest_rate = 0.015;                   ///< their learning rate, as a multiple of OptimiserSpec::learning_rate
};

struct OptimiserSpec {
  OptimiserKind kind = OptimiserKind::sgd;
  double learning_rate = 0.1;
  RateLaw law =
      RateLaw::linear;  ///< linear: to 0 at the horizon (Li, Yumer & Ramanan, ICLR 2020); inverse_time: 1/(1+decay t)
  double decay = 1;     ///< per epoch, inverse_time only
  double warmup_epochs = 0;
  double effort_price = 1;          ///< kappa of law effort: rate sqrt(2 (P_T - P)/kappa), at most learning_rate
  double expected_performance = 1;  ///< P_T of law effort: training accuracy expected at the end
  double momentum = 0;              ///< sgd: velocity keeps moving for unwritten weights, unwritten weights do not
  bool nesterov = false;            ///< sgd: looks ahead along the velocity (Sutskever et al., ICML 2013)
  double weight_decay = 0;          ///< L2 for sgd, decoupled for adamw and muon
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double clip = 0;  ///< largest norm of the gradient of all parameters (Pascanu et al., ICML 2013); 0: none
  MuonSpec muon;
};

/// Accuracy that ends a run, and the set it is measured on at every evaluation. Published protocols use the test set;
/// a comparison of methods must not.
struct GoalSpec {
  double accuracy = 0;  ///< 0: none
  bool on_test = false;
  int patience = 0;  ///< ends the run after so many evaluations without a better accuracy; 0: never
};

struct TrainingSpec {
  std::string title;
  DataSpec data;
  NetworkSpec network;
  OptimiserSpec optimiser;
  SelectionSpec selection;
  PlasticitySpec plasticity;
  Schedule schedule;                               ///< used where a source or law says `schedule`
  PriceList prices = builtin_prices("metabolic");  ///< what the feedback law and the energy variable use
  int batch = 32;
  double epochs = 5;                    ///< horizon in passes over the stream (positions offered, presented or not)
  std::vector<std::uint64_t> seeds{1};  ///< one replica each
  double evaluate_every = 1;            ///< epochs between evaluations
  GoalSpec goal;
  int checkpoint_seconds = 60;  ///< wall time between checkpoints, 0: none
  int record_every = 0;         ///< updates between rows of the step table, 0: none

  /// throws Error with one diagnostic per contradiction.
  void check() const;
};

/// Step size of least effort, sqrt(2 (P_T - P)/kappa): maximises int P - (kappa/2) eta^2 dt where dP/dt is proportional
/// to eta, from the constancy of the Hamiltonian and eta(T) = 0 (compare Njaradi, Carrasco-Davis, Latham & Saxe,
/// arXiv 2601.07830, 2026). 0 once the performance exceeds P_T.
double effort_rate(const OptimiserSpec& optimiser, double performance);

}  // namespace eos::theory
