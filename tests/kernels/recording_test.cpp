#include "eos/kernels/recording.hpp"

#include <gmock/gmock.h>

#include "eos/kernels/update.hpp"
#include "kernel_test.hpp"

namespace eos::kernels {
namespace {

using test::OnCuda;

void expect_replays(const Context& context) {
  const Buffer<float> delta(context, std::vector<float>{1.0f, 0.5f});
  Buffer<float> sum(context, std::vector<float>{0.0f, 2.0f});
  const auto add = [&] { accumulate(context, 2, delta.data(), sum.data()); };
  add();
  const Recording one(context, add), three(context, add, 3);
  EXPECT_THAT(sum.get(), ::testing::ElementsAre(1.0f, 2.5f));  // recording executes nothing
  one.replay();
  three.replay();
  three.replay();
  EXPECT_THAT(sum.get(), ::testing::ElementsAre(8.0f, 6.0f));
  EXPECT_TRUE(Recording().empty());
  EXPECT_FALSE(one.empty());
}

TEST(Recording, replays_its_calls) { expect_replays(Context::cpu()); }
TEST_F(OnCuda, a_recording_replays_its_calls) { expect_replays(Context::cuda()); }

TEST_F(OnCuda, a_call_that_synchronises_cannot_be_recorded) {
  const Context context = Context::cuda();
  EXPECT_ANY_THROW(Recording(context, [&] { context.synchronise(); }));
  expect_replays(context);  // the context is still of use
}

}  // namespace
}  // namespace eos::kernels
