#include "eos/theory/path_forms.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "checker.hpp"

namespace eos::theory {
namespace {

void check_modes(std::span<const double> lambda, std::span<const double> error, std::span<const double> multiplicity,
                 Checker& c) {
  if (error.size() != lambda.size()) {
    c.add("E107", fmt::format("error has {} values for {} modes", error.size(), lambda.size()));
  }
  if (!multiplicity.empty() && multiplicity.size() != lambda.size()) {
    c.add("E107", fmt::format("multiplicity has {} values for {} modes", multiplicity.size(), lambda.size()),
          "leave it empty when every mode counts once");
  }
  for (double x : lambda) c.at_least("lambda", x, 0, true);
  for (double x : error) c.at_least("error", x, 0);
  for (double x : multiplicity) c.at_least("multiplicity", x, 0, true);
}

double count_of(std::span<const double> multiplicity, std::size_t j) {
  return multiplicity.empty() ? 1 : multiplicity[j];
}

WaterFilling fill(std::span<const double> lambda, std::span<const double> error, std::span<const double> multiplicity,
                  double level) {
  WaterFilling w;
  w.level = level;
  for (std::size_t j = 0; j < lambda.size(); ++j) {
    const double n = count_of(multiplicity, j), left = std::min(error[j], level / lambda[j]);
    w.error.push_back(left);
    w.length += n * (error[j] - left);
    w.loss += 0.5 * n * lambda[j] * left * left;
  }
  return w;
}

}  // namespace

WaterFilling least_path_to_loss(std::span<const double> lambda, std::span<const double> error, double target,
                                std::span<const double> multiplicity) {
  Checker c;
  check_modes(lambda, error, multiplicity, c);
  c.at_least("target", target, 0);
  c.finish();
  // Modes in the order in which a falling level reaches them: lambda e descending.
  std::vector<std::size_t> order(lambda.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t i, std::size_t j) { return lambda[i] * error[i] > lambda[j] * error[j]; });
  std::vector<double> untouched(order.size() + 1, 0);  // loss of the modes from rank k on
  for (std::size_t k = order.size(); k-- > 0;) {
    const std::size_t j = order[k];
    untouched[k] = untouched[k + 1] + 0.5 * count_of(multiplicity, j) * lambda[j] * error[j] * error[j];
  }
  if (untouched[0] <= target) {
    const double top = order.empty() ? 0 : lambda[order[0]] * error[order[0]];
    return fill(lambda, error, multiplicity, top);
  }
  double stiffness = 0;  // sum n/lambda over the modes under water: their loss is mu^2 stiffness / 2
  for (std::size_t k = 0; k < order.size(); ++k) {
    const std::size_t j = order[k];
    stiffness += count_of(multiplicity, j) / lambda[j];
    const double level = std::sqrt(2 * std::max(0.0, target - untouched[k + 1]) / stiffness);
    const double next = k + 1 < order.size() ? lambda[order[k + 1]] * error[order[k + 1]] : 0;
    if (target >= untouched[k + 1] && level >= next) return fill(lambda, error, multiplicity, level);
  }
  return fill(lambda, error, multiplicity, 0);
}

WaterFilling least_path_and_loss(std::span<const double> lambda, std::span<const double> error, double path_price,
                                 double weight, std::span<const double> multiplicity) {
  Checker c;
  check_modes(lambda, error, multiplicity, c);
  c.at_least("path_price", path_price, 0);
  c.at_least("weight", weight, 0, true);
  c.finish();
  return fill(lambda, error, multiplicity, path_price / weight);
}

void SpeedLimitedMode::check() const {
  Checker c;
  c.at_least("lambda", lambda, 0, true);
  c.at_least("terminal_weight", terminal_weight, 0, true);
  c.at_least("path_price", path_price, 0);
  c.at_least("time_price", time_price, 0);
  c.at_least("speed_limit", speed_limit, 0, true);
  c.at_least("initial", initial, 0);
  c.finish();
}

double SpeedLimitedMode::final_error() const {
  check();
  return std::min(initial, (path_price + time_price / speed_limit) / (terminal_weight * lambda));
}

double SpeedLimitedMode::stop_time() const { return (initial - final_error()) / speed_limit; }

double SpeedLimitedMode::error(double time) const {
  check_time(time, std::numeric_limits<double>::max());
  return std::max(final_error(), initial - speed_limit * time);
}

double SpeedLimitedMode::control(double time) const {
  check_time(time, std::numeric_limits<double>::max());
  return time < stop_time() ? speed_limit : 0;
}

double SpeedLimitedMode::cost() const {
  const double end = final_error();
  return path_price * (initial - end) + time_price * stop_time() + 0.5 * terminal_weight * lambda * end * end;
}

void ConstantSpeed::check() const {
  Checker c;
  c.at_least("alpha", alpha, 1, false, "below 1 the energy has no minimum over smooth paths: few large jumps are best");
  c.at_least("displacement", displacement, 0);
  c.at_least("upkeep", upkeep, 0);
  c.finish();
}

double ConstantSpeed::energy(double time) const {
  check();
  Checker c;
  c.at_least("time", time, 0, true);
  c.finish();
  return std::pow(displacement, alpha) * std::pow(time, 1 - alpha) + upkeep * time;
}

double ConstantSpeed::best_time() const {
  check();
  if (alpha == 1) return 0;
  return upkeep > 0 ? displacement * std::pow((alpha - 1) / upkeep, 1 / alpha)
                    : std::numeric_limits<double>::infinity();
}

double ConstantSpeed::least_energy() const {
  check();
  if (alpha == 1) return displacement;
  return displacement * alpha * std::pow(alpha - 1, 1 / alpha - 1) * std::pow(upkeep, 1 - 1 / alpha);
}

}  // namespace eos::theory
