// [protocol], [[task]], [[method]].
#include "toml_evidence.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "eos/io/atomic_file.hpp"
#include "eos/io/evidence_file.hpp"
#include "toml_kinds.hpp"
#include "toml_schema.hpp"
#include "toml_sweep.hpp"
#include "toml_writer.hpp"

namespace eos::io {

using core::Error;
using theory::EvidenceMethod;
using theory::EvidenceSpec;
using theory::EvidenceTask;
using theory::SweepAxis;

namespace {

/// Lists of seeds are whole numbers in files.
void bind_seeds(Binder& b, const Field& field, std::vector<std::uint64_t>& seeds) {
  std::vector<std::int64_t> wide(seeds.begin(), seeds.end());
  b.integers(field, wide, k_not_negative);
  seeds.assign(wide.begin(), wide.end());
}

void bind_protocol(Binder& b, EvidenceSpec& s) {
  b.text({"title", "", "one line that names the comparison"}, s.title);
  bind_seeds(b, {"seeds", "1", "of the final runs, the same for all methods"}, s.seeds);
  b.integer({"tuning_seed", "1", "of all trials; none of `seeds`"}, s.tuning_seed, k_not_negative);
  b.integer({"search_seed", "1", "of the Sobol' points that trials are taken from"}, s.search_seed, k_not_negative);
  b.integer({"trials", "1", "of each method"}, s.trials, k_count);
  b.numbers({"horizons", "1", "of the final runs, as multiples of each method's own horizon"}, s.horizons, k_positive);
  b.number({"plasticity_share", "1", "share of dense training's energy that scaled lists charge for plasticity"},
           s.plasticity_share, Range{0, 1, true, true});
  b.integer({"resamples", "1", "of seeds, for intervals"}, s.resamples, k_count);
}

void bind_task(Binder& b, EvidenceTask& t) {
  b.text({"name", "", "of its folder and group: small letters, digits and -", true}, t.name);
  b.text({"title", "", "one line for tables"}, t.title);
  b.path({"base", "", "training file without [selection] and [plasticity]", true}, t.base);
  b.choice({"metric", "", "what runs are judged by"}, t.metric, theory::metric_names());
  b.number({"target", "1", "test accuracy or test loss at which energies are compared"}, t.target, k_positive);
  b.number({"margin", "1", "trials that miss the target by more are not chosen while others do not"}, t.margin,
           k_not_negative);
  b.number({"horizon", "epochs", "of dense training"}, t.horizon, k_positive);
  b.flag({"hold_out", "", "nothing was designed on this task"}, t.hold_out);
  b.integer({"finalists", "1", "methods of each single axis that are repeated over seeds; 0: all"}, t.finalists,
            k_count_or_none);
  bind_seeds(b, {"seeds", "1", "instead of those of the protocol"}, t.seeds);
  b.numbers({"horizons", "1", "instead of those of the protocol"}, t.horizons, k_positive);
  b.integer({"trials", "1", "instead of those of the protocol; 0: those"}, t.trials, k_count_or_none);
  b.number({"probe", "1", "loss and energy are foretold by a calibration whose longest probe is this share of the horizon; "
            "0: they are not"}, t.probe, k_unit);
}

void bind_method(Binder& b, EvidenceMethod& m) {
  b.text({"name", "", "of its folder: small letters, digits and -", true}, m.name);
  b.text({"title", "", "one line for tables"}, m.title);
  b.choice({"axis", "", "which half of the policy it changes"}, m.axis, theory::axis_names());
  b.text({"stack", "", "axis stacked: lists (plasticity or digital) for which the best data and write methods are joined"},
         m.stack);
  b.text({"follows", "", "axis control: method whose fractions are repeated at random"}, m.follows);
  b.choice({"record", "", "which of its fractions"}, m.record, theory::record_names());
}

// Lists of texts, in the order of a file.
constexpr const char* k_lists_of_protocol[][2] = {{"prices", "price lists for which energies are compared"},
                                                  {"plasticity", "those of them that are scaled to plasticity_share"}};
constexpr const char* k_lists_of_task[][2] = {{"methods", "instead of all that suit the network"},
                                              {"trained_prices", "price lists for methods that read them"}};
constexpr const char* k_lists_of_method[][2] = {
    {"architectures", "networks that it is tried on; absent: all"},
    {"prices", "the method reads the price list while it trains: each of these is a configuration of its own"}};

void read_texts(TableReader& table, const std::string& name, const char* key, std::vector<std::string>& values) {
  const toml::node* node = table.take(key);
  if (node == nullptr) return;
  const toml::array* list = node->as_array();
  bool good = list != nullptr;
  for (std::size_t i = 0; good && i < list->size(); ++i) good = (*list)[i].is_string();
  if (!good)
    return table.reading().report(node->source(), "E103", fmt::format("{}.{} expects a list of texts", name, key));
  values.clear();
  for (const toml::node& one : *list) values.push_back(one.as_string()->get());
}

const toml::table* read_free_table(TableReader& table, const std::string& name, const char* key) {
  const toml::node* node = table.take(key);
  if (node == nullptr) return nullptr;
  if (!node->is_table())
    table.reading().report(node->source(), "E103", fmt::format("{}.{} expects a table of keys of a run", name, key),
                           "e.g. set = { \"selection.method\" = \"dbpd\" }");
  return node->as_table();
}

void read_set(TableReader& table, const std::string& name, theory::Settings& set) {
  if (const toml::table* free = read_free_table(table, name, "set"))
    for (const auto& [key, node] : flat_of(*free)) set.emplace_back(key, word_of(*node));
}

/// A list of values, or a range.
void read_search_axis(Reading& reading, const std::string& name, const toml::node& node, SweepAxis& axis) {
  if (const toml::array* list = node.as_array(); list != nullptr && !list->empty()) {
    for (const toml::node& value : *list) axis.values.push_back({word_of(value)});
    return;
  }
  if (!node.is_table())
    return reading.report(node.source(), "E103", name + " expects values or a range",
                          "e.g. [0.1, 0.3], or { from = 0.01, to = 1, scale = \"log\" }");
  TableReader range(reading, node.as_table(), name);
  range.number({"from", "", "", true}, axis.from, k_any);
  range.number({"to", "", "", true}, axis.to, k_any);
  std::size_t scale = 0;
  range.word({"scale", "", ""}, scale, {"linear", "log"});
  range.flag({"whole", "", ""}, axis.whole);
  axis.log = scale == 1;
  range.finish();
  if (!(axis.to > axis.from) || (axis.log && axis.from <= 0))
    reading.report(node.source(), "E104",
                   fmt::format("{}: a range rises from `from` to `to`{}", name, axis.log ? ", both above 0" : ""));
}

void read_search(TableReader& table, const std::string& name, std::vector<SweepAxis>& search) {
  const toml::table* free = read_free_table(table, name, "search");
  if (free == nullptr) return;
  for (auto&& [key, node] : *free) {
    SweepAxis& axis = search.emplace_back();
    axis.keys = {std::string(key.str())};
    read_search_axis(table.reading(), fmt::format("{}.search.\"{}\"", name, key.str()), node, axis);
  }
  // A table has its keys in alphabetical order: the same wherever they stand in the file.
}

/// The run of a task: its base with what the task sets. Problems of `set` are shown at the task, others in the file.
void read_run(Reading& reading, const toml::table& table, const std::string& name, EvidenceTask& task) {
  Overrides overrides;
  for (const auto& [key, word] : task.set) overrides.set.push_back(key + "=" + word);
  const toml::node* place = table.get(task.set.empty() ? "base" : "set");
  try {
    task.run = read_training(task.base, overrides);
  } catch (const Error& error) {
    if (error.diagnostics().front().line > 0 && error.diagnostics().front().file != "--set") throw;
    for (const core::Diagnostic& d : error.diagnostics())
      reading.report(place == nullptr ? table.source() : place->source(), d.code,
                     fmt::format("{}: {}", name, d.message), d.help);
  }
  std::filesystem::path path(task.run.data.path);
  if (!path.empty() && path.is_relative())
    task.run.data.path = std::filesystem::absolute(path).lexically_normal().string();
}

/// The first trial of each method must be a run.
void try_methods(Reading& reading, const EvidenceSpec& spec) {
  for (std::size_t i = 0; i < spec.methods.size(); ++i) {
    const EvidenceMethod& method = spec.methods[i];
    const auto task = std::find_if(spec.tasks.begin(), spec.tasks.end(),
                                   [&](const EvidenceTask& t) { return spec.suits(method, t); });
    if (task == spec.tasks.end() || !method.stack.empty() || !method.follows.empty()) continue;
    const std::string name = fmt::format("method[{}]", i);
    const toml::node* place = reading.document().find(name + ".set");
    if (place == nullptr) place = reading.document().find(name);
    try {
      const std::vector<theory::Trial> trials = theory::trials(method, spec.trials_of(*task), spec.search_seed);
      for (const theory::Trial& trial : {trials.front(), trials.back()}) {
        Overrides overrides;
        for (const auto& [key, word] : theory::settings(*task, trial, task->run.optimiser.learning_rate, 1))
          overrides.set.push_back(key + "=" + word);
        parse_training(to_toml_task(task->run), task->base, overrides);
      }
    } catch (const Error& error) {
      for (const core::Diagnostic& d : error.diagnostics())
        reading.report(place->source(), d.code,
                       fmt::format("method '{}' on task '{}': {}", method.name, task->name, d.message), d.help);
    }
  }
}

}  // namespace

EvidenceSpec parse_evidence(const std::string& text, const std::string& name) {
  const Document document(text, name, {});
  require_kind(document, FileKind::evidence);
  Reading reading(document);
  TableReader top(reading, &document.root(), "");
  EvidenceSpec spec;
  top.table({"protocol", "", ""}, [&](Binder& b) {
    auto& table = static_cast<TableReader&>(b);
    bind_protocol(table, spec);
    read_texts(table, "protocol", "prices", spec.prices);
    read_texts(table, "protocol", "plasticity", spec.plasticity);
  });
  std::vector<const toml::table*> tables;
  top.tables({"task", "", ""}, spec.tasks, [&](Binder& b, EvidenceTask& task) {
    auto& table = static_cast<TableReader&>(b);
    const std::string path = fmt::format("task[{}]", tables.size());
    bind_task(table, task);
    read_texts(table, path, "methods", task.methods);
    read_texts(table, path, "trained_prices", task.trained_prices);
    read_set(table, path, task.set);
    tables.push_back(table.raw());
  });
  std::size_t index = 0;
  top.tables({"method", "", ""}, spec.methods, [&](Binder& b, EvidenceMethod& method) {
    auto& table = static_cast<TableReader&>(b);
    const std::string path = fmt::format("method[{}]", index++);
    bind_method(table, method);
    read_texts(table, path, "architectures", method.architectures);
    read_texts(table, path, "prices", method.prices);
    read_set(table, path, method.set);
    read_search(table, path, method.search);
  });
  top.finish();
  reading.finish();
  for (std::size_t i = 0; i < spec.tasks.size(); ++i)
    read_run(reading, *tables[i], fmt::format("task '{}'", spec.tasks[i].name), spec.tasks[i]);
  reading.finish();
  try {
    spec.check();
  } catch (const Error& error) {
    reading.adopt(error);
  }
  reading.finish();
  try_methods(reading, spec);
  reading.finish();
  return spec;
}

EvidenceSpec read_evidence(const std::string& path) { return parse_evidence(read_file(path, k_longest_file), path); }

namespace {

std::string text_list(const char* key, const std::vector<std::string>& values) {
  std::string words;
  for (const std::string& value : values) words += (words.empty() ? "" : ", ") + toml_text(value);
  return values.empty() ? "" : fmt::format("{} = [{}]\n", key, words);
}

std::string set_table(const theory::Settings& set) {
  std::string words;
  for (const auto& [key, word] : set) words += fmt::format("{}{} = {}", words.empty() ? "" : ", ", toml_text(key), word);
  return set.empty() ? "" : fmt::format("set = {{ {} }}\n", words);
}

std::string search_table(const std::vector<SweepAxis>& search) {
  std::string words;
  for (const SweepAxis& axis : search) {
    std::string value;
    for (const auto& one : axis.values) value += (value.empty() ? "" : ", ") + one.front();
    value = axis.is_range() ? fmt::format("{{ from = {}, to = {}, scale = \"{}\", whole = {} }}", toml_number(axis.from),
                                          toml_number(axis.to), axis.log ? "log" : "linear", axis.whole)
                            : "[" + value + "]";
    words += fmt::format("{}{} = {}", words.empty() ? "" : ", ", toml_text(axis.keys.front()), value);
  }
  return search.empty() ? "" : fmt::format("search = {{ {} }}\n", words);
}

}  // namespace

std::string to_toml_protocol(const EvidenceSpec& spec) {
  TomlWriter writer;
  EvidenceSpec copy = spec;
  writer.table({"protocol", "", ""}, [&](Binder& b) { bind_protocol(b, copy); });
  return writer.str() + text_list("prices", spec.prices) + text_list("plasticity", spec.plasticity);
}

std::string to_toml(const EvidenceTask& task) {
  TomlWriter writer;
  EvidenceTask copy = task;
  copy.base = task.name + "/task.toml";
  bind_task(writer, copy);
  return "\n[[task]]\n" + writer.str() + text_list("methods", task.methods) +
         text_list("trained_prices", task.trained_prices);
}

std::string to_toml(const EvidenceMethod& method) {
  TomlWriter writer;
  EvidenceMethod copy = method;
  bind_method(writer, copy);
  return "\n[[method]]\n" + writer.str() + text_list("architectures", method.architectures) +
         text_list("prices", method.prices) + set_table(method.set) + search_table(method.search);
}

std::string to_toml(const EvidenceSpec& spec) {
  std::string text = "# Protocol of a comparison. Carry it out with `eos evidence DIR --protocol FILE`.\n";
  text += to_toml_protocol(spec);
  for (const EvidenceTask& task : spec.tasks) text += to_toml(task);
  for (const EvidenceMethod& method : spec.methods) text += to_toml(method);
  return text;
}

std::string to_toml_task(const theory::TrainingSpec& run) {
  TomlWriter writer;
  theory::TrainingSpec copy = run;
  bind(writer, copy);
  writer.table({"prices", "", ""}, [&](Binder& b) { bind(b, copy.prices); });
  return writer.str();
}

void list_evidence(TomlLister& lister) {
  EvidenceSpec spec;
  const auto lists = [](TomlLister& list, const auto& rows) {
    for (const auto& row : rows) list.row(row[0], "list of texts", "", row[1]);
  };
  lister.table({"protocol", "", "how methods are tuned, repeated and compared"}, [&](Binder& b) {
    auto& list = static_cast<TomlLister&>(b);
    list.note("docs/evidence.md explains protocols; data/evidence has those of `--quick` and `--full`.");
    bind_protocol(list, spec);
    lists(list, k_lists_of_protocol);
  });
  lister.tables({"task", "", "one task"}, spec.tasks, [&](Binder& b, EvidenceTask& task) {
    auto& list = static_cast<TomlLister&>(b);
    bind_task(list, task);
    lists(list, k_lists_of_task);
    list.row("set", "table", "", "keys of the base that are changed, e.g. `{ \"data.label_noise\" = 0.1 }`");
  });
  lister.tables({"method", "", "one method"}, spec.methods, [&](Binder& b, EvidenceMethod& method) {
    auto& list = static_cast<TomlLister&>(b);
    bind_method(list, method);
    lists(list, k_lists_of_method);
    list.row("set", "table", "", "keys of the run, and `batch`, a factor on that of the task");
    list.row("search", "table", "",
             "key of the run, or `rate`, `horizon`, `batch` (factors on dense training's): `[values]` or `{ from, to, "
             "scale, whole }`");
  });
}

}  // namespace eos::io
