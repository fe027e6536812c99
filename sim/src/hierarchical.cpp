// The random hierarchy model (Cagnetta, Petrini, Tomasini, Favero & Wyart, Phys. Rev. X 14, 031001, 2024).
// A class is rewritten as one of its m tuples of s symbols out of v, each of these symbols as one of its own m tuples,
// through L levels, always with equal probability. The tuples of a level are drawn at random without replacement, so no
// two symbols share one and the label follows from the input. An input is the string of s^L symbols, symbol i at height
// i as a one among the v channels (255 of 255).
#include <algorithm>
#include <numeric>

#include "generated.hpp"

namespace eos::sim {
namespace {

enum Table : std::uint32_t { k_rules = 32 };  // and one more for each level
enum Stream : std::uint32_t { k_class, k_choice };

/// The first `count` of a random permutation of 0 ... size - 1 (Fisher & Yates).
std::vector<std::uint32_t> draw_distinct(std::uint64_t seed, std::uint32_t table, std::uint32_t size,
                                         std::uint32_t count) {
  std::vector<std::uint32_t> all(size);
  std::iota(all.begin(), all.end(), 0u);
  for (std::uint32_t i = 0; i < count; ++i) {
    const core::Words w = core::draw(seed, {0, table, core::Purpose::teacher_weights, i});
    std::swap(all[i], all[i + core::uniform_int(w.v[0], size - i)]);
  }
  all.resize(count);
  return all;
}

class Grammar {
 public:
  explicit Grammar(const theory::HierarchySpec& spec) : spec_(spec) {
    std::uint32_t tuples = 1;
    for (int i = 0; i < spec.tuple; ++i) tuples *= static_cast<std::uint32_t>(spec.vocabulary);
    for (int level = 0; level < spec.levels; ++level) {
      const int symbols = level == 0 ? spec.classes : spec.vocabulary;
      rules_.push_back(draw_distinct(spec.seed, k_rules + static_cast<std::uint32_t>(level), tuples,
                                     static_cast<std::uint32_t>(symbols * spec.synonyms)));
    }
  }

  void make(const SampleDraws& draws, std::uint8_t* inputs, std::int32_t* label) const {
    const auto m = static_cast<std::uint32_t>(spec_.synonyms), v = static_cast<std::uint32_t>(spec_.vocabulary);
    const std::uint32_t drawn =
        core::uniform_int(draws.words(k_class, 0).v[0], static_cast<std::uint32_t>(spec_.classes));
    *label = static_cast<std::int32_t>(drawn);
    std::vector<std::uint32_t> symbols{drawn}, next;
    std::uint32_t choice = 0;
    for (const std::vector<std::uint32_t>& rules : rules_) {
      next.clear();
      for (const std::uint32_t symbol : symbols) {
        std::uint32_t tuple = rules[symbol * m + core::uniform_int(draws.words(k_choice, choice++).v[0], m)];
        for (int i = 0; i < spec_.tuple; ++i, tuple /= v) next.push_back(tuple % v);
      }
      symbols.swap(next);
    }
    std::fill_n(inputs, symbols.size() * v, std::uint8_t{0});
    for (std::size_t i = 0; i < symbols.size(); ++i) inputs[i * v + symbols[i]] = 255;
  }

 private:
  theory::HierarchySpec spec_;
  std::vector<std::vector<std::uint32_t>> rules_;  ///< [levels][symbol * synonyms + rule]: a tuple as digits to base v
};

}  // namespace

void generate_hierarchical(const theory::DataSpec& spec, TaskData& task) {
  const theory::HierarchySpec& h = spec.hierarchical;
  task.classes = h.classes;
  for (int level = 0; level < h.levels; ++level) task.height *= h.tuple;
  task.channels = h.vocabulary;
  task.inputs = task.height * task.channels;
  const Grammar grammar(h);
  generate_samples(spec, task, [&](const SampleDraws& draws, std::uint8_t* inputs, std::int32_t* label) {
    grammar.make(draws, inputs, label);
  });
}

}  // namespace eos::sim
