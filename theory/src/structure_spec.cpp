#include "eos/theory/structure_spec.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "spec_checks.hpp"

namespace eos::theory {

namespace {

void check_units(const TrainingSpec& s, Checker& c) {
  const UnitSpec& u = s.plasticity.units;
  c.range("plasticity.units.fraction", u.fraction, 0, 1, true);
  c.at_least("plasticity.units.count", u.count, 0);
  c.range("plasticity.units.output_fraction", u.output_fraction, 0, 1, true);
  c.at_least("plasticity.units.masks", u.masks, 1);
  c.at_least("plasticity.units.path", u.path, 0);
  const bool ranked = u.rule == UnitRule::error || u.rule == UnitRule::activity;
  if ((u.smallest || u.unified) && !ranked) {
    c.add("E107", "plasticity.units.smallest and unified belong to rules that rank units",
          "set rule = \"error\" or \"activity\"");
  }
  if (u.count > 0 && (u.rule == UnitRule::random || u.rule == UnitRule::alternating)) {
    c.add("E107", "plasticity.units.count is an exact number, but each unit is drawn on its own by this rule",
          "give a fraction, or choose another rule");
  }
  if (u.rule != UnitRule::all && u.output_fraction < 1 && !s.network.output_slope) {
    c.add("E107",
          "plasticity.units.output_fraction masks errors of the outputs, but network.output_slope = false gives "
          "the layers below others",
          "set one of the two back");
  }
  if (u.path > 0 && u.rule != UnitRule::all) {
    c.add("E107", "plasticity.units.path leaves all errors as they are, but plasticity.units.rule masks them",
          "choose one of the two");
  }
}

void check_freeze(const FreezeSpec& f, Checker& c) {
  c.range("plasticity.freeze.first", f.first, 0, 1);
  for (double t : f.until) c.at_least("plasticity.freeze.until", t, 0);
  if (!std::is_sorted(f.until.begin(), f.until.end())) {
    c.add("E104", "plasticity.freeze.until must not decrease: layers freeze from the front to the back");
  }
  if ((f.law == FreezeLaw::shares || f.law == FreezeLaw::epochs) && f.until.empty()) {
    c.add("E107", "plasticity.freeze.law takes its times from plasticity.freeze.until, which is empty",
          "list one time for each layer that freezes");
  }
}

void check_groups(const PlasticitySpec& p, Checker& c) {
  c.range("plasticity.groups.fraction", p.groups.fraction, 0, 1, true);
  c.at_least("plasticity.groups.width", p.groups.width, 1);
  if (p.groups.rule == GroupRule::all) return;
  if (p.units.rule != UnitRule::all || p.units.path > 0 || p.topology.rule != TopologyRule::dense) {
    c.add("E107", "plasticity.groups decides which units learn, and so do plasticity.units and plasticity.topology",
          "choose one of them");
  }
}

void check_growth(const PlasticitySpec& p, Checker& c) {
  const GrowthSpec& g = p.growth;
  for (double depth : g.depths) c.range("plasticity.growth.depths", depth, 0, 1, true);
  for (double t : g.until) c.range("plasticity.growth.until", t, 0, 1);
  if (!std::is_sorted(g.depths.begin(), g.depths.end()) || !std::is_sorted(g.until.begin(), g.until.end()))
    c.add("E104", "plasticity.growth.depths and until must not decrease: branches only appear");
  c.range("plasticity.growth.end", g.end, 0, 1, true);
  if (!g.until.empty() && g.depths.size() != g.until.size()) {
    c.add("E107", "plasticity.growth.depths and until must have the same length, one entry for each stage but the last",
          "e.g. depths = [0.25, 0.5], until = [0.2, 0.4]; or give end alone: stages of equal length");
  }
  if (!g.on()) return;
  const bool others = p.units.rule != UnitRule::all || p.units.path > 0 || p.groups.rule != GroupRule::all ||
                      p.topology.rule != TopologyRule::dense || p.freeze.law != FreezeLaw::never;
  if (others) {
    c.add("E107",
          "plasticity.growth cannot be joined with plasticity.units, groups, freeze or topology: what these do to a "
          "branch that does not exist yet is not defined",
          "choose one of them");
  }
}

void check_topology(const PlasticitySpec& p, Checker& c) {
  const TopologySpec& t = p.topology;
  c.range("plasticity.topology.density", t.density, 0, 1, true);
  c.at_least("plasticity.topology.interval", t.interval, 1);
  c.range("plasticity.topology.drop", t.drop, 0, 1);
  c.range("plasticity.topology.stop", t.stop, 0, 1);
  c.range("plasticity.topology.learning_density", t.learning_density, 0, 1, true);
  c.at_least("plasticity.topology.exploration", t.exploration, 0);
  if (t.rule == TopologyRule::dense) return;
  if (t.rule == TopologyRule::top_kast && t.learning_density < t.density) {
    c.add("E107", "plasticity.topology.learning_density is below density: weights that are used also learn",
          "raise it to density or more");
  }
  if (p.units.rule != UnitRule::all || p.units.path > 0) {
    c.add("E107", "a sparse plasticity.topology and plasticity.units both decide which connections learn",
          "choose one of the two");
  }
  if (p.accumulate || p.cache.on()) {
    c.add(
        "E107",
        "plasticity.accumulate and plasticity.cache keep changes of connections that a sparse plasticity.topology may "
        "drop",
        "choose one of the two");
  }
}

void check_layer_gate(const PlasticitySpec& p, Checker& c) {
  c.range("plasticity.depth_share", p.depth_share, 0, 1);
  if (p.layer_gate != LayerGate::none && p.growth.on())
    c.add("E107", "plasticity.layer_gate and plasticity.growth both decide which layers an update reaches",
          "choose one of the two");
}

}  // namespace

void check_structure(const TrainingSpec& s, Checker& c) {
  check_units(s, c);
  check_freeze(s.plasticity.freeze, c);
  check_growth(s.plasticity, c);
  check_layer_gate(s.plasticity, c);
  check_groups(s.plasticity, c);
  check_topology(s.plasticity, c);
}

std::int64_t chosen_units(double fraction, int count, int width) {
  const std::int64_t k = count > 0 ? count : std::llround(fraction * width);
  return std::clamp<std::int64_t>(k, 1, width);
}

std::int64_t ranked_units(double fraction, int count, int width) {
  const std::int64_t k = count > 0 ? count : width - std::llround((1 - fraction) * (width - 1));
  return std::clamp<std::int64_t>(k, 1, width);
}

std::int64_t backward_macs(const std::vector<LevelUnits>& levels, int first_layer) {
  std::int64_t macs = 0;
  for (auto l = static_cast<std::size_t>(first_layer); l + 1 < levels.size(); ++l) {
    macs += levels[l].senders * levels[l + 1].receivers;
    if (l > static_cast<std::size_t>(first_layer)) macs += levels[l + 1].passing * levels[l].needed;
  }
  return macs;
}

std::vector<double> freeze_times(const FreezeSpec& freeze, int layers, double epochs) {
  std::vector<double> times(static_cast<std::size_t>(layers), std::numeric_limits<double>::infinity());
  for (std::size_t l = 0; l < times.size(); ++l) {
    const double place = layers > 1 ? static_cast<double>(l) / (layers - 1) : 1;
    const double linear = freeze.first + (1 - freeze.first) * place;
    switch (freeze.law) {
      case FreezeLaw::never:
        break;
      case FreezeLaw::linear:
        times[l] = linear;
        break;
      case FreezeLaw::cubic:
        times[l] = linear * linear * linear;
        break;
      case FreezeLaw::shares:
      case FreezeLaw::epochs:
        if (l < freeze.until.size())
          times[l] = freeze.law == FreezeLaw::shares ? freeze.until[l] : freeze.until[l] / epochs;
        break;
    }
  }
  return times;
}

int grown_branches(const GrowthSpec& growth, int branches, double progress) {
  const std::vector<double> ends = stage_ends(growth);
  for (std::size_t stage = 0; stage < ends.size(); ++stage) {
    if (progress >= ends[stage]) continue;
    return std::clamp(static_cast<int>(std::ceil(growth.depths[stage] * branches)), 1, branches);
  }
  return branches;
}

std::vector<double> stage_ends(const GrowthSpec& growth) {
  if (!growth.until.empty()) return growth.until;
  std::vector<double> ends;
  const auto stages = static_cast<double>(growth.depths.size());
  for (std::size_t i = 0; i < growth.depths.size(); ++i)
    ends.push_back(growth.end * static_cast<double>(i + 1) / stages);
  return ends;
}

std::vector<std::int64_t> connections(double density, DensityLaw law, const std::vector<int>& widths) {
  const std::size_t layers = widths.empty() ? 0 : widths.size() - 1;
  std::vector<double> sizes, shares(layers, density);
  double all = 0;
  for (std::size_t l = 0; l < layers; ++l) sizes.push_back(static_cast<double>(widths[l]) * widths[l + 1]);
  for (double size : sizes) all += size;
  if (law == DensityLaw::erdos_renyi) {
    std::vector<bool> full(layers, false);
    for (bool changed = true; changed;) {
      changed = false;
      double wanted = density * all, ends = 0;  // eps sum(in + out) = what full layers leave
      for (std::size_t l = 0; l < layers; ++l) {
        if (full[l])
          wanted -= sizes[l];
        else
          ends += widths[l] + widths[l + 1];
      }
      double densest = 0;
      for (std::size_t l = 0; l < layers; ++l) {
        shares[l] = full[l] ? 1 : wanted * (widths[l] + widths[l + 1]) / (ends * sizes[l]);
        if (!full[l]) densest = std::max(densest, shares[l]);
      }
      for (std::size_t l = 0; l < layers; ++l) {
        if (full[l] || densest <= 1 || shares[l] < densest) continue;
        full[l] = changed = true;
      }
    }
  }
  std::vector<std::int64_t> result;
  for (std::size_t l = 0; l < layers; ++l) {
    const auto size = static_cast<std::int64_t>(sizes[l]);
    result.push_back(std::clamp<std::int64_t>(std::llround(shares[l] * sizes[l]), 1, size));
  }
  return result;
}

double drop_fraction(const TopologySpec& topology, double progress) {
  if (progress >= topology.stop) return 0;
  return topology.drop / 2 * (1 + std::cos(std::numbers::pi * progress / topology.stop));
}

std::int64_t backward_macs(const LayerConnections& c, int first_layer) {
  std::int64_t macs = 0;
  for (auto l = static_cast<std::size_t>(first_layer); l < c.used.size(); ++l)
    macs += c.learning[l] + (l > static_cast<std::size_t>(first_layer) ? c.used[l] : 0);
  return macs;
}

LayerConnections layer_connections(const TopologySpec& topology, const std::vector<int>& widths) {
  LayerConnections c;
  if (topology.rule == TopologyRule::dense) {
    c.used = c.learning = connections(1, DensityLaw::uniform, widths);
    return c;
  }
  c.used = c.learning = connections(topology.density, topology.law, widths);
  if (topology.rule != TopologyRule::top_kast) return c;
  c.learning = connections(topology.learning_density, topology.law, widths);
  for (std::size_t l = 0; l < c.used.size(); ++l) c.learning[l] = std::max(c.learning[l], c.used[l]);
  return c;
}

NetworkCounts sparse_counts(const TopologySpec& topology, const std::vector<int>& widths, bool biases) {
  NetworkCounts counts = mlp_counts(widths, biases);
  const LayerConnections c = layer_connections(topology, widths);
  counts.forward_macs = std::accumulate(c.used.begin(), c.used.end(), std::int64_t{0});
  counts.backward_macs = backward_macs(c, 0);
  return counts;
}

}  // namespace eos::theory
