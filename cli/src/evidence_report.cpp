// Markdown, CSV and HTML of a comparison.
#include "evidence_report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <cstdint>
#include <filesystem>

#include "eos/core/error.hpp"
#include "eos/io/atomic_file.hpp"
#include "evidence_file.hpp"

namespace eos::cli {

namespace fs = std::filesystem;

namespace {

std::string escaped(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    if (c == '&')
      safe += "&amp;";
    else if (c == '<')
      safe += "&lt;";
    else if (c == '>')
      safe += "&gt;";
    else if (c == '"')
      safe += "&quot;";
    else
      safe += c;
  }
  return safe;
}

std::string base64(const std::string& bytes) {
  constexpr const char* k_letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t three = 0;
    for (std::size_t k = 0; k < 3; ++k)
      three = three << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k)
      text += i + k <= bytes.size() ? k_letters[three >> (18 - 6 * k) & 63u] : '=';
  }
  return text;
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  quoted += '"';
  return quoted;
}

std::string cell_of(const core::Variable& v, std::size_t i) {
  return std::visit(
      [i](const auto& values) -> std::string {
        if constexpr (std::is_same_v<typename std::decay_t<decltype(values)>::value_type, std::string>)
          return values.at(i);
        else
          return fmt::format("{}", values.at(i));
      },
      v.values);
}

/// Every number of the file over (task, method, price_list), one row each: for other programs.
std::string results_csv(const EvidenceReader& e) {
  const std::vector<std::string> dims{"task", "method", "price_list"};
  std::vector<const core::Variable*> columns;
  for (const core::Variable& v : e.file.variables)
    if (v.dims == dims) columns.push_back(&v);
  std::string text = "task,method,price_list";
  for (const core::Variable* v : columns) text += "," + v->name;
  text += "\n";
  for (std::size_t task = 0; task < e.tasks.size(); ++task)
    for (std::size_t m = 0; m < e.methods.size(); ++m)
      for (std::size_t list = 0; list < e.lists.size(); ++list) {
        if (std::isnan(e.number("configuration", e.at(task, m, list)))) continue;
        text += fmt::format("{},{},{}", e.tasks[task], e.methods[m], e.lists[list]);
        for (const core::Variable* v : columns) {
          text += ',';
          text += csv_field(cell_of(*v, e.at(task, m, list)));
        }
        text += '\n';
      }
  return text;
}

constexpr const char* k_style =
    "body{font:15px/1.5 system-ui,sans-serif;max-width:75em;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;margin:.5em 0 1.5em;font-size:13px;display:block;overflow-x:auto}"
    "th,td{border:1px solid #ccc;padding:.2em .5em;text-align:left;white-space:nowrap}th{background:#f3f3f3}"
    "img{max-width:100%}pre{background:#f7f7f7;padding:1em;overflow-x:auto;font-size:12px}p.words{color:#555}";

std::string page(const EvidenceReader& e, const std::vector<std::pair<std::string, ReportFigure>>& pictures) {
  const core::Dataset& file = e.file;
  std::string html = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>" +
                     escaped(file.text("title", "evidence")) + "</title><style>" + k_style + "</style></head><body>\n";
  html += fmt::format("<h1>{}</h1>\n<p>Made by {} with <code>{}</code>. Status: {}. Content: <code>{}</code>.</p>\n",
                      escaped(file.text("title", "evidence")), escaped(file.text("source")), escaped(file.text("history")),
                      escaped(file.text("status")), escaped(file.text("content_sha256")));
  html +=
      "<p>Every number below is read from <code>evidence.h5</code>. Energies are counts of multiply-adds, writes, path lengths "
      "and memory words times the prices of a list; they are modelled, not measured. Qualities are means over seeds of test data at "
      "the end of runs, energies are compared at equal quality by interpolating the logarithm of the energy over horizons. "
      "Validation data made every choice. Five seeds or so carry little: judge by the intervals.</p>\n";
  for (const ReportTable& table : report_tables(e)) html += to_html(table);
  for (std::size_t task = 0; task < e.tasks.size(); ++task) {
    html += fmt::format("<h2>{}</h2>\n", escaped(e.word("task_title", task)));
    if (const std::string& status = e.word("task_status", task); status != "complete")
      html += fmt::format("<p><strong>{}</strong></p>\n", escaped(status == "open" ? "Not all runs are there." : "Skipped: " + status));
    for (const auto& [png, picture] : pictures)
      if (picture.task == task)
        html += fmt::format("<figure><img alt=\"{0}\" src=\"data:image/png;base64,{1}\"><figcaption>{0}</figcaption></figure>\n",
                            escaped(picture.words), base64(png));
    for (const ReportTable& table : task_tables(e, task)) html += to_html(table);
  }
  if (const auto provenance = file.groups.find("provenance"); provenance != file.groups.end()) {
    html += "<h2>Protocol</h2>\n<pre>" + escaped(provenance->second.text("effective_toml")) + "</pre>\n<h2>Provenance</h2>\n<pre>";
    for (const auto& [name, value] : provenance->second.attributes)
      if (name != "effective_toml")
        html += escaped(name + " = " + std::visit([](const auto& v) { return fmt::format("{}", v); }, value)) + "\n";
    html += "</pre>\n";
  }
  for (std::size_t task = 0; task < e.tasks.size(); ++task)
    html += fmt::format("<h3>Task {}</h3>\n<pre>{}</pre>\n", escaped(e.tasks[task]), escaped(e.word("task_toml", task)));
  return html + "</body></html>\n";
}

void make_folder(const std::string& path) {
  std::error_code problem;
  fs::create_directories(path, problem);
  if (problem)
    throw core::Error("E301", fmt::format("cannot make the folder {}: {}", path, problem.message()), "choose another place");
}

}  // namespace

std::string to_markdown(const ReportTable& table) {
  std::string text = fmt::format("### {}\n\n{}\n\n|", table.title, table.words);
  std::string rule = "|";
  for (const std::string& column : table.columns) text += " " + column + " |", rule += "---|";
  text += "\n" + rule + "\n";
  for (const auto& row : table.rows) {
    text += "|";
    for (const std::string& cell : row) {
      text += ' ';
      for (const char c : cell) text += c == '|' ? std::string("\\|") : std::string(1, c);
      text += " |";
    }
    text += "\n";
  }
  return text;
}

std::string to_csv(const ReportTable& table) {
  std::string text;
  const auto line = [&](const std::vector<std::string>& row) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) text += ',';
      text += csv_field(row[i]);
    }
    text += '\n';
  };
  line(table.columns);
  for (const auto& row : table.rows) line(row);
  return text;
}

std::string to_html(const ReportTable& table) {
  std::string html = fmt::format("<h3>{}</h3>\n<p class=\"words\">{}</p>\n<table><tr>", escaped(table.title), escaped(table.words));
  for (const std::string& column : table.columns) html += "<th>" + escaped(column) + "</th>";
  html += "</tr>\n";
  for (const auto& row : table.rows) {
    html += "<tr>";
    for (const std::string& cell : row) html += "<td>" + escaped(cell) + "</td>";
    html += "</tr>\n";
  }
  return html + "</table>\n";
}

void write_report(const core::Dataset& file, const std::string& folder) {
  if (file.text("kind") != "evidence" || !file.has("gain"))
    throw core::Error("E210", "the file holds no comparison of methods", "make one with: eos evidence DIR --quick");
  const EvidenceReader e(file);
  make_folder(folder + "/tables");
  make_folder(folder + "/figures");
  std::vector<ReportTable> tables = report_tables(e);
  std::vector<std::pair<std::string, ReportFigure>> pictures;
  for (std::size_t task = 0; task < e.tasks.size(); ++task) {
    for (ReportTable& table : task_tables(e, task)) tables.push_back(std::move(table));
    for (ReportFigure& figure : task_figures(e, task)) {
      std::string png = io::to_png(figure.figure);
      io::write_file(fmt::format("{}/figures/{}.png", folder, figure.name), png);
      figure.task = task;
      pictures.emplace_back(std::move(png), std::move(figure));
    }
  }
  for (const ReportTable& table : tables) {
    io::write_file(fmt::format("{}/tables/{}.md", folder, table.name), to_markdown(table));
    io::write_file(fmt::format("{}/tables/{}.csv", folder, table.name), to_csv(table));
  }
  io::write_file(folder + "/tables/results.csv", results_csv(e));
  io::write_file(folder + "/report.html", page(e, pictures));
}

}  // namespace eos::cli
