// Runs taken out of a sweep table: the inverse of stack_runs.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "eos/core/error.hpp"
#include "eos/io/run_stack.hpp"
#include "sweep_layout.hpp"

namespace eos::io {

using core::Array;
using core::Dataset;
using core::Variable;

namespace {

constexpr const char* k_replica = "replica";
/// What a run of several seeds says once per seed, even where all seeds agree.
constexpr std::array<std::string_view, 4> k_of_a_seed{"seed", "run_status", "effective_epochs", "cost_ratio"};

using Rows = std::vector<std::size_t>;
/// Per dimension the rows that each chosen run has along it.
using Counts = std::map<std::string, std::vector<std::int64_t>>;

std::string role_of(const Variable& v) {
  const auto found = v.attributes.find(sweep::k_role);
  const auto* text = found == v.attributes.end() ? nullptr : std::get_if<std::string>(&found->second);
  return text == nullptr ? std::string() : *text;
}

class Cutter {
 public:
  /// counts, lengths: those of the groups above.
  Cutter(const Dataset& table, const Rows& rows, Counts counts, sweep::Lengths lengths, bool root)
      : table_(table), rows_(rows), counts_(std::move(counts)), lengths_(std::move(lengths)), root_(root) {}

  Dataset cut() {
    for (const auto& [name, length] : table_.dims) {
      if (name == sweep::k_run) continue;
      own_.push_back(name);
      lengths_[name] = length;
      counts_[name] = counts_of(name, length);
      if (longest(name) > 0) out_.dims[name] = longest(name);
    }
    if (root_ && rows_.size() > 1)
      out_.add_dim(k_replica, static_cast<std::int64_t>(rows_.size()), "replica, one seed each");
    out_.attributes = table_.attributes;
    for (const Variable& v : table_.variables) take(v);
    for (const auto& [name, group] : table_.groups)
      out_.groups[name] = Cutter(group, rows_, counts_, lengths_, false).cut();
    return std::move(out_);
  }

 private:
  std::vector<std::int64_t> counts_of(const std::string& dim, std::int64_t length) const {
    std::vector<std::int64_t> counts;
    const Variable* stored = table_.find(dim + "_count");
    const bool counted = stored != nullptr && role_of(*stored) == "count";
    const std::vector<double> all = counted ? table_.numbers(stored->name) : std::vector<double>();
    for (const std::size_t row : rows_) counts.push_back(counted ? static_cast<std::int64_t>(all.at(row)) : length);
    return counts;
  }
  std::int64_t longest(const std::string& dim) const {
    const auto& counts = counts_.at(dim);
    return *std::max_element(counts.begin(), counts.end());
  }
  bool own(const std::string& dim) const { return std::find(own_.begin(), own_.end(), dim) != own_.end(); }

  void take(const Variable& v) {
    const std::string role = role_of(v);
    if (v.name == sweep::k_run || role == "count" || role == "present") return;
    if (role == "attribute") return take_attribute(v);
    if (own(v.name)) {
      if (!table_.has(v.name + "_coordinate")) take_coordinate(v, 0);
    } else if (role == "coordinate") {
      take_coordinate(v, rows_.at(longest_row(v.dims.at(1))) + 1);
    } else if (here(v)) {
      take_value(v);
    }
  }

  /// Position in rows_ of the run with most rows along a dimension.
  std::size_t longest_row(const std::string& dim) const {
    const auto& counts = counts_.at(dim);
    return static_cast<std::size_t>(std::max_element(counts.begin(), counts.end()) - counts.begin());
  }

  /// Some chosen run has the variable.
  bool here(const Variable& v) const {
    for (std::size_t d = 1; d < v.dims.size(); ++d)
      if (longest(v.dims[d]) == 0) return false;
    const Variable* present = table_.find(v.name + "_present");
    if (present == nullptr || role_of(*present) != "present") return true;
    const std::vector<double> flags = table_.numbers(present->name);
    return std::any_of(rows_.begin(), rows_.end(), [&](std::size_t row) { return flags.at(row) != 0; });
  }

  /// Of several runs that differ the first one's counts.
  void take_attribute(const Variable& v) {
    std::visit(
        [&](const auto& values) {
          using T = typename std::decay_t<decltype(values)>::value_type;
          if constexpr (std::is_same_v<T, double> || std::is_same_v<T, std::int64_t> ||
                        std::is_same_v<T, std::string>) {
            const T& value = values.at(rows_.front());
            const T none = sweep::missing<T>(sweep::Column::Role::attribute);
            if constexpr (std::is_same_v<T, double>) {
              if (!std::isnan(value)) out_.attributes[v.name] = value;
            } else if (value != none) {
              out_.attributes[v.name] = value;
            }
          }
        },
        v.values);
  }

  /// `block` counts from 1 for a coordinate over (run, dim), 0 for one that all runs share.
  void take_coordinate(const Variable& v, std::size_t block) {
    const std::string dim = v.dims.back();
    if (longest(dim) == 0) return;
    Variable cut{dim, {dim}, {}, v.units, v.long_name, plain_attributes(v)};
    const auto length = static_cast<std::ptrdiff_t>(longest(dim));
    cut.values = std::visit(
        [&](const auto& values) -> Array {
          const auto start = block == 0 ? values.begin()
                                        : values.begin() + static_cast<std::ptrdiff_t>(block - 1) * table_.dims.at(dim);
          return std::decay_t<decltype(values)>(start, start + length);
        },
        v.values);
    out_.variables.push_back(std::move(cut));
  }

  static std::map<std::string, core::Attribute> plain_attributes(const Variable& v) {
    std::map<std::string, core::Attribute> attributes = v.attributes;
    attributes.erase(sweep::k_role);
    attributes.erase("coordinates");
    return attributes;
  }

  void take_value(const Variable& v) {
    Variable cut{v.name, {v.dims.begin() + 1, v.dims.end()}, {}, v.units, v.long_name, plain_attributes(v)};
    std::visit([&](const auto& values) { take_rows(v, values, cut); }, v.values);
    out_.variables.push_back(std::move(cut));
  }

  template <class T>
  void take_rows(const Variable& v, const std::vector<T>& values, Variable& cut) const {
    std::vector<std::int64_t> stored, wanted;
    for (const std::string& dim : cut.dims) stored.push_back(lengths_.at(dim));
    for (const std::string& dim : cut.dims) wanted.push_back(longest(dim));
    std::size_t block = 1, size = 1;
    for (const std::int64_t n : stored) block *= static_cast<std::size_t>(n);
    for (const std::int64_t n : wanted) size *= static_cast<std::size_t>(n);
    std::vector<T> all(size * rows_.size());
    for (std::size_t k = 0; k < rows_.size(); ++k)
      copy_corner(values.data() + rows_[k] * block, stored, wanted, all.data() + k * size);
    if (rows_.size() == 1 || stays_plain(v, all, size))
      all.resize(size);
    else
      cut.dims.insert(cut.dims.begin(), k_replica);
    cut.values = std::move(all);
  }

  template <class T>
  static void copy_corner(const T* from, const std::vector<std::int64_t>& stored,
                          const std::vector<std::int64_t>& wanted, T* to) {
    std::size_t size = 1;
    for (const std::int64_t n : wanted) size *= static_cast<std::size_t>(n);
    for (std::size_t i = 0; i < size; ++i) {
      std::size_t rest = i, at = 0, stride = 1;
      for (std::size_t d = wanted.size(); d-- > 0;) {
        at += rest % static_cast<std::size_t>(wanted[d]) * stride;
        rest /= static_cast<std::size_t>(wanted[d]);
        stride *= static_cast<std::size_t>(stored[d]);
      }
      to[i] = from[at];
    }
  }

  /// The rows agree, and it is nothing that a run of several seeds states once per seed.
  template <class T>
  bool stays_plain(const Variable& v, const std::vector<T>& all, std::size_t size) const {
    const bool along_root =
        std::any_of(v.dims.begin() + 1, v.dims.end(), [&](const std::string& dim) { return root_ || !own(dim); });
    if (along_root || std::find(k_of_a_seed.begin(), k_of_a_seed.end(), v.name) != k_of_a_seed.end()) return false;
    const auto same = [](const T& a, const T& b) { return a == b || (a != a && b != b); };
    for (std::size_t i = size; i < all.size(); ++i)
      if (!same(all[i], all[i - size])) return false;
    return true;
  }

  const Dataset& table_;
  const Rows& rows_;
  Counts counts_;
  sweep::Lengths lengths_;  ///< as stored, of this group and those above
  bool root_;
  std::vector<std::string> own_;
  Dataset out_;
};

}  // namespace

Dataset runs_of_cell(const Dataset& sweep, const std::vector<std::size_t>& rows) {
  const auto runs = sweep.dims.find(sweep::k_run);
  if (runs == sweep.dims.end()) throw core::Error("E191", "the table has no dimension 'run'", "is it a sweep?");
  if (rows.empty()) throw core::Error("E191", "no run was chosen");
  for (const std::size_t row : rows)
    if (row >= static_cast<std::size_t>(runs->second))
      throw core::Error("E191", fmt::format("there is no run {}", row),
                        fmt::format("the table has the runs 0 to {}", runs->second - 1));
  Dataset out = Cutter(sweep, rows, {}, {}, true).cut();
  if (const auto kind = out.attributes.find("run_kind"); kind != out.attributes.end())
    out.attributes["kind"] = kind->second;
  for (const char* of_sweep :
       {"run_kind", "sweep_axes", "planned_runs", "status", "content_sha256", "Conventions", "eos_schema"})
    out.attributes.erase(of_sweep);
  return out;
}

}  // namespace eos::io
