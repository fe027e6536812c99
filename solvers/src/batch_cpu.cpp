// Eight lanes in vector registers, packs of lanes over threads.
#include <algorithm>
#include <cmath>

#include "batch_descent.hpp"
#include "batch_model.hpp"
#include "batch_setup.hpp"
#include "eos/core/parallel.hpp"

namespace eos::solvers::batch {

namespace {

constexpr int k_width = 8;

/// Eight doubles that the compiler keeps in vector registers.
struct alignas(64) Pack {
  double v[k_width];
  Pack() = default;
  Pack(double x) { std::fill_n(v, k_width, x); }  // NOLINT: numbers are packs
};

template <class Op>
Pack each(const Pack& a, const Pack& b, Op op) {
  Pack y;
  for (int i = 0; i < k_width; ++i) y.v[i] = op(a.v[i], b.v[i]);
  return y;
}
Pack operator+(const Pack& a, const Pack& b) {
  return each(a, b, [](double x, double y) { return x + y; });
}
Pack operator-(const Pack& a, const Pack& b) {
  return each(a, b, [](double x, double y) { return x - y; });
}
Pack operator*(const Pack& a, const Pack& b) {
  return each(a, b, [](double x, double y) { return x * y; });
}
Pack operator/(const Pack& a, const Pack& b) {
  return each(a, b, [](double x, double y) { return x / y; });
}
Pack& operator+=(Pack& a, const Pack& b) { return a = a + b; }
Pack& operator-=(Pack& a, const Pack& b) { return a = a - b; }
Pack exp(const Pack& a) {
  return each(a, a, [](double x, double) { return std::exp(x); });
}
Pack erfc(const Pack& a) {
  return each(a, a, [](double x, double) { return std::erfc(x); });
}

struct PackView {
  double* base;
  Pack value(int i) const {
    Pack p;
    std::copy_n(base + static_cast<std::ptrdiff_t>(i) * k_width, k_width, p.v);
    return p;
  }
  void store(int i, const Pack& p) const { std::copy_n(p.v, k_width, base + static_cast<std::ptrdiff_t>(i) * k_width); }
};

struct LaneView {
  double* base;
  int lane;
  double scalar(int i) const { return base[static_cast<std::ptrdiff_t>(i) * k_width + lane]; }
  void set_scalar(int i, double x) const { base[static_cast<std::ptrdiff_t>(i) * k_width + lane] = x; }
};

class PackRun {
 public:
  explicit PackRun(const Setup& setup)
      : setup_(setup), layout_(setup.sizes()), memory_(static_cast<std::size_t>(layout_.total) * k_width) {}

  /// Up to eight lanes; a short pack repeats its last lane.
  void run(std::span<const Lane> lanes, std::span<LaneResult> results, bool descend) {
    const Sizes& z = setup_.sizes();
    std::fill(memory_.begin(), memory_.end(), 0.0);
    for (int k = 0; k < k_width; ++k)
      load(lanes[std::min<std::size_t>(static_cast<std::size_t>(k), lanes.size() - 1)], k);
    const PackView view{memory_.data()};
    LaneModel<Pack, PackView> model(z, view);
    const auto evaluate = [&](int x, int gradient) {
      view.store(layout_.scalars + s_trial_value, model.evaluate(x, gradient));
    };
    evaluate(layout_.trial, descend ? layout_.trial_gradient : -1);
    if (descend) {
      for (int k = 0; k < k_width; ++k) descent(k).begin();
      while (any_running()) {
        evaluate(layout_.trial, layout_.trial_gradient);
        for (int k = 0; k < k_width; ++k)
          if (lane(k).scalar(layout_.scalars + s_done) == running) descent(k).advance();
      }
      evaluate(layout_.x, -1);  // loss and energy at the end points
    }
    for (std::size_t k = 0; k < lanes.size(); ++k) results[k] = result(static_cast<int>(k), descend);
  }

 private:
  LaneView lane(int k) { return {memory_.data(), k}; }
  Descent<LaneView> descent(int k) { return {setup_.sizes(), lane(k)}; }
  bool any_running() {
    for (int k = 0; k < k_width; ++k)
      if (lane(k).scalar(layout_.scalars + s_done) == running) return true;
    return false;
  }
  void load(const Lane& from, int k) {
    const LaneView to = lane(k);
    const auto put = [&to](int section, const std::vector<double>& values) {
      for (std::size_t i = 0; i < values.size(); ++i) to.set_scalar(section + static_cast<int>(i), values[i]);
    };
    std::vector<double> lower, upper;
    setup_.bounds(from.problem, lower, upper);
    put(layout_.parameters, setup_.parameters(from.problem));
    put(layout_.lower, lower), put(layout_.upper, upper), put(layout_.trial, from.start);
  }
  LaneResult result(int k, bool descended) {
    const LaneView from = lane(k);
    const auto scalar = [&](int s) { return from.scalar(layout_.scalars + s); };
    LaneResult r;
    r.value = scalar(s_trial_value), r.loss = scalar(s_loss), r.energy = scalar(s_energy);
    r.residual = scalar(s_residual);
    r.iterations = static_cast<int>(scalar(s_iterations)), r.ending = static_cast<int>(scalar(s_done));
    for (int i = 0; i < setup_.sizes().variables(); ++i)
      r.x.push_back(from.scalar((descended ? layout_.x : layout_.trial) + i));
    return r;
  }

  const Setup& setup_;
  Layout layout_;
  std::vector<double> memory_;
};

}  // namespace

std::vector<LaneResult> run_cpu(const Setup& setup, std::span<const Lane> lanes, int threads, bool descend) {
  std::vector<LaneResult> results(lanes.size());
  const std::size_t packs = (lanes.size() + k_width - 1) / k_width;
  core::parallel_for(packs, threads, [&](std::size_t p) {
    const std::size_t begin = p * k_width, count = std::min<std::size_t>(k_width, lanes.size() - begin);
    PackRun(setup).run(lanes.subspan(begin, count), std::span(results).subspan(begin, count), descend);
  });
  return results;
}

}  // namespace eos::solvers::batch
