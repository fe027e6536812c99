// The named weight methods of the literature as combinations of the orthogonal fields of PlasticitySpec.
#include "eos/theory/plasticity_spec.hpp"
#include "preset_table.hpp"

namespace eos::theory {
namespace {

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

std::string clash(const PlasticitySpec& a, const PlasticitySpec& b) {
  if (a.rule != WriteRule::all && b.rule != WriteRule::all) return "which weights are written";
  return "";
}

}  // namespace

PlasticitySpec plasticity_preset(const std::string& method) {
  return joined_preset(k_plasticity, method, "plasticity", clash);
}
std::vector<std::string> plasticity_presets() { return preset_names(k_plasticity); }

}  // namespace eos::theory
