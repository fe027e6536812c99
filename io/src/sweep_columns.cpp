// The variables of a sweep table from its layout, and the layout from the variables.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <sstream>

#include "eos/core/error.hpp"
#include "sweep_layout.hpp"

namespace eos::io::sweep {

using core::Array;
using core::Dataset;
using core::Error;
using core::Variable;
using Role = Column::Role;

namespace {

std::vector<std::string> over_runs(const std::vector<std::string>& dims) {
  std::vector<std::string> all{k_run};
  all.insert(all.end(), dims.begin(), dims.end());
  return all;
}

class ColumnMaker {
 public:
  ColumnMaker(const Layout& layout, Columns& out) : layout_(layout), out_(out) {}

  void run(const std::set<std::string>& inherited, const std::set<std::string>& tells_apart,
           const std::string& coordinates) {
    for (const auto& [name, dimension] : layout_.dims) {
      if (inherited.count(name) != 0)
        throw Error("E190", fmt::format("the runs cannot be stacked: a group redefines the dimension '{}'", name));
      add_dimension(name, dimension);
    }
    for (const auto& [name, dimension] : layout_.dims) {
      add(Role::count, name, {name + "_count", {k_run}, std::vector<std::int32_t>{}, "1", "rows along " + name, {}});
      if (dimension.coordinate != Coordinate::differs) continue;
      const Variable& v = dimension.values;
      add(Role::coordinate, name,
          {name + "_coordinate", {k_run, name}, empty_like(v.values), v.units, v.long_name, v.attributes});
    }
    for (const VariableLayout& v : layout_.variables) {
      Variable head = v.head;
      head.dims = over_runs(head.dims);
      add(Role::value, v.head.name, std::move(head));
      if (!v.gaps) continue;
      add(Role::present, v.head.name,
          {v.head.name + "_present",
           {k_run},
           std::vector<std::uint8_t>{},
           "1",
           "1 where the run has " + v.head.name,
           {}});
    }
    add_attributes();
    if (coordinates.empty()) return;
    for (Column& column : out_.columns)
      if (column.role != Role::index && tells_apart.count(column.head.name) == 0)
        column.head.attributes["coordinates"] = coordinates;
  }

 private:
  void add(Role role, const std::string& source, Variable head) {
    if (!names_.insert(head.name).second)
      throw Error("E190", fmt::format("the runs cannot be stacked: they have a variable '{}', which stands for "
                                      "something else in a table of many runs",
                                      head.name));
    if (role != Role::index && role != Role::value) head.attributes[k_role] = std::string(role_name(role));
    out_.columns.push_back({role, source, std::move(head)});
  }

  void add_dimension(const std::string& name, const Dimension& dimension) {
    out_.dims[name] = dimension.length;
    if (dimension.coordinate == Coordinate::common) add(Role::index, name, dimension.values);
    if (dimension.coordinate != Coordinate::differs) return;
    std::vector<std::int64_t> index(static_cast<std::size_t>(dimension.length));
    std::iota(index.begin(), index.end(), 0);
    add(Role::index, name, {name, {name}, std::move(index), "1", "position along " + name, {}});
  }

  void add_attributes() {
    for (const auto& [name, attribute] : layout_.attributes) {
      const bool as_variable = attribute.differs && core::is_name(name) && names_.count(name) == 0;
      if (!as_variable)
        out_.attributes[name] = attribute.value;
      else
        add(Role::attribute, name,
            {name, {k_run}, empty_like(array_of(attribute.value)), "1", name + " of the run", {}});
    }
  }

  const Layout& layout_;
  Columns& out_;
  std::set<std::string> names_;
};

void make_columns(const Layout& layout, Columns& out, std::set<std::string> inherited,
                  const std::set<std::string>& tells_apart, const std::string& coordinates) {
  ColumnMaker(layout, out).run(inherited, tells_apart, coordinates);
  for (const auto& [name, dimension] : layout.dims) inherited.insert(name);
  for (const auto& [name, group] : layout.groups) make_columns(group, out.groups[name], inherited, {}, {});
}

std::string text_of(const Variable& v, const char* attribute) {
  const auto found = v.attributes.find(attribute);
  const auto* text = found == v.attributes.end() ? nullptr : std::get_if<std::string>(&found->second);
  return text == nullptr ? std::string() : *text;
}

/// Which dimensions each run has rows along, once per combination; added to those inherited from the parents' runs.
std::vector<Occupied> occupied_of(const Dataset& group, std::vector<Occupied> inherited) {
  for (const Variable& v : group.variables) {
    if (text_of(v, k_role) != "count") continue;
    const std::string dim = v.name.substr(0, v.name.rfind("_count"));
    const std::vector<double> counts = group.numbers(v.name);
    for (std::size_t i = 0; i < std::min(counts.size(), inherited.size()); ++i)
      if (counts[i] > 0) inherited[i].insert(dim);
  }
  return inherited;
}

Layout group_of_table(const Dataset& table, std::int64_t runs, std::vector<Occupied> inherited, bool root) {
  Layout layout;
  layout.runs = runs;
  const std::vector<Occupied> occupied = occupied_of(table, std::move(inherited));
  layout.occupied.insert(occupied.begin(), occupied.end());
  for (const auto& [name, length] : table.dims)
    if (!(root && name == k_run)) layout.dims[name].length = length;
  for (const auto& [name, value] : table.attributes) layout.attributes[name] = {value, false};
  std::set<std::string> with_gaps;
  for (const Variable& v : table.variables) {
    if (root && v.name == k_run) continue;
    const std::string role = text_of(v, k_role);
    if (const auto dim = layout.dims.find(v.name); dim != layout.dims.end()) {
      if (dim->second.coordinate == Coordinate::differs) continue;  // a plain index
      dim->second.coordinate = Coordinate::common;
      dim->second.values = v;
    } else if (role == "coordinate") {
      Dimension& differs = layout.dims.at(v.dims.at(1));
      differs.coordinate = Coordinate::differs;
      differs.values = {v.dims[1], {v.dims[1]}, empty_like(v.values), v.units, v.long_name, v.attributes};
      for (const char* own : {k_role, "coordinates"}) differs.values.attributes.erase(own);
    } else if (role == "attribute") {
      const Array like = v.values;
      layout.attributes[v.name] = {like.index() == 0   ? core::Attribute(0.0)
                                   : like.index() == 2 ? core::Attribute(std::int64_t{0})
                                                       : core::Attribute(std::string()),
                                   true};
    } else if (role == "present") {
      with_gaps.insert(v.name.substr(0, v.name.rfind("_present")));
    } else if (role.empty()) {
      Variable head{v.name, v.dims, empty_like(v.values), v.units, v.long_name, v.attributes};
      if (head.dims.empty() || head.dims.front() != k_run)
        throw Error("E190", fmt::format("variable '{}' of a sweep is not over `run`", v.name));
      head.dims.erase(head.dims.begin());
      head.attributes.erase("coordinates");
      layout.variables.push_back({std::move(head), false});
    }
  }
  for (VariableLayout& v : layout.variables) v.gaps = with_gaps.count(v.head.name) != 0;
  for (const auto& [name, group] : table.groups) layout.groups[name] = group_of_table(group, runs, occupied, false);
  return layout;
}

}  // namespace

Columns columns_of(const Layout& layout) {
  Columns out;
  std::string coordinates;
  std::set<std::string> tells_apart;
  if (const auto found = layout.attributes.find(k_coordinates); found != layout.attributes.end())
    if (const auto* names = std::get_if<std::string>(&found->second.value)) {
      std::istringstream words(*names);
      for (std::string name; words >> name;)
        if (std::any_of(layout.variables.begin(), layout.variables.end(),
                        [&](const VariableLayout& v) { return v.head.name == name; })) {
          coordinates += (coordinates.empty() ? "" : " ") + name;
          tells_apart.insert(name);
        }
    }
  make_columns(layout, out, {k_run}, tells_apart, coordinates);
  out.dims[k_run] = layout.runs;
  out.attributes["kind"] = std::string("sweep");
  Variable index{k_run, {k_run}, std::vector<std::int64_t>{}, "1", "run", {}};
  auto& rows = std::get<std::vector<std::int64_t>>(index.values);
  rows.resize(static_cast<std::size_t>(layout.runs));
  std::iota(rows.begin(), rows.end(), 0);
  out.columns.insert(out.columns.begin(), {Role::index, k_run, std::move(index)});
  return out;
}

Layout layout_of_table(const Dataset& sweep) {
  const auto runs = sweep.dims.find(k_run);
  if (runs == sweep.dims.end()) throw Error("E191", "the table has no dimension 'run'", "is it a sweep?");
  Layout layout =
      group_of_table(sweep, runs->second, std::vector<Occupied>(static_cast<std::size_t>(runs->second)), true);
  for (const char* of_file : {"Conventions", "eos_schema", "content_sha256", "kind"}) layout.attributes.erase(of_file);
  return layout;
}

}  // namespace eos::io::sweep
