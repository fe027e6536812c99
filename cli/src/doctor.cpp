// eos doctor: what this build and this machine can do, in one look or as JSON for problem reports.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>
#include <cstring>

#include "commands.hpp"
#include "eos/core/error.hpp"
#include "eos/core/parallel.hpp"
#include "eos/core/philox.hpp"
#include "eos/io/hdf5.hpp"
#include "eos/io/toml.hpp"
#include "eos/kernels/context.hpp"
#include "eos/sim/data.hpp"
#include "eos/sim/energy_meter.hpp"
#include "run_program.hpp"
#include "work_counter.hpp"

extern char** environ;

namespace eos::cli {

namespace {

/// Rows of the report; remembers whether something that is needed is missing.
class Report {
 public:
  Report()
      : document_("eos.doctor/1"),
        table_(&document_.table("checks", "", {{"check", "what"}, {"result", "found"}, {"state", "state"}})) {}
  void fact(const std::string& what, const std::string& found) { table_->add({what, found, std::string("ok")}); }
  void check(const std::string& what, const std::string& found, bool good) {
    table_->add({what, found, std::string(good ? "ok" : "MISSING")});
    healthy_ = healthy_ && good;
  }
  void remark(const std::string& what, const std::string& found) { table_->add({what, found, std::string("note")}); }
  int finish(Session& session) {
    document_.set("healthy", healthy_);
    document_.note(healthy_ ? "Everything that eos needs is here."
                            : "Something that eos needs is missing: see the rows marked MISSING.");
    session.print(document_);
    return healthy_ ? k_done : k_machine_must_change;
  }

 private:
  Document document_;
  Table* table_;
  bool healthy_ = true;
};

void check_cpu(Report& report) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") != 0, fma = __builtin_cpu_supports("fma") != 0;
#if defined(__AVX2__) && defined(__FMA__)
  report.check("CPU features",
               fmt::format("AVX2 {}, FMA {} (this build uses both)", avx2 ? "yes" : "no", fma ? "yes" : "no"),
               avx2 && fma);
#else
  report.fact("CPU features",
              fmt::format("AVX2 {}, FMA {} (this build does without)", avx2 ? "yes" : "no", fma ? "yes" : "no"));
#endif
#else
  report.fact("CPU features", "not an x86-64 machine; no special instructions needed");
#endif
  report.fact("threads", fmt::format("{} available to this process", core::available_threads()));
}

void check_cuda(Report& report) {
  if (!kernels::cuda_in_build())
    report.remark("CUDA", "not in this build; --device auto means cpu");
  else if (!kernels::cuda_available())
    report.remark("CUDA", "in this build, but no device answers; --device auto means cpu");
  for (const std::string& line : kernels::describe_cuda()) report.fact("CUDA", line);
}

void check_meters(Report& report) {
  sim::MeterOptions options;
  if (const char* model = std::getenv("EOS_ENERGY_MODEL"); model != nullptr && *model != '\0')
    options.model = io::read_energy_model(model);
  const auto context = kernels::Context::named("auto");
  for (const sim::MeterReport& meter : sim::probe_meters(options, sim::metered_device(context))) {
    if (meter.works)
      report.fact("energy meter " + meter.source, meter.text);
    else
      report.remark("energy meter " + meter.source, meter.text);
  }
}

void check_schedulers(Report& report) {
  try {
    report.fact("MPI", mpi_version() + "; eos sweep --mpi works under mpirun");
  } catch (const core::Error& error) {
    report.remark("MPI", error.diagnostics().front().message);
  }
  for (const auto& [name, program] : {std::pair{"Slurm", "sbatch"}, std::pair{"GNU parallel", "parallel"}}) {
    const std::string path = find_program(program);
    if (path.empty())
      report.remark(name, fmt::format("{} is not on the PATH", program));
    else
      report.fact(name, path);
  }
}

void check_data(Report& report) {
  report.fact("data folders", fmt::format("{}", fmt::join(sim::data_search_path(), ":")));
  for (const sim::KnownData& set : sim::known_data()) {
    if (set.folder.empty())
      report.remark("data " + set.name, "not found; see 'eos data list'");
    else
      report.fact("data " + set.name, set.folder);
  }
}

void check_environment(Report& report) {
  const auto known = environment_variables();
  std::vector<std::string> names;
  for (const auto& [name, meaning] : known) names.push_back(name);
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry, name = text.substr(0, text.find('='));
    if (name.rfind("EOS_", 0) != 0) continue;
    if (std::find(names.begin(), names.end(), name) != names.end())
      report.fact("environment", text);
    else
      report.remark("environment", fmt::format("{} is not read by eos; {}", name, core::suggest(name, names)));
  }
}

}  // namespace

int run_doctor(Session& session) {
  Report report;
  report.fact("eos", EOS_VERSION);
#if defined(__clang__)
  report.fact("compiler", "clang++ " __clang_version__);
#else
  report.fact("compiler", "g++ " __VERSION__);
#endif
  report.fact("build", EOS_CXX_FLAGS);
  report.fact("HDF5", io::hdf5_version());
  check_cpu(report);
  check_cuda(report);
  check_meters(report);
  check_schedulers(report);
  check_data(report);
  check_environment(report);
  report.fact("random numbers", fmt::format("Philox4x32-10, address layout {}", core::k_philox_layout_version));
  report.fact("reproducibility",
              "R2: the same build gives the same bytes on this kind of device for any number of threads, order of "
              "runs, and after kill and resume");
  return report.finish(session);
}

}  // namespace eos::cli
