#include "eos/theory/selection_spec.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "spec_checks.hpp"

namespace eos::theory {

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

double revision_length(const SelectionSpec& selection, double epochs) {
  return std::min(epochs, std::max(selection.revision_epochs, selection.revision_share * epochs));
}

}  // namespace eos::theory
