#include "eos/theory/order_parameters.hpp"

#include <fmt/format.h>

#include <cmath>

#include "eos/core/error.hpp"

namespace eos::theory {

std::vector<std::string> Committee::state_names() const {
  std::vector<std::string> names;
  // Two digits run together are told apart only below ten units.
  const bool wide = students > 9 || teachers > 9;
  auto indexed = [&](const char* letter, int a, int b) {
    return wide ? fmt::format("{}_{}_{}", letter, a + 1, b + 1) : fmt::format("{}_{}{}", letter, a + 1, b + 1);
  };
  for (int i = 0; i < students; ++i) {
    for (int n = 0; n < teachers; ++n) names.push_back(indexed("R", i, n));
  }
  for (int i = 0; i < students; ++i) {
    for (int k = i; k < students; ++k) names.push_back(indexed("Q", i, k));
  }
  for (int i = 0; train_readout && i < students; ++i) names.push_back(fmt::format("v_{}", i + 1));
  return names;
}

void Committee::check() const {
  std::vector<core::Diagnostic> problems;
  auto report = [&](const char* code, std::string message, std::string help) {
    core::Diagnostic d;
    d.code = code;
    d.message = std::move(message);
    d.help = std::move(help);
    problems.push_back(std::move(d));
  };
  if (students < 1 || teachers < 1) {
    report("E104", fmt::format("a committee of {} students and {} teachers has no meaning", students, teachers),
           "give at least one hidden unit to each");
    throw core::Error(std::move(problems));
  }
  const auto M = static_cast<std::size_t>(teachers);
  if (!teacher_readout.empty() && teacher_readout.size() != M) {
    report("E107", fmt::format("{} teacher readouts for {} teacher units", teacher_readout.size(), M),
           "give one readout per unit, or none for all 1");
  }
  if (!teacher_overlap.empty() && teacher_overlap.size() != M * M) {
    report("E107", fmt::format("{} teacher overlaps for {} teacher units", teacher_overlap.size(), M),
           fmt::format("give {} numbers, or none for the identity", M * M));
  } else if (!teacher_overlap.empty()) {
    for (int n = 0; n < teachers; ++n) {
      for (int m = 0; m <= n; ++m) {
        const bool variance = n != m || overlap(n, n) > 0;
        if (overlap(n, m) == overlap(m, n) && variance) continue;
        report("E107", fmt::format("teacher overlap ({}, {}) = {} is no covariance", n + 1, m + 1, overlap(n, m)),
               "overlaps are symmetric with a positive diagonal");
      }
    }
  }
  if (!problems.empty()) throw core::Error(std::move(problems));
}

OrderParameters<double> integrate_committee(const Committee& task, OrderParameters<double> start,
                                            const CommitteeInputs<double>& inputs, double duration, int steps) {
  auto axpy = [&](const OrderParameters<double>& x, double h, const OrderParameters<double>& d) {
    OrderParameters<double> y = x;
    for (std::size_t i = 0; i < y.R.size(); ++i) y.R[i] += h * d.R[i];
    for (std::size_t i = 0; i < y.Q.size(); ++i) y.Q[i] += h * d.Q[i];
    for (std::size_t i = 0; task.train_readout && i < y.v.size(); ++i) y.v[i] += h * d.v[i];
    return y;
  };
  const double h = duration / steps;
  for (int i = 0; i < steps; ++i) {
    const auto k1 = committee_rates(task, start, inputs);
    const auto k2 = committee_rates(task, axpy(start, h / 2, k1), inputs);
    const auto k3 = committee_rates(task, axpy(start, h / 2, k2), inputs);
    const auto k4 = committee_rates(task, axpy(start, h, k3), inputs);
    start = axpy(axpy(axpy(axpy(start, h / 6, k1), h / 3, k2), h / 3, k3), h / 6, k4);
  }
  return start;
}

}  // namespace eos::theory
