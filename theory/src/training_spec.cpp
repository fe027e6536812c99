#include "eos/theory/training_spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "checker.hpp"
#include "spec_checks.hpp"

namespace eos::theory {
namespace {

void check_goal(const TrainingSpec& s, Checker& c) {
  c.range("train.goal_accuracy", s.goal.accuracy, 0, 1);
  c.at_least("train.patience", s.goal.patience, 0);
  const bool used = s.goal.accuracy > 0 || s.goal.patience > 0;
  const int samples = s.goal.on_test ? s.data.test_samples : s.data.validation_samples;
  if (used && samples == 0) {
    c.add("E107",
          fmt::format("train.{} needs accuracies of the {} set, but data.{}_samples = 0",
                      s.goal.accuracy > 0 ? "goal_accuracy" : "patience", s.goal.on_test ? "test" : "validation",
                      s.goal.on_test ? "test" : "validation"),
          "give it samples, or set goal_on_test to use the other set");
  }
}

void check_optimiser(const TrainingSpec& s, Checker& c) {
  const OptimiserSpec& o = s.optimiser;
  c.at_least("optimiser.learning_rate", o.learning_rate, 0);
  c.at_least("optimiser.decay", o.decay, 0);
  c.range("optimiser.warmup_epochs", o.warmup_epochs, 0, std::max(0.0, s.epochs));
  c.range("optimiser.momentum", o.momentum, 0, 1, false, true);
  c.at_least("optimiser.effort_price", o.effort_price, 0, true);
  c.range("optimiser.expected_performance", o.expected_performance, 0, 1, true);
  c.at_least("optimiser.weight_decay", o.weight_decay, 0);
  c.range("optimiser.beta1", o.beta1, 0, 1, false, true);
  c.range("optimiser.beta2", o.beta2, 0, 1, false, true);
  c.at_least("optimiser.epsilon", o.epsilon, 0, true);
  c.at_least("optimiser.clip", o.clip, 0);
  c.range("optimiser.muon.momentum", o.muon.momentum, 0, 1, false, true);
  c.range("optimiser.muon.steps", o.muon.steps, 1, 99);
  c.at_least("optimiser.muon.rest_rate", o.muon.rest_rate, 0);
  if (o.muon.rest == OptimiserKind::muon) {
    c.add("E107", "optimiser.muon.rest must be \"adamw\" or \"sgd\": it moves what Muon leaves out");
  }
  if (o.nesterov && o.momentum == 0) {
    c.add("E107", "optimiser.nesterov = true looks ahead along a velocity, but optimiser.momentum = 0",
          "set momentum, e.g. 0.9");
  }
  const bool velocity =
      o.kind == OptimiserKind::sgd || (o.kind == OptimiserKind::muon && o.muon.rest == OptimiserKind::sgd);
  if (o.nesterov && !velocity) {
    c.add("E107", "optimiser.nesterov = true needs kind = \"sgd\"",
          o.kind == OptimiserKind::muon ? "set optimiser.muon.nesterov" : "remove it");
  }
}

void check_schedule(const TrainingSpec& s, Checker& c) {
  const bool data = (s.selection.present == Present::random || s.selection.gate == Gate::ranked) &&
                    s.selection.fraction_source == FractionSource::schedule;
  const bool weights = (s.plasticity.rule == WriteRule::top_k || s.plasticity.rule == WriteRule::random ||
                        s.plasticity.rule == WriteRule::fixed) &&
                       s.plasticity.fraction_source == FractionSource::schedule;
  const bool rate = s.optimiser.law == RateLaw::schedule;
  if (!s.schedule.empty()) {
    try {
      s.schedule.check();
    } catch (const core::Error& error) {
      c.adopt(error);
    }
  } else if (data || weights || rate) {
    c.add("E502",
          fmt::format("{} follows a schedule, but none was given",
                      data ? "selection" : (weights ? "plasticity" : "optimiser.law")),
          "make one with `eos plan` and name its file, or choose another method");
  }
  if (rate && !s.schedule.empty() && s.schedule.learning_rate.empty()) {
    c.add("E502", "optimiser.law = \"schedule\", but the schedule has no learning rates");
  }
}

}  // namespace

void TrainingSpec::check() const {
  Checker c;
  check_data(data, c);
  check_network(*this, c);
  c.at_least("batch", batch, 1);
  c.at_least("epochs", epochs, 0, true);
  c.at_least("evaluate_every", evaluate_every, 0, true);
  c.at_least("checkpoint_seconds", checkpoint_seconds, 0);
  c.at_least("record_every", record_every, 0);
  if (seeds.empty()) c.add("E107", "seeds is empty", "give at least one, e.g. seeds = [1]");
  if (std::set<std::uint64_t>(seeds.begin(), seeds.end()).size() != seeds.size()) {
    c.add("E107", "seeds contains the same seed twice", "equal seeds give equal runs; remove the duplicate");
  }
  check_optimiser(*this, c);
  check_selection(*this, c);
  check_plasticity(*this, c);
  check_structure(*this, c);
  check_schedule(*this, c);
  check_goal(*this, c);
  c.finish();
}

double effort_rate(const OptimiserSpec& optimiser, double performance) {
  return std::sqrt(2 * std::max(0.0, optimiser.expected_performance - performance) / optimiser.effort_price);
}

}  // namespace eos::theory
