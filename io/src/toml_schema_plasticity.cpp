// [plasticity]: which weights are written.
#include "toml_schema.hpp"

namespace eos::io {

void bind(Binder& b, theory::PlasticitySpec& p) {
  b.choice(
      {"rule", "", "which weights are written: all, the largest fraction per layer, above theta, a random fraction"},
      p.rule, {"all", "top-k", "threshold", "random"});
  b.flag({"accumulate", "", "error feedback: what is not written stays in an accumulator"}, p.accumulate);
  std::size_t source = p.fraction_source == theory::FractionSource::schedule ? 1 : 0;  // the only two for weights
  b.word({"fraction_source", "", "where the fraction of rules top-k and random comes from"}, source,
         {"constant", "schedule"});
  p.fraction_source = source == 1 ? theory::FractionSource::schedule : theory::FractionSource::constant;
  b.number({"fraction", "1", "fraction_source constant"}, p.fraction, k_share);
  b.number({"theta", "1", "rule threshold, at the first learning rate; 0 with accumulate: 0.13 sqrt(3 eta / batch)"},
           p.theta, k_not_negative);
  b.number({"theta_exponent", "1", "theta follows the learning rate to this power"}, p.theta_exponent, k_not_negative);
}

}  // namespace eos::io
