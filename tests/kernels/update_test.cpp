#include "eos/kernels/update.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "eos/core/error.hpp"
#include "kernel_test.hpp"

namespace eos::kernels {
namespace {

using test::bits;
using test::normals;
using test::OnCuda;

constexpr std::int64_t k_sizes[] = {0, 1, 7, 8, 1000, 140001};  // the last is split over threads

/// Segments of awkward sizes: empty, single, shorter and longer than a counting block.
const std::vector<std::int64_t> k_offsets = {0, 0, 1, 4, 300, 4397, 4397, 12600, 12610, 112613};

Segments segments_of(const std::vector<std::int64_t>& offsets) {
  return {static_cast<int>(offsets.size()) - 1, offsets.data()};
}

// ---- optimiser rules -------------------------------------------------------------------------------------------

void expect_sgd_matches_reference(const Context& context) {
  for (const std::int64_t size : k_sizes) {
    const std::vector<float> g = normals(size, 1), w = normals(size, 2), v = normals(size, 3);
    for (const int kind : {0, 1, 2}) {
      const bool momentum = kind > 0;
      const SgdParameters p{0.1f, momentum ? 0.9f : 0.0f, 1e-3f, kind == 2};
      std::vector<float> v_ref = v, delta_ref(size);
      reference::sgd_delta(size, p, g.data(), w.data(), momentum ? v_ref.data() : nullptr, delta_ref.data());
      const Buffer<float> gd(context, g), wd(context, w);
      Buffer<float> vd(context, v), delta(context, size);
      sgd_delta(context, size, p, gd.data(), wd.data(), momentum ? vd.data() : nullptr, delta.data());
      EXPECT_EQ(bits(delta.get()), bits(delta_ref)) << "size " << size;
      EXPECT_EQ(bits(vd.get()), bits(v_ref)) << "size " << size;
    }
  }
}

void expect_adamw_matches_reference(const Context& context) {
  for (const std::int64_t size : k_sizes) {
    const std::vector<float> g = normals(size, 1), w = normals(size, 2);
    std::vector<float> m(size), v(size), delta(size);
    const Buffer<float> gd(context, g), wd(context, w);
    Buffer<float> md(context, size), vd(context, size), delta_d(context, size);
    for (std::int64_t step = 1; step <= 3; ++step) {
      const AdamParameters p{1e-3f, 0.9f, 0.999f, 1e-8f, 1e-2f, step};
      reference::adamw_delta(size, p, g.data(), w.data(), m.data(), v.data(), delta.data());
      adamw_delta(context, size, p, gd.data(), wd.data(), md.data(), vd.data(), delta_d.data());
    }
    EXPECT_EQ(bits(delta_d.get()), bits(delta)) << "size " << size;
    EXPECT_EQ(bits(md.get()), bits(m));
    EXPECT_EQ(bits(vd.get()), bits(v));
  }
}

TEST(SgdDelta, has_the_bits_of_the_reference_for_any_number_of_threads) {
  expect_sgd_matches_reference(Context::cpu(1));
  expect_sgd_matches_reference(Context::cpu(2));
}
TEST_F(OnCuda, sgd_delta_has_the_bits_of_the_reference) { expect_sgd_matches_reference(Context::cuda()); }

TEST(AdamWDelta, has_the_bits_of_the_reference_for_any_number_of_threads) {
  expect_adamw_matches_reference(Context::cpu(1));
  expect_adamw_matches_reference(Context::cpu(2));
}
TEST_F(OnCuda, adamw_delta_has_the_bits_of_the_reference) { expect_adamw_matches_reference(Context::cuda()); }

TEST(SgdDelta, follows_the_geometric_series_of_a_constant_gradient) {
  // v_n = g (1 - mu^n) / (1 - mu) for a constant gradient and no decay.
  const std::vector<float> g{2.0f}, w{5.0f};
  std::vector<float> v{0.0f}, delta{0.0f};
  for (int n = 0; n < 10; ++n)
    sgd_delta(Context::cpu(), 1, {0.5f, 0.9f, 0.0f}, g.data(), w.data(), v.data(), delta.data());
  EXPECT_NEAR(v[0], 2 * (1 - std::pow(0.9, 10)) / 0.1, 1e-5);  // ten roundings of values near 13
  EXPECT_FLOAT_EQ(delta[0], -0.5f * v[0]);
}

TEST(AdamWDelta, first_step_has_the_size_of_the_learning_rate) {
  // t = 1: m^ = g and v^ = g^2, so delta = -eta (g / (|g| + eps) + decay w) (Loshchilov & Hutter 2019, algorithm 2).
  const std::vector<float> g{3e-4f, -20.0f}, w{1.0f, -2.0f};
  std::vector<float> m(2), v(2), delta(2);
  adamw_delta(Context::cpu(), 2, {0.01f, 0.9f, 0.999f, 1e-8f, 0.1f, 1}, g.data(), w.data(), m.data(), v.data(),
              delta.data());
  for (int i = 0; i < 2; ++i) {
    const double exact = -0.01 * (g[i] / (std::fabs(g[i]) + 1e-8) + 0.1 * w[i]);
    EXPECT_NEAR(delta[i], exact, 1e-7);  // 1 - 0.999 in single precision is off by 2e-5, its root cancels most of it
  }
}

// Gradients of the three updates of the comparisons with PyTorch.
const std::vector<std::vector<float>> k_gradients{{0.5f, -0.25f, 1.0f}, {-0.125f, 0.75f, 0.5f}, {0.25f, 0.25f, -2.0f}};

TEST(SgdDelta, with_nesterov_momentum_has_the_numbers_of_torch) {
  // torch.optim.SGD of PyTorch 2.15: lr 0.1, momentum 0.9, weight_decay 0.01, nesterov, three updates from w.
  std::vector<float> w{1.0f, -2.0f, 0.5f}, v(3), delta(3);
  for (const std::vector<float>& g : k_gradients) {
    sgd_delta(Context::cpu(), 3, {0.1f, 0.9f, 0.01f, true}, g.data(), w.data(), v.data(), delta.data());
    for (int i = 0; i < 3; ++i) w[i] += delta[i];
  }
  EXPECT_THAT(w,
              ::testing::Pointwise(::testing::FloatEq(), std::vector<float>{0.806859314f, -2.14869118f, 0.397792101f}));
}

TEST(AdamWDelta, has_the_numbers_of_torch) {
  // torch.optim.AdamW of PyTorch 2.15: lr 0.1, betas (0.9, 0.95), weight_decay 0.01, eps 1e-8, three updates from w.
  std::vector<float> w{1.0f, -2.0f, 0.5f}, m(3), v(3), delta(3);
  AdamParameters p{0.1f, 0.9f, 0.95f, 1e-8f, 0.01f, 0};
  for (const std::vector<float>& g : k_gradients) {
    ++p.step;
    adamw_delta(Context::cpu(), 3, p, g.data(), w.data(), m.data(), v.data(), delta.data());
    for (int i = 0; i < 3; ++i) w[i] += delta[i];
  }
  // Both compute in single precision, in another order: a few units in the last place.
  const std::vector<float> expected{0.788348913f, -1.99879634f, 0.325208008f};
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(w[i], expected[i], 2e-6 * std::fabs(expected[i]));
}

TEST(Accumulate, adds) {
  const std::vector<float> delta{1.5f, -2.0f, 0.25f};
  std::vector<float> acc{1.0f, 1.0f, 0.0f};
  accumulate(Context::cpu(), 3, delta.data(), acc.data());
  EXPECT_THAT(acc, ::testing::ElementsAre(2.5f, -1.0f, 0.25f));
}

// ---- masked update ---------------------------------------------------------------------------------------------

struct Case {
  Mask mask;
  bool accumulator, delta;
};

struct State {
  std::vector<float> weights, accumulator;
  std::vector<UpdateCounts> counts;
};

/// Deltas with ties and zeros: normals rounded to steps of 1/16.
std::vector<float> coarse_normals(std::size_t size, std::uint32_t stream) {
  std::vector<float> values = normals(size, stream);
  for (float& value : values) value = std::round(16 * value) / 16;
  return values;
}

struct Problem {
  std::vector<std::int64_t> offsets;
  std::vector<float> delta, weights, accumulator;
  std::vector<Selection> selection;
  MaskedUpdate update;
  bool use_delta = true, use_accumulator = false;
};

Problem make_problem(Case c) {
  Problem p;
  p.offsets = k_offsets;
  const std::int64_t size = p.offsets.back();
  p.delta = coarse_normals(size, 1);
  p.weights = normals(size, 2);
  p.accumulator = coarse_normals(size, 3);
  p.use_delta = c.delta;
  p.use_accumulator = c.accumulator;
  p.update.mask = c.mask;
  p.update.threshold = 1.25f;
  p.update.probability = 0.3f;
  p.update.seed = 11, p.update.run = 4, p.update.step = 9;
  std::vector<float> changes = c.delta ? p.delta : p.accumulator;
  for (std::int64_t i = 0; c.delta && c.accumulator && i < size; ++i) changes[i] += p.accumulator[i];
  std::vector<std::int64_t> k;
  for (std::size_t s = 0; s + 1 < p.offsets.size(); ++s)
    k.push_back(s % 3 == 2 ? p.offsets[s + 1] - p.offsets[s] : (p.offsets[s + 1] - p.offsets[s] + 5) / 10);
  p.selection.resize(k.size());
  reference::select_threshold(changes.data(), segments_of(p.offsets), k.data(), p.selection.data());
  return p;
}

State apply(const Context& context, const Problem& p) {
  const Buffer<float> delta(context, p.delta);
  const Buffer<Selection> selection(context, p.selection);
  Buffer<float> weights(context, p.weights), accumulator(context, p.accumulator);
  Buffer<UpdateCounts> counts(context, p.selection.size());
  MaskedUpdate update = p.update;
  update.selection = selection.data();
  update.accumulator = p.use_accumulator ? accumulator.data() : nullptr;
  masked_update(context, segments_of(p.offsets), p.use_delta ? delta.data() : nullptr, update, weights.data(),
                counts.data());
  return {weights.get(), accumulator.get(), counts.get()};
}

State apply_reference(const Problem& p) {
  State state{p.weights, p.accumulator, std::vector<UpdateCounts>(p.selection.size())};
  MaskedUpdate update = p.update;
  update.selection = p.selection.data();
  update.accumulator = p.use_accumulator ? state.accumulator.data() : nullptr;
  reference::masked_update(segments_of(p.offsets), p.use_delta ? p.delta.data() : nullptr, update, state.weights.data(),
                           state.counts.data());
  return state;
}

void expect_same(const State& got, const State& expected) {
  EXPECT_EQ(bits(got.weights), bits(expected.weights));
  EXPECT_EQ(bits(got.accumulator), bits(expected.accumulator));
  for (std::size_t s = 0; s < expected.counts.size(); ++s) {
    EXPECT_EQ(got.counts[s].writes, expected.counts[s].writes) << "segment " << s;
    EXPECT_NEAR(got.counts[s].path, expected.counts[s].path, 1e-5 * expected.counts[s].path) << "segment " << s;
    EXPECT_NEAR(got.counts[s].squared, expected.counts[s].squared, 1e-5 * expected.counts[s].squared)
        << "segment " << s;
  }
}

const std::vector<Case> k_cases = {{Mask::all, false, true},       {Mask::all, true, true},
                                   {Mask::threshold, false, true}, {Mask::threshold, true, true},
                                   {Mask::threshold, true, false}, {Mask::random, false, true},
                                   {Mask::random, true, true},     {Mask::selection, false, true},
                                   {Mask::selection, true, false}, {Mask::selection, true, true}};

void expect_masked_update_matches_reference(const Context& context) {
  for (const Case& c : k_cases) {
    SCOPED_TRACE(::testing::Message() << "mask " << static_cast<int>(c.mask) << " accumulator " << c.accumulator
                                      << " delta " << c.delta);
    const Problem p = make_problem(c);
    expect_same(apply(context, p), apply_reference(p));
  }
}

TEST(MaskedUpdate, matches_the_reference_under_every_mask) { expect_masked_update_matches_reference(Context::cpu()); }
TEST_F(OnCuda, masked_update_matches_the_reference_under_every_mask) {
  expect_masked_update_matches_reference(Context::cuda());
}

TEST(MaskedUpdate, has_the_same_bits_and_counts_for_one_and_two_threads) {
  for (const Case& c : k_cases) {
    const Problem p = make_problem(c);
    const State one = apply(Context::cpu(1), p), two = apply(Context::cpu(2), p);
    EXPECT_EQ(bits(one.weights), bits(two.weights));
    EXPECT_EQ(bits(one.accumulator), bits(two.accumulator));
    for (std::size_t s = 0; s < one.counts.size(); ++s) {
      EXPECT_EQ(one.counts[s].writes, two.counts[s].writes);
      EXPECT_EQ(one.counts[s].path, two.counts[s].path);
      EXPECT_EQ(one.counts[s].squared, two.counts[s].squared);
    }
  }
}

TEST(MaskedUpdate, counts_are_those_of_comparing_the_weights_before_and_after) {
  for (const Case& c : k_cases) {
    const Problem p = make_problem(c);
    const State got = apply(Context::cpu(), p);
    for (std::size_t s = 0; s + 1 < p.offsets.size(); ++s) {
      std::int64_t writes = 0;
      double path = 0, squared = 0;
      for (std::int64_t i = p.offsets[s]; i < p.offsets[s + 1]; ++i) {
        const double moved = static_cast<double>(got.weights[i]) - p.weights[i];
        writes += moved != 0;
        path += std::fabs(moved);
        squared += moved * moved;
      }
      EXPECT_EQ(got.counts[s].writes, writes);
      EXPECT_NEAR(got.counts[s].path, path, 1e-5 * path);
      EXPECT_NEAR(got.counts[s].squared, squared, 1e-5 * squared);
    }
  }
}

TEST(MaskedUpdate, counts_are_those_of_a_thrust_reduction) {
  const Problem p = make_problem({Mask::threshold, false, true});
  for (const int threads : {1, 2}) {
    const Context context = Context::cpu(threads);
    const State got = apply(context, p);
    for (std::size_t s = 0; s + 1 < p.offsets.size(); ++s) {
      const std::int64_t begin = p.offsets[s];
      const UpdateCounts thrust =
          count_changes_thrust(context, p.offsets[s + 1] - begin, p.weights.data() + begin, got.weights.data() + begin);
      EXPECT_EQ(got.counts[s].writes, thrust.writes);
      EXPECT_NEAR(got.counts[s].path, thrust.path, 1e-5 * thrust.path);
      EXPECT_NEAR(got.counts[s].squared, thrust.squared, 1e-5 * thrust.squared);
    }
  }
}

TEST_F(OnCuda, change_counts_by_thrust_are_exact) {
  const Context context = Context::cuda();
  const Buffer<float> before(context, std::vector<float>{1, 2, 3}), after(context, std::vector<float>{1, 2.5f, 1});
  const UpdateCounts counts = count_changes_thrust(context, 3, before.data(), after.data());
  EXPECT_EQ(counts.writes, 2);
  EXPECT_DOUBLE_EQ(counts.path, 2.5);
  EXPECT_DOUBLE_EQ(counts.squared, 4.25);
}

TEST(MaskedUpdate, takes_ties_in_index_order) {
  const std::vector<float> delta{1, -2, 2, 0.5f, 2, -2, 3};
  std::vector<float> weights(7, 0.0f);
  const std::vector<std::int64_t> offsets{0, 7}, k{3};
  Selection selection;
  UpdateCounts counts;
  select_threshold(Context::cpu(), delta.data(), segments_of(offsets), k.data(), &selection);
  MaskedUpdate update;
  update.mask = Mask::selection, update.selection = &selection;
  masked_update(Context::cpu(), segments_of(offsets), delta.data(), update, weights.data(), &counts);
  EXPECT_THAT(weights, ::testing::ElementsAre(0, -2, 2, 0, 0, 0, 3));
  EXPECT_EQ(counts.writes, 3);
  EXPECT_DOUBLE_EQ(counts.path, 7);
  EXPECT_DOUBLE_EQ(counts.squared, 17);
}

TEST(MaskedUpdate, does_not_count_a_change_too_small_to_be_stored) {
  const std::vector<float> delta{1e-9f, 0.25f};
  std::vector<float> weights{1.0f, 1.0f};
  const std::vector<std::int64_t> offsets{0, 2};
  UpdateCounts counts;
  masked_update(Context::cpu(), segments_of(offsets), delta.data(), {}, weights.data(), &counts);
  EXPECT_EQ(counts.writes, 1);
  EXPECT_DOUBLE_EQ(counts.path, 0.25);
}

TEST(MaskedUpdate, keeps_what_is_not_written_in_the_accumulator) {
  // Error feedback: weights + accumulator moves by exactly delta, written or not (Stich, Cordonnier & Jaggi 2018).
  Problem p = make_problem({Mask::threshold, true, true});
  for (float& w : p.weights) w = std::round(16 * w) / 16;  // so that all sums are exact
  const State got = apply(Context::cpu(), p);
  std::int64_t waiting = 0;
  for (std::size_t i = 0; i < p.delta.size(); ++i) {
    ASSERT_EQ(got.weights[i] + got.accumulator[i], p.weights[i] + p.accumulator[i] + p.delta[i]);
    waiting += got.accumulator[i] != 0;
  }
  EXPECT_GT(waiting, 0);
}

TEST(MaskedUpdate, writes_a_random_share_that_depends_on_the_address_alone) {
  const std::int64_t size = 100000;
  const std::vector<float> delta(size, 1.0f);
  const std::vector<std::int64_t> whole{0, size}, parts{0, 3, 777, 50000, size};
  MaskedUpdate update;
  update.mask = Mask::random, update.probability = 0.2f, update.seed = 5;
  std::vector<float> a(size), b(size), other_step(size);
  std::vector<UpdateCounts> counts(4);
  masked_update(Context::cpu(), segments_of(whole), delta.data(), update, a.data(), counts.data());
  const std::int64_t writes = counts[0].writes;
  masked_update(Context::cpu(2), segments_of(parts), delta.data(), update, b.data(), counts.data());
  update.step = 1;
  masked_update(Context::cpu(), segments_of(whole), delta.data(), update, other_step.data(), counts.data());
  EXPECT_EQ(a, b);
  EXPECT_NE(a, other_step);
  EXPECT_NEAR(static_cast<double>(writes), 0.2 * size, 5 * std::sqrt(0.2 * 0.8 * size));  // five standard deviations
}

TEST(MaskedUpdate, draws_for_packed_replicas_as_for_single_ones) {
  const std::int64_t stride = 1003;  // not a multiple of the four words of a draw
  const std::vector<float> delta(3 * stride, 1.0f);
  MaskedUpdate update;
  update.mask = Mask::random, update.probability = 0.5f, update.run = 20, update.replica_stride = stride;
  std::vector<float> packed(3 * stride), single(stride);
  const std::vector<std::int64_t> all{0, 500, 3 * stride}, one{0, stride};
  std::vector<UpdateCounts> counts(2);
  masked_update(Context::cpu(), segments_of(all), delta.data(), update, packed.data(), counts.data());
  for (std::uint32_t r = 0; r < 3; ++r) {
    std::fill(single.begin(), single.end(), 0.0f);
    update.run = 20 + r, update.replica_stride = 0;
    masked_update(Context::cpu(), segments_of(one), delta.data(), update, single.data(), counts.data());
    EXPECT_EQ(single, std::vector<float>(packed.begin() + r * stride, packed.begin() + (r + 1) * stride));
  }
}

TEST(MaskedUpdate, probability_zero_writes_nothing_and_one_everything) {
  const std::vector<float> delta(1000, 1.0f);
  const std::vector<std::int64_t> offsets{0, 1000};
  for (const float probability : {0.0f, 1.0f}) {
    std::vector<float> weights(1000);
    MaskedUpdate update;
    update.mask = Mask::random, update.probability = probability;
    UpdateCounts counts;
    masked_update(Context::cpu(), segments_of(offsets), delta.data(), update, weights.data(), &counts);
    EXPECT_EQ(counts.writes, probability == 1.0f ? 1000 : 0);
  }
}

TEST(MaskedUpdate, refuses_calls_without_a_source_or_a_selection) {
  std::vector<float> weights(3), delta(3);
  const std::vector<std::int64_t> offsets{0, 3};
  UpdateCounts counts;
  MaskedUpdate update;
  EXPECT_THROW(masked_update(Context::cpu(), segments_of(offsets), nullptr, update, weights.data(), &counts),
               core::Error);
  update.mask = Mask::selection;
  EXPECT_THROW(masked_update(Context::cpu(), segments_of(offsets), delta.data(), update, weights.data(), &counts),
               core::Error);
}

// ---- fused dense update ----------------------------------------------------------------------------------------

void expect_fused_equals_two_passes(const Context& context) {
  const std::int64_t size = k_offsets.back();
  const std::vector<float> g = normals(size, 1), w = normals(size, 2), v = normals(size, 3);
  const Segments segments = segments_of(k_offsets);
  for (const int kind : {0, 1, 2}) {
    const float momentum = kind > 0 ? 0.9f : 0.0f;
    const SgdParameters p{0.05f, momentum, 1e-4f, kind == 2};
    const Buffer<float> gd(context, g);
    Buffer<float> w1(context, w), w2(context, w), v1(context, v), v2(context, v), delta(context, size);
    Buffer<UpdateCounts> c1(context, segments.count), c2(context, segments.count);
    sgd_update_dense(context, segments, p, gd.data(), w1.data(), momentum > 0 ? v1.data() : nullptr, c1.data());
    sgd_delta(context, size, p, gd.data(), w2.data(), momentum > 0 ? v2.data() : nullptr, delta.data());
    masked_update(context, segments, delta.data(), {}, w2.data(), c2.data());
    EXPECT_EQ(bits(w1.get()), bits(w2.get()));
    EXPECT_EQ(bits(v1.get()), bits(v2.get()));
    const std::vector<UpdateCounts> fused = c1.get(), two = c2.get();
    for (int s = 0; s < segments.count; ++s) {
      EXPECT_EQ(fused[s].writes, two[s].writes);
      EXPECT_EQ(fused[s].path, two[s].path);
      EXPECT_EQ(fused[s].squared, two[s].squared);
    }
  }
}

TEST(SgdUpdateDense, equals_delta_and_masked_update_bit_for_bit) {
  expect_fused_equals_two_passes(Context::cpu(1));
  expect_fused_equals_two_passes(Context::cpu(2));
}
TEST_F(OnCuda, fused_sgd_update_equals_delta_and_masked_update) { expect_fused_equals_two_passes(Context::cuda()); }

}  // namespace
}  // namespace eos::kernels
