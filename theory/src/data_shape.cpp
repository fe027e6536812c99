#include "eos/theory/data_shape.hpp"

namespace eos::theory {

std::optional<DataShape> known_shape(const DataSpec& d) {
  const auto vectors = [](int inputs, int classes) { return DataShape{{1, 1, inputs, false}, classes, false}; };
  const auto images = [](int side, int channels, int classes) {
    return DataShape{{side, side, channels, false}, classes, false};
  };
  const auto tokens = [&](int vocabulary) { return DataShape{{d.sequence, 1, 1, false}, vocabulary, true}; };
  if (d.name == "mnist" || d.name == "fashion-mnist") return images(28, 1, 10);
  if (d.name == "cifar-10") return images(32, 3, 10);
  if (d.name == "cifar-100") return images(32, 3, 100);
  if (d.name == "text" && d.tokens == TextTokens::byte) return tokens(256);
  if (d.name == "markov") return tokens(d.markov.vocabulary);
  if (d.name == "teacher") return vectors(d.teacher.inputs, d.teacher.classes);
  if (d.name == "gaussian") return vectors(d.gaussian.inputs, d.gaussian.classes);
  if (d.name == "power-law") return vectors(d.power_law.inputs, d.power_law.classes);
  return std::nullopt;
}

}  // namespace eos::theory
