// eos sweep: plan the runs of a sweep file, work on them, resume them, hand them to a cluster.
#include "sweep.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <filesystem>

#include "commands.hpp"
#include "energy.hpp"
#include "eos/core/error.hpp"
#include "eos/kernels/device.hpp"
#include "sweep_submit.hpp"

namespace eos::cli {

std::vector<std::string> devices_of(const Arguments& arguments) {
  std::string asked = arguments.text("device");
  if (asked == "auto") asked = kernels::cuda_devices() > 0 ? "cuda" : "cpu";
  const kernels::DeviceName name = kernels::parse_device(asked);
  if (name.backend == kernels::Backend::cpu || name.says_index) return {asked};
  const std::string how = name.says_products ? ":" + kernels::to_string(name.products) : "";
  std::vector<std::string> all = {"cuda:0" + how};
  for (int i = 1; i < kernels::cuda_devices(); ++i) all.push_back(fmt::format("cuda:{}{}", i, how));
  return all;
}

namespace {

constexpr double k_minute = 60;
constexpr std::size_t k_groups_in_text = 20;

bool is_folder(const std::string& path) {
  std::error_code none;
  return std::filesystem::is_directory(path, none);
}

/// On GPUs one thread a device feeds it; the cores are shared among the processes of a machine.
int threads_of(const Session& session, const NodeShare& share = {}) {
  if (session.arguments.has("threads")) return session.threads();
  const std::vector<std::string> devices = share_of(devices_of(session.arguments), share);
  return devices.front() != "cpu" ? static_cast<int>(devices.size()) : std::max(1, session.threads() / share.processes);
}

/// "2/7": the second of seven, counted from 0 inside.
std::pair<std::int64_t, std::int64_t> parse_shard(const std::string& text) {
  std::int64_t shard = 0, shards = 0;
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, shard);
  const bool slash = first.ec == std::errc{} && first.ptr != end && *first.ptr == '/';
  const auto second = slash ? std::from_chars(first.ptr + 1, end, shards) : first;
  if (!slash || second.ec != std::errc{} || second.ptr != end || shard < 1 || shard > shards)
    throw core::Error("E104", fmt::format("--shard expects I/N with I from 1 to N, got '{}'", text),
                      "e.g. --shard 1/4, --shard 2/4, --shard 3/4 and --shard 4/4 on four machines");
  return {shard - 1, shards};
}

NextChunk chunks_for(const Arguments& arguments, const io::SweepPlan& plan) {
  const auto chunks = static_cast<std::int64_t>(plan.chunks.size());
  if (arguments.has("chunk") && arguments.has("shard"))
    throw core::Error("E107", "--chunk and --shard both say which part of the sweep to work on", "give one of them");
  if (arguments.has("shard")) {
    const auto [shard, shards] = parse_shard(arguments.text("shard"));
    return chunks_in_order(chunks, shard, shards);
  }
  if (!arguments.has("chunk")) return chunks_in_order(chunks);
  const long long chunk = arguments.integer("chunk");
  if (chunk >= chunks)
    throw core::Error("E104", fmt::format("--chunk {}: the sweep has chunks 0 to {}", chunk, chunks - 1),
                      "eos sweep status DIR says how many there are");
  return chunks_in_order(chunk + 1, chunk);
}

/// A sweep that is there: its folder says all.
void refuse_description(const Arguments& arguments, const std::string& path) {
  if (arguments.has("out") || arguments.has("set"))
    throw core::Error("E107", fmt::format("{} is the folder of a sweep, which holds its own description", path),
                      "leave -o and --set out, or name the sweep file to start another sweep");
}

int work(Session& session, OpenSweep& sweep) {
  const Arguments& arguments = session.arguments;
  const SweepOutcome outcome = work_on(session, sweep, *sweep.data, chunks_for(arguments, sweep.plan));
  const std::string& dir = sweep.folder.path();
  Document document("eos.sweep/1");
  document.set("folder", dir, "sweep");
  document.set("runs", outcome.runs, "runs made", Style::exact);
  document.set("diverged", outcome.diverged, outcome.diverged > 0 ? "of these diverged" : "", Style::exact);
  document.set("failed", outcome.failed, outcome.failed > 0 ? "runs that failed" : "", Style::exact);
  document.set("seconds", outcome.seconds, "wall time", Style::seconds);
  if (outcome.runs > 0)
    document.set("runs_per_second", static_cast<double>(outcome.runs) / std::max(outcome.seconds, 1e-9),
                 "runs a second", Style::number);
  std::int64_t open = 0;
  for (std::size_t c = 0; c < sweep.plan.chunks.size(); ++c)
    open += sweep.folder.finished(static_cast<std::int64_t>(c)) ? 0 : 1;
  document.set("chunks_open", open, "");
  if (outcome.failed > 0)
    document.note(fmt::format("Why runs failed is in {}/failed; the next 'eos sweep {}' tries them again.", dir, dir));
  if (outcome.elsewhere > 0)
    document.note(fmt::format("{} chunks are worked on by other processes.", outcome.elsewhere));
  if (outcome.stopped)
    document.note(fmt::format("Stopped; finished runs and checkpoints are safe. To go on: eos sweep {}", dir));
  else if (open == 0)
    document.note(fmt::format("All runs are there. Next: eos merge {} -o sweep.h5", dir));
  session.print(document);
  return exit_code(outcome);
}

}  // namespace

SweepOutcome work_on(Session& session, OpenSweep& sweep, SweepData& data, const NextChunk& next, const NodeShare& share,
                     const std::string& task) {
  const StopOnSignal stop;
  SweepWorkOptions options;
  options.devices = share_of(devices_of(session.arguments), share);
  options.meter = meter_options(session.arguments);
  options.carbon = carbon_factors(session.arguments);
  options.threads = threads_of(session, share);
  options.command_line = session.arguments.command_line;
  options.task = task;
  options.checkpoint_seconds = static_cast<int>(session.arguments.integer("checkpoint-seconds"));
  const SweepOutcome outcome =
      work_on_sweep(sweep.folder, sweep.plan, *sweep.runs, data, next, session.progress(), options);
  session.progress().finish();
  return outcome;
}

int exit_code(const SweepOutcome& outcome) {
  if (outcome.stopped) return k_stopped_resumable;
  return outcome.failed > 0 ? k_check_failed : k_done;
}

OpenSweep join_sweep(const std::string& folder) {
  OpenSweep sweep{io::SweepFolder(folder), {}, nullptr, std::make_unique<SweepData>()};
  sweep.plan = sweep.folder.plan();
  sweep.runs = std::make_unique<SweepRuns>(
      io::parse_sweep(sweep.folder.sweep_text(), sweep.plan.origin, {sweep.plan.overrides}));
  return sweep;
}

OpenSweep open_sweep(Session& session, const std::string& target) {
  const Arguments& arguments = session.arguments;
  if (is_folder(target)) {
    refuse_description(arguments, target);
    return join_sweep(target);
  }
  OpenSweep sweep{io::SweepFolder(arguments.text("out")), {}, nullptr, std::make_unique<SweepData>()};
  sweep.runs = std::make_unique<SweepRuns>(io::read_sweep(target, {arguments.list("set")}));
  if (arguments.has("out") && sweep.folder.exists() && sweep.folder.plan().sha256 == sweep.runs->hash()) {
    sweep.plan = sweep.folder.plan();  // the same command again: no need to measure anew
    return sweep;
  }
  SweepPlanOptions options;
  options.device = devices_of(arguments).front();
  options.threads = session.threads();
  if (arguments.has("replicas")) options.replicas = static_cast<int>(arguments.integer("replicas"));
  options.chunk_seconds = arguments.number("chunk-minutes") * k_minute;
  sweep.plan = plan_sweep(*sweep.runs, *sweep.data, session.progress(), options);
  session.progress().finish();
  return sweep;
}

void create_folder(OpenSweep& sweep) { sweep.plan = sweep.folder.create(sweep.runs->file().text, sweep.plan); }

Document plan_report(const OpenSweep& sweep, int threads) {
  Document document("eos.sweep_plan/1");
  const io::SweepPlan& plan = sweep.plan;
  if (!plan.title.empty()) document.set("title", plan.title, "sweep");
  document.set("points", static_cast<std::int64_t>(sweep.runs->points().size()), "design points", Style::exact);
  document.set("seeds", static_cast<std::int64_t>(sweep.runs->seeds().size()), "seeds", Style::exact);
  document.set("runs", static_cast<std::int64_t>(plan.runs.size()), "runs", Style::exact);
  document.set("chunks", static_cast<std::int64_t>(plan.chunks.size()), "chunks", Style::exact);
  double seconds = 0, energy = 0, bytes = 0, memory = 0;
  for (const io::SweepChunk& c : plan.chunks) seconds += c.seconds;
  for (const io::SweepGroup& g : plan.groups) {
    energy += static_cast<double>(g.runs) * g.run_energy;
    bytes += static_cast<double>(g.runs * g.result_bytes);
    memory = std::max(memory, static_cast<double>(g.memory_bytes * threads + g.data_bytes));
  }
  Table& table = document.table("groups", "groups of runs of one shape",
                                {{"shape", "shape", Style::text},
                                 {"runs", "runs", Style::exact},
                                 {"replicas", "in lockstep", Style::exact},
                                 {"run_seconds", "a run", Style::seconds},
                                 {"run_energy", "energy of a run", Style::energy},
                                 {"memory_bytes", "memory", Style::bytes},
                                 {"data_bytes", "data", Style::bytes},
                                 {"alone", "", Style::text}});
  table.text_rows = k_groups_in_text;
  for (const io::SweepGroup& g : plan.groups)
    table.add({g.shape, g.runs, std::int64_t{g.replicas}, g.run_seconds, g.run_energy,
               static_cast<double>(g.memory_bytes), static_cast<double>(g.data_bytes), g.alone});
  document.set("thread_seconds", seconds, "work on one thread", Style::seconds);
  document.set("seconds", seconds / threads, fmt::format("on {} threads about", threads), Style::seconds);
  document.set("energy", energy, "modelled energy about", Style::energy);
  document.set("memory_bytes", memory, "memory at most about", Style::bytes);
  document.set("file_bytes", bytes, "results about", Style::bytes);
  return document;
}

int run_sweep(Session& session) {
  const Arguments& arguments = session.arguments;
  const std::string what = arguments.text("WHAT");
  const bool submit = what == "submit", action = what == "status" || what == "watch" || submit;
  if (action && !arguments.has("TARGET"))
    throw core::Error("E100", fmt::format("eos sweep {} needs the folder of a sweep", what),
                      fmt::format("for example: eos sweep {} DIR", what));
  if (!action && arguments.has("TARGET"))
    throw core::Error("E100",
                      fmt::format("eos sweep {} takes no further word, got '{}'", what, arguments.text("TARGET")),
                      "the folder of the results is given with -o DIR");
  if (!submit) refuse_submit_options(arguments);
  const std::string target = action ? arguments.text("TARGET") : what;
  if (what == "status") return sweep_status(session, target);
  if (what == "watch") return sweep_watch(session, target);
  const bool dry = arguments.has("dry-run") && !submit;
  if (!is_folder(target) && !arguments.has("out") && !dry)
    throw core::Error("E100", "eos sweep needs -o DIR, the folder for results, or --dry-run",
                      "for example: " + arguments.verb->examples.front().command);
  if (arguments.has("mpi") && !submit && !dry) return sweep_with_mpi(session, target);
  OpenSweep sweep = open_sweep(session, target);
  if (dry) {
    session.print(plan_report(sweep, threads_of(session)));
    return k_done;
  }
  create_folder(sweep);
  return submit ? submit_sweep(session, sweep.folder) : work(session, sweep);
}

}  // namespace eos::cli
