// The verbs: each takes a Session, writes its result and returns the exit code. Errors are exceptions.
#pragma once

#include "eos/theory/calibration.hpp"
#include "session.hpp"

namespace eos::cli {

int run_demo(Session& session);
int run_data(Session& session);
int run_calibrate(Session& session);
int run_plan(Session& session);
int run_train(Session& session);
int run_sweep(Session& session);
int run_compare(Session& session);
int run_merge(Session& session);
int run_evidence(Session& session);
int run_show(Session& session);
int run_check(Session& session);
int run_diff(Session& session);
int run_reproduce(Session& session);
int run_doctor(Session& session);
int run_explain(Session& session);
int run_completion(Session& session);

/// What `train` does with a file of perceptrons.
int train_perceptrons(Session& session, const std::string& out);
/// The tables of a calibration, for `calibrate` and `show`.
void add_calibration(Document& document, const theory::Calibration& calibration);

}  // namespace eos::cli
