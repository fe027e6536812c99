// Joules of training runs: shared by counted work, carried over a stop, beside the results and never in them.
#include "eos/sim/measured_energy.hpp"

#include <numeric>

#include "support.hpp"

namespace eos::sim {
namespace {

using testing::small_spec;
using testing::small_task;

TrainOptions modelled(core::Sink* checkpoints = nullptr, double joules_per_byte = 1e-9) {
  TrainOptions options;
  options.meter.source = "model";
  options.meter.model = theory::EnergyModel{"m", "made up", 0, 1e-9, joules_per_byte};  // no power: time does not count
  options.checkpoints = checkpoints;
  return options;
}

double joules_of(const ReplicaResult& replica) {
  const CountedWork work = counted_work(replica.epochs.back().ledger);
  return 1e-9 * (work.flops + work.bytes);
}

/// Interrupts after so many questions.
class Impatient : public core::Progress {
 public:
  explicit Impatient(int patience) : left_(patience) {}
  bool stop_requested() const override { return --left_ < 0; }

 private:
  mutable int left_;
};

TEST(MeasuredEnergy, is_shared_in_proportion_to_work) {
  const std::vector<double> parts = shares(12, {1, 2, 3});
  EXPECT_EQ(parts, (std::vector<double>{2, 4, 6}));
  EXPECT_EQ(shares(12, {0, 0}), (std::vector<double>{6, 6}));
}

TEST(MeasuredEnergy, of_a_run_is_that_of_its_ledgers_and_shared_by_multiply_adds) {
  const TaskData data = small_task();
  theory::TrainingSpec spec = small_spec(data);
  spec.selection = theory::selection_preset("dbpd");  // replicas drop different samples
  spec.seeds = {1, 2, 3};
  core::Progress silent;
  const TrainResult result = train(spec, data, silent, modelled());
  double joules = 0, macs = 0;
  for (const ReplicaResult& r : result.replicas) {
    joules += joules_of(r);
    macs += counted_work(r.epochs.back().ledger).flops;
  }
  EXPECT_NEAR(result.energy.reading.joules(), joules, 1e-12 * joules);
  EXPECT_EQ(result.energy.coverage, 1);
  ASSERT_EQ(result.energy.replica_joules.size(), 3u);
  for (std::size_t r = 0; r < 3; ++r)
    EXPECT_NEAR(result.energy.replica_joules[r],
                joules * counted_work(result.replicas[r].epochs.back().ledger).flops / macs, 1e-12 * joules);
}

TEST(MeasuredEnergy, stands_in_provenance_and_leaves_the_content_hash_alone) {
  const TaskData data = small_task();
  const theory::TrainingSpec spec = small_spec(data);
  core::Progress silent;
  const core::Dataset with = to_dataset(train(spec, data, silent, modelled())),
                      without = to_dataset(train(spec, data, silent));
  EXPECT_EQ(core::content_sha256(with), core::content_sha256(without));
  const core::Dataset& group = with.groups.at("provenance");
  EXPECT_EQ(group.text("energy_source"), "model");
  EXPECT_EQ(group.text("energy_uncertainty"), "model");
  EXPECT_GT(group.number("energy_measured"), 0);
  EXPECT_EQ(group.number("energy_measured"), group.number("energy_machine"));
  EXPECT_EQ(group.number("energy_share"), group.number("energy_measured"));
  EXPECT_NEAR(group.number("emissions"), group.number("energy_measured") / 3.6e6 * 0.481, 1e-18);
  EXPECT_NE(group.text("carbon_source"), "");
  EXPECT_EQ(without.groups.at("provenance").text("energy_source"), "none");
  EXPECT_FALSE(without.groups.at("provenance").has("energy_measured"));
}

TEST(MeasuredEnergy, is_read_back_as_it_was_stored) {
  MeasuredEnergy energy;
  energy.reading.domains = {{"gpu", 30, EnergySource::nvml_total}, {"cpu", 12, EnergySource::rapl}};
  energy.reading.uncertainty = Uncertainty::counter;
  energy.reading.duration = 20, energy.reading.idle_watts = 0.5, energy.reading.samples = 200;
  energy.reading.device_name = "Fake GPU", energy.reading.note = "dram is not there";
  energy.reading.work = {1e9, 1e8};
  energy.replica_joules = {40, 2};
  energy.coverage = 0.75;
  energy.carbon = {20, 1.2, "hydro"};
  core::Dataset table;
  table.add_dim("replica", 2);
  store(energy, table);
  const auto back = stored_energy(table);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->reading.joules("gpu"), 30);
  EXPECT_EQ(back->reading.source(), "nvml_total+rapl");
  EXPECT_EQ(back->reading.uncertainty, Uncertainty::counter);
  EXPECT_EQ(back->reading.above_idle(), 32);
  EXPECT_EQ(back->reading.samples, 200);
  EXPECT_EQ(back->reading.device_name, "Fake GPU");
  EXPECT_EQ(back->reading.note, "dram is not there");
  EXPECT_EQ(back->reading.work.bytes, 1e8);
  EXPECT_EQ(back->replica_joules, energy.replica_joules);
  EXPECT_EQ(back->coverage, 0.75);
  EXPECT_EQ(back->kg_co2e(), energy.kg_co2e());
  EXPECT_FALSE(stored_energy(core::Dataset{}).has_value());
}

TEST(MeasuredEnergy, of_a_stopped_and_resumed_run_is_the_sum_of_its_windows) {
  const TaskData data = small_task();
  theory::TrainingSpec spec = small_spec(data);
  spec.seeds = {4, 5};
  core::Progress silent;
  // Joules that follow multiply-adds alone: what a replica gets cannot depend on where the windows were cut.
  const TrainResult whole = train(spec, data, silent, modelled(nullptr, 0));
  core::MemorySink sink;
  Impatient impatient(50);
  const TrainResult first = train(spec, data, impatient, modelled(&sink, 0));
  EXPECT_LT(first.energy.reading.joules(), whole.energy.reading.joules());
  EXPECT_TRUE(sink.read("checkpoint-energy").has_value());
  const TrainResult second = train(spec, data, silent, modelled(&sink, 0));
  EXPECT_NEAR(second.energy.reading.joules(), whole.energy.reading.joules(), 1e-12 * whole.energy.reading.joules());
  for (std::size_t r = 0; r < 2; ++r)
    EXPECT_NEAR(second.energy.replica_joules[r], whole.energy.replica_joules[r],
                1e-12 * whole.energy.replica_joules[r]);
  EXPECT_NEAR(second.energy.coverage, 1, 1e-12);
  EXPECT_FALSE(sink.read("checkpoint-energy").has_value());
}

TEST(MeasuredEnergy, says_which_part_of_a_killed_run_it_covers) {
  const TaskData data = small_task();
  const theory::TrainingSpec spec = small_spec(data);
  core::Progress silent;
  core::MemorySink sink;
  Impatient impatient(20);
  train(spec, data, impatient, modelled(&sink));
  sink.remove("checkpoint-energy");  // a kill leaves the state of the replica and no reading
  const TrainResult resumed = train(spec, data, silent, modelled(&sink));
  EXPECT_GT(resumed.energy.coverage, 0);
  EXPECT_LT(resumed.energy.coverage, 1);
}

}  // namespace
}  // namespace eos::sim
