// The table behind `eos explain` and docs/errors.md. Blocks: E1xx input text and values, E2xx data sets and files,
// E3xx the machine, E4xx problems and solvers, E5xx runs, E9xx our own mistakes.
#include "eos/core/error.hpp"

namespace eos::core {

const std::vector<ErrorCode>& error_codes() {
  static const std::vector<ErrorCode> k_codes = {
      {"E100", Fault::input, "the command line is not understood",
       "A verb, an option or an argument is unknown, missing or of the wrong kind. `eos --help` and `eos VERB --help` "
       "list what is allowed."},
      {"E101", Fault::input, "the TOML text cannot be parsed",
       "The file is not valid TOML. The caret points at the first character that does not fit; common causes are a "
       "missing quote, a missing bracket, or a number written as 1,5 instead of 1.5."},
      {"E102", Fault::input, "unknown key",
       "Every key of an eos file is checked, because a misspelt key that is silently ignored ruins an experiment. "
       "Remove it or correct its spelling; the message lists the closest keys of the same table."},
      {"E103", Fault::input, "a value has the wrong type",
       "The key expects another TOML type, e.g. a number where a string was given."},
      {"E104", Fault::input, "a value is outside its allowed range",
       "The message states the value, its unit and the allowed interval."},
      {"E105", Fault::input, "a required key is missing", "Add the key; the message names the table and the type."},
      {"E106", Fault::input, "an option value is not one of the allowed words",
       "The message lists the allowed words and the closest one."},
      {"E107", Fault::input, "values contradict each other",
       "Two or more keys are valid alone but not together, e.g. lists of different length."},
      {"E108", Fault::input, "the file describes something else",
       "eos tells files apart by their tables: [problem] and [modes] state a mode problem, [control_problem], "
       "[states], [controls] and [cost], or [model], a control problem by its formulas, [plan] asks for a plan from a "
       "calibration, [train], [data], [network], ... state a training run, [sweep] asks for many of them, [prices] a "
       "price list, [energy_model] the joules of a machine."},
      {"E109", Fault::input, "a formula is not understood",
       "Formulas are written with numbers, + - * / ^, brackets, the functions sqrt exp log sin cos tan asin acos atan "
       "sinh cosh tanh asinh acosh atanh erf abs sign step capture threshold pow min max, the constant pi, and the "
       "names of time, states, controls, parameters and definitions. At the ends, T is the horizon, the name of a "
       "state its final value and initial(x) the first one. A name starts with a letter and goes on with letters, "
       "digits and _. The caret points at the first character that does not fit. docs/toml.md says more."},
      {"E190", Fault::bug, "a table of results is inconsistent", "This is a mistake in eos. Please report it."},
      {"E191", Fault::input, "a variable is not in the file",
       "The file was written by another kind of command or an older version. `eos show FILE` lists what it holds."},
      {"E201", Fault::input, "a file cannot be found or read",
       "The path does not exist, is a folder, or may not be read by this user."},
      {"E202", Fault::input, "a data set was not found",
       "eos looks for data sets in $EOS_DATA, ./data and /usr/share/datasets. `eos data list` shows what is found, "
       "`eos data fetch NAME` downloads a public set, Fashion-MNIST is Debian's package dataset-fashion-mnist, and "
       "`name = \"teacher\"` generates a task that needs no files."},
      {"E203", Fault::input, "a data file is damaged or of another kind",
       "An IDX file must start with 00 00 08 and its number of dimensions; sizes in the header must agree with the "
       "length of the file, images and labels must agree in number, and labels must be below the number of classes. "
       "Fetch the file again."},
      {"E204", Fault::input, "a checksum does not match",
       "The bytes differ from the published SHA-256. The download was cut off or the file was changed."},
      {"E205", Fault::machine, "a download failed",
       "The host cannot be reached or refused. Fetch the file on another machine and put it in ./data or $EOS_DATA."},
      {"E210", Fault::input, "not an EOS-1 file",
       "The file is not HDF5, is damaged, or was not written by eos. `eos check FILE` tells more."},
      {"E211", Fault::input, "the content does not match its stored hash",
       "The numbers in the file are not those that eos wrote: the file was edited or damaged."},
      {"E212", Fault::input, "the file has another schema version", "Use the eos version named in the file."},
      {"E301", Fault::machine, "a file cannot be written",
       "The disk is full, the folder is missing or read-only. Results are written to a temporary name and renamed, so "
       "an existing file is never damaged."},
      {"E302", Fault::machine, "no CUDA device",
       "--device cuda was asked for but this build has no CUDA backend or this machine no device. Use --device auto "
       "or cpu; `eos doctor` shows what was found."},
      {"E303", Fault::machine, "the CUDA device reported an error",
       "The message holds the CUDA call and its error text. Out of memory: reduce replicas or batch size."},
      {"E304", Fault::machine, "not enough memory", "Reduce the number of replicas, the batch or the data set."},
      {"E305", Fault::machine, "the CPU lacks an instruction set",
       "This build uses AVX2 and FMA (x86-64-v3). Configure with -DEOS_ARCH=native or -DEOS_ARCH= to build for this "
       "CPU."},
      {"E306", Fault::machine, "a library reported an error", "The message holds the library's own words."},
      {"E307", Fault::machine, "energy cannot be measured as asked",
       "--energy nvml needs a run on an NVIDIA GPU and its driver, --energy rapl counters of the processor that this "
       "user may read, --energy model a file of coefficients. `eos doctor` says which meters work here and why others "
       "do not; --energy auto takes what there is. docs/energy.md says more."},
      {"E308", Fault::machine, "the scheduler or MPI cannot be used",
       "Slurm's commands are missing here or refused the job (the message holds their own words), or this eos has no "
       "MPI. `eos doctor` says what it found. A sweep needs neither: several `eos sweep DIR`, on one machine or on "
       "many that share the folder, divide the work among themselves. docs/sweeps.md says more."},
      {"E401", Fault::input, "the control problem is not well posed",
       "For instance reversed bounds, a negative price that makes the energy unbounded below, or a horizon of zero."},
      {"E402", Fault::input, "the calibration does not contain what the plan needs",
       "Run `eos calibrate` again with this version on the same network and data."},
      {"E501", Fault::input, "the checkpoint belongs to another run",
       "The stored configuration differs from the one given. Remove the checkpoint or restore the configuration."},
      {"E502", Fault::input, "the schedule does not fit the run",
       "For instance a method that follows a schedule was chosen but no schedule file was given."},
      {"E503", Fault::machine, "another process is working on this run",
       "A second eos is writing checkpoints for the same output file. Wait until it has finished, stop it, or choose "
       "another output with -o."},
      {"E504", Fault::input, "the folder holds another sweep",
       "A folder keeps the sweep that it was made for: its description with every --set, its plan, its finished runs. "
       "Give another sweep a folder of its own; to go on with the one that is there use `eos sweep DIR`. The same is "
       "said when a file that the sweep refers to has changed since, so that its runs would not be the planned ones."},
      {"E505", Fault::input, "runs of the sweep are missing",
       "Not all runs of the sweep are finished. `eos sweep DIR` goes on with it and repeats nothing that is finished; "
       "`eos merge --partial` puts what is there into a file whose status is `partial`."},
      {"E901", Fault::bug, "internal error",
       "This is a mistake in eos. Please report it with the command and its files."},
  };
  return k_codes;
}

}  // namespace eos::core
