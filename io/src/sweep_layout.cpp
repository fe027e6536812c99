#include "sweep_layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "eos/core/error.hpp"

namespace eos::io::sweep {

using core::Array;
using core::Attribute;
using core::Dataset;
using core::Error;
using core::Variable;

namespace {

/// Root attributes that belong to a file, not to the runs in it.
bool is_of_file(const std::string& name) {
  return name == "Conventions" || name == "eos_schema" || name == "content_sha256" || name == "kind";
}
/// Root attributes that a sweep states once, whatever its runs say: the first one's stays.
bool is_of_sweep(const std::string& name) {
  static constexpr std::string_view k_names[] = {"title",       "source",     "history",
                                                 k_coordinates, "sweep_axes", "planned_runs"};
  return std::find(std::begin(k_names), std::end(k_names), name) != std::end(k_names);
}

std::string words(const Attribute& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* number = std::get_if<double>(&value)) return fmt::format("{}", *number);
  return fmt::format("{}", std::get<std::int64_t>(value));
}

void combine_attribute(const std::string& name, AttributeLayout& a, const AttributeLayout& b, bool root) {
  if (root && is_of_sweep(name)) return;
  if (root && name == "status") {  // one unfinished run makes an unfinished table
    if (b.value != Attribute(std::string("complete"))) a.value = std::string("partial");
    return;
  }
  if (root && name == "determinism") {  // "R1 ..." promises less than "R2 ..."
    a.value = std::min(a.value, b.value);
    return;
  }
  a.differs = a.differs || b.differs || a.value != b.value;
  if (a.value.index() != b.value.index()) a.value = words(a.value);
}

void absorb_attributes(std::map<std::string, AttributeLayout>& all, const std::map<std::string, AttributeLayout>& more,
                       bool root) {
  for (const auto& [name, attribute] : more) {
    const auto [entry, added] = all.try_emplace(name, attribute);
    if (!added)
      combine_attribute(name, entry->second, attribute, root);
    else if (!(root && is_of_sweep(name)))
      entry->second.differs = true;  // the runs so far have none
  }
  for (auto& [name, attribute] : all)
    if (more.count(name) == 0 && !(root && is_of_sweep(name))) attribute.differs = true;
}

bool is_prefix(const Array& shorter, const Array& longer) {
  return std::visit(
      [&](const auto& a) {
        const auto& b = std::get<std::decay_t<decltype(a)>>(longer);
        return a.size() <= b.size() && std::equal(a.begin(), a.end(), b.begin());
      },
      shorter);
}

[[noreturn]] void contradict(const std::string& name, const char* what) {
  throw Error("E190", fmt::format("the runs cannot be stacked: '{}' has two {}", name, what),
              "stack runs of one kind only");
}

void combine_dimension(const std::string& name, Dimension& a, const Dimension& b) {
  const bool bare_a = a.coordinate == Coordinate::bare, bare_b = b.coordinate == Coordinate::bare;
  const std::int64_t length = std::max(a.length, b.length);
  if (bare_a && bare_b) {
    a.length = length;
    return;
  }
  if (!bare_a && !bare_b && a.values.values.index() != b.values.values.index())
    contradict(name, "types of its coordinate");
  Coordinate joined = Coordinate::differs;
  if (a.coordinate == Coordinate::common && b.coordinate == Coordinate::common) {
    const bool a_shorter = a.length <= b.length;
    const Array &shorter = a_shorter ? a.values.values : b.values.values,
                &longer = a_shorter ? b.values.values : a.values.values;
    if (is_prefix(shorter, longer)) joined = Coordinate::common;
    if (joined == Coordinate::common && a_shorter) a.values.values = b.values.values;
  }
  if (bare_a) a.values = b.values;
  a.coordinate = joined;
  a.length = length;
  if (joined == Coordinate::differs) a.values.values = empty_like(a.values.values);
}

bool has_rows_along(const std::set<Occupied>& occupied, const std::vector<std::string>& dims) {
  return std::any_of(occupied.begin(), occupied.end(), [&](const Occupied& here) {
    return std::all_of(dims.begin(), dims.end(), [&](const std::string& dim) { return here.count(dim) != 0; });
  });
}

void combine_variable(VariableLayout& a, const VariableLayout& b) {
  if (a.head.values.index() != b.head.values.index()) contradict(a.head.name, "types");
  if (a.head.dims != b.head.dims) contradict(a.head.name, "lists of dimensions");
  if (a.head.units != b.head.units) contradict(a.head.name, "units");
  a.gaps = a.gaps || b.gaps;
}

const VariableLayout* find(const Layout& layout, const std::string& name, std::size_t guess) {
  const auto& all = layout.variables;
  if (guess < all.size() && all[guess].head.name == name) return &all[guess];
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& v) { return v.head.name == name; });
  return found == all.end() ? nullptr : &*found;
}

void absorb_group(Layout& a, const Layout& b, bool root);

void absorb_variables(Layout& a, const Layout& b) {
  for (std::size_t i = 0; i < a.variables.size(); ++i) {
    VariableLayout& variable = a.variables[i];
    if (find(b, variable.head.name, i) == nullptr)
      variable.gaps = variable.gaps || has_rows_along(b.occupied, variable.head.dims);
  }
  for (std::size_t i = 0; i < b.variables.size(); ++i) {
    const VariableLayout& variable = b.variables[i];
    if (auto* known = const_cast<VariableLayout*>(find(a, variable.head.name, i))) {
      combine_variable(*known, variable);
    } else {
      a.variables.push_back(variable);
      a.variables.back().gaps = variable.gaps || has_rows_along(a.occupied, variable.head.dims);
    }
  }
}

void absorb_groups(Layout& a, const Layout& b) {
  std::set<std::string> names;
  for (const auto& [name, group] : a.groups) names.insert(name);
  for (const auto& [name, group] : b.groups) names.insert(name);
  for (const std::string& name : names) {
    // Runs without a group are like runs with an empty one.
    Layout nothing;
    if (a.groups.count(name) == 0) {
      nothing.runs = a.runs, nothing.occupied = a.occupied;
      a.groups[name] = nothing;
    }
    nothing.runs = b.runs, nothing.occupied = b.occupied;
    const auto other = b.groups.find(name);
    absorb_group(a.groups.at(name), other == b.groups.end() ? nothing : other->second, false);
  }
}

void absorb_group(Layout& a, const Layout& b, bool root) {
  if (b.runs == 0) return;
  if (a.runs == 0) {
    a = b;
    return;
  }
  for (const auto& [name, dimension] : b.dims) {
    const auto [entry, added] = a.dims.try_emplace(name, dimension);
    if (!added) combine_dimension(name, entry->second, dimension);
  }
  absorb_variables(a, b);
  absorb_attributes(a.attributes, b.attributes, root);
  absorb_groups(a, b);
  a.occupied.insert(b.occupied.begin(), b.occupied.end());
  a.runs += b.runs;
}

std::map<std::string, AttributeLayout> attributes_of(const Dataset& data, bool run) {
  std::map<std::string, AttributeLayout> all;
  for (const auto& [name, value] : data.attributes)
    if (!run || !is_of_file(name)) all[name] = {value, false};
  if (run && data.attributes.count("kind") != 0) all["run_kind"] = {data.attributes.at("kind"), false};
  return all;
}

Layout group_of_run(const Dataset& run, Occupied occupied, bool root) {
  Layout layout;
  layout.runs = 1;
  for (const auto& [name, length] : run.dims) {
    if (length > 0) occupied.insert(name);
    layout.dims[name].length = length;
  }
  for (const Variable& v : run.variables) {
    if (const auto dim = layout.dims.find(v.name); dim != layout.dims.end()) {
      dim->second.coordinate = Coordinate::common;
      dim->second.values = v;
    } else {
      layout.variables.push_back({{v.name, v.dims, empty_like(v.values), v.units, v.long_name, v.attributes}, false});
    }
  }
  layout.attributes = attributes_of(run, root);
  layout.occupied = {occupied};
  for (const auto& [name, group] : run.groups) layout.groups[name] = group_of_run(group, occupied, false);
  return layout;
}

/// The same names, types, dimensions and coordinates; attributes may differ.
bool same_build(const Dataset& a, const Dataset& b) {
  const auto same = [&a](const Variable& x, const Variable& y) {
    return x.name == y.name && x.values.index() == y.values.index() && x.dims == y.dims && x.units == y.units &&
           (a.dims.count(x.name) == 0 || x.values == y.values);
  };
  const auto same_group = [](const auto& x, const auto& y) {
    return x.first == y.first && same_build(x.second, y.second);
  };
  return a.dims == b.dims &&
         std::equal(a.variables.begin(), a.variables.end(), b.variables.begin(), b.variables.end(), same) &&
         std::equal(a.groups.begin(), a.groups.end(), b.groups.begin(), b.groups.end(), same_group);
}

/// Of a run built like one that is in the layout already only the attributes are new.
void absorb_alike(Layout& layout, const Dataset& run, const Dataset& like, bool root) {
  if (run.attributes != like.attributes) absorb_attributes(layout.attributes, attributes_of(run, root), root);
  ++layout.runs;
  for (const auto& [name, group] : run.groups) absorb_alike(layout.groups.at(name), group, like.groups.at(name), false);
}

}  // namespace

void absorb(Layout& layout, const Layout& more) { absorb_group(layout, more, true); }

Layout layout_of_run(const Dataset& run) { return group_of_run(run, {}, true); }

void absorb_run(Layout& layout, const Dataset& run, const Dataset* like) {
  if (like != nullptr && same_build(*like, run))
    absorb_alike(layout, run, *like, true);
  else
    absorb(layout, layout_of_run(run));
}

Array empty_like(const Array& values) {
  return std::visit([](const auto& v) -> Array { return std::decay_t<decltype(v)>{}; }, values);
}

Array array_of(const Attribute& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return std::vector<std::string>{*text};
  if (const auto* number = std::get_if<double>(&value)) return std::vector<double>{*number};
  return std::vector<std::int64_t>{std::get<std::int64_t>(value)};
}

Attribute widened(const Attribute& value, const Attribute& like) {
  return value.index() == like.index() ? value : Attribute(words(value));
}

std::size_t elements(const std::vector<std::string>& dims, const Lengths& lengths) {
  std::size_t size = 1;
  for (const std::string& dim : dims) size *= static_cast<std::size_t>(lengths.at(dim));
  return size;
}

const char* role_name(Column::Role role) {
  switch (role) {
    case Column::Role::count:
      return "count";
    case Column::Role::coordinate:
      return "coordinate";
    case Column::Role::present:
      return "present";
    case Column::Role::attribute:
      return "attribute";
    default:
      return "";
  }
}

}  // namespace eos::io::sweep
