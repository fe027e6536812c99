// A multilayer perceptron in double precision whose back-propagated errors are masked, with every multiply-add counted.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <vector>

#include "eos/sim/data.hpp"

namespace eos::sim::testing {

struct MaskedNetwork {
  MaskedNetwork(std::vector<int> all_widths, const std::vector<float>& weights)
      : widths(std::move(all_widths)), w(weights.begin(), weights.end()), gradient(w.size(), 0.0) {}

  /// Which units of a level keep their error, told its errors and activities.
  std::function<std::vector<std::uint8_t>(int level, const std::vector<double>& errors,
                                          const std::vector<double>& activities)>
      set_of;
  bool needs_all_errors = false;  ///< the set is known only after all errors of a level are

  /// Adds factor times the gradient of one sample's loss.
  void add(const LabelledSet& set, int sample, double factor) {
    const std::size_t layers = widths.size() - 1;
    std::vector<std::vector<double>> y(1);
    for (int i = 0; i < widths[0]; ++i)
      y[0].push_back(set.inputs[static_cast<std::size_t>(sample * widths[0] + i)] / 255.0);
    std::vector<std::size_t> at(layers + 1, 0);
    for (std::size_t l = 0; l < layers; ++l) {
      const auto in = static_cast<std::size_t>(widths[l]), out = static_cast<std::size_t>(widths[l + 1]);
      at[l + 1] = at[l] + (in + 1) * out;
      std::vector<double> z(out);
      for (std::size_t o = 0; o < out; ++o) {
        z[o] = w[at[l] + in * out + o];
        for (std::size_t i = 0; i < in; ++i) z[o] += y[l][i] * w[at[l] + i * out + o];
        if (l + 1 < layers) z[o] = std::max(0.0, z[o]);
      }
      y.push_back(z);
    }
    std::vector<double> errors;
    double norm = 0;
    for (double z : y.back()) norm += std::exp(z);
    for (double z : y.back()) errors.push_back(factor * std::exp(z) / norm);
    errors[static_cast<std::size_t>(set.labels[static_cast<std::size_t>(sample)])] -= factor;
    for (std::size_t l = layers; l-- > 0;) {
      const auto in = static_cast<std::size_t>(widths[l]), out = static_cast<std::size_t>(widths[l + 1]);
      const auto keep = set_of(static_cast<int>(l) + 1, errors, y[l + 1]);
      std::vector<double> below(in, 0.0);
      std::vector<std::uint8_t> needed(in, 1);
      if (l > 0 && !needs_all_errors) needed = set_of(static_cast<int>(l), {}, y[l]);
      for (std::size_t o = 0; o < out; ++o) {
        if (keep[o] == 0) continue;
        gradient[at[l] + in * out + o] += errors[o];
        for (std::size_t i = 0; i < in; ++i) {
          gradient[at[l] + i * out + o] += errors[o] * y[l][i], ++macs;
          if (l > 0 && needed[i] != 0) below[i] += errors[o] * w[at[l] + i * out + o], ++macs;
        }
      }
      for (std::size_t i = 0; i < in; ++i)
        if (y[l][i] <= 0) below[i] = 0;
      errors = below;
    }
  }

  std::vector<int> widths;
  std::vector<double> w, gradient;
  std::int64_t macs = 0;
};

}  // namespace eos::sim::testing
