#include "eos/kernels/conv2d.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "eos/core/error.hpp"
#include "eos/kernels/device.hpp"
#include "kernel_test.hpp"

namespace eos::kernels {
namespace {

using test::bits;
using test::normals;
using test::OnCuda;

template <class Real>
struct Layer {
  ConvShape shape;
  std::vector<Real> x, w, b, dz;

  std::size_t images() const { return static_cast<std::size_t>(shape.replicas) * shape.rows; }
  std::size_t outputs() const {
    return images() * static_cast<std::size_t>(shape.out_height()) * shape.out_width() * shape.out;
  }
  std::size_t winners() const { return images() * static_cast<std::size_t>(shape.winner_bytes()); }
};

template <class To, class From>
std::vector<To> cast(const std::vector<From>& values) {
  return {values.begin(), values.end()};
}

/// `density` of the derivatives are not zero.
Layer<float> random_layer(ConvShape s, std::uint32_t stream = 0, double density = 1) {
  Layer<float> l{s, {}, {}, {}, {}};
  l.x = normals(l.images() * s.height * s.width * s.in, 4 * stream + 1);
  for (float& value : l.x) value = value > -0.5f ? value : 0.0f;  // as after a rectifier: some exact zeros
  l.w = normals(static_cast<std::size_t>(s.replicas) * s.kernel_h * s.kernel_w * s.in * s.out, 4 * stream + 2);
  l.b = normals(static_cast<std::size_t>(s.replicas) * s.out, 4 * stream + 3);
  l.dz = normals(l.outputs(), 4 * stream + 4);
  for (std::size_t i = 0; i < l.dz.size(); ++i) {
    if (static_cast<double>(i * 7919 % 1000) >= 1000 * density) l.dz[i] = 0;
  }
  return l;
}

struct Result {
  std::vector<float> y, dw, db, dx;
  std::vector<std::uint8_t> winners;
};

/// The backward passes start from `winners`, so that ties within rounding do not matter to them.
Result run(const Context& context, const Layer<float>& l, ActivationSpec activation,
           const std::vector<std::uint8_t>& winners) {
  const Buffer<float> x(context, l.x), w(context, l.w), b(context, l.b), dz(context, l.dz);
  const Buffer<std::uint8_t> given(context, winners);
  Buffer<float> y(context, l.outputs()), dw(context, l.w.size()), db(context, l.b.size()), dx(context, l.x.size());
  Buffer<std::uint8_t> won(context, l.winners());
  conv2d_forward(context, l.shape, x.data(), w.data(), b.data(), activation, y.data(), won.data());
  conv2d_backward_weights(context, l.shape, x.data(), dz.data(), given.data(), dw.data(), db.data());
  conv2d_backward_inputs(context, l.shape, dz.data(), given.data(), w.data(), x.data(), activation, dx.data());
  return {y.get(), dw.get(), db.get(), dx.get(), won.get()};
}

Result run_reference(const Layer<float>& l, ActivationSpec activation) {
  Result r{std::vector<float>(l.outputs()), std::vector<float>(l.w.size()), std::vector<float>(l.b.size()),
           std::vector<float>(l.x.size()), std::vector<std::uint8_t>(l.winners())};
  reference::conv2d_forward(l.shape, l.x.data(), l.w.data(), l.b.data(), activation, r.y.data(), r.winners.data());
  reference::conv2d_backward_weights(l.shape, l.x.data(), l.dz.data(), r.winners.data(), r.dw.data(), r.db.data());
  reference::conv2d_backward_inputs(l.shape, l.dz.data(), r.winners.data(), l.w.data(), l.x.data(), activation,
                                    r.dx.data());
  return r;
}

/// sum |terms| of each result: the same layer with absolute values. Of the four sums of a window the largest.
Result terms_of(Layer<float> l, const std::vector<std::uint8_t>& winners) {
  for (auto* array : {&l.x, &l.w, &l.b, &l.dz}) {
    for (float& value : *array) value = std::fabs(value);
  }
  Result r = run_reference(l, Activation::identity);
  reference::conv2d_backward_weights(l.shape, l.x.data(), l.dz.data(), winners.data(), r.dw.data(), r.db.data());
  reference::conv2d_backward_inputs(l.shape, l.dz.data(), winners.data(), l.w.data(), l.x.data(), Activation::identity,
                                    r.dx.data());
  return r;
}

/// A sum of k products in single precision differs from the exact one by at most (k + 1) 2^-24 sum |terms| to first
/// order (Higham, Accuracy and Stability of Numerical Algorithms, 2002, eq. 3.5); twice that leaves room for the rest.
/// Where both factors of a term are rounded first, each by at most `factor` of itself, the term is off by another
/// (1 + factor)^2 - 1.
void expect_within_rounding(const std::vector<float>& got, const std::vector<float>& exact,
                            const std::vector<float>& terms, std::int64_t k, const char* what, double factor = 0) {
  ASSERT_EQ(got.size(), exact.size());
  const double bound = 2.0 * static_cast<double>(k + 1) * std::ldexp(1.0, -24) + factor * (2 + factor);
  for (std::size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], exact[i], bound * terms[i]) << what << " " << i;
}

void expect_matches_reference(const Context& context, ConvShape s, ActivationSpec activation, std::uint32_t stream,
                              double density, double factor = 0) {
  SCOPED_TRACE(::testing::Message() << "replicas " << s.replicas << " rows " << s.rows << " image " << s.height << " x "
                                    << s.width << " x " << s.in << " out " << s.out << " kernel " << s.kernel_h << " x "
                                    << s.kernel_w << " stride " << s.stride << " padding " << s.padding << " pool "
                                    << s.pool << " activation " << static_cast<int>(activation.kind) << " density "
                                    << density);
  const Layer<float> layer = random_layer(s, stream, density);
  const Result exact = run_reference(layer, activation);
  const Result got = run(context, layer, activation, exact.winners);
  const Result terms = terms_of(layer, exact.winners);
  const std::int64_t taps = std::int64_t{s.kernel_h} * s.kernel_w;
  const std::int64_t places = std::int64_t{s.rows} * s.out_height() * s.out_width();
  expect_within_rounding(got.y, exact.y, terms.y, taps * s.in + 1, "y", factor);
  expect_within_rounding(got.dw, exact.dw, terms.dw, places, "dw", factor);
  expect_within_rounding(got.db, exact.db, terms.db, places, "db");
  expect_within_rounding(got.dx, exact.dx, terms.dx, taps * s.out, "dx", factor);
}

int between(std::uint32_t stream, std::size_t index, int low, int high) {
  const core::Words words = core::draw(11, test::at(stream, index));
  return low + static_cast<int>(core::uniform_int(words.v[0], static_cast<std::uint32_t>(high - low + 1)));
}

ConvShape random_shape(std::uint32_t stream) {
  constexpr int k_channels[] = {1, 2, 3, 5, 8, 10, 16, 20, 24, 40, 64, 104};
  ConvShape s;
  s.replicas = between(stream, 0, 1, 2);
  s.rows = between(stream, 1, 0, 9) == 9 ? 37 : between(stream, 2, 0, 4);
  s.kernel_h = between(stream, 3, 1, 5), s.kernel_w = between(stream, 4, 1, 5);
  s.stride = between(stream, 5, 1, 3);
  s.padding = between(stream, 6, 0, std::min(s.kernel_h, s.kernel_w) - 1);
  s.height = between(stream, 7, std::max(1, s.kernel_h - 2 * s.padding), 9);
  s.width = between(stream, 8, std::max(1, s.kernel_w - 2 * s.padding), 9);
  s.in = k_channels[between(stream, 9, 0, 11)], s.out = k_channels[between(stream, 10, 0, 11)];
  s.pool = 2 * between(stream, 11, 0, 1);
  return s;
}

TEST(Conv2d, matches_the_plain_reference_for_random_shapes) {
  // Piecewise linear activations keep the rounding bound of the sums.
  const ActivationSpec activations[] = {Activation::identity, Activation::relu, {Activation::leaky_relu, 0.25f}};
  const double densities[] = {1, 0.5, 0.1, 0};
  for (std::uint32_t i = 0; i < 60; ++i)
    expect_matches_reference(Context::cpu(), random_shape(i), activations[i % 3], i, densities[i / 3 % 4]);
}

const std::vector<ConvShape>& named_shapes() {
  static const std::vector<ConvShape> shapes = {
      {1, 2, 32, 32, 3, 32, 3, 3, 1, 1, 2}, {1, 3, 16, 16, 32, 64, 3, 3, 1, 1, 2},
      {1, 2, 8, 8, 64, 128, 3, 3, 1, 1, 2}, {1, 2, 16, 16, 16, 32, 3, 3, 1, 1, 0},
      {1, 2, 28, 28, 1, 16, 5, 5, 1, 2, 2}, {1, 2, 7, 7, 16, 24, 3, 3, 1, 1, 2},
      {2, 3, 16, 16, 3, 48, 4, 4, 4, 0, 0}, {2, 3, 8, 8, 24, 40, 1, 1, 1, 0, 0},
      {1, 2, 9, 9, 8, 16, 3, 3, 2, 1, 0},   {1, 2, 12, 12, 8, 8, 7, 7, 1, 3, 2},
      {1, 1, 6, 40, 8, 8, 3, 15, 1, 0, 0},  {1, 1, 6, 40, 8, 8, 3, 15, 1, 0, 2},
      {1, 2, 3, 3, 4, 6, 3, 3, 1, 0, 2},
  };
  return shapes;
}

TEST(Conv2d, matches_the_plain_reference_for_the_shapes_of_networks) {
  for (const ConvShape& shape : named_shapes()) {
    for (const double density : {1.0, 0.2})
      expect_matches_reference(Context::cpu(), shape, Activation::relu, 5, density);
  }
}

TEST(Conv2d, smooth_activations_match_the_plain_reference) {
  for (const int pool : {0, 2}) {
    const ConvShape shape{2, 3, 9, 8, 5, 12, 3, 3, 1, 1, pool};
    const Layer<float> layer = random_layer(shape, 3);
    for (const Activation kind : {Activation::logistic, Activation::tanh}) {
      const Result exact = run_reference(layer, kind), got = run(Context::cpu(), layer, kind, exact.winners);
      // Sums of 46 terms near 5 in size are good to 1e-5, and slopes are at most 1 here.
      for (std::size_t i = 0; i < got.y.size(); ++i) ASSERT_NEAR(got.y[i], exact.y[i], 1e-5);
      // act'(x) multiplies by up to 1 + x^2 < 20.
      for (std::size_t i = 0; i < got.dx.size(); ++i) ASSERT_NEAR(got.dx[i], exact.dx[i], 2e-4);
    }
  }
}

TEST(Conv2d, winners_are_those_of_the_values_it_returns) {
  const ConvShape shape{1, 4, 11, 9, 6, 20, 3, 3, 1, 1, 2};
  ConvShape unpooled = shape;
  unpooled.pool = 0;
  const Layer<float> layer = random_layer(shape), plain{unpooled, layer.x, layer.w, layer.b, {}};
  const Context context = Context::cpu();
  std::vector<float> y(layer.outputs()), all(plain.outputs());
  std::vector<std::uint8_t> winners(layer.winners());
  conv2d_forward(context, shape, layer.x.data(), layer.w.data(), layer.b.data(), Activation::relu, y.data(),
                 winners.data());
  conv2d_forward(context, unpooled, layer.x.data(), layer.w.data(), layer.b.data(), Activation::relu, all.data(),
                 nullptr);
  std::size_t at = 0;
  for (int image = 0; image < shape.rows; ++image) {
    for (int i = 0; i < shape.out_height(); ++i) {
      for (int j = 0; j < shape.out_width(); ++j) {
        for (int o = 0; o < shape.out; ++o, ++at) {
          const auto value = [&](int k) {
            const int place = (image * shape.sum_height() + 2 * i + k / 2) * shape.sum_width() + 2 * j + k % 2;
            return all[static_cast<std::size_t>(place * shape.out + o)];
          };
          int best = 0;
          for (int k = 1; k < 4; ++k) best = value(k) > value(best) ? k : best;
          const std::int64_t in_image =
              static_cast<std::int64_t>(at) % (std::int64_t{shape.out_height()} * shape.out_width() * shape.out);
          ASSERT_EQ(winners[static_cast<std::size_t>(image * shape.winner_bytes() + in_image)], best);
          ASSERT_EQ(y[at], value(best));
        }
      }
    }
  }
}

// Sequences (a i + b) mod m / m - 1/2.
std::vector<double> sequence(int size, int a, int b, int m) {
  std::vector<double> values;
  for (int i = 0; i < size; ++i) values.push_back(static_cast<double>((a * i + b) % m) / m - 0.5);
  return values;
}

// PyTorch 2.15 in double: conv2d, relu and (first) max_pool2d(2) of these sequences, loss = sum of (3 i + 2) mod 17 /
// 17
// - 1/2 times y; y, then gradients, in the order of channels last.
struct Published {
  ConvShape shape;
  std::vector<double> y, dw, db, dx;
};

void expect_published(const Published& p) {
  Layer<double> l{p.shape, sequence(60, 7, 3, 31), sequence(36, 5, 1, 23), {0.1, -0.2, 0.05}, sequence(18, 3, 2, 17)};
  std::vector<double> y(18), dw(36), db(3), dx(60);
  std::vector<std::uint8_t> winners(l.winners());
  reference::conv2d_forward(l.shape, l.x.data(), l.w.data(), l.b.data(), Activation::relu, y.data(), winners.data());
  for (std::size_t i = 0; i < 18; ++i) l.dz[i] *= y[i] > 0 ? 1 : 0;
  reference::conv2d_backward_weights(l.shape, l.x.data(), l.dz.data(), winners.data(), dw.data(), db.data());
  reference::conv2d_backward_inputs(l.shape, l.dz.data(), winners.data(), l.w.data(), l.x.data(), Activation::identity,
                                    dx.data());
  const Layer<float> single{l.shape, cast<float>(l.x), cast<float>(l.w), cast<float>(l.b), cast<float>(l.dz)};
  const Result fast = run(Context::cpu(), single, Activation::relu, winners);
  const Result fast_inputs = run(Context::cpu(), single, Activation::identity, winners);
  const auto expect_all = [](const std::vector<double>& got, const std::vector<float>& got_single,
                             const std::vector<double>& expected) {
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      EXPECT_NEAR(got[i], expected[i], 1e-9) << i;         // ten digits were printed
      EXPECT_NEAR(got_single[i], expected[i], 1e-6) << i;  // sums of up to 18 terms below 1 in single precision
    }
  };
  expect_all(y, fast.y, p.y);
  expect_all(dw, fast.dw, p.dw);
  expect_all(db, fast.db, p.db);
  expect_all(dx, fast_inputs.dx, p.dx);
}

TEST(Conv2d, pooled_values_and_gradients_are_those_of_pytorch) {
  const std::vector<double> y = {0.3440392707,
                                 0,
                                 0.2933380084,
                                 0.2143057504,
                                 0.00126227209,
                                 0.2421458626,
                                 0.3201963534,
                                 0.04964936886,
                                 0.2996493689,
                                 0.3166900421,
                                 0.06086956522,
                                 0.2211079944,
                                 0.2297335203,
                                 0.04403927069,
                                 0.3389200561,
                                 0.5284712482,
                                 0,
                                 0.3045582048};
  const std::vector<double> dw = {
      0.05170777989, 0.03605313093,  0.05218216319,  -0.03462998102, 0.1423149905,  -0.1072106262,
      0.2068311195,  -0.07495256167, -0.2666034156,  -0.3036053131,  -0.1157495256, 0.279886148,
      -0.4236242884, -0.10056926,    0.5189753321,   0.1560721063,   0.00569259962, 0.2400379507,
      0.03320683112, 0.1119544592,   -0.03889943074, 0.2182163188,   0.2182163188,  -0.3178368121,
      0.1503795066,  0.2333965844,   -0.3576850095,  0.02419354839,  -0.1309297913, -0.2836812144,
      -0.2466793169, -0.02466793169, 0.3197343454,   0.0559772296,   0.08159392789, 0.04079696395};
  const std::vector<double> db = {-0.3529411765, 0.4705882353, -1.235294118};
  const std::vector<double> dx = {
      0.1867007673,   -0.08184143223, -0.01598465473, 0.3382352941,   0.25,           -0.239769821,    0.1560102302,
      0.1726342711,   -0.05051150895, 0.1029411765,   -0.1476982097,  -0.03516624041, -0.0952685422,   -0.023657289,
      -0.04028132992, -0.03900255754, -0.1176470588,  0.1905370844,   0.2333759591,   0.01854219949,   0.1221227621,
      -0.1950127877,  -0.02109974425, 0.09143222506,  0.1035805627,   0.1854219949,   -0.131713555,    -0.09079283887,
      0.07033248082,  -0.03836317136, -0.09271099744, 0.04028132992,  -0.168797954,   0.2071611253,    -0.1483375959,
      -0.1074168798,  0.3369565217,   -0.155370844,   -0.07672634271, 0.3260869565,   -0.005754475703, -0.09015345269,
      0.001918158568, 0.005754475703, 0.1982097187,   -0.1432225064,  0.1624040921,   0.2033248082,    -0.09462915601,
      -0.07416879795, 0.3286445013,   -0.09207161125, 0.01918158568,  0.01918158568,  -0.06905370844,  0.01918158568,
      -0.1381074169,  0.1675191816,   0.2084398977,   -0.1329923274};
  expect_published({{1, 1, 5, 6, 2, 3, 3, 2, 1, 1, 2}, y, dw, db, dx});
}

TEST(Conv2d, strided_values_and_gradients_are_those_of_pytorch) {
  const std::vector<double> y = {0.3440392707,
                                 0,
                                 0,
                                 0.1904628331,
                                 0,
                                 0,
                                 0,
                                 0,
                                 0.05420757363,
                                 0.03127629734,
                                 0.06086956522,
                                 0.2211079944,
                                 0.07335203366,
                                 0.04403927069,
                                 0.3389200561,
                                 0.5284712482,
                                 0,
                                 0.3045582048};
  const std::vector<double> dw = {
      0.05834914611, 0.01328273245,  0.06546489564,  0.05170777989, 0.07969639469,  -0.1233396584,
      0.04506641366, 0.1461100569,   -0.2827324478,  -0.1674573055, -0.08159392789, 0.2931688805,
      -0.1684060721, -0.07210626186, 0.270398482,    0.2073055028,  -0.00569259962, 0.1110056926,
      0.05360531309, 0.06072106262,  -0.07779886148, 0.04696394687, 0.1271347249,   -0.2371916509,
      0.04601518027, 0.1366223909,   -0.2599620493,  0.09819734345, -0.09108159393, -0.06641366224,
      -0.1731499051, -0.02466793169, 0.1565464896,   0.0555028463,  0.04174573055,  -0.03225806452};
  const std::vector<double> db = {-0.02941176471, 0.2941176471, -0.7058823529};
  const std::vector<double> dx = {
      0.1745524297,   -0.07480818414,   0.05818414322,  0.1911764706,   -0.06713554987,  0.02877237852,  -0.02237851662,
      -0.07352941176, -0.0006393861893, -0.01086956522, 0.00831202046,  -0.001918158568, -0.05818414322, 0.07480818414,
      -0.1745524297,  -0.0415601023,    0.02237851662,  -0.02877237852, 0.06713554987,   0.01598465473,  -0.0121483376,
      0.007033248082, -0.003196930946,  -0.01342710997, -0.08439897698, 0.2033248082,    -0.1560102302,  -0.07416879795,
      0.104859335,    -0.06010230179,   0.06905370844,  0.1099744246,   -0.1067774936,   0.1886189258,   -0.1630434783,
      -0.1029411765,  0.354859335,      -0.1374680307,  0.01726342711,  0.3484654731,    -0.1093350384,  0.07097186701,
      -0.1016624041,  -0.09782608696,   0.1982097187,   -0.1432225064,  0.1624040921,    0.2033248082,   -0.1438618926,
      0.01086956522,  0.3420716113,     -0.1502557545,  0.08248081841,  -0.09015345269,  -0.08631713555, 0.09398976982,
      -0.1381074169,  0.1675191816,     0.2084398977,   -0.1329923274};
  expect_published({{1, 1, 5, 6, 2, 3, 3, 2, 2, 0, 0}, y, dw, db, dx});
}

/// sum of c y of a layer in double.
double loss_of(const Layer<double>& l, const std::vector<double>& c) {
  std::vector<double> y(l.outputs());
  std::vector<std::uint8_t> winners(l.winners());
  reference::conv2d_forward(l.shape, l.x.data(), l.w.data(), l.b.data(), Activation::tanh, y.data(), winners.data());
  double loss = 0;
  for (std::size_t i = 0; i < y.size(); ++i) loss += c[i] * y[i];
  return loss;
}

TEST(Conv2d, gradients_of_the_reference_are_central_differences) {
  for (const ConvShape& s : {ConvShape{2, 2, 6, 5, 3, 4, 3, 3, 1, 1, 2}, ConvShape{1, 2, 7, 6, 2, 3, 3, 2, 2, 1, 0}}) {
    const Layer<float> single = random_layer(s, 9);
    Layer<double> l{s, cast<double>(single.x), cast<double>(single.w), cast<double>(single.b), {}};
    for (double& w : l.w) w *= 0.2;
    const std::vector<double> c = cast<double>(single.dz);
    std::vector<double> y(l.outputs()), dw(l.w.size()), db(l.b.size()), dx(l.x.size());
    std::vector<std::uint8_t> winners(l.winners());
    reference::conv2d_forward(s, l.x.data(), l.w.data(), l.b.data(), Activation::tanh, y.data(), winners.data());
    for (std::size_t i = 0; i < y.size(); ++i) l.dz.push_back(c[i] * (1 - y[i] * y[i]));
    reference::conv2d_backward_weights(s, l.x.data(), l.dz.data(), winners.data(), dw.data(), db.data());
    reference::conv2d_backward_inputs(s, l.dz.data(), winners.data(), l.w.data(), l.x.data(), Activation::identity,
                                      dx.data());
    const auto expect_slopes = [&](std::vector<double>& values, const std::vector<double>& gradient) {
      constexpr double k_step = 1e-5;  // truncation ~ step^2, rounding ~ 1e-16 / step: both below 1e-9
      for (std::size_t i = 0; i < values.size(); ++i) {
        const double kept = values[i];
        values[i] = kept + k_step;
        const double above = loss_of(l, c);
        values[i] = kept - k_step;
        const double below = loss_of(l, c);
        values[i] = kept;
        ASSERT_NEAR((above - below) / (2 * k_step), gradient[i], 1e-6 * std::max(1.0, std::fabs(gradient[i])));
      }
    };
    expect_slopes(l.w, dw);
    expect_slopes(l.b, db);
    expect_slopes(l.x, dx);
  }
}

TEST(Conv2d, an_image_has_the_same_bits_alone_and_in_a_batch) {
  for (const ConvShape& named : named_shapes()) {
    for (const double density : {1.0, 0.2}) {
      ConvShape shape = named;
      shape.replicas = 1, shape.rows = 7;
      const Layer<float> batch = random_layer(shape, 2, density);
      const std::vector<std::uint8_t> winners = run_reference(batch, Activation::relu).winners;
      const Result together = run(Context::cpu(), batch, Activation::relu, winners);
      shape.rows = 1;
      const std::size_t pixels = batch.x.size() / 7, outputs = batch.dz.size() / 7, bytes = winners.size() / 7;
      const auto part = [](const auto& values, std::size_t image, std::size_t size) {
        using Values = std::decay_t<decltype(values)>;
        return Values(values.begin() + static_cast<std::ptrdiff_t>(image * size),
                      values.begin() + static_cast<std::ptrdiff_t>((image + 1) * size));
      };
      for (const std::size_t image : {std::size_t{0}, std::size_t{4}}) {
        const Layer<float> alone{shape, part(batch.x, image, pixels), batch.w, batch.b, part(batch.dz, image, outputs)};
        const Result got = run(Context::cpu(), alone, Activation::relu, part(winners, image, bytes));
        EXPECT_EQ(bits(got.y), bits(part(together.y, image, outputs)));
        EXPECT_EQ(bits(got.dx), bits(part(together.dx, image, pixels)));
      }
    }
  }
}

TEST(Conv2d, results_do_not_depend_on_threads_or_replicas) {
  for (ConvShape shape : {ConvShape{3, 5, 9, 9, 8, 24, 3, 3, 1, 1, 2}, ConvShape{1, 70, 8, 8, 16, 16, 3, 3, 1, 1, 2},
                          ConvShape{1, 70, 8, 8, 16, 16, 3, 3, 1, 1, 0}}) {
    const Layer<float> layer = random_layer(shape, 6);
    const std::vector<std::uint8_t> winners = run_reference(layer, Activation::relu).winners;
    const Result one = run(Context::cpu(1), layer, Activation::relu, winners);
    const Result two = run(Context::cpu(2), layer, Activation::relu, winners);
    EXPECT_EQ(bits(one.y), bits(two.y));
    EXPECT_EQ(one.winners, two.winners);
    EXPECT_EQ(bits(one.dw), bits(two.dw));
    EXPECT_EQ(bits(one.db), bits(two.db));
    EXPECT_EQ(bits(one.dx), bits(two.dx));
  }
}

TEST(Conv2d, replicas_of_parameters_may_lie_apart_and_biases_may_be_missing) {
  const ConvShape shape{2, 3, 6, 6, 4, 8, 3, 3, 1, 1, 2};
  const Layer<float> layer = random_layer(shape, 8);
  ConvShape apart = shape;
  apart.parameter_stride = 500;
  const std::size_t weights = layer.w.size() / 2;
  std::vector<float> w(1000), dw(1000, 7.0f), y(layer.outputs()), expected(layer.outputs());
  for (std::size_t r = 0; r < 2; ++r)
    std::copy_n(layer.w.begin() + static_cast<std::ptrdiff_t>(r * weights), weights,
                w.begin() + static_cast<std::ptrdiff_t>(500 * r));
  std::vector<std::uint8_t> winners(layer.winners()), exact(layer.winners());
  const Context context = Context::cpu();
  conv2d_forward(context, apart, layer.x.data(), w.data(), nullptr, Activation::relu, y.data(), winners.data());
  const std::vector<float> zeros(layer.b.size());
  conv2d_forward(context, shape, layer.x.data(), layer.w.data(), zeros.data(), Activation::relu, expected.data(),
                 exact.data());
  EXPECT_EQ(y, expected);
  EXPECT_EQ(winners, exact);
  std::vector<float> packed(layer.w.size()), db(layer.b.size());
  conv2d_backward_weights(context, apart, layer.x.data(), layer.dz.data(), winners.data(), dw.data(), nullptr);
  conv2d_backward_weights(context, shape, layer.x.data(), layer.dz.data(), winners.data(), packed.data(), db.data());
  for (std::size_t i = 0; i < 1000; ++i)
    ASSERT_EQ(dw[i], i % 500 < weights ? packed[i / 500 * weights + i % 500] : 7.0f) << i;
}

TEST(Conv2d, nan_passes_through_sums_and_pooling) {
  const ConvShape shape{1, 1, 4, 4, 1, 8, 1, 1, 1, 0, 2};
  Layer<float> layer = random_layer(shape);
  layer.x[5] = std::nanf("");
  std::vector<float> y(layer.outputs());
  std::vector<std::uint8_t> winners(layer.winners());
  conv2d_forward(Context::cpu(), shape, layer.x.data(), layer.w.data(), layer.b.data(), Activation::relu, y.data(),
                 winners.data());
  for (std::size_t o = 0; o < 8; ++o) {
    EXPECT_TRUE(std::isnan(y[o]));
    EXPECT_EQ(winners[o], 3);
    EXPECT_FALSE(std::isnan(y[8 + o]));
  }
}

TEST(Conv2d, says_which_shape_is_impossible) {
  const Context context = Context::cpu();
  for (const ConvShape& shape :
       {ConvShape{1, 1, 2, 2, 1, 1, 3, 3, 1, 0, 0}, ConvShape{1, 1, 4, 4, 1, 1, 3, 3, 0, 0, 0},
        ConvShape{1, 1, 4, 4, 1, 1, 3, 3, 1, 3, 0}, ConvShape{1, 1, 4, 4, 1, 1, 3, 3, 1, 0, 3}}) {
    EXPECT_THROW(conv2d_forward(context, shape, nullptr, nullptr, nullptr, {}, nullptr, nullptr), core::Error);
  }
}

class Conv2dOnCuda : public OnCuda {};

TEST_F(Conv2dOnCuda, matches_the_plain_reference) {
  const Context context = Context::cuda();
  for (const ConvShape& shape : named_shapes()) expect_matches_reference(context, shape, Activation::relu, 5, 0.5);
  for (std::uint32_t i = 0; i < 40; ++i)
    expect_matches_reference(context, random_shape(i), i % 2 == 0 ? Activation::identity : Activation::relu, i, 1);
}

// Rounding to p significant bits changes a number by at most 2^-p of itself: p = 11 for TF32, 8 for bfloat16.
TEST_F(Conv2dOnCuda, is_off_by_the_rounding_of_its_factors_in_reduced_precision) {
  for (const auto& [mode, factor] : {std::pair{Products::tf32, 0x1p-11}, {Products::bf16, 0x1p-8}}) {
    SCOPED_TRACE(to_string(mode));
    const Context context = Context::cuda();
    set_products(context, mode);
    for (const ConvShape& shape : named_shapes())
      expect_matches_reference(context, shape, Activation::relu, 5, 0.5, factor);
    for (std::uint32_t i = 0; i < 40; ++i)
      expect_matches_reference(context, random_shape(i), Activation::identity, i, 1, factor);
  }
}

}  // namespace
}  // namespace eos::kernels
