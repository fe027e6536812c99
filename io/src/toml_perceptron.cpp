// Tables perceptron and perceptron.cache.
#include "eos/theory/perceptron_spec.hpp"
#include "toml_schema.hpp"
#include "toml_writer.hpp"

namespace eos::io {

namespace {

void bind_cache(Binder& t, theory::PerceptronCacheSpec& s) {
  t.choice({"variant", "",
            "none: every update is written at once; else where the threshold is looked for / what is consolidated: one "
            "synapse or all of the neuron; global-global compares the sum over all synapses"},
           s.variant, {"none", "local-local", "local-global", "global-global"});
  t.choice({"trigger", "",
            "constant: theta; adaptive: theta = scale eta sqrt(3 p/c), p the running mean of errors; clock: everything "
            "every n presentations"},
           s.trigger, {"constant", "adaptive", "clock"});
  t.numbers({"thresholds", "1", "trigger constant: theta, compared strictly; 0: no cache, 1e9: never before the end"},
            s.thresholds, k_not_negative);
  t.numbers({"scales", "1", "trigger adaptive: factors of the threshold"}, s.scales, k_positive);
  t.integers({"intervals", "presentations", "trigger clock: n; 0: the best one, 3/(2c)"}, s.intervals, k_count_or_none);
  t.numbers({"decays", "presentations", "tau of the transient part; 0: no decay"}, s.decays, k_not_negative);
  t.numbers({"maintenance", "1", "price c of |s| per presentation"}, s.maintenance, k_not_negative);
  t.number({"change_price", "1", "price b of |ds| of updates that are not consolidated at once"}, s.change_price,
           k_not_negative);
  t.integer({"window", "presentations", "over which p is averaged"}, s.window, k_count);
  t.flag({"quantised", "", "only whole multiples of theta are moved, the rest stays in s"}, s.quantised);
}

}  // namespace

void bind(Binder& b, theory::PerceptronSpec& s) {
  b.table({"perceptron", "", "online perceptrons on random patterns"}, [&](Binder& t) {
    t.note("Lists are axes: all combinations are run, each with all replicas.");
    t.text({"title", "", "one line that names the experiment in tables and pictures"}, s.title);
    t.integer({"inputs", "1", "N, without the bias"}, s.inputs, k_count);
    t.integers({"patterns", "1", "P"}, s.patterns, k_count);
    t.number({"rate", "1", "eta"}, s.rate, k_positive);
    t.integer({"max_epochs", "epochs", "a run that still errs after them has not converged"}, s.max_epochs, k_count);
    t.integer({"seed", "1", "of the first replica; the others follow"}, s.seed, k_not_negative);
    t.integer({"replicas", "1", "runs of every combination, each with its own patterns"}, s.replicas, k_count);
    t.flag({"subtract_mean", "", "the mean of all N P entries is subtracted, as in the published code"},
           s.subtract_mean);
    t.numbers({"alphas", "1", "exponents of the plasticity energy M_alpha = sum |dw|^alpha"}, s.alphas, k_not_negative);
    t.integer({"course_epochs", "epochs", "so many epochs of error rate and power are kept"}, s.course_epochs,
              k_count_or_none);
    t.table({"cache", "", "synaptic caching"}, [&](Binder& c) { bind_cache(c, s.cache); });
  });
}

std::string to_toml(const theory::PerceptronSpec& spec) {
  TomlWriter writer;
  theory::PerceptronSpec copy = spec;
  bind(writer, copy);
  return "# Perceptrons: effective configuration, defaults included. Run it with `eos train FILE`.\n" + writer.str();
}

}  // namespace eos::io
