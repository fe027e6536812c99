// eos reproduce: published numbers computed anew, with the set-up and a verdict.
#include "reproduce.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "commands.hpp"
#include "eos/core/error.hpp"

namespace eos::cli {

namespace {

struct Outcome {
  const Reproduction* row = nullptr;
  std::vector<Finding> findings;
  std::string failure;   ///< why it could not be computed
  bool no_data = false;  ///< because a data set is not on this machine
  double seconds = 0;

  bool agrees() const {
    if (!failure.empty()) return false;
    for (const Finding& f : findings)
      if (!f.agrees()) return false;
    return true;
  }
};

Outcome compute(const Reproduction& row) {
  Outcome outcome;
  outcome.row = &row;
  const auto begin = std::chrono::steady_clock::now();
  try {
    outcome.findings = row.run();
  } catch (const core::Error& error) {
    outcome.failure = error.diagnostics().front().message;
    outcome.no_data = error.diagnostics().front().code == "E202";
  }
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return outcome;
}

std::string verdict(const Finding& f) { return f.agrees() ? "agrees" : "DIFFERS"; }

std::string allowed(const Finding& f) {
  switch (f.judge) {
    case Judge::near:
      return fmt::format("± {:.2g}", f.tolerance);
    case Judge::at_most:
      return fmt::format("≤ {:.6g}", f.published + f.tolerance);
    case Judge::within:
      return fmt::format("{:.6g} … {:.6g}", f.low, f.high);
    case Judge::at_least:
      break;
  }
  return fmt::format("≥ {:.6g}", f.published - f.tolerance);
}

/// A number, or nothing where there is none.
Cell number_or_none(double value) { return std::isfinite(value) ? Cell{value} : Cell{}; }
Cell text_or_none(double value) { return std::isfinite(value) ? Cell{fmt::format("{:.12g}", value)} : Cell{}; }

std::vector<Column> finding_columns(const std::vector<Finding>& findings) {
  const bool measured =
      std::any_of(findings.begin(), findings.end(), [](const Finding& f) { return std::isfinite(f.measured); });
  return {{"quantity", "quantity", Style::text},
          {"published", "published", Style::shown},
          {"measured", measured ? "independent" : "", Style::shown},
          {"ours", "ours", Style::shown},
          {"difference", "difference", Style::number},
          {"allowed", "allowed", Style::shown},
          {"verdict", "verdict", Style::text},
          {"note", "", Style::text}};
}

void add_findings(Document& document, const Outcome& outcome) {
  const Reproduction& row = *outcome.row;
  document.note(fmt::format("{}: {}", row.name, row.claim));
  document.note(fmt::format(" set-up  {}\n source  {}", row.setup, row.source));
  Table& table = document.table(row.name, "", finding_columns(outcome.findings));
  for (const Finding& f : outcome.findings)
    table.add({f.quantity, text_or_none(f.published), text_or_none(f.measured), fmt::format("{:.12g}", f.ours),
               number_or_none(f.ours - f.published), allowed(f), verdict(f), f.note});
  if (!outcome.failure.empty()) document.note(fmt::format("could not be computed: {}", outcome.failure));
  if (outcome.no_data) document.note(" see: eos data --help");
  for (const Finding& f : outcome.findings)
    if (!f.note.empty()) document.note(fmt::format("- {}: {}", f.quantity, f.note));
  document.note(fmt::format(" {} in {:.2f} s", outcome.agrees() ? "agrees" : "DIFFERS", outcome.seconds));
}

/// All numbers of all rows in one table, for programs.
void add_flat(Document& document, const std::vector<Outcome>& outcomes) {
  Table& table = document.table("findings", "",
                                {{"name", "row", Style::text},
                                 {"quantity", "quantity", Style::text},
                                 {"published", "published", Style::number},
                                 {"measured", "independent", Style::number},
                                 {"ours", "ours", Style::number},
                                 {"allowed", "allowed", Style::text},
                                 {"verdict", "verdict", Style::text},
                                 {"note", "", Style::text},
                                 {"setup", "", Style::text},
                                 {"source", "", Style::text},
                                 {"seconds", "", Style::seconds}});
  for (const Outcome& o : outcomes) {
    for (const Finding& f : o.findings)
      table.add({o.row->name, f.quantity, number_or_none(f.published), number_or_none(f.measured), f.ours, allowed(f),
                 verdict(f), f.note, o.row->setup, o.row->source, o.seconds});
    if (!o.failure.empty())
      table.add({o.row->name, Cell{}, Cell{}, Cell{}, Cell{}, Cell{}, std::string("not computed"), o.failure,
                 o.row->setup, o.row->source, o.seconds});
  }
}

/// Share of what is allowed that a finding uses.
double tolerance_used(const Finding& f) {
  if (f.judge == Judge::near && f.tolerance > 0) return std::fabs(f.ours - f.published) / f.tolerance;
  if (f.judge == Judge::within && f.high > f.low) return std::fabs(2 * f.ours - f.low - f.high) / (f.high - f.low);
  return 0;
}

/// The finding that decides about a row: the one that uses most of its tolerance.
const Finding* tightest(const Outcome& outcome) {
  const Finding* worst = nullptr;
  double most = -1;
  for (const Finding& f : outcome.findings) {
    const double share = f.agrees() ? tolerance_used(f) : std::numeric_limits<double>::infinity();
    if (worst == nullptr || share > most) worst = &f, most = share;
  }
  return worst;
}

void add_summary(Document& document, const std::vector<Outcome>& outcomes) {
  Table& table = document.table("rows", "",
                                {{"name", "row", Style::text},
                                 {"quantity", "closest call", Style::text},
                                 {"published", "published", Style::shown},
                                 {"ours", "ours", Style::shown},
                                 {"allowed", "allowed", Style::shown},
                                 {"verdict", "verdict", Style::text},
                                 {"seconds", "time", Style::seconds}});
  for (const Outcome& o : outcomes) {
    const Finding* f = tightest(o);
    if (f == nullptr)
      table.add({o.row->name, o.failure, Cell{}, Cell{}, Cell{}, std::string(o.no_data ? "skipped" : "not computed"),
                 o.seconds});
    else
      table.add({o.row->name, f->quantity, text_or_none(f->published), fmt::format("{:.12g}", f->ours), allowed(*f),
                 std::string(o.agrees() ? "agrees" : "DIFFERS"), o.seconds});
  }
}

Document list() {
  Document document("eos.reproductions/1");
  std::string group;
  Table* table = nullptr;
  for (const Reproduction& row : reproductions()) {
    if (row.group != group || table == nullptr) {
      group = row.group;
      table = &document.table(group, group,
                              {{"name", "row", Style::text},
                               {"claim", "claim", Style::text},
                               {"set", "set", Style::text},
                               {"setup", "", Style::text},
                               {"source", "source", Style::text}});
    }
    table->add({row.name, row.claim,
                std::string(row.full   ? "full"
                            : row.fast ? "fast"
                                       : "all"),
                row.setup, row.source});
  }
  document.note("eos reproduce NAME shows one row with its set-up; --fast, --all and --full compute many.");
  return document;
}

std::vector<const Reproduction*> chosen(const Arguments& arguments) {
  std::vector<const Reproduction*> rows;
  const std::vector<std::string> names = arguments.list("NAME");
  std::vector<std::string> known;
  for (const Reproduction& row : reproductions()) {
    known.push_back(row.name);
    const bool named = std::find(names.begin(), names.end(), row.name) != names.end();
    const bool in_set = arguments.has("full") || (arguments.has("all") && !row.full) ||
                        (arguments.has("fast") && row.fast && !row.full);
    if (named || in_set) rows.push_back(&row);
  }
  for (const std::string& name : names)
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw core::Error("E106", fmt::format("there is no row '{}'", name), core::suggest(name, known));
  return rows;
}

}  // namespace

bool Finding::agrees() const {
  switch (judge) {
    case Judge::near:
      return std::fabs(ours - published) <= tolerance;
    case Judge::at_most:
      return ours <= published + tolerance;
    case Judge::within:
      return low <= ours && ours <= high;
    case Judge::at_least:
      break;
  }
  return ours >= published - tolerance;
}

Finding relative(std::string quantity, double published, double ours, double share) {
  return {std::move(quantity), published, ours, share * std::fabs(published)};
}

Finding printed(std::string quantity, double published, double ours, double digit) {
  return {std::move(quantity), published, ours, 0.5 * digit * (1 + 1e-9)};
}

Finding within(std::string quantity, double published, double ours, double low, double high) {
  Finding f{std::move(quantity), published, ours};
  f.judge = Judge::within, f.low = low, f.high = high;
  return f;
}

Finding at_least(std::string quantity, double bound, double ours) {
  return {std::move(quantity), bound, ours, 0, Judge::at_least};
}

Finding at_most(std::string quantity, double bound, double ours) {
  return {std::move(quantity), bound, ours, 0, Judge::at_most};
}

Finding with(Finding finding, double measured, std::string note) {
  finding.measured = measured, finding.note = std::move(note);
  return finding;
}

Line fitted_line(const std::vector<double>& x, const std::vector<double>& y) {
  double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) n += 1, sx += x[i], sy += y[i], sxx += x[i] * x[i], sxy += x[i] * y[i];
  const double slope = (n * sxy - sx * sy) / (n * sxx - sx * sx);
  return {slope, (sy - slope * sx) / n};
}

const std::vector<Reproduction>& reproductions() {
  static const std::vector<Reproduction> rows = [] {
    std::vector<Reproduction> all;
    add_learning_rows(all);
    add_control_rows(all);
    add_grid_rows(all);
    add_programming_rows(all);
    add_fly_rows(all);
    add_network_rows(all);
    add_dropout_rows(all);
    add_perceptron_rows(all);
    return all;
  }();
  return rows;
}

int run_reproduce(Session& session) {
  const std::vector<const Reproduction*> rows = chosen(session.arguments);
  if (rows.empty() || session.arguments.has("list")) {
    session.print(list());
    return k_done;
  }
  std::vector<Outcome> outcomes(rows.size());
  session.progress().begin("reproduce", static_cast<double>(rows.size()), "rows");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    session.detail(rows[i]->name + ": " + rows[i]->setup);
    outcomes[i] = compute(*rows[i]);
    session.progress().update("reproduce", static_cast<double>(i + 1), rows[i]->name);
  }
  session.progress().end("reproduce");
  Document document("eos.reproduce/1");
  // Rows of a set that need data this machine has not are left out visibly; a row that was asked for by name fails.
  const bool named = !session.arguments.list("NAME").empty();
  std::size_t agreeing = 0, skipped = 0;
  double seconds = 0;
  for (const Outcome& outcome : outcomes) {
    agreeing += outcome.agrees() ? 1 : 0;
    skipped += outcome.no_data && !named ? 1 : 0;
    seconds += outcome.seconds;
    const bool whole = rows.size() <= 3 || !outcome.agrees();
    if (session.format == Format::text && whole) add_findings(document, outcome);
  }
  if (session.format != Format::text) add_flat(document, outcomes);
  if (session.format == Format::text && rows.size() > 3) add_summary(document, outcomes);
  document.set("agree", static_cast<std::int64_t>(agreeing));
  document.set("rows_computed", static_cast<std::int64_t>(rows.size()));
  document.set("rows_skipped", static_cast<std::int64_t>(skipped));
  document.note(fmt::format("{} of {} rows agree, {:.1f} s", agreeing, rows.size(), seconds));
  if (skipped > 0) document.note(fmt::format("{} skipped: their data set was not found (eos data)", skipped));
  session.print(document);
  return agreeing + skipped == rows.size() ? k_done : k_check_failed;
}

}  // namespace eos::cli
