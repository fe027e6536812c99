// eos check: all problems of the given files at once.
#include <fmt/format.h>

#include "commands.hpp"
#include "eos/core/error.hpp"
#include "eos/io/evidence_file.hpp"
#include "eos/io/hdf5.hpp"
#include "eos/io/sweep_file.hpp"
#include "eos/io/toml.hpp"
#include "files.hpp"

namespace eos::cli {

namespace {

/// Reads the file as what it claims to be; returns what it is.
std::string examine(const std::string& path, const io::Overrides& overrides) {
  if (!is_toml(path)) {
    const core::Dataset data = io::read_hdf5(path);
    return fmt::format("EOS-1 file, {}", data.text("kind", data.text("title", "table")));
  }
  switch (io::kind_of(path)) {
    case io::FileKind::problem:
      io::read_problem(path, overrides).check();
      return "mode problem";
    case io::FileKind::control:
      io::read_control(path, overrides);
      return "control problem";
    case io::FileKind::training:
      io::read_training(path, overrides).check();
      return "training run";
    case io::FileKind::perceptron:
      io::read_perceptron(path, overrides);
      return "perceptrons";
    case io::FileKind::prices:
      io::read_prices(path);
      return "price list";
    case io::FileKind::plan:
      io::read_plan_request(path, overrides);
      return "plan request";
    case io::FileKind::fly:
      io::read_fly(path, overrides);
      return "population of flies";
    case io::FileKind::energy_model:
      io::read_energy_model(path).check();
      return "joules of a machine";
    case io::FileKind::sweep:
      io::read_sweep(path, overrides);
      return "sweep";
    case io::FileKind::evidence:
      io::read_evidence(path);
      return "comparison of methods";
  }
  return "";
}

}  // namespace

int run_check(Session& session) {
  const io::Overrides overrides{session.arguments.list("set")};
  Document document("eos.check/1");
  Table& table =
      document.table("files", "", {{"file", "file"}, {"kind", "what it is"}, {"problems", "problems", Style::count}});
  std::vector<core::Diagnostic> all;
  for (const std::string& path : session.arguments.list("FILE")) {
    try {
      table.add({path, examine(path, overrides), std::int64_t{0}});
    } catch (const core::Error& error) {
      table.add({path, std::string("–"), static_cast<std::int64_t>(error.diagnostics().size())});
      for (core::Diagnostic d : error.diagnostics()) {
        if (d.file.empty()) d.file = path;
        all.push_back(std::move(d));
      }
    }
  }
  document.set("problems", static_cast<std::int64_t>(all.size()));
  session.print(document);
  if (!all.empty()) throw core::Error(std::move(all));
  return k_done;
}

}  // namespace eos::cli
