// One description of every table, used three ways: read a TOML file into values, write values as TOML, and list the
// keys for the manual. Private to io/.
//
// A bind function (toml_schema.hpp) names each key of a table with its unit, range and meaning and hands over the field
// it belongs to. The field holds the default when reading, the value when writing.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "eos/theory/capture.hpp"
#include "eos/theory/spectrum.hpp"

namespace eos::io {

struct Field {
  const char* key;
  const char* unit;  ///< "" for text and words, "1" for pure numbers
  const char* help;  ///< meaning, one line
  bool required = false;
};

/// A number, or the text of a formula, as a file states it.
struct Formula {
  std::string text;
  std::optional<double> number;
  int place = -1;  ///< where a reader found it
  bool given() const { return number.has_value() || !text.empty() || place >= 0; }
};

/// Allowed interval of a number; ends are included unless open.
struct Range {
  double lower = -std::numeric_limits<double>::infinity();
  double upper = std::numeric_limits<double>::infinity();
  bool open_lower = false, open_upper = false;

  bool contains(double x) const {
    return (open_lower ? x > lower : x >= lower) && (open_upper ? x < upper : x <= upper);
  }
};
inline constexpr Range k_any{};
inline constexpr Range k_unit{0, 1};
inline constexpr Range k_share{0, 1, true};             ///< (0, 1]
inline constexpr Range k_below_one{0, 1, false, true};  ///< [0, 1)
inline constexpr Range k_not_negative{0, std::numeric_limits<double>::infinity()};
inline constexpr Range k_positive{0, std::numeric_limits<double>::infinity(), true};
inline constexpr Range k_count{1, 2147483647};
inline constexpr Range k_count_or_none{0, 2147483647};

class Binder {
 public:
  using Body = std::function<void(Binder&)>;
  virtual ~Binder() = default;

  virtual void table(const Field& field, const Body& body) = 0;
  virtual void text(const Field& field, std::string& value) = 0;
  /// A path; a relative one in a file refers to the folder of that file.
  virtual void path(const Field& field, std::string& value) = 0;
  /// One of the words; `value` is its index.
  virtual void word(const Field& field, std::size_t& value, const std::vector<std::string>& words) = 0;
  /// A list of such words.
  virtual void words(const Field& field, std::vector<std::size_t>& values, const std::vector<std::string>& words) = 0;
  virtual void flag(const Field& field, bool& value) = 0;
  virtual void number(const Field& field, double& value, const Range& range) = 0;
  virtual void integer(const Field& field, std::int64_t& value, const Range& range) = 0;
  virtual void numbers(const Field& field, std::vector<double>& values, const Range& range) = 0;
  virtual void integers(const Field& field, std::vector<std::int64_t>& values, const Range& range) = 0;
  /// A list, or {power = p, scale = a} for a * j^p with j = 1 ... count.
  virtual void power_list(const Field& field, std::vector<double>& values, std::int64_t count, const Range& range) = 0;
  /// "linear", "gaussian", "laplace", or {fraction = [...], captured = [...]}. True when a file gave it.
  virtual bool capture(const Field& field, theory::CaptureCurve& curve) = 0;
  /// `{modes = P, exponent = beta, source = s, scale = a, bins = 40}`: true when a file gave it, and `spectrum` holds
  /// it.
  virtual bool spectrum(const Field& field, theory::PowerSpectrum& spectrum) = 0;
  /// `{fraction = q, ratio = k}`: captures of signal and noise under contaminated labels. True when a file gave it.
  virtual bool label_noise(const Field& field, theory::CaptureCurve& signal, theory::CaptureCurve& noise) = 0;
  /// Seeds: `seeds = [1, 2]`, or `seed = 1` for one.
  virtual void seeds(const Field& field, std::vector<std::uint64_t>& values) = 0;
  /// Text that need not be written when it is the usual one.
  virtual void text_unless(const Field& field, std::string& value, const char* usual) {
    (void)usual;
    text(field, value);
  }
  /// A number or a formula; `kind` says which formulas, for the manual.
  virtual void formula(const Field& field, Formula& value, const char* kind) = 0;
  /// The same, or an inline table with the keys that `body` names.
  virtual void formula_or_table(const Field& field, Formula& value, const char* kind, const Body& body) = 0;
  /// A table whose keys are names of the user's choice, in the order of the file; `entry` gets each key, the whole name
  /// and its place. Names with parts, as price.sample, may be written as nested tables.
  using Entry = std::function<void(Binder&, const Field& key, const std::string& name, int place)>;
  virtual void each(const Field& field, const std::vector<std::string>& names, bool parts, const Entry& entry) = 0;
  /// A list of tables, [[path]]. `resize` gets the number of tables of a file; `item` binds one; `usual` binds a value
  /// with all defaults.
  struct TableList {
    std::size_t size = 0;
    std::function<void(std::size_t)> resize;
    std::function<void(Binder&, std::size_t)> item;
    Body usual;
  };
  virtual void table_list(const Field& field, const TableList& list) = 0;
  /// A remark for the manual about the table; does nothing when reading or writing.
  virtual void note(const char* text) { (void)text; }

  /// An enumeration of which names[i] is the word of the value i.
  template <class Enum>
  void choice(const Field& field, Enum& value, const std::vector<std::string>& names) {
    auto index = static_cast<std::size_t>(value);
    word(field, index, names);
    value = static_cast<Enum>(index);
  }
  /// A list of such values.
  template <class Enum>
  void choices(const Field& field, std::vector<Enum>& values, const std::vector<std::string>& names) {
    std::vector<std::size_t> indices;
    for (const Enum value : values) indices.push_back(static_cast<std::size_t>(value));
    words(field, indices, names);
    values.clear();
    for (const std::size_t index : indices) values.push_back(static_cast<Enum>(index));
  }
  /// A list of tables, each bound by bind_one(binder, value).
  template <class Value, class Bind>
  void tables(const Field& field, std::vector<Value>& values, const Bind& bind_one) {
    table_list(field, {values.size(), [&](std::size_t size) { values.assign(size, Value{}); },
                       [&](Binder& b, std::size_t i) { bind_one(b, values[i]); },
                       [&](Binder& b) {
                         Value usual;
                         bind_one(b, usual);
                       }});
  }
  /// A list of whole numbers that are ints.
  void integers(const Field& field, std::vector<int>& values, const Range& range) {
    std::vector<std::int64_t> wide(values.begin(), values.end());
    integers(field, wide, range);
    values.assign(wide.begin(), wide.end());
  }
  void integer(const Field& field, int& value, const Range& range) {
    std::int64_t wide = value;
    integer(field, wide, range);
    value = static_cast<int>(wide);
  }
  void integer(const Field& field, std::uint64_t& value, const Range& range) {
    auto wide = static_cast<std::int64_t>(value);
    integer(field, wide, range);
    value = static_cast<std::uint64_t>(wide);
  }
};

}  // namespace eos::io
