#include "eos/io/run_stack.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "eos/core/error.hpp"
#include "sweep_layout.hpp"

namespace eos::io {

using core::Array;
using core::Dataset;
using core::Variable;
using sweep::Column;
using Role = Column::Role;

namespace {

using GroupOf = std::vector<const Dataset*>;  ///< one group of every run, null where a run has none

/// Looks a name up where the run before had it.
const Variable* find(const Dataset& run, const std::string& name, std::size_t& guess) {
  if (guess < run.variables.size() && run.variables[guess].name == name) return &run.variables[guess];
  for (std::size_t i = 0; i < run.variables.size(); ++i)
    if (run.variables[i].name == name) return guess = i, &run.variables[i];
  return nullptr;
}

/// Length of a dimension in one run: its own group's or a parent's.
std::int64_t length_in(const std::vector<const Dataset*>& path, const std::string& dim) {
  for (const Dataset* group : path)
    if (group != nullptr)
      if (const auto found = group->dims.find(dim); found != group->dims.end()) return found->second;
  return 0;
}

class Filler {
 public:
  /// groups: this group of every run, its parent's, ..., the root's.
  Filler(std::vector<GroupOf> groups, const sweep::Lengths& lengths) : groups_(std::move(groups)), lengths_(lengths) {}

  Array values(const Column& column) const {
    if (column.role == Role::index) return column.head.values;
    return std::visit(
        [&](const auto& like) -> Array { return fill<typename std::decay_t<decltype(like)>::value_type>(column); },
        column.head.values);
  }

 private:
  std::size_t runs() const { return groups_.front().size(); }
  const Dataset* own(std::size_t run) const { return groups_.front()[run]; }

  template <class T>
  std::vector<T> fill(const Column& column) const {
    std::vector<std::int64_t> common;
    for (const std::string& dim : column.head.dims) common.push_back(lengths_.at(dim));
    common.erase(common.begin());
    std::size_t size = 1;
    for (const std::int64_t n : common) size *= static_cast<std::size_t>(n);
    std::vector<T> out(size * runs(), sweep::missing<T>(column.role));
    std::size_t guess = 0;
    for (std::size_t run = 0; run < runs(); ++run)
      if (own(run) != nullptr) put(column, run, common, guess, size, out.data() + run * size);
    return out;
  }

  template <class T>
  void put(const Column& column, std::size_t run, const std::vector<std::int64_t>& common, std::size_t& guess,
           std::size_t size, T* out) const {
    const Dataset& group = *own(run);
    if (column.role == Role::value || column.role == Role::coordinate) {
      if (const Variable* v = find(group, column.source, guess)) {
        const auto& values = std::get<std::vector<T>>(v->values);
        if (values.size() == size)  // no dimension is longer than the common one, so all are as long
          std::copy(values.begin(), values.end(), out);
        else
          sweep::place(values.data(), own_lengths(*v, run, common), common, out);
      }
    } else if (column.role == Role::attribute) {
      if (const auto found = group.attributes.find(attribute_name(column)); found != group.attributes.end())
        put_attribute(found->second, out);
    } else if constexpr (!std::is_same_v<T, std::string>) {
      if (column.role == Role::present) *out = static_cast<T>(find(group, column.source, guess) != nullptr);
      if (column.role == Role::count) *out = static_cast<T>(length_in({&group}, column.source));
    }
  }

  template <class T>
  static void put_attribute(const core::Attribute& value, T* out) {
    core::Attribute like;
    if constexpr (std::is_same_v<T, double>) like = 0.0;
    if constexpr (std::is_same_v<T, std::int64_t>) like = std::int64_t{0};
    const core::Array array = sweep::array_of(sweep::widened(value, like));
    if (const auto* same = std::get_if<std::vector<T>>(&array)) *out = same->front();
  }

  std::string attribute_name(const Column& column) const {
    return column.source == "run_kind" && groups_.size() == 1 ? "kind" : column.source;
  }

  /// Lengths of a variable's dimensions in one run.
  std::vector<std::int64_t> own_lengths(const Variable& v, std::size_t run,
                                        const std::vector<std::int64_t>& common) const {
    std::vector<const Dataset*> path;
    for (const GroupOf& level : groups_) path.push_back(level[run]);
    std::vector<std::int64_t> lengths(common.size());
    std::size_t size = 1;
    for (std::size_t d = 0; d < lengths.size(); ++d) {
      lengths[d] = length_in(path, v.dims[d]);
      size *= static_cast<std::size_t>(lengths[d]);
    }
    if (size != core::array_size(v.values))
      throw core::Error("E190", fmt::format("variable '{}' of a run has {} values but its dimensions ask for {}",
                                            v.name, core::array_size(v.values), size));
    return lengths;
  }

  std::vector<GroupOf> groups_;
  const sweep::Lengths& lengths_;
};

void fill_group(const sweep::Columns& columns, const std::vector<GroupOf>& groups, sweep::Lengths lengths,
                Dataset& out) {
  for (const auto& [name, length] : columns.dims) lengths[name] = length;
  out.dims = columns.dims;
  out.attributes = columns.attributes;
  const Filler filler(groups, lengths);
  out.variables.reserve(columns.columns.size());
  for (const Column& column : columns.columns) {
    Variable v{column.head.name, column.head.dims, {}, column.head.units, column.head.long_name, {}};
    v.attributes = column.head.attributes;
    v.values = filler.values(column);
    out.variables.push_back(std::move(v));
  }
  for (const auto& [name, child] : columns.groups) {
    GroupOf of_runs;
    for (const Dataset* parent : groups.front()) {
      const Dataset* found = nullptr;
      if (parent != nullptr)
        if (const auto group = parent->groups.find(name); group != parent->groups.end()) found = &group->second;
      of_runs.push_back(found);
    }
    std::vector<GroupOf> deeper{std::move(of_runs)};
    deeper.insert(deeper.end(), groups.begin(), groups.end());
    fill_group(child, deeper, lengths, out.groups[name]);
  }
}

}  // namespace

Dataset stack_runs(const std::vector<Dataset>& runs) {
  if (runs.empty()) throw core::Error("E190", "there is no run to stack");
  sweep::Layout layout;
  GroupOf roots;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    sweep::absorb_run(layout, runs[i], i == 0 ? nullptr : &runs[i - 1]);
    roots.push_back(&runs[i]);
  }
  Dataset out;
  fill_group(sweep::columns_of(layout), {roots}, {}, out);
  return out;
}

}  // namespace eos::io
