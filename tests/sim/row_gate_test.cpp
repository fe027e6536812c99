// Rows left out of the backward pass of dense layers: the gradient that is left, what it costs, and the rules.
#include "../../sim/src/row_gate.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "../../sim/src/batch_form.hpp"
#include "eos/core/philox.hpp"
#include "support.hpp"

namespace eos::sim::testing {
namespace {

using theory::Architecture;
using theory::LayerKind;

std::vector<float> normals(std::size_t size, std::uint32_t stream) {
  std::vector<float> values(size);
  for (std::size_t i = 0; i < size; ++i)
    values[i] =
        static_cast<float>(core::normal_pair(7, {stream, 0, core::Purpose::test, static_cast<std::uint32_t>(i)})[0]);
  return values;
}

/// A network after a forward pass, with errors of its outputs.
struct Setting {
  static constexpr int k_rows = 3;

  kernels::Context context = kernels::Context::cpu();
  Network network;
  Activations a;
  std::vector<float> weights, errors;
  Pass pass{0, k_rows, Mode::train};

  Setting(const theory::NetworkSpec& spec, const theory::DataShape& data) : network(spec, data) {
    a = Activations(context, network, k_rows);
    weights = initial_weights(network, spec, 3);
    errors = normals(static_cast<std::size_t>(k_rows * network.predictions() * network.classes()), 2);
    std::vector<float> inputs = normals(static_cast<std::size_t>(k_rows * network.inputs()), 1);
    for (std::size_t i = 0; i < inputs.size() && data.tokens; ++i) inputs[i] = static_cast<float>(i * 5 % 11);
    context.copy_in(a.row(0, 0), inputs.data(), inputs.size() * sizeof(float));
    forward(context, network, weights.data(), a, pass);
  }

  std::vector<float> gradient(const BackwardScope& scope) {
    Backward backward(context, network, k_rows);
    std::vector<float> g(static_cast<std::size_t>(network.parameters())), dz = errors;
    backward.run(context, network, weights.data(), a, pass, dz.data(), dz.data(), g.data(), scope);
    return g;
  }
  std::vector<float> gradient(const theory::SelectionSpec& selection, std::int64_t* saved = nullptr) {
    RowGate gate(context, selection, network, k_rows, 1);
    gate.begin(1, false);
    BackwardScope scope;
    scope.rows = &gate;
    std::vector<float> g = gradient(scope);
    if (saved != nullptr) *saved = gate.saved_macs();
    return g;
  }
};

theory::NetworkSpec spec_of(Architecture kind, bool tied = false) {
  theory::NetworkSpec spec;
  spec.architecture = kind;
  const bool tokens = kind == Architecture::vit || kind == Architecture::gpt;
  if (tokens) spec.width = 16, spec.depth = 2, spec.heads = 2;
  if (kind == Architecture::cnn) spec.channels = {4, 6};
  if (kind == Architecture::mlp) spec.hidden = {9, 7};
  spec.tied = tied;
  spec.initialisation = theory::Initialisation::fan_in;
  return spec;
}

theory::DataShape data_of(Architecture kind) {
  theory::DataShape data;
  data.input = {8, 8, 1, false};
  data.outputs = 5;
  if (kind != Architecture::gpt) return data;
  data.input = {8, 1, 1, false}, data.outputs = 11, data.tokens = true;
  return data;
}

struct Case {
  const char* name;
  Architecture kind;
  bool tied = false;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class RowGates : public ::testing::TestWithParam<Case> {
 protected:
  Setting s{spec_of(GetParam().kind, GetParam().tied), data_of(GetParam().kind)};
};
INSTANTIATE_TEST_SUITE_P(Of, RowGates,
                         ::testing::Values(Case{"mlp", Architecture::mlp}, Case{"cnn", Architecture::cnn},
                                           Case{"vit", Architecture::vit}, Case{"gpt", Architecture::gpt},
                                           Case{"gpt_tied", Architecture::gpt, true}),
                         [](const auto& instance) { return instance.param.name; });

theory::SelectionSpec gated(theory::RowGate gate, double share = 1) {
  theory::SelectionSpec selection;
  selection.row_gate = gate, selection.row_share = share;
  return selection;
}

TEST_P(RowGates, that_keep_every_row_give_the_same_bits) {
  const std::vector<float> plain = s.gradient(BackwardScope{});
  EXPECT_EQ(s.gradient(gated(theory::RowGate::share)), plain);
  EXPECT_EQ(s.gradient(gated(theory::RowGate::zeros)), plain);
  EXPECT_EQ(s.gradient(gated(theory::RowGate::ratio)), plain) << "a law that has seen nothing keeps all";
  EXPECT_EQ(s.gradient(gated(theory::RowGate::drawn)), plain);
  EXPECT_EQ(s.gradient(gated(theory::RowGate::drawn_through)), plain);
}

/// What the gate stands for, written out: the errors of all but the largest rows of every dense layer become 0, and
/// every product is computed.
BackwardScope zeroing(const Network& network, double share) {
  BackwardScope scope;
  scope.errors = [&network, share](int n, float* errors) {
    const theory::Node& node = network.graph.nodes[static_cast<std::size_t>(n)];
    if (node.spec.kind != LayerKind::dense) return;
    const int tokens = node.in.sequence ? static_cast<int>(node.in.positions()) : 1, width = node.out.channels;
    const int rows = Setting::k_rows * tokens;
    std::vector<double> squares(static_cast<std::size_t>(rows), 0.0);
    for (int i = 0; i < rows * width; ++i)
      squares[static_cast<std::size_t>(i / width)] += std::pow(double{errors[i]}, 2);
    std::vector<int> order;
    for (int i = 0; i < rows; ++i) order.push_back(i);
    std::stable_sort(order.begin(), order.end(), [&](int x, int y) {
      return squares[static_cast<std::size_t>(x)] > squares[static_cast<std::size_t>(y)];
    });
    for (auto i = static_cast<std::size_t>(std::max(1L, std::lround(share * rows))); i < order.size(); ++i)
      std::fill_n(errors + order[i] * width, width, 0.0f);
  };
  return scope;
}

TEST_P(RowGates, give_the_gradient_of_errors_that_are_zero_in_other_rows) {
  for (const double share : {0.7, 0.4, 0.05}) {
    const std::vector<float> expected = s.gradient(zeroing(s.network, share));
    std::int64_t saved = 0;
    const std::vector<float> got = s.gradient(gated(theory::RowGate::share, share), &saved);
    EXPECT_GT(saved, 0);
    // A product is a chain in which zeros change nothing, so that both are equal (-0 equals 0).
    for (std::size_t i = 0; i < got.size(); ++i) ASSERT_EQ(got[i], expected[i]) << share << " at " << i;
  }
}

TEST(RowGateOfVit, leaves_out_the_tokens_that_nobody_reads_and_keeps_every_bit) {
  Setting s(spec_of(Architecture::vit), data_of(Architecture::vit));
  std::int64_t saved = 0;
  EXPECT_EQ(s.gradient(gated(theory::RowGate::zeros), &saved), s.gradient(BackwardScope{}));
  // 4 patches beside the class token. In the last block the output projection and both feed-forward layers have errors
  // at the class token alone; keys and values of all tokens have some.
  EXPECT_EQ(saved, 2 * 3 * 4 * (16 * 16 + 2 * 16 * 32));
}

TEST(RowGateOfGpt, saves_both_products_of_every_row_left_out) {
  Setting s(spec_of(Architecture::gpt), data_of(Architecture::gpt));
  std::int64_t saved = 0;
  s.gradient(gated(theory::RowGate::share, 0.25), &saved);  // 6 of 24 tokens
  EXPECT_EQ(saved, 2 * 18 * (2 * (16 * 48 + 16 * 16 + 2 * 16 * 64) + 16 * 11));
}

TEST(RowGateOfGpt, saves_what_token_selection_leaves_empty) {
  Setting s(spec_of(Architecture::gpt), data_of(Architecture::gpt));
  for (int token = 0; token < 24; token += 2) std::fill_n(s.errors.begin() + token * 11, 11, 0.0f);
  std::int64_t saved = 0;
  EXPECT_EQ(s.gradient(gated(theory::RowGate::zeros), &saved), s.gradient(BackwardScope{}));
  // The last token of a window has an error, so through the last attention every token has one below.
  EXPECT_EQ(saved, 2 * 12 * (16 * 16 + 2 * 16 * 64 + 16 * 11));
}

/// One dense layer of 4 inputs and 3 outputs, rows with errors of given sizes.
struct OneLayer {
  kernels::Context context = kernels::Context::cpu();
  theory::NetworkSpec spec;
  Network network{std::vector<int>{4, 3}};
  RowGate gate;
  Pass pass;
  std::int64_t step = 0;
  std::vector<float> x, w, dw = std::vector<float>(12), dx;

  explicit OneLayer(const theory::SelectionSpec& selection)
      : gate(context, selection, network, 64, 1), w(normals(12, 4)) {}

  /// Rows whose errors were sent down.
  std::set<int> kept(const std::vector<double>& sizes, bool whole = false) {
    const auto rows = static_cast<int>(sizes.size());
    std::vector<float> dy;
    for (const double size : sizes) dy.insert(dy.end(), {0.0f, static_cast<float>(size), 0.0f});
    x = normals(4 * sizes.size(), 3), dx.assign(x.size(), 7.0f);
    LayerCall c(context, network, network.graph.nodes[0], pass);
    c.rows = rows, c.x = x.data(), c.w = w.data(), c.dy = c.sent = dy.data(), c.dw = dw.data(), c.dx = dx.data();
    c.want_weights = c.want_inputs = true;
    gate.begin(++step, whole);
    gate.run(c);
    std::set<int> result;
    for (int i = 0; i < rows; ++i)
      if (dx[static_cast<std::size_t>(4 * i)] != 0) result.insert(i);
    EXPECT_EQ(gate.saved_macs(), 24 * (rows - static_cast<int>(result.size())));
    return result;
  }
};

TEST(RowGateByRatio, keeps_rows_whose_benefit_per_product_is_at_least_alpha_times_the_mean) {
  theory::SelectionSpec selection = gated(theory::RowGate::ratio);
  selection.ratio_alpha = 0.8;
  OneLayer layer(selection);
  double seen = 0, kept = 0, all = 0, of_kept = 0;
  for (int batch = 0; batch < 30; ++batch) {
    std::vector<double> sizes;
    for (int i = 0; i < 40; ++i) {
      const double u =
          core::uniform(9, {0, static_cast<std::uint32_t>(batch), core::Purpose::test, static_cast<std::uint32_t>(i)});
      sizes.push_back(i % 7 == 0 ? 0.0 : std::pow(u, 3.0));
    }
    // A forward product is one, a backward pass two; R of the benefit at rho of the rows.
    const double bar = seen > 0 ? 0.8 * all / seen * (of_kept / all) * 2 / (1 + kept / seen * 2) : 0;
    std::set<int> expected;
    const double f = std::exp(-40 / 16384.0);
    seen = f * seen + 40, kept *= f, all *= f, of_kept *= f;
    for (int i = 0; i < 40; ++i) {
      const double e = static_cast<float>(sizes[static_cast<std::size_t>(i)]);
      all += e;
      if (e <= bar) continue;
      expected.insert(i), kept += 1, of_kept += e;
    }
    ASSERT_EQ(layer.kept(sizes), expected) << "batch " << batch;
  }
  EXPECT_LT(kept / seen, 0.8);
}

TEST(RowGateByRatio, keeps_all_rows_with_an_error_in_phases_on_all_data) {
  theory::SelectionSpec selection = gated(theory::RowGate::ratio);
  selection.ratio_alpha = 2;
  OneLayer layer(selection);
  const std::vector<double> sizes{1, 0.01, 0, 0.5};
  layer.kept(sizes);
  EXPECT_EQ(layer.kept(sizes), (std::set<int>{0}));
  EXPECT_EQ(layer.kept(sizes, true), (std::set<int>{0, 1, 3}));
}

TEST(RowGateByRatio, goes_on_from_its_sums) {
  OneLayer one(gated(theory::RowGate::ratio)), other(gated(theory::RowGate::ratio));
  one.kept({1, 0.2, 0.3});
  other.gate.restore(one.gate.sums());
  EXPECT_EQ(one.kept({0.1, 0.2, 0.3}), other.kept({0.1, 0.2, 0.3}));
  EXPECT_EQ(one.gate.sums(), other.gate.sums());
}

TEST(RowGateByShare, prefers_the_earlier_of_equal_rows) {
  OneLayer layer(gated(theory::RowGate::share, 0.5));
  EXPECT_EQ(layer.kept({1, 2, 1, 1}), (std::set<int>{0, 1}));
  EXPECT_EQ(layer.kept({0, 0, 0, 1}), (std::set<int>{3})) << "a row without an error is never kept";
  EXPECT_EQ(layer.kept({0, 0, 0, 0}), (std::set<int>{}));
  EXPECT_EQ(layer.dw, std::vector<float>(12)) << "no row, no gradient";
}

TEST(RowGatesThatDraw, have_the_gradient_in_the_mean_and_pass_all_errors_on) {
  Setting s(spec_of(Architecture::gpt), data_of(Architecture::gpt));
  const std::vector<float> plain = s.gradient(BackwardScope{});
  RowGate gate(s.context, gated(theory::RowGate::drawn), s.network, Setting::k_rows, 1);
  BackwardScope scope;
  scope.rows = &gate;
  const int passes = 4000;
  std::vector<double> mean(plain.size(), 0.0), square(plain.size(), 0.0);
  std::int64_t saved = 0;
  for (int i = 0; i < passes; ++i) {
    gate.begin(i + 1, false);
    const std::vector<float> g = s.gradient(scope);
    for (std::size_t j = 0; j < g.size(); ++j) mean[j] += g[j], square[j] += double{g[j]} * g[j];
    saved += gate.saved_macs();
  }
  EXPECT_GT(saved, 0);
  double chi2 = 0;
  int noisy = 0;
  for (std::size_t j = 0; j < plain.size(); ++j) {
    mean[j] /= passes;
    const double variance = std::max(0.0, square[j] / passes - mean[j] * mean[j]) / passes;
    if (variance < 1e-14) continue;
    ++noisy, chi2 += (mean[j] - plain[j]) * (mean[j] - plain[j]) / variance;
  }
  ASSERT_GT(noisy, 1000);
  // Entries of a row are drawn together, so chi2 varies more than for independent ones.
  EXPECT_NEAR(chi2 / noisy, 1, 0.3);
  for (const theory::Block& block : s.network.graph.blocks) {  // norms, embedding: made from errors alone
    if (s.network.graph.nodes[static_cast<std::size_t>(block.node)].spec.kind == LayerKind::dense) continue;
    const auto at = static_cast<std::size_t>(block.offset);
    EXPECT_NEAR(mean[at], plain[at], 1e-7);
  }
}

TEST(RowGateInTraining, is_counted_in_the_ledger) {
  const TaskData data = [] {
    TaskData task = small_task(96, 64, 4);
    task.height = task.width = 8, task.channels = 1;
    return task;
  }();
  theory::TrainingSpec spec = small_spec(data);
  spec.data.name = "auto";
  spec.network = spec_of(Architecture::vit);
  const TrainResult dense = run(spec, data);
  spec.selection.row_gate = theory::RowGate::zeros;
  const TrainResult zeros = run(spec, data);
  const theory::Ledger a = dense.replicas[0].epochs.back().ledger, b = zeros.replicas[0].epochs.back().ledger;
  EXPECT_EQ(dense.replicas[0].weights, zeros.replicas[0].weights);
  EXPECT_EQ(a.backward_macs, a.samples_backward * dense.counts.backward_macs);
  EXPECT_EQ(a.backward_macs - b.backward_macs, a.samples_backward * 2 * 4 * (16 * 16 + 2 * 16 * 32));
  spec.selection.row_gate = theory::RowGate::share, spec.selection.row_share = 0.3;
  spec.selection.revision_epochs = 1;  // of three
  const theory::Ledger c = run(spec, data).replicas[0].epochs.back().ledger;
  EXPECT_LT(c.backward_macs, 0.65 * static_cast<double>(b.backward_macs));
  EXPECT_GT(c.backward_macs, 0.5 * static_cast<double>(b.backward_macs));
}

TEST(RowGateInTraining, takes_samples_where_there_are_no_tokens_also_one_at_a_time) {
  const TaskData data = small_task(60);
  theory::TrainingSpec spec = small_spec(data);
  for (const int batch : {16, 1}) {
    spec.batch = batch;
    spec.selection.row_gate = theory::RowGate::none;
    const TrainResult dense = run(spec, data);
    spec.selection.row_gate = theory::RowGate::ratio;
    const theory::Ledger l = run(spec, data).replicas[0].epochs.back().ledger;
    EXPECT_LT(l.backward_macs, dense.replicas[0].epochs.back().ledger.backward_macs) << batch;
    EXPECT_EQ(l.samples_backward, dense.replicas[0].epochs.back().ledger.samples_backward);
  }
}

TEST(RowGateInTraining, is_refused_together_with_masks_on_columns_and_in_batches_of_replicas) {
  const TaskData data = small_task(60);
  theory::TrainingSpec spec = small_spec(data);
  spec.selection = theory::selection_preset("token-ratio");
  EXPECT_EQ(reason_against_batch(spec), "rows of layers are selected by their errors");
  for (const char* method : {"group-random", "random-neurons", "path", "set"}) {
    spec.plasticity = theory::plasticity_preset(method);
    EXPECT_EQ(error_code([&] { run(spec, data); }), "E107") << method;
  }
  spec.plasticity = theory::plasticity_preset("freeze+error-feedback");
  EXPECT_EQ(error_code([&] { run(spec, data); }), "");
}

}  // namespace
}  // namespace eos::sim::testing
