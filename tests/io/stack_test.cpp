#include "eos/io/stack.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "eos/core/error.hpp"

namespace {

using eos::core::Dataset;
using eos::core::Variable;

Dataset table(std::vector<double> time, std::vector<double> values, double scalar) {
  Dataset d;
  d.add_dim("time", std::move(time), "1", "time");
  d.add_dim("mode", 2, "mode");
  d.add("x", {"time", "mode"}, std::move(values), "J", "state");
  d.add("objective", {}, std::vector<double>{scalar}, "J", "objective");
  d.add("status", {}, std::vector<std::string>{"optimal"}, "1", "status");
  d.add("count", {}, std::vector<std::int64_t>{3}, "1", "count");
  return d;
}

Variable along(std::vector<double> values) {
  Variable v;
  v.name = "price", v.values = std::move(values), v.units = "J", v.long_name = "price";
  return v;
}

TEST(Stack, gives_every_variable_a_dimension_run) {
  const Dataset s =
      eos::io::stack({table({0, 1}, {1, 2, 3, 4}, 5), table({0, 1}, {6, 7, 8, 9}, 10)}, {along({.1, .2})});
  EXPECT_EQ(s.numbers("x"), (std::vector<double>{1, 2, 3, 4, 6, 7, 8, 9}));
  EXPECT_EQ(s.find("x")->dims, (std::vector<std::string>{"run", "time", "mode"}));
  EXPECT_EQ(s.find("x")->units, "J");
  EXPECT_EQ(s.numbers("objective"), (std::vector<double>{5, 10}));
  EXPECT_EQ(s.numbers("time"), (std::vector<double>{0, 1}));
  EXPECT_EQ(s.numbers("price"), (std::vector<double>{.1, .2}));
  EXPECT_EQ(s.strings("status"), (std::vector<std::string>{"optimal", "optimal"}));
  EXPECT_TRUE(std::holds_alternative<std::vector<std::int64_t>>(s.find("count")->values));
  EXPECT_EQ(std::get<std::string>(s.find("x")->attributes.at("coordinates")), "price");
}

TEST(Stack, pads_runs_of_different_length) {
  const Dataset s = eos::io::stack({table({0, 1, 2}, {1, 2, 3, 4, 5, 6}, 0), table({0, 5}, {7, 8, 9, 10}, 0)}, {});
  const std::vector<double> x = s.numbers("x");
  ASSERT_EQ(x.size(), 12u);
  EXPECT_EQ(x[5], 6);
  EXPECT_EQ(x[9], 10);
  EXPECT_TRUE(std::isnan(x[10]) && std::isnan(x[11]));
  EXPECT_EQ(s.numbers("time"), (std::vector<double>{0, 1, 2})) << "an index now";
  EXPECT_EQ(s.find("time_coordinate")->dims, (std::vector<std::string>{"run", "time"}));
  EXPECT_EQ(s.numbers("time_coordinate")[4], 5);
}

TEST(Stack, needs_tables_of_one_kind) {
  EXPECT_THROW(eos::io::stack({}, {}), eos::core::Error);
  Dataset other;
  other.add_dim("else", 2, "");
  EXPECT_THROW(eos::io::stack({table({0}, {1, 2}, 0), other}, {}), eos::core::Error);
}

}  // namespace
