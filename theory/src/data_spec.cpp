#include "eos/theory/data_spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "spec_checks.hpp"

namespace eos::theory {
namespace {

void check_tokens(const DataSpec& d, Checker& c) {
  c.at_least("data.sequence", d.sequence, 1);
  if (!d.is_text()) return;
  const auto refuse = [&](const char* key, bool given) {
    if (given)
      c.add("E107",
            fmt::format("data.{} is for inputs that are intensities, those of data.name = \"{}\" are tokens", key,
                        d.name),
            fmt::format("remove {}", key));
  };
  refuse("label_noise", d.label_noise > 0);
  refuse("input_noise", d.input_noise > 0);
  refuse("centred", d.centred);
  refuse("standardise", d.standardise);
  refuse("augment", d.augment.any());
}

void check_augment(const DataSpec& d, Checker& c) {
  c.range("data.augment.flip", d.augment.flip, 0, 1);
  c.at_least("data.augment.translate", d.augment.translate, 0);
  c.at_least("data.augment.cutout", d.augment.cutout, 0);
  const bool vectors = d.name == "teacher" || d.name == "gaussian" || d.name == "power-law" || d.name == "hierarchical";
  if (d.augment.any() && vectors)
    c.add("E107", fmt::format("data.augment changes images, inputs of data.name = \"{}\" are none", d.name),
          "remove it, or choose images");
}

void check_hierarchy(const HierarchySpec& h, Checker& c) {
  constexpr double k_most_tuples = 1 << 20, k_most_inputs = 1 << 20;
  c.range("data.hierarchical.classes", h.classes, 2, 256);
  c.range("data.hierarchical.vocabulary", h.vocabulary, 2, 256);
  c.at_least("data.hierarchical.synonyms", h.synonyms, 1);
  c.at_least("data.hierarchical.tuple", h.tuple, 2);
  c.at_least("data.hierarchical.levels", h.levels, 1);
  const double tuples = std::pow(h.vocabulary, h.tuple);
  if (tuples > k_most_tuples)
    c.add("E104", fmt::format("data.hierarchical.vocabulary ^ tuple = {} ^ {} exceeds {}", h.vocabulary, h.tuple,
                              k_most_tuples));
  const double rules = 1.0 * std::max(h.classes, h.levels > 1 ? h.vocabulary : 0) * h.synonyms;
  if (rules > tuples)
    c.add("E107",
          fmt::format("data.hierarchical: {} synonyms of {} symbols need {} tuples, there are vocabulary ^ tuple = {}",
                      h.synonyms, rules / h.synonyms, rules, tuples),
          fmt::format("lower synonyms or classes, or raise tuple or vocabulary"));
  if (std::pow(h.tuple, h.levels) * h.vocabulary > k_most_inputs)
    c.add("E104", fmt::format("data.hierarchical.tuple ^ levels * vocabulary = {} ^ {} * {} inputs exceed {}", h.tuple,
                              h.levels, h.vocabulary, k_most_inputs));
}

void check_generated(const DataSpec& d, Checker& c) {
  c.at_least("data.teacher.inputs", d.teacher.inputs, 1);
  c.at_least("data.teacher.classes", d.teacher.classes, 2);
  c.at_least("data.teacher.hidden", d.teacher.hidden, 1);
  c.at_least("data.teacher.margin", d.teacher.margin, 0);
  const GaussianSpec& g = d.gaussian;
  c.range("data.gaussian.inputs", g.inputs, 1, k_most_generated_inputs);
  c.at_least("data.gaussian.classes", g.classes, 2);
  c.at_least("data.gaussian.hidden", g.hidden, 0);
  c.at_least("data.gaussian.noise", g.noise, 0);
  const int rows = g.hidden > 0 ? g.hidden : g.classes;
  if (rows > g.inputs)
    c.add("E107",
          fmt::format("data.gaussian.{} = {} orthonormal rows do not fit into {} inputs",
                      g.hidden > 0 ? "hidden" : "classes", rows, g.inputs),
          "raise inputs");
  if (g.hidden > 0 && g.classes > g.hidden)
    c.add("E107", fmt::format("data.gaussian.classes = {} exceeds hidden = {}", g.classes, g.hidden), "raise hidden");
  c.range("data.power_law.inputs", d.power_law.inputs, 1, k_most_generated_inputs);
  c.at_least("data.power_law.classes", d.power_law.classes, 2);
  c.at_least("data.power_law.exponent", d.power_law.exponent, 0);
  c.at_least("data.power_law.source", d.power_law.source, 0);
  c.at_least("data.power_law.noise", d.power_law.noise, 0);
  check_hierarchy(d.hierarchical, c);
  const MarkovSpec& m = d.markov;
  c.range("data.markov.vocabulary", m.vocabulary, 2, 256);
  c.at_least("data.markov.order", m.order, 1);
  c.at_least("data.markov.concentration", m.concentration, 0, true);
  constexpr double k_most_entries = 1 << 24;
  if (std::pow(m.vocabulary, m.order + 1) > k_most_entries)
    c.add("E104",
          fmt::format("data.markov.vocabulary ^ (order + 1) = {} ^ {} transition probabilities exceed {}", m.vocabulary,
                      m.order + 1, k_most_entries),
          "lower one of the two");
}

}  // namespace

void check_data(const DataSpec& d, Checker& c) {
  c.at_least("data.train_samples", d.train_samples, 1);
  c.at_least("data.validation_samples", d.validation_samples, 0);
  c.at_least("data.test_samples", d.test_samples, 0);
  c.range("data.label_noise", d.label_noise, 0, 1, false, true);
  c.at_least("data.input_noise", d.input_noise, 0);
  check_tokens(d, c);
  check_augment(d, c);
  check_generated(d, c);
}

void DataSpec::check() const {
  Checker c;
  check_data(*this, c);
  c.finish();
}

std::uint64_t DataSpec::seed() const {
  if (name == "gaussian") return gaussian.seed;
  if (name == "power-law") return power_law.seed;
  if (name == "hierarchical") return hierarchical.seed;
  if (name == "markov") return markov.seed;
  return teacher.seed;
}

const std::vector<std::string>& data_names() {
  static const std::vector<std::string> k_names{"auto",     "fashion-mnist", "mnist",        "idx",
                                                "cifar-10", "cifar-100",     "text",         "teacher",
                                                "gaussian", "power-law",     "hierarchical", "markov"};
  return k_names;
}

}  // namespace eos::theory
