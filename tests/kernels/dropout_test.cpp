#include "eos/kernels/dropout.hpp"

#include <cmath>
#include <string>

#include "eos/core/error.hpp"
#include "kernel_test.hpp"

namespace eos::kernels {
namespace {

using test::bits;
using test::normals;
using test::OnCuda;

std::vector<float> run(const Context& context, DropoutShape shape, DropoutLayer layer,
                       const std::vector<DropoutDraw>& draws, const std::vector<std::int32_t>& samples,
                       const std::vector<float>& x) {
  const Buffer<std::int32_t> ids(context, samples);
  DropoutDraw* where = static_cast<DropoutDraw*>(context.allocate(draws.size() * sizeof(DropoutDraw)));
  context.copy_in(where, draws.data(), draws.size() * sizeof(DropoutDraw));
  Buffer<float> values(context, x);  // in place
  dropout(context, shape, layer, where, ids.data(), values.data(), values.data());
  std::vector<float> result = values.get();
  context.release(where);
  return result;
}

void expect_has_bits_of_reference(const Context& context) {
  for (const DropoutShape& shape : {DropoutShape{1, 1, 1}, DropoutShape{2, 5, 75}, DropoutShape{3, 40, 512},
                                    DropoutShape{1, 0, 8}, DropoutShape{1, 2, 100003}}) {
    const auto rows = static_cast<std::size_t>(shape.replicas * shape.rows);
    const std::vector<std::int32_t> samples = test::labels(rows, 60000, 3);
    const std::vector<float> x = normals(rows * static_cast<std::size_t>(shape.width), 1);
    const std::vector<DropoutDraw> draws{{1, 2, 3}, {4, 5, 6}, {std::uint64_t{7} << 40, 8, 9}};
    for (const float rate : {0.0f, 0.1f, 0.5f, 0.999f}) {
      std::vector<float> expected(x.size());
      reference::dropout(shape, {rate, 2}, draws.data(), samples.data(), x.data(), expected.data());
      EXPECT_EQ(bits(run(context, shape, {rate, 2}, draws, samples, x)), bits(expected)) << rate;
    }
  }
}

TEST(Dropout, has_the_bits_of_the_reference) {
  expect_has_bits_of_reference(Context::cpu(1));
  expect_has_bits_of_reference(Context::cpu(2));
}
TEST_F(OnCuda, dropout_has_the_bits_of_the_reference) { expect_has_bits_of_reference(Context::cuda()); }

TEST(Dropout, draws_the_mask_of_its_address) {
  // Philox4x32-10 written out in Python (integers of any size): seed 9 2^32 + 5, run 3, step 7, site 2, rate 0.3f
  const std::string masks[] = {"111101110111010110111111001110100111111101010011000100111101111010110111111",
                               "111011011101110101100111101111011111111010011000111111101110010111010101111"};
  const std::vector<float> ones(150, 1.0f);
  const std::vector<float> y =
      run(Context::cpu(), {1, 2, 75}, {0.3f, 2}, {{(std::uint64_t{9} << 32) + 5, 3, 7}}, {41, 1000000}, ones);
  for (std::size_t i = 0; i < 150; ++i) EXPECT_EQ(y[i], masks[i / 75][i % 75] == '1' ? 1 / (1 - 0.3f) : 0.0f) << i;
}

TEST(Dropout, gives_a_sample_the_same_mask_anywhere_in_a_batch) {
  const std::vector<float> x = normals(3 * 200, 1);
  const std::vector<float> first{x.begin() + 200, x.begin() + 400};
  const std::vector<float> all = run(Context::cpu(), {1, 3, 200}, {0.4f, 0}, {{1, 2, 3}}, {5, 17, 9}, x);
  EXPECT_EQ(bits(run(Context::cpu(), {1, 1, 200}, {0.4f, 0}, {{1, 2, 3}}, {17}, first)),
            bits(std::vector<float>(all.begin() + 200, all.begin() + 400)));
}

TEST(Dropout, differs_between_samples_steps_runs_seeds_and_sites) {
  const std::vector<float> ones(256, 1.0f);
  const auto mask = [&](DropoutDraw draw, std::int32_t sample, std::uint32_t site) {
    return run(Context::cpu(), {1, 1, 256}, {0.5f, site}, {draw}, {sample}, ones);
  };
  const std::vector<std::vector<float>> masks{mask({1, 2, 3}, 4, 5), mask({9, 2, 3}, 4, 5), mask({1, 9, 3}, 4, 5),
                                              mask({1, 2, 9}, 4, 5), mask({1, 2, 3}, 9, 5), mask({1, 2, 3}, 4, 9)};
  for (std::size_t i = 0; i < masks.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      int equal = 0;
      for (std::size_t e = 0; e < 256; ++e) equal += masks[i][e] == masks[j][e];
      EXPECT_NEAR(equal, 128, 5 * 8) << i << " " << j;  // five standard deviations of fair coins
    }
  }
}

TEST(Dropout, drops_the_share_that_it_should_and_keeps_the_mean) {
  const int rows = 100, width = 1000;
  std::vector<std::int32_t> samples(rows);
  for (int i = 0; i < rows; ++i) samples[i] = i;
  const std::vector<float> y =
      run(Context::cpu(), {1, rows, width}, {0.25f, 0}, {{1, 0, 0}}, samples, std::vector<float>(rows * width, 1.0f));
  double dropped = 0, sum = 0;
  for (const float value : y) dropped += value == 0, sum += value;
  const double deviation = std::sqrt(0.25 * 0.75 / (rows * width));
  EXPECT_NEAR(dropped / (rows * width), 0.25, 5 * deviation);
  EXPECT_NEAR(sum / (rows * width), 1, 5 * deviation / 0.75);
}

TEST(Dropout, refuses_rates_that_are_no_probabilities) {
  for (const float rate : {-0.1f, 1.0f, NAN})
    EXPECT_THROW(run(Context::cpu(), {1, 1, 4}, {rate, 0}, {{}}, {0}, {1, 2, 3, 4}), core::Error);
}

}  // namespace
}  // namespace eos::kernels
