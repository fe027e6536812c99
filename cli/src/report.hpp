// Results as text a person reads in two seconds, as one JSON document, or as CSV: the same rows three ways.
//
// A verb fills a Document with values, tables and notes and never formats numbers itself. JSON and CSV hold plain SI
// numbers (joules, counts, fractions); text scales them and names the unit once per column.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "eos/core/error.hpp"

namespace eos::cli {

enum class Format { text, json, csv };

/// Empty, text, real number, whole number, truth value.
using Cell = std::variant<std::monostate, std::string, double, std::int64_t, bool>;

enum class Style {
  text,
  number,   ///< four significant digits
  precise,  ///< six significant digits
  count,    ///< 12.3 M
  energy,   ///< joules with one SI prefix for the whole table, named in its title
  percent,  ///< a fraction shown in per cent
  points,   ///< as percent with two decimals, for accuracies
  shown,    ///< text made by the verb, to the right
  factor,   ///< 2.31 ×
  seconds,
  exact,  ///< 12 345 678
  bytes,  ///< 12.3 MB
  flop    ///< 12.3 GFLOP
};

struct Column {
  std::string key;    ///< name in JSON and CSV; empty: text only
  std::string title;  ///< heading in text; empty: JSON and CSV only
  Style style = Style::text;
};

struct Table {
  std::string name;   ///< key in JSON
  std::string title;  ///< heading in text, may be empty
  std::vector<Column> columns;
  std::vector<std::vector<Cell>> rows;
  std::size_t text_rows = 0;  ///< in text, thin out to about so many rows, the last one included; 0: all
  void add(std::vector<Cell> row) { rows.push_back(std::move(row)); }
};

class Document {
 public:
  explicit Document(std::string schema) : schema_(std::move(schema)) {}
  /// A single value; shown as "title  value". An empty title hides it in text.
  void set(const std::string& key, Cell value, const std::string& title = {}, Style style = Style::text);
  /// Starts a table; fill it through the reference, which stays valid until the next call.
  Table& table(const std::string& name, const std::string& title, std::vector<Column> columns);
  /// A sentence for people; in JSON an entry of "notes".
  void note(const std::string& text);
  /// CSV holds the first table, or the single values when there is none.
  void print(std::ostream& out, Format format, bool colour) const;

 private:
  struct Value {
    std::string key, title;
    Cell cell;
    Style style;
  };
  using Item = std::variant<Value, Table, std::string>;
  void print_text(std::ostream& out, bool colour) const;
  void print_json(std::ostream& out) const;
  void print_csv(std::ostream& out) const;
  std::string schema_;
  std::vector<Item> items_;
};

/// One number as shown in text.
std::string format_cell(const Cell& cell, Style style);
/// "1.23 mJ": value with an SI prefix between atto and tera.
std::string si(double value, const std::string& unit, int digits = 3);
/// "2:05" or "1:02:05".
std::string clock_time(double seconds);
/// Columns a terminal needs for UTF-8 text.
std::size_t display_width(const std::string& text);
/// Text broken into lines of at most `width` columns, each after `indent` spaces. '\n' starts a new line, a line that
/// starts with a space is laid out already and stays whole, "- " starts an item whose further lines hang.
std::string wrapped(const std::string& text, std::size_t indent, std::size_t width = 100);

/// "error[E102]: ... / --> file:line:column / line with caret / help: / see: eos explain E102", one block per problem.
void print_error(std::ostream& err, const core::Error& error, bool colour);
/// The same as one JSON document (schema eos.error/1), for --format json.
void print_error_json(std::ostream& err, const core::Error& error, int exit_code);

}  // namespace eos::cli
