#include "eos/theory/ledger.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <regex>
#include <string>

#include "eos/core/error.hpp"

namespace {

using namespace eos::theory;

TEST(Ledger, counts_of_the_mlp_are_exact) {
  const NetworkCounts c = mlp_counts({784, 256, 256, 10});
  EXPECT_EQ(c.parameters, 784 * 256 + 256 * 256 + 256 * 10 + 256 + 256 + 10);
  EXPECT_EQ(c.forward_macs, 268800);
  EXPECT_EQ(c.backward_macs, 268800 + 256 * 256 + 256 * 10);  // no gradient of the inputs
  EXPECT_EQ(c.input_bytes, 784);
  EXPECT_EQ(mlp_counts({5, 3}).backward_macs, 15);
}

TEST(Ledger, energy_prices_every_count_once) {
  Ledger l;
  l.forward_macs = 2;
  l.scoring_macs = 3;
  l.backward_macs = 5;
  l.writes = 7;
  l.path_length = 11;
  l.path_squared = 13;
  l.transient_path = 37;
  l.accumulator_updates = 17;
  l.maintenance = 19;
  l.weight_reads = 23;
  l.input_bytes = 29;
  l.samples_seen = 31;
  l.samples_offered = 1000;
  l.samples_backward = 1000;
  l.steps = 1000;
  PriceList p;
  p.mac = 1;
  p.scoring_mac = 10;
  p.write = 100;
  p.path = 1e3;
  p.path_squared = 1e4;
  p.accumulator = 1e5;
  p.maintenance = 1e6;
  p.weight_read = 1e7;
  p.input_byte = 1e8;
  p.sample = 1e9;
  p.transient_path = 1e10;
  const Energy e = energy(l, p);
  EXPECT_EQ(e.forward, 2);
  EXPECT_EQ(e.scoring, 30);
  EXPECT_EQ(e.backward, 5);
  EXPECT_EQ(e.write, 700);
  EXPECT_EQ(e.path, 11e3 + 13e4);
  EXPECT_EQ(e.accumulator, 17e5);
  EXPECT_EQ(e.maintenance, 19e6);
  EXPECT_EQ(e.read, 23e7);
  EXPECT_EQ(e.input, 29e8);
  EXPECT_EQ(e.upkeep, 31e9);
  EXPECT_EQ(e.transient, 37e10);
  double sum = 0;
  for (const auto& [name, value] : terms(e)) sum += value;
  EXPECT_EQ(terms(e).size(), 11u);
  EXPECT_DOUBLE_EQ(sum, e.total());
  Ledger twice = l;
  twice += l;
  EXPECT_DOUBLE_EQ(energy(twice, p).total(), 2 * e.total());
  EXPECT_EQ(twice.steps, 2000);
  EXPECT_EQ(twice.samples_offered, 2000);
  EXPECT_EQ(twice.samples_backward, 2000);
}

/// The numbers of the [prices] table of a TOML file: enough of TOML for data/prices.
std::map<std::string, double> numbers_of(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file.good()) << path;
  std::map<std::string, double> numbers;
  const std::regex entry("^([a-z_0-9]+) = ([0-9.e+-]+) ");
  std::string line;
  std::smatch match;
  while (std::getline(file, line)) {
    if (std::regex_search(line, match, entry)) numbers[match[1]] = std::stod(match[2]);
  }
  return numbers;
}

TEST(Prices, built_in_lists_equal_the_files) {
  for (const std::string& name : builtin_price_names()) {
    const PriceList p = builtin_prices(name);
    EXPECT_EQ(p.name, name);
    EXPECT_FALSE(p.title.empty());
    EXPECT_FALSE(p.source.empty());
    const std::map<std::string, double> all = {{"mac", p.mac},
                                               {"scoring_mac", p.scoring_mac},
                                               {"write", p.write},
                                               {"path", p.path},
                                               {"path_squared", p.path_squared},
                                               {"transient_path", p.transient_path},
                                               {"accumulator", p.accumulator},
                                               {"maintenance", p.maintenance},
                                               {"weight_read", p.weight_read},
                                               {"input_byte", p.input_byte},
                                               {"sample", p.sample}};
    std::map<std::string, double> file = numbers_of(std::string(EOS_SOURCE_DIR) + "/data/prices/" + name + ".toml");
    EXPECT_GE(file.size(), 2u) << name;
    for (const auto& [key, value] : all) {
      EXPECT_NEAR(file.count(key) ? file.at(key) : 0.0, value, 1e-12 * value) << name << " " << key;
      file.erase(key);
    }
    EXPECT_TRUE(file.empty()) << name << " has a key that the built-in list does not know";
  }
}

TEST(Prices, unknown_names_are_refused_with_a_suggestion) {
  try {
    builtin_prices("hbm3");
    FAIL();
  } catch (const eos::core::Error& error) {
    EXPECT_EQ(error.diagnostics().at(0).code, "E106");
    EXPECT_NE(error.diagnostics().at(0).help.find("hbm2"), std::string::npos);
  }
}

TEST(Prices, metabolic_lists_make_plasticity_about_four_fifths_of_plain_training) {
  // Plain batch-32 training of 784-256-256-10 on Fashion-MNIST, measured: M_0 = 1.6e9 and M_1 = 2.5e5 in 320 000
  // samples.
  const NetworkCounts c = mlp_counts({784, 256, 256, 10});
  Ledger l;
  l.forward_macs = 320000 * c.forward_macs;
  l.backward_macs = 320000 * c.backward_macs;
  l.writes = 1'600'000'000;
  l.path_length = 2.5e5;
  const Energy m1 = energy(l, builtin_prices("metabolic")), m0 = energy(l, builtin_prices("metabolic-m0"));
  EXPECT_NEAR(m1.path / m1.total(), .8, .05);  // "about": the measured counts vary by some per cent with the horizon
  EXPECT_NEAR(m0.write / m0.total(), .8, .05);
}

}  // namespace
