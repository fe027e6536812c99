// Follow linear networks whose learning is sped up by costly gains ("learning effort").
//
// Gains multiply weights, w~ = w (1 + g), and the averaged gradient flow of the squared error sees the gained weights.
// With Sx = <x x'>, Sxy = <x y'>, Sy = <y y'>, E = Sxy' - W~2 W~1 Sx:
//   one layer, one weight:  w'  = (Sxy - w~ Sx)(1 + g) - lambda w,       L = (Sy - 2 Sxy w~ + Sx w~^2)/2 + lambda w^2/2
//   two layers:             W1' = (W~2' E) o (1 + g1) - lambda W1,  W2' = (E W~1') o (1 + g2) - lambda W2
//                           L   = tr(Sy - 2 Sxy W~2 W~1 + Sx (W~2 W~1)' W~2 W~1)/2 + lambda (|W1|^2 + |W2|^2)/2
// (o: element by element). A learning-rate control multiplies both updates by 1 + g instead and leaves the loss alone.
// Source: Carrasco-Davis, Masis & Saxe, arXiv:2310.19919, and the released program; linear networks:
// Saxe, McClelland & Ganguli, ICLR 2014.
#pragma once

#include <vector>

namespace eos::theory {

/// One weight: rate of change and loss at gain g.
template <class S>
S linear_unit_rate(const S& w, const S& g, const S& input_variance, const S& covariance, const S& decay) {
  const S gain = 1.0 + g;
  return (covariance - w * gain * input_variance) * gain - decay * w;
}
template <class S>
S linear_unit_loss(const S& w, const S& g, const S& input_variance, const S& covariance, const S& output_variance,
                   const S& decay) {
  const S gained = w * (1.0 + g);
  return 0.5 * (output_variance - 2.0 * covariance * gained + input_variance * gained * gained) + 0.5 * decay * w * w;
}

/// Second moments of the task and size of a two-layer linear network.
template <class S>
struct LinearNetworkTask {
  int inputs = 2, hidden = 2, outputs = 2;
  std::vector<S> input;  ///< [inputs * inputs] Sx
  std::vector<S> cross;  ///< [inputs * outputs] Sxy
  S output_trace = 1.0;  ///< tr Sy
  S decay = 0.0;         ///< lambda
};

/// Weights (or gains) of both layers.
template <class S>
struct LinearNetworkWeights {
  std::vector<S> first;   ///< [hidden * inputs] W1
  std::vector<S> second;  ///< [outputs * hidden] W2
};

namespace detail {

template <class S>
std::vector<S> gained(const std::vector<S>& w, const std::vector<S>& g) {
  std::vector<S> out;
  for (std::size_t i = 0; i < w.size(); ++i) out.push_back(w[i] * (1.0 + g[i]));
  return out;
}

/// a [rows * inner] times b [inner * columns].
template <class S>
std::vector<S> matrix_product(int rows, int inner, int columns, const std::vector<S>& a, const std::vector<S>& b) {
  std::vector<S> c;
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < columns; ++j) {
      S sum(0.0);
      for (int l = 0; l < inner; ++l) {
        sum = sum + a[static_cast<std::size_t>(i * inner + l)] * b[static_cast<std::size_t>(l * columns + j)];
      }
      c.push_back(sum);
    }
  }
  return c;
}
template <class S>
std::vector<S> transposed(int rows, int columns, const std::vector<S>& a) {
  std::vector<S> t;
  for (int j = 0; j < columns; ++j) {
    for (int i = 0; i < rows; ++i) t.push_back(a[static_cast<std::size_t>(i * columns + j)]);
  }
  return t;
}

}  // namespace detail

template <class S>
LinearNetworkWeights<S> linear_network_rates(const LinearNetworkTask<S>& task, const LinearNetworkWeights<S>& w,
                                             const LinearNetworkWeights<S>& gain) {
  const int I = task.inputs, H = task.hidden, O = task.outputs;
  const auto w1 = detail::gained(w.first, gain.first), w2 = detail::gained(w.second, gain.second);
  const auto map = detail::matrix_product(O, H, I, w2, w1);
  auto residual = detail::transposed(I, O, task.cross);
  const auto predicted = detail::matrix_product(O, I, I, map, task.input);
  for (std::size_t i = 0; i < residual.size(); ++i) residual[i] = residual[i] - predicted[i];
  LinearNetworkWeights<S> d{detail::matrix_product(H, O, I, detail::transposed(O, H, w2), residual),
                            detail::matrix_product(O, I, H, residual, detail::transposed(H, I, w1))};
  for (std::size_t i = 0; i < d.first.size(); ++i) {
    d.first[i] = d.first[i] * (1.0 + gain.first[i]) - task.decay * w.first[i];
  }
  for (std::size_t i = 0; i < d.second.size(); ++i) {
    d.second[i] = d.second[i] * (1.0 + gain.second[i]) - task.decay * w.second[i];
  }
  return d;
}

template <class S>
S linear_network_loss(const LinearNetworkTask<S>& task, const LinearNetworkWeights<S>& w,
                      const LinearNetworkWeights<S>& gain) {
  const int I = task.inputs, H = task.hidden, O = task.outputs;
  const auto map =
      detail::matrix_product(O, H, I, detail::gained(w.second, gain.second), detail::gained(w.first, gain.first));
  const auto predicted = detail::matrix_product(O, I, I, map, task.input);
  S sum = task.output_trace;
  for (int o = 0; o < O; ++o) {
    for (int i = 0; i < I; ++i) {
      const auto oi = static_cast<std::size_t>(o * I + i);
      sum = sum + map[oi] * (predicted[oi] - 2.0 * task.cross[static_cast<std::size_t>(i * O + o)]);
    }
  }
  for (const S& x : w.first) sum = sum + task.decay * x * x;
  for (const S& x : w.second) sum = sum + task.decay * x * x;
  return 0.5 * sum;
}

}  // namespace eos::theory
