#include "slurm_script.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <regex>

#include "eos/core/error.hpp"
#include "run_program.hpp"

namespace eos::cli {

namespace {

/// A value of an #SBATCH line. Slurm fills in what follows a % in names of files.
std::string file_pattern(const std::string& path, const std::string& pattern) {
  std::string literal;
  for (const char letter : path) literal += letter == '%' ? std::string("%%") : std::string(1, letter);
  return shell_quoted(literal + pattern);
}

std::string header(const SlurmJob& job) {
  const std::string folder = shell_quoted(job.folder);
  return fmt::format(
      "#!/bin/sh\n"
      "# Job array of a sweep for Slurm, written by `eos sweep submit`: {}\n"
      "# It may be edited and submitted again with `sbatch {}`: finished chunks are skipped.\n"
      "# Progress: eos sweep status {}\n\n",
      job.title, shell_quoted(job.folder + "/submit.sh"), folder);
}

std::string requests(const SlurmJob& job) {
  std::string text;
  const auto ask = [&text](const std::string& why, const std::string& what) {
    text += (why.empty() ? "" : "# " + why + "\n") + "#SBATCH " + what + "\n";
  };
  const std::string most = job.array_limit > 0 ? fmt::format("%{}", job.array_limit) : std::string();
  ask(job.chunks_per_task == 1
          ? "One task for every chunk that was not finished when this was written."
          : fmt::format("Tasks of {} chunks; those with a chunk that was not finished when this was written.",
                        job.chunks_per_task),
      fmt::format("--array={}{}", array_words(job.tasks), most));
  ask("", "--job-name=eos-sweep");
  ask(job.because, fmt::format("--time={}", job.minutes));
  ask("", fmt::format("--mem={}M", job.memory_mb));
  ask("", "--nodes=1");
  ask("", "--ntasks=1");
  ask("", fmt::format("--cpus-per-task={}", job.cpus));
  if (job.gpus > 0) ask("", fmt::format("--gres=gpu:{}", job.gpus));
  if (!job.partition.empty()) ask("", "--partition=" + shell_quoted(job.partition));
  if (!job.account.empty()) ask("", "--account=" + shell_quoted(job.account));
  ask(fmt::format("This script is told {} s before the time is up; it then saves and queues itself again.",
                  job.signal_before),
      fmt::format("--signal=B:USR1@{}", job.signal_before));
  ask("A task whose node fails starts again, and goes on with its log.", "--requeue");
  ask("", "--open-mode=append");
  ask("", "--output=" + file_pattern(job.folder, "/log/%A_%a.txt"));
  for (const std::string& word : job.more) ask("", word);
  return text + "\n";
}

constexpr const char* k_body = R"sh(
# Slurm tells this script alone before the time is up (USR1), and usually all processes when it ends the task (TERM). eos
# saves then, and ends with exit code 4.
told=
trap 'tell USR1' USR1
trap 'tell TERM' TERM
tell() {
  told=$1
  interrupted=yes
  [ -z "$child" ] || kill -s "$told" "$child" 2>/dev/null
}

# Runs one chunk; leaves the exit code of eos in `code`. A trap interrupts `wait`, which is then repeated.
child=
run_chunk() {
  "$eos" sweep "$sweep" --chunk "$1" $options &
  child=$!
  [ -z "$told" ] || tell "$told"
  while :; do
    interrupted=
    wait "$child"
    code=$?
    [ -n "$interrupted" ] && [ "$code" -gt 128 ] || break
  done
  child=
  echo "chunk $1: exit code $code"
}

echo "task $SLURM_ARRAY_TASK_ID, start $((${SLURM_RESTART_COUNT:-0} + 1)), on $(hostname), $(date)"
worst=0
chunk=$((SLURM_ARRAY_TASK_ID * chunks_per_task))
end=$((chunk + chunks_per_task))
[ "$end" -le "$chunks" ] || end=$chunks
while [ "$chunk" -lt "$end" ] && [ -z "$told" ]; do
  run_chunk "$chunk"
  [ "$code" -eq 0 ] || worst=$code
  if [ "$code" -eq 4 ] || { [ -n "$told" ] && [ "$code" -gt 128 ]; }; then break; fi
  chunk=$((chunk + 1))
done

# Stopped before the end: back to the queue, unless Slurm stopped it and decides itself.
if [ "$chunk" -lt "$end" ] && [ "$told" != TERM ]; then
  echo "state saved; queued again"
  trap '' TERM
  scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID" || exit 4
fi
exit "$worst"
)sh";

}  // namespace

std::string slurm_script(const SlurmJob& job) {
  std::string options = fmt::format("--threads {} --progress plain", job.cpus);
  if (!job.device.empty()) options += " --device " + job.device;
  return header(job) + requests(job) +
         fmt::format("eos={}\nsweep={}\nchunks={}\nchunks_per_task={}\noptions={}\n", shell_quoted(job.program),
                     shell_quoted(job.folder), job.chunks, job.chunks_per_task, shell_quoted(options)) +
         k_body;
}

std::vector<int> unfinished_tasks(const std::vector<int>& unfinished_chunks, int chunks_per_task) {
  std::vector<int> tasks;
  for (const int chunk : unfinished_chunks)
    if (tasks.empty() || tasks.back() != chunk / chunks_per_task) tasks.push_back(chunk / chunks_per_task);
  return tasks;
}

std::string array_words(const std::vector<int>& tasks) {
  std::string words;
  for (std::size_t i = 0; i < tasks.size();) {
    std::size_t last = i;
    while (last + 1 < tasks.size() && tasks[last + 1] == tasks[last] + 1) ++last;
    words += words.empty() ? "" : ",";
    words += last == i ? fmt::format("{}", tasks[i]) : fmt::format("{}-{}", tasks[i], tasks[last]);
    i = last + 1;
  }
  return words;
}

std::int64_t slurm_minutes(const std::string& time) {
  static const std::regex k_form(R"((?:(\d{1,5})-)?(\d{1,7})(?::(\d{1,2}))?(?::(\d{1,2}))?)");
  std::smatch part;
  if (!std::regex_match(time, part, k_form))
    throw core::Error("E103", fmt::format("--time expects a duration, got '{}'", time),
                      "minutes (90), MM:SS, HH:MM:SS, D-HH, D-HH:MM or D-HH:MM:SS, as Slurm writes them");
  const auto number = [&part](std::size_t i) { return part[i].matched ? std::stoll(part[i]) : 0; };
  // With days the first number is hours; without, it is hours only if two more follow.
  const bool hours_first = part[1].matched || part[4].matched;
  const std::int64_t seconds =
      hours_first ? number(1) * 86400 + number(2) * 3600 + number(3) * 60 + number(4) : number(2) * 60 + number(3);
  return (seconds + 59) / 60;
}

std::int64_t slurm_megabytes(const std::string& memory) {
  static const std::regex k_form(R"((\d{1,12}(?:\.\d{1,6})?)([KMGT]?)B?)", std::regex::icase);
  std::smatch part;
  if (!std::regex_match(memory, part, k_form))
    throw core::Error("E103", fmt::format("--memory expects an amount, got '{}'", memory),
                      "a number with K, M, G or T, e.g. 800M or 4G; without a letter it is M");
  const std::string unit = part[2];
  const char letter = unit.empty() ? 'M' : static_cast<char>(std::toupper(unit.front()));
  const double factor = letter == 'K' ? 1.0 / 1024 : letter == 'M' ? 1 : letter == 'G' ? 1024 : 1024.0 * 1024;
  return static_cast<std::int64_t>(std::ceil(std::stod(part[1]) * factor));
}

}  // namespace eos::cli
