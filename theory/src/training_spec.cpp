#include "eos/theory/training_spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "checker.hpp"

namespace eos::theory {
namespace {

void check_task(const TrainingSpec& s, Checker& c) {
  c.at_least("data.train_samples", s.data.train_samples, 1);
  c.at_least("data.validation_samples", s.data.validation_samples, 0);
  c.at_least("data.test_samples", s.data.test_samples, 0);
  c.range("data.label_noise", s.data.label_noise, 0, 1, false, true);
  c.at_least("teacher.inputs", s.data.teacher.inputs, 1);
  c.at_least("teacher.classes", s.data.teacher.classes, 2);
  c.at_least("teacher.hidden", s.data.teacher.hidden, 1);
  c.at_least("teacher.margin", s.data.teacher.margin, 0);
  for (int width : s.network.hidden) {
    if (width < 1) c.add("E104", fmt::format("network.hidden contains {}; widths are >= 1", width));
  }
  c.at_least("network.init_scale", s.network.init_scale, 0, true);
}

void check_optimiser(const TrainingSpec& s, Checker& c) {
  const OptimiserSpec& o = s.optimiser;
  c.at_least("optimiser.learning_rate", o.learning_rate, 0);
  c.at_least("optimiser.decay", o.decay, 0);
  c.range("optimiser.warmup_epochs", o.warmup_epochs, 0, std::max(0.0, s.epochs));
  c.range("optimiser.momentum", o.momentum, 0, 1, false, true);
  c.at_least("optimiser.weight_decay", o.weight_decay, 0);
  c.range("optimiser.beta1", o.beta1, 0, 1, false, true);
  c.range("optimiser.beta2", o.beta2, 0, 1, false, true);
  c.at_least("optimiser.epsilon", o.epsilon, 0, true);
}

void check_selection(const TrainingSpec& s, Checker& c) {
  const SelectionSpec& d = s.selection;
  c.range("selection.tau", d.tau, 0, 1);
  c.range("selection.fraction", d.fraction, 0, 1, true);
  c.range("selection.floor", d.floor, 0, 1, true);
  c.at_least("selection.law_a", d.law_a, 0, true);
  c.at_least("selection.law_b", d.law_b, 0);
  c.at_least("selection.revision_epochs", d.revision_epochs, 0);
  c.range("selection.revision_share", d.revision_share, 0, 1);
  c.at_least("selection.start_epochs", d.start_epochs, 0);
  c.range("selection.infobatch_r", d.infobatch_r, 0, 1, false, true);
  c.at_least("selection.spaced_threshold", d.spaced_threshold, 0);
  c.range("selection.spaced_probability", d.spaced_probability, 0, 1, true);
  c.at_least("selection.ratio_alpha", d.ratio_alpha, 0);
  c.at_least("selection.ratio_exponent", d.ratio_exponent, 0, true);
  c.range("selection.minimum_kept", d.minimum_kept, 1, std::max(1, s.batch));
  for (double k : d.stored) {
    if (!(k > 0 && k <= 1)) {
      c.add("E104", fmt::format("selection.stored contains {}; keep fractions are in (0, 1]", k));
      break;
    }
  }
  if (d.two_forward && d.gate == Gate::all) {
    c.add("E107",
          "selection.two_forward scores samples in a separate forward, but selection.gate = \"all\" uses no score",
          "set two_forward = false or choose another gate");
  }
  const bool uses_fraction = d.present == Present::random || d.gate == Gate::ranked;
  if (uses_fraction && d.fraction_source == FractionSource::stored && d.stored.empty()) {
    c.add("E107", "selection.fraction_source = \"stored\" but selection.stored is empty",
          "list one keep fraction per epoch");
  }
  if (d.gate == Gate::ratio && s.prices.mac <= 0 && s.prices.scoring_mac <= 0 && s.prices.sample <= 0) {
    c.add("E107", "selection.gate = \"ratio\" weighs benefit against cost, but every presented sample is free",
          "choose a price list with mac > 0");
  }
}

void check_plasticity(const TrainingSpec& s, Checker& c) {
  const PlasticitySpec& w = s.plasticity;
  c.range("plasticity.fraction", w.fraction, 0, 1, true);
  c.at_least("plasticity.theta", w.theta, 0);
  c.at_least("plasticity.theta_exponent", w.theta_exponent, 0);
  if (w.accumulate && w.rule == WriteRule::all) {
    c.add("E107", "plasticity.accumulate keeps what is not written, but plasticity.rule = \"all\" writes everything",
          "set accumulate = false or choose another rule");
  }
  if (w.fraction_source == FractionSource::law || w.fraction_source == FractionSource::stored) {
    c.add("E107", "plasticity.fraction_source must be \"constant\" or \"schedule\"");
  }
}

void check_schedule(const TrainingSpec& s, Checker& c) {
  const bool data = (s.selection.present == Present::random || s.selection.gate == Gate::ranked) &&
                    s.selection.fraction_source == FractionSource::schedule;
  const bool weights = (s.plasticity.rule == WriteRule::top_k || s.plasticity.rule == WriteRule::random) &&
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
  check_task(*this, c);
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
  check_schedule(*this, c);
  c.finish();
}

double revision_length(const SelectionSpec& selection, double epochs) {
  return std::min(epochs, std::max(selection.revision_epochs, selection.revision_share * epochs));
}

double write_threshold(const PlasticitySpec& plasticity, double initial_rate, double rate, int batch) {
  if (initial_rate <= 0) return plasticity.theta;
  const double theta0 =
      plasticity.theta == 0 && plasticity.accumulate ? 0.13 * std::sqrt(3 * initial_rate / batch) : plasticity.theta;
  return theta0 * std::pow(rate / initial_rate, plasticity.theta_exponent);
}

}  // namespace eos::theory
