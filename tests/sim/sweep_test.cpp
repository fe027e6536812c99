// Planning of sweeps: chunks, replicas, forecasts.
#include "eos/sim/sweep.hpp"

#include <gmock/gmock.h>

#include <map>

#include "eos/sim/batch.hpp"
#include "support.hpp"

namespace eos::sim::testing {
namespace {

std::vector<std::pair<std::int64_t, std::int64_t>> ranges(const std::vector<RunRange>& chunks) {
  std::vector<std::pair<std::int64_t, std::int64_t>> all;
  for (const RunRange& c : chunks) all.emplace_back(c.first, c.count);
  return all;
}

TEST(PackChunks, keeps_groups_apart_and_times_below_the_limit) {
  using Ranges = std::vector<std::pair<std::int64_t, std::int64_t>>;
  EXPECT_EQ(ranges(pack_chunks({0, 0, 0, 1, 1}, {1, 1, 1, 1, 1}, 2)), (Ranges{{0, 2}, {2, 1}, {3, 2}}));
  EXPECT_EQ(ranges(pack_chunks({0, 0, 0}, {5, 1, 1}, 2)), (Ranges{{0, 1}, {1, 2}})) << "a long run is alone";
  EXPECT_EQ(ranges(pack_chunks({0, 0, 0, 0}, {0, 0, 0, 0}, 1)), (Ranges{{0, 4}}));
  EXPECT_TRUE(pack_chunks({}, {}, 1).empty());
  const std::vector<RunRange> chunks = pack_chunks({0, 0, 1}, {1, 0.5, 4}, 10);
  EXPECT_DOUBLE_EQ(chunks[0].seconds, 1.5);
  EXPECT_DOUBLE_EQ(chunks[1].seconds, 4);
}

TEST(ChooseReplicas, takes_the_fewest_that_are_within_five_per_cent_of_the_best) {
  const std::map<int, double> rates = {{1, 10}, {2, 19}, {4, 36}, {8, 60}, {16, 62}, {32, 63}};
  std::vector<int> tried;
  const auto measure = [&](int r) {
    tried.push_back(r);
    return rates.at(r);
  };
  EXPECT_EQ(choose_replicas(32, measure), 8);  // 60 >= 0.95 * 63
  EXPECT_THAT(tried, ::testing::ElementsAre(1, 2, 4, 8, 16, 32));
  EXPECT_EQ(choose_replicas(7, measure), 4) << "what fits into memory limits them";
  EXPECT_EQ(choose_replicas(1, measure), 1);
}

TEST(ChooseReplicas, measures_batches_of_a_run) {
  const TaskData data = small_task(64);
  theory::TrainingSpec spec = small_spec(data);
  spec.epochs = 1;
  const int replicas = choose_replicas(spec, data, "cpu");
  EXPECT_GE(replicas, 1);
  EXPECT_EQ(replicas & (replicas - 1), 0) << replicas << " is no power of two";
}

TEST(Forecast, counts_work_and_memory_and_follows_the_length_of_the_run) {
  const TaskData data = small_task(400);
  theory::TrainingSpec spec = small_spec(data);
  spec.epochs = 4;
  const RunForecast four = forecast(spec, data, "cpu");
  spec.epochs = 400;
  const RunForecast long_run = forecast(spec, data, "cpu");
  EXPECT_EQ(long_run.macs, 100 * four.macs);
  EXPECT_EQ(long_run.memory_bytes, four.memory_bytes);
  EXPECT_GT(four.memory_bytes, 0);
  EXPECT_GT(four.seconds, 0);
  EXPECT_GT(long_run.seconds, four.seconds);  // a hundred times the work: true on any machine
  EXPECT_GT(long_run.energy, 0);
  const RunForecast known = counted(spec, data);
  EXPECT_EQ(known.macs, long_run.macs);
  EXPECT_EQ(known.memory_bytes, long_run.memory_bytes);
}

TEST(Forecast, cuts_runs_off_inside_their_warm_up) {
  const TaskData data = small_task(400);
  theory::TrainingSpec spec = small_spec(data);
  spec.epochs = 400, spec.optimiser.warmup_epochs = 300;
  EXPECT_GT(forecast(spec, data, "cpu").seconds, 0);
}

TEST(Forecast, of_dense_training_foretells_its_energy) {
  // Multiply-adds alone are priced: the energy of dense training is then known in advance.
  const TaskData data = small_task(400);
  theory::TrainingSpec spec = small_spec(data);
  spec.epochs = 50;
  spec.prices = {};
  spec.prices.mac = 1e-12, spec.prices.scoring_mac = 1e-12;
  core::Progress silent;
  const TrainResult run = train(spec, data, silent);
  const double spent = theory::energy(run.replicas[0].epochs.back().ledger, spec.prices).total();
  EXPECT_NEAR(forecast(spec, data, "cpu").energy / spent, 1, 0.02);  // the first stretch ends in a part of a batch
}

TEST(ResultOf, a_batched_replica_gives_the_table_of_train) {
  const TaskData data = small_task(96);
  theory::TrainingSpec spec = small_spec(data);
  spec.seeds = {3};
  core::Progress silent;
  std::vector<std::size_t> told;
  BatchOptions options;
  options.finished = [&](std::size_t i, const ReplicaResult&) { told.push_back(i); };
  const std::vector<ReplicaResult> batch = train_batched({spec, spec}, data, silent, options);
  EXPECT_THAT(told, ::testing::UnorderedElementsAre(0u, 1u));
  const TrainResult alone = train(spec, data, silent);
  EXPECT_EQ(core::content_sha256(to_dataset(result_of(spec, data, alone.device, batch[1]))),
            core::content_sha256(to_dataset(alone)));
}

}  // namespace
}  // namespace eos::sim::testing
