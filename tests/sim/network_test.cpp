// Networks of the plasticity literature: other units, losses, starts and streams, against loops in double precision.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <set>

#include "../../sim/src/replica.hpp"
#include "support.hpp"

namespace eos::sim::testing {
namespace {

using theory::Activation;
using theory::Loss;

/// A network of one hidden layer as its authors write it down: out-major matrices, one sample at a time.
struct OneHiddenLayer {
  const theory::NetworkSpec& spec;
  int inputs, hidden, classes;
  std::vector<std::vector<double>> v, u;  // v[h][i], u[c][h]; the last column is the bias, if there is one

  OneHiddenLayer(const theory::NetworkSpec& s, const Network& layout, const std::vector<float>& w)
      : spec(s), inputs(layout.widths[0]), hidden(layout.widths[1]), classes(layout.widths[2]) {
    const auto read = [&](int layer, int in, int out) {
      std::vector<std::vector<double>> m(static_cast<std::size_t>(out));
      for (int o = 0; o < out; ++o)
        for (int i = 0; i < in + (s.biases ? 1 : 0); ++i)
          m[o].push_back(w[static_cast<std::size_t>(layout.offsets[layer] + std::int64_t{i} * out + o)]);
      return m;
    };
    v = read(0, inputs, hidden), u = read(1, hidden, classes);
  }
  double act(Activation kind, double z) const {
    if (kind == Activation::relu) return std::max(z, 0.0);
    if (kind == Activation::leaky_relu) return z > 0 ? z : spec.leak * z;
    if (kind == Activation::logistic) return 1 / (1 + std::exp(-z));
    return kind == Activation::tanh ? std::tanh(z) : z;
  }
  double slope(Activation kind, double z) const {
    const double h = 1e-6;
    return (act(kind, z + h) - act(kind, z - h)) / (2 * h);
  }
  static double weighted(const std::vector<double>& row, const std::vector<double>& x) {
    double sum = row.size() > x.size() ? row.back() : 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) sum += row[i] * x[i];
    return sum;
  }
  /// One online step of plain descent; returns the loss before it.
  double learn(const std::vector<double>& x, int label, double eta) {
    std::vector<double> zh(hidden), h(hidden), z(classes), y(classes), dz(classes), sent(classes);
    for (int j = 0; j < hidden; ++j) zh[j] = weighted(v[j], x), h[j] = act(spec.activation, zh[j]);
    for (int c = 0; c < classes; ++c) z[c] = weighted(u[c], h), y[c] = act(spec.output, z[c]);
    double loss = 0, norm = 0;
    for (int c = 0; c < classes; ++c) norm += std::exp(z[c]);
    for (int c = 0; c < classes; ++c) {
      const bool right = c == label;
      if (spec.loss == Loss::cross_entropy) {
        const double p = std::exp(z[c]) / norm;
        dz[c] = sent[c] = p - right;
        if (right) loss = -std::log(p);
      } else {
        const double error = y[c] - (right ? spec.target_high : spec.target_low);
        loss += error * error / 2;
        dz[c] = error * slope(spec.output, z[c]);
        sent[c] = spec.output_slope ? dz[c] : error;
      }
    }
    std::vector<double> back(hidden, 0.0);
    for (int j = 0; j < hidden; ++j) {
      for (int c = 0; c < classes; ++c) back[j] += u[c][j] * sent[c];
      back[j] *= slope(spec.activation, zh[j]);
    }
    const auto write = [&](std::vector<double>& row, const std::vector<double>& from, double error) {
      for (std::size_t i = 0; i < row.size(); ++i) row[i] -= eta * error * (i < from.size() ? from[i] : 1.0);
    };
    for (int c = 0; c < classes; ++c) write(u[c], h, dz[c]);
    for (int j = 0; j < hidden; ++j) write(v[j], x, back[j]);
    return loss;
  }
};

theory::TrainingSpec online(const TaskData& data) {
  theory::TrainingSpec spec = small_spec(data);
  spec.network.hidden = {9};
  spec.batch = 1;
  spec.epochs = 2;
  spec.record_every = 1;
  spec.data.order = theory::Order::file;
  spec.optimiser.law = theory::RateLaw::constant;
  spec.optimiser.learning_rate = 0.1;
  return spec;
}

void expect_same_course(const theory::TrainingSpec& spec, const TaskData& data) {
  const TrainResult result = run(spec, data);
  const Network layout({data.inputs, 9, data.classes}, spec.network);
  OneHiddenLayer net(spec.network, layout, initial_weights(layout, spec.network, 1));
  std::vector<double> x(static_cast<std::size_t>(data.inputs));
  std::size_t step = 0;
  for (int epoch = 0; epoch < 2; ++epoch)
    for (int s = 0; s < data.train.samples; ++s, ++step) {
      for (int i = 0; i < data.inputs; ++i)
        x[static_cast<std::size_t>(i)] = data.train.inputs[static_cast<std::size_t>(s * data.inputs + i)] / 255.0;
      const double loss = net.learn(x, data.train.labels[static_cast<std::size_t>(s)], 0.1);
      ASSERT_NEAR(result.replicas[0].steps[step].loss, loss, 2e-4 * (1 + loss)) << "step " << step;
    }
  const std::vector<float>& w = result.replicas[0].weights;
  for (int j = 0; j < 9; ++j)
    for (std::size_t i = 0; i < net.v[0].size(); ++i) EXPECT_NEAR(w[i * 9 + j], net.v[j][i], 2e-4);
}

TEST(NetworkKinds, program_of_li_and_van_rossum_without_and_with_the_slope_of_the_outputs) {
  const TaskData data = small_task(60);
  theory::TrainingSpec spec = online(data);
  theory::NetworkSpec& n = spec.network;
  n.activation = n.output = Activation::logistic;
  n.loss = Loss::squared, n.target_low = 0.01, n.target_high = 0.99;
  n.biases = false, n.initialisation = theory::Initialisation::normal, n.init_scale = 0.3;
  n.output_slope = false;
  expect_same_course(spec, data);
  n.output_slope = true;
  expect_same_course(spec, data);
}

TEST(NetworkKinds, program_of_van_rossum_and_pache) {
  const TaskData data = small_task(60);
  theory::TrainingSpec spec = online(data);
  theory::NetworkSpec& n = spec.network;
  n.activation = Activation::leaky_relu, n.loss = Loss::squared;
  n.initialisation = theory::Initialisation::normal, n.init_scale = 0.2, n.random_biases = true;
  expect_same_course(spec, data);
}

TEST(NetworkKinds, softmax_networks_with_tanh_units_and_fan_in_weights) {
  const TaskData data = small_task(60);
  theory::TrainingSpec spec = online(data);
  spec.network.activation = Activation::tanh;
  spec.network.initialisation = theory::Initialisation::fan_in;
  expect_same_course(spec, data);
}

TEST(NetworkKinds, centred_inputs_leave_no_synapse_unwritten) {
  // A first step writes weight (i, j) unless input i is zero: with a shift and noise none is.
  TaskData data = small_task(60);
  for (std::size_t i = 0; i < data.train.inputs.size(); i += 2) data.train.inputs[i] = 0;
  theory::TrainingSpec spec = online(data);
  spec.network.activation = Activation::leaky_relu, spec.network.loss = Loss::squared;
  const auto writes = [&] { return run(spec, data).replicas[0].epochs.back().ledger.writes; };
  const std::int64_t all = 120 * (13 * 9 + 10 * 3), plain = writes();
  EXPECT_LT(plain, all * 6 / 10);
  spec.data.centred = true;
  spec.data.input_noise = 1e-3;
  EXPECT_GT(writes(), all * 99 / 100) << "a few changes are lost to rounding";
}

TEST(NetworkKinds, input_noise_belongs_to_the_data_and_not_to_the_run) {
  theory::DataSpec spec;
  spec.name = "gaussian", spec.train_samples = 300, spec.test_samples = 10;
  const TaskData data = load_data(spec);
  spec.input_noise = 0.25;
  const kernels::Context context = kernels::Context::cpu();
  const auto noise = [&](std::uint64_t data_seed, std::uint64_t run_seed) {
    theory::DataSpec noisy = spec, clean = spec;
    noisy.gaussian.seed = data_seed, clean.input_noise = 0;
    const std::vector<std::int32_t> index{0, 1, 299};
    std::vector<float> with(3 * static_cast<std::size_t>(data.inputs)), without(with.size());
    InputMap(context, noisy, data).gather(data.train.inputs.data(), index.data(), 3, {nullptr, run_seed}, with.data());
    InputMap(context, clean, data)
        .gather(data.train.inputs.data(), index.data(), 3, {nullptr, run_seed}, without.data());
    for (std::size_t i = 0; i < with.size(); ++i) with[i] -= without[i];
    return with;
  };
  EXPECT_EQ(noise(1, 1), noise(1, 2)) << "runs of several seeds learn the same inputs";
  EXPECT_NE(noise(1, 1), noise(2, 1));
  double squares = 0;
  const std::vector<float> values = noise(1, 1);
  for (const float v : values) squares += double{v} * v;
  // The mean of n squared normals has the relative deviation sqrt(2/n); 5 of them.
  const double n = static_cast<double>(values.size());
  EXPECT_NEAR(squares / n / 0.0625, 1, 5 * std::sqrt(2 / n));
}

TEST(NetworkKinds, a_kept_batch_collects_the_errors_that_hidden_layers_see) {
  // Collected batches score their rows again or carry them along; both ways must send the same errors down.
  const TaskData data = small_task(64);
  theory::TrainingSpec spec = online(data);
  spec.batch = 16;
  theory::NetworkSpec& n = spec.network;
  n.activation = n.output = Activation::logistic, n.loss = Loss::squared, n.output_slope = false;
  const TrainResult all = run(spec, data);
  spec.selection = theory::selection_preset("dbpd");
  spec.selection.tau = 1;  // keeps every sample, through the gate
  const TrainResult gated = run(spec, data);
  EXPECT_EQ(all.replicas[0].weights, gated.replicas[0].weights);
}

TEST(NetworkKinds, without_biases_nothing_else_is_written_or_counted) {
  const TaskData data = small_task(40);
  theory::TrainingSpec spec = online(data);
  spec.network.biases = false;
  const TrainResult result = run(spec, data);
  EXPECT_EQ(result.counts.parameters, 12 * 9 + 9 * 3);
  EXPECT_EQ(result.replicas[0].weights.size(), 12u * 9 + 9 * 3);
  const auto& rows = result.replicas[0].epochs;
  EXPECT_LE(rows.back().ledger.writes, rows.back().ledger.steps * (12 * 9 + 9 * 3));
}

TEST(NetworkKinds, initial_weights_have_the_stated_deviations) {
  theory::NetworkSpec n;
  const std::vector<int> widths{400, 300, 10};
  const auto deviation = [&](theory::Initialisation kind) {
    n.initialisation = kind, n.init_scale = 0.5;
    const Network layout(widths, n);
    const std::vector<float> w = initial_weights(layout, n, 7);
    double sum = 0;
    for (int i = 0; i < 400 * 300; ++i) sum += double{w[static_cast<std::size_t>(i)]} * w[static_cast<std::size_t>(i)];
    return std::sqrt(sum / (400 * 300));
  };
  // 120 000 draws: relative standard error 0.2 %.
  EXPECT_NEAR(deviation(theory::Initialisation::he) / (0.5 * std::sqrt(2.0 / 400)), 1, 0.01);
  EXPECT_NEAR(deviation(theory::Initialisation::fan_in) / (0.5 * std::sqrt(1.0 / 400)), 1, 0.01);
  EXPECT_NEAR(deviation(theory::Initialisation::normal) / 0.5, 1, 0.01);
  const Network layout(widths, n);
  const auto bias = static_cast<std::size_t>(layout.bias_offset(0));
  EXPECT_EQ(initial_weights(layout, n, 7)[bias], 0.0f);
  n.random_biases = true;
  EXPECT_NE(initial_weights(layout, n, 7)[bias], 0.0f);
}

TEST(StreamOrder, draws_with_replacement_cover_what_chance_says) {
  const auto draws = epoch_draws(3, 0, 10000);
  const std::set<std::int32_t> seen(draws.begin(), draws.end());
  EXPECT_GE(*seen.begin(), 0);
  EXPECT_LT(*seen.rbegin(), 10000);
  // n draws from n: a share 1 - 1/e is seen; standard deviation sqrt((e^-1 - 2 e^-2) n) = 31.
  EXPECT_NEAR(static_cast<double>(seen.size()), 10000 * (1 - std::exp(-1.0)), 5 * 31);
  EXPECT_NE(epoch_draws(3, 1, 10000), draws);
}

TEST(Goal, ends_a_run_at_the_first_evaluation_that_reaches_it) {
  const TaskData data = small_task(400);
  theory::TrainingSpec spec = small_spec(data);
  spec.epochs = 20, spec.evaluate_every = 0.25;
  const TrainResult whole = run(spec, data);
  const auto& rows = whole.replicas[0].epochs;
  EXPECT_EQ(whole.replicas[0].status, RunStatus::complete);
  const double goal = rows[rows.size() / 2].validation_accuracy;
  std::size_t first = 0;
  while (rows[first].validation_accuracy < goal) ++first;
  spec.goal.accuracy = goal;
  const TrainResult ended = run(spec, data);
  ASSERT_EQ(ended.replicas[0].epochs.size(), first + 1);
  EXPECT_EQ(ended.replicas[0].status, RunStatus::goal);
  EXPECT_EQ(ended.replicas[0].epochs.back().ledger.writes, rows[first].ledger.writes);
  spec.goal.accuracy = 0, spec.goal.patience = 3;
  const TrainResult patient = run(spec, data);
  EXPECT_EQ(patient.replicas[0].status, RunStatus::no_improvement);
  const auto& p = patient.replicas[0].epochs;
  double best = 0;
  for (std::size_t i = 0; i + 3 < p.size(); ++i) best = std::max(best, p[i].validation_accuracy);
  for (std::size_t i = p.size() - 3; i < p.size(); ++i) EXPECT_LE(p[i].validation_accuracy, best);
}

TEST(DirectCosts, are_the_straight_way_between_first_and_last_weights) {
  const TaskData data = small_task(80);
  theory::TrainingSpec spec = online(data);
  spec.plasticity = theory::plasticity_preset("top-k");
  const ReplicaResult r = run(spec, data).replicas[0];
  const Network layout({data.inputs, 9, data.classes});
  const std::vector<float> start = initial_weights(layout, spec.network, 1);
  double path = 0, writes = 0;
  for (std::size_t i = 0; i < start.size(); ++i)
    path += std::abs(double{r.weights[i]} - start[i]), writes += r.weights[i] != start[i];
  EXPECT_DOUBLE_EQ(r.epochs.back().direct_path, path);
  EXPECT_EQ(r.epochs.back().direct_writes, writes);
  EXPECT_EQ(r.direct[0].writes + r.direct[1].writes, static_cast<std::int64_t>(writes));
  EXPECT_GE(r.epochs.back().ledger.path_length, path) << "no way is shorter than the straight one";
}

TEST(EffortRate, follows_the_distance_to_the_expected_performance) {
  theory::OptimiserSpec o;
  o.effort_price = 2, o.expected_performance = 0.9;
  EXPECT_DOUBLE_EQ(theory::effort_rate(o, 0.5), std::sqrt(2 * 0.4 / 2));
  EXPECT_EQ(theory::effort_rate(o, 0.95), 0);
  const TaskData data = small_task(200);
  theory::TrainingSpec spec = online(data);
  spec.optimiser.law = theory::RateLaw::effort;
  spec.optimiser.learning_rate = 0.1, spec.optimiser.effort_price = 200, spec.optimiser.expected_performance = 1;
  const auto steps = run(spec, data).replicas[0].steps;
  EXPECT_NEAR(steps.front().learning_rate, 0.1, 1e-3) << "nothing is known to be right yet";
  EXPECT_LT(steps.back().learning_rate, steps.front().learning_rate);
}

}  // namespace
}  // namespace eos::sim::testing
