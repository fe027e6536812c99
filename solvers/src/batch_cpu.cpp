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

/// Four doubles that the compiler keeps in one vector register.
using Quad = double __attribute__((vector_size(32)));

struct Pack {
  Quad low, high;
  Pack() = default;
  Pack(double x) : low{x, x, x, x}, high(low) {}  // NOLINT: numbers are packs
  Pack(const Quad& l, const Quad& h) : low(l), high(h) {}
};

inline Pack operator+(const Pack& a, const Pack& b) { return {a.low + b.low, a.high + b.high}; }
inline Pack operator-(const Pack& a, const Pack& b) { return {a.low - b.low, a.high - b.high}; }
inline Pack operator*(const Pack& a, const Pack& b) { return {a.low * b.low, a.high * b.high}; }
inline Pack operator/(const Pack& a, const Pack& b) { return {a.low / b.low, a.high / b.high}; }
inline Pack& operator+=(Pack& a, const Pack& b) { return a = a + b; }
inline Pack& operator-=(Pack& a, const Pack& b) { return a = a - b; }

template <class Function>
Pack each(const Pack& a, Function f) {
  Pack y;
  for (int i = 0; i < 4; ++i) y.low[i] = f(a.low[i]), y.high[i] = f(a.high[i]);
  return y;
}
Pack exp(const Pack& a) {
  return each(a, [](double x) { return std::exp(x); });
}
Pack erfc(const Pack& a) {
  return each(a, [](double x) { return std::erfc(x); });
}

/// A Quad in memory. Copying through memcpy would go through the stack and stall.
using QuadInMemory = double __attribute__((vector_size(32), aligned(8), may_alias));

struct PackView {
  double* base;
  double* at(int i) const { return base + static_cast<std::ptrdiff_t>(i) * k_width; }
  Pack value(int i) const {
    const auto* p = reinterpret_cast<const QuadInMemory*>(at(i));
    const Quad low = p[0], high = p[1];
    return {low, high};
  }
  void store(int i, const Pack& x) const {
    auto* p = reinterpret_cast<QuadInMemory*>(at(i));
    p[0] = x.low, p[1] = x.high;
  }
};

struct LaneView {
  double* base;
  int lane;
  double scalar(int i) const { return base[static_cast<std::ptrdiff_t>(i) * k_width + lane]; }
  void set_scalar(int i, double x) const { base[static_cast<std::ptrdiff_t>(i) * k_width + lane] = x; }
};

class PackRun {
 public:
  PackRun(const Setup& setup, double tolerance)
      : setup_(setup),
        sizes_(setup.sizes()),
        layout_(sizes_),
        memory_(static_cast<std::size_t>(layout_.total) * k_width) {
    sizes_.tolerance = tolerance;
  }

  /// Up to eight lanes; a short pack repeats its last lane.
  void run(std::span<const Lane> lanes, std::span<LaneResult> results) {
    const bool descend = sizes_.tolerance > 0;
    std::fill(memory_.begin(), memory_.end(), 0.0);
    for (int k = 0; k < k_width; ++k)
      load(lanes[std::min<std::size_t>(static_cast<std::size_t>(k), lanes.size() - 1)], k);
    const PackView view{memory_.data()};
    LaneModel<Pack, PackView> model(sizes_, view);
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
  Descent<LaneView> descent(int k) { return {sizes_, lane(k)}; }
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
    r.iterations = static_cast<int>(scalar(s_iterations)), r.ending = scalar(s_done);
    for (int i = 0; i < sizes_.variables(); ++i)
      r.x.push_back(from.scalar((descended ? layout_.x : layout_.trial) + i));
    return r;
  }

  const Setup& setup_;
  Sizes sizes_;
  Layout layout_;
  std::vector<double> memory_;
};

}  // namespace

std::vector<LaneResult> run_cpu(const Setup& setup, std::span<const Lane> lanes, int threads, double tolerance) {
  std::vector<LaneResult> results(lanes.size());
  const std::size_t packs = (lanes.size() + k_width - 1) / k_width;
  core::parallel_for(packs, threads, [&](std::size_t p) {
    const std::size_t begin = p * k_width, count = std::min<std::size_t>(k_width, lanes.size() - begin);
    PackRun(setup, tolerance).run(lanes.subspan(begin, count), std::span(results).subspan(begin, count));
  });
  return results;
}

}  // namespace eos::solvers::batch
