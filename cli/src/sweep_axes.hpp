// Values of --sweep KEY=...: what to vary and over which values.
#pragma once

#include <string>
#include <vector>

#include "eos/core/dataset.hpp"

namespace eos::cli {

struct SweepAxis {
  std::string key;                 ///< "price.sample"
  std::vector<std::string> words;  ///< values as TOML
  std::vector<double> numbers;     ///< the same as numbers, empty when some is not one
};

/// "KEY=a:b:n" n values from a to b, "KEY=a:b:n:log" the same with constant ratio, or "KEY=v1,v2,...".
/// throws Error E103/E104 that shows the forms.
SweepAxis parse_axis(const std::string& text);

/// All combinations of the axes' values, the last axis fastest; each is one list of KEY=VALUE overrides.
std::vector<std::vector<std::string>> combinations(const std::vector<SweepAxis>& axes);
/// One variable over `run` per axis, named after its key with '_' for everything that a name may not hold.
std::vector<core::Variable> axis_variables(const std::vector<SweepAxis>& axes);

}  // namespace eos::cli
