// A table of named, labelled arrays in memory: what simulations and solvers produce and what files hold.
//
// The model is the netCDF-4 one: dimensions, variables over dimensions, attributes, groups. sim/ and solvers/ fill a
// Dataset, io/ writes it as an EOS-1 HDF5 file, JSON or CSV and reads it back. Nothing here knows a file format.
//
// Conventions. Names are [a-z][a-z0-9_]*. Arrays are row-major over `dims`. Every variable has `units` ("1" if none)
// and `long_name`. A variable whose name equals its only dimension is that dimension's coordinate.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace eos::core {

using Attribute = std::variant<std::string, double, std::int64_t>;
using Array = std::variant<std::vector<double>, std::vector<float>, std::vector<std::int64_t>, std::vector<std::int32_t>,
                           std::vector<std::uint8_t>, std::vector<std::string>>;

struct Variable {
  std::string name;
  std::vector<std::string> dims;  ///< empty: a scalar
  Array values;
  std::string units = "1";
  std::string long_name;
  std::map<std::string, Attribute> attributes;  ///< further ones, e.g. source, coordinates
};

class Dataset {
 public:
  std::map<std::string, std::int64_t> dims;  ///< name -> length
  std::vector<Variable> variables;           ///< in order of addition
  std::map<std::string, Attribute> attributes;
  std::map<std::string, Dataset> groups;  ///< a group inherits the dimensions of its parents

  /// Adds a dimension with its coordinate variable 0, 1, 2, ... or the given values.
  /// throws Error E190 if it exists with another length.
  void add_dim(const std::string& name, std::int64_t length, const std::string& long_name = {});
  void add_dim(const std::string& name, std::vector<double> coordinate, const std::string& units,
               const std::string& long_name);
  /// Adds a variable. throws Error E190 when the size does not match the dimensions, or the name exists or is no name.
  Variable& add(const std::string& name, std::vector<std::string> over, Array values, const std::string& units,
                const std::string& long_name);

  const Variable* find(const std::string& name) const;
  bool has(const std::string& name) const { return find(name) != nullptr; }
  /// Values as double whatever the stored numeric type. throws Error E191 if absent or text.
  std::vector<double> numbers(const std::string& name) const;
  /// First value as double.
  double number(const std::string& name) const;
  std::vector<std::string> strings(const std::string& name) const;
  /// Text attribute or the fallback.
  std::string text(const std::string& attribute, const std::string& fallback = {}) const;
};

/// Number of elements of an array.
std::size_t array_size(const Array& values);

/// True for [a-z][a-z0-9_]*, the names that variables, dimensions and groups may have.
bool is_name(std::string_view text);

/// SHA-256 over names, dimensions with their lengths, element types (NumPy's short names f8, f4, i8, i4, u1, and str)
/// and little-endian bytes of the whole tree but groups named "provenance"; attributes do not count. Equal numbers give
/// equal hashes wherever they were computed. Exact definition: docs/file-format.md; the Python reader repeats it.
/// throws Error E190 when a variable lies on a dimension that neither its group nor a parent has.
std::string content_sha256(const Dataset& data);

}  // namespace eos::core
