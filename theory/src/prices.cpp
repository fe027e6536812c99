// The price lists that ship with eos. data/prices/NAME.toml holds the same numbers for people to copy and change.
#include <fmt/format.h>

#include "eos/core/error.hpp"
#include "eos/theory/ledger.hpp"

namespace eos::theory {
namespace {

// One fp32 multiply-add at 7 nm: 1.31 pJ multiply + 0.38 pJ add (Jouppi et al., ISCA 2021, Table 2).
constexpr double k_mac_7nm = 1.69e-12;
// One fp32 word in HBM2: 32 bit x 3.92 pJ/bit (O'Connor et al., MICRO 2017), rounded.
constexpr double k_hbm_word = 125e-12;
// One 32-bit word in 1 MB of SRAM at 7 nm: half of the 14 pJ of a 64-bit access (Jouppi et al., ISCA 2021, Table 2).
constexpr double k_sram_word = 7e-12;

PriceList metabolic() {
  PriceList p;
  p.name = "metabolic";
  p.title = "biology: plasticity costs its path length";
  p.source =
      "Form (alpha = 1, maintenance of the transient part) of Li & van Rossum, eLife 9:e50804 (2020), eq. 1 and 4. "
      "ASSUMPTIONS: the scale of path is chosen such that plain batch-32 training of a 784-256-256-10 network spends "
      "about 80 % on plasticity when a MAC costs 1.69 pJ; maintenance is 1e-5 of path.";
  p.mac = p.scoring_mac = k_mac_7nm;
  p.path = 7e-6;
  p.maintenance = 1e-5 * p.path;
  return p;
}

PriceList metabolic_cache() {
  PriceList p = metabolic();
  p.name = "metabolic-cache";
  p.title = "biology: plasticity costs its path length, transient weights cost upkeep";
  p.source =
      "As metabolic, with maintenance of 1e-3 of path: c = 0.001 of Li & van Rossum, eLife 9:e50804 (2020), Fig. 5B; "
      "changing the transient part is free (b = 0), as there.";
  p.maintenance = 1e-3 * p.path;
  return p;
}

PriceList metabolic_m0() {
  PriceList p;
  p.name = "metabolic-m0";
  p.title = "biology or NVM: plasticity costs its number of writes";
  p.source =
      "Form M_0 of van Rossum & Pache, PLoS Comput Biol 20(10):e1012553 (2024). ASSUMPTIONS: write is chosen such that "
      "plain batch-32 training of a 784-256-256-10 network on Fashion-MNIST spends about 80 % on writes when a MAC "
      "costs 1.69 pJ; an accumulator update costs 7/125 of a write, the ratio of an SRAM to an HBM2 word.";
  p.mac = p.scoring_mac = k_mac_7nm;
  p.write = 1.08e-9;
  p.accumulator = p.write * 7 / 125;
  return p;
}

PriceList sram_7nm() {
  PriceList p;
  p.name = "sram-7nm";
  p.title = "7 nm chip with its weights in SRAM";
  p.source =
      "mac: fp32, 7 nm, Jouppi et al., ISCA 2021, Table 2. write, accumulator: 32-bit word of a 1 MB SRAM, same table "
      "(14 pJ per 64 bit). ASSUMPTION: reading weights is part of the MAC price.";
  p.mac = p.scoring_mac = k_mac_7nm;
  p.write = p.accumulator = k_sram_word;
  return p;
}

PriceList hbm2() {
  PriceList p;
  p.name = "hbm2";
  p.title = "7 nm chip with its weights in HBM2, accumulators in SRAM";
  p.source =
      "mac: fp32, 7 nm, Jouppi et al., ISCA 2021, Table 2. write: 32 bit x 3.92 pJ/bit, O'Connor et al., MICRO 2017. "
      "accumulator: SRAM word, Jouppi et al. ASSUMPTIONS: words are written one by one (no sector overhead), reading "
      "weights is free.";
  p.mac = p.scoring_mac = k_mac_7nm;
  p.write = k_hbm_word;
  p.accumulator = k_sram_word;
  return p;
}

PriceList hbm2_reads() {
  PriceList p = hbm2();
  p.name = "hbm2-reads";
  p.title = "hbm2, weight reads charged";
  p.source =
      "As hbm2, and every parameter word read costs the same 125 pJ (O'Connor et al., MICRO 2017). ASSUMPTION: nothing "
      "is cached between chunks.";
  p.weight_read = k_hbm_word;
  return p;
}

PriceList h100() {
  PriceList p;
  p.name = "h100";
  p.title = "H100 board, bf16 tensor cores, weights and accumulators in HBM3";
  p.source =
      "mac: 2 x 0.71 pJ/FLOP = 700 W TDP / 989 TFLOP/s bf16 (data sheet), an upper-level bound that includes "
      "everything on the board. write, accumulator, weight_read: ASSUMED equal to the HBM2 device figure, 32 bit x "
      "3.92 pJ/bit (O'Connor et al., MICRO 2017); HBM3 is somewhat cheaper per bit.";
  p.mac = p.scoring_mac = 1.42e-12;
  p.write = p.accumulator = p.weight_read = k_hbm_word;
  return p;
}

PriceList neuromorphic() {
  PriceList p;
  p.name = "neuromorphic";
  p.title = "Loihi: synaptic operations and synaptic updates";
  p.source =
      "mac: synaptic operation 23.6 pJ; write: pairwise-STDP update 120 pJ (Davies et al., IEEE Micro 38(1), 2018). "
      "ASSUMPTIONS: one MAC is one synaptic operation, backward as forward; an accumulator update costs one synaptic "
      "operation.";
  p.mac = p.scoring_mac = 23.6e-12;
  p.write = 120e-12;
  p.accumulator = 23.6e-12;
  return p;
}

const std::vector<PriceList>& all_prices() {
  static const std::vector<PriceList> k_prices = {metabolic(),  metabolic_m0(), sram_7nm(),     hbm2(),
                                                  hbm2_reads(), h100(),         neuromorphic(), metabolic_cache()};
  return k_prices;
}

}  // namespace

std::vector<std::string> builtin_price_names() {
  std::vector<std::string> names;
  for (const PriceList& prices : all_prices()) names.push_back(prices.name);
  return names;
}

PriceList builtin_prices(const std::string& name) {
  for (const PriceList& prices : all_prices()) {
    if (prices.name == name) return prices;
  }
  throw core::Error("E106", fmt::format("there is no built-in price list '{}'", name),
                    core::suggest(name, builtin_price_names()));
}

}  // namespace eos::theory
