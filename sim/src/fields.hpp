// The columns of ledgers and rows, named once: the result table and checkpoints both go through these lists.
#pragma once

#include <string>
#include <vector>

#include "eos/core/dataset.hpp"
#include "eos/sim/train.hpp"

namespace eos::sim {

/// Calls visit(name, member, units, long_name) for every count of a Ledger.
template <class Visit>
void visit_ledger_fields(Visit visit) {
  using L = theory::Ledger;
  visit("samples_offered", &L::samples_offered, "1", "positions of the data stream passed, presented or not");
  visit("samples_seen", &L::samples_seen, "1", "samples forwarded, each presentation counts");
  visit("samples_backward", &L::samples_backward, "1", "samples back-propagated");
  visit("steps", &L::steps, "1", "optimiser updates");
  visit("forward_macs", &L::forward_macs, "1", "multiply-adds of forwards whose activations a backward pass used");
  visit("scoring_macs", &L::scoring_macs, "1", "multiply-adds of all other forwards of training");
  visit("backward_macs", &L::backward_macs, "1", "multiply-adds of backward passes");
  visit("writes", &L::writes, "1", "M_0: parameters whose stored value changed");
  visit("path_length", &L::path_length, "1", "M_1: sum of |change| of the weights");
  visit("path_squared", &L::path_squared, "1", "M_2: sum of squared changes of the weights");
  visit("transient_path", &L::transient_path, "1", "sum of |change| of the transient parts of weights");
  visit("accumulator_updates", &L::accumulator_updates, "1", "words added to an accumulator or a transient part");
  visit("maintenance", &L::maintenance, "1", "sum of |transient weight| over presentations");
  visit("weight_reads", &L::weight_reads, "1", "parameter words read, once per forward or backward chunk and update");
  visit("input_bytes", &L::input_bytes, "1", "bytes of input data loaded");
}

/// The measurements of an EpochRow, without its ledger and its wall time.
template <class Visit>
void visit_epoch_fields(Visit visit) {
  using R = EpochRow;
  visit("epoch", &R::epoch, "1", "stream positions offered per training sample");
  visit("step", &R::step, "1", "optimiser updates");
  visit("train_loss", &R::train_loss, "1",
        "mean loss over samples forwarded since the last row; cross-entropy in nats");
  visit("validation_loss", &R::validation_loss, "1", "mean loss on validation data; cross-entropy in nats");
  visit("validation_accuracy", &R::validation_accuracy, "1", "share of validation samples classified correctly");
  visit("test_loss", &R::test_loss, "1", "mean loss on test data; cross-entropy in nats");
  visit("test_accuracy", &R::test_accuracy, "1", "share of test samples classified correctly; only reported");
  visit("data_fraction", &R::data_fraction, "1", "samples kept for back-propagation / samples seen since the last row");
  visit("present_fraction", &R::present_fraction, "1", "samples seen / positions offered since the last row");
  visit("weight_fraction", &R::weight_fraction, "1", "writes / (updates x parameters) since the last row");
  visit("learning_rate", &R::learning_rate, "1", "learning rate of the last update");
  visit("direct_writes", &R::direct_writes, "1", "parameters that differ from their initial value");
  visit("direct_path", &R::direct_path, "1", "M_min: sum of |w - w(0)|");
}

template <class Visit>
void visit_step_fields(Visit visit) {
  using R = StepRow;
  visit("step", &R::step, "1", "optimiser updates");
  visit("epoch", &R::epoch, "1", "stream positions offered per training sample");
  visit("learning_rate", &R::learning_rate, "1", "learning rate of this update");
  visit("loss", &R::loss, "1", "mean loss over the samples of this update; cross-entropy in nats");
  visit("data_fraction", &R::data_fraction, "1", "samples kept / samples seen since the last row");
  visit("weight_fraction", &R::weight_fraction, "1", "writes / (updates x parameters) since the last row");
  visit("theta", &R::theta, "1", "write threshold on |update| or |accumulator|");
  visit("cache_theta", &R::cache_theta, "1", "consolidation threshold on |transient part|, of the first layer");
}

/// One field of all rows.
template <class Row, class Field>
std::vector<Field> column(const std::vector<Row>& rows, Field Row::*member) {
  std::vector<Field> values;
  values.reserve(rows.size());
  for (const Row& row : rows) values.push_back(row.*member);
  return values;
}

}  // namespace eos::sim
