#include "eos/kernels/context.hpp"

#include <gmock/gmock.h>

#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "eos/core/error.hpp"
#include "eos/kernels/device.hpp"
#include "kernel_test.hpp"

namespace eos::kernels {
namespace {

using test::OnCuda;

std::string code_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const core::Error& error) {
    return error.diagnostics().front().code;
  }
  return "no error";
}

TEST(Context, is_named_by_device) {
  EXPECT_EQ(Context::named("cpu", 2).backend(), Backend::cpu);
  EXPECT_EQ(Context::named("cpu", 2).threads(), 2);
  EXPECT_EQ(Context::named("cpu").device_name(), "cpu");
  EXPECT_EQ(Context::named("auto").backend(), cuda_available() ? Backend::cuda : Backend::cpu);
}

TEST(DeviceName, has_a_kind_a_number_and_a_precision) {
  EXPECT_TRUE(parse_device("auto").automatic);
  EXPECT_EQ(parse_device("cpu").backend, Backend::cpu);
  EXPECT_FALSE(parse_device("cpu").automatic);
  const std::pair<const char*, Products> suffixes[] = {
      {"", Products::tf32}, {":tf32", Products::tf32}, {":fp32", Products::fp32}, {":bf16", Products::bf16}};
  for (const auto& [suffix, products] : suffixes) {
    const std::pair<const char*, int> numbers[] = {{"", 0}, {":0", 0}, {":3", 3}, {":9999", 9999}};
    for (const auto& [number, index] : numbers) {
      const DeviceName name = parse_device("cuda" + std::string(number) + suffix);
      EXPECT_EQ(name.backend, Backend::cuda);
      EXPECT_EQ(name.index, index);
      EXPECT_EQ(name.products, products);
      EXPECT_EQ(name.says_products, *suffix != 0);
      EXPECT_EQ(name.says_index, *number != 0);
    }
  }
  EXPECT_EQ(to_string(Products::bf16), "bf16");
  EXPECT_EQ(describe_device(Context::cpu()), "cpu");
}

TEST(DeviceName, that_is_none_is_answered_with_what_is_allowed) {
  for (const char* name : {"gpu", "cuda:half"}) {
    try {
      parse_device(name);
      ADD_FAILURE() << name;
    } catch (const core::Error& error) {
      const core::Diagnostic& d = error.diagnostics().front();
      EXPECT_EQ(d.message, "unknown device '" + std::string(name) + "'");
      EXPECT_THAT(d.help, ::testing::HasSubstr("allowed: auto, cpu, cuda, cuda:N"));
      EXPECT_THAT(d.help, ::testing::HasSubstr(":fp32, :tf32 or :bf16"));
    }
  }
}

TEST(Context, refuses_unknown_devices_and_thread_counts) {
  for (const char* name : {"gpu", "", "cpu:1", "cuda1", "cuda:", "cuda:x", "cuda:-1", "cuda:12345", "cuda:1:fp16",
                           ":fp32", "cuda:fp32:1", "cuda:bf16:fp32", "cpu:bf16", "auto:bf16"})
    EXPECT_EQ(code_of([=] { Context::named(name); }), "E106") << name;
  EXPECT_EQ(code_of([] { Context::cpu(0); }), "E104");
}

TEST(Context, says_that_there_is_no_cuda_device) {
  EXPECT_FALSE(describe_cuda().empty());
  if (cuda_available()) GTEST_SKIP() << "this machine has a CUDA device";
  EXPECT_EQ(code_of([] { Context::cuda(); }), "E302");
}

TEST(Context, takes_devices_by_number_and_with_exact_products) {
  if (cuda_available()) GTEST_SKIP() << "this machine has a CUDA device";
  for (const char* name : {"cuda", "cuda:0", "cuda:1", "cuda:fp32", "cuda:1:fp32", "cuda:bf16", "cuda:1:bf16"})
    EXPECT_EQ(code_of([=] { Context::named(name); }), "E302") << name;
}

TEST_F(OnCuda, names_choose_the_products) {
  EXPECT_EQ(products(Context::named("cuda")), Products::tf32);
  EXPECT_EQ(products(Context::named("cuda:0:fp32")), Products::fp32);
  EXPECT_EQ(products(Context::named("cuda:bf16")), Products::bf16);
  EXPECT_EQ(products(Context::cuda()), Products::fp32);
  EXPECT_THAT(describe_device(Context::named("cuda:bf16")), ::testing::EndsWith(", products in bf16"));
  EXPECT_GT(free_bytes(Context::named("cuda")), 0u);
  EXPECT_EQ(code_of([] { Context::named("cuda:9999"); }), "E302");
}

TEST(Context, knows_what_is_free) { EXPECT_GT(free_bytes(Context::cpu()), std::size_t{1} << 20); }

TEST(Context, allocates_aligned_memory_and_reports_what_it_cannot) {
  const Context context = Context::cpu();
  for (const std::size_t bytes : {1, 63, 64, 1000}) {
    void* memory = context.allocate(bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory) % 64, 0u);
    context.release(memory);
  }
  EXPECT_EQ(code_of([&] { context.allocate(std::numeric_limits<std::size_t>::max() - 5); }), "E304");
  EXPECT_EQ(code_of([&] { context.allocate(std::size_t{1} << 60); }), "E304");
}

TEST(Buffer, starts_at_zero_moves_and_copies_out) {
  const Context context = Context::cpu();
  Buffer<float> a(context, 5);
  EXPECT_EQ(a.get(), std::vector<float>(5, 0.0f));
  a.put({1, 2, 3, 4, 5});
  Buffer<float> b = std::move(a);
  EXPECT_THAT(b.get(), ::testing::ElementsAre(1, 2, 3, 4, 5));
  b.zero();
  EXPECT_EQ(b.get(), std::vector<float>(5, 0.0f));
  EXPECT_TRUE(Buffer<float>(context, std::size_t{0}).get().empty());
}

TEST_F(OnCuda, buffers_go_to_the_device_and_back) {
  const Context context = Context::cuda();
  Buffer<float> a(context, 5);
  EXPECT_EQ(a.get(), std::vector<float>(5, 0.0f));
  a.put({1, 2, 3, 4, 5});
  EXPECT_THAT(a.get(), ::testing::ElementsAre(1, 2, 3, 4, 5));
  EXPECT_EQ(code_of([&] { context.allocate(std::size_t{1} << 55); }), "E304");
}

}  // namespace
}  // namespace eos::kernels
