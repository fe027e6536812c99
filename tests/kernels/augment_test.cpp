#include "eos/kernels/augment.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "eos/core/error.hpp"
#include "kernel_test.hpp"

namespace eos::kernels {
namespace {

using test::bits;
using test::OnCuda;

std::vector<std::uint8_t> bytes(std::size_t size) {
  std::vector<std::uint8_t> values(size);
  for (std::size_t i = 0; i < size; ++i)
    values[i] = static_cast<std::uint8_t>(core::draw(3, test::at(9, i)).v[0] >> 24);
  return values;
}

struct Problem {
  ImageShape shape;
  int samples = 11;
  std::vector<std::uint8_t> source;
  std::vector<std::int32_t> index{3, 0, 10, 3, 3, 7, 1, 9};
  std::vector<std::uint32_t> view{0, 5, 5, 1, 0, 4000000000u, 2, 17};
  std::vector<float> scale, shift, pool;
  Augmentation augmentation;
  float sigma = 0;
  bool views = true;

  explicit Problem(ImageShape s, Augmentation a = {}) : shape(s), augmentation(a) {
    source = bytes(static_cast<std::size_t>(samples * s.size()));
    for (int c = 0; c < s.channels; ++c) {
      scale.push_back(0.01f + 0.003f * static_cast<float>(c)), shift.push_back(0.5f - 0.1f * static_cast<float>(c));
    }
    pool = noise_pool(1, 101);
    augmentation.seed = 12, augmentation.run = 2;
  }
};

std::vector<float> run(const Context& context, const Problem& p) {
  const Buffer<std::uint8_t> source(context, p.source);
  const Buffer<std::int32_t> index(context, p.index);
  const Buffer<std::uint32_t> view(context, p.view);
  const Buffer<float> scale(context, p.scale), shift(context, p.shift), pool(context, p.pool);
  Buffer<float> out(context, p.index.size() * static_cast<std::size_t>(p.shape.size()));
  Augmentation a = p.augmentation;
  if (p.views) a.view = view.data();
  ImageTransform t{scale.data(), shift.data(), {}};
  if (p.sigma != 0) t.noise = {p.sigma, pool.data(), 101, 4, 1, 2};
  gather_images(context, source.data(), p.shape, index.data(), static_cast<int>(p.index.size()), t, a, out.data());
  return out.get();
}

std::vector<float> run_reference(const Problem& p) {
  std::vector<float> out(p.index.size() * static_cast<std::size_t>(p.shape.size()));
  Augmentation a = p.augmentation;
  if (p.views) a.view = p.view.data();
  ImageTransform t{p.scale.data(), p.shift.data(), {}};
  if (p.sigma != 0) t.noise = {p.sigma, p.pool.data(), 101, 4, 1, 2};
  reference::gather_images(p.source.data(), p.shape, p.index.data(), static_cast<int>(p.index.size()), t, a,
                           out.data());
  return out;
}

Augmentation with(float flip, int translate, int cutout) {
  Augmentation a;
  a.flip = flip, a.translate = translate, a.cutout = cutout;
  return a;
}

/// No change, each alone, all together, and shifts and squares larger than the image.
const std::vector<Augmentation> k_augmentations{with(0, 0, 0),    with(1, 0, 0),    with(0.5f, 0, 0),
                                                with(0, 2, 0),    with(0, 0, 3),    with(0, 0, 4),
                                                with(0.5f, 2, 3), with(0.5f, 9, 0), with(0.5f, 1, 30)};
const std::vector<ImageShape> k_shapes{{28, 28, 1}, {8, 6, 3}, {5, 9, 2}, {1, 1, 40}, {1, 7, 1}};

void expect_images_match_reference(const Context& context) {
  for (const ImageShape& shape : k_shapes) {
    for (const Augmentation& a : k_augmentations) {
      for (const float sigma : {0.0f, 0.3f}) {
        Problem p(shape, a);
        p.sigma = sigma;
        EXPECT_EQ(bits(run(context, p)), bits(run_reference(p)))
            << shape.height << " x " << shape.width << " x " << shape.channels << ": flip " << a.flip << " translate "
            << a.translate << " cutout " << a.cutout;
      }
    }
  }
}

void expect_replicas_have_their_own_draws(const Context& context) {
  Problem p({8, 6, 3}, with(0.5f, 2, 3));
  const std::vector<DropoutDraw> keys{{5, 0, 0}, {12, 9, 9}};  // of a key only the seed counts
  const Buffer<DropoutDraw> on_device(context, keys);
  p.augmentation.replicas = on_device.data(), p.augmentation.rows_of_replica = 4;
  const std::vector<float> both = run(context, p);
  p.augmentation.replicas = nullptr;
  const auto half = static_cast<std::ptrdiff_t>(both.size() / 2);
  for (int r = 0; r < 2; ++r) {
    p.augmentation.seed = keys[static_cast<std::size_t>(r)].seed;
    const std::vector<float> all = run(context, p);
    EXPECT_TRUE(std::equal(all.begin() + r * half, all.begin() + (r + 1) * half, both.begin() + r * half)) << r;
  }
}

TEST(GatherImages, draws_for_rows_of_several_replicas) { expect_replicas_have_their_own_draws(Context::cpu(2)); }
TEST_F(OnCuda, gather_images_draws_for_rows_of_several_replicas) {
  expect_replicas_have_their_own_draws(Context::cuda());
}

TEST(GatherImages, has_the_bits_of_the_reference) {
  expect_images_match_reference(Context::cpu(1));
  expect_images_match_reference(Context::cpu(2));
}
TEST_F(OnCuda, gather_images_has_the_bits_of_the_reference) { expect_images_match_reference(Context::cuda()); }

TEST(GatherImages, of_many_rows_do_not_depend_on_threads) {
  Problem p({28, 28, 1}, with(0.5f, 4, 8));
  p.index.clear(), p.view.clear();
  for (int i = 0; i < 2000; ++i) p.index.push_back(i * 7 % p.samples), p.view.push_back(static_cast<std::uint32_t>(i));
  EXPECT_EQ(bits(run(Context::cpu(1), p)), bits(run(Context::cpu(2), p)));
}

TEST(GatherImages, standardises_each_channel) {
  Problem p({4, 4, 3});
  p.views = false;
  const std::vector<float> got = run(Context::cpu(), p);
  for (std::size_t i = 0; i < got.size(); ++i) {
    const std::size_t row = i / 48, c = i % 3;
    const auto byte = p.source[static_cast<std::size_t>(p.index[row]) * 48 + i % 48];
    EXPECT_EQ(got[i], p.scale[c] * static_cast<float>(byte) - p.shift[c]);
  }
}

TEST(GatherImages, with_one_scale_and_shift_are_those_of_gather_rows) {
  Problem p({6, 5, 1});
  p.views = false, p.sigma = 0.2f;
  const std::vector<float> got = run(Context::cpu(), p);
  std::vector<float> rows(got.size());
  const InputNoise noise{p.sigma, p.pool.data(), 101, 4, 1, 2};
  gather_rows(Context::cpu(), p.source.data(), 30, p.index.data(), 8, {p.scale[0], p.shift[0], noise}, rows.data());
  EXPECT_EQ(bits(got), bits(rows));
}

TEST(GatherImages, look_the_same_wherever_a_sample_lies_in_a_batch) {
  const Problem p({8, 6, 3}, with(0.5f, 2, 3));
  const std::vector<float> all = run(Context::cpu(), p);
  const auto size = static_cast<std::size_t>(p.shape.size());
  for (std::size_t i = 0; i < p.index.size(); ++i) {
    Problem alone = p;
    alone.index = {p.index[i]}, alone.view = {p.view[i]};
    EXPECT_EQ(bits(run(Context::cpu(), alone)),
              bits(std::vector<float>(all.begin() + i * size, all.begin() + (i + 1) * size)));
  }
}

/// One sample in many views, of which pixel values tell where they come from: byte = 1 + column + 16 row.
std::vector<float> views_of_a_ramp(Augmentation augmentation, int views) {
  Problem p({8, 8, 1}, augmentation);
  p.samples = 1;
  for (int i = 0; i < 64; ++i)
    p.source[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(1 + i % 8 + 16 * (i / 8));
  p.index.assign(static_cast<std::size_t>(views), 0);
  p.view.clear();
  for (int i = 0; i < views; ++i) p.view.push_back(static_cast<std::uint32_t>(i));
  p.scale = {1}, p.shift = {0};
  return run(Context::cpu(), p);
}

constexpr int k_views = 20000;

TEST(GatherImages, are_reflected_with_the_probability_asked_for) {
  const std::vector<float> images = views_of_a_ramp(with(0.3f, 0, 0), k_views);
  int reflected = 0;
  for (int i = 0; i < k_views; ++i) {
    const bool flip = images[static_cast<std::size_t>(64 * i)] == 8;
    reflected += flip;
    for (int x = 0; x < 8; ++x) ASSERT_EQ(images[static_cast<std::size_t>(64 * i + x)], flip ? 8 - x : 1 + x);
  }
  EXPECT_NEAR(reflected, 0.3 * k_views, 5 * std::sqrt(0.21 * k_views));  // five standard deviations
}

TEST(GatherImages, are_shifted_evenly_in_both_directions) {
  const std::vector<float> images = views_of_a_ramp(with(0, 2, 0), k_views);
  std::vector<int> count(25, 0);
  for (int i = 0; i < k_views; ++i) {
    const float* image = images.data() + 64 * i;
    const int middle = static_cast<int>(image[3 * 8 + 3]) - 1;  // never shifted out
    const int dy = middle / 16 - 3, dx = middle % 16 - 3;
    ASSERT_LE(std::max(std::abs(dy), std::abs(dx)), 2);
    ++count[static_cast<std::size_t>(5 * (dy + 2) + dx + 2)];
    for (int y = 0; y < 8; ++y) {
      for (int x = 0; x < 8; ++x) {
        const bool inside = y + dy >= 0 && y + dy < 8 && x + dx >= 0 && x + dx < 8;
        ASSERT_EQ(image[8 * y + x], inside ? 1 + x + dx + 16 * (y + dy) : 0);
      }
    }
  }
  for (const int n : count) EXPECT_NEAR(n, k_views / 25, 5 * std::sqrt(k_views / 25.0));
}

TEST(GatherImages, are_cut_around_every_pixel_equally_often) {
  const std::vector<float> images = views_of_a_ramp(with(0, 0, 3), k_views);
  std::vector<int> zeros(64, 0);
  for (int i = 0; i < k_views; ++i) {
    int cut = 0;
    for (int k = 0; k < 64; ++k) {
      const bool zero = images[static_cast<std::size_t>(64 * i + k)] == 0;
      cut += zero, zeros[static_cast<std::size_t>(k)] += zero;
    }
    ASSERT_THAT(cut, ::testing::AnyOf(4, 6, 9));  // in a corner, at an edge, inside
  }
  for (int y = 0; y < 8; ++y) {
    for (int x = 0; x < 8; ++x) {  // as many as there are middles within reach
      const int reach = (y == 0 || y == 7 ? 2 : 3) * (x == 0 || x == 7 ? 2 : 3);
      const double expected = k_views * reach / 64.0;
      EXPECT_NEAR(zeros[static_cast<std::size_t>(8 * y + x)], expected, 5 * std::sqrt(expected));
    }
  }
}

TEST(GatherImages, draws_have_the_address_of_the_header) {
  const Problem p({16, 12, 1}, with(0.5f, 3, 0));
  const std::vector<float> got = run(Context::cpu(), p);
  for (std::size_t i = 0; i < p.index.size(); ++i) {
    const core::Words w =
        core::draw(12, {2, p.view[i], core::Purpose::augmentation, static_cast<std::uint32_t>(p.index[i])});
    const bool flip = core::uniform(w.v[0]) < 0.5;
    const int dy = static_cast<int>(core::uniform_int(w.v[1], 7)) - 3,
              dx = static_cast<int>(core::uniform_int(w.v[2], 7)) - 3;
    const std::size_t y = static_cast<std::size_t>(8 + dy), x = static_cast<std::size_t>((flip ? 12 - 1 - 5 : 5) + dx);
    const auto byte = p.source[static_cast<std::size_t>(p.index[i]) * 192 + y * 12 + x];
    EXPECT_EQ(got[i * 192 + 8 * 12 + 5], p.scale[0] * static_cast<float>(byte) - p.shift[0]);
  }
}

TEST(GatherImages, refuse_what_makes_no_sense) {
  Problem p({4, 4, 1}, with(0, -1, 0));
  EXPECT_THROW(run(Context::cpu(), p), core::Error);
  p.augmentation.translate = 0, p.shape.width = 0;
  EXPECT_THROW(run(Context::cpu(), p), core::Error);
  float out = 0;
  EXPECT_THROW(gather_images(Context::cpu(), p.source.data(), {1, 1, 1}, p.index.data(), 1, {}, {}, &out), core::Error);
}

}  // namespace
}  // namespace eos::kernels
