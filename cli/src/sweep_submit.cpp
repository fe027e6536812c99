#include "sweep_submit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "eos/core/error.hpp"
#include "eos/core/parallel.hpp"
#include "eos/io/atomic_file.hpp"
#include "run_program.hpp"
#include "slurm_script.hpp"

namespace eos::cli {

namespace {

struct Work {
  io::SweepPlan plan;
  std::string folder;           ///< absolute
  std::vector<int> unfinished;  ///< chunks
};

Work work_of(const io::SweepFolder& folder) {
  Work work{folder.plan(), std::filesystem::absolute(folder.path()).lexically_normal().string(), {}};
  if (work.folder.size() > 1 && work.folder.back() == '/') work.folder.pop_back();
  for (std::size_t chunk = 0; chunk < work.plan.chunks.size(); ++chunk)
    if (!folder.finished(static_cast<std::int64_t>(chunk))) work.unfinished.push_back(static_cast<int>(chunk));
  return work;
}

/// Tasks that an array may have, from the cluster's configuration; Slurm's default where it cannot be asked.
int max_array_size() {
  int size = 1001;
  const ProgramResult said = run_program({"scontrol", "show", "config"});
  if (const std::size_t at = said.output.find("MaxArraySize"); said.code == 0 && at != std::string::npos)
    if (const std::size_t value = said.output.find_first_of("0123456789", at); value != std::string::npos)
      size = std::stoi(said.output.substr(value, 9));
  return std::max(1, size);
}

int chunks_per_task(const Session& session, int chunks) {
  const int asked = static_cast<int>(session.arguments.integer("chunks-per-task"));
  const int size = max_array_size(), least = (chunks + size - 1) / size;
  return std::max(asked, least);
}

/// Seconds and bytes that the plan foretells for the longest and the largest task.
struct Forecast {
  double seconds = 0, bytes = 0;
};
Forecast forecast(const Work& work, int per_task, int cpus) {
  Forecast most;
  double seconds = 0;
  int task = -1;
  for (const int chunk : work.unfinished) {
    const io::SweepChunk& planned = work.plan.chunks[static_cast<std::size_t>(chunk)];
    const io::SweepGroup& group = work.plan.groups[static_cast<std::size_t>(planned.group)];
    if (chunk / per_task != task) seconds = 0;
    task = chunk / per_task;
    seconds += planned.seconds / cpus;
    most.seconds = std::max(most.seconds, seconds);
    most.bytes = std::max(most.bytes, static_cast<double>(group.memory_bytes * cpus + group.data_bytes));
  }
  return most;
}

/// Three times the forecast, for slower nodes and busy file systems; a task that needs more is queued again anyway.
std::int64_t generous_minutes(const Forecast& most, int signal_before) {
  return std::max<std::int64_t>(10, static_cast<std::int64_t>(std::ceil((3 * most.seconds + signal_before) / 60)));
}
/// Half as much again, and what the program itself and its libraries take.
std::int64_t generous_megabytes(const Forecast& most) {
  return 256 + static_cast<std::int64_t>(std::ceil(1.5 * most.bytes / (1 << 20)));
}

SlurmJob slurm_job(const Session& session, const Work& work) {
  const Arguments& asked = session.arguments;
  SlurmJob job;
  job.program = this_program();
  job.folder = work.folder;
  job.title = work.plan.title.substr(0, work.plan.title.find('\n'));
  job.chunks = static_cast<int>(work.plan.chunks.size());
  job.chunks_per_task = chunks_per_task(session, job.chunks);
  job.tasks = unfinished_tasks(work.unfinished, job.chunks_per_task);
  job.array_limit = static_cast<int>(asked.integer("array-limit"));
  job.cpus = asked.has("threads") ? static_cast<int>(asked.integer("threads")) : 1;
  job.gpus = static_cast<int>(asked.integer("gpus"));
  job.device = asked.said("device").value_or(job.gpus > 0 ? "cuda" : "");
  job.signal_before = static_cast<int>(asked.integer("signal-before"));
  job.partition = asked.text("partition");
  job.account = asked.text("account");
  job.more = asked.list("sbatch");
  for (const std::string& word : job.more)
    if (word.empty() || word.front() != '-' || word.find('\n') != std::string::npos)
      throw core::Error("E103", fmt::format("--sbatch expects one option of sbatch, got '{}'", word),
                        "e.g. --sbatch=--qos=long");

  const Forecast most = forecast(work, job.chunks_per_task, job.cpus);
  job.minutes = asked.has("time") ? slurm_minutes(asked.text("time")) : generous_minutes(most, job.signal_before);
  job.memory_mb = asked.has("memory") ? slurm_megabytes(asked.text("memory")) : generous_megabytes(most);
  job.because = fmt::format("The plan foretells {} and {} for the largest task.", clock_time(most.seconds),
                            format_cell(most.bytes, Style::bytes));
  if (60 * job.minutes <= job.signal_before)
    throw core::Error(
        "E107",
        fmt::format("--signal-before {} leaves nothing of --time, which is {} minutes", job.signal_before, job.minutes),
        "ask for more time, or be told later, e.g. --signal-before 30");
  return job;
}

/// The number of the job that sbatch made.
std::string give_to_slurm(const std::string& script) {
  if (find_program("sbatch").empty())
    throw core::Error("E308", "sbatch is not on the PATH: this machine cannot submit to Slurm",
                      fmt::format("submit {} on the cluster's login node, or take --parallel or --mpi", script));
  const ProgramResult said = run_program({"sbatch", "--parsable", script});
  // --parsable prints "number" or "number;cluster"; notices may stand in front.
  const std::string text = said.output.substr(0, said.output.find_last_not_of(" \n") + 1);
  const std::string last = text.substr(text.find_last_of('\n') + 1);
  const std::string number = last.substr(0, last.find(';'));
  if (said.code != 0 || number.empty() || number.find_first_not_of("0123456789") != std::string::npos)
    throw core::Error(
        "E308", fmt::format("sbatch refuses the job (exit code {}): {}", said.code, text),
        fmt::format("change the options of 'eos sweep submit', or edit {} and give it to sbatch", script));
  return number;
}

int submit_to_slurm(Session& session, const Work& work) {
  const SlurmJob job = slurm_job(session, work);
  const std::string script = work.folder + "/submit.sh", text = slurm_script(job);
  io::write_file(script, text);
  std::filesystem::permissions(script, std::filesystem::perms::owner_exec, std::filesystem::perm_options::add);
  std::filesystem::create_directories(work.folder + "/log");
  const bool only_written = session.arguments.has("dry-run");
  Document document("eos.submit/1");
  document.set("script", script, "script");
  if (only_written)
    document.set("text", text);
  else
    document.set("job", give_to_slurm(script), "job");
  document.set("tasks", static_cast<std::int64_t>(job.tasks.size()), "tasks", Style::exact);
  document.set("chunks", static_cast<std::int64_t>(work.unfinished.size()), "unfinished chunks", Style::exact);
  document.set("minutes", job.minutes, "minutes a task", Style::exact);
  document.set("memory_mb", job.memory_mb, "MiB a task", Style::exact);
  document.note(only_written ? fmt::format("Submit it: sbatch {}", shell_quoted(script))
                             : fmt::format("Watch it: eos sweep watch {}", shell_quoted(work.folder)));
  if (only_written && session.format == Format::text) session.out << text << "\n";
  session.print(document);
  return k_done;
}

/// --parallel and --mpi: commands that a person can read, change and start.
int print_command(Session& session, const Work& work) {
  const Arguments& asked = session.arguments;
  const int threads = asked.has("threads") ? static_cast<int>(asked.integer("threads")) : 1;
  const int jobs =
      asked.has("jobs") ? static_cast<int>(asked.integer("jobs")) : std::max(1, core::available_threads() / threads);
  const std::string eos = shell_quoted(this_program()), folder = shell_quoted(work.folder);
  const std::string options = fmt::format("--threads {}", threads) +
                              (asked.has("device") ? " --device " + shell_quoted(asked.text("device")) : "");
  std::string command;
  if (asked.has("mpi"))
    command = fmt::format("mpirun -n {} {} sweep {} --mpi {}", jobs, eos, folder, options);
  else  // --termseq: after TERM eos gets a minute to save, not 0.2 s. GNU parallel gives its words to a shell, hence
        // the second quotes.
    command = fmt::format("parallel --jobs {} --termseq TERM,60000,KILL,25 {} sweep {} --chunk {{}} {} ::: $(seq 0 {})",
                          jobs, shell_quoted(eos), shell_quoted(folder), options, work.plan.chunks.size() - 1);
  Document document("eos.submit/1");
  document.set("command", command);
  document.set("chunks", static_cast<std::int64_t>(work.unfinished.size()));
  if (session.format == Format::text)
    session.out << command << "\n";
  else
    session.print(document);
  return k_done;
}

}  // namespace

std::vector<Option> submit_options() {
  const auto text = [](const char* name, const char* value, const char* help) {
    return Option{.name = name, .kind = ValueKind::text, .value = value, .help = help};
  };
  const auto count = [](const char* name, const char* help, const char* fallback, double minimum) {
    return Option{
        .name = name, .kind = ValueKind::integer, .value = "N", .help = help, .fallback = fallback, .minimum = minimum};
  };
  Option words = text("sbatch", "WORD", "submit --slurm: a further option of sbatch, e.g. --sbatch=--qos=long");
  words.repeated = true;
  Option jobs = count("jobs", "submit --parallel, --mpi: processes at a time (default: as the cores allow)", "", 1);
  return {{.name = "slurm", .help = "submit: as a Slurm job array; writes DIR/submit.sh and gives it to sbatch"},
          {.name = "parallel", .help = "submit: print the command for GNU parallel"},
          text("time", "TIME", "submit --slurm: wall time a task, as Slurm writes it (default: by the forecast)"),
          text("memory", "SIZE", "submit --slurm: memory a task, e.g. 4G (default: by the forecast)"),
          count("gpus", "submit --slurm: GPUs a task", "0", 0),
          text("partition", "NAME", "submit --slurm: partition"),
          text("account", "NAME", "submit --slurm: account"),
          count("array-limit", "submit --slurm: at most N tasks at a time; 0 means no limit", "0", 0),
          count("chunks-per-task",
                "submit --slurm: chunks that a task runs one after the other; more when the array "
                "would be too large for the cluster",
                "1", 1),
          count("signal-before", "submit --slurm: seconds before the end of its time at which a task saves", "120", 1),
          words,
          jobs};
}

void refuse_submit_options(const Arguments& arguments) {
  for (const Option& option : submit_options())
    if (arguments.given.count(option.name) > 0)
      throw core::Error("E100", fmt::format("--{} belongs to eos sweep submit", option.name),
                        "leave it out, or: eos sweep submit DIR --slurm");
}

int submit_sweep(Session& session, const io::SweepFolder& folder) {
  const Arguments& asked = session.arguments;
  if (asked.count("slurm") + asked.count("parallel") + asked.count("mpi") != 1)
    throw core::Error("E100", "eos sweep submit: name one scheduler",
                      "--slurm, --parallel (GNU parallel) or --mpi (mpirun)");
  const Work work = work_of(folder);
  if (work.unfinished.empty()) {
    session.note(fmt::format("every chunk is finished: eos merge {} -o sweep.h5", shell_quoted(work.folder)));
    return k_done;
  }
  return asked.has("slurm") ? submit_to_slurm(session, work) : print_command(session, work);
}

}  // namespace eos::cli
