// One training step of replicas that differ in data, rates and seeds: which rows each trains, and by which rule.
//
// Everything that distinguishes replicas lies in tables in the context's memory, and so does the number of the step, so
// the sequence of calls is the same in every step: begin_step(), forward, loss, decide_step(), backward,
// replica_update(). Statement, for replica r at step s = states[r].step of the tables:
//   begin_step   samples[r][i], labels[r][i], views[r][i] from the tables for i < rows;
//                weights[r][i] = scale (StepGate::all)
//   decide_step  kept_i = StepGate::threshold: p_true_i < tau, tau = 0: not correct; errors: not correct or
//                p_true_i < tau; ranked: among the `keep` rows of largest difficulty, ties to the earlier; certain rows
//                always.
//                weights[r][i] = kept_i ? (scale > 0 ? scale : 1 / kept) : 0. A replica updates if it trains, `kept`
//                reaches least_kept and no loss of its rows is k_diverged_loss or more, or NaN; else it rests. Ranks
//                for Mask::selection: k_l = floor(fraction_l size_l + u), u at (seed; 1, update, weight_mask, l), an
//                unbiased rounding. Then ++step.
// Shapes: R replicas, B rows, S steps, L segments of parameters. Guarantees: bit-identical everywhere. Capturable:
// nothing synchronises or allocates. Example: tests/kernels/replica_step_test.cpp.
#pragma once

#include <cstdint>

#include "eos/kernels/dropout.hpp"
#include "eos/kernels/replica_update.hpp"

namespace eos::kernels {

/// A loss this large or NaN: products of the activations overflow.
inline constexpr float k_diverged_loss = 1e30f;

/// What is fixed beforehand about one step of one replica.
struct StepControls {
  std::int32_t rows = 0;    ///< 0: the replica rests
  std::int32_t keep = 0;    ///< StepGate::ranked
  std::int32_t trains = 0;  ///< 0: rows are scored, nothing is updated
  float scale = 0;          ///< weight of a row; 0: 1 / (rows kept)
  double tau = 0;           ///< StepGate::threshold and errors
  float learning_rate = 0;
  float theta = 0;  ///< Mask::threshold
};

/// What is fixed about a replica for its whole run.
struct ReplicaConstants {
  std::uint64_t seed = 0;
  float momentum = 0, weight_decay = 0, beta1 = 0.9f, beta2 = 0.999f, epsilon = 1e-8f;
};

/// How far a replica is.
struct ReplicaState {
  std::int64_t updates = 0;   ///< since its run began
  std::int32_t step = 0;      ///< in the tables
  std::int32_t diverged = 0;  ///< it rests from here on
};

enum class StepGate { all, threshold, errors, ranked };

struct StepShape {
  int replicas = 1, rows = 0;  ///< R, B
  int steps = 0;               ///< S
  int segments = 0;            ///< L
  int labels = 1;              ///< of a row, T: sequences have one a token, and weights [R][B][T]
};

struct StepTables {
  const StepControls* controls = nullptr;       ///< [R][S]
  const std::int32_t* samples = nullptr;        ///< [R][S][B]
  const std::uint8_t* certain = nullptr;        ///< [R][S][B]; null: none
  const double* fractions = nullptr;            ///< [R][S][L] of Mask::selection; null: other masks
  const std::int32_t* labels = nullptr;         ///< of the data set
  const ReplicaConstants* constants = nullptr;  ///< [R]
  const std::uint32_t* views = nullptr;         ///< [R][S][B] for augmentation; null: none
};

/// The rows of the present step.
struct StepRows {
  std::int32_t* samples = nullptr;  ///< [R][B]
  std::int32_t* labels = nullptr;   ///< [R][B][T]
  float* weights = nullptr;         ///< [R][B][T]; StepGate::all alone takes T > 1
  DropoutDraw* draws = nullptr;     ///< [R]
  std::uint32_t* views = nullptr;   ///< [R][B]; null without a table of them
};

/// [R][B]; difficulty is what StepGate::ranked orders by.
struct StepScores {
  const float* loss = nullptr;
  const float* p_true = nullptr;
  const float* difficulty = nullptr;
  const std::uint8_t* correct = nullptr;
};

struct StepDecision {
  StepGate gate = StepGate::all;
  std::int32_t least_kept = 1;
};

/// What decide_step leaves behind.
struct StepOutcome {
  ReplicaState* states = nullptr;   ///< [R]
  ReplicaRule* rules = nullptr;     ///< [R]
  std::int64_t* ranks = nullptr;    ///< [R][L]; null without fractions
  float* losses = nullptr;          ///< [R][S][B]: what each row of each step lost
  std::int32_t* trained = nullptr;  ///< [R][S]: rows back-propagated in each step; -1: had diverged before it
};

void begin_step(const Context& context, StepShape shape, StepTables tables, StepGate gate, const ReplicaState* states,
                StepRows rows);
/// segments: of one replica. Rows beyond those of the step get weight 0.
void decide_step(const Context& context, StepShape shape, StepTables tables, Segments segments, StepDecision decision,
                 StepScores scores, StepRows rows, StepOutcome outcome);

}  // namespace eos::kernels
