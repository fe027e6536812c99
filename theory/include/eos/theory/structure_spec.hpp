// State which units and connections of a network may learn, and when: masks on errors, plastic paths, frozen layers and
// sparse topologies; and what their backward passes cost.
//
// Plain values; defaults are also those of the TOML keys in [plasticity.units], [plasticity.freeze] and
// [plasticity.topology]. Sources: van Rossum & Pache, PLoS Comput Biol 20(10):e1012553 (2024) and their program
// (numbers of its algorithms below); meProp: Sun et al., ICML 2017; FreezeOut: Brock et al., arXiv:1706.04983 (2017);
// SET: Mocanu et al., Nat Commun 9:2383 (2018); RigL: Evci et al., ICML 2020; Top-KAST: Jayakumar et al., NeurIPS 2020.
// Conventions: layers and levels count from the input; level l is the input of layer l, the last level the outputs.
#pragma once

#include <cstdint>
#include <vector>

#include "eos/theory/ledger.hpp"

namespace eos::theory {

/// Which units keep their back-propagated error. The others neither change their incoming weights nor pass it on.
enum class UnitRule {
  all,
  random,       ///< each with probability fraction, drawn again for every sample (1)
  fixed,        ///< one fixed random set (4)
  by_class,     ///< one fixed random set for each label (6)
  alternating,  ///< fixed random sets in turn, one a trained sample; each unit is in each with probability fraction
                ///< (10)
  error,        ///< those with the largest |error| (30, 31; meProp)
  activity      ///< those with the largest |activity| (32, 33)
};

struct UnitSpec {
  UnitRule rule = UnitRule::all;
  double fraction = 1;         ///< of the units of each hidden layer
  int count = 0;               ///< units instead of a fraction; 0: fraction
  double output_fraction = 1;  ///< of the output units; 1: their errors are never masked
  int masks = 2;               ///< number of sets of rule alternating
  bool smallest = false;       ///< rules error and activity: the smallest instead (31, 33), as controls
  bool unified = false;        ///< rules error and activity: one set a batch, ranked by sums over the batch
  /// Plastic units of each hidden layer, 0: all. Only weights and biases on paths of plastic units are written, errors
  /// pass everywhere (105, 106).
  int path = 0;
};

/// When layers stop to learn: always a prefix of the network, from the front to the back.
enum class FreezeLaw {
  never,
  linear,  ///< layer l of L at first + (1 - first) l/(L - 1) of the horizon (FreezeOut)
  cubic,   ///< at the cube of that
  shares,  ///< layer l at until[l] of the horizon, layers beyond the list never
  epochs   ///< layer l after until[l] epochs
};

struct FreezeSpec {
  FreezeLaw law = FreezeLaw::never;
  double first = 0.5;         ///< t_0 of the linear and the cubic law
  std::vector<double> until;  ///< not decreasing
};

/// Which groups of units get a weight gradient at all, drawn anew for every update. The others keep their weights; all
/// errors are passed on. Block coordinate descent (Nutini, Laradji & Schmidt, JMLR 23, 2022).
enum class GroupRule {
  all,
  random,  ///< a random choice of groups in every layer
  cyclic   ///< the next groups of every layer in turn
};

struct GroupSpec {
  GroupRule rule = GroupRule::all;
  double fraction = 0.25;  ///< of the groups of each dense or convolutional layer, at least one
  int width = 16;          ///< units (channels) of a group
};

/// How many residual branches the network has, and from when on (progressive stacking: Gong et al., ICML 2019; growth
/// that keeps the function: Chen, Goodfellow & Shlens, Net2Net, ICLR 2016). A branch f of x + f(x) that does not exist
/// yet costs nothing: neither forward nor backward passes, nor reads, writes or words of an accumulator. The last layer
/// of a branch that appears later starts at zero, so the function of the network does not change when it does.
struct GrowthSpec {
  std::vector<double> depths;  ///< shares of the branches, from the input on, of each stage but the last, which has all
  std::vector<double> until;   ///< shares of the horizon at which these stages end, increasing; empty: from `end`
  double end = 0.8;            ///< share of the horizon from which on all exist; stages before it are equally long

  bool on() const { return !depths.empty(); }
};

/// Where the backward pass of an update stops: layers below do not learn at it.
enum class LayerGate {
  none,
  random,  ///< with probability 1 - depth_share at a block drawn uniformly (as Wang et al., E2-Train, NeurIPS 2019, skip
           ///< layers)
  ratio    ///< where progress per joule is largest; full passes are drawn by the inspection rule (layer_depth.hpp)
};

/// Which connections exist.
enum class TopologyRule {
  dense,
  fixed,    ///< a random sparse network
  set,      ///< the smallest weights are dropped, others grow at random
  rigl,     ///< the smallest weights are dropped, those with the largest gradient grow
  top_kast  ///< the largest weights are used, more of them learn
};
/// Share of connections of each layer at a given total.
enum class DensityLaw {
  uniform,
  erdos_renyi  ///< proportional to (in + out)/(in out), at most 1; Evci et al.'s ERK is the same for dense layers
};

struct TopologySpec {
  TopologyRule rule = TopologyRule::dense;
  double density = 0.1;  ///< of all weights; biases are not counted and always exist
  DensityLaw law = DensityLaw::erdos_renyi;
  int interval = 100;             ///< updates between changes
  double drop = 0.3;              ///< set, rigl: share that is dropped at first, falling as a cosine
  double stop = 0.75;             ///< set, rigl: share of the horizon after which nothing changes
  double learning_density = 0.2;  ///< top_kast: of weights that learn, at least density
  double exploration = 1e-4;      ///< top_kast: L2 decay of used weights, divided by density for those only learning
};

// ---- units

/// Units of a layer of `width` that rules fixed and by_class keep: the fraction rounded, at least one; or `count`.
std::int64_t chosen_units(double fraction, int count, int width);
/// Units that rules error and activity keep: those at or above the order statistic round((1 - fraction)(width - 1)), as
/// in the program of van Rossum & Pache; or `count`.
std::int64_t ranked_units(double fraction, int count, int width);

/// What takes part in the backward pass of one sample at one level.
struct LevelUnits {
  std::int64_t senders = 0;    ///< units whose outgoing weights may change
  std::int64_t receivers = 0;  ///< units whose incoming weights may change
  std::int64_t passing = 0;    ///< units whose error is passed on
  std::int64_t needed = 0;     ///< units whose error must be computed
};
/// MACs of the backward pass of one sample through the layers from first_layer on:
/// sum_{l >= first} senders_l receivers_{l+1} + sum_{l > first} passing_{l+1} needed_l.
std::int64_t backward_macs(const std::vector<LevelUnits>& levels, int first_layer);

// ---- freezing

/// Share of the horizon at which each of `layers` layers freezes; infinity: never.
std::vector<double> freeze_times(const FreezeSpec& freeze, int layers, double epochs);

// ---- growth

/// Branches that exist at a share of the horizon: ceil(depth * branches) of its stage, at least one; all in the end.
int grown_branches(const GrowthSpec& growth, int branches, double progress);
/// until, or end (i + 1) / n for n stages.
std::vector<double> stage_ends(const GrowthSpec& growth);

// ---- sparse topologies

/// Connections of each layer of a multilayer perceptron at a total density. Layers for which the Erdos-Renyi law gives
/// more than 1 are full and the others share the rest.
std::vector<std::int64_t> connections(double density, DensityLaw law, const std::vector<int>& widths);
/// Connections of each layer that are used, and of those that learn.
struct LayerConnections {
  std::vector<std::int64_t> used, learning;
};
LayerConnections layer_connections(const TopologySpec& topology, const std::vector<int>& widths);
/// Share of the connections that is dropped at a share of the horizon: drop/2 (1 + cos(pi progress/stop)) before
/// `stop`, then 0 (Evci et al., eq. 1).
double drop_fraction(const TopologySpec& topology, double progress);
/// MACs of the backward pass of one sample: sum_{l >= first} learning_l + sum_{l > first} used_l.
std::int64_t backward_macs(const LayerConnections& connections, int first_layer);
/// Counts of a multilayer perceptron whose missing connections cost nothing: MACs of `used` connections forward, of
/// these and of the learning ones backward. Parameters are still all that are stored.
NetworkCounts sparse_counts(const TopologySpec& topology, const std::vector<int>& widths, bool biases);

}  // namespace eos::theory
