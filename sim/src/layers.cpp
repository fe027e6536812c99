#include "layers.hpp"

#include "eos/core/error.hpp"

namespace eos::sim {

using theory::LayerKind;

const LayerFunctions& layer_functions(LayerKind kind) {
  static const LayerFunctions dense{dense_forward, dense_backward, true};
  switch (kind) {
    case LayerKind::dense:
      return dense;
    default:
      break;
  }
  throw core::Error("E901", "no kernel runs layers of kind " + theory::to_string(kind));
}

}  // namespace eos::sim
