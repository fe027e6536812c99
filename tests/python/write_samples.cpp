// Writes the files that the tests of the Python reader open: every element type, a run with known crossings, a plan, a
// picture.
#include <cmath>
#include <filesystem>
#include <iostream>
#include <numbers>

#include "../io/sweep_samples.hpp"
#include "eos/core/error.hpp"
#include "eos/io/convert.hpp"
#include "eos/io/hdf5.hpp"
#include "eos/io/merge.hpp"
#include "eos/io/plot.hpp"
#include "eos/io/run_stack.hpp"
#include "eos/io/toml.hpp"

namespace {

using eos::core::Dataset;

Dataset every_type() {
  Dataset d;
  d.attributes["title"] = std::string("every type");
  d.attributes["history"] = std::string("eos test — with a λ");
  d.attributes["empty"] = std::string();
  d.attributes["number"] = 2.5;
  d.attributes["count"] = std::int64_t{-3};
  d.add_dim("i", 3, "index");
  d.add_dim("x", {0.5, 1.0, 2.0, 4.0}, "s", "position");
  d.add_dim("none", 0, "nothing");
  d.dims["bare"] = 2;
  d.add("f8", {"i", "x"}, std::vector<double>{0, 0.1, -1e300, std::nan(""), INFINITY, 5e-324, 1, 2, 3, 4, 5, 6}, "J",
        "double");
  d.add("f4", {"x"}, std::vector<float>{0.1f, -0.0f, 1e-45f, 3e38f}, "1", "float");
  d.add("i8", {"i"}, std::vector<std::int64_t>{INT64_MIN, -1, INT64_MAX}, "1", "long");
  d.add("i4", {"i"}, std::vector<std::int32_t>{INT32_MIN, 0, INT32_MAX}, "1", "int");
  d.add("u1", {"bare", "i"}, std::vector<std::uint8_t>{0, 1, 2, 127, 128, 255}, "1", "byte");
  d.add("text", {"i"}, std::vector<std::string>{"", "a b", "λ→∞"}, "1", "text");
  d.add("word", {}, std::vector<std::string>{"alone"}, "1", "one text");
  d.add("number", {}, std::vector<double>{std::numbers::pi}, "1", "one number");
  d.add("nothing", {"none"}, std::vector<double>{}, "1", "no value");
  d.add_dim("long", 5000, "long axis");
  std::vector<float> wave(5000);
  for (std::size_t i = 0; i < wave.size(); ++i) wave[i] = std::sin(0.01f * static_cast<float>(i));
  d.add("wave", {"long"}, wave, "1", "compressed");
  Dataset& child = d.groups["child"];
  child.add_dim("step", 2, "step");
  child.add("on_parent", {"step", "i"}, std::vector<double>{1, 2, 3, 4, 5, 6}, "1", "on the parent's dimension");
  child.groups["deep"].add("z", {"step"}, std::vector<double>{7, 8}, "1", "deep");
  d.groups["provenance"] = eos::io::provenance("[train]\nepochs = 1\n", "eos test");
  return d;
}

/// Two replicas whose accuracy rises linearly, so that crossings are known in closed form.
Dataset run(const std::string& title, double joules_per_epoch) {
  Dataset d;
  d.attributes["title"] = title;
  d.attributes["kind"] = std::string("run");
  d.add_dim("replica", 2, "replica");
  d.add_dim("epoch", {1, 2, 3, 4}, "1", "epoch");
  std::vector<double> accuracy, energy, forward, write;
  for (int r = 0; r < 2; ++r)
    for (int e = 1; e <= 4; ++e) {
      accuracy.push_back(0.5 + 0.1 * e - 0.05 * r);
      forward.push_back(0.25 * joules_per_epoch * e);
      write.push_back(0.75 * joules_per_epoch * e);
      energy.push_back(joules_per_epoch * e);
    }
  const std::vector<std::string> over{"replica", "epoch"};
  d.add("test_accuracy", over, accuracy, "1", "share of test samples classified correctly");
  d.add("energy", over, energy, "J", "modelled energy");
  d.add("energy_forward", over, forward, "J", "part of energy: forward");
  d.add("energy_write", over, write, "J", "part of energy: write");
  return d;
}

eos::theory::Plan plan() {
  eos::theory::Plan p;
  p.problem = eos::io::read_problem(EOS_SOURCE_DIR "/examples/reference_ranked.toml");
  auto& t = p.trajectory;
  for (int i = 0; i <= 40; ++i) {
    t.time.push_back(i), t.loss.push_back(1.0 / (1 + i)), t.energy.push_back(0.0015 * i);
    t.state.emplace_back(p.problem.initial), t.costate.emplace_back(p.problem.lambda);
    if (i == 40) break;
    t.data_fraction.push_back(0.34 - 0.004 * i), t.weight_fraction.push_back(0.4 - 0.005 * i),
        t.learning_rate.push_back(0.4);
    t.hamiltonian.push_back(0.003);
  }
  return p;
}

/// A bang-bang course with a jump at time 1.
Dataset control() {
  const auto problem = eos::io::read_control(EOS_SOURCE_DIR "/examples/gold/minimum_time.toml");
  eos::theory::ControlSolution s;
  s.method = eos::theory::Method::radau, s.objective = s.horizon = 2, s.terms = {2}, s.parameters = {1};
  s.time = {0, 1, 1, 2};
  s.states = {{1, 0.5, 0.5, 0}, {0, -1, -1, 0}}, s.controls = {{-1, -1, 1, 1}};
  s.costates = {{1, 1, 1, 1}, {1, 0, 0, -1}}, s.switching = {{1, 0, 0, -1}}, s.hamiltonian = {-1, -1, -1, -1};
  s.arcs = {{0, 0, 1, eos::theory::ArcKind::lower}, {0, 1, 2, eos::theory::ArcKind::upper}}, s.switch_times = {1};
  s.certificate.ode_residual = 1e-14, s.certificate.lower_bound = 2, s.certificate.lower_bound_source = "closed form";
  return eos::io::to_dataset(problem, s);
}

eos::io::Figure figure() {
  eos::io::Figure f;
  f.title = "Sample";
  f.caption = "Drawn by the tests.";
  eos::io::Panel lines;
  lines.title = "Lines", lines.x_label = "epoch", lines.y_label = "energy (J)";
  for (int k = 0; k < 3; ++k) {
    eos::io::Line line;
    line.label = "line " + std::string(1, static_cast<char>('a' + k));
    for (int i = 0; i < 10; ++i) line.x.push_back(i), line.y.push_back(k + 0.1 * i);
    lines.lines.push_back(line);
  }
  eos::io::Panel bars;
  bars.title = "Bars", bars.y_label = "energy (J)";
  bars.bars = {{"dense", "planned"}, {"forward", "write"}, {{1, 0.5}, {3, 0.25}}};
  f.panels = {lines, bars};
  return f;
}

/// Chunk files of a sweep and what they become. Runs of `ragged` have coordinates of their own.
void write_sweep(const std::string& folder, const std::string& merged, bool same_grid) {
  std::filesystem::create_directories(folder);
  std::vector<std::string> chunks;
  for (const auto& [from, to] : {std::pair{0, 7}, {7, 20}, {20, 33}}) {
    chunks.push_back(folder + "chunk-00000" + std::to_string(chunks.size()) + ".h5");
    eos::io::write_hdf5(chunks.back(),
                        eos::io::stack_runs(eos::io::testing::sample_runs(from, to, {.same_grid = same_grid})),
                        eos::io::Storage::contiguous);
  }
  eos::core::Progress silent;
  eos::io::merge_sweeps(chunks, merged, {}, silent);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::cerr << "usage: eos_write_samples FOLDER\n", 2;
  const std::string folder = std::string(argv[1]) + "/";
  try {
    eos::io::write_hdf5(folder + "types.h5", every_type());
    eos::io::write_hdf5(folder + "dense.h5", run("dense", 2.0));
    eos::io::write_hdf5(folder + "planned.h5", run("planned", 0.5));
    eos::io::write_hdf5(folder + "plan.h5", eos::io::to_dataset(plan()));
    eos::io::write_hdf5(folder + "control.h5", control());
    eos::io::write_hdf5(folder + "calibration.h5", eos::io::to_dataset(eos::theory::Calibration{}));
    eos::io::write_png(folder + "figure.png", figure());
    write_sweep(folder, folder + "merged.h5", true);
    write_sweep(folder + "ragged/", folder + "ragged.h5", false);
    return 0;
  } catch (const eos::core::Error& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
