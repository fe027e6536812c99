// The job script of a sweep, run by a shell with stand-ins for eos and scontrol: what it asks for, and what it does
// when it is told that its time is nearly up.
#include "slurm_script.hpp"

#include <gmock/gmock.h>
#include <signal.h>

#include "cli_support.hpp"
#include "eos/core/error.hpp"
#include "run_program.hpp"

namespace {

using namespace eos::cli;
using eos::test::file_text;
using eos::test::Folder;
using testing::HasSubstr;
using testing::Not;

TEST(SlurmScript, tasks_are_named_in_the_shortest_words) {
  EXPECT_EQ(array_words({0, 1, 2, 3}), "0-3");
  EXPECT_EQ(array_words({0, 2, 3, 7, 9, 10}), "0,2-3,7,9-10");
  EXPECT_EQ(array_words({5}), "5");
}

TEST(SlurmScript, a_task_is_there_when_one_of_its_chunks_is_unfinished) {
  EXPECT_EQ(unfinished_tasks({0, 1, 2, 3, 4}, 1), (std::vector<int>{0, 1, 2, 3, 4}));
  EXPECT_EQ(unfinished_tasks({1, 2, 3, 9}, 3), (std::vector<int>{0, 1, 3}));
  EXPECT_EQ(unfinished_tasks({}, 3), std::vector<int>{});
}

TEST(SlurmScript, times_are_read_as_the_manual_of_sbatch_defines_them) {
  for (const auto& [text, minutes] : std::vector<std::pair<std::string, int>>{{"90", 90},
                                                                              {"1:30", 2},
                                                                              {"02:00:00", 120},
                                                                              {"00:00:01", 1},
                                                                              {"1-0", 1440},
                                                                              {"1-2:30", 1590},
                                                                              {"2-03:04:05", 3065}})
    EXPECT_EQ(slurm_minutes(text), minutes) << text;
  for (const char* wrong : {"", "soon", "1h", "1:2:3:4", "-5"})
    EXPECT_THROW(slurm_minutes(wrong), eos::core::Error) << wrong;
}

TEST(SlurmScript, amounts_of_memory_are_binary_multiples) {
  EXPECT_EQ(slurm_megabytes("800"), 800);
  EXPECT_EQ(slurm_megabytes("800M"), 800);
  EXPECT_EQ(slurm_megabytes("1.5G"), 1536);
  EXPECT_EQ(slurm_megabytes("2000K"), 2);
  EXPECT_EQ(slurm_megabytes("1TB"), 1 << 20);
  for (const char* wrong : {"", "much", "4X", "-1G"}) EXPECT_THROW(slurm_megabytes(wrong), eos::core::Error) << wrong;
}

/// A job whose eos notes its words, works for so many tenths of a second, and saves in 0.2 s when told USR1 or TERM.
class Task {
 public:
  explicit Task(const std::string& tenths) {
    program("eos", "trap 'trap \"\" USR1 TERM; sleep 0.2; echo saved >> " + calls() +
                       "; exit 4' USR1 TERM\n"
                       "echo \"$@\" >> " +
                       calls() + "\nleft=" + tenths +
                       "\nwhile [ $left -gt 0 ]; do sleep 0.1; left=$((left - 1)); done\nexit ${EOS_ENDS:-0}\n");
    program("scontrol", "echo scontrol \"$@\" >> " + calls() + "\n");
    job.program = folder / "eos";
    job.folder = folder.path();
    job.title = "a test";
    job.chunks = 5;
    job.chunks_per_task = 2;
    job.tasks = {0, 1, 2};
    job.minutes = 7;
    job.memory_mb = 300;
  }

  void program(const std::string& name, const std::string& text) {
    const std::string file = folder.write(name, "#!/bin/sh\n" + text);
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
  }
  /// Runs task `number`; `meanwhile` is a line of shell in which $task is the script's process. Returns its exit code.
  int run(int number, const std::string& meanwhile = "true") {
    const std::string script = folder.write("submit.sh", slurm_script(job));
    return run_program({"sh", "-c",
                        "PATH=" + folder.path() +
                            ":$PATH SLURM_ARRAY_JOB_ID=17 SLURM_ARRAY_TASK_ID=" + std::to_string(number) + " sh " +
                            script + " > " + (folder / "log") + " & task=$!; " + meanwhile + "; wait $task"})
        .code;
  }
  /// Waits until eos has noted its words.
  std::string begun() const { return "until [ -s " + calls() + " ]; do sleep 0.05; done; "; }
  std::string calls() const { return folder / "calls"; }
  std::string said() const { return file_text(calls()); }

  Folder folder;
  SlurmJob job;
};

std::string chunk_call(const Task& task, int chunk) {
  return "sweep " + task.folder.path() + " --chunk " + std::to_string(chunk) + " --threads 1 --progress plain\n";
}

TEST(SlurmScript, a_task_runs_its_chunks_and_the_last_one_ends_with_the_plan) {
  Task task("1");
  EXPECT_EQ(task.run(1), 0);
  EXPECT_EQ(task.said(), chunk_call(task, 2) + chunk_call(task, 3));
  std::filesystem::remove(task.calls());
  EXPECT_EQ(task.run(2), 0);
  EXPECT_EQ(task.said(), chunk_call(task, 4));
}

TEST(SlurmScript, told_before_the_end_of_its_time_it_saves_and_is_queued_again) {
  Task task("100");
  EXPECT_EQ(task.run(0, task.begun() + "kill -USR1 $task"), 4);
  EXPECT_EQ(task.said(), chunk_call(task, 0) + "saved\nscontrol requeue 17_0\n");
}

TEST(SlurmScript, a_second_notice_does_not_end_the_saving) {
  Task task("100");
  EXPECT_EQ(task.run(0, task.begun() + "kill -USR1 $task; sleep 0.05; kill -USR1 $task"), 4);
  EXPECT_EQ(task.said(), chunk_call(task, 0) + "saved\nscontrol requeue 17_0\n");
}

TEST(SlurmScript, a_notice_while_the_program_starts_queues_the_task_again) {
  Task task("100");
  task.program("eos", "echo starts > " + task.calls() +
                          "\nexec sleep 60\n");  // has no handler for signals, as eos in its first moments
  EXPECT_EQ(task.run(0, task.begun() + "kill -USR1 $task"), 128 + SIGUSR1);
  EXPECT_EQ(task.said(), "starts\nscontrol requeue 17_0\n");
}

TEST(SlurmScript, a_cancelled_task_saves_and_stays_away) {
  Task task("100");
  EXPECT_EQ(task.run(0, task.begun() + "kill -TERM $task"), 4);
  EXPECT_EQ(task.said(), chunk_call(task, 0) + "saved\n");  // no second chunk, not queued again
}

TEST(SlurmScript, a_failed_chunk_does_not_keep_the_others_from_running) {
  Task task("0");
  const eos::test::Environment fails("EOS_ENDS", "1");
  EXPECT_EQ(task.run(0), 1);
  EXPECT_EQ(task.said(), chunk_call(task, 0) + chunk_call(task, 1));
}

TEST(SlurmScript, asks_for_what_the_job_says) {
  SlurmJob job;
  job.program = "/opt/eos/bin/eos";
  job.folder = "/scratch/it's 5%";
  job.tasks = {0, 1, 4};
  job.array_limit = 8;
  job.minutes = 30;
  job.memory_mb = 2000;
  job.cpus = 4;
  job.gpus = 1;
  job.device = "cuda";
  job.partition = "gpu";
  job.account = "physics";
  job.more = {"--qos=long"};
  const std::string text = slurm_script(job);
  for (const char* line : {"--array=0-1,4%8", "--time=30", "--mem=2000M", "--cpus-per-task=4", "--gres=gpu:1",
                           "--partition=gpu", "--account=physics", "--signal=B:USR1@120", "--requeue",
                           "--open-mode=append", "--qos=long", "--output='/scratch/it'\\''s 5%%/log/%A_%a.txt'"})
    EXPECT_THAT(text, HasSubstr(std::string("\n#SBATCH ") + line + "\n"));
  EXPECT_THAT(text, HasSubstr("\nsweep='/scratch/it'\\''s 5%'\n"));
  EXPECT_THAT(text, HasSubstr("\noptions='--threads 4 --progress plain --device cuda'\n"));
  job.gpus = 0;
  EXPECT_THAT(slurm_script(job), Not(HasSubstr("--gres")));
}

}  // namespace
