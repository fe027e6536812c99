#include "eos/theory/calibration.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "eos/core/error.hpp"

namespace {

using namespace eos::theory;

MeasuredCurve curve(std::vector<double> value) {
  MeasuredCurve c;
  c.fraction = {.1, .5, 1};
  c.value = std::move(value);
  return c;
}

CaptureSnapshot snapshot(double at_tenth) {
  CaptureSnapshot s;
  s.signal = curve({at_tenth, .9, 1});
  s.noise = curve({at_tenth / 2, .8, 1});
  s.write = {curve({.2, .6, 1}), curve({.4, .8, 1})};
  return s;
}

Calibration two_layers() {
  Calibration c;
  c.spec.network.hidden = {3};
  c.counts = mlp_counts({4, 3, 2});
  c.block_parameters = {15, 8};
  c.snapshots = {snapshot(.3), snapshot(.7), snapshot(.4)};
  return c;
}

TEST(Calibration, curves_are_medians_over_snapshots) {
  const Calibration c = two_layers();
  EXPECT_NEAR(c.signal_curve().value(.1), .4, 1e-15);
  EXPECT_NEAR(c.signal_curve().value(.5), .9, 1e-15);
  EXPECT_NEAR(c.noise_curve().value(.1), .2, 1e-15);
}

TEST(Calibration, write_curve_weighs_layers_by_their_parameters) {
  const CaptureCurve write = two_layers().write_curve();
  EXPECT_NEAR(write.value(.1), (15 * .2 + 8 * .4) / 23, 1e-15);
  EXPECT_NEAR(write.value(.5), (15 * .6 + 8 * .8) / 23, 1e-15);
}

TEST(Calibration, noise_of_measurement_cannot_break_monotonicity) {
  Calibration c = two_layers();
  for (CaptureSnapshot& s : c.snapshots) s.signal = curve({1.2, .8, 1});
  const CaptureCurve signal = c.signal_curve();
  EXPECT_NEAR(signal.value(.1), 1, 1e-15);  // least-squares level of 1.2 and 0.8, also the cap
  EXPECT_NEAR(signal.value(.5), 1, 1e-15);
  for (CaptureSnapshot& s : c.snapshots) s.signal = curve({.6, .4, .98});
  EXPECT_NEAR(c.signal_curve().value(.1), .5, 1e-15);
  EXPECT_NEAR(c.signal_curve().value(.5), .5, 1e-15);
  EXPECT_EQ(c.signal_curve().value(1), 1);
}

TEST(Calibration, curves_on_different_grids_are_interpolated) {
  Calibration c = two_layers();
  c.snapshots[1].signal.fraction = {.2, .6, 1};
  c.snapshots[1].signal.value = {.8, .9, 1};
  EXPECT_NEAR(c.signal_curve().value(.1), .4, 1e-15);  // median of .3, .4 = .8/2 and .4
}

TEST(Calibration, says_what_is_missing) {
  auto code = [](auto&& call) -> std::string {
    try {
      call();
    } catch (const eos::core::Error& error) {
      return error.diagnostics().at(0).code;
    }
    return "none";
  };
  EXPECT_EQ(code([] { Calibration().signal_curve(); }), "E402");
  Calibration c = two_layers();
  c.snapshots[1].noise = {};
  EXPECT_EQ(code([&] { c.noise_curve(); }), "E402");
  c.snapshots[2].write.pop_back();
  EXPECT_EQ(code([&] { c.write_curve(); }), "E402");
}

}  // namespace
