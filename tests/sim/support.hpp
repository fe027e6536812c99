// Small tasks, an independent double-precision network, and a progress that interrupts: shared by the tests of sim/.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "../../sim/src/stream.hpp"
#include "eos/core/error.hpp"
#include "eos/sim/train.hpp"

namespace eos::sim::testing {

/// A teacher task that trains in milliseconds.
inline TaskData small_task(int train = 200, int inputs = 12, int classes = 3) {
  theory::DataSpec spec;
  spec.name = "teacher";
  spec.train_samples = train;
  spec.validation_samples = 40;
  spec.test_samples = 40;
  spec.teacher.inputs = inputs;
  spec.teacher.classes = classes;
  spec.teacher.hidden = 8;
  return load_data(spec);
}

inline theory::TrainingSpec small_spec(const TaskData& data) {
  theory::TrainingSpec spec;
  spec.data.name = data.name;
  spec.data.train_samples = data.train.samples;
  spec.network.hidden = {10, 7};
  spec.optimiser.learning_rate = 0.2;
  spec.batch = 16;
  spec.epochs = 3;
  spec.checkpoint_seconds = 0;
  spec.prices = theory::builtin_prices("hbm2");
  return spec;
}

inline TrainResult run(const theory::TrainingSpec& spec, const TaskData& data, int threads = 1) {
  core::Progress silent;
  TrainOptions options;
  options.threads = threads;
  return train(spec, data, silent, options);
}

/// Runs `action` and returns the code of the Error it throws, "" if none.
template <class Action>
std::string error_code(Action action) {
  try {
    action();
  } catch (const core::Error& error) {
    return error.diagnostics().front().code;
  }
  return "";
}

/// Message and help of the Error that `action` throws, "" if none.
template <class Action>
std::string error_text(Action action) {
  try {
    action();
  } catch (const core::Error& error) {
    return error.diagnostics().front().message + "; help: " + error.diagnostics().front().help;
  }
  return "";
}

/// A multilayer perceptron in double precision with the loops written out: the oracle for the engine's arithmetic.
class PlainNetwork {
 public:
  PlainNetwork(std::vector<int> widths, const std::vector<float>& weights)
      : widths_(std::move(widths)), w(weights.begin(), weights.end()) {}

  /// Mean loss over the samples; gradient of sum(weight_i loss_i) * scale in `gradient`.
  double loss_and_gradient(const LabelledSet& set, const std::vector<int>& samples, const std::vector<double>& weights,
                           double scale) {
    gradient.assign(w.size(), 0.0);
    double total = 0;
    for (std::size_t s = 0; s < samples.size(); ++s) total += one(set, samples[s], weights[s] * scale);
    return total / static_cast<double>(samples.size());
  }
  std::vector<double> probabilities(const LabelledSet& set, int sample) {
    forward(set, sample);
    return softmax(activations_.back());
  }

 private:
  static std::vector<double> softmax(const std::vector<double>& z) {
    double top = z[0], sum = 0;
    for (double v : z) top = std::max(top, v);
    std::vector<double> p;
    for (double v : z) p.push_back(std::exp(v - top)), sum += p.back();
    for (double& v : p) v /= sum;
    return p;
  }
  void forward(const LabelledSet& set, int sample) {
    activations_.assign(1, {});
    for (int i = 0; i < widths_[0]; ++i)
      activations_[0].push_back(set.inputs[static_cast<std::size_t>(sample * widths_[0] + i)] / 255.0);
    std::size_t at = 0;
    for (std::size_t l = 0; l + 1 < widths_.size(); ++l) {
      const int in = widths_[l], out = widths_[l + 1];
      std::vector<double> z(static_cast<std::size_t>(out));
      for (int o = 0; o < out; ++o) {
        double sum = w[at + static_cast<std::size_t>(in * out + o)];
        for (int i = 0; i < in; ++i)
          sum += activations_[l][static_cast<std::size_t>(i)] * w[at + static_cast<std::size_t>(i * out + o)];
        z[static_cast<std::size_t>(o)] = l + 2 < widths_.size() ? std::max(0.0, sum) : sum;
      }
      activations_.push_back(z);
      at += static_cast<std::size_t>((in + 1) * out);
    }
  }
  double one(const LabelledSet& set, int sample, double factor) {
    forward(set, sample);
    const auto label = static_cast<std::size_t>(set.labels[static_cast<std::size_t>(sample)]);
    std::vector<double> dz = softmax(activations_.back());
    const double loss = -std::log(dz[label]);
    dz[label] -= 1;
    for (double& v : dz) v *= factor;
    std::size_t at = w.size();
    for (std::size_t l = widths_.size() - 1; l-- > 0;) {
      const int in = widths_[l], out = widths_[l + 1];
      at -= static_cast<std::size_t>((in + 1) * out);
      std::vector<double> dx(static_cast<std::size_t>(in), 0.0);
      for (int o = 0; o < out; ++o) {
        const double d = dz[static_cast<std::size_t>(o)];
        gradient[at + static_cast<std::size_t>(in * out + o)] += d;
        for (int i = 0; i < in; ++i) {
          const auto k = at + static_cast<std::size_t>(i * out + o);
          gradient[k] += d * activations_[l][static_cast<std::size_t>(i)];
          dx[static_cast<std::size_t>(i)] += d * w[k];
        }
      }
      for (int i = 0; i < in; ++i)
        if (activations_[l][static_cast<std::size_t>(i)] <= 0) dx[static_cast<std::size_t>(i)] = 0;
      dz = dx;
    }
    return loss;
  }

  std::vector<int> widths_;
  std::vector<std::vector<double>> activations_;

 public:
  std::vector<double> w, gradient;
};

/// Samples of the updates of a dense run, in order.
inline std::vector<std::vector<int>> dense_batches(std::uint64_t seed, int samples, int batch, int epochs) {
  std::vector<std::vector<int>> batches(1);
  for (int e = 0; e < epochs; ++e)
    for (std::int32_t s : epoch_order(seed, static_cast<std::uint32_t>(e), samples)) {
      if (static_cast<int>(batches.back().size()) == batch) batches.emplace_back();
      batches.back().push_back(s);
    }
  return batches;
}

/// Widths of the network that a spec trains on a task.
inline std::vector<int> widths_of(const theory::TrainingSpec& spec, const TaskData& data) {
  std::vector<int> widths{data.inputs};
  widths.insert(widths.end(), spec.network.hidden.begin(), spec.network.hidden.end());
  widths.push_back(data.classes);
  return widths;
}

}  // namespace eos::sim::testing
