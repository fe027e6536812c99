// Augmentation inside the engine: the view of a presentation is the same when it is scored and when it is trained, on
// any number of threads and after a kill, and evaluation never sees one.
#include <gtest/gtest.h>

#include "../../sim/src/replica.hpp"
#include "eos/core/philox.hpp"
#include "support.hpp"

namespace eos::sim {
namespace {

using testing::run;
using testing::small_spec;
using testing::small_task;

TaskData images(int samples = 203) {
  TaskData data = small_task(samples);  // 12 inputs
  data.height = 4, data.width = 3, data.channels = 1;
  return data;
}

theory::TrainingSpec augmented(const TaskData& data) {
  theory::TrainingSpec spec = small_spec(data);
  spec.data.name = "mnist";  // images, whatever made them
  spec.data.augment = {0.5, 1, 2};
  return spec;
}

void select_difficult(theory::TrainingSpec& spec, bool two_forward) {
  spec.selection = theory::selection_preset("dbpd");
  spec.selection.two_forward = two_forward;
}

TEST(AugmentedRuns, train_the_views_that_were_scored) {
  // With two forward passes the kept rows are gathered and forwarded again; with one their activations are kept. The
  // weights of all layers are equal only if both passes see the same images.
  const TaskData data = images();
  theory::TrainingSpec once = augmented(data), twice = once;
  select_difficult(once, false), select_difficult(twice, true);
  EXPECT_EQ(run(once, data).replicas[0].weights, run(twice, data).replicas[0].weights);
}

TEST(AugmentedRuns, do_not_depend_on_threads) {
  const TaskData data = images();
  theory::TrainingSpec spec = augmented(data);
  select_difficult(spec, false);
  spec.seeds = {1, 2, 3};
  const TrainResult one = run(spec, data, 1), two = run(spec, data, 2);
  for (std::size_t r = 0; r < 3; ++r) EXPECT_EQ(one.replicas[r].weights, two.replicas[r].weights);
}

TEST(AugmentedRuns, go_on_after_a_kill_as_if_there_had_been_none) {
  const TaskData data = images();
  theory::TrainingSpec spec = augmented(data);
  select_difficult(spec, false);
  const kernels::Context context = kernels::Context::cpu();
  const RunSetup setup(spec, data, context);
  const std::vector<float> undisturbed = run(spec, data).replicas[0].weights;
  for (const int chunks : {1, 2, 3, 7, 12}) {  // with rows pending, and with rows handed back
    Replica killed(setup, context, spec.seeds[0]), resumed(setup, context, spec.seeds[0]);
    for (int i = 0; i < chunks; ++i) killed.advance();
    resumed.restore(killed.checkpoint());
    while (!resumed.finished()) resumed.advance();
    EXPECT_EQ(resumed.result(RunStatus::complete).weights, undisturbed) << chunks;
  }
}

TEST(AugmentedRuns, evaluate_the_images_as_they_are) {
  const TaskData data = images();
  theory::TrainingSpec spec = augmented(data), plain = small_spec(data);
  spec.optimiser.learning_rate = plain.optimiser.learning_rate = 0;
  const auto with = run(spec, data).replicas[0].epochs, without = run(plain, data).replicas[0].epochs;
  ASSERT_EQ(with.size(), 3u);
  for (std::size_t i = 0; i < with.size(); ++i) {
    EXPECT_EQ(with[i].validation_loss, without[i].validation_loss);
    EXPECT_EQ(with[i].test_loss, without[i].test_loss);
  }
  EXPECT_NE(with[0].train_loss, without[0].train_loss);
  EXPECT_NE(with[0].train_loss, with[1].train_loss) << "every epoch has views of its own";
}

TEST(AugmentedRuns, are_runs_on_images_changed_by_hand) {
  // One epoch in the order of the file: presentation i is sample i at position i, drawn as augment.hpp says.
  const TaskData data = images(96);
  theory::TrainingSpec spec = augmented(data);
  spec.data.order = theory::Order::file, spec.epochs = 1;
  theory::TrainingSpec plain = spec;
  plain.data.augment = {};
  TaskData changed = data;
  for (int s = 0; s < 96; ++s) {
    const auto n = static_cast<std::uint32_t>(s);
    const core::Words w = core::draw(spec.seeds[0], {0, n, core::Purpose::augmentation, n});
    const bool flip = core::uniform(w.v[0]) < 0.5;
    const int dy = static_cast<int>(core::uniform_int(w.v[1], 3)) - 1;
    const int dx = static_cast<int>(core::uniform_int(w.v[2], 3)) - 1;
    const int middle = static_cast<int>(core::uniform_int(w.v[3], 12));
    const int top = middle / 3 - 1, left = middle % 3 - 1;
    for (int y = 0; y < 4; ++y) {
      for (int x = 0; x < 3; ++x) {
        const int from_y = y + dy, from_x = (flip ? 2 - x : x) + dx;
        const bool outside = from_y < 0 || from_y > 3 || from_x < 0 || from_x > 2;
        const bool cut = y >= top && y < top + 2 && x >= left && x < left + 2;
        changed.train.inputs[static_cast<std::size_t>(12 * s + 3 * y + x)] =
            outside || cut ? 0 : data.train.inputs[static_cast<std::size_t>(12 * s + 3 * from_y + from_x)];
      }
    }
  }
  EXPECT_NE(changed.train.inputs, data.train.inputs);
  EXPECT_EQ(run(spec, data).replicas[0].weights, run(plain, changed).replicas[0].weights);
}

TEST(StandardisedRuns, see_every_channel_with_mean_zero_and_deviation_one) {
  // The first layer's gradient of inputs that are all equal to their channel's mean is 0: its weights stay.
  TaskData data = images(64);
  data.height = 2, data.width = 2, data.channels = 3;
  data.channel_mean = {0.2f, 0.4f, 0.6f}, data.channel_deviation = {0.1f, 0.5f, 2.0f};
  for (std::size_t i = 0; i < data.train.inputs.size(); ++i)
    data.train.inputs[i] = static_cast<std::uint8_t>(51 * (1 + i % 3));
  theory::TrainingSpec spec = small_spec(data);
  spec.data.standardise = true;
  const kernels::Context context = kernels::Context::cpu();
  const RunSetup setup(spec, data, context);
  Replica replica(setup, context, 1);
  const std::vector<float> before = replica.result(RunStatus::complete).weights;
  while (!replica.finished()) replica.advance();
  const std::vector<float> after = replica.result(RunStatus::complete).weights;
  for (std::size_t i = 0; i < 120; ++i) EXPECT_NEAR(after[i], before[i], 1e-6);  // 51 / 255 is not 0.2 exactly
  EXPECT_NE(after, before);
  std::vector<float> seen(12);
  const std::vector<std::uint8_t> bytes{0, 0, 0, 255, 255, 255, 51, 102, 153, 51, 102, 153};
  const std::int32_t index = 0;
  setup.inputs.gather(bytes.data(), &index, 1, {}, seen.data());
  const std::vector<float> expected{-2, -0.8f, -0.3f, 8, 1.2f, 0.2f, 0, 0, 0, 0, 0, 0};
  for (std::size_t i = 0; i < 12; ++i) EXPECT_NEAR(seen[i], expected[i], 1e-5) << i;
}

}  // namespace
}  // namespace eos::sim
