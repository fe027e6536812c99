#include "eos/theory/inspection.hpp"

#include <algorithm>
#include <cmath>

namespace eos::theory {

double inspection_probability(double growth, double cost) {
  return growth < cost ? std::sqrt(std::max(0.0, growth) / cost) : 1.0;
}

double inspection_cost(double probability, double growth, double cost) {
  return probability * cost + growth / probability;
}

double training_surplus(double benefit, double threshold, double training_cost) {
  return training_cost * std::max(0.0, benefit / threshold - 1);
}

}  // namespace eos::theory
