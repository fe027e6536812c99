// Muon by plain loops in double, on the matrix or its transpose as the authors have it.
#include <algorithm>
#include <cmath>
#include <vector>

#include "eos/kernels/muon.hpp"
#include "muon_formula.hpp"

namespace eos::kernels::reference {

namespace {

struct Matrix {
  int rows, columns;
  std::vector<double> entries;
  Matrix(int r, int c) : rows(r), columns(c), entries(static_cast<std::size_t>(r) * static_cast<std::size_t>(c)) {}
  double& at(int r, int c) { return entries[static_cast<std::size_t>(r) * static_cast<std::size_t>(columns) + c]; }
  double at(int r, int c) const { return entries[static_cast<std::size_t>(r) * static_cast<std::size_t>(columns) + c]; }
};

Matrix transposed(const Matrix& m) {
  Matrix t(m.columns, m.rows);
  for (int r = 0; r < m.rows; ++r) {
    for (int c = 0; c < m.columns; ++c) t.at(c, r) = m.at(r, c);
  }
  return t;
}

Matrix product(const Matrix& a, const Matrix& b) {
  Matrix p(a.rows, b.columns);
  for (int r = 0; r < a.rows; ++r) {
    for (int c = 0; c < b.columns; ++c) {
      for (int k = 0; k < a.columns; ++k) p.at(r, c) += a.at(r, k) * b.at(k, c);
    }
  }
  return p;
}

}  // namespace

void orthogonalise(int rows, int columns, int steps, double* u) {
  Matrix x(rows, columns);
  std::copy_n(u, x.entries.size(), x.entries.begin());
  if (rows > columns) x = transposed(x);
  double squares = 0;
  for (double entry : x.entries) squares += entry * entry;
  for (double& entry : x.entries) entry /= std::sqrt(squares) + formula::k_muon_epsilon;
  for (int step = 0; step < steps; ++step) {
    const Matrix a = product(x, transposed(x)), square = product(a, a);
    Matrix b = a;
    for (std::size_t i = 0; i < b.entries.size(); ++i)
      b.entries[i] = formula::k_muon_b * a.entries[i] + formula::k_muon_c * square.entries[i];
    const Matrix more = product(b, x);
    for (std::size_t i = 0; i < x.entries.size(); ++i)
      x.entries[i] = formula::k_muon_a * x.entries[i] + more.entries[i];
  }
  if (rows > columns) x = transposed(x);
  std::copy(x.entries.begin(), x.entries.end(), u);
}

void muon_delta(MuonShape shape, MuonParameters p, const float* gradient, const float* weights, float* velocity,
                float* delta) {
  const double scale = std::sqrt(std::max(1.0, static_cast<double>(shape.columns) / shape.rows));
  std::vector<double> u(static_cast<std::size_t>(shape.size()));
  for (int r = 0; r < shape.replicas; ++r) {
    const std::int64_t first = r * shape.distance();
    for (std::int64_t i = 0; i < shape.size(); ++i) {
      const double g = gradient[first + i], v = static_cast<double>(p.momentum) * velocity[first + i] + g;
      velocity[first + i] = static_cast<float>(v);
      u[static_cast<std::size_t>(i)] = p.nesterov ? g + static_cast<double>(p.momentum) * v : v;
    }
    orthogonalise(shape.rows, shape.columns, p.steps, u.data());
    for (std::int64_t i = 0; i < shape.size(); ++i) {
      const double step =
          scale * u[static_cast<std::size_t>(i)] + static_cast<double>(p.weight_decay) * weights[first + i];
      delta[first + i] = static_cast<float>(-static_cast<double>(p.learning_rate) * step);
    }
  }
}

}  // namespace eos::kernels::reference
