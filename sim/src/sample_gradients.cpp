#include "sample_gradients.hpp"

#include <algorithm>
#include <cmath>

namespace eos::sim {

SampleGradients::SampleGradients(const theory::TrainingSpec& spec, const TaskData& data, const Network& network,
                                 const std::vector<float>& weights, int capacity)
    : spec_(spec),
      network_(network),
      weights_(weights),
      capacity_(capacity),
      context_(kernels::Context::cpu()),
      inputs_(context_, spec.data, data),
      activations_(context_, network, capacity),
      backward_(context_, network, capacity) {
  const auto outputs = static_cast<std::size_t>(capacity) * static_cast<std::size_t>(network.predictions()) *
                       static_cast<std::size_t>(network.classes());
  dz_.resize(outputs);
  sent_.resize(outputs);
  part_.resize(static_cast<std::size_t>(network.parameters()));
}

void SampleGradients::forward_rows(const LabelledSet& set, const std::int32_t* samples, int rows) {
  inputs_.gather(set.inputs.data(), samples, rows, {}, activations_.row(0, 0));
  forward(context_, network_, weights_.data(), activations_, Pass{0, rows});
  const auto predictions = static_cast<std::size_t>(network_.predictions());
  labels_.clear();
  for (int i = 0; i < rows; ++i) {
    const auto first = set.labels.begin() + static_cast<std::ptrdiff_t>(samples[i]) * network_.predictions();
    labels_.insert(labels_.end(), first, first + static_cast<std::ptrdiff_t>(predictions));
  }
}

SampleGradients::Scores SampleGradients::score(const LabelledSet& set, const std::vector<std::int32_t>& samples) {
  const auto tokens = static_cast<std::size_t>(network_.predictions()),
             classes = static_cast<std::size_t>(network_.classes());
  Scores s;
  s.token_loss.resize(samples.size() * tokens);
  s.token_residual.resize(s.token_loss.size());
  s.agrees.resize(s.token_loss.size());
  for (std::size_t first = 0; first < samples.size(); first += static_cast<std::size_t>(capacity_)) {
    const std::size_t rows = std::min(static_cast<std::size_t>(capacity_), samples.size() - first);
    forward_rows(set, samples.data() + first, static_cast<int>(rows));
    const float* outputs = activations_.row(network_.nodes(), 0);
    OutputScores out;
    out.loss = s.token_loss.data() + first * tokens;
    out.residual = s.token_residual.data() + first * tokens;
    out.correct = s.agrees.data() + first * tokens;
    score_outputs(context_, spec_.network, static_cast<int>(rows * tokens), network_.classes(), outputs, labels_.data(),
                  nullptr, 1.0f, out);
    for (std::size_t i = 0; i < rows * tokens; ++i) {
      const float* z = outputs + i * classes;
      const float top = *std::max_element(z, z + classes);
      double sum = 0;
      for (std::size_t c = 0; c < classes; ++c) sum += std::exp(static_cast<double>(z[c] - top));
      s.confidence.push_back(static_cast<float>(1 / sum));
    }
  }
  for (std::size_t i = 0; i < samples.size(); ++i) {
    double loss = 0, squares = 0;
    for (std::size_t t = i * tokens; t < (i + 1) * tokens; ++t) {
      loss += s.token_loss[t];
      squares += static_cast<double>(s.token_residual[t]) * static_cast<double>(s.token_residual[t]);
    }
    s.loss.push_back(static_cast<float>(loss / static_cast<double>(tokens)));
    s.residual.push_back(static_cast<float>(std::sqrt(squares / static_cast<double>(tokens))));
  }
  return s;
}

void SampleGradients::add(const LabelledSet& set, const std::vector<std::int32_t>& samples,
                          const std::vector<float>& weight, std::vector<float>& gradient) {
  const auto tokens = static_cast<std::size_t>(network_.predictions());
  const bool apart = !spec_.network.output_slope;  // hidden layers see another error
  for (std::size_t first = 0; first < samples.size(); first += static_cast<std::size_t>(capacity_)) {
    const std::size_t rows = std::min(static_cast<std::size_t>(capacity_), samples.size() - first);
    forward_rows(set, samples.data() + first, static_cast<int>(rows));
    OutputScores out;
    out.dz = dz_.data();
    if (apart) out.sent = sent_.data();
    score_outputs(context_, spec_.network, static_cast<int>(rows * tokens), network_.classes(),
                  activations_.row(network_.nodes(), 0), labels_.data(),
                  weight.empty() ? nullptr : weight.data() + first * tokens, 1.0f / static_cast<float>(tokens), out);
    backward_.run(context_, network_, weights_.data(), activations_, Pass{0, static_cast<int>(rows)}, dz_.data(),
                  apart ? sent_.data() : dz_.data(), part_.data());
    for (std::size_t k = 0; k < part_.size(); ++k) gradient[k] += part_[k];
  }
}

}  // namespace eos::sim
