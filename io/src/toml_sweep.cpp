// Sweep files, and the runs that they ask for.
#include "toml_sweep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "eos/io/atomic_file.hpp"
#include "eos/io/sweep_file.hpp"
#include "sweep_base.hpp"
#include "toml_kinds.hpp"

namespace eos::io {

using core::Diagnostic;
using core::Error;
using theory::SweepPoint;
using theory::SweepSpec;

namespace {

constexpr std::size_t k_most_tried = 200, k_most_problems = 50;

/// --set sweep.KEY=VALUE is about the sweep, any other about its run.
bool is_of_sweep(const std::string& assignment) {
  const std::size_t start = std::min(assignment.find_first_not_of(" \t"), assignment.size());
  const std::string rest = assignment.substr(start);
  return rest.starts_with("sweep.") || rest.starts_with("sweep=") || rest.starts_with("sweep ");
}

auto identity(const Diagnostic& d) { return std::tie(d.code, d.message, d.file, d.line, d.column); }

/// Reads the run at a point; an Error of its own, without the point.
theory::TrainingSpec read_run(const SweepFile& file, const SweepPoint& point) {
  return file.base->at(point, [](const Document& document) {
    require_kind(document, FileKind::training);
    return training_in(document);
  });
}

/// What is wrong with the run at a point; what is wrong with it anyway is said without the point.
std::vector<Diagnostic> problems_at(const SweepFile& file, const SweepPoint& point, const Error& error) {
  std::vector<Diagnostic> problems = error.diagnostics(), anyway;
  try {
    if (!point.set.empty()) read_run(file, {});
  } catch (const Error& alone) {
    anyway = alone.diagnostics();
  }
  for (Diagnostic& d : problems)
    if (!point.set.empty() &&
        std::none_of(anyway.begin(), anyway.end(), [&](const Diagnostic& a) { return identity(a) == identity(d); }))
      d.message += fmt::format(" (at {})", describe(point));
  return problems;
}

/// Each value of each axis is tried at the first point that has it, the first values of long axes only.
void try_values(const SweepFile& file, const std::vector<SweepPoint>& points) {
  std::set<std::string> seen;
  std::vector<Diagnostic> problems;
  std::size_t tried = 0;
  for (const SweepPoint& point : points) {
    std::size_t fresh = 0;
    for (const auto& [key, word] : point.set) fresh += seen.insert(key + '=' + word).second ? 1u : 0u;
    if (fresh == 0 && tried > 0) continue;
    try {
      read_run(file, point);
    } catch (const Error& error) {
      const auto known = [&](const Diagnostic& d) {  // by message up to the point
        return std::any_of(problems.begin(), problems.end(), [&](const Diagnostic& p) {
          return std::tie(p.code, p.file, p.line, p.column) == std::tie(d.code, d.file, d.line, d.column) &&
                 p.message.starts_with(d.message);
        });
      };
      std::vector<Diagnostic> news;
      for (const Diagnostic& d : error.diagnostics())
        if (!known(d)) news.push_back(d);
      if (!news.empty())
        for (Diagnostic& d : problems_at(file, point, Error(std::move(news)))) problems.push_back(std::move(d));
    }
    if (++tried >= k_most_tried || problems.size() >= k_most_problems) break;
  }
  if (!problems.empty()) throw Error(std::move(problems));
}

/// Where the axes and runs stand in the file, for messages about their values.
void know_places(const Document& document, const SweepSpec& spec, SweepBase& base) {
  const auto place_of = [&](const std::string& path) -> std::optional<Diagnostic> {
    const toml::node* node = document.find(path);
    if (node == nullptr) return std::nullopt;
    return document.diagnostic(node->source(), "", "");
  };
  for (std::size_t a = 0; a < spec.axes.size(); ++a) {
    const theory::SweepAxis& axis = spec.axes[a];
    const std::string at = fmt::format("sweep.axes[{}].", a);
    for (std::size_t k = 0; k < axis.keys.size(); ++k) {
      const std::string key = axis.keys.size() > 1 ? fmt::format("keys[{}]", k) : "key";
      if (auto place = place_of(at + key)) base.know_place(axis.keys[k], "", std::move(*place));
    }
    for (std::size_t v = 0; v < axis.values.size(); ++v)
      if (auto place = place_of(fmt::format("{}values[{}]", at, v)))
        for (std::size_t k = 0; k < axis.values[v].size(); ++k)
          base.know_place(axis.keys[k], axis.values[v][k], *place);
  }
  const toml::node* runs = document.find("sweep.runs");
  for (std::size_t r = 0; runs != nullptr && r < spec.runs.size(); ++r)
    for (const auto& [key, node] : flat_of(*runs->as_array()->get(r)->as_table())) {
      const Diagnostic place = document.diagnostic(node->source(), "", "");
      base.know_place(key, word_of(*node), place);
      base.know_place(key, "", place);
    }
}

[[noreturn]] void refuse_no_sweep(const Document& document) {
  require_kind(document, FileKind::sweep);
  throw Error({document.diagnostic({}, "E108", fmt::format("'{}' has no table [sweep]", document.name()),
                                   "docs/sweeps.md tells what a sweep file is; examples/sweeps has some")});
}

/// With `base`, the file has no table but [sweep].
void refuse_two_runs(Reading& reading, const toml::table& root, const std::string& base) {
  for (auto&& [key, node] : root)
    if (key.str() != "sweep")
      reading.report(key.source(), "E107",
                     fmt::format("'{}' and sweep.base = \"{}\" both state the run", std::string(key.str()), base),
                     "leave the tables of the run in one file; one value can be changed by an axis of one value");
}

std::shared_ptr<SweepBase> base_of(SweepFile& file, const std::string& path) {
  if (path.empty()) return std::make_shared<SweepBase>(file.text, file.name, Overrides{file.overrides}, true);
  file.base_name = path;
  file.base_text = read_file(path, k_longest_file);
  return std::make_shared<SweepBase>(file.base_text, path, Overrides{file.overrides}, false);
}

/// Only training runs are swept; prices alone are a run with defaults.
void require_training(const SweepBase& base, const std::string& base_name) {
  base.at({}, [&](const Document& document) {
    const FileKind kind = kind_of(document).value_or(FileKind::training);
    if (kind == FileKind::training || kind == FileKind::prices) return 0;
    throw Error({document.diagnostic(
        {}, "E108",
        fmt::format("eos sweep makes training runs; {} {}",
                    base_name.empty() ? "the other tables state" : "its base states", describe(kind)),
        "plans have their own sweeps: eos plan FILE.toml --sweep KEY=VALUES")});
  });
}

}  // namespace

SweepFile parse_sweep(const std::string& text, const std::string& name, const Overrides& overrides) {
  SweepFile file;
  file.text = text, file.name = name;
  Overrides of_sweep;
  file.said = overrides.set;
  for (const std::string& set : overrides.set) (is_of_sweep(set) ? of_sweep.set : file.overrides).push_back(set);
  const Document document(text, name, of_sweep);
  Reading reading(document);
  if (document.root().get("sweep") == nullptr) refuse_no_sweep(document);
  TableReader top(reading, &document.root(), "");
  std::string path;
  const toml::node* base_place = bind_sweep(top, file.sweep, path);
  if (!path.empty()) refuse_two_runs(reading, document.root(), path);
  std::shared_ptr<SweepBase> base;
  try {
    base = base_of(file, path);
    require_training(*base, path);
  } catch (const Error& error) {
    if (error.diagnostics().front().line > 0) throw;  // in the other file
    reading.adopt(error, base_place == nullptr ? toml::source_region{} : base_place->source());
  }
  reading.finish();
  file.sweep.complete();
  try {
    file.sweep.check();
  } catch (const Error& error) {
    reading.adopt(error);
    reading.finish();
  }
  know_places(document, file.sweep, *base);
  file.base = std::move(base);
  std::vector<SweepPoint> points;
  try {
    points = expand(file.sweep);
  } catch (const Error& error) {
    reading.adopt(error);
    reading.finish();
  }
  try_values(file, points);
  if (file.sweep.seeds.empty()) file.sweep.seeds = read_run(file, points.front()).seeds;
  file.sweep.check();  // the number of runs is known now
  return file;
}

SweepFile read_sweep(const std::string& path, const Overrides& overrides) {
  return parse_sweep(read_file(path, k_longest_file), path, overrides);
}

std::vector<std::string> overrides_of(const SweepPoint& point) {
  std::vector<std::string> set;
  for (const auto& [key, word] : point.set) set.push_back(key + "=" + word);
  return set;
}

theory::TrainingSpec training_of(const SweepFile& file, const SweepPoint& point, std::uint64_t seed) {
  try {
    theory::TrainingSpec spec = read_run(file, point);
    spec.seeds = {seed};
    return spec;
  } catch (const Error& error) {
    throw Error(problems_at(file, point, error));
  }
}

}  // namespace eos::io
