#include "coordinates.hpp"

#include <algorithm>
#include <cmath>

namespace eos::solvers {

using theory::ControlGradient;
using theory::Controls;
using theory::Rule;

double Coordinates::Fraction::inward(double fraction) const {
  return rule == Rule::ranked ? std::log(fraction) : fraction;
}

double Coordinates::Fraction::outward(double x) const {
  if (rule != Rule::ranked) return x;
  // exp(log(bound)) may miss the bound by an ulp, and a variable on its bound should be exactly there.
  if (x <= std::log(bounds.lower)) return bounds.lower;
  if (x >= std::log(bounds.upper)) return bounds.upper;
  return std::exp(x);
}

Coordinates::Coordinates(const theory::ModeProblem& problem)
    : data_{problem.data_rule, problem.data_bounds}, weight_{problem.weight_rule, problem.weight_bounds} {
  for (Fraction* f : {&data_, &weight_}) {
    if (f->rule == Rule::all) f->bounds = {1, 1};
  }
  rate_scale_ = problem.rate_bounds.upper > 0 ? problem.rate_bounds.upper : 1;
  for (int i = 0; i < problem.intervals; ++i) {
    const double least = problem.data_bounds_in(i, problem.intervals).lower;
    all_data_.push_back(problem.data_rule != Rule::all && least == 1 && data_.bounds.lower < 1);
    lower_.insert(lower_.end(), {data_.inward(all_data_.back() ? 1 : data_.bounds.lower),
                                 weight_.inward(weight_.bounds.lower), problem.rate_bounds.lower / rate_scale_});
    const bool rests = problem.rests_in(i, problem.intervals);
    auto most = [rests](const Fraction& f) { return f.inward(rests ? f.bounds.lower : f.bounds.upper); };
    upper_.insert(upper_.end(), {most(data_), most(weight_), problem.rate_bounds.upper / rate_scale_});
  }
}

std::vector<double> Coordinates::from(std::span<const Controls> controls) const {
  std::vector<double> x;
  for (const Controls& u : controls) {
    x.push_back(data_.inward(u.data_fraction));
    x.push_back(weight_.inward(u.weight_fraction));
    x.push_back(u.learning_rate / rate_scale_);
  }
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::clamp(x[i], lower_[i], upper_[i]);
  return x;
}

void Coordinates::impose_phases(std::span<Controls> controls) const {
  for (std::size_t i = 0; i < controls.size(); ++i) {
    if (all_data_[i]) controls[i].data_fraction = 1;
  }
}

void Coordinates::to(std::span<const double> x, std::span<Controls> controls) const {
  for (std::size_t i = 0; i < controls.size(); ++i) {
    controls[i].data_fraction = data_.outward(x[3 * i]);
    controls[i].weight_fraction = weight_.outward(x[3 * i + 1]);
    controls[i].learning_rate = x[3 * i + 2] * rate_scale_;
  }
}

void Coordinates::pull_back(std::span<const Controls> controls, std::span<const ControlGradient> gradient, double scale,
                            std::span<double> g) const {
  for (std::size_t i = 0; i < controls.size(); ++i) {
    g[3 * i] = scale * gradient[i].data * data_.slope(controls[i].data_fraction);
    g[3 * i + 1] = scale * gradient[i].weight * weight_.slope(controls[i].weight_fraction);
    g[3 * i + 2] = scale * gradient[i].rate * rate_scale_;
  }
}

}  // namespace eos::solvers
