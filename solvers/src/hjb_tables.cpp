#include "hjb_tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "eos/core/parallel.hpp"

namespace eos::solvers {

namespace {

/// All fields of a branch, in one order.
std::vector<HjbField*> fields_of(HjbBranch& b, int states, int controls) {
  std::vector<HjbField*> fields = {&b.running, &b.speed};
  for (int i = 0; i < states; ++i) fields.push_back(&b.drift[i]);
  for (int j = 0; j < controls; ++j) {
    for (int i = 0; i < states; ++i) fields.push_back(&b.gain[j][i]);
    fields.push_back(&b.price_abs[j]), fields.push_back(&b.price_square[j]);
  }
  return fields;
}

void fill_row(const HjbModel& model, const HjbGrid& grid, int branch, double time, std::int64_t row, HjbBranch& b,
              int controls) {
  const std::int64_t n = grid.row_length();
  const int d = grid.dimensions();
  std::vector<double> x(static_cast<std::size_t>(n * d));
  HjbPoints points{n, time, {}};
  for (std::int64_t k = 0; k < n; ++k) {
    double at[k_hjb_states];
    grid.point(row * n + k, at);
    for (int i = 0; i < d; ++i) x[static_cast<std::size_t>(i * n + k)] = at[i];
  }
  for (int i = 0; i < d; ++i) points.x[i] = x.data() + i * n;
  const auto place = [&](HjbField& field) { return field.values.data() + row * n; };
  HjbCoefficients c;
  c.running = place(b.running), c.speed = place(b.speed);
  for (int i = 0; i < d; ++i) c.drift[i] = place(b.drift[i]);
  for (int j = 0; j < controls; ++j) {
    for (int i = 0; i < d; ++i) c.gain[j][i] = place(b.gain[j][i]);
    c.price_abs[j] = place(b.price_abs[j]), c.price_square[j] = place(b.price_square[j]);
  }
  model.coefficients(branch, points, c);
  for (int i = 0; i < d; ++i) {
    if (grid.axes[static_cast<std::size_t>(i)].spacing == Spacing::uniform) continue;
    for (std::int64_t k = 0; k < n; ++k) {
      const double stretch = grid.axes[static_cast<std::size_t>(i)].stretch(points.x[i][k]);
      c.drift[i][k] *= stretch;
      for (int j = 0; j < controls; ++j) c.gain[j][i][k] *= stretch;
    }
  }
}

/// Keeps one row of a field whose rows are all equal.
void compress(HjbField& field, std::int64_t n) {
  const auto& v = field.values;
  const auto length = static_cast<std::ptrdiff_t>(n);
  for (std::size_t row = static_cast<std::size_t>(n); row < v.size(); row += static_cast<std::size_t>(n)) {
    if (!std::equal(v.begin(), v.begin() + length, v.begin() + static_cast<std::ptrdiff_t>(row))) return;
  }
  field.values = std::vector<double>(v.begin(), v.begin() + length);
  field.one_row = true;
}

void check_finite(const HjbGrid& grid, const HjbField& field, const char* what) {
  for (std::size_t k = 0; k < field.values.size(); ++k) {
    if (std::isfinite(field.values[k])) continue;
    double x[k_hjb_states] = {};
    grid.point(static_cast<std::int64_t>(k), x);
    std::string place = fmt::format("{}", x[0]);
    for (int i = 1; i < grid.dimensions(); ++i) place += fmt::format(", {}", x[i]);
    throw core::Error("E401", fmt::format("the {} is {} at the grid point ({})", what, field.values[k], place),
                      "choose a grid on which dynamics and costs are finite");
  }
}

}  // namespace

HjbTables::HjbTables(const HjbModel& model, const HjbGrid& grid, double time, int threads)
    : grid_(grid), branches_(static_cast<std::size_t>(model.branches())), lower_(model.lower()), upper_(model.upper()) {
  const int d = states(), m = controls();
  for (int b = 0; b < branches(); ++b) {
    HjbBranch& branch = branches_[static_cast<std::size_t>(b)];
    const std::vector<HjbField*> fields = fields_of(branch, d, m);
    for (HjbField* field : fields) field->values.assign(static_cast<std::size_t>(grid.size()), 0.0);
    core::parallel_for(static_cast<std::size_t>(grid.rows()), threads, [&](std::size_t row) {
      fill_row(model, grid, b, time, static_cast<std::int64_t>(row), branch, m);
    });
    for (std::size_t f = 0; f < fields.size(); ++f) {
      check_finite(grid, *fields[f], f == 0 ? "running cost" : "dynamics or price");
      compress(*fields[f], grid.row_length());
    }
    sampled_.push_back(model.sampled_controls(b));
  }
}

double HjbTables::largest_rate() const {
  return hjb_dispatch(states(), controls(), [&]<int D, int M>() {
    double largest = 0;
    for (int b = 0; b < branches(); ++b) {
      for (std::int64_t row = 0; row < grid_.rows(); ++row) {
        const TableRow<D, M> r = this->row<D, M>(b, row);
        for (std::int64_t k = 0; k < grid_.row_length(); ++k) {
          double rate = 0;
          const AffinePoint<D, M> p = r.template at<double>(k);
          for (int i = 0; i < D; ++i) rate += largest_speed(p, i) / grid_.axes[static_cast<std::size_t>(i)].step();
          largest = std::max(largest, rate);
        }
      }
    }
    return largest;
  });
}

double HjbTables::largest_running() const {
  return hjb_dispatch(states(), controls(), [&]<int D, int M>() {
    double largest = 0;
    for (int b = 0; b < branches(); ++b) {
      for (std::int64_t row = 0; row < grid_.rows(); ++row) {
        const TableRow<D, M> r = this->row<D, M>(b, row);
        for (std::int64_t k = 0; k < grid_.row_length(); ++k) {
          const AffinePoint<D, M> p = r.template at<double>(k);
          double cost = std::abs(p.running);
          for (int j = 0; j < M; ++j) {
            const double u = std::clamp(0.0, p.lower[j], p.upper[j]);
            cost += p.price_abs[j] * std::abs(u) + .5 * p.price_square[j] * u * u;
          }
          largest = std::max(largest, cost);
        }
      }
    }
    return largest;
  });
}

}  // namespace eos::solvers
