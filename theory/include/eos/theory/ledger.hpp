// Count what training does, exactly and without prices; price it afterwards with any list.
//
// Counts first, prices later: a run stores its Ledger, and energy(ledger, prices) turns it into joules, so one run can
// be re-priced without re-running. Scoring is always counted.
//
// Statement: E = Σ_k count_k price_k, with plasticity terms M_0 = Σ 1[Δw≠0], M_1 = Σ|Δw|, M_2 = Σ Δw², transient
// maintenance Σ|s| and transient change Σ|Δs|. With a transient part s, M_0 to M_2 count its consolidation. Sources: Li
// & van Rossum, eLife 9:e50804 (2020), eq. 1 and 4; van Rossum & Pache, PLoS Comput Biol 20(10):e1012553 (2024) for M_0
// and M_1.
//
// Conventions. A MAC is one multiply-add. forward_macs are forwards whose activations a backward pass used;
// scoring_macs are all other forwards of training (dropped samples, separate scoring passes, samples presented again).
// Evaluation on validation and test data is not charged. A write is a parameter whose stored value changed; parameters
// include biases. samples_* count presentations, not distinct samples.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace eos::theory {

struct Ledger {
  std::int64_t samples_offered = 0;   ///< positions of the data stream passed, presented or not
  std::int64_t samples_seen = 0;      ///< samples forwarded (presented), each presentation counts
  std::int64_t samples_backward = 0;  ///< samples back-propagated
  std::int64_t steps = 0;             ///< optimiser updates
  std::int64_t forward_macs = 0;
  std::int64_t scoring_macs = 0;
  std::int64_t backward_macs = 0;
  std::int64_t writes = 0;               ///< M_0, parameters whose stored value changed
  double path_length = 0;                ///< M_1, Σ|Δw|
  double path_squared = 0;               ///< M_2, ΣΔw²
  double transient_path = 0;             ///< Σ|Δs| of updates that stay in a transient part
  std::int64_t accumulator_updates = 0;  ///< words added to an accumulator or a transient part
  double maintenance = 0;                ///< Σ_presentations Σ|s| of transient weights
  std::int64_t weight_reads = 0;         ///< parameter words read: once per forward or backward chunk and update
  std::int64_t input_bytes = 0;          ///< bytes of input data loaded

  Ledger& operator+=(const Ledger& other);
};

/// Prices in joules per count. All are >= 0.
struct PriceList {
  std::string name = "metabolic";
  std::string title;          ///< one line for tables
  std::string source;         ///< where the numbers come from
  double mac = 0;             ///< J per MAC, forward and backward
  double scoring_mac = 0;     ///< J per MAC of scoring forwards (lower precision may be cheaper)
  double write = 0;           ///< J per write (M_0)
  double path = 0;            ///< J per unit of Σ|Δw| (M_1)
  double path_squared = 0;    ///< J per unit of ΣΔw² (M_2)
  double transient_path = 0;  ///< J per unit of Σ|Δs|
  double accumulator = 0;     ///< J per accumulator word updated
  double maintenance = 0;     ///< J per unit of Σ|s| and presentation
  double weight_read = 0;     ///< J per parameter word read
  double input_byte = 0;      ///< J per input byte
  double sample = 0;          ///< J per sample presented (upkeep of time)
};

/// Energy by term, in joules. `total()` is the sum.
struct Energy {
  double forward = 0, scoring = 0, backward = 0, write = 0, path = 0, transient = 0, accumulator = 0, maintenance = 0,
         read = 0, input = 0, upkeep = 0;
  double total() const {
    return forward + scoring + backward + write + path + transient + accumulator + maintenance + read + input + upkeep;
  }
};
/// Names and values of the terms of an Energy, in the order of the struct.
std::vector<std::pair<std::string, double>> terms(const Energy& energy);

Energy energy(const Ledger& ledger, const PriceList& prices);

/// Exact cost counts of one network, from which ledgers and plans are made.
struct NetworkCounts {
  std::int64_t parameters = 0;     ///< weights and biases
  std::int64_t forward_macs = 0;   ///< per sample
  std::int64_t backward_macs = 0;  ///< per sample: weight gradients of all layers, input gradients of all but the first
  std::int64_t input_bytes = 0;    ///< per sample
};
/// Counts of a multilayer perceptron with the given layer widths (biases cost no MACs).
NetworkCounts mlp_counts(const std::vector<int>& widths, bool biases = true);

/// The price lists that ship with eos, by name; the same numbers as data/prices/*.toml (tested).
/// throws Error E106 with suggestions for an unknown name.
PriceList builtin_prices(const std::string& name);
std::vector<std::string> builtin_price_names();

}  // namespace eos::theory
