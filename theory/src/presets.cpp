// The named methods of the literature as combinations of the orthogonal fields of SelectionSpec and PlasticitySpec.
#include <fmt/format.h>

#include <functional>

#include "eos/core/error.hpp"
#include "eos/theory/training_spec.hpp"

namespace eos::theory {
namespace {

template <class Spec>
struct Preset {
  const char* name;
  void (*apply)(Spec&);
};

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

const Preset<PlasticitySpec> k_plasticity[] = {
    {"all", [](PlasticitySpec&) {}},
    {"top-k",
     [](PlasticitySpec& p) {
       p.rule = WriteRule::top_k;
       p.fraction = 0.1;
     }},
    {"threshold",
     [](PlasticitySpec& p) {
       p.rule = WriteRule::threshold;
       p.theta = 2e-4;
       p.theta_exponent = 0;
     }},
    {"random",
     [](PlasticitySpec& p) {
       p.rule = WriteRule::random;
       p.fraction = 0.1;
     }},
    {"error-feedback",
     [](PlasticitySpec& p) {
       p.rule = WriteRule::threshold;
       p.accumulate = true;
     }},
    {"schedule",
     [](PlasticitySpec& p) {
       p.rule = WriteRule::top_k;
       p.fraction_source = FractionSource::schedule;
     }},
    {"schedule-feedback",
     [](PlasticitySpec& p) {
       p.rule = WriteRule::top_k;
       p.fraction_source = FractionSource::schedule;
       p.accumulate = true;
     }},
};

template <class Spec, std::size_t n>
std::vector<std::string> names(const Preset<Spec> (&presets)[n]) {
  std::vector<std::string> result;
  for (const Preset<Spec>& preset : presets) result.emplace_back(preset.name);
  return result;
}

template <class Spec, std::size_t n>
Spec find(const Preset<Spec> (&presets)[n], const std::string& method, const char* what) {
  for (const Preset<Spec>& preset : presets) {
    if (method != preset.name) continue;
    Spec spec;
    spec.method = method;
    preset.apply(spec);
    return spec;
  }
  throw core::Error("E106", fmt::format("there is no {} method '{}'", what, method),
                    core::suggest(method, names(presets)));
}

}  // namespace

SelectionSpec selection_preset(const std::string& method) { return find(k_selection, method, "selection"); }
std::vector<std::string> selection_presets() { return names(k_selection); }
PlasticitySpec plasticity_preset(const std::string& method) { return find(k_plasticity, method, "plasticity"); }
std::vector<std::string> plasticity_presets() { return names(k_plasticity); }

}  // namespace eos::theory
