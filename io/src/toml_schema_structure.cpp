// [plasticity.units], freeze, groups, growth, topology: which units, layers and connections may learn.
#include "toml_schema.hpp"

namespace eos::io {

void bind(Binder& b, theory::UnitSpec& u) {
  b.choice({"rule", "",
            "which units keep their back-propagated error: all, a random fraction for every sample, one fixed random "
            "set, one for each class, sets in turn, those with the largest |error| or |activity|"},
           u.rule, {"all", "random", "fixed", "class", "alternating", "error", "activity"});
  b.number({"fraction", "1", "of the units of each hidden layer"}, u.fraction, k_share);
  b.integer({"count", "units", "a number instead of a fraction; 0: fraction"}, u.count, k_count_or_none);
  b.number({"output_fraction", "1", "of the output units; 1: their errors are never masked"}, u.output_fraction,
           k_share);
  b.integer({"masks", "1", "sets of rule alternating"}, u.masks, k_count);
  b.flag({"smallest", "", "rules error and activity: the smallest instead, as a control"}, u.smallest);
  b.flag({"unified", "", "rules error and activity: one set a batch, ranked by sums over the batch"}, u.unified);
  b.integer({"path", "units", "plastic units of each hidden layer, in and out, whatever their errors; 0: all"}, u.path,
            k_count_or_none);
}

void bind(Binder& b, theory::FreezeSpec& f) {
  b.choice({"law", "",
            "when layers stop to learn, from the front: layer l of L at t = first + (1 - first) l/(L - 1) of the "
            "horizon; at t cubed; at given shares of the horizon; after given epochs"},
           f.law, {"never", "linear", "cubic", "shares", "epochs"});
  b.number({"first", "1", "laws linear and cubic"}, f.first, k_unit);
  b.numbers({"until", "1", "laws shares and epochs: one time a layer; layers beyond the list never freeze"}, f.until,
            k_not_negative);
}

void bind(Binder& b, theory::GrowthSpec& g) {
  b.numbers({"depths", "1", "share of the residual branches, from the input on, that each stage but the last has"},
            g.depths, k_share);
  b.numbers({"until", "1", "share of the horizon at which each of these stages ends; empty: from end"}, g.until,
            k_unit);
  b.number({"end", "1",
            "share of the horizon from which on all exist, where until is empty; the stages before it are "
            "equally long"},
           g.end, k_share);
}

void bind(Binder& b, theory::GroupSpec& g) {
  b.choice({"rule", "",
            "which groups of units get a weight gradient at an update: all, a random choice, or the next ones in turn; "
            "the gradient of the others is not computed"},
           g.rule, {"all", "random", "cyclic"});
  b.number({"fraction", "1", "of the groups of each dense or convolutional layer, at least one"}, g.fraction, k_share);
  b.integer({"width", "units", "or channels, of a group"}, g.width, k_count);
}

void bind(Binder& b, theory::TopologySpec& t) {
  b.choice({"rule", "",
            "which connections exist: all, a fixed random network, drop the smallest and grow at random or where the "
            "gradient is largest, use the largest weights and let more of them learn"},
           t.rule, {"dense", "fixed", "set", "rigl", "top-kast"});
  b.number({"density", "1", "share of weights that are used; biases always are"}, t.density, k_share);
  b.choice({"law", "", "density of layers: the same, or proportional to (in + out)/(in out)"}, t.law,
           {"uniform", "erdos-renyi"});
  b.integer({"interval", "updates", "between changes"}, t.interval, k_count);
  b.number({"drop", "1", "rules set and rigl: share dropped at first, falling as a cosine"}, t.drop, k_unit);
  b.number({"stop", "1", "rules set and rigl: share of the horizon after which nothing changes"}, t.stop, k_unit);
  b.number({"learning_density", "1", "rule top-kast: share of weights that learn, at least density"},
           t.learning_density, k_share);
  b.number(
      {"exploration", "1", "rule top-kast: L2 decay of used weights; divided by density for weights that only learn"},
      t.exploration, k_not_negative);
}

}  // namespace eos::io
