// What a comparison says: energies at equal quality, gains with intervals, and why.
//
// Validation data choose: the configuration that stands for a method under a price list, which of the dense batches is
// the baseline, which competitor and which joint method is the best. Test data report. Formulas: equal_quality.hpp.
#pragma once

#include <string>
#include <vector>

#include "eos/core/dataset.hpp"
#include "eos/theory/equal_quality.hpp"
#include "evidence.hpp"

namespace eos::cli {

/// One method, or one configuration of it, on one task: [horizon][seed], horizons rising.
struct Course {
  std::string method;
  int configuration = 0;
  std::vector<std::vector<FinishedRun>> runs;

  theory::SeedRuns on_test(const theory::PriceList& prices) const;
  theory::SeedRuns on_validation(const theory::PriceList& prices) const;
  /// Wall time of training in place of energy.
  theory::SeedRuns seconds_on_test() const;
  /// Means over horizons and seeds of a term of the energy, for each point of `curve` (of on_test).
  std::vector<double> term_along(const theory::QualityCurve& curve, const theory::PriceList& prices,
                                 const std::string& term) const;
};
std::vector<Course> courses_of(const std::vector<FinishedRun>& runs);

/// Better on validation: reaches the target for less; else, comes closer to it.
bool steers_better(const theory::QualityCurve& a, const theory::QualityCurve& b, double target);

/// Adds the results to evidence_dataset(): variables over (task, method, price_list), (task, price_list), ... Draws of the
/// bootstrap are those of `seed`.
void add_results(core::Dataset& evidence, int resamples, std::uint64_t seed);

/// "=", ">=", "<=" or "".
std::string sign_of(theory::Known known);

}  // namespace eos::cli
