#include "open_loop.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace eos::sim {

using theory::FractionSource;
using theory::RateLaw;
using theory::Rule;

theory::SelectionSpec effective_selection(const theory::TrainingSpec& spec) {
  theory::SelectionSpec s = spec.selection;
  if (s.fraction_source != FractionSource::schedule || spec.schedule.empty()) return s;
  if (s.gate != theory::Gate::ranked && s.present != theory::Present::random) return s;
  const Rule rule = spec.schedule.data_rule;
  if (s.gate == theory::Gate::ranked) s.gate = theory::Gate::all;
  if (s.present == theory::Present::random) s.present = theory::Present::all;
  if (rule == Rule::ranked) s.gate = theory::Gate::ranked;
  if (rule == Rule::random) s.present = theory::Present::random;
  return s;
}

theory::PlasticitySpec effective_plasticity(const theory::TrainingSpec& spec) {
  theory::PlasticitySpec p = spec.plasticity;
  if (p.fraction_source != FractionSource::schedule || spec.schedule.empty()) return p;
  if (p.rule != theory::WriteRule::top_k && p.rule != theory::WriteRule::random) return p;
  switch (spec.schedule.weight_rule) {
    case Rule::all:
      p.rule = theory::WriteRule::all;
      p.accumulate = false;
      break;
    case Rule::random:
      p.rule = theory::WriteRule::random;
      break;
    case Rule::ranked:
      p.rule = theory::WriteRule::top_k;
      break;
  }
  return p;
}

OpenLoop::OpenLoop(const theory::TrainingSpec& spec, int train_samples) : spec_(spec), samples_(train_samples) {
  const double n = train_samples;
  positions_ = std::max<std::int64_t>(1, std::llround(spec.epochs * n));
  start_end_ = std::llround(spec.selection.start_epochs * n);
  revision_begin_ = positions_ - std::llround(theory::revision_length(spec.selection, spec.epochs) * n);
}

double OpenLoop::law(double epoch, double progress, double performance) const {
  const double eta = spec_.optimiser.learning_rate;
  switch (spec_.optimiser.law) {
    case RateLaw::constant:
      return eta;
    case RateLaw::linear:
      return eta * std::max(0.0, 1 - progress);
    case RateLaw::cosine:
      return eta * 0.5 * (1 + std::cos(std::numbers::pi * std::min(1.0, progress)));
    case RateLaw::inverse_time:
      return eta / (1 + spec_.optimiser.decay * epoch);
    case RateLaw::schedule:
      return spec_.schedule.at(progress).learning_rate;
    case RateLaw::effort:
      return std::min(eta, theory::effort_rate(spec_.optimiser, performance));
  }
  return eta;
}

double OpenLoop::learning_rate(std::int64_t begin, std::int64_t end, double performance) const {
  const double warmup = spec_.optimiser.warmup_epochs;
  const double factor = warmup > 0 ? std::min(1.0, epoch(end) / warmup) : 1.0;
  return factor * law(epoch(begin), progress(begin), performance);
}

double OpenLoop::reference_rate() const {
  if (spec_.optimiser.law != RateLaw::schedule) return spec_.optimiser.learning_rate;
  return *std::max_element(spec_.schedule.learning_rate.begin(), spec_.schedule.learning_rate.end());
}

double OpenLoop::data_fraction(std::int64_t position) const {
  const theory::SelectionSpec& s = spec_.selection;
  const auto t = static_cast<std::size_t>(position / samples_);
  double fraction = 1;
  switch (s.fraction_source) {
    case FractionSource::constant:
      fraction = s.fraction;
      break;
    case FractionSource::law:  // a law of whole epochs, as published
      fraction = theory::keep_fraction(s.law, s.law_a, s.law_b, static_cast<double>(t), s.floor);
      break;
    case FractionSource::stored:
      fraction = s.stored.empty() ? 1.0 : s.stored[std::min(t, s.stored.size() - 1)];
      break;
    case FractionSource::schedule:
      fraction = spec_.schedule.at(progress(position)).data_fraction;
      break;
    case FractionSource::milestones:
      fraction = theory::milestone_fraction(s, progress(position));
      break;
    case FractionSource::adaptive:  // where it starts; the stream moves it
      fraction = s.fraction;
      break;
  }
  return std::clamp(fraction, s.floor, 1.0);
}

double OpenLoop::weight_fraction(std::int64_t position) const {
  const theory::PlasticitySpec& p = spec_.plasticity;
  if (p.fraction_source == FractionSource::schedule) return spec_.schedule.at(progress(position)).weight_fraction;
  return p.fraction;
}

}  // namespace eos::sim
