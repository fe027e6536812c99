// The verbs that deal with many runs.
#include "commands.hpp"
#include "energy.hpp"
#include "sweep_submit.hpp"
#include "verb_options.hpp"

namespace eos::cli {

Verb sweep_verb() {
  return {
      .name = "sweep",
      .summary = "train the many runs of a sweep file, on all cores, a GPU or a cluster; never lose a finished run",
      .description =
          "SWEEP.toml is a training file with a table [sweep]: axes over any of its keys, as a grid, a list, random or "
          "Latin hypercube or Sobol draws, times seeds. Results go to the folder given with -o. Runs are cut into "
          "chunks; any number of processes and machines may work on one folder, each takes chunks that nobody holds. "
          "Finished runs are safe from the moment they end: after Ctrl-C (exit code 4), a kill or a full disk, 'eos "
          "sweep DIR' goes on and repeats none. Runs that diverge are recorded as such; runs that fail are noted in "
          "DIR/failed and tried again (exit code 1).\n"
          "status DIR tells how far it is, watch DIR shows it live, submit hands it to Slurm, GNU parallel or mpirun. "
          "When all runs are there, 'eos merge DIR -o sweep.h5' makes one file of them.",
      .positionals =
          {{.name = "WHAT",
            .kind = ValueKind::file,
            .help = "SWEEP.toml to start (or to go on), the folder of a sweep to go on, or status, watch, submit"},
           {.name = "TARGET",
            .kind = ValueKind::folder,
            .help = "status, watch, submit: the folder of the sweep; submit: or SWEEP.toml",
            .required = false}},
      .options = with(
          with(
              {{.name = "out",
                .letter = 'o',
                .kind = ValueKind::folder,
                .value = "DIR",
                .help = "folder for results; the same command again goes on"},
               {.name = "dry-run",
                .help = "only show runs, groups, replicas, and what time, memory, energy and files they will take"},
               set_option(),
               {.name = "shard",
                .kind = ValueKind::text,
                .value = "I/N",
                .help = "work only on the I-th of N parts of the chunks"},
               {.name = "chunk", .kind = ValueKind::integer, .value = "C", .help = "work only on chunk C, from 0"},
               {.name = "replicas",
                .kind = ValueKind::integer,
                .value = "R",
                .help = "runs in lockstep (default: 1 on the CPU, on a GPU as many as make it fastest); results do not "
                        "depend on it on the CPU",
                .minimum = 1},
               {.name = "chunk-minutes",
                .kind = ValueKind::number,
                .value = "M",
                .help = "longest chunk; small sweeps are cut finer",
                .fallback = "5",
                .minimum = 0.001},
               {.name = "checkpoint-seconds",
                .kind = ValueKind::integer,
                .value = "S",
                .help = "between checkpoints of a run in progress",
                .fallback = "120"},
               device_option(),
               threads_option(),
               {.name = "mpi",
                .help = "under mpirun: its processes share the chunks. submit: print the command for mpirun"}},
              energy_options()),
          submit_options()),
      .examples = {{"eos sweep examples/sweeps/rate_and_method.toml -o lr", "run it on all cores"},
                   {"eos sweep examples/sweeps/rate_and_method.toml --dry-run", "what would it take?"},
                   {"eos sweep lr", "go on after an interruption"},
                   {"eos sweep status lr", "how far is it?"},
                   {"eos sweep lr --shard 2/4", "the second of four machines that share a file system"},
                   {"eos sweep submit lr --slurm --array-limit 20", "as a Slurm job array, 20 tasks at a time"},
                   {"mpirun -n 8 eos sweep lr --mpi --threads 1", "eight processes, wherever mpirun starts them"},
                   {"eos merge lr -o lr.h5", "what to do next"}},
      .run = run_sweep};
}

Verb merge_verb() {
  return {.name = "merge",
          .summary = "put the finished runs of a sweep into one file",
          .description =
              "Reads the chunk files of a sweep's folder, or chunk or merged files of its shards, checks the content "
              "hash of each, and writes one sweep table in the order of the plan: the same content hash however runs "
              "were spread over chunks, shards and machines. Takes constant memory, and goes on where it was when it "
              "was killed. Runs that several inputs hold must be the same in all.",
          .positionals = {{.name = "DIR",
                           .kind = ValueKind::file,
                           .help = "folder made by 'eos sweep', or a file of the sweep",
                           .repeated = true}},
          .options = {out_option("the merged sweep (required)"),
                      {.name = "partial", .help = "merge what is there although runs are missing"}},
          .examples = {{"eos merge sweep/ -o sweep.h5", "the finished sweep as one file"},
                       {"eos merge here/ there/ -o sweep.h5", "two shards, computed on two machines"},
                       {"eos merge sweep/ -o so_far.h5 --partial", "what is finished so far"}},
          .run = run_merge};
}

}  // namespace eos::cli
