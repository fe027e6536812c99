// Tables of a comparison.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "eos/core/error.hpp"
#include "evidence_file.hpp"
#include "evidence_report.hpp"
#include "run_columns.hpp"

namespace eos::cli {

namespace {

const char* k_dash = "–";

std::string number(double x, int digits = 3) {
  if (std::isnan(x)) return k_dash;
  if (std::isinf(x)) return "∞";
  return fmt::format("{:.{}g}", x, x != 0 && std::abs(x) >= 100 ? std::max(digits, 4) : digits);
}

/// Accuracy in per cent, or a loss.
std::string quality(double q, bool accuracy) {
  if (std::isnan(q)) return k_dash;
  return accuracy ? fmt::format("{:.2f} %", 100 * q) : fmt::format("{:.4f}", -q);
}

std::string with_sign(const std::string& known, const std::string& text) {
  return known == ">=" ? "≥ " + text : known == "<=" ? "≤ " + text : text;
}

/// What each list finds the best, and how much the joint method gains over it.
ReportTable summary_table(const EvidenceReader& e) {
  ReportTable t{"summary", "Energy at equal quality, all tasks and price lists",
                "Gain: energy of the best dense training over that of the method, at the target. Brackets: 95 % interval of "
                "Student's t over seeds. The last column compares the best joint method with the best competitor, single or stacked.",
                {"task", "price list", "plasticity share", "dense", "best competitor", "its gain", "best joint", "its gain",
                 "joint / competitor"},
                {}};
  for (std::size_t task = 0; task < e.tasks.size(); ++task)
    for (std::size_t list = 0; list < e.lists.size(); ++list) {
      const std::size_t here = task * e.lists.size() + list;
      const std::string &rival = e.word("best_competitor", here), &joint = e.word("best_joint", here);
      const auto gain = [&](const char* what, const std::string& method) {
        return method.empty() ? k_dash : e.gain(what, e.at(task, e.method(method), list), true);
      };
      if (std::isnan(e.number("plasticity_share", here))) continue;
      t.rows.push_back({e.tasks[task], e.lists[list], fmt::format("{:.0f} %", 100 * e.number("plasticity_share", here)),
                        e.word("best_dense", here), rival.empty() ? k_dash : rival, gain("gain", rival),
                        joint.empty() ? k_dash : joint, gain("gain", joint), gain("gain_over_competitor", joint)});
    }
  return t;
}

ReportTable task_table(const EvidenceReader& e) {
  ReportTable t{"tasks", "Tasks", "Horizon: epochs of dense training. Rate: tuned learning rate of dense training.",
                {"task", "in words", "target", "horizon", "rate", "hold-out", "status"}, {}};
  for (std::size_t i = 0; i < e.tasks.size(); ++i) {
    const double target = e.number("task_target", i);
    t.rows.push_back({e.tasks[i], e.word("task_title", i), quality(e.accuracy(i) ? target : -target, e.accuracy(i)),
                      number(e.number("task_horizon", i)), number(e.number("task_rate", i)),
                      e.number("task_hold_out", i) > 0 ? "yes" : "", e.word("task_status", i)});
  }
  return t;
}

ReportTable list_table(const EvidenceReader& e) {
  ReportTable t{"price_lists", "Price lists",
                "Scaled: prices of plasticity are multiplied by one factor a task, so that dense training spends a given share "
                "on writes or path.",
                {"price list", "in words", "scaled"}, {}};
  for (std::size_t i = 0; i < e.lists.size(); ++i)
    t.rows.push_back({e.lists[i], e.word("price_list_title", i), e.number("price_list_scaled", i) > 0 ? "yes" : ""});
  return t;
}

/// Rows of methods, a column a list; `cell(place)`.
template <class Cell>
ReportTable by_list(const EvidenceReader& e, std::size_t task, ReportTable t, const Cell& cell) {
  t.columns = {"method", "axis"};
  for (const std::string& list : e.lists) t.columns.push_back(list);
  for (std::size_t m = 0; m < e.methods.size(); ++m) {
    const std::string& status = e.word("method_status", task * e.methods.size() + m);
    if (status != "complete") continue;
    std::vector<std::string> row{e.methods[m], e.axes[m]};
    for (std::size_t list = 0; list < e.lists.size(); ++list) row.push_back(cell(e.at(task, m, list)));
    t.rows.push_back(std::move(row));
  }
  return t;
}

ReportTable equal_energy_table(const EvidenceReader& e, std::size_t task, std::size_t share) {
  const std::size_t shares = static_cast<std::size_t>(e.file.dims.at("share"));
  const double part = e.number("share", share);
  return by_list(e, task,
                 {fmt::format("{}_quality_at_{:g}", group_name(e.tasks[task]), part),
                  fmt::format("{}: quality for {:g} of the energy of dense training at the target", e.tasks[task], part),
                  "Mean test quality, interpolated over horizons; – where no horizon is that cheap.", {}, {}},
                 [&](std::size_t i) {
                   const std::size_t j = i * shares + share;
                   return with_sign(e.word("quality_at_share_known", j),
                                    quality(e.number("quality_at_share", j), e.accuracy(task)));
                 });
}

/// Why: the parts of the gain of the best joint method and of the best competitor.
ReportTable parts_table(const EvidenceReader& e, std::size_t task) {
  ReportTable t{group_name(e.tasks[task]) + "_two_terms", e.tasks[task] + ": where the gain comes from",
                "Gains over plain dense training (the task's batch). Two-term rule: 1/((1 - s)/g_c + s/g_w) with s, the share of "
                "plasticity in dense training. Where the measured gain is smaller, accumulators and upkeep cost the rest.",
                {"price list", "method", "share s", "compute gain", "write gain", "two-term rule", "measured"},
                {}};
  for (std::size_t list = 0; list < e.lists.size(); ++list)
    for (const char* which : {"best_competitor", "best_joint"}) {
      const std::size_t here = task * e.lists.size() + list;
      const std::string& method = e.word(which, here);
      if (method.empty()) continue;
      const std::size_t i = e.at(task, e.method(method), list);
      t.rows.push_back({e.lists[list], method, number(e.number("plasticity_share", here)), number(e.number("compute_gain", i)),
                        number(e.number("write_gain", i)), number(e.number("two_term_gain", i)),
                        e.gain("gain_over_plain", i, false)});
    }
  return t;
}

ReportTable energy_table(const EvidenceReader& e, std::size_t task) {
  const std::vector<std::string> terms = e.file.strings("term");
  ReportTable t{group_name(e.tasks[task]) + "_energy", e.tasks[task] + ": energy by term at equal quality (J)",
                "Means over seeds at the target, or at the nearest quality that the method's horizons have.", {"price list", "method"}, {}};
  for (const std::string& term : terms) t.columns.push_back(term);
  for (std::size_t list = 0; list < e.lists.size(); ++list)
    for (const std::string& method : {std::string("dense"), e.word("best_competitor", task * e.lists.size() + list),
                                      e.word("best_joint", task * e.lists.size() + list)}) {
      if (method.empty()) continue;
      std::vector<std::string> row{e.lists[list], method};
      for (std::size_t k = 0; k < terms.size(); ++k)
        row.push_back(number(e.number("energy_by_term", e.at(task, e.method(method), list) * terms.size() + k)));
      t.rows.push_back(std::move(row));
    }
  return t;
}

ReportTable configuration_table(const EvidenceReader& e, std::size_t task) {
  ReportTable t{group_name(e.tasks[task]) + "_configurations", e.tasks[task] + ": what tuning chose",
                "Settings at the method's own horizon.", {"method", "number", "trial", "best for", "settings"}, {}};
  const core::Dataset* c = e.group(task, "configurations");
  if (c == nullptr) return t;
  const auto method = c->strings("configuration_method"), purpose = c->strings("configuration_chosen_for"),
             settings = c->strings("configuration_settings"), stack = c->strings("configuration_stack"),
             prices = c->strings("configuration_prices");
  const auto index = c->numbers("configuration_number"), trial = c->numbers("configuration_trial");
  for (std::size_t i = 0; i < method.size(); ++i) {
    std::string text = settings[i];
    if (!text.empty()) text.pop_back();
    std::replace(text.begin(), text.end(), '\n', ';');
    if (!stack[i].empty()) text = stack[i] + ": " + text;
    if (!prices[i].empty()) text += "; prices = " + prices[i];
    t.rows.push_back({method[i], number(index[i]), trial[i] < 0 ? k_dash : number(trial[i]), purpose[i], text});
  }
  return t;
}

ReportTable missing_table(const EvidenceReader& e, std::size_t task) {
  ReportTable t{group_name(e.tasks[task]) + "_without_runs", e.tasks[task] + ": methods without final runs", "", {"method", "why"}, {}};
  for (std::size_t m = 0; m < e.methods.size(); ++m) {
    const std::string& status = e.word("method_status", task * e.methods.size() + m);
    if (status != "complete" && status != "does not suit") t.rows.push_back({e.methods[m], status});
  }
  return t;
}

ReportTable prediction_table(const EvidenceReader& e, std::size_t task) {
  ReportTable t{group_name(e.tasks[task]) + "_prediction", e.tasks[task] + ": foretold and measured",
                "Foretold by a calibration that saw only short dense probes; nothing was fitted to the runs. Loss along the way: median "
                "over evaluations of the relative difference of validation losses.",
                {"what", "price list", "loss along the way", "final loss", "energy foretold (J)", "measured (J)", "energy"},
                {}};
  const core::Dataset* p = e.group(task, "prediction");
  if (p == nullptr) return t;
  const auto names = p->strings("prediction"), lists = p->strings("prediction_prices");
  const auto way = p->numbers("loss_error"), end = p->numbers("final_loss_error"), energy = p->numbers("energy_error"),
             foretold = p->numbers("foretold_energy"), measured = p->numbers("measured_energy");
  for (std::size_t i = 0; i < names.size(); ++i)
    t.rows.push_back({names[i], lists[i], fmt::format("{:.1f} %", 100 * way[i]), fmt::format("{:+.1f} %", 100 * end[i]),
                      number(foretold[i]), number(measured[i]), fmt::format("{:+.1f} %", 100 * energy[i])});
  return t;
}

ReportTable wall_table(const EvidenceReader& e, std::size_t task) {
  ReportTable t{group_name(e.tasks[task]) + "_wall_time", e.tasks[task] + ": wall time of dense training / wall time, at the target",
                "Training alone, without evaluation, on the machine that made the runs, which several runs shared: a rough number.",
                {}, {}};
  const auto provenance = e.file.groups.find("provenance");
  if (provenance == e.file.groups.end() || !provenance->second.has("wall_gain")) return t;
  const std::vector<double> gains = provenance->second.numbers("wall_gain");
  return by_list(e, task, t, [&](std::size_t i) { return number(gains[i]); });
}

}  // namespace

EvidenceReader::EvidenceReader(const core::Dataset& data)
    : file(data),
      tasks(data.strings("task")),
      methods(data.strings("method")),
      lists(data.strings("price_list")),
      axes(data.strings("method_axis")) {}

std::size_t EvidenceReader::at(std::size_t task, std::size_t m, std::size_t list) const {
  return (task * methods.size() + m) * lists.size() + list;
}

double EvidenceReader::number(const std::string& name, std::size_t i) const {
  const auto [entry, added] = numbers_.try_emplace(name);
  if (added) entry->second = file.numbers(name);
  return entry->second.at(i);
}

const std::string& EvidenceReader::word(const std::string& name, std::size_t i) const {
  const auto [entry, added] = words_.try_emplace(name);
  if (added) entry->second = file.strings(name);
  return entry->second.at(i);
}

std::string EvidenceReader::gain(const std::string& name, std::size_t i, bool interval) const {
  const std::string& known = word(name + "_known", i);
  if (known.empty()) return k_dash;
  std::string text = with_sign(known, cli::number(number(name, i)));
  const bool t = std::isfinite(number(name + "_t_low", i));
  if (interval)
    text += fmt::format(" [{}, {}]{}", cli::number(number(name + (t ? "_t_low" : "_low"), i)),
                        cli::number(number(name + (t ? "_t_high" : "_high"), i)), t ? "" : "*");
  return text;
}

std::string EvidenceReader::title_of(const std::string& name) const {
  const std::size_t m = method(name);
  return m < methods.size() ? word("method_title", m) : name;
}

bool EvidenceReader::accuracy(std::size_t task) const { return word("task_metric", task) == "accuracy"; }

std::size_t EvidenceReader::method(const std::string& name) const {
  return static_cast<std::size_t>(std::find(methods.begin(), methods.end(), name) - methods.begin());
}

const core::Dataset* EvidenceReader::group(std::size_t task, const std::string& name) const {
  const auto own = file.groups.find(group_name(tasks[task]));
  if (own == file.groups.end()) return nullptr;
  const auto found = own->second.groups.find(name);
  return found == own->second.groups.end() ? nullptr : &found->second;
}

std::vector<ReportTable> report_tables(const EvidenceReader& e) { return {summary_table(e), task_table(e), list_table(e)}; }

std::vector<ReportTable> task_tables(const EvidenceReader& e, std::size_t task) {
  const std::string prefix = group_name(e.tasks[task]);
  const auto gains = [&](const char* name, const std::string& title, const std::string& words) {
    return by_list(e, task, {prefix + "_" + name, e.tasks[task] + ": " + title, words, {}, {}},
                   [&, name](std::size_t i) { return e.gain(name, i, true); });
  };
  const std::string brackets =
      "Brackets: 95 % interval of Student's t over seeds; with * of the bootstrap. ≥: the method's shortest horizon is better than the "
      "target, or dense training does not reach it. –: not reached.";
  std::vector<ReportTable> tables;
  tables.push_back(gains("gain", "gain over the best dense training", brackets));
  tables.push_back(gains("gain_over_plain", "gain over dense training at the task's batch", brackets));
  tables.push_back(gains("gain_over_competitor", "gain over the best competitor",
                         "The competitor, single or stacked, is chosen on validation data for each list. " + brackets));
  tables.push_back(gains("gain_compared", "gain over the best dense training where horizons begin or end",
                         "At the target where a method has it; else at the quality of its shortest or of its best horizon. " + brackets));
  for (std::size_t share = 0; share < static_cast<std::size_t>(e.file.dims.at("share")); ++share)
    tables.push_back(equal_energy_table(e, task, share));
  tables.push_back(parts_table(e, task));
  tables.push_back(energy_table(e, task));
  tables.push_back(prediction_table(e, task));
  tables.push_back(wall_table(e, task));
  tables.push_back(configuration_table(e, task));
  tables.push_back(missing_table(e, task));
  std::erase_if(tables, [](const ReportTable& t) { return t.rows.empty(); });
  return tables;
}

void add_summary(Document& document, const core::Dataset& file) {
  const EvidenceReader e(file);
  const ReportTable summary = summary_table(e);
  if (summary.rows.empty()) return;
  Table& table = document.table("summary", summary.title,
                                {{"task", "task"},
                                 {"price_list", "price list"},
                                 {"plasticity_share", "", Style::percent},
                                 {"best_competitor", "best competitor"},
                                 {"competitor_gain", "", Style::factor},
                                 {"", "its gain", Style::shown},
                                 {"best_joint", "best joint"},
                                 {"joint_gain", "", Style::factor},
                                 {"", "its gain", Style::shown},
                                 {"joint_over_competitor", "", Style::factor},
                                 {"", "joint / competitor", Style::shown}});
  for (std::size_t task = 0; task < e.tasks.size(); ++task)
    for (std::size_t list = 0; list < e.lists.size(); ++list) {
      const std::size_t here = task * e.lists.size() + list;
      if (std::isnan(e.number("plasticity_share", here))) continue;
      const auto value = [&](const char* what, const std::string& method, bool shown) -> Cell {
        if (method.empty()) return shown ? Cell(std::string(k_dash)) : Cell{};
        const std::size_t i = e.at(task, e.method(method), list);
        return shown ? Cell(e.gain(what, i, true)) : Cell(e.number(what, i));
      };
      const std::string &rival = e.word("best_competitor", here), &joint = e.word("best_joint", here);
      table.add({e.tasks[task], e.lists[list], e.number("plasticity_share", here), rival, value("gain", rival, false),
                 value("gain", rival, true), joint, value("gain", joint, false), value("gain", joint, true),
                 value("gain_over_competitor", joint, false), value("gain_over_competitor", joint, true)});
    }
}

}  // namespace eos::cli
