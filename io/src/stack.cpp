#include "eos/io/stack.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "eos/core/error.hpp"

namespace eos::io {

namespace {

using core::Array;
using core::Dataset;
using core::Variable;

bool is_text(const Variable& v) { return std::holds_alternative<std::vector<std::string>>(v.values); }

/// What becomes of one dimension.
struct Axis {
  std::int64_t length = 0;
  bool same = true;  ///< same length and coordinate in all tables
};

std::map<std::string, Axis> common_axes(const std::vector<Dataset>& tables) {
  std::map<std::string, Axis> axes;
  for (const auto& [name, length] : tables.front().dims) axes[name].length = length;
  for (auto& [name, axis] : axes)
    for (const Dataset& table : tables) {
      const auto found = table.dims.find(name);
      if (found == table.dims.end()) throw core::Error("E190", "the tables to stack have different dimensions");
      axis.same &= found->second == tables.front().dims.at(name);
      axis.length = std::max(axis.length, found->second);
      const Variable *first = tables.front().find(name), *here = table.find(name);
      axis.same &= (first == nullptr) == (here == nullptr);
      if (axis.same && first != nullptr) axis.same = first->values == here->values;
    }
  return axes;
}

/// Values of one table laid out over the common lengths, padded where it has none.
template <class T>
void place(const std::vector<T>& values, const std::vector<std::int64_t>& own, const std::vector<std::int64_t>& common,
           const T& padding, std::vector<T>& out) {
  std::size_t size = 1;
  for (const std::int64_t n : common) size *= static_cast<std::size_t>(n);
  const std::size_t base = out.size();
  out.resize(base + size, padding);
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::size_t rest = i, at = 0, stride = 1;
    for (std::size_t d = own.size(); d-- > 0;) {
      at += rest % static_cast<std::size_t>(own[d]) * stride;
      rest /= static_cast<std::size_t>(own[d]);
      stride *= static_cast<std::size_t>(common[d]);
    }
    out[base + at] = values[i];
  }
}

class Stacker {
 public:
  Stacker(const std::vector<Dataset>& tables, const std::vector<Variable>& along)
      : tables_(tables), axes_(common_axes(tables)) {
    out_.add_dim("run", static_cast<std::int64_t>(tables.size()), "run");
    for (const auto& [name, axis] : axes_) {
      const Variable* coordinate = tables.front().find(name);
      if (axis.same && coordinate != nullptr && !is_text(*coordinate))
        out_.add_dim(name, tables.front().numbers(name), coordinate->units, coordinate->long_name);
      else if (axis.same && coordinate != nullptr) {
        out_.dims[name] = axis.length;
        out_.variables.push_back(*coordinate);
      } else
        out_.add_dim(name, axis.length, "position along " + name);
    }
    for (const Variable& v : along) {
      Variable& added = out_.add(v.name, {"run"}, v.values, v.units, v.long_name);
      added.attributes = v.attributes;
      coordinates_ += (coordinates_.empty() ? "" : " ") + v.name;
    }
  }

  Dataset run() {
    for (const Variable& v : tables_.front().variables) add(v);
    out_.attributes = tables_.front().attributes;
    return std::move(out_);
  }

 private:
  void add(const Variable& v) {
    const bool coordinate = axes_.count(v.name) != 0 && v.dims == std::vector<std::string>{v.name};
    if (coordinate && axes_.at(v.name).same) return;
    for (const Dataset& table : tables_)
      if (const Variable* here = table.find(v.name);
          here == nullptr || here->dims != v.dims || is_text(*here) != is_text(v))
        return;
    const std::string name = coordinate ? v.name + "_coordinate" : v.name;
    if (out_.has(name)) return;
    std::vector<std::string> over{"run"};
    over.insert(over.end(), v.dims.begin(), v.dims.end());
    Variable& added = is_text(v) ? add_text(name, over, v) : add_numbers(name, over, v);
    added.attributes = v.attributes;
    if (!coordinates_.empty()) added.attributes["coordinates"] = coordinates_;
  }

  Variable& add_text(const std::string& name, const std::vector<std::string>& over, const Variable& v) {
    std::vector<std::int64_t> common;
    for (const std::string& dim : v.dims) common.push_back(axes_.at(dim).length);
    std::vector<std::string> values;
    for (const Dataset& table : tables_) {
      std::vector<std::int64_t> own;
      for (const std::string& dim : v.dims) own.push_back(table.dims.at(dim));
      place(table.strings(v.name), own, common, std::string(), values);
    }
    return out_.add(name, over, std::move(values), v.units, v.long_name);
  }

  Variable& add_numbers(const std::string& name, const std::vector<std::string>& over, const Variable& v) {
    std::vector<std::int64_t> common;
    for (const std::string& dim : v.dims) common.push_back(axes_.at(dim).length);
    std::vector<double> values;
    bool padded = false;
    for (const Dataset& table : tables_) {
      std::vector<std::int64_t> own;
      for (const std::string& dim : v.dims) own.push_back(table.dims.at(dim));
      padded |= own != common;
      place(table.numbers(v.name), own, common, std::numeric_limits<double>::quiet_NaN(), values);
    }
    if (std::holds_alternative<std::vector<std::int64_t>>(v.values) && !padded) {
      const std::vector<std::int64_t> whole(values.begin(), values.end());
      return out_.add(name, over, whole, v.units, v.long_name);
    }
    return out_.add(name, over, std::move(values), v.units, v.long_name);
  }

  const std::vector<Dataset>& tables_;
  std::map<std::string, Axis> axes_;
  std::string coordinates_;
  Dataset out_;
};

}  // namespace

Dataset stack(const std::vector<Dataset>& tables, const std::vector<Variable>& along) {
  if (tables.empty()) throw core::Error("E190", "there is no table to stack");
  return Stacker(tables, along).run();
}

}  // namespace eos::io
