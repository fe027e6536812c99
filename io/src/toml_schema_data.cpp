// [data].
#include <algorithm>

#include "toml_schema.hpp"

namespace eos::io {
namespace {

constexpr Range k_symbols{2, 256};

void bind_counts(Binder& b, theory::DataSpec& d) {
  b.integer({"train_samples", "samples", "taken from the front of the training file"}, d.train_samples, k_count);
  b.integer({"validation_samples", "samples", "taken from its end; steers what is steered"}, d.validation_samples,
            k_count_or_none);
  b.integer({"test_samples", "samples", "from the test file; only reported"}, d.test_samples, k_count_or_none);
  b.choice({"order", "", "of the stream: a new permutation each epoch, the file's, or independent draws"}, d.order,
           {"shuffled", "file", "replacement"});
}

void bind_inputs(Binder& b, theory::DataSpec& d) {
  b.flag({"centred", "", "subtract the global mean of the training inputs from every input"}, d.centred);
  b.flag({"standardise", "", "give every channel of the training inputs mean 0 and standard deviation 1"},
         d.standardise);
  b.number({"input_noise", "1", "standard deviation of a fixed noise on every input; inputs are in [0, 1]"},
           d.input_noise, k_not_negative);
  b.number({"label_noise", "1", "share of training labels replaced by a random other class"}, d.label_noise,
           k_below_one);
  b.integer({"sequence", "tokens", "of a sample; text and markov"}, d.sequence, k_count);
  b.choice({"tokens", "", "of text: its bytes, or its distinct characters (at most 256)"}, d.tokens, {"byte", "char"});
  b.table({"augment", "", "Random changes of training images, new at every presentation"}, [&](Binder& t) {
    t.number({"flip", "1", "probability of a left-right reflection"}, d.augment.flip, k_unit);
    t.integer({"translate", "pixels", "shift by up to so many along each axis"}, d.augment.translate, k_count_or_none);
    t.integer({"cutout", "pixels", "side of a square of zeros at a random place; 0: none"}, d.augment.cutout,
              k_count_or_none);
  });
}

void bind_teachers(Binder& b, theory::DataSpec& d) {
  b.table({"teacher", "", "the generated task, for name = \"teacher\""}, [&](Binder& t) {
    t.integer({"inputs", "1", "input dimensions"}, d.teacher.inputs, k_count);
    t.integer({"classes", "1", "classes"}, d.teacher.classes, k_symbols);
    t.integer({"hidden", "1", "width of the teacher's hidden layer"}, d.teacher.hidden, k_count);
    t.number({"margin", "1", "samples with a smaller gap of the top two logits are drawn again; 0: a harder task"},
             d.teacher.margin, k_not_negative);
    t.integer({"seed", "1", "of the teacher's weights and inputs"}, d.teacher.seed, k_not_negative);
  });
  const Range inputs{1, theory::k_most_generated_inputs};
  b.table({"gaussian", "", "for name = \"gaussian\": normal inputs, labels from a linear or one-hidden-layer teacher"},
          [&](Binder& t) {
            t.integer({"inputs", "1", "input dimensions"}, d.gaussian.inputs, inputs);
            t.integer({"classes", "1", "classes: the largest of so many outputs"}, d.gaussian.classes, k_symbols);
            t.integer({"hidden", "1", "hidden units of the teacher; 0: linear"}, d.gaussian.hidden, k_count_or_none);
            t.number({"noise", "1", "standard deviation of a noise on every output, which has deviation 1"},
                     d.gaussian.noise, k_not_negative);
            t.integer({"seed", "1", "of teacher, inputs and noise"}, d.gaussian.seed, k_not_negative);
          });
  b.table(
      {"power_law", "", "for name = \"power-law\": inputs and a linear teacher with power-law spectra"},
      [&](Binder& t) {
        t.integer({"inputs", "1", "input dimensions"}, d.power_law.inputs, inputs);
        t.integer({"classes", "1", "classes: so many quantiles of the teacher's output"}, d.power_law.classes,
                  k_symbols);
        t.number({"exponent", "1", "a: eigenvalue k of the covariance is k^-a"}, d.power_law.exponent, k_not_negative);
        t.number({"source", "1", "s: share of the teacher's variance along mode k is k^-(s a + 1)"}, d.power_law.source,
                 k_not_negative);
        t.number({"noise", "1", "standard deviation of a noise on the teacher's output, which has deviation 1"},
                 d.power_law.noise, k_not_negative);
        t.integer({"seed", "1", "of modes, teacher, inputs and noise"}, d.power_law.seed, k_not_negative);
      });
}

void bind_grammars(Binder& b, theory::DataSpec& d) {
  b.table({"hierarchical", "", "for name = \"hierarchical\": the random hierarchy model (Cagnetta et al. 2024)"},
          [&](Binder& t) {
            theory::HierarchySpec& h = d.hierarchical;
            t.integer({"classes", "1", "classes"}, h.classes, k_symbols);
            t.integer({"vocabulary", "1", "symbols of every level, channels of an input"}, h.vocabulary, k_symbols);
            t.integer({"synonyms", "1", "tuples that stand for one symbol"}, h.synonyms, k_count);
            t.integer({"tuple", "1", "symbols that one symbol is rewritten as"}, h.tuple, Range{2, 20});
            t.integer({"levels", "1", "of rewriting; an input is a string of tuple^levels symbols"}, h.levels,
                      Range{1, 20});
            t.integer({"seed", "1", "of rules and samples"}, h.seed, k_not_negative);
          });
  b.table({"markov", "", "for name = \"markov\": text of a Markov chain with a known entropy rate"}, [&](Binder& t) {
    t.integer({"vocabulary", "1", "tokens"}, d.markov.vocabulary, k_symbols);
    t.integer({"order", "tokens", "that the next one depends on"}, d.markov.order, Range{1, 23});
    t.number({"concentration", "1", "of the Dirichlet distribution of transition probabilities; small: predictable"},
             d.markov.concentration, k_positive);
    t.integer({"seed", "1", "of chain and text"}, d.markov.seed, k_not_negative);
  });
}

}  // namespace

void bind_data(Binder& b, theory::DataSpec& d) {
  std::vector<std::string> names = theory::data_names();
  const auto found = std::find(names.begin(), names.end(), d.name);
  auto index = static_cast<std::size_t>(found - names.begin());
  if (found == names.end()) names.push_back(d.name);  // set by a program
  b.word({"name", "", "data set; auto: the first one found, else teacher (generated, needs no files)"}, index, names);
  d.name = names[index];
  b.path({"path", "", "folder of its files, or a text file; empty: the search path"}, d.path);
  bind_counts(b, d);
  bind_inputs(b, d);
  bind_teachers(b, d);
  bind_grammars(b, d);
}

}  // namespace eos::io
