#include "eos/theory/problem.hpp"

#include <fmt/format.h>

#include <cmath>

#include "checker.hpp"

namespace eos::theory {
namespace {

void check_spectrum(const ModeProblem& p, Checker& c) {
  if (p.lambda.empty()) c.add("E401", "the problem has no modes", "give lambda and initial, one value per mode");
  if (p.initial.size() != p.lambda.size()) {
    c.add("E107", fmt::format("initial has {} values for {} modes", p.initial.size(), p.lambda.size()));
  }
  if (!p.multiplicity.empty() && p.multiplicity.size() != p.lambda.size()) {
    c.add("E107", fmt::format("multiplicity has {} values for {} modes", p.multiplicity.size(), p.lambda.size()),
          "leave it empty when every mode counts once");
  }
  auto each = [&](const std::vector<double>& values, const char* name, bool zero_allowed) {
    for (std::size_t j = 0; j < values.size(); ++j) {
      const bool good = std::isfinite(values[j]) && (values[j] > 0 || (zero_allowed && values[j] == 0));
      if (!good) {
        c.add("E104",
              fmt::format("{}[{}] = {} must be finite and {} 0", name, j, values[j], zero_allowed ? ">=" : ">"));
        return;
      }
    }
  };
  each(p.lambda, "lambda", false);
  each(p.initial, "initial", true);
  each(p.multiplicity, "multiplicity", false);
}

void check_bounds(const Bounds& b, const char* name, double low, double high, Checker& c) {
  if (!std::isfinite(b.lower) || !std::isfinite(b.upper)) {
    c.add("E104", fmt::format("{}_bounds = [{}, {}] must be finite", name, b.lower, b.upper));
  } else if (b.lower > b.upper) {
    c.add("E401", fmt::format("{}_bounds are reversed: lower {} > upper {}", name, b.lower, b.upper),
          fmt::format("write them as [{}, {}]", b.upper, b.lower));
  } else if (b.lower < low || b.upper > high) {
    c.add("E104",
          fmt::format("{}_bounds = [{}, {}] leave the allowed range [{}, {}]", name, b.lower, b.upper, low, high));
  }
}

void check_plasticity(const ModeProblem& p, Checker& c) {
  if (p.plasticity_exponents.size() != p.plasticity_prices.size()) {
    c.add("E107",
          fmt::format("plasticity_exponents and plasticity_prices have {} and {} values", p.plasticity_exponents.size(),
                      p.plasticity_prices.size()),
          "give one price per exponent");
  }
  bool steep = false;
  for (const double alpha : p.plasticity_exponents) {
    c.range("plasticity_exponents", alpha, 0, 2);
    steep = steep || (alpha > 0 && alpha < 1);
  }
  for (const double price : p.plasticity_prices) c.at_least("plasticity_prices", price, 0);
  if (steep && !(p.rate_bounds.lower > 0)) {
    c.add("E401", "a plasticity exponent between 0 and 1 has an infinite marginal price at learning rate 0",
          "give the learning rate a positive lower bound, e.g. 1e-4 of the upper one");
  }
  if (p.accumulated && !p.plasticity_prices.empty()) {
    c.add("E401", "plasticity prices do not go with accumulated writes, of which only the path length is modelled",
          "leave accumulated away, or use price_path");
  }
  c.at_least("price_maintenance", p.price_maintenance, 0, false, "a negative price makes the energy unbounded below");
  c.at_least("price_consolidation", p.price_consolidation, 0, false,
             "a negative price makes the energy unbounded below");
  if ((p.price_maintenance > 0) != (p.price_consolidation > 0)) {
    c.add("E401",
          fmt::format("price_maintenance = {} and price_consolidation = {}: only one has a price", p.price_maintenance,
                      p.price_consolidation),
          "an optimal cache would make the other one 0 by never, or always, consolidating; give both or none");
  }
}

bool overlaps_full_data(const ModeProblem& p) {
  for (int i = 0; i < p.intervals; ++i) {
    const bool full = p.data_bounds.lower < 1 && p.data_bounds_in(i, p.intervals).lower == 1;
    if (full && p.rests_in(i, p.intervals)) return true;
  }
  return false;
}

void check_discretisation(const ModeProblem& p, Checker& c) {
  const Discretisation& d = p.discretisation;
  constexpr int k_most_steps = 1 << 16;
  if (d.steps < 0 || d.steps > k_most_steps || d.steps % 2 != 0) {
    c.add("E104", fmt::format("discretisation.steps = {} must be even and between 0 and {}", d.steps, k_most_steps),
          "with an even number the middle of an interval is the end of a step; 0 refines as needed");
  } else if (d.scheme == Scheme::recursion) {
    const double length = p.horizon / p.intervals;
    if (d.steps != 0) {
      c.add("E401", fmt::format("discretisation.steps = {} does not go with the recursion", d.steps),
            "the recursion takes one step per unit of time; leave steps away");
    }
    if (!(std::round(length) >= 1 && std::abs(length - std::round(length)) <= 1e-9 * length)) {
      c.add("E401",
            fmt::format("horizon {} in {} intervals gives {} steps per interval; the recursion needs whole numbers",
                        p.horizon, p.intervals, length),
            fmt::format("take a horizon that is a multiple of {}, or other intervals", p.intervals));
    }
    if (p.rebatched) {
      c.add("E401", "rebatched does not go with the recursion, which writes once per step",
            "leave rebatched away, or take the exponential scheme");
    }
  } else if (d.scheme == Scheme::rk4 && d.steps == 0) {
    c.add("E401", "the rk4 scheme needs a number of steps per interval",
          "give steps, e.g. 2; steps that are refined as needed are for the exponential scheme");
  }
  if (d.rest_intervals < -1 || d.rest_intervals > p.intervals) {
    c.add("E104",
          fmt::format("discretisation.rest_intervals = {} must be between -1 and the number of intervals, {}",
                      d.rest_intervals, p.intervals),
          "-1 searches for the best length of the final rest, 0 means none");
  } else if (d.rest_intervals > 0 && p.data_rule == Rule::all && p.weight_rule == Rule::all) {
    c.add("E401", fmt::format("a rest of {} intervals needs a fraction that can fall", d.rest_intervals),
          "choose data or weights by rule random or ranked, or leave rest_intervals away");
  } else if (d.rest_intervals > 0 && p.data_rule != Rule::all && overlaps_full_data(p)) {
    c.add(
        "E401",
        fmt::format("a rest of {} intervals overlaps a phase with all data (full_data_start = {}, full_data_end = {})",
                    d.rest_intervals, p.full_data_start, p.full_data_end),
        "make one of them shorter; a phase at the end leaves no room for a rest");
  }
}

}  // namespace

Bounds ModeProblem::data_bounds_in(int i, int count) const {
  // The middle of an interval decides, with a margin that makes a boundary between intervals exact.
  const double progress = (i + 0.5) / count;
  const bool full = progress < full_data_start - 1e-9 || progress > 1 - full_data_end + 1e-9;
  return full ? Bounds{1, 1} : data_bounds;
}

bool ModeProblem::rests_in(int i, int count) const {
  const double share = discretisation.rest_intervals / static_cast<double>(intervals);
  return discretisation.rest_intervals > 0 && (i + 0.5) / count > 1 - share + 1e-9;
}

void ModeProblem::check() const {
  Checker c;
  check_spectrum(*this, c);
  c.at_least("batch", batch, 0, true);
  c.at_least("noise_variance", noise_variance, 0);
  c.at_least("noise_scale", noise_scale, 0);
  if (!std::isfinite(loss_offset)) c.add("E104", fmt::format("loss_offset = {} must be finite", loss_offset));
  if (!(horizon > 0) || !std::isfinite(horizon)) {
    c.add("E401", fmt::format("horizon = {} must be finite and > 0", horizon),
          "the horizon counts chunks of `batch` samples");
  }
  if (intervals < 1 || intervals > 100000) {
    c.add("E104", fmt::format("intervals = {} must be between 1 and 100000", intervals));
  }
  const char* help = "a negative price makes the energy unbounded below";
  c.at_least("terminal_weight", terminal_weight, 0, false, "a negative weight rewards a higher loss");
  c.at_least("running_weight", running_weight, 0, false, "a negative weight rewards a higher loss");
  c.at_least("price_time", price_time, 0, false, help);
  c.at_least("price_screening", price_screening, 0, false, help);
  c.at_least("price_sample", price_sample, 0, false, help);
  c.at_least("price_write", price_write, 0, false, help);
  c.at_least("price_path", price_path, 0, false, help);
  check_plasticity(*this, c);
  if (terminal_weight == 0 && running_weight == 0) {
    c.add("E401", "terminal_weight and running_weight are both 0, so nothing rewards learning",
          "give the energy that one unit of loss is worth");
  }
  // A fraction of exactly 0 has an infinite marginal capture for ranked choice, so the lower bound stays positive.
  constexpr double k_smallest = 1e-9;
  check_bounds(data_bounds, "data", k_smallest, 1, c);
  check_bounds(weight_bounds, "weight", k_smallest, 1, c);
  check_bounds(rate_bounds, "rate", 0, 1e9, c);
  c.range("full_data_start", full_data_start, 0, 1);
  c.range("full_data_end", full_data_end, 0, 1);
  c.at_least("horizon_epochs", horizon_epochs, 0);
  check_discretisation(*this, c);
  c.finish();
}

std::string to_string(SolveStatus status) {
  switch (status) {
    case SolveStatus::optimal:
      return "optimal";
    case SolveStatus::iteration_limit:
      return "iteration_limit";
    case SolveStatus::stalled:
      return "stalled";
    case SolveStatus::not_finite:
      return "not_finite";
    case SolveStatus::evaluated:
      return "evaluated";
  }
  return "unknown";
}

Schedule Plan::schedule() const {
  Schedule s;
  const double horizon = trajectory.time.empty() ? 1 : trajectory.time.back();
  for (double t : trajectory.time) s.edges.push_back(t / horizon);
  s.data_fraction = trajectory.data_fraction;
  s.weight_fraction = trajectory.weight_fraction;
  s.learning_rate = trajectory.learning_rate;
  s.data_rule = problem.data_rule;
  s.weight_rule = problem.weight_rule;
  s.epochs = problem.horizon_epochs;
  s.origin = problem.title.empty() ? "plan" : "plan: " + problem.title;
  return s;
}

}  // namespace eos::theory
