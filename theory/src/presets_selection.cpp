// The named data methods of the literature as combinations of the orthogonal fields of SelectionSpec.
#include "eos/theory/selection_spec.hpp"
#include "preset_table.hpp"

namespace eos::theory {
namespace {

// Progressive data dropout: Sathiyanarayanan et al., NeurIPS 2025. tau = 0.3 in all its published commands; SRD's
// gamma = 0.95; the published runs end with one full epoch (revision). The power law is a fit of the published keep
// fractions at tau = 0.3 over 29 epochs (R^2 = 0.993).
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
    {"srd",
     [](SelectionSpec& s) {
       s.present = Present::random;
       s.fraction_source = FractionSource::law;
       s.law = KeepLaw::geometric;
       s.law_a = 0.95;
       s.law_b = 0;
       s.revision_epochs = 1;
     }},
    {"smrd",
     [](SelectionSpec& s) {
       s.present = Present::random;
       s.fraction_source = FractionSource::law;
       s.revision_epochs = 1;
     }},
    {"ranked",
     [](SelectionSpec& s) {
       s.gate = Gate::ranked;
       s.fraction = 0.3;
     }},
    {"lazy", [](SelectionSpec& s) { s.gate = Gate::errors; }},
    {"infobatch",
     [](SelectionSpec& s) {
       s.present = Present::infobatch;
       s.revision_share = 0.125;
     }},
    {"spaced", [](SelectionSpec& s) { s.present = Present::spaced; }},
    {"ratio", [](SelectionSpec& s) { s.gate = Gate::ratio; }},
    {"joint",
     [](SelectionSpec& s) {
       s.present = Present::spaced;
       s.gate = Gate::ratio;
     }},
    {"schedule",
     [](SelectionSpec& s) {
       s.gate = Gate::ranked;
       s.fraction_source = FractionSource::schedule;
     }},
};

std::string clash(const SelectionSpec& a, const SelectionSpec& b) {
  if (a.present != Present::all && b.present != Present::all) return "which samples are presented";
  if (a.gate != Gate::all && b.gate != Gate::all) return "which samples are back-propagated";
  return "";
}

}  // namespace

SelectionSpec selection_preset(const std::string& method) {
  return joined_preset(k_selection, method, "selection", clash);
}
std::vector<std::string> selection_presets() { return preset_names(k_selection); }

}  // namespace eos::theory
