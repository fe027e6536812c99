// eos diff: the largest distance between two files, variable by variable.
#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>

#include "commands.hpp"
#include "eos/core/dataset.hpp"
#include "eos/core/error.hpp"
#include "eos/io/hdf5.hpp"

namespace eos::cli {

namespace {

struct Distance {
  double absolute = 0, relative = 0;
  double ulp = 0;        ///< units in the last place of the stored type
  bool beyond = false;   ///< |a - b| > atol + rtol |b| somewhere
  std::string mismatch;  ///< why values cannot be compared at all
};

/// Position of a floating-point number on the line of all representable ones, so that neighbours differ by 1.
template <class Float, class Bits>
double ordinal(Float value) {
  const auto bits = std::bit_cast<Bits>(value);
  return bits < 0 ? -static_cast<double>(bits & std::numeric_limits<Bits>::max()) : static_cast<double>(bits);
}

template <class T>
double ulp_distance(T a, T b) {
  if constexpr (std::is_same_v<T, double>) {
    const auto x = std::bit_cast<std::int64_t>(a), y = std::bit_cast<std::int64_t>(b);
    if ((x < 0) == (y < 0)) return std::abs(static_cast<double>(x - y));  // exact for near numbers
    return std::abs(ordinal<double, std::int64_t>(a) - ordinal<double, std::int64_t>(b));
  } else if constexpr (std::is_same_v<T, float>) {
    return std::abs(ordinal<float, std::int32_t>(a) - ordinal<float, std::int32_t>(b));
  } else {
    return std::abs(static_cast<double>(a) - static_cast<double>(b));
  }
}

template <class T>
void compare_one(T a, T b, double rtol, double atol, Distance& d) {
  const auto x = static_cast<double>(a), y = static_cast<double>(b);
  if (x == y || (std::isnan(x) && std::isnan(y))) return;
  const double difference = std::abs(x - y);
  const bool comparable = std::isfinite(difference);
  const double infinity = std::numeric_limits<double>::infinity();
  d.absolute = std::max(d.absolute, comparable ? difference : infinity);
  d.relative = std::max(d.relative, comparable ? difference / std::max(std::abs(x), std::abs(y)) : infinity);
  d.ulp = std::max(d.ulp, comparable ? ulp_distance(a, b) : infinity);
  if (!comparable || difference > atol + rtol * std::abs(y)) d.beyond = true;
}

Distance compare(const core::Variable& a, const core::Variable& b, double rtol, double atol) {
  Distance d;
  if (a.dims != b.dims)
    d.mismatch = "other dimensions";
  else if (a.values.index() != b.values.index())
    d.mismatch = "other type";
  else if (core::array_size(a.values) != core::array_size(b.values))
    d.mismatch = fmt::format("{} against {} values", core::array_size(a.values), core::array_size(b.values));
  d.beyond = !d.mismatch.empty();
  if (d.beyond) return d;
  std::visit(
      [&](const auto& x) {
        using T = std::decay_t<decltype(x)>;
        const T& y = std::get<T>(b.values);
        if constexpr (std::is_same_v<T, std::vector<std::string>>) {
          if (x != y) d.mismatch = "other text", d.beyond = true;
        } else {
          for (std::size_t i = 0; i < x.size(); ++i) compare_one(x[i], y[i], rtol, atol, d);
        }
      },
      a.values);
  return d;
}

struct Comparison {
  Table& table;
  double rtol, atol;
  int different = 0, beyond = 0, variables = 0;

  void row(const std::string& name, const Distance& d) {
    ++variables;
    if (d.absolute > 0 || !d.mismatch.empty()) ++different;
    if (d.beyond) ++beyond;
    const bool text = !d.mismatch.empty();
    if (text)
      table.add({name, {}, {}, {}, d.mismatch});
    else if (d.absolute > 0 || d.beyond)
      table.add({name, d.absolute, d.relative, d.ulp, std::string(d.beyond ? "beyond" : "within")});
  }

  void group(const std::string& path, const core::Dataset& a, const core::Dataset& b) {
    for (const core::Variable& variable : a.variables) {
      const core::Variable* other = b.find(variable.name);
      if (other == nullptr)
        row(path + variable.name, {0, 0, 0, true, "only in the first file"});
      else
        row(path + variable.name, compare(variable, *other, rtol, atol));
    }
    for (const core::Variable& variable : b.variables)
      if (!a.has(variable.name)) row(path + variable.name, {0, 0, 0, true, "only in the second file"});
    for (const auto& [name, child] : a.groups) {
      if (name == "provenance") continue;
      const auto other = b.groups.find(name);
      if (other == b.groups.end())
        row(path + name + "/", {0, 0, 0, true, "only in the first file"});
      else
        group(path + name + "/", child, other->second);
    }
    for (const auto& [name, child] : b.groups)
      if (name != "provenance" && a.groups.count(name) == 0)
        row(path + name + "/", {0, 0, 0, true, "only in the second file"});
  }
};

}  // namespace

int run_diff(Session& session) {
  const Arguments& arguments = session.arguments;
  const core::Dataset a = io::read_hdf5(arguments.text("A.h5")), b = io::read_hdf5(arguments.text("B.h5"));
  Document document("eos.diff/1");
  Table& table = document.table("variables", "",
                                {{"variable", "variable"},
                                 {"absolute", "largest |a-b|", Style::number},
                                 {"relative", "relative", Style::number},
                                 {"ulp", "ULP", Style::number},
                                 {"verdict", "tolerance"}});
  Comparison comparison{table, arguments.number("rtol"), arguments.number("atol")};
  comparison.group("", a, b);
  document.set("same_hash", core::content_sha256(a) == core::content_sha256(b), "content hashes equal");
  document.set("variables_compared", std::int64_t{comparison.variables}, "variables compared");
  document.set("variables_different", std::int64_t{comparison.different}, "variables that differ");
  document.set("variables_beyond", std::int64_t{comparison.beyond}, "variables beyond tolerance");
  session.print(document);
  return comparison.beyond > 0 ? k_check_failed : k_done;
}

}  // namespace eos::cli
