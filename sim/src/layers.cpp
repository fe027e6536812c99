#include "layers.hpp"

#include "eos/core/error.hpp"

namespace eos::sim {

using theory::LayerKind;

const LayerFunctions& layer_functions(LayerKind kind) {
  static const LayerFunctions dense{dense_forward, dense_backward, true};
  static const LayerFunctions conv2d{conv2d_forward, conv2d_backward, true};
  static const LayerFunctions max_pool{max_pool_forward, max_pool_backward, true};
  static const LayerFunctions average_pool{average_pool_forward, average_pool_backward, true};
  static const LayerFunctions embedding{embedding_forward, embedding_backward};
  static const LayerFunctions positions{positions_forward, positions_backward};
  static const LayerFunctions class_token{class_token_forward, class_token_backward};
  static const LayerFunctions select_token{select_token_forward, select_token_backward};
  static const LayerFunctions attention{attention_forward, attention_backward};
  static const LayerFunctions batch_norm{batch_norm_forward, batch_norm_backward};
  static const LayerFunctions layer_norm{layer_norm_forward, layer_norm_backward};
  static const LayerFunctions activation{activation_forward, activation_backward};
  static const LayerFunctions dropout{dropout_forward, dropout_backward};
  static const LayerFunctions add{add_forward, nullptr};
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
    case LayerKind::embedding:
      return embedding;
    case LayerKind::positions:
      return positions;
    case LayerKind::class_token:
      return class_token;
    case LayerKind::select_token:
      return select_token;
    case LayerKind::attention:
      return attention;
    case LayerKind::batch_norm:
      return batch_norm;
    case LayerKind::layer_norm:
      return layer_norm;
    case LayerKind::activation:
      return activation;
    case LayerKind::dropout:
      return dropout;
    case LayerKind::add:
      return add;
  }
  throw core::Error("E901", "no kernel runs layers of kind " + theory::to_string(kind));
}

}  // namespace eos::sim
