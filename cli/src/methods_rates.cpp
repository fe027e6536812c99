// Laws of the learning rate that are methods of their own.
#include "methods.hpp"

namespace eos::cli {

std::vector<MethodExplanation> rate_law_explanations() {
  return {
      {"optimiser", "effort",
       "The learning rate follows the distance between the training accuracy that is expected at the end and the "
       "present one, so that the effort of learning is spent where it pays.",
       "eta(t) = sqrt(2 (P_T - P(t)) / kappa), at most learning_rate        (kappa = 1, P_T = 1)",
       "eos: maximum of int P - (kappa / 2) eta^2 dt with dP/dt proportional to eta; the question is that of Njaradi, "
       "Carrasco-Davis, Latham & Saxe, arXiv:2601.07830 (2026), whose abstract names a feedback law of the same kind",
       "no extra forward pass: P is the running accuracy of the samples trained on",
       "When large steps are costly in themselves (wear, noise, effort). With a price on the path length alone the "
       "best rate is the largest stable one, then none."},
  };
}

}  // namespace eos::cli
