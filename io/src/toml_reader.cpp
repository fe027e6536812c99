#include "toml_reader.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <sstream>

namespace eos::io {

using core::Diagnostic;
using core::Error;

namespace {

std::string type_name(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "text";
    case toml::node_type::integer:
      return "a whole number";
    case toml::node_type::floating_point:
      return "a number";
    case toml::node_type::boolean:
      return "true or false";
    default:
      return "a date or time";
  }
}

/// The value as it was written, shortened; "" for tables and lists.
std::string shown(const toml::node& node) {
  if (node.is_table() || node.is_array()) return {};
  std::ostringstream out;
  node.visit([&](const auto& value) {
    if constexpr (!toml::is_table<decltype(value)> && !toml::is_array<decltype(value)>) out << value;
  });
  std::string text = out.str();
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return " " + text;
}

/// Numbers for messages: 0.5 and 1e-09, but 5 for 5.0.
std::string plain(double x) { return fmt::format("{:.12g}", x); }

/// The first word of a message up to a space or bracket: where theory's checks name the field.
std::string field_of(const std::string& message) {
  const std::size_t end =
      message.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.[]");
  return message.substr(0, end);
}

}  // namespace

std::string describe(const Range& range, const std::string& unit) {
  const std::string suffix = unit.empty() || unit == "1" ? "" : " " + unit;
  if (std::isinf(range.lower) && std::isinf(range.upper)) return "finite";
  if (std::isinf(range.upper) || range.upper >= 2147483647)
    return fmt::format("{} {}{}", range.open_lower ? ">" : ">=", plain(range.lower), suffix);
  return fmt::format("{}{}, {}{}{}", range.open_lower ? '(' : '[', plain(range.lower), plain(range.upper),
                     range.open_upper ? ')' : ']', suffix);
}

void Reading::adopt(const Error& error, const toml::source_region& fallback) {
  // Names that theory's checks use for fields that have another key in the file.
  static const std::map<std::string, std::string> k_keys{{"teacher", "data.teacher"},
                                                         {"data_bounds", "data_fraction"},
                                                         {"weight_bounds", "weight_fraction"},
                                                         {"rate_bounds", "learning_rate"},
                                                         {"price_time", "price.time"},
                                                         {"price_screening", "price.screening"},
                                                         {"price_sample", "price.sample"},
                                                         {"price_write", "price.write"},
                                                         {"price_path", "price.path"},
                                                         {"price_maintenance", "price.maintenance"},
                                                         {"price_consolidation", "price.consolidation"},
                                                         {"plasticity_exponents", "price.plasticity_exponents"},
                                                         {"plasticity_prices", "price.plasticity"},
                                                         {"horizon", "problem.horizon"},
                                                         {"rebatched", "problem.rebatched"}};
  for (const Diagnostic& d : error.diagnostics()) {
    const std::string field = field_of(d.message);
    const auto renamed = k_keys.find(field);
    const toml::node* node = nullptr;
    for (const std::string& path :
         {renamed == k_keys.end() ? field : renamed->second, "train." + field, "problem." + field, "modes." + field,
          "data." + field, "control_problem." + field, "perceptron." + field, "model.parameters." + field})
      if (node == nullptr && !field.empty()) node = document_.find(path);
    // A key that is absent is shown at its table.
    for (std::size_t dot = field.rfind('.'); node == nullptr && dot != std::string::npos && dot > 0;
         dot = field.rfind('.', dot - 1))
      node = document_.find(field.substr(0, dot));
    report(node != nullptr ? node->source() : fallback, d.code, d.message, d.help);
  }
}

std::string Reading::home_of(const std::string& key) const {
  if (homes_ == nullptr) return "";
  const std::map<std::string, std::string> homes = homes_();
  const auto found = homes.find(key);
  return found == homes.end() ? "" : found->second;
}

void Reading::finish() {
  if (problems_.empty()) return;
  std::stable_sort(problems_.begin(), problems_.end(), [](const Diagnostic& a, const Diagnostic& b) {
    const bool late_a = a.file == "--set", late_b = b.file == "--set";
    return std::tie(late_a, a.line, a.column) < std::tie(late_b, b.line, b.column);
  });
  throw Error(std::move(problems_));
}

TableReader::TableReader(Reading& reading, const toml::table* table, std::string path)
    : reading_(reading), table_(table), path_(std::move(path)) {}

const toml::node* TableReader::take(const std::string& key) {
  known_.push_back(key);
  return table_ == nullptr ? nullptr : table_->get(key);
}

const toml::node* TableReader::take(const Field& field) {
  const toml::node* node = take(std::string(field.key));
  if (node == nullptr && field.required)
    reading_.report(table_ == nullptr ? toml::source_region{} : table_->source(), "E105",
                    fmt::format("{} is missing: {}", full(field.key), field.help),
                    path_.empty() ? "" : fmt::format("add `{} = ...` to [{}]", field.key, path_));
  return node;
}

void TableReader::wrong_type(const toml::node& node, const std::string& name, const std::string& expected) {
  reading_.report(node.source(), "E103",
                  fmt::format("{} expects {}, got {}{}", name, expected, type_name(node), shown(node)));
}

void TableReader::table(const Field& field, const Body& body) {
  const toml::node* node = take(field);
  if (node != nullptr && !node->is_table()) {
    wrong_type(*node, full(field.key), "a table");
    return;
  }
  TableReader inner(reading_, node == nullptr ? nullptr : node->as_table(), full(field.key));
  body(inner);
  inner.finish();
}

void TableReader::table_list(const Field& field, const TableList& list) {
  const toml::node* node = take(field);
  if (node == nullptr) return;
  const toml::array* tables = node->as_array();
  if (tables == nullptr) {
    reading_.report(
        node->source(), "E103",
        fmt::format("{} expects a list of tables, got {}{}", full(field.key), type_name(*node), shown(*node)),
        fmt::format("begin each with [[{}]]", full(field.key)));
    return;
  }
  list.resize(tables->size());
  for (std::size_t i = 0; i < tables->size(); ++i) {
    const toml::node& one = (*tables)[i];
    const std::string name = fmt::format("{}[{}]", full(field.key), i);
    if (!one.is_table()) {
      wrong_type(one, name, "a table");
      continue;
    }
    TableReader inner(reading_, one.as_table(), name);
    list.item(inner, i);
    inner.finish();
  }
}

void TableReader::text(const Field& field, std::string& value) {
  const toml::node* node = take(field);
  if (node == nullptr) return;
  if (const auto* text = node->as_string())
    value = text->get();
  else
    wrong_type(*node, full(field.key), "text in quotes");
}

void TableReader::path(const Field& field, std::string& value) {
  const toml::node* node = take(field);
  if (node == nullptr) return;
  const auto* text = node->as_string();
  if (text == nullptr) return wrong_type(*node, full(field.key), "a path in quotes");
  const std::filesystem::path given(text->get()), folder(reading_.document().folder_of(node->source()));
  const bool relocate = !given.empty() && given.is_relative() && !folder.empty();
  value = relocate ? (folder / given).lexically_normal().string() : text->get();
}

bool TableReader::read_word(const toml::node& node, const std::string& name, const std::vector<std::string>& words,
                            std::size_t& value) {
  const std::string allowed = fmt::format("\"{}\"", fmt::join(words, "\", \""));
  const auto* text = node.as_string();
  if (text == nullptr) return wrong_type(node, name, "one of " + allowed), false;
  const auto found = std::find(words.begin(), words.end(), text->get());
  if (found == words.end()) {
    reading_.report(node.source(), "E106", fmt::format("{} ={} is not one of {}", name, shown(node), allowed),
                    core::suggest(text->get(), words));
    return false;
  }
  value = static_cast<std::size_t>(found - words.begin());
  return true;
}

void TableReader::word(const Field& field, std::size_t& value, const std::vector<std::string>& words) {
  if (const toml::node* node = take(field)) read_word(*node, full(field.key), words, value);
}

void TableReader::words(const Field& field, std::vector<std::size_t>& values, const std::vector<std::string>& words) {
  const toml::node* node = take(field);
  if (node == nullptr) return;
  const toml::array* list = node->as_array();
  if (list == nullptr)
    return wrong_type(*node, full(field.key), fmt::format("a list of words, e.g. [\"{}\"]", words.front()));
  std::vector<std::size_t> read;
  for (std::size_t i = 0; i < list->size(); ++i) {
    std::size_t index = 0;
    if (!read_word((*list)[i], fmt::format("{}[{}]", full(field.key), i), words, index)) return;
    read.push_back(index);
  }
  values = std::move(read);
}

void TableReader::flag(const Field& field, bool& value) {
  const toml::node* node = take(field);
  if (node == nullptr) return;
  if (const auto* flag = node->as_boolean())
    value = flag->get();
  else
    wrong_type(*node, full(field.key), "true or false");
}

bool TableReader::read_number(const toml::node& node, const std::string& name, const Field& field, const Range& range,
                              double& value) {
  double x = 0;
  if (const auto* real = node.as_floating_point())
    x = real->get();
  else if (const auto* whole = node.as_integer())
    x = static_cast<double>(whole->get());
  else
    return wrong_type(node, name, "a number"), false;
  if (!std::isfinite(x) || !range.contains(x)) {
    reading_.report(
        node.source(), "E104",
        fmt::format("{} ={} is not allowed, it must be {}", name, shown(node), describe(range, field.unit)));
    return false;
  }
  value = x;
  return true;
}

bool TableReader::read_integer(const toml::node& node, const std::string& name, const Field& field, const Range& range,
                               std::int64_t& value) {
  constexpr double k_exact = 9007199254740992.0;  // 2^53: whole numbers written as 5e4 are exact up to here
  std::int64_t x = 0;
  if (const auto* whole = node.as_integer())
    x = whole->get();
  else if (const auto* real = node.as_floating_point();
           real != nullptr && std::floor(real->get()) == real->get() && std::abs(real->get()) <= k_exact)
    x = static_cast<std::int64_t>(real->get());
  else
    return wrong_type(node, name, "a whole number"), false;
  if (!range.contains(static_cast<double>(x))) {
    reading_.report(node.source(), "E104",
                    fmt::format("{} = {} is not allowed, it must be {}", name, x, describe(range, field.unit)));
    return false;
  }
  value = x;
  return true;
}

void TableReader::number(const Field& field, double& value, const Range& range) {
  if (const toml::node* node = take(field)) read_number(*node, full(field.key), field, range, value);
}

void TableReader::integer(const Field& field, std::int64_t& value, const Range& range) {
  if (const toml::node* node = take(field)) read_integer(*node, full(field.key), field, range, value);
}

void TableReader::numbers(const Field& field, std::vector<double>& values, const Range& range) {
  const toml::node* node = take(field);
  if (node == nullptr) return;
  const toml::array* list = node->as_array();
  if (list == nullptr) return wrong_type(*node, full(field.key), "a list of numbers, e.g. [0.5, 1]");
  std::vector<double> read;
  for (std::size_t i = 0; i < list->size(); ++i) {
    double x = 0;
    if (!read_number((*list)[i], fmt::format("{}[{}]", full(field.key), i), field, range, x)) return;
    read.push_back(x);
  }
  values = std::move(read);
}

void TableReader::integers(const Field& field, std::vector<std::int64_t>& values, const Range& range) {
  const toml::node* node = take(field);
  if (node == nullptr) return;
  const toml::array* list = node->as_array();
  if (list == nullptr) return wrong_type(*node, full(field.key), "a list of whole numbers, e.g. [256, 256]");
  std::vector<std::int64_t> read;
  for (std::size_t i = 0; i < list->size(); ++i) {
    std::int64_t x = 0;
    if (!read_integer((*list)[i], fmt::format("{}[{}]", full(field.key), i), field, range, x)) return;
    read.push_back(x);
  }
  values = std::move(read);
}

void TableReader::power_list(const Field& field, std::vector<double>& values, std::int64_t count, const Range& range) {
  const toml::node* node = take(field);
  if (node == nullptr) return;
  if (node->is_array()) {
    known_.pop_back();
    numbers(field, values, range);
    if (count > 0 && static_cast<std::int64_t>(values.size()) != count)
      reading_.report(node->source(), "E107",
                      fmt::format("{} has {} values, {} is {}", full(field.key), values.size(), full("count"), count));
    return;
  }
  if (!node->is_table())
    return wrong_type(*node, full(field.key), "a list of numbers or a power law, e.g. {power = -1.5}");
  double power = 0, scale = 1;
  TableReader law(reading_, node->as_table(), full(field.key));
  law.number({"power", "1", "exponent p of scale * j^p", true}, power, k_any);
  law.number({"scale", "1", "value of the first mode"}, scale, range);
  law.finish();
  if (count < 1) {
    reading_.report(node->source(), "E105",
                    fmt::format("{} is a power law, so {} is needed", full(field.key), full("count")),
                    "add e.g. `count = 8`");
    return;
  }
  values.resize(static_cast<std::size_t>(count));
  for (std::size_t j = 0; j < values.size(); ++j) values[j] = scale * std::pow(static_cast<double>(j + 1), power);
}

bool TableReader::capture(const Field& field, theory::CaptureCurve& curve) {
  const toml::node* node = take(field);
  if (node == nullptr) return false;
  if (node->is_table()) {
    std::vector<double> fraction, captured;
    TableReader points(reading_, node->as_table(), full(field.key));
    points.numbers({"fraction", "1", "increasing fractions", true}, fraction, k_share);
    points.numbers({"captured", "1", "captured shares", true}, captured, k_unit);
    points.finish();
    if (fraction.empty() && captured.empty()) return false;
    try {
      curve = theory::CaptureCurve::tabulated(std::move(fraction), std::move(captured));
    } catch (const Error& error) {
      reading_.report(node->source(), "E107",
                      fmt::format("{}: {}", full(field.key), error.diagnostics().front().message),
                      error.diagnostics().front().help);
    }
    return true;
  }
  if (!node->is_string()) {
    wrong_type(*node, full(field.key), "\"linear\", \"gaussian\", \"laplace\" or {fraction = [...], captured = [...]}");
    return false;
  }
  known_.pop_back();
  std::size_t index = 0;
  word(field, index, {"linear", "gaussian", "laplace"});
  curve = index == 0   ? theory::CaptureCurve::linear()
          : index == 1 ? theory::CaptureCurve::gaussian()
                       : theory::CaptureCurve::laplace();
  return true;
}

bool TableReader::spectrum(const Field& field, theory::PowerSpectrum& spectrum) {
  const toml::node* node = take(field);
  if (node == nullptr) return false;
  if (!node->is_table()) {
    wrong_type(*node, full(field.key), "a power-law spectrum, e.g. {modes = 1000000, exponent = 1.5, source = 0.5}");
    return true;
  }
  for (const char* other : {"count", "lambda", "initial", "multiplicity"}) {
    if (table_->get(other) != nullptr) {
      reading_.report(node->source(), "E107", fmt::format("{} and {} are both given", full(field.key), full(other)),
                      "a spectrum gives all lists; keep one");
    }
  }
  TableReader law(reading_, node->as_table(), full(field.key));
  law.integer({"modes", "1", "number of modes", true}, spectrum.modes, Range{1, 1e8});
  law.number({"exponent", "1", "beta of lambda_j = j^-beta", true}, spectrum.exponent, k_positive);
  law.number({"source", "1", "s of lambda_j m_j(0) = scale j^-(s beta + 1)"}, spectrum.source, Range{-100, 100});
  law.number({"scale", "1", "lambda_1 m_1(0)"}, spectrum.scale, k_positive);
  law.integer({"bins", "1", "most bins"}, spectrum.bins, Range{1, 100000});
  law.finish();
  return true;
}

bool TableReader::label_noise(const Field& field, theory::CaptureCurve& signal, theory::CaptureCurve& noise) {
  const toml::node* node = take(field);
  if (node == nullptr) return false;
  if (!node->is_table()) {
    wrong_type(*node, full(field.key), "contaminated labels, e.g. {fraction = 0.1, ratio = 9}");
    return false;
  }
  for (const char* other : {"capture", "noise_capture"}) {
    if (table_->get(other) != nullptr) {
      reading_.report(node->source(), "E107", fmt::format("{} and {} are both given", full(field.key), full(other)),
                      "label_noise gives both captures; keep one");
    }
  }
  double fraction = 0, ratio = 1;
  TableReader law(reading_, node->as_table(), full(field.key));
  law.number({"fraction", "1", "share of noisier residuals", true}, fraction, k_unit);
  law.number({"ratio", "1", "their variance relative to the others", true}, ratio, k_positive);
  law.finish();
  signal = theory::CaptureCurve::contaminated_signal(fraction, ratio);
  noise = theory::CaptureCurve::contaminated_noise(fraction, ratio);
  return true;
}

void TableReader::seeds(const Field& field, std::vector<std::uint64_t>& values) {
  const toml::node* one = take("seed");
  if (one != nullptr && table_->get(field.key) != nullptr) {
    reading_.report(one->source(), "E107", fmt::format("{} and {} are both given", full("seed"), full(field.key)),
                    "keep one");
    known_.emplace_back(field.key);
    return;
  }
  std::vector<std::int64_t> read(values.begin(), values.end());
  if (one != nullptr) {
    read.resize(1);
    read_integer(*one, full("seed"), field, k_not_negative, read[0]);
    known_.emplace_back(field.key);
  } else {
    integers(field, read, k_not_negative);
  }
  values.assign(read.begin(), read.end());
}

void TableReader::finish() {
  if (table_ == nullptr) return;
  for (auto&& [key, node] : *table_) {
    const std::string name(key.str());
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
    const std::string where = path_.empty() ? "" : fmt::format(" in [{}]", path_);
    std::string help = core::suggest(name, known_);
    const std::string home = reading_.home_of(name);
    if (core::did_you_mean(name, known_).empty() && !home.empty() && home != path_)
      help = fmt::format("'{}' belongs in the table [{}]", name, home);
    reading_.report(key.source(), "E102",
                    fmt::format("unknown {} '{}'{}", path_.empty() && node.is_table() ? "table" : "key", name, where),
                    help);
  }
}

}  // namespace eos::io
