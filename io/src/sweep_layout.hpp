// What a sweep table looks like, found from its runs or from tables of parts of them. Private to io/.
//
// A Layout is what remains of a set of runs when the numbers are taken away. Combining is associative: the layout of a
// sweep is the same whether it is found run by run or from the layouts of its chunks. That is why the merged table does
// not depend on how runs were packed.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "eos/core/dataset.hpp"

namespace eos::io::sweep {

inline constexpr const char* k_run = "run";                      ///< the dimension
inline constexpr const char* k_coordinates = "run_coordinates";  ///< root attribute: variables that tell runs apart
inline constexpr const char* k_role = "sweep_role";              ///< attribute of variables that stacking adds

/// How the coordinates of a dimension in different runs fit together.
enum class Coordinate {
  bare,    ///< no run has one
  common,  ///< every run's is a prefix of the longest
  differs
};

struct Dimension {
  std::int64_t length = 0;
  Coordinate coordinate = Coordinate::bare;
  core::Variable values;  ///< the longest coordinate while it is common; then its name, type, units alone
};

struct VariableLayout {
  core::Variable head;  ///< dims without `run`; values empty, of the element type
  bool gaps = false;    ///< a run lacks it although it has rows along all its dimensions
};

struct AttributeLayout {
  core::Attribute value;  ///< where it differs: any of the type that all values can take
  bool differs = false;
};

using Occupied = std::set<std::string>;  ///< dimensions along which a run has rows

struct Layout {
  std::int64_t runs = 0;
  std::map<std::string, Dimension> dims;
  std::vector<VariableLayout> variables;  ///< in order of first appearance
  std::map<std::string, AttributeLayout> attributes;
  std::map<std::string, Layout> groups;
  std::set<Occupied> occupied;  ///< of the runs, inherited dimensions included
};

/// throws Error E190 when a variable has two types, units or lists of dimensions.
void absorb(Layout& layout, const Layout& more);
Layout layout_of_run(const core::Dataset& run);
/// The same as absorb(layout, layout_of_run(run)), faster when `run` is built like `like`, which is absorbed already.
void absorb_run(Layout& layout, const core::Dataset& run, const core::Dataset* like);
/// Of a sweep table, of which coordinates of dimensions and variables with the role "count" must have values.
Layout layout_of_table(const core::Dataset& sweep);

/// A variable of the sweep table and where its values come from.
struct Column {
  enum class Role {
    index,       ///< coordinate of a dimension of the table, values given
    value,       ///< the runs' variable `source`
    count,       ///< rows along dimension `source`
    coordinate,  ///< the runs' own coordinate of dimension `source`
    present,     ///< 1 where a run has variable `source`
    attribute    ///< the runs' attribute `source`
  };
  Role role = Role::value;
  std::string source;
  core::Variable head;  ///< dims with `run`; values empty but of an index
};

struct Columns {
  std::map<std::string, std::int64_t> dims;  ///< `run` in the root
  std::vector<Column> columns;
  std::map<std::string, core::Attribute> attributes;
  std::map<std::string, Columns> groups;
};

/// throws Error E190 when a name that stacking adds is taken.
Columns columns_of(const Layout& layout);

const char* role_name(Column::Role role);
/// NaN, -1 or empty text; 0 for counts and presence.
template <class T>
T missing(Column::Role role);
core::Array empty_like(const core::Array& values);
core::Array array_of(const core::Attribute& value);
/// `value` as the type of `like`, when it was widened to text.
core::Attribute widened(const core::Attribute& value, const core::Attribute& like);
/// Lengths of dims in this group or the ones above.
using Lengths = std::map<std::string, std::int64_t>;
std::size_t elements(const std::vector<std::string>& dims, const Lengths& lengths);

/// Values over `own` lengths laid out in the corner of an array over `common` lengths; the rest is left as it is.
template <class T>
void place(const T* values, const std::vector<std::int64_t>& own, const std::vector<std::int64_t>& common, T* out) {
  if (own == common) {
    std::size_t size = 1;
    for (const std::int64_t n : own) size *= static_cast<std::size_t>(n);
    std::copy(values, values + size, out);
    return;
  }
  std::size_t size = 1;
  for (const std::int64_t n : own) size *= static_cast<std::size_t>(n);
  for (std::size_t i = 0; i < size; ++i) {
    std::size_t rest = i, at = 0, stride = 1;
    for (std::size_t d = own.size(); d-- > 0;) {
      at += rest % static_cast<std::size_t>(own[d]) * stride;
      rest /= static_cast<std::size_t>(own[d]);
      stride *= static_cast<std::size_t>(common[d]);
    }
    out[at] = values[i];
  }
}

template <class T>
T missing(Column::Role role) {
  if constexpr (std::is_same_v<T, std::string>)
    return {};
  else if (role == Column::Role::count || role == Column::Role::present)
    return T{0};
  else if constexpr (std::is_floating_point_v<T>)
    return std::numeric_limits<T>::quiet_NaN();
  else
    return static_cast<T>(-1);
}

}  // namespace eos::io::sweep
