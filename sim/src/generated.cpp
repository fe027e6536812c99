#include "generated.hpp"

#include <algorithm>
#include <cmath>

namespace eos::sim {

double SampleDraws::uniform(std::uint32_t stream, std::uint32_t index) const {
  const core::Words w = words(stream, index);
  const std::uint64_t bits = (std::uint64_t{w.v[0]} << 20) | (w.v[1] >> 12);  // 52, and a half
  return (static_cast<double>(bits) + 0.5) * 0x1p-52;
}

void SampleDraws::normals(std::uint32_t stream, std::vector<double>& values) const {
  for (std::size_t i = 0; i < values.size(); i += 2) {
    const auto pair = core::normal_pair(seed_, address(stream, static_cast<std::uint32_t>(i / 2)));
    for (std::size_t j = i; j < std::min(values.size(), i + 2); ++j) values[j] = pair[j - i];
  }
}

std::vector<double> table_normals(std::uint64_t seed, std::uint32_t table, std::size_t size) {
  std::vector<double> values(size);
  for (std::size_t i = 0; i < size; i += 2) {
    const auto pair =
        core::normal_pair(seed, {0, table, core::Purpose::teacher_weights, static_cast<std::uint32_t>(i / 2)});
    for (std::size_t j = i; j < std::min(size, i + 2); ++j) values[j] = pair[j - i];
  }
  return values;
}

std::vector<double> orthonormal_rows(std::uint64_t seed, std::uint32_t table, int rows, int columns) {
  const auto n = static_cast<std::size_t>(columns);
  std::vector<double> all = table_normals(seed, table, static_cast<std::size_t>(rows) * n);
  for (std::size_t r = 0; r < static_cast<std::size_t>(rows); ++r) {
    double* row = all.data() + r * n;
    // The second sweep removes what rounding left of the first one ("twice is enough", Giraud et al. 2005).
    for (int sweep = 0; sweep < 2; ++sweep) {
      for (std::size_t q = 0; q < r; ++q) {
        const double* other = all.data() + q * n;
        double overlap = 0;
        for (std::size_t j = 0; j < n; ++j) overlap += row[j] * other[j];
        for (std::size_t j = 0; j < n; ++j) row[j] -= overlap * other[j];
      }
    }
    double square = 0;
    for (std::size_t j = 0; j < n; ++j) square += row[j] * row[j];
    for (std::size_t j = 0; j < n; ++j) row[j] /= std::sqrt(square);
  }
  return all;
}

std::uint8_t to_byte(double value) {
  return static_cast<std::uint8_t>(std::clamp(std::floor(128 + k_unit_bytes * value), 0.0, 255.0));
}

}  // namespace eos::sim
