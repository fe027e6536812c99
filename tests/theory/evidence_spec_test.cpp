#include "eos/theory/evidence_spec.hpp"

#include <gtest/gtest.h>

#include <set>

#include "eos/core/error.hpp"

namespace {

using eos::theory::EvidenceMethod;
using eos::theory::EvidenceSpec;
using eos::theory::EvidenceTask;
using eos::theory::Settings;
using eos::theory::Trial;

EvidenceMethod method_with_search() {
  EvidenceMethod m;
  m.name = "dbpd";
  m.set = {{"selection.method", "\"dbpd\""}};
  eos::theory::SweepAxis tau, rate, horizon;
  tau.keys = {"selection.tau"}, tau.from = 0.2, tau.to = 0.8;
  rate.keys = {"rate"}, rate.values = {{"0.5"}, {"1"}};
  horizon.keys = {"horizon"}, horizon.values = {{"1"}, {"2"}};
  m.search = {horizon, rate, tau};
  return m;
}

TEST(EvidenceSpec, every_method_gets_as_many_trials_as_differ) {
  EvidenceMethod m = method_with_search();
  const std::vector<Trial> many = trials(m, 6, 7);
  ASSERT_EQ(many.size(), 6u);
  std::set<std::string> tau;
  for (const Trial& t : many) {
    ASSERT_EQ(t.set.size(), 2u);
    EXPECT_EQ(t.set[0].second, "\"dbpd\"");
    tau.insert(t.set[1].second);
    EXPECT_TRUE(t.rate == 0.5 || t.rate == 1);
    EXPECT_TRUE(t.horizon == 1 || t.horizon == 2);
  }
  EXPECT_EQ(tau.size(), 6u);
  m.search.pop_back();  // 2 x 2 are left
  EXPECT_EQ(trials(m, 6, 7).size(), 4u);
  EXPECT_EQ(trials(m, 3, 7).size(), 3u);
  m.search.clear();
  EXPECT_EQ(trials(m, 6, 7).size(), 1u);
}

TEST(EvidenceSpec, settings_are_those_of_the_task_times_factors) {
  EvidenceTask task;
  task.run.batch = 32, task.horizon = 2.5;
  Trial trial;
  trial.set = {{"selection.method", "\"srd\""}};
  trial.rate = 0.7, trial.horizon = 1.6, trial.batch = 4;
  const Settings all = settings(task, trial, 0.2, 0.5);
  EXPECT_EQ(all, (Settings{{"selection.method", "\"srd\""},
                           {"train.batch", "128"},
                           {"optimiser.learning_rate", "0.14"},
                           {"train.epochs", "2"}}));
}

TEST(EvidenceSpec, scaled_lists_charge_the_share_that_is_asked_for) {
  eos::theory::Ledger ledger;
  ledger.forward_macs = 1000000, ledger.backward_macs = 2000000, ledger.writes = 40000, ledger.path_length = 12;
  ledger.accumulator_updates = 5000;
  for (const char* name : {"metabolic-m0", "metabolic"}) {
    const eos::theory::PriceList before = eos::theory::builtin_prices(name);
    const eos::theory::PriceList list = scaled_to_share(before, ledger, 0.8);
    const eos::theory::Energy e = energy(ledger, list);
    const double plasticity = e.write + e.path;
    EXPECT_NEAR(plasticity / (plasticity + e.forward + e.backward), 0.8, 1e-12) << name;
    if (before.write > 0) { EXPECT_NEAR(list.accumulator / list.write, 7.0 / 125, 1e-12); }
    if (before.path > 0) { EXPECT_NEAR(list.maintenance / list.path, 1e-5, 1e-12); }
    EXPECT_EQ(list.mac, before.mac);
  }
  EXPECT_THROW(scaled_to_share(eos::theory::builtin_prices("sram-7nm"), {}, 0.8), eos::core::Error);
}

TEST(EvidenceSpec, names_every_contradiction) {
  EvidenceSpec spec;
  EvidenceTask task;
  task.name = "a", task.methods = {"dbdp"}, task.target = 2;
  spec.tasks = {task, task};
  spec.methods = {method_with_search()};
  spec.methods[0].axis = eos::theory::Axis::stacked;
  spec.methods[0].follows = "nobody";
  spec.prices = {"hbm2"};
  try {
    spec.check();
    FAIL() << "nothing was found";
  } catch (const eos::core::Error& error) {
    std::string all;
    for (const auto& d : error.diagnostics()) all += d.message + "\n";
    for (const char* part : {"'a' is there twice", "no [[method]] named 'dense'", "task[0].methods names 'dbdp'",
                             "task[0].methods lacks 'dense'", "no accuracy below 1", "method[0].stack",
                             "method[0].follows and method[0].record", "names 'nobody'", "protocol.plasticity"})
      EXPECT_NE(all.find(part), std::string::npos) << part << "\n" << all;
  }
}

}  // namespace
