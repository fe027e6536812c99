// The named data methods of the literature as combinations of the orthogonal fields of SelectionSpec.
#include "eos/theory/selection_spec.hpp"
#include "preset_table.hpp"

namespace eos::theory {
namespace {

// Progressive data dropout: Sathiyanarayanan et al., NeurIPS 2025. tau = 0.3 in all its published commands; SRD's
// gamma = 0.95; the published runs end with one full epoch (revision). The power law is a fit of the published keep
// fractions at tau = 0.3 over 29 epochs (R^2 = 0.993). The other laws are fits to the same series.
void random_on(SelectionSpec& s, KeepLaw law, double a, double b) {
  s.present = Present::random;
  s.fraction_source = FractionSource::law;
  s.law = law, s.law_a = a, s.law_b = b;
  s.revision_epochs = 1;
}

// A source of scores alone takes the hardest half; joined with a gate it leaves the decision to that.
void scored_by(SelectionSpec& s, Score score) {
  s.score = score;
  if (s.gate != Gate::all) return;
  s.gate = Gate::ranked, s.rank_by = Difficulty::loss;
  s.fraction = 0.5;
}

const Preset<SelectionSpec> k_selection[] = {
    {"all", [](SelectionSpec&) {}},
    {"dbpd", [](SelectionSpec& s) { s.gate = Gate::threshold; }},
    {"dbpd-two-forward",
     [](SelectionSpec& s) {
       s.gate = Gate::threshold;
       s.two_forward = true;
       s.batching = Batching::shrink_mean;
       s.revision_epochs = 1;
     }},
    {"dbpd-shrink",
     [](SelectionSpec& s) {
       s.gate = Gate::threshold;
       s.batching = Batching::shrink_mean;
     }},
    {"srd", [](SelectionSpec& s) { random_on(s, KeepLaw::geometric, 0.95, 0); }},
    {"srd-floor",
     [](SelectionSpec& s) {
       random_on(s, KeepLaw::geometric, 0.95, 0);
       s.rounding = Rounding::batch_floor;
     }},
    {"smrd", [](SelectionSpec& s) { random_on(s, KeepLaw::power, 0.685, 0.595); }},
    {"power-law", [](SelectionSpec& s) { random_on(s, KeepLaw::power, 0.685, 0.595); }},
    {"inverse-linear", [](SelectionSpec& s) { random_on(s, KeepLaw::inverse_linear, 0.63, 0.29); }},
    {"log-law", [](SelectionSpec& s) { random_on(s, KeepLaw::logarithmic, 0.555, 0.151); }},
    {"inverse-log", [](SelectionSpec& s) { random_on(s, KeepLaw::inverse_logarithmic, 0.690, 1.829); }},
    {"exponential", [](SelectionSpec& s) { random_on(s, KeepLaw::exponential, 0.496, 0.0966); }},
    {"sigmoid", [](SelectionSpec& s) { random_on(s, KeepLaw::sigmoid, 0.454, 0.126); }},
    {"adaptive",
     [](SelectionSpec& s) {
       s.present = Present::random;
       s.fraction_source = FractionSource::adaptive;
       s.floor = 0.1;
       s.revision_epochs = 1;
     }},
    {"dbpd-gap", [](SelectionSpec& s) { s.gate = Gate::gap, s.margin = 0.1; }},
    {"tau-rising",
     [](SelectionSpec& s) {
       s.gate = Gate::threshold;
       s.tau_law = TauLaw::linear, s.tau = 0.1, s.tau_end = 0.9;
     }},
    {"tau-falling",
     [](SelectionSpec& s) {
       s.gate = Gate::threshold;
       s.tau_law = TauLaw::linear, s.tau = 0.9, s.tau_end = 0.1;
     }},
    {"ranked",
     [](SelectionSpec& s) {
       s.gate = Gate::ranked;
       s.fraction = 0.3;
     }},
    {"lazy", [](SelectionSpec& s) { s.gate = Gate::errors; }},
    {"lazy-margin", [](SelectionSpec& s) { s.gate = Gate::errors, s.margin = 0.5; }},
    {"infobatch",
     [](SelectionSpec& s) {
       s.present = Present::infobatch;
       s.revision_share = 0.125;
     }},
    {"kakurenbo",
     [](SelectionSpec& s) {
       s.gate = Gate::ranked, s.rank_by = Difficulty::loss, s.confidence = 0.7;
       s.score = Score::stale;
       s.fraction_source = FractionSource::milestones;
       s.rate_compensation = RateCompensation::nominal;
     }},
    {"ies", [](SelectionSpec& s) { s.gate = Gate::flat, s.score = Score::stale; }},
    {"selective-backprop", [](SelectionSpec& s) { s.gate = Gate::chance; }},
    {"stale", [](SelectionSpec& s) { scored_by(s, Score::stale), s.refresh_epochs = 3; }},
    {"shallow", [](SelectionSpec& s) { scored_by(s, Score::shallow); }},
    {"proxy", [](SelectionSpec& s) { scored_by(s, Score::proxy); }},
    {"token-zeros", [](SelectionSpec& s) { s.row_gate = RowGate::zeros; }},
    {"token-share", [](SelectionSpec& s) { s.row_gate = RowGate::share; }},
    {"token-ratio", [](SelectionSpec& s) { s.row_gate = RowGate::ratio; }},
    {"token-drawn", [](SelectionSpec& s) { s.row_gate = RowGate::drawn; }},
    {"token-drawn-through", [](SelectionSpec& s) { s.row_gate = RowGate::drawn_through; }},
    {"spaced", [](SelectionSpec& s) { s.present = Present::spaced; }},
    {"ratio", [](SelectionSpec& s) { s.gate = Gate::ratio; }},
    {"joint",
     [](SelectionSpec& s) {
       s.present = Present::spaced;
       s.gate = Gate::ratio;
     }},
    // alpha = 1/2 is derived for a gain limited by noise (docs/theory.md).
    {"derived",
     [](SelectionSpec& s) {
       s.present = Present::inspected;
       s.gate = Gate::ratio;
       s.ratio_alpha = 0.5, s.ratio_exponent = 1;
     }},
    {"schedule",
     [](SelectionSpec& s) {
       s.gate = Gate::ranked;
       s.fraction_source = FractionSource::schedule;
     }},
};

bool sets_fraction(const SelectionSpec& s) { return s.fraction_source != FractionSource::constant; }

// The gate that a source of scores brings along yields to any other.
std::string clash(const SelectionSpec& a, const SelectionSpec& b) {
  if (a.present != Present::all && b.present != Present::all) return "which samples are presented";
  if (a.score != Score::current && b.score != Score::current) return "where scores come from";
  const bool yields = a.score != Score::current || b.score != Score::current;
  if (a.gate != Gate::all && b.gate != Gate::all && !yields) return "which samples are back-propagated";
  if (a.row_gate != RowGate::none && b.row_gate != RowGate::none) return "which tokens are back-propagated";
  if (sets_fraction(a) && sets_fraction(b)) return "the fraction";
  return "";
}

}  // namespace

SelectionSpec selection_preset(const std::string& method) {
  return joined_preset(k_selection, method, "selection", clash);
}
std::vector<std::string> selection_presets() { return preset_names(k_selection); }

}  // namespace eos::theory
