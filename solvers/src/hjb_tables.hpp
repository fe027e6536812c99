// Coefficients of a model tabulated on a grid, in the grid's coordinates.
#pragma once

#include <cstdint>
#include <vector>

#include "eos/core/error.hpp"
#include "eos/solvers/hjb.hpp"
#include "eos/solvers/hjb_kernels.hpp"

namespace eos::solvers {

/// One coefficient on the grid. Fields that are the same on every row keep one row.
struct HjbField {
  std::vector<double> values;
  bool one_row = false;
  const double* row(std::int64_t row, std::int64_t length) const {
    return values.data() + (one_row ? 0 : row * length);
  }
};

struct HjbBranch {
  HjbField running, drift[k_hjb_states], gain[k_hjb_controls][k_hjb_states], price_abs[k_hjb_controls],
      price_square[k_hjb_controls], speed;
};

/// A model's row as the kernels want it.
template <int D, int M>
struct TableRow {
  static constexpr AffinePattern k_pattern{};
  static constexpr int k_fields = M > 0 ? M : 1;
  const double* running;
  const double* drift[D];
  const double* gain[k_fields][D];
  const double* price_abs[k_fields];
  const double* price_square[k_fields];
  const double* speed;
  double lower[k_fields], upper[k_fields];

  template <class Real>
  EOS_HD AffinePoint<D, M, Real> at(std::int64_t k) const {
    AffinePoint<D, M, Real> p;
    p.running = load<Real>(running + k), p.speed = load<Real>(speed + k);
    for (int i = 0; i < D; ++i) p.drift[i] = load<Real>(drift[i] + k);
    for (int j = 0; j < M; ++j) {
      for (int i = 0; i < D; ++i) p.gain[j][i] = load<Real>(gain[j][i] + k);
      p.price_abs[j] = load<Real>(price_abs[j] + k), p.price_square[j] = load<Real>(price_square[j] + k);
      p.lower[j] = lower[j], p.upper[j] = upper[j];
    }
    return p;
  }
};

class HjbTables {
 public:
  HjbTables(const HjbModel& model, const HjbGrid& grid, double time, int threads);

  int states() const { return grid_.dimensions(); }
  int controls() const { return static_cast<int>(lower_.size()); }
  int branches() const { return static_cast<int>(branches_.size()); }
  const HjbGrid& grid() const { return grid_; }
  const HjbBranch& branch(int b) const { return branches_[static_cast<std::size_t>(b)]; }
  const std::vector<double>& lower() const { return lower_; }
  const std::vector<double>& upper() const { return upper_; }
  const std::vector<double>& sampled(int b) const { return sampled_[static_cast<std::size_t>(b)]; }

  template <int D, int M>
  TableRow<D, M> row(int branch, std::int64_t row) const {
    const HjbBranch& b = branches_[static_cast<std::size_t>(branch)];
    const std::int64_t n = grid_.row_length();
    TableRow<D, M> r{};
    r.running = b.running.row(row, n), r.speed = b.speed.row(row, n);
    for (int i = 0; i < D; ++i) r.drift[i] = b.drift[i].row(row, n);
    for (int j = 0; j < M; ++j) {
      for (int i = 0; i < D; ++i) r.gain[j][i] = b.gain[j][i].row(row, n);
      r.price_abs[j] = b.price_abs[j].row(row, n), r.price_square[j] = b.price_square[j].row(row, n);
      r.lower[j] = lower_[static_cast<std::size_t>(j)], r.upper[j] = upper_[static_cast<std::size_t>(j)];
    }
    return r;
  }

  /// Largest sum_i speed_i / h_i over the grid: the inverse of the largest stable explicit step.
  double largest_rate() const;
  /// Largest |l| with every control at the value nearest to zero, over the grid.
  double largest_running() const;

 private:
  HjbGrid grid_;
  std::vector<HjbBranch> branches_;
  std::vector<double> lower_, upper_;
  std::vector<std::vector<double>> sampled_;
};

/// Coefficients at scattered points, in the grid's coordinates; for feedback runs and bounds.
class HjbPointwise {
 public:
  HjbPointwise(const HjbModel& model, const HjbGrid& grid) : model_(model), grid_(grid) {}
  /// Physical coefficients at x of one branch.
  template <int D, int M>
  AffinePoint<D, M> at(int branch, double time, const double* x) const {
    double store[1 + k_hjb_states + k_hjb_controls * (k_hjb_states + 2) + 1] = {};
    HjbPoints points{1, time, {}};
    for (int i = 0; i < D; ++i) points.x[i] = x + i;
    HjbCoefficients c;
    double* next = store;
    c.running = next++, c.speed = next++;
    for (int i = 0; i < D; ++i) c.drift[i] = next++;
    for (int j = 0; j < M; ++j) {
      for (int i = 0; i < D; ++i) c.gain[j][i] = next++;
      c.price_abs[j] = next++, c.price_square[j] = next++;
    }
    model_.coefficients(branch, points, c);
    AffinePoint<D, M> p;
    p.running = *c.running, p.speed = *c.speed;
    const std::vector<double> lower = model_.lower(), upper = model_.upper();
    for (int i = 0; i < D; ++i) p.drift[i] = *c.drift[i];
    for (int j = 0; j < M; ++j) {
      for (int i = 0; i < D; ++i) p.gain[j][i] = *c.gain[j][i];
      p.price_abs[j] = *c.price_abs[j], p.price_square[j] = *c.price_square[j];
      p.lower[j] = lower[static_cast<std::size_t>(j)], p.upper[j] = upper[static_cast<std::size_t>(j)];
    }
    return p;
  }
  const HjbModel& model() const { return model_; }
  const HjbGrid& grid() const { return grid_; }

 private:
  const HjbModel& model_;
  const HjbGrid& grid_;
};

/// Calls f.template operator()<D, M>() for the sizes at hand.
template <class F>
auto hjb_dispatch(int states, int controls, const F& f) {
  const auto with_states = [&]<int D>() {
    switch (controls) {
      case 0:
        return f.template operator()<D, 0>();
      case 1:
        return f.template operator()<D, 1>();
      case 2:
        return f.template operator()<D, 2>();
      default:
        return f.template operator()<D, 3>();
    }
  };
  switch (states) {
    case 1:
      return with_states.template operator()<1>();
    case 2:
      return with_states.template operator()<2>();
    default:
      return with_states.template operator()<3>();
  }
}

}  // namespace eos::solvers
