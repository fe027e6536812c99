// The verb that compares methods.
#include "commands.hpp"
#include "energy.hpp"
#include "verb_options.hpp"

namespace eos::cli {

Verb evidence_verb() {
  return {
      .name = "evidence",
      .summary = "compare all methods on all tasks at equal quality, under one protocol, and write the report",
      .description =
          "A protocol (docs/evidence.md) says which tasks, which methods with which search, and how often. Dense training "
          "is tuned first; every method gets the same number of trials on validation data; the chosen configurations "
          "are trained over several horizons and seeds; test data report once. Stages are sweeps in DIR/TASK, so that "
          "the same command goes on after Ctrl-C (exit code 4), a kill or a full disk and repeats nothing that is "
          "finished. Several processes may work on one folder. Tasks whose data are missing and methods that fail are "
          "left out with a note (exit code 1).",
      .positionals = {{.name = "DIR", .kind = ValueKind::folder, .help = "folder for everything that is made"}},
      .options = with({{.name = "quick", .help = "the protocol data/evidence/quick.toml: small tasks, some minutes"},
                       {.name = "full", .help = "the protocol data/evidence/full.toml: all tasks and methods, many hours"},
                       {.name = "protocol",
                        .kind = ValueKind::file,
                        .value = "FILE.toml",
                        .help = "a protocol of your own; without any of the three, that of DIR"},
                       {.name = "tasks",
                        .kind = ValueKind::text,
                        .value = "A,B",
                        .help = "work on these tasks only; what is finished of others is kept"},
                       {.name = "methods",
                        .kind = ValueKind::text,
                        .value = "A,B",
                        .help = "work on these methods only, and on dense training"},
                       {.name = "dry-run", .help = "only show how many runs there are, and what time they take"},
                       {.name = "report", .help = "only make tables, figures and report.html again, from DIR/evidence.h5"},
                       {.name = "checkpoint-seconds",
                        .kind = ValueKind::integer,
                        .value = "S",
                        .help = "between checkpoints of a run in progress",
                        .fallback = "120"},
                       device_option(),
                       threads_option()},
                      energy_options()),
      .examples = {{"eos evidence evidence/ --quick", "the small comparison"},
                   {"eos evidence evidence/ --full --dry-run", "what would the full one take?"},
                   {"eos evidence evidence/", "go on after an interruption"},
                   {"eos evidence evidence/ --report", "tables, figures and page again, from evidence.h5 alone"},
                   {"eos evidence evidence/ --tasks mlp-mnist --methods derived,dbpd", "a part of it"}},
      .run = run_evidence};
}

}  // namespace eos::cli
