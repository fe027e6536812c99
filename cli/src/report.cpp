#include "report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <ostream>
#include <sstream>

namespace eos::cli {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<const char*, 11> k_prefixes = {"a", "f", "p", "n", "µ", "m", "", "k", "M", "G", "T"};

/// The unit of a table's energies is chosen so that an energy this many times below the largest is still above one
/// unit.
constexpr double k_energy_headroom = 30;

/// Index into k_prefixes so that value / 10^(3 (index - 6)) lies in [1, 1000).
int prefix_index(double value) {
  if (value == 0 || !std::isfinite(value)) return 6;
  return std::clamp(static_cast<int>(std::floor(std::log10(std::abs(value)) / 3)) + 6, 0, 10);
}
double prefix_scale(int index) { return std::pow(10.0, 3 * (index - 6)); }

double as_number(const Cell& cell) {
  if (const auto* real = std::get_if<double>(&cell)) return *real;
  if (const auto* whole = std::get_if<std::int64_t>(&cell)) return static_cast<double>(*whole);
  return std::nan("");
}
bool is_number(const Cell& cell) {
  return std::holds_alternative<double>(cell) || std::holds_alternative<std::int64_t>(cell);
}

std::string significant(double value, int digits) {
  if (std::isnan(value)) return "–";
  if (std::isinf(value)) return value > 0 ? "∞" : "−∞";
  const double size = std::abs(value);
  if (size != 0 && (size < 1e-3 || size >= 1e6)) return fmt::format("{:.{}e}", value, digits - 1);
  const int before = size < 1 ? 1 : static_cast<int>(std::floor(std::log10(size))) + 1;
  return fmt::format("{:.{}f}", value, std::max(0, digits - before));
}

std::string grouped(std::int64_t value) {
  std::string text = fmt::format("{}", value);
  const std::ptrdiff_t first = value < 0 ? 1 : 0;
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > first; at -= 3)
    text.insert(static_cast<std::size_t>(at), " ");
  return text;
}

Json json_of(const Cell& cell) {
  return std::visit(
      [](const auto& value) -> Json {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::monostate>)
          return nullptr;
        else if constexpr (std::is_same_v<T, double>)
          return std::isfinite(value) ? Json(value) : Json(nullptr);
        else
          return value;
      },
      cell);
}

std::string csv_of(const Cell& cell) {
  if (const auto* text = std::get_if<std::string>(&cell)) {
    if (text->find_first_of(",\"\n") == std::string::npos) return *text;
    std::string escaped;
    for (const char c : *text) escaped += c == '"' ? std::string("\"\"") : std::string(1, c);
    return "\"" + escaped + "\"";
  }
  const Json value = json_of(cell);
  return value.is_null() ? "" : value.dump();
}

std::string bold(const std::string& text, bool colour) { return colour ? "\033[1m" + text + "\033[0m" : text; }

/// Cells of one column as text, and its heading with the unit.
struct ShownColumn {
  std::string heading;
  std::vector<std::string> cells;
  bool right = true;
  std::size_t width = 0;
};

/// One prefix for all energies of a table, so that columns can be added up by eye.
int energy_prefix(const Table& table) {
  double largest = 0;
  for (std::size_t i = 0; i < table.columns.size(); ++i)
    for (const auto& row : table.rows)
      if (table.columns[i].style == Style::energy && is_number(row[i]) && std::isfinite(as_number(row[i])))
        largest = std::max(largest, std::abs(as_number(row[i])));
  return prefix_index(largest / k_energy_headroom);
}

/// "energy in mJ" when the table has energies.
std::string title_with_unit(const Table& table, int prefix) {
  const bool energies = std::any_of(table.columns.begin(), table.columns.end(),
                                    [](const Column& c) { return c.style == Style::energy && !c.title.empty(); });
  if (!energies) return table.title;
  return fmt::format("{}energy in {}J", table.title.empty() ? "" : table.title + "; ",
                     k_prefixes[static_cast<std::size_t>(prefix)]);
}

std::string energy_cell(const Cell& cell, int prefix) {
  if (!is_number(cell)) return format_cell(cell, Style::energy);
  const double value = as_number(cell) / prefix_scale(prefix);
  return std::isnan(value) ? "–" : value == 0 ? "0" : significant(value, 3);
}

ShownColumn show(const Table& table, std::size_t index, int prefix) {
  const Column& column = table.columns[index];
  ShownColumn shown{column.title, {}, column.style != Style::text, 0};
  for (const auto& row : table.rows)
    shown.cells.push_back(column.style == Style::energy ? energy_cell(row[index], prefix)
                                                        : format_cell(row[index], column.style));
  shown.width = display_width(shown.heading);
  for (const std::string& cell : shown.cells) shown.width = std::max(shown.width, display_width(cell));
  return shown;
}

std::string padded(const std::string& text, std::size_t width, bool right) {
  const std::string space(width - std::min(width, display_width(text)), ' ');
  return right ? space + text : text + space;
}

std::string without_trailing_space(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

void print_table(std::ostream& out, const Table& table, bool colour) {
  const int prefix = energy_prefix(table);
  if (const std::string title = title_with_unit(table, prefix); !title.empty()) out << bold(title, colour) << "\n";
  std::vector<ShownColumn> columns;
  for (std::size_t i = 0; i < table.columns.size(); ++i)
    if (!table.columns[i].title.empty()) columns.push_back(show(table, i, prefix));
  std::string heading, rule;
  for (const ShownColumn& column : columns) {
    heading += "  " + padded(column.heading, column.width, column.right);
    rule += "  ";
    for (std::size_t i = 0; i < column.width; ++i) rule += "─";
  }
  out << without_trailing_space(heading) << rule << "\n";
  const std::size_t last = table.rows.size() - 1;
  const std::size_t stride =
      table.text_rows == 0 ? 1 : std::max<std::size_t>(1, (last + table.text_rows) / table.text_rows);
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    if ((last - row) % stride != 0) continue;
    std::string line;
    for (const ShownColumn& column : columns) line += "  " + padded(column.cells[row], column.width, column.right);
    out << without_trailing_space(line);
  }
}

}  // namespace

std::size_t display_width(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string si(double value, const std::string& unit, int digits) {
  if (!std::isfinite(value)) return "–";
  const int prefix = prefix_index(value);
  const std::string name = k_prefixes[static_cast<std::size_t>(prefix)] + unit;
  return significant(value / prefix_scale(prefix), digits) + (name.empty() ? "" : " " + name);
}

std::string clock_time(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "?";
  const auto total = static_cast<std::int64_t>(seconds + 0.5);
  if (total >= 3600) return fmt::format("{}:{:02}:{:02}", total / 3600, total / 60 % 60, total % 60);
  return fmt::format("{}:{:02}", total / 60, total % 60);
}

std::string format_cell(const Cell& cell, Style style) {
  if (std::holds_alternative<std::monostate>(cell)) return "–";
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  if (const auto* truth = std::get_if<bool>(&cell)) return *truth ? "yes" : "no";
  const double value = as_number(cell);
  if (std::isnan(value)) return "–";
  switch (style) {
    case Style::percent:
      return fmt::format("{:.1f} %", 100 * value);
    case Style::points:
      return fmt::format("{:.2f} %", 100 * value);
    case Style::factor:
      return fmt::format("{:.2f} ×", value);
    case Style::energy:
      return si(value, "J");
    case Style::count:
      return std::abs(value) < 1e5 ? fmt::format("{:.0f}", value) : si(value, "");
    case Style::exact:
      return grouped(static_cast<std::int64_t>(value));
    case Style::bytes:
      return si(value, "B");
    case Style::flop:
      return si(value, "FLOP");
    case Style::seconds:
      return value < 1 ? si(value, "s") : fmt::format("{:.1f} s", value);
    case Style::precise:
      return fmt::format("{:.6g}", value);
    case Style::number:
    case Style::shown:
    case Style::text:
      break;
  }
  if (const auto* whole = std::get_if<std::int64_t>(&cell)) return fmt::format("{}", *whole);
  return significant(value, 4);
}

std::string wrapped(const std::string& text, std::size_t indent, std::size_t width) {
  const std::string margin(indent, ' ');
  std::istringstream lines(text);
  std::string result;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.front() == ' ') {  // empty or laid out already
      result += line.empty() ? "\n" : margin + line + "\n";
      continue;
    }
    const std::string hanging = margin + (line.rfind("- ", 0) == 0 ? "  " : "");
    std::istringstream words(line);
    std::string row = margin;
    bool empty = true;
    for (std::string word; words >> word;) {
      if (!empty && display_width(row) + 1 + display_width(word) > width) {
        result += row + "\n";
        row = hanging, empty = true;
      }
      row += (empty ? "" : " ") + word;
      empty = false;
    }
    result += row + "\n";
  }
  return result;
}

void Document::set(const std::string& key, Cell value, const std::string& title, Style style) {
  items_.push_back(Value{key, title, std::move(value), style});
}

Table& Document::table(const std::string& name, const std::string& title, std::vector<Column> columns) {
  items_.push_back(Table{name, title, std::move(columns), {}, 0});
  return std::get<Table>(items_.back());
}

void Document::note(const std::string& text) { items_.push_back(text); }

void Document::print(std::ostream& out, Format format, bool colour) const {
  switch (format) {
    case Format::text:
      return print_text(out, colour);
    case Format::json:
      return print_json(out);
    case Format::csv:
      return print_csv(out);
  }
}

void Document::print_text(std::ostream& out, bool colour) const {
  std::size_t width = 0;
  for (const Item& item : items_)
    if (const auto* value = std::get_if<Value>(&item)) width = std::max(width, display_width(value->title));
  bool first = true, previous_was_value = false;
  for (const Item& item : items_) {
    const auto* value = std::get_if<Value>(&item);
    const auto* table = std::get_if<Table>(&item);
    if ((value != nullptr && value->title.empty()) || (table != nullptr && table->rows.empty())) continue;
    if (!first && !(previous_was_value && value != nullptr)) out << "\n";
    first = false;
    previous_was_value = value != nullptr;
    if (value != nullptr)
      out << without_trailing_space(padded(value->title, width, false) + "  " + format_cell(value->cell, value->style));
    else if (table != nullptr)
      print_table(out, *table, colour);
    else
      out << wrapped(std::get<std::string>(item), 0);
  }
}

void Document::print_json(std::ostream& out) const {
  Json root;
  root["schema"] = schema_;
  for (const Item& item : items_) {
    if (const auto* value = std::get_if<Value>(&item)) root[value->key] = json_of(value->cell);
    if (const auto* note = std::get_if<std::string>(&item)) root["notes"].push_back(*note);
    if (const auto* table = std::get_if<Table>(&item)) {
      Json& rows = root[table->name] = Json::array();
      for (const auto& row : table->rows) {
        Json entry;
        for (std::size_t i = 0; i < row.size(); ++i)
          if (!table->columns[i].key.empty()) entry[table->columns[i].key] = json_of(row[i]);
        rows.push_back(std::move(entry));
      }
    }
  }
  out << root.dump(2) << "\n";
}

void Document::print_csv(std::ostream& out) const {
  for (const Item& item : items_) {
    const auto* table = std::get_if<Table>(&item);
    if (table == nullptr) continue;
    const auto print_row = [&](const auto& cells, const auto& text_of) {
      const char* separator = "";
      for (std::size_t i = 0; i < cells.size(); ++i) {
        if (table->columns[i].key.empty()) continue;
        out << separator << text_of(cells[i]);
        separator = ",";
      }
      out << "\n";
    };
    print_row(table->columns, [](const Column& column) { return column.key; });
    for (const auto& row : table->rows) print_row(row, csv_of);
    return;
  }
  out << "name,value\n";
  for (const Item& item : items_)
    if (const auto* value = std::get_if<Value>(&item)) out << value->key << "," << csv_of(value->cell) << "\n";
}

void print_error(std::ostream& err, const core::Error& error, bool colour) {
  const auto paint = [colour](const char* code, const std::string& text) {
    return colour ? fmt::format("\033[{}m{}\033[0m", code, text) : text;
  };
  for (const core::Diagnostic& d : error.diagnostics()) {
    err << paint("1;31", d.code.empty() ? "error" : fmt::format("error[{}]", d.code)) << ": " << d.message << "\n";
    const std::string margin = d.line > 0 ? std::string(fmt::format("{}", d.line).size() + 1, ' ') : "  ";
    if (!d.file.empty()) {
      std::string place = d.file;
      if (d.line > 0) place += fmt::format(":{}", d.line);
      if (d.line > 0 && d.column > 0) place += fmt::format(":{}", d.column);
      if (d.line > 0 || !d.source_line.empty() || d.file != "command line")
        err << margin << paint("1;34", "--> ") << place << "\n";
    }
    if (!d.source_line.empty()) {
      const std::string number = d.line > 0 ? fmt::format("{}", d.line) : "";
      err << padded(number, margin.size() - 1, true) << " | " << d.source_line << "\n";
      if (d.column > 0)
        err << margin << "| " << std::string(static_cast<std::size_t>(d.column) - 1, ' ') << paint("1;31", "^") << "\n";
    }
    if (!d.help.empty()) err << margin << paint("1;32", "help: ") << d.help << "\n";
    if (!d.code.empty()) err << margin << "see: eos explain " << d.code << "\n";
  }
}

void print_error_json(std::ostream& err, const core::Error& error, int exit_code) {
  Json root = {{"schema", "eos.error/1"}, {"exit_code", exit_code}, {"errors", Json::array()}};
  for (const core::Diagnostic& d : error.diagnostics())
    root["errors"].push_back({{"code", d.code},
                              {"message", d.message},
                              {"file", d.file},
                              {"line", d.line},
                              {"column", d.column},
                              {"help", d.help}});
  err << root.dump() << "\n";
}

}  // namespace eos::cli
