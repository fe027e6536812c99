// Reading what was written gives the same value, for any value that passes its own checks.
#include <fmt/format.h>

#include <cmath>

#include "eos/core/philox.hpp"
#include "eos/io/toml.hpp"
#include "support.hpp"

namespace {

using eos::io::parse_problem;
using eos::io::parse_training;
using eos::io::to_toml;
using eos::io::testing::check_property;
using namespace eos::theory;

/// A double with a random mantissa in [low, high].
double between(double low, double high) {
  const auto words = *rc::gen::arbitrary<std::uint32_t>();
  return low + (high - low) * eos::core::uniform(words, {words, 7, eos::core::Purpose::test, 0});
}
/// Many orders of magnitude.
double positive() { return std::exp(between(-60, 15)); }
int whole(int low, int high) { return *rc::gen::inRange(low, high + 1); }
template <class Enum>
Enum any_of(int count) {
  return static_cast<Enum>(whole(0, count - 1));
}
bool coin() { return whole(0, 1) == 1; }
std::string any_text() {
  return *rc::gen::container<std::string>(
      rc::gen::element('a', 'Z', ' ', '"', '\\', '\n', '\t', '\x01', '#', '=', '\'', '.'));
}

std::vector<double> any_list(int size, double low, double high) {
  std::vector<double> list;
  for (int i = 0; i < size; ++i) list.push_back(between(low, high));
  return list;
}

CaptureCurve any_curve() {
  switch (whole(0, 3)) {
    case 0:
      return CaptureCurve::linear();
    case 1:
      return CaptureCurve::gaussian();
    case 2:
      return CaptureCurve::laplace();
    default:
      break;
  }
  std::vector<double> u, f;
  const int n = whole(1, 30);
  for (int i = 1; i <= n; ++i) u.push_back((i - 0.5 * between(0, 1)) / n), f.push_back(std::sqrt(u.back()));
  return CaptureCurve::tabulated(u, f);
}

Schedule any_schedule() {
  Schedule s;
  const int n = whole(1, 40);
  for (int i = 0; i <= n; ++i) s.edges.push_back(static_cast<double>(i) / n);
  s.data_fraction = any_list(n, 1e-3, 1);
  s.weight_fraction = any_list(n, 1e-3, 1);
  s.learning_rate = any_list(n, 0, 1);
  s.data_rule = any_of<Rule>(3), s.weight_rule = any_of<Rule>(3);
  s.epochs = between(0, 10);
  s.origin = any_text();
  return s;
}

std::uint64_t any_seed() { return *rc::gen::inRange<std::uint64_t>(0, std::uint64_t{1} << 62); }

DataSpec any_data() {
  DataSpec d;
  d.path = "a folder/é";
  d.name = *rc::gen::elementOf(data_names());
  d.train_samples = whole(1, 2000000000);
  d.sequence = whole(1, 5000), d.tokens = any_of<TextTokens>(2);
  d.order = any_of<Order>(3);
  if (!d.is_text()) {
    d.centred = coin(), d.standardise = coin();
    d.input_noise = positive(), d.label_noise = between(0, 0.99);
  }
  if (d.name == "cifar-10") d.augment = {between(0, 1), whole(0, 8), whole(0, 16)};
  d.teacher.seed = any_seed(), d.teacher.margin = positive();
  d.gaussian = {whole(30, 100), whole(2, 10), whole(10, 30), positive(), any_seed()};
  d.power_law = {whole(1, 4096), whole(2, 20), positive(), positive(), positive(), any_seed()};
  d.hierarchical = {whole(2, 10), whole(4, 10), whole(1, 8), whole(3, 4), whole(1, 5), any_seed()};
  d.markov = {whole(2, 64), whole(1, 3), positive(), any_seed()};
  return d;
}

LayerSpec any_layer() {
  LayerSpec l;
  l.kind = any_of<LayerKind>(16), l.name = any_text(), l.from = any_text();
  const bool weights = l.kind == LayerKind::dense || l.kind == LayerKind::conv2d;
  const bool windows =
      l.kind == LayerKind::conv2d || l.kind == LayerKind::max_pool || l.kind == LayerKind::average_pool;
  if (weights || l.kind == LayerKind::embedding) l.width = whole(0, 999), l.gain = positive();
  if (weights) l.biases = coin(), l.activation = any_of<Activation>(6), l.leak = between(0, 0.99);
  if (windows) l.kernel = whole(1, 9), l.stride = whole(1, 9), l.padding = whole(-1, 9);
  if (l.kind == LayerKind::conv2d) l.pool = whole(0, 2);
  if (l.kind == LayerKind::add || l.kind == LayerKind::dense) l.with = any_text();
  if (l.kind == LayerKind::embedding) l.vocabulary = whole(0, 999);
  if (l.kind == LayerKind::attention) l.heads = whole(1, 99), l.causal = coin();
  if (l.kind == LayerKind::dropout) l.rate = between(0, 0.99);
  return l;
}

/// Another architecture, if the methods of the run allow it. Images get a data set whose shape is in its files.
void any_architecture(TrainingSpec& s) {
  NetworkSpec& n = s.network;
  if (n.loss == Loss::cross_entropy) n.label_smoothing = between(0, 0.99);
  const bool chain = s.plasticity.units.rule != UnitRule::all || s.plasticity.units.path > 0 ||
                     s.plasticity.topology.rule != TopologyRule::dense || s.selection.score == Score::shallow;
  const bool text = s.data.is_text();
  if (chain && text) s.data.name = "idx";
  if (chain || (!text && coin())) return;
  NetworkSpec other;
  other.loss = n.loss, other.target_low = n.target_low, other.target_high = n.target_high;
  other.label_smoothing = n.label_smoothing, other.initialisation = n.initialisation, other.init_scale = n.init_scale;
  other.architecture = text ? Architecture::gpt : any_of<Architecture>(6);
  if (!text) s.data.name = "idx";
  if (!text && other.architecture == Architecture::gpt) other.architecture = Architecture::vit;
  const auto is = [&](Architecture a) { return other.architecture == a; };
  if (is(Architecture::cnn) || is(Architecture::resnet)) {
    for (int i = whole(0, 4); i > 0; --i) other.channels.push_back(whole(1, 500));
    other.activation = any_of<Activation>(6), other.leak = between(0, 0.99);
  }
  if (is(Architecture::vit)) other.patch = whole(1, 20);
  if (is(Architecture::vit) || is(Architecture::gpt)) {
    other.heads = whole(1, 8), other.width = other.heads * whole(1, 100), other.depth = whole(1, 9);
    other.feedforward = whole(0, 500), other.dropout = between(0, 0.99);
  }
  if (is(Architecture::gpt)) other.tied = coin();
  if (is(Architecture::layers)) {
    for (int i = whole(1, 9); i > 0; --i) other.layers.push_back(any_layer());
  }
  n = other;
}

TrainingSpec any_spec() {
  TrainingSpec s;
  s.title = any_text();
  s.data = any_data();
  s.network.hidden = *rc::gen::container<std::vector<int>>(rc::gen::inRange(1, 5000));
  s.network.init_scale = positive();
  s.network.activation = any_of<Activation>(5), s.network.leak = between(0, 0.99);
  s.network.loss = any_of<Loss>(2), s.network.initialisation = any_of<Initialisation>(3);
  if (s.network.loss == Loss::squared) s.network.output = Activation::logistic, s.network.output_slope = coin();
  s.network.target_low = between(-1, 0), s.network.target_high = positive();
  s.network.biases = coin(), s.network.random_biases = s.network.biases && coin();
  s.optimiser.kind = any_of<OptimiserKind>(3), s.optimiser.law = any_of<RateLaw>(6);
  s.optimiser.learning_rate = positive(), s.optimiser.decay = positive(), s.optimiser.warmup_epochs = 0.1;
  s.optimiser.effort_price = positive(), s.optimiser.expected_performance = between(1e-3, 1);
  s.optimiser.momentum = between(0, 0.99), s.optimiser.weight_decay = positive();
  s.optimiser.nesterov = s.optimiser.kind == OptimiserKind::sgd && s.optimiser.momentum > 0 && coin();
  s.optimiser.clip = coin() ? 0 : positive();
  s.optimiser.muon = {between(0, 0.99), coin(), whole(1, 99), coin(), coin(), any_of<OptimiserKind>(2), positive()};
  s.optimiser.beta1 = between(0, 0.99), s.optimiser.beta2 = between(0, 0.99), s.optimiser.epsilon = positive();
  s.goal.accuracy = between(0, 1), s.goal.on_test = coin(), s.goal.patience = whole(0, 5);
  s.selection = selection_preset(*rc::gen::elementOf(selection_presets()));
  if (s.selection.score == Score::shallow) s.network.hidden.push_back(7);  // it looks at the first hidden layer
  if (s.selection.gate == Gate::gap)  // of class probabilities: softmax outputs alone have them
    s.network.loss = Loss::cross_entropy, s.network.output = Activation::identity, s.network.output_slope = true;
  s.selection.tau = between(0, 1);
  s.selection.law = any_of<KeepLaw>(8);
  s.selection.law_b = 1.01 + positive();  // one law needs b > 1
  s.selection.tau_law = any_of<TauLaw>(4), s.selection.tau_end = between(0, 1);
  s.selection.milestones = {0.25, 0.5}, s.selection.hide_factors = {1, between(0, 1), 0.5};
  s.selection.proxy_hidden = *rc::gen::container<std::vector<int>>(rc::gen::inRange(1, 5000));
  s.selection.stored = any_list(whole(1, 40), 1e-3, 1);
  s.selection.revision_share = between(0, 1);
  s.selection.spaced_relative = coin();
  s.plasticity = plasticity_preset(*rc::gen::elementOf(plasticity_presets()));
  s.plasticity.theta = positive(), s.plasticity.depth_share = between(0, 1);
  s.selection.row_share = between(1e-3, 1);
  const bool by_columns = s.plasticity.units.rule != UnitRule::all || s.plasticity.units.path > 0 ||
                          s.plasticity.groups.rule != GroupRule::all ||
                          s.plasticity.topology.rule != TopologyRule::dense;
  if (by_columns) s.selection.row_gate = RowGate::none;  // these exclude each other
  any_architecture(s);
  s.schedule = any_schedule();
  s.prices.name = any_text(), s.prices.title = any_text();
  s.prices.mac = positive(), s.prices.write = positive();
  s.batch = whole(1, 1000), s.epochs = 1 + positive(), s.evaluate_every = positive();
  s.record_every = whole(0, 100), s.checkpoint_seconds = whole(0, 100);
  s.seeds.clear();
  const auto first = *rc::gen::inRange<std::uint64_t>(0, std::uint64_t{1} << 62);
  for (int i = 0; i < whole(1, 5); ++i) s.seeds.push_back(first + static_cast<std::uint64_t>(i));
  return s;
}

TEST(TomlRoundTrip, any_run_reads_back_equal) {
  check_property("parse_training(to_toml(spec)) == spec", [] {
    const TrainingSpec s = any_spec();
    s.check();
    const std::string text = to_toml(s);
    const TrainingSpec back = parse_training(text, "again.toml");
    RC_ASSERT(to_toml(back) == text);
    // to_toml writes every field, so equal text is equal value; a few fields directly, against an error common to both
    RC_ASSERT(back.seeds == s.seeds);
    RC_ASSERT(back.optimiser.learning_rate == s.optimiser.learning_rate);
    RC_ASSERT(back.optimiser.muon.rest_rate == s.optimiser.muon.rest_rate);
    RC_ASSERT(back.schedule.data_fraction == s.schedule.data_fraction);
    RC_ASSERT(back.selection.gate == s.selection.gate);
    RC_ASSERT(back.plasticity.accumulate == s.plasticity.accumulate);
    RC_ASSERT(back.network.hidden == s.network.hidden);
    RC_ASSERT(back.title == s.title);
  });
}

TEST(TomlRoundTrip, any_problem_reads_back_equal) {
  check_property("parse_problem(to_toml(problem)) == problem", [] {
    ModeProblem p;
    p.title = any_text();
    const int n = whole(1, 60);
    for (int i = 0; i < n; ++i) p.lambda.push_back(positive()), p.initial.push_back(positive());
    if (coin()) p.multiplicity = any_list(n, 0.5, 100);
    p.batch = positive(), p.noise_variance = positive(), p.noise_scale = positive(), p.loss_offset = between(-3, 3);
    p.horizon = positive(), p.intervals = whole(1, 1000), p.terminal_weight = positive(), p.running_weight = positive();
    p.price_time = positive(), p.price_screening = positive(), p.price_sample = positive(), p.price_write = positive();
    p.price_path = positive();
    p.rebatched = coin(), p.accumulated = coin();
    p.horizon_epochs = positive(), p.full_data_start = between(0, 0.4), p.full_data_end = between(0, 0.4);
    p.accumulated_path = any_curve();
    p.data_rule = any_of<Rule>(3), p.weight_rule = any_of<Rule>(3);
    p.data_signal = any_curve(), p.data_noise = any_curve(), p.weight_capture = any_curve();
    p.data_bounds = {between(1e-6, 0.4), between(0.5, 1)}, p.rate_bounds = {between(0, 0.1), between(0.2, 5)};
    p.discretisation.scheme = any_of<eos::theory::Scheme>(2);  // the recursion needs whole steps
    p.discretisation.steps = 2 * whole(1, 30), p.discretisation.rest_intervals = whole(-1, 0);
    const std::string text = to_toml(p);
    const ModeProblem back = parse_problem(text, "again.toml");
    RC_ASSERT(back.discretisation.scheme == p.discretisation.scheme);
    RC_ASSERT(back.discretisation.steps == p.discretisation.steps);
    RC_ASSERT(back.discretisation.rest_intervals == p.discretisation.rest_intervals);
    RC_ASSERT(to_toml(back) == text);
    RC_ASSERT(back.lambda == p.lambda);
    RC_ASSERT(back.initial == p.initial);
    RC_ASSERT(back.multiplicity == p.multiplicity);
    RC_ASSERT(back.data_noise.fractions() == p.data_noise.fractions());
    RC_ASSERT(back.data_noise.captured() == p.data_noise.captured());
    RC_ASSERT(back.accumulated_path.captured() == p.accumulated_path.captured());
    RC_ASSERT(back.full_data_end == p.full_data_end);
    RC_ASSERT(back.horizon == p.horizon);
    RC_ASSERT(back.rate_bounds.upper == p.rate_bounds.upper);
  });
}

TEST(TomlRoundTrip, what_toml_cannot_hold_is_refused_when_writing) {
  TrainingSpec s;
  s.seeds = {UINT64_MAX};
  EXPECT_EQ(eos::io::testing::code_of([&] { to_toml(s); }), "E104");
  ModeProblem p;
  p.lambda = p.initial = {1};
  p.loss_offset = std::nan("");
  EXPECT_EQ(eos::io::testing::code_of([&] { to_toml(p); }), "E104");
}

}  // namespace
