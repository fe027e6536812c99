#include "toml_writer.hpp"

#include <fmt/format.h>

#include <cmath>
#include <sstream>

#include "eos/core/error.hpp"
#include "eos/core/utf8.hpp"

namespace eos::io {

namespace {

constexpr std::size_t k_line_length = 110;

/// [a, b, ...], broken into lines when long.
template <class T, class Show>
std::string list(const std::vector<T>& values, std::size_t indent, Show show) {
  std::string text = "[";
  std::size_t column = indent + 1;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::string item = show(values[i]) + (i + 1 < values.size() ? "," : "");
    if (i > 0 && column + item.size() + 1 > k_line_length)
      text += "\n  ", column = 2;
    else if (i > 0)
      text += ' ', ++column;
    text += item, column += item.size();
  }
  return text + "]";
}

}  // namespace

std::string toml_text(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : core::to_valid_utf8(text)) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      quoted += {'\\', c};
    else if (c == '\n')
      quoted += "\\n";
    else if (c == '\t')
      quoted += "\\t";
    else if (code < 0x20 || code == 0x7F)
      quoted += fmt::format("\\u{:04X}", code);
    else
      quoted += c;
  }
  return quoted + '"';
}

std::string toml_number(double x) {
  if (!std::isfinite(x)) throw core::Error("E104", fmt::format("the number {} cannot be part of a configuration", x));
  std::string text = fmt::format("{}", x);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

void TomlWriter::line(const Field& field, const std::string& value, const char* unit) {
  if (inline_ && !own_.empty()) own_ += ", ";
  own_ += fmt::format("{} = {}", field.key, value);
  if (inline_) return;
  const std::string_view u = unit;
  if (!u.empty() && u != "1") own_ += fmt::format("  # {}", u);
  own_ += '\n';
}

void TomlWriter::table(const Field& field, const Body& body) {
  TomlWriter inner(path_.empty() ? field.key : fmt::format("{}.{}", path_, field.key));
  body(inner);
  children_ += fmt::format("\n[{}]\n{}", inner.path_, inner.str());
}

void TomlWriter::text(const Field& field, std::string& value) { line(field, toml_text(value), ""); }

void TomlWriter::word(const Field& field, std::size_t& value, const std::vector<std::string>& words) {
  line(field, toml_text(words.at(value)), "");
}

void TomlWriter::words(const Field& field, std::vector<std::size_t>& values, const std::vector<std::string>& words) {
  line(field,
       list(values, std::string_view(field.key).size() + 3, [&](std::size_t i) { return toml_text(words.at(i)); }), "");
}

void TomlWriter::flag(const Field& field, bool& value) { line(field, value ? "true" : "false", ""); }

void TomlWriter::number(const Field& field, double& value, const Range&) {
  line(field, toml_number(value), field.unit);
}

void TomlWriter::integer(const Field& field, std::int64_t& value, const Range&) {
  line(field, fmt::format("{}", value), field.unit);
}

void TomlWriter::numbers(const Field& field, std::vector<double>& values, const Range&) {
  line(field, list(values, std::string_view(field.key).size() + 3, toml_number), "");
}

void TomlWriter::integers(const Field& field, std::vector<std::int64_t>& values, const Range&) {
  line(field, list(values, std::string_view(field.key).size() + 3, [](std::int64_t v) { return fmt::format("{}", v); }),
       "");
}

void TomlWriter::power_list(const Field& field, std::vector<double>& values, std::int64_t, const Range& range) {
  if (!values.empty()) numbers(field, values, range);
}

namespace {

bool contaminated(const theory::CaptureCurve& curve) {
  return curve.kind() == theory::CaptureCurve::Kind::contaminated_signal ||
         curve.kind() == theory::CaptureCurve::Kind::contaminated_noise;
}

}  // namespace

bool TomlWriter::capture(const Field& field, theory::CaptureCurve& curve) {
  if (contaminated(curve)) return false;  // label_noise says it
  if (curve.kind() == theory::CaptureCurve::Kind::tabulated)
    line(field,
         fmt::format("{{ fraction = {}, captured = {} }}", list(curve.fractions(), 0, toml_number),
                     list(curve.captured(), 0, toml_number)),
         "");
  else
    line(field, toml_text(curve.name()), "");
  return false;
}

bool TomlWriter::spectrum(const Field&, theory::PowerSpectrum&) { return false; }  // its bins are written as lists

bool TomlWriter::label_noise(const Field& field, theory::CaptureCurve&, theory::CaptureCurve& noise) {
  if (contaminated(noise)) {
    line(field,
         fmt::format("{{ fraction = {}, ratio = {} }}", toml_number(noise.outlier_fraction()),
                     toml_number(noise.outlier_ratio())),
         "");
  }
  return false;
}

void TomlWriter::seeds(const Field& field, std::vector<std::uint64_t>& values) {
  for (const std::uint64_t seed : values)
    if (seed > static_cast<std::uint64_t>(INT64_MAX))
      throw core::Error("E104", fmt::format("the seed {} cannot be written as TOML", seed), "use a seed below 2^63");
  line(field, list(values, 8, [](std::uint64_t v) { return fmt::format("{}", v); }), "");
}

void TomlWriter::text_unless(const Field& field, std::string& value, const char* usual) {
  if (value != usual) text(field, value);
}

void TomlWriter::formula(const Field& field, Formula& value, const char*) {
  if (!value.given()) return;
  if (!value.number.has_value()) return line(field, toml_text(value.text), "");
  const double x = *value.number;
  line(field, std::isinf(x) ? (x > 0 ? "inf" : "-inf") : toml_number(x), field.unit);
}

void TomlWriter::formula_or_table(const Field& field, Formula& value, const char* kind, const Body& body) {
  if (value.given()) return formula(field, value, kind);
  TomlWriter inner;
  inner.inline_ = true;
  body(inner);
  if (!inner.own_.empty()) line(field, fmt::format("{{ {} }}", inner.own_), "");
}

void TomlWriter::each(const Field& field, const std::vector<std::string>& names, bool, const Entry& entry) {
  if (names.empty()) return;
  TomlWriter inner(path_.empty() ? field.key : fmt::format("{}.{}", path_, field.key));
  for (const std::string& name : names) entry(inner, {name.c_str(), "", ""}, name, -1);
  if (!inner.own_.empty()) children_ += fmt::format("\n[{}]\n{}", inner.path_, inner.own_);
  children_ += inner.children_;
}

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line + "\n");
  return lines;
}

}  // namespace

// Of every table its first key, and those that are not as usual: long lists stay readable.
void TomlWriter::table_list(const Field& field, const TableList& list) {
  const std::string path = path_.empty() ? field.key : fmt::format("{}.{}", path_, field.key);
  TomlWriter usual(path);
  list.usual(usual);
  const std::vector<std::string> plain = lines_of(usual.str());
  for (std::size_t i = 0; i < list.size; ++i) {
    TomlWriter inner(path);
    list.item(inner, i);
    const std::vector<std::string> lines = lines_of(inner.str());
    children_ += fmt::format("\n[[{}]]\n", path);
    for (std::size_t l = 0; l < lines.size(); ++l) {
      if (l == 0 || lines[l] != plain.at(l)) children_ += lines[l];
    }
  }
}

}  // namespace eos::io
