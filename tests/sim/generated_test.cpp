// Generated tasks against the laws that they are drawn from.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "eos/sim/data.hpp"
#include "support.hpp"

namespace eos::sim::testing {
namespace {

constexpr double k_pi = 3.14159265358979323846;

theory::DataSpec spec_of(const std::string& name, int train, int test = 10) {
  theory::DataSpec spec;
  spec.name = name;
  spec.train_samples = train, spec.validation_samples = 10, spec.test_samples = test;
  return spec;
}

/// Coordinates of sample i before they became bytes, in units of 32 bytes.
std::vector<double> coordinates(const TaskData& task, const LabelledSet& set, int i) {
  const auto n = static_cast<std::size_t>(task.inputs);
  std::vector<double> x(n);
  for (std::size_t j = 0; j < n; ++j) x[j] = (set.inputs[static_cast<std::size_t>(i) * n + j] - 127.5) / 32;
  return x;
}

std::vector<double> class_shares(const TaskData& task) {
  std::vector<double> shares(static_cast<std::size_t>(task.classes), 0.0);
  for (const std::int32_t label : task.train.labels)
    shares[static_cast<std::size_t>(label)] += 1.0 / static_cast<double>(task.train.labels.size());
  return shares;
}

/// Every class has the share 1 / classes, within 5 standard deviations of a binomial.
void expect_balanced(const TaskData& task) {
  const double p = 1.0 / task.classes, deviation = std::sqrt(p * (1 - p) / task.train.samples);
  for (const double share : class_shares(task)) EXPECT_NEAR(share, p, 5 * deviation) << task.name;
}

TEST(Generated, samples_depend_on_seed_and_place_alone) {
  for (const char* name : {"gaussian", "power-law", "hierarchical", "markov"}) {
    theory::DataSpec spec = spec_of(name, 40, 40);
    spec.validation_samples = 40, spec.sequence = 30;
    const TaskData few = load_data(spec);
    spec.train_samples = 70;
    const TaskData many = load_data(spec);
    EXPECT_EQ(few.origin, "generated");
    EXPECT_TRUE(std::equal(few.train.inputs.begin(), few.train.inputs.end(), many.train.inputs.begin())) << name;
    EXPECT_TRUE(std::equal(few.train.labels.begin(), few.train.labels.end(), many.train.labels.begin())) << name;
    EXPECT_EQ(few.test.inputs, many.test.inputs) << name;
    EXPECT_NE(few.test.inputs, few.validation.inputs) << name;
    EXPECT_NE(few.train.inputs, few.validation.inputs) << name;
    spec.gaussian.seed = spec.power_law.seed = spec.hierarchical.seed = spec.markov.seed = 2;
    EXPECT_NE(load_data(spec).train.inputs, many.train.inputs) << name;
    EXPECT_EQ(few.inputs, few.height * few.width * few.channels) << name;
    EXPECT_EQ(few.train.inputs.size(), 40u * static_cast<std::size_t>(few.inputs)) << name;
    EXPECT_EQ(few.train.labels.size(), 40u * static_cast<std::size_t>(few.labels_per_sample)) << name;
  }
}

TEST(Generated, label_noise_is_that_of_files_and_tokens_refuse_it) {
  for (const char* name : {"gaussian", "power-law", "hierarchical"}) {
    theory::DataSpec spec = spec_of(name, 400);
    const TaskData clean = load_data(spec);
    spec.label_noise = 0.25;
    const TaskData noisy = load_data(spec);
    int changed = 0;
    for (std::size_t i = 0; i < 400; ++i) changed += noisy.train.labels[i] != clean.train.labels[i];
    EXPECT_NEAR(changed, 100, 5 * std::sqrt(400 * 0.25 * 0.75)) << name;  // 5 s.d. of a binomial
    EXPECT_EQ(noisy.test.labels, clean.test.labels) << name;
  }
  theory::DataSpec spec = spec_of("markov", 10);
  const auto refused = [&](auto change) {
    theory::DataSpec changed = spec;
    change(changed);
    return error_code([&] { load_data(changed); });
  };
  EXPECT_EQ(refused([](theory::DataSpec& d) { d.label_noise = 0.1; }), "E107");
  EXPECT_EQ(refused([](theory::DataSpec& d) { d.input_noise = 0.1; }), "E107");
  EXPECT_EQ(refused([](theory::DataSpec& d) { d.centred = true; }), "E107");
  EXPECT_EQ(refused([](theory::DataSpec& d) { d.standardise = true; }), "E107");
  EXPECT_EQ(refused([](theory::DataSpec& d) { d.augment.flip = 0.5; }), "E107");
}

TEST(Gaussian, inputs_are_independent_standard_normals) {
  theory::DataSpec spec = spec_of("gaussian", 20000);
  spec.gaussian.inputs = 6;
  const TaskData task = load_data(spec);
  std::vector<double> mean(6, 0.0), product(36, 0.0);
  for (int i = 0; i < task.train.samples; ++i) {
    const std::vector<double> x = coordinates(task, task.train, i);
    for (std::size_t j = 0; j < 6; ++j) {
      mean[j] += x[j] / task.train.samples;
      for (std::size_t k = 0; k < 6; ++k) product[6 * j + k] += x[j] * x[k] / task.train.samples;
    }
  }
  const double deviation = 1 / std::sqrt(20000.0);
  for (std::size_t j = 0; j < 6; ++j) {
    EXPECT_NEAR(mean[j], 0, 5 * deviation);
    for (std::size_t k = 0; k < 6; ++k)
      EXPECT_NEAR(product[6 * j + k], j == k ? 1 : 0, 5 * deviation * (j == k ? std::sqrt(2.0) : 1));
  }
}

TEST(Gaussian, classes_are_equally_probable) {
  theory::DataSpec spec = spec_of("gaussian", 10000);
  spec.gaussian = {20, 5, 0, 0, 3};
  expect_balanced(load_data(spec));
  spec.gaussian = {20, 2, 4, 0.2, 3};
  expect_balanced(load_data(spec));
}

// Output noise of deviation s turns the field of two linear classes into one with the overlap 1 / sqrt(1 + s^2); two
// fields with the overlap R have different signs with probability acos(R) / pi.
TEST(Gaussian, noise_changes_the_share_of_labels_that_the_overlap_predicts) {
  theory::DataSpec spec = spec_of("gaussian", 20000);
  const TaskData clean = load_data(spec);
  spec.gaussian.noise = 0.5;
  const TaskData noisy = load_data(spec);
  EXPECT_EQ(clean.train.inputs, noisy.train.inputs);
  double changed = 0;
  for (std::size_t i = 0; i < 20000; ++i) changed += clean.train.labels[i] != noisy.train.labels[i];
  const double expected = std::acos(1 / std::sqrt(1.25)) / k_pi;
  EXPECT_NEAR(changed / 20000, expected, 5 * std::sqrt(expected * (1 - expected) / 20000));
}

/// Test error of the Hebb rule w = sum y x on two classes.
double hebb_error(const TaskData& task) {
  std::vector<double> w(static_cast<std::size_t>(task.inputs), 0.0);
  const auto sign = [](std::int32_t label) { return label == 0 ? 1.0 : -1.0; };
  for (int i = 0; i < task.train.samples; ++i) {
    const std::vector<double> x = coordinates(task, task.train, i);
    for (std::size_t j = 0; j < w.size(); ++j) w[j] += sign(task.train.labels[static_cast<std::size_t>(i)]) * x[j];
  }
  double wrong = 0;
  for (int i = 0; i < task.test.samples; ++i) {
    const std::vector<double> x = coordinates(task, task.test, i);
    const double field = std::inner_product(x.begin(), x.end(), w.begin(), 0.0);
    wrong += field * sign(task.test.labels[static_cast<std::size_t>(i)]) < 0;
  }
  return wrong / task.test.samples;
}

// Engel & Van den Broeck, Statistical Mechanics of Learning (2001), section 1.4: a perceptron that learns alpha N
// examples of a perceptron by the Hebb rule reaches R = sqrt(2 alpha / (2 alpha + pi)) and the error acos(R) / pi.
TEST(Gaussian, a_hebbian_student_generalises_as_statistical_mechanics_says) {
  theory::DataSpec spec = spec_of("gaussian", 1000, 20000);
  spec.gaussian.inputs = 200;
  const double alpha = 5, expected = std::acos(std::sqrt(2 * alpha / (2 * alpha + k_pi))) / k_pi;
  // Relative fluctuations of the overlap at N = 200 are about 1 / sqrt(N), those of the error as large.
  EXPECT_NEAR(hebb_error(load_data(spec)), expected, 3 * expected / std::sqrt(200.0));
}

/// Eigenvalues of a symmetric matrix, largest first, with eigenvectors as rows: Jacobi rotations.
std::pair<std::vector<double>, std::vector<double>> eigen(std::vector<double> a, std::size_t n) {
  std::vector<double> v(n * n, 0.0);
  for (std::size_t i = 0; i < n; ++i) v[i * n + i] = 1;
  for (int sweep = 0; sweep < 30; ++sweep) {
    for (std::size_t p = 0; p < n; ++p) {
      for (std::size_t q = p + 1; q < n; ++q) {
        if (a[p * n + q] == 0) continue;
        const double angle = 0.5 * std::atan2(2 * a[p * n + q], a[q * n + q] - a[p * n + p]);
        const double c = std::cos(angle), s = std::sin(angle);
        for (std::size_t k = 0; k < n; ++k) {
          const double x = a[k * n + p], y = a[k * n + q];
          a[k * n + p] = c * x - s * y, a[k * n + q] = s * x + c * y;
        }
        for (std::size_t k = 0; k < n; ++k) {
          const double x = a[p * n + k], y = a[q * n + k];
          a[p * n + k] = c * x - s * y, a[q * n + k] = s * x + c * y;
          const double g = v[p * n + k], h = v[q * n + k];
          v[p * n + k] = c * g - s * h, v[q * n + k] = s * g + c * h;
        }
      }
    }
  }
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return a[i * n + i] > a[j * n + j]; });
  std::vector<double> values, vectors;
  for (const std::size_t i : order) {
    values.push_back(a[i * n + i]);
    vectors.insert(vectors.end(), v.begin() + static_cast<std::ptrdiff_t>(i * n),
                   v.begin() + static_cast<std::ptrdiff_t>((i + 1) * n));
  }
  return {values, vectors};
}

/// Slope of ln y over ln k, k = 1 ... size.
double slope(const std::vector<double>& y) {
  double sx = 0, sy = 0, sxx = 0, sxy = 0;
  const auto n = static_cast<double>(y.size());
  for (std::size_t k = 0; k < y.size(); ++k) {
    const double lx = std::log(1.0 + static_cast<double>(k)), ly = std::log(y[k]);
    sx += lx, sy += ly, sxx += lx * lx, sxy += lx * ly;
  }
  return (n * sxy - sx * sy) / (n * sxx - sx * sx);
}

struct Spectra {
  std::vector<double> eigenvalues, shares;
};

/// Of the inputs, and of the linear function behind two classes: E[x sign f] = sqrt(2 / pi) E[x f] for Gaussian x.
Spectra measure_spectra(const TaskData& task) {
  const auto n = static_cast<std::size_t>(task.inputs);
  std::vector<double> covariance(n * n, 0.0), with_label(n, 0.0);
  for (int i = 0; i < task.train.samples; ++i) {
    const std::vector<double> x = coordinates(task, task.train, i);
    const double y = task.train.labels[static_cast<std::size_t>(i)] == 0 ? -1 : 1;
    for (std::size_t j = 0; j < n; ++j) {
      with_label[j] += y * x[j] / task.train.samples * std::sqrt(k_pi / 2);
      for (std::size_t k = 0; k < n; ++k) covariance[j * n + k] += x[j] * x[k] / task.train.samples;
    }
  }
  const auto [values, vectors] = eigen(covariance, n);
  Spectra result{values, {}};
  for (std::size_t k = 0; k < n; ++k) {
    const double along = std::inner_product(with_label.begin(), with_label.end(),
                                            vectors.begin() + static_cast<std::ptrdiff_t>(k * n), 0.0);
    result.shares.push_back(along * along / values[k]);
  }
  return result;
}

TEST(PowerLaw, spectra_of_inputs_and_teacher_have_their_exponents) {
  theory::DataSpec spec = spec_of("power-law", 60000);
  for (const auto& [exponent, source] : {std::pair{1.5, 0.5}, {1.0, 1.0}}) {
    spec.power_law.inputs = 24, spec.power_law.exponent = exponent, spec.power_law.source = source;
    Spectra found = measure_spectra(load_data(spec));
    // An eigenvalue of n samples has the relative deviation sqrt(2 / n) = 0.6 %, a slope over k = 1 ... 24 far less.
    EXPECT_NEAR(slope(found.eigenvalues), -exponent, 0.02);
    double norm = 0;
    for (int k = 1; k <= 24; ++k) norm += std::pow(k, -(source * exponent + 1));
    found.shares.resize(6);
    EXPECT_NEAR(found.shares[0], 1 / norm, 0.02);
    // A share q is known to sqrt(pi / (2 n q)) 2 = 4 % at q = 0.025, the sixth one; of neighbours that nearly agree the
    // sample mixes some.
    EXPECT_NEAR(slope(found.shares), -(source * exponent + 1), 0.1);
  }
}

TEST(PowerLaw, classes_are_quantiles_and_noise_keeps_them) {
  theory::DataSpec spec = spec_of("power-law", 10000);
  spec.power_law.inputs = 20, spec.power_law.classes = 7;
  expect_balanced(load_data(spec));
  spec.power_law.noise = 1;
  expect_balanced(load_data(spec));
}

std::string text_of(const TaskData& task, const LabelledSet& set, int i) {
  std::string symbols;
  const auto v = static_cast<std::size_t>(task.channels), h = static_cast<std::size_t>(task.height);
  for (std::size_t p = 0; p < h; ++p) {
    const auto from = set.inputs.begin() + static_cast<std::ptrdiff_t>((static_cast<std::size_t>(i) * h + p) * v);
    EXPECT_EQ(std::accumulate(from, from + static_cast<std::ptrdiff_t>(v), 0), 255) << "one symbol at each place";
    symbols += static_cast<char>('a' + (std::max_element(from, from + static_cast<std::ptrdiff_t>(v)) - from));
  }
  return symbols;
}

TEST(Hierarchical, labels_follow_from_inputs_and_inputs_are_as_many_as_the_rules_make) {
  theory::DataSpec spec = spec_of("hierarchical", 20000);
  spec.hierarchical = {3, 4, 2, 2, 2, 5};  // 3 classes, 4 symbols, 2 synonyms, pairs, 2 levels
  const TaskData task = load_data(spec);
  EXPECT_EQ(task.height, 4);
  EXPECT_EQ(task.channels, 4);
  expect_balanced(task);
  std::map<std::string, std::int32_t> seen;
  std::set<std::string> pairs;
  for (int i = 0; i < task.train.samples; ++i) {
    const std::string symbols = text_of(task, task.train, i);
    const std::int32_t label = task.train.labels[static_cast<std::size_t>(i)];
    EXPECT_EQ(seen.emplace(symbols, label).first->second, label);
    pairs.insert(symbols.substr(0, 2)), pairs.insert(symbols.substr(2));
  }
  // Cagnetta et al. 2024: P_max = n_c m^((s^L - 1) / (s - 1)) = 3 * 2^3 inputs, all of them met in 20000 samples.
  EXPECT_EQ(seen.size(), 24u);
  EXPECT_LE(pairs.size(), 8u);  // v m tuples of the last level
}

TEST(Hierarchical, too_many_rules_are_refused) {
  theory::DataSpec spec = spec_of("hierarchical", 10);
  spec.hierarchical.synonyms = 9;  // 8 symbols of 9 pairs each, there are 64
  EXPECT_EQ(error_code([&] { load_data(spec); }), "E107");
}

/// Plug-in entropy [nats] of blocks of `size` tokens, taken at every place of every sample.
double block_entropy(const TaskData& task, std::size_t size) {
  std::map<std::vector<std::uint8_t>, double> counts;
  const auto length = static_cast<std::size_t>(task.height);
  double total = 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(task.train.samples); ++i) {
    for (std::size_t t = 0; t + size <= length; ++t, ++total) {
      const auto from = task.train.inputs.begin() + static_cast<std::ptrdiff_t>(i * length + t);
      ++counts[{from, from + static_cast<std::ptrdiff_t>(size)}];
    }
  }
  double entropy = 0;
  for (const auto& [block, count] : counts) entropy -= count / total * std::log(count / total);
  return entropy;
}

TEST(Markov, the_floor_is_the_entropy_that_the_text_has) {
  theory::DataSpec spec = spec_of("markov", 4000);
  spec.sequence = 100;
  spec.markov = {6, 1, 0.5, 4};
  const TaskData first = load_data(spec);
  // -ln P of a token has a deviation below 1.5 nats: 4e5 of them know the rate to 0.0024.
  EXPECT_NEAR(first.loss_floor.value(), block_entropy(first, 2) - block_entropy(first, 1), 5 * 0.0024);
  spec.markov.order = 2, spec.sequence = 2, spec.train_samples = 100000;
  TaskData second = load_data(spec);
  // Blocks of three: two inputs and the label of the second.
  TaskData triples = second;
  triples.height = 3, triples.train.inputs.clear();
  for (std::size_t i = 0; i < 100000; ++i) {
    triples.train.inputs.push_back(second.train.inputs[2 * i]);
    triples.train.inputs.push_back(second.train.inputs[2 * i + 1]);
    triples.train.inputs.push_back(static_cast<std::uint8_t>(second.train.labels[2 * i + 1]));
    ASSERT_EQ(second.train.labels[2 * i], second.train.inputs[2 * i + 1]);
  }
  EXPECT_NEAR(second.loss_floor.value(), (block_entropy(triples, 3) - block_entropy(triples, 1)) / 2, 0.01);
}

// A window of one token knows one token of context: chains of every order then have the floor H_2 - H_1, and long
// windows approach the rate from above.
TEST(Markov, longer_windows_have_lower_floors) {
  theory::DataSpec spec = spec_of("markov", 10);
  spec.markov = {8, 3, 0.2, 1};
  double last = std::log(8.0);
  for (const int sequence : {1, 2, 4, 16, 64}) {
    spec.sequence = sequence;
    const double floor = load_data(spec).loss_floor.value();
    EXPECT_LT(floor, last);
    last = floor;
  }
}

// The entropy of a Dirichlet row of v probabilities with concentration a is psi(v a + 1) - psi(a + 1) on average
// (Wolpert & Wolf, Phys. Rev. E 52, 6841, 1995): 3.444790 nats for v = 64, a = 0.5, 1.809184 for v = 64, a = 0.05
// (scipy 1.10: digamma).
TEST(Markov, rows_are_dirichlet) {
  theory::DataSpec spec = spec_of("markov", 10);
  for (const auto& [concentration, expected] : {std::pair{0.5, 3.444790}, {0.05, 1.809184}}) {
    double mean = 0;
    for (int seed = 1; seed <= 20; ++seed) {
      spec.markov = {64, 1, concentration, static_cast<std::uint64_t>(seed)};
      mean += load_data(spec).loss_floor.value() / 20;
    }
    // Weights of the stationary distribution are nearly independent of a row's entropy; its deviation over rows is
    // below 0.4, and there are 20 * 64 of them, unequally weighted.
    EXPECT_NEAR(mean, expected, 0.03 * expected);
  }
}

TEST(Markov, an_unworkable_chain_is_refused) {
  theory::DataSpec spec = spec_of("markov", 10);
  spec.markov.order = 6;  // 32^7 probabilities
  EXPECT_EQ(error_code([&] { load_data(spec); }), "E104");
}

}  // namespace
}  // namespace eos::sim::testing
