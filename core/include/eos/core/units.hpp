// Quantities that cannot be mixed up: energies, times. Inner loops use double with the unit in the name.
#pragma once

#include <compare>

namespace eos::core {

template <class Tag>
struct Quantity {
  double value = 0;
  friend constexpr Quantity operator+(Quantity a, Quantity b) { return {a.value + b.value}; }
  friend constexpr Quantity operator-(Quantity a, Quantity b) { return {a.value - b.value}; }
  friend constexpr Quantity operator*(double s, Quantity a) { return {s * a.value}; }
  friend constexpr double operator/(Quantity a, Quantity b) { return a.value / b.value; }
  constexpr Quantity& operator+=(Quantity b) { return value += b.value, *this; }
  friend constexpr auto operator<=>(Quantity, Quantity) = default;
};

using Joules = Quantity<struct JoulesTag>;
using Seconds = Quantity<struct SecondsTag>;

constexpr double k_pico = 1e-12;  ///< price lists are written in pJ

}  // namespace eos::core
