#include "eos/theory/denoising.hpp"

namespace eos::theory {

Denoising Denoising::published() {
  // numpy.random.seed(195); N = 1000; mu = normal(size=(2, N))/sqrt(N); w = 0.2 mu + normal(0, 1/sqrt(N), (2, N));
  // w *= sqrt(N)/2/|w|; R = mu w'/sqrt(N), Q = w w'/N, Omega = mu mu'   (NumPy 1.24)
  Denoising task;
  task.mean_overlap = {0.9471224195645531, 0.03127489002871372, 0.03127489002871372, 0.9900207602113755};
  task.overlap = {0.11648963611569667, 0.02885135451135905, -0.005180891113465809, 0.10386930883716412};
  task.unit_overlap = {0.25, 0.0028894103374803707, 0.0028894103374803707, 0.25};
  return task;
}

}  // namespace eos::theory
