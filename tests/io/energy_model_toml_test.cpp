// Table energy_model: read, checked, written back.
#include <gmock/gmock.h>

#include "eos/io/toml.hpp"
#include "support.hpp"

namespace eos::io {
namespace {

using testing::error_of;

TEST(EnergyModelToml, is_read_and_written_back) {
  const theory::EnergyModel m = parse_energy_model(
      "[energy_model]\nname = \"desk\"\nsource = \"wall\"\nidle_watts = 30\njoules_per_flop = 2e-11\njoules_per_byte = "
      "5e-11\n",
      "desk.toml");
  EXPECT_EQ(m.name, "desk");
  EXPECT_DOUBLE_EQ(m.joules(10, 1e11, 1e10), 300 + 2 + 0.5);
  const theory::EnergyModel again = parse_energy_model(to_toml(m), "again.toml");
  EXPECT_EQ(again.source, "wall");
  EXPECT_EQ(again.joules_per_byte, m.joules_per_byte);
}

TEST(EnergyModelToml, says_what_is_wrong) {
  const auto code = [](const std::string& text) {
    return error_of([&] { parse_energy_model(text, "x.toml"); }).diagnostics().front().code;
  };
  EXPECT_EQ(code("[energy_model]\nname = \"x\"\n"), "E105");
  EXPECT_EQ(code("[energy_model]\nname = \"x\"\nsource = \"y\"\nidle_watts = -1\n"), "E104");
  EXPECT_EQ(code("[energy_model]\nname = \"x\"\nsource = \"y\"\nidle_wats = 1\n"), "E102");
  EXPECT_EQ(code("[prices]\nmac = 1\n"), "E108");
  EXPECT_EQ(code(""), "E105");
}

}  // namespace
}  // namespace eos::io
