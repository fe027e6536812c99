#include "eos/theory/selection_spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "spec_checks.hpp"

namespace eos::theory {

namespace {

void check_fractions(const SelectionSpec& d, Checker& c) {
  c.range("selection.fraction", d.fraction, 0, 1, true);
  c.range("selection.floor", d.floor, 0, 1, true);
  c.at_least("selection.law_a", d.law_a, 0, true);
  c.at_least("selection.law_b", d.law_b, 0);
  c.range("selection.hide", d.hide, 0, 1, false, true);
  c.range("selection.adaptive_step", d.adaptive_step, 0, 1);
  c.range("selection.adaptive_tolerance", d.adaptive_tolerance, -1, 1);
  for (double k : d.stored) {
    if (!(k > 0 && k <= 1)) {
      c.add("E104", fmt::format("selection.stored contains {}; keep fractions are in (0, 1]", k));
      break;
    }
  }
  const bool uses_fraction = d.present == Present::random || d.gate == Gate::ranked;
  if (uses_fraction && d.fraction_source == FractionSource::stored && d.stored.empty()) {
    c.add("E107", "selection.fraction_source = \"stored\" but selection.stored is empty",
          "list one keep fraction per epoch");
  }
  if (d.law == KeepLaw::inverse_logarithmic && !(d.law_b > 1))
    c.add("E104", fmt::format("selection.law_b = {} of law inverse-logarithmic must be > 1", d.law_b));
  if (d.hide_factors.size() != d.milestones.size() + 1)
    c.add("E107",
          fmt::format("selection.hide_factors has {} entries for {} milestones", d.hide_factors.size(),
                      d.milestones.size()),
          "give one factor before the first milestone and one after each");
  if (!std::is_sorted(d.milestones.begin(), d.milestones.end()))
    c.add("E104", "selection.milestones must increase: they are shares of the run");
  for (double f : d.hide_factors)
    if (!(f >= 0 && f <= 1)) c.add("E104", fmt::format("selection.hide_factors contains {}; factors are in [0, 1]", f));
}

void check_scores(const SelectionSpec& d, Checker& c) {
  c.at_least("selection.refresh_epochs", d.refresh_epochs, 1);
  c.at_least("selection.shallow_centres", d.shallow_centres, 2);
  c.at_least("selection.proxy_every", d.proxy_every, 1);
  c.at_least("selection.proxy_rate", d.proxy_rate, 0);
  for (int width : d.proxy_hidden)
    if (width < 1) c.add("E104", fmt::format("selection.proxy_hidden contains {}; widths are >= 1", width));
  const bool own_scores = d.score != Score::current;
  if (own_scores && d.gate == Gate::all)
    c.add("E107", "selection.score says where scores come from, but selection.gate = \"all\" uses none",
          "choose another gate, e.g. ranked");
  if (own_scores && (d.gate == Gate::ratio || d.two_forward))
    c.add("E107",
          d.two_forward ? "selection.two_forward scores with the network, selection.score with something else"
                        : "selection.gate = \"ratio\" weighs the network's own scores: it needs score = \"current\"",
          d.two_forward ? "set two_forward = false or score = \"current\"" : "choose gate ranked or threshold");
  if (d.score == Score::stale && d.present != Present::all)
    c.add("E107", "selection.score = \"stale\" decides what is presented, and so does selection.present",
          "set present = \"all\" or score = \"current\"");
  if (d.score == Score::shallow && (d.gate != Gate::ranked || d.confidence > 0))
    c.add("E107", "selection.score = \"shallow\" knows no labels: it orders samples and cannot say which are wrong",
          "set gate = \"ranked\" and confidence = 0");
  if (d.gate == Gate::flat && (d.score != Score::stale || d.refresh_epochs != 1))
    c.add("E107", "selection.gate = \"flat\" needs the loss of every sample in every epoch",
          "set score = \"stale\" and refresh_epochs = 1");
  const bool follows_fraction = d.present == Present::random || d.gate == Gate::ranked || d.score == Score::stale;
  if (d.rate_compensation != RateCompensation::none && !follows_fraction)
    c.add("E107", "selection.rate_compensation needs a share of the data that is hidden beforehand",
          "use it with present = \"random\", gate = \"ranked\" or score = \"stale\"");
  if (d.rate_compensation == RateCompensation::realised && d.score != Score::stale)
    c.add("E107", "selection.rate_compensation = \"realised\" needs score = \"stale\": others decide too late",
          "set rate_compensation = \"nominal\"");
}

void check_rows(const TrainingSpec& s, Checker& c) {
  c.range("selection.row_share", s.selection.row_share, 0, 1, true);
  if (s.selection.row_gate == RowGate::none) return;
  const PlasticitySpec& p = s.plasticity;
  if (p.units.rule != UnitRule::all || p.units.path > 0 || p.groups.rule != GroupRule::all ||
      p.topology.rule != TopologyRule::dense) {
    c.add("E107",
          "selection.row_gate leaves out rows of a layer's backward pass, and plasticity.units, groups or topology "
          "columns of it",
          "choose one of them");
  }
}

}  // namespace

void check_selection(const TrainingSpec& s, Checker& c) {
  const SelectionSpec& d = s.selection;
  c.range("selection.tau", d.tau, 0, 1);
  c.range("selection.tau_end", d.tau_end, 0, 1);
  c.at_least("selection.tau_steepness", d.tau_steepness, 0, true);
  c.range("selection.margin", d.margin, 0, 1);
  c.range("selection.confidence", d.confidence, 0, 1);
  c.at_least("selection.chance_power", d.chance_power, 0);
  c.at_least("selection.chance_window", d.chance_window, 1);
  c.at_least("selection.flatness", d.flatness, 0);
  c.at_least("selection.revision_epochs", d.revision_epochs, 0);
  c.range("selection.revision_share", d.revision_share, 0, 1);
  c.at_least("selection.start_epochs", d.start_epochs, 0);
  c.range("selection.infobatch_r", d.infobatch_r, 0, 1, false, true);
  c.at_least("selection.spaced_threshold", d.spaced_threshold, 0);
  c.range("selection.spaced_probability", d.spaced_probability, 0, 1, true);
  c.at_least("selection.ratio_alpha", d.ratio_alpha, 0);
  c.at_least("selection.ratio_exponent", d.ratio_exponent, 0, true);
  c.range("selection.token_share", d.token_share, 0, 1, true);
  c.range("selection.minimum_kept", d.minimum_kept, 1, std::max(1, s.batch));
  check_fractions(d, c);
  check_rows(s, c);
  check_scores(d, c);
  if (d.score == Score::shallow && s.network.hidden.empty())
    c.add("E107", "selection.score = \"shallow\" looks at the first hidden layer, but network.hidden is empty",
          "give the network a hidden layer");
  if (d.gate == Gate::gap && (s.network.loss != Loss::cross_entropy || d.score == Score::proxy))
    c.add("E107",
          "selection.gate = \"gap\" compares class probabilities of the network: it needs cross-entropy and its "
          "own scores",
          "choose another gate, or score = \"current\" or \"stale\"");
  if (d.two_forward && d.gate == Gate::all) {
    c.add("E107",
          "selection.two_forward scores samples in a separate forward, but selection.gate = \"all\" uses no score",
          "set two_forward = false or choose another gate");
  }
  if (d.present == Present::inspected && d.gate != Gate::ratio) {
    c.add(
        "E107",
        "selection.present = \"inspected\" weighs the surplus that the gate \"ratio\" measures, but selection.gate is "
        "another",
        "set gate = \"ratio\", or method = \"derived\"");
  }
  if (d.gate == Gate::ratio && s.prices.mac <= 0 && s.prices.scoring_mac <= 0 && s.prices.sample <= 0) {
    c.add("E107", "selection.gate = \"ratio\" weighs benefit against cost, but every presented sample is free",
          "choose a price list with mac > 0");
  }
}

double threshold_tau(const SelectionSpec& s, double progress) {
  const double x = std::clamp(progress, 0.0, 1.0);
  double share = 0;
  switch (s.tau_law) {
    case TauLaw::constant:
      break;
    case TauLaw::linear:
      share = x;
      break;
    case TauLaw::cosine:
      share = 0.5 * (1 - std::cos(std::numbers::pi * x));
      break;
    case TauLaw::exponential:
      share = std::expm1(-s.tau_steepness * x) / std::expm1(-s.tau_steepness);
      break;
  }
  return s.tau + (s.tau_end - s.tau) * share;
}

double milestone_fraction(const SelectionSpec& s, double progress) {
  const auto passed = std::upper_bound(s.milestones.begin(), s.milestones.end(), progress) - s.milestones.begin();
  return 1 - s.hide * s.hide_factors[static_cast<std::size_t>(passed)];
}

double adaptive_fraction(const SelectionSpec& s, double fraction, double accuracy_change, double draw) {
  const double move = s.adaptive_step * draw;
  return std::clamp(accuracy_change > s.adaptive_tolerance ? fraction - move : fraction + move, s.floor, 1.0);
}

double revision_length(const SelectionSpec& selection, double epochs) {
  return std::min(epochs, std::max(selection.revision_epochs, selection.revision_share * epochs));
}

const std::vector<double>& recorded_keep_fractions() {
  static const std::vector<double> k_recorded{.667, .461, .370, .314, .279, .250, .230, .207, .193, .182,
                                              .168, .160, .149, .146, .133, .130, .125, .117, .111, .110,
                                              .104, .099, .095, .089, .090, .087, .085, .077, .079};
  return k_recorded;
}

double dropout_cost(DropoutAccounting accounting, double epochs, double revision, double effective_epochs,
                    double backward) {
  switch (accounting) {
    case DropoutAccounting::effective_epochs:
      break;
    case DropoutAccounting::separate_forward:
      return epochs - revision + effective_epochs * (1 + backward);
    case DropoutAccounting::masked_forward:
      return epochs + effective_epochs * backward;
  }
  return effective_epochs * (1 + backward);
}

}  // namespace eos::theory
