#include "eos/kernels/select.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "eos/core/error.hpp"
#include "kernel_test.hpp"

namespace eos::kernels {

bool operator==(const Selection& a, const Selection& b) { return a.threshold == b.threshold && a.ties == b.ties; }
void PrintTo(const Selection& s, std::ostream* out) {
  *out << "{0x" << std::hex << s.threshold << std::dec << ", " << s.ties << "}";
}

namespace {

using test::normals;
using test::OnCuda;

Segments segments_of(const std::vector<std::int64_t>& offsets) {
  return {static_cast<int>(offsets.size()) - 1, offsets.data()};
}

using Select = void (*)(const Context&, const float*, Segments, const std::int64_t*, Selection*);

std::vector<Selection> run(Select select, const Context& context, const std::vector<float>& values,
                           const std::vector<std::int64_t>& offsets, const std::vector<std::int64_t>& k) {
  const Buffer<float> v(context, values);
  Buffer<Selection> selection(context, k.size());
  select(context, v.data(), segments_of(offsets), k.data(), selection.data());
  return selection.get();
}

std::vector<Selection> run_reference(const std::vector<float>& values, const std::vector<std::int64_t>& offsets,
                                     const std::vector<std::int64_t>& k) {
  std::vector<Selection> selection(k.size());
  reference::select_threshold(values.data(), segments_of(offsets), k.data(), selection.data());
  return selection;
}

/// Arrays made to break a selection: each with a name for the failure message.
struct Input {
  const char* name;
  std::vector<float> values;
};

std::vector<Input> inputs(std::size_t n) {
  std::vector<Input> list;
  list.push_back({"normal", normals(n, 1)});
  list.push_back({"all equal", std::vector<float>(n, -0.75f)});
  list.push_back({"all zero of both signs", std::vector<float>(n, 0.0f)});
  for (std::size_t i = 0; i < n; i += 2) list.back().values[i] = -0.0f;
  list.push_back({"denormal", std::vector<float>(n)});
  for (std::size_t i = 0; i < n; ++i) list.back().values[i] = std::ldexp(static_cast<float>(i % 1000) - 500, -149);
  list.push_back({"few values", normals(n, 2)});
  for (float& v : list.back().values) v = std::round(2 * v);
  list.push_back({"ascending", std::vector<float>(n)});
  std::iota(list.back().values.begin(), list.back().values.end(), 0.0f);
  list.push_back({"one outlier", std::vector<float>(n, 1e-3f)});
  if (n > 0) list.back().values[n / 3] = -1e30f;
  list.push_back({"sparse", std::vector<float>(n, 0.0f)});
  for (std::size_t i = 0; i < n; i += 97) list.back().values[i] = static_cast<float>(i);
  list.push_back({"differing in the last bit", std::vector<float>(n)});
  for (std::size_t i = 0; i < n; ++i)
    list.back().values[i] = std::bit_cast<float>(0x3F800000u + static_cast<std::uint32_t>(i * 7919 % 512));
  list.push_back({"infinite", normals(n, 3)});
  for (std::size_t i = 0; i < n; i += 5) list.back().values[i] = -std::numeric_limits<float>::infinity();
  // A sample of evenly spread runs of 64 sees only the large values here.
  list.push_back({"hidden from a strided sample", std::vector<float>(n, 1e-5f)});
  for (std::size_t run = 0; run < 64; ++run) {
    for (std::size_t i = 0; i < 64 && run * (n / 64) + i < n; ++i)
      list.back().values[run * (n / 64) + i] = 5.0f + static_cast<float>(i);
  }
  return list;
}

std::vector<std::int64_t> ranks(std::int64_t n) { return {0, 1, 2, n / 100, n / 10, n / 2, n - 1, n, n + 5}; }

void expect_selects_exactly(Select select, const Context& context) {
  for (const std::size_t n : {0, 1, 2, 33, 4096, 4097, 70001}) {
    for (const Input& input : inputs(n)) {
      for (const std::int64_t k : ranks(static_cast<std::int64_t>(n))) {
        const std::vector<std::int64_t> offsets{0, static_cast<std::int64_t>(n)};
        ASSERT_EQ(run(select, context, input.values, offsets, {k}), run_reference(input.values, offsets, {k}))
            << input.name << ", n = " << n << ", k = " << k;
      }
    }
  }
}

/// Replicas x layers of a small network, sizes on both sides of the limit for a partial sort, each with its own k.
void expect_selects_per_segment(Select select, const Context& context) {
  std::vector<std::int64_t> offsets{0}, k;
  for (int replica = 0; replica < 3; ++replica) {
    for (const std::int64_t size : {20000, 256, 0, 6553, 10, 1}) {
      offsets.push_back(offsets.back() + size);
      k.push_back((size * (1 + 3 * replica)) / 10);
    }
  }
  for (const Input& input : inputs(static_cast<std::size_t>(offsets.back()))) {
    ASSERT_EQ(run(select, context, input.values, offsets, k), run_reference(input.values, offsets, k)) << input.name;
  }
}

TEST(SelectThreshold, is_exact_on_adversarial_inputs) { expect_selects_exactly(select_threshold, Context::cpu()); }
TEST(SelectThreshold, is_exact_in_every_segment) { expect_selects_per_segment(select_threshold, Context::cpu()); }
TEST(SelectThreshold, is_exact_on_two_threads) {
  expect_selects_exactly(select_threshold, Context::cpu(2));
  expect_selects_per_segment(select_threshold, Context::cpu(2));
}
TEST_F(OnCuda, select_threshold_is_exact) {
  expect_selects_exactly(select_threshold, Context::cuda());
  expect_selects_per_segment(select_threshold, Context::cuda());
}

TEST(SelectThresholdThrust, is_exact) {
  expect_selects_exactly(select_threshold_thrust, Context::cpu());
  expect_selects_per_segment(select_threshold_thrust, Context::cpu());
}
TEST_F(OnCuda, select_threshold_thrust_is_exact) {
  expect_selects_exactly(select_threshold_thrust, Context::cuda());
  expect_selects_per_segment(select_threshold_thrust, Context::cuda());
}

TEST(SelectThreshold, takes_exactly_the_k_largest_and_the_first_of_equals) {
  // The oracle is a stable sort by decreasing magnitude, which shares no code with the selections.
  std::vector<float> values = normals(9973, 4);
  for (float& v : values) v = std::round(4 * v) / 4;
  for (const std::int64_t k : {0, 1, 17, 500, 5000, 9973}) {
    std::vector<std::int64_t> order(values.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::int64_t a, std::int64_t b) { return std::fabs(values[a]) > std::fabs(values[b]); });
    order.resize(static_cast<std::size_t>(k));
    std::sort(order.begin(), order.end());
    const Selection selection = run(select_threshold, Context::cpu(), values, {0, 9973}, {k}).front();
    EXPECT_EQ(selected_indices(values.data(), 0, 9973, selection), order) << "k = " << k;
  }
}

TEST(SelectThreshold, gives_the_key_of_the_kth_largest_magnitude) {
  const std::vector<float> values{0.5f, -3.0f, 2.0f, -2.0f, 1.0f};
  const Selection selection = run(select_threshold, Context::cpu(), values, {0, 5}, {2}).front();
  EXPECT_EQ(selection.threshold, std::bit_cast<std::uint32_t>(2.0f));
  EXPECT_EQ(selection.ties, 1u);
}

TEST(SelectThreshold, refuses_nan) {
  for (const std::int64_t n : {100, 100000}) {
    for (const std::int64_t position : {std::int64_t{0}, n / 2, n - 1}) {
      std::vector<float> values = normals(static_cast<std::size_t>(n), 5);
      values[static_cast<std::size_t>(position)] = -std::numeric_limits<float>::quiet_NaN();
      EXPECT_THROW(run(select_threshold, Context::cpu(), values, {0, n}, {n / 10}), core::Error)
          << n << " " << position;
    }
  }
}

TEST_F(OnCuda, select_threshold_reports_nan_at_the_next_synchronisation) {
  const Context context = Context::cuda();
  std::vector<float> values = normals(5000, 5);
  values[4321] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THROW(run(select_threshold, context, values, {0, 5000}, {50}), core::Error);
}

}  // namespace
}  // namespace eos::kernels
