// The report of a comparison: tables, figures and one HTML page, from evidence.h5 alone.
//
// Nothing here trains, chooses or knows a protocol: every number is read from the file (evidence_results.hpp put it
// there), so that a report can be made again anywhere.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "eos/core/dataset.hpp"
#include "eos/io/plot.hpp"
#include "report.hpp"

namespace eos::cli {

/// Cells are texts, ready to be shown.
struct ReportTable {
  std::string name;   ///< of its file
  std::string title;
  std::string words;  ///< how to read it
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
};
std::string to_markdown(const ReportTable& table);
std::string to_csv(const ReportTable& table);
std::string to_html(const ReportTable& table);

struct ReportFigure {
  std::string name, words;
  io::Figure figure;
  std::size_t task = 0;
};

/// Results of a file, by place.
class EvidenceReader {
 public:
  explicit EvidenceReader(const core::Dataset& file);
  const core::Dataset& file;
  std::vector<std::string> tasks, methods, lists, axes;
  std::size_t at(std::size_t task, std::size_t method, std::size_t list) const;
  double number(const std::string& name, std::size_t i) const;
  const std::string& word(const std::string& name, std::size_t i) const;
  /// "12.3", "≥ 4.1", or "–" when it was not reached; with the interval of Student's t, or the bootstrap where that is
  /// not known, behind it.
  std::string gain(const std::string& name, std::size_t i, bool interval) const;
  std::string title_of(const std::string& method) const;
  bool accuracy(std::size_t task) const;
  /// Index of a method, methods.size() when there is none.
  std::size_t method(const std::string& name) const;
  /// Group TASK/NAME, or nullptr.
  const core::Dataset* group(std::size_t task, const std::string& name) const;

 private:
  mutable std::map<std::string, std::vector<double>> numbers_;
  mutable std::map<std::string, std::vector<std::string>> words_;
};

std::vector<ReportTable> report_tables(const EvidenceReader& evidence);
/// Those of one task.
std::vector<ReportTable> task_tables(const EvidenceReader& evidence, std::size_t task);
std::vector<ReportFigure> task_figures(const EvidenceReader& evidence, std::size_t task);

/// Best methods of each task and price list, for the terminal.
void add_summary(Document& document, const core::Dataset& file);
/// Writes FOLDER/tables, FOLDER/figures and FOLDER/report.html. throws Error E301; E210 when the file is no evidence.
void write_report(const core::Dataset& file, const std::string& folder);

}  // namespace eos::cli
