#include "eos/theory/curriculum.hpp"

#include <fmt/format.h>

#include "eos/core/error.hpp"

namespace eos::theory {

double evaluate_curriculum(const Curriculum& c, const std::vector<bool>& easy) {
  if (easy.empty()) throw core::Error("E104", "a curriculum without steps", "give at least one step");
  const double h = c.horizon / static_cast<double>(easy.size());
  CurriculumState<double> x = c.start;
  for (const bool is_easy : easy) {
    const auto d = curriculum_rates(x, is_easy ? c.easy : c.hard, c.rate, c.weight_decay, c.teacher_norm);
    x = {x.relevant + h * d.relevant, x.irrelevant + h * d.irrelevant, x.overlap + h * d.overlap};
  }
  return c.easy_share * curriculum_error(x, c.easy, c.teacher_norm) +
         (1 - c.easy_share) * curriculum_error(x, c.hard, c.teacher_norm);
}

TwoSwitchSchedule best_two_switch_curriculum(const Curriculum& setting, int steps, int easy_steps) {
  if (steps < 1 || easy_steps < 0 || easy_steps > steps) {
    throw core::Error("E104", fmt::format("{} easy steps among {}", easy_steps, steps),
                      "give at least one step, and no more easy steps than steps");
  }
  TwoSwitchSchedule best;
  for (int first = 0; first <= easy_steps; ++first) {
    std::vector<bool> easy(static_cast<std::size_t>(steps), true);
    for (int i = first; i < first + steps - easy_steps; ++i) easy[static_cast<std::size_t>(i)] = false;
    const double error = evaluate_curriculum(setting, easy);
    if (first == 0 || error < best.error) best = {first, error, std::move(easy)};
  }
  return best;
}

}  // namespace eos::theory
