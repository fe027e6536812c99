// The job script of a sweep for Slurm: which tasks, what each asks for, and what it does when its time is nearly up.
//
// A task is `chunks_per_task` consecutive chunks, run one after the other; its number times that is the first of them.
// Numbers never change, so the same folder can be submitted again and again: finished chunks are skipped.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace eos::cli {

struct SlurmJob {
  std::string program, folder;  ///< absolute paths, the same on all nodes
  std::string title;            ///< of the sweep; one line
  int chunks = 0;               ///< of the plan
  int chunks_per_task = 1;
  std::vector<int> tasks;          ///< numbers of those that still have work, ascending
  int array_limit = 0;             ///< at most so many at a time; 0: as many as the cluster gives
  std::int64_t minutes = 0;        ///< wall time a task
  std::int64_t memory_mb = 0;      ///< a task, MiB
  std::string because;             ///< where time and memory come from
  int cpus = 1, gpus = 0;          ///< a task
  int signal_before = 120;         ///< s before the end of its time a task is told to save
  std::string device;              ///< of `eos sweep --device`, empty: its default
  std::string partition, account;  ///< empty: the cluster's default
  std::vector<std::string> more;   ///< further options of sbatch, each a word that begins with '-'
};

/// The whole script, with a comment for each request.
std::string slurm_script(const SlurmJob& job);

/// Tasks with a chunk that is not finished.
std::vector<int> unfinished_tasks(const std::vector<int>& unfinished_chunks, int chunks_per_task);
/// "0-3,7,9-10", as --array takes it. pre: ascending.
std::string array_words(const std::vector<int>& tasks);

/// Minutes, rounded up, in one of Slurm's forms: MM, MM:SS, HH:MM:SS, D-HH, D-HH:MM, D-HH:MM:SS.
/// throws Error E103 with the allowed forms.
std::int64_t slurm_minutes(const std::string& time);
/// MiB, rounded up: a number with K, M (default), G or T, as in --mem. throws Error E103.
std::int64_t slurm_megabytes(const std::string& memory);

}  // namespace eos::cli
