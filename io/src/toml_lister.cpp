#include "toml_lister.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "toml_reader.hpp"
#include "toml_writer.hpp"

namespace eos::io {

namespace {

std::string typed(const char* type, const Range& range) {
  const std::string allowed = describe(range, "");
  return allowed == "finite" ? type : fmt::format("{} {}", type, allowed);
}

std::string short_number(double x) { return fmt::format("{:.12g}", x); }

}  // namespace

void TomlLister::row(const std::string& key, const std::string& type, const std::string& standard,
                     const std::string& meaning, const std::string& unit) {
  std::string safe;  // a bar would end the column
  for (const char c : meaning) {
    if (c == '|') safe += '\\';
    safe += c;
  }
  own_ += fmt::format("| `{}` | {} | {} | {} | {} |\n", key, type, unit, standard, safe);
  const auto [place, fresh] = homes_.try_emplace(key, path_);
  if (!fresh) place->second.clear();
}

void TomlLister::field_row(const Field& field, const std::string& type, const std::string& standard) {
  row(field.key, type,
      field.required     ? "**required**"
      : standard.empty() ? ""
                         : fmt::format("`{}`", standard),
      field.help, field.unit == std::string("1") ? "" : field.unit);
}

void TomlLister::table(const Field& field, const Body& body) {
  TomlLister inner(path_.empty() ? field.key : fmt::format("{}.{}", path_, field.key));
  body(inner);
  adopt(inner, field);
}

void TomlLister::adopt(const TomlLister& inner, const Field& field) {
  if (inner.own_.empty())
    children_ += inner.children_;
  else
    children_ +=
        fmt::format("\n### [{}]\n\n{}{}.\n{}\n| key | type | unit | default | meaning |\n|---|---|---|---|---|\n{}",
                    inner.path_, static_cast<char>(std::toupper(static_cast<unsigned char>(field.help[0]))),
                    field.help + 1, inner.notes_, inner.own_ + inner.children_);
  for (const auto& [key, home] : inner.homes_) {
    const auto [place, fresh] = homes_.try_emplace(key, home);
    if (!fresh) place->second.clear();
  }
}

void TomlLister::text(const Field& field, std::string& value) { field_row(field, "text", toml_text(value)); }
void TomlLister::path(const Field& field, std::string& value) { field_row(field, "path", toml_text(value)); }
void TomlLister::word(const Field& field, std::size_t& value, const std::vector<std::string>& words) {
  field_row(field, fmt::format("`{}`", fmt::join(words, "` `")), words.at(value));
}
void TomlLister::words(const Field& field, std::vector<std::size_t>& values, const std::vector<std::string>& words) {
  std::vector<std::string> standard;
  for (const std::size_t value : values) standard.push_back(toml_text(words.at(value)));
  field_row(field, fmt::format("list of `{}`", fmt::join(words, "` `")),
            fmt::format("[{}]", fmt::join(standard, ", ")));
}
void TomlLister::flag(const Field& field, bool& value) { field_row(field, "`true` `false`", value ? "true" : "false"); }
void TomlLister::number(const Field& field, double& value, const Range& range) {
  field_row(field, typed("number", range), short_number(value));
}
void TomlLister::integer(const Field& field, std::int64_t& value, const Range& range) {
  field_row(field, typed("whole number", range), value == 0 && range.lower > 0 ? "" : fmt::format("{}", value));
}
void TomlLister::numbers(const Field& field, std::vector<double>&, const Range& range) {
  field_row(field, typed("list of numbers", range), "");
}
void TomlLister::integers(const Field& field, std::vector<std::int64_t>& values, const Range& range) {
  field_row(field, typed("list of whole numbers", range), fmt::format("[{}]", fmt::join(values, ", ")));
}
void TomlLister::power_list(const Field& field, std::vector<double>&, std::int64_t, const Range& range) {
  field_row(field, typed("list or power law", range), "");
}
bool TomlLister::capture(const Field& field, theory::CaptureCurve& curve) {
  field_row(field, "`linear` `gaussian` `laplace` or `{fraction = [...], captured = [...]}`", curve.name());
  return false;
}
bool TomlLister::spectrum(const Field& field, theory::PowerSpectrum&) {
  field_row(field, "`{modes = P, exponent = beta, source = s, scale = a, bins = n}`", "");
  return false;
}
bool TomlLister::label_noise(const Field& field, theory::CaptureCurve&, theory::CaptureCurve&) {
  field_row(field, "`{fraction = q, ratio = k}`", "");
  return false;
}
void TomlLister::seeds(const Field& field, std::vector<std::uint64_t>& values) {
  field_row(field, "list of whole numbers >= 0", fmt::format("[{}]", fmt::join(values, ", ")));
}

void TomlLister::formula(const Field& field, Formula& value, const char* kind) {
  field_row(field, kind, value.number.has_value() ? short_number(*value.number) : value.text);
}
void TomlLister::formula_or_table(const Field& field, Formula& value, const char* kind, const Body& body) {
  field_row(field, fmt::format("{}, or the keys below", kind), value.number ? short_number(*value.number) : value.text);
  TomlLister inner;
  body(inner);
  std::string rows = inner.own_;
  for (std::size_t at = rows.find("| `"); at != std::string::npos; at = rows.find("\n| `", at))
    rows.insert(rows.find('`', at) + 1, fmt::format("{}.", field.key)), at += 3;
  own_ += rows;
}
void TomlLister::each(const Field& field, const std::vector<std::string>&, bool, const Entry& entry) {
  TomlLister inner(path_.empty() ? field.key : fmt::format("{}.{}", path_, field.key));
  entry(inner, {"NAME", "", field.help}, "NAME", -1);
  adopt(inner, field);
}

void TomlLister::table_list(const Field& field, const TableList& list) {
  TomlLister inner(fmt::format("[{}]", path_.empty() ? field.key : fmt::format("{}.{}", path_, field.key)));
  list.usual(inner);
  adopt(inner, field);
}

}  // namespace eos::io
