// Sweep files, and the runs that they ask for.
#include "toml_sweep.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "eos/io/atomic_file.hpp"
#include "eos/io/sweep_file.hpp"
#include "toml_kinds.hpp"

namespace eos::io {

using core::Error;

/// What the tables beside [sweep], or the file `base`, say.
class SweepBase {
 public:
  std::string text, name;
};

namespace {

bool is_of_sweep(const std::string& assignment) {
  const std::size_t start = assignment.find_first_not_of(' ');
  return start != std::string::npos && assignment.compare(start, 5, "sweep") == 0 &&
         std::string(".= ").find(assignment[std::min(start + 5, assignment.size() - 1)]) != std::string::npos;
}

Document run_of(const SweepFile& file, std::vector<std::string> set) {
  set.insert(set.begin(), file.overrides.begin(), file.overrides.end());
  Document document(file.base->text, file.base->name, {std::move(set)});
  document.remove("sweep");
  return document;
}

Error at_point(const Error& error, const theory::SweepPoint& point) {
  std::vector<core::Diagnostic> problems = error.diagnostics();
  for (core::Diagnostic& d : problems) d.message += fmt::format(" (at {})", describe(point));
  return Error(std::move(problems));
}

void read_base(SweepFile& file, const std::string& path) {
  auto base = std::make_shared<SweepBase>();
  base->text = file.text, base->name = file.name;
  if (!path.empty()) {
    base->text = file.base_text = read_file(path, k_longest_file);
    base->name = file.base_name = path;
  }
  file.base = std::move(base);
  const FileKind kind = kind_of(run_of(file, {})).value_or(FileKind::training);
  file.base_kind = kind == FileKind::prices ? FileKind::training : kind;
}

}  // namespace

SweepFile parse_sweep(const std::string& text, const std::string& name, const Overrides& overrides) {
  SweepFile file;
  file.text = text, file.name = name;
  Overrides of_sweep;
  for (const std::string& set : overrides.set) (is_of_sweep(set) ? of_sweep.set : file.overrides).push_back(set);
  const Document document(text, name, of_sweep);
  require_kind(document, FileKind::sweep);
  Reading reading(document);
  TableReader top(reading, &document.root(), "");
  std::string base;
  bind_sweep(top, file.sweep, base);
  reading.finish();
  file.sweep.complete();
  try {
    file.sweep.check();
  } catch (const Error& error) {
    reading.adopt(error);
    reading.finish();
  }
  read_base(file, base);
  if (file.base_kind == FileKind::training && file.sweep.seeds.empty())
    file.sweep.seeds = training_in(run_of(file, overrides_of(expand(file.sweep).front()))).seeds;
  return file;
}

SweepFile read_sweep(const std::string& path, const Overrides& overrides) {
  return parse_sweep(read_file(path, k_longest_file), path, overrides);
}

std::vector<std::string> overrides_of(const theory::SweepPoint& point) {
  std::vector<std::string> set;
  for (const auto& [key, word] : point.set) set.push_back(key + "=" + word);
  return set;
}

theory::TrainingSpec training_of(const SweepFile& file, const theory::SweepPoint& point, std::uint64_t seed) {
  try {
    theory::TrainingSpec spec = training_in(run_of(file, overrides_of(point)));
    spec.seeds = {seed};
    return spec;
  } catch (const Error& error) {
    throw at_point(error, point);
  }
}

theory::ModeProblem problem_of(const SweepFile& file, const theory::SweepPoint& point) {
  try {
    return problem_in(run_of(file, overrides_of(point)));
  } catch (const Error& error) {
    throw at_point(error, point);
  }
}

theory::ControlProblem control_of(const SweepFile& file, const theory::SweepPoint& point) {
  try {
    return control_in(run_of(file, overrides_of(point)));
  } catch (const Error& error) {
    throw at_point(error, point);
  }
}

}  // namespace eos::io
