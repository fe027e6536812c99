// What the results of a run are called cannot be the name of an axis: both stand in the table of a sweep.
#include <gtest/gtest.h>

#include "eos/sim/train.hpp"
#include "eos/theory/sweep_spec.hpp"
#include "support.hpp"

namespace eos::sim::testing {
namespace {

bool may_be_an_axis(const std::string& name) {
  theory::SweepSpec sweep;
  sweep.axes.resize(1);
  sweep.axes[0].name = name, sweep.axes[0].keys = {"a.b"}, sweep.axes[0].values = {{"1"}};
  try {
    sweep.check();
  } catch (const core::Error&) {
    return false;
  }
  return true;
}

TEST(SweepNames, no_axis_has_the_name_of_a_result) {
  const TaskData data = small_task();
  theory::TrainingSpec spec = small_spec(data);
  spec.record_every = 1;
  spec.selection = theory::selection_preset("schedule");
  spec.schedule.edges = {0, 1}, spec.schedule.data_fraction = spec.schedule.weight_fraction = {0.5};
  spec.schedule.learning_rate = {0.1};
  core::Progress silent;
  const core::Dataset table = to_dataset(train(spec, data, silent));
  EXPECT_GT(table.variables.size(), 30u);
  for (const core::Variable& variable : table.variables) EXPECT_FALSE(may_be_an_axis(variable.name)) << variable.name;
  for (const core::Variable& variable : table.groups.at("schedule").variables)
    EXPECT_FALSE(may_be_an_axis(variable.name)) << variable.name;
  for (const auto& [name, length] : table.dims) EXPECT_FALSE(may_be_an_axis(name)) << name;
  EXPECT_TRUE(may_be_an_axis("tau"));
}

}  // namespace
}  // namespace eos::sim::testing
