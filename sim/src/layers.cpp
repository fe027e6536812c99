#include "layers.hpp"

#include "eos/core/error.hpp"

namespace eos::sim {

using theory::LayerKind;

const LayerFunctions& layer_functions(LayerKind kind) {
  static const LayerFunctions dense{dense_forward, dense_backward, true};
  static const LayerFunctions conv2d{conv2d_forward, conv2d_backward, true};
  static const LayerFunctions max_pool{max_pool_forward, max_pool_backward, true};
  static const LayerFunctions average_pool{average_pool_forward, average_pool_backward, true};
  switch (kind) {
    case LayerKind::dense:
      return dense;
    case LayerKind::conv2d:
      return conv2d;
    case LayerKind::max_pool:
    case LayerKind::global_max_pool:
      return max_pool;
    case LayerKind::average_pool:
    case LayerKind::global_average_pool:
      return average_pool;
    default:
      break;
  }
  throw core::Error("E901", "no kernel runs layers of kind " + theory::to_string(kind));
}

}  // namespace eos::sim
