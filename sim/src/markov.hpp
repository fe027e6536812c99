// A stationary Markov chain of tokens with Dirichlet transition probabilities, and what its text tells at best.
//
// P(x | c) of every context c of `order` tokens is drawn from the symmetric Dirichlet distribution. The stationary
// distribution pi of contexts gives the entropy rate h = sum_c pi(c) H(P(. | c)) (Shannon, Bell Syst. Tech. J. 27, 379,
// 1948, section 7) and the entropies H_n of blocks of n tokens: marginals of pi up to n = order, then H_n = H_(n-1) +
// h. A window of T tokens starts in the stationary distribution, so the least expected loss of a predictor that sees
// the window alone is (H_(T+1) - H_1) / T nats a token: h, and what short contexts cost at the front of the window.
#pragma once

#include <cstdint>
#include <vector>

#include "eos/theory/data_spec.hpp"
#include "generated.hpp"

namespace eos::sim {

class MarkovChain {
 public:
  /// throws Error E107 when the stationary distribution is not found: transitions too predictable.
  explicit MarkovChain(const theory::MarkovSpec& spec);
  double entropy_rate() const;             ///< h [nats per token]
  double block_entropy(int tokens) const;  ///< H_n [nats]
  /// The first `size` tokens of the text of one sample.
  void draw(const SampleDraws& draws, std::vector<std::uint8_t>& tokens) const;
  const std::vector<double>& transitions() const { return transitions_; }  ///< [contexts][vocabulary]
  const std::vector<double>& stationary() const { return stationary_; }    ///< [contexts], first token = highest digit

 private:
  void draw_transitions(const theory::MarkovSpec& spec);
  void find_stationary();
  std::size_t successor(std::size_t context, std::size_t token) const;

  std::size_t vocabulary_, contexts_;
  int order_;
  std::vector<double> transitions_, stationary_;
  std::vector<double> transition_sums_, stationary_sums_;  ///< cumulative
};

}  // namespace eos::sim
